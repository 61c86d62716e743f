"""Notebook 7: which numbers miss the bar, by measure and method, and whether they are released."""

from __future__ import annotations

import pandas as pd

from revictimisation.report.described import NOTHING, Piece, join
from revictimisation.report.page import DASH, Page
from revictimisation.report.verdicts import name_measure
from truth_studies.pages.answer import (
    describe_released,
    describe_tally,
    list_told,
    name_exactly,
    name_row,
    name_rows,
    name_scenario,
    name_way,
)
from truth_studies.records.bar import (
    BIAS,
    COVERAGE,
    count_released,
    find_faults,
    judge_row,
    list_missed,
)
from truth_studies.records.truth import (
    CALIBRATED,
    FORCE,
    FORMULA,
    GATED,
    MAIN,
    ROBUST,
    TruthStudy,
    Way,
)

WAYS = (MAIN, ROBUST, FORCE, FORMULA)
OTHERS = ("risk_start", "risk_no_start", "rmst_difference_days")


def show_misses(page: Page, study: TruthStudy) -> Piece:
    """Where the bar is not met, in words and as a table, and what the gates withheld."""
    ways = [one for one in study.add_beside(CALIBRATED, WAYS) if len(study.rows(CALIBRATED, one))]
    found = [(way, name_exactly(page, study, way), study.rows(CALIBRATED, way)) for way in ways]
    if not found:
        return show_withheld(page, study)
    told = [describe_misses(page, *one) for one in found]
    told += [*_describe_others(page, study), *_describe_whether_gates_help(page, study)]
    parts = [page.heading("truth_study.failing"), page.text("truth_study.text_failing")]
    return join([*parts, list_told(told), _missed_table(page, found), show_withheld(page, study)])


def describe_misses(page: Page, way: Way, name: str, rows: pd.DataFrame) -> str:
    """Which of a way's numbers miss the bar for what, and how many of those were released."""
    missed = list_missed(rows)
    given = {"way": name, **describe_tally(page, rows)}
    if not missed:
        return page.say("truth_study.misses_none", **given)
    told = [page.say("truth_study.misses", **given)]
    for part in (BIAS, COVERAGE):
        mine = list_missed(rows, part)
        if mine:
            told.append(page.say(f"truth_study.misses_{part}", where=name_rows(page, mine)))
    return " ".join([*told, describe_released(page, way, missed)])


def _describe_others(page: Page, study: TruthStudy) -> list[str]:
    """How the main method's other numbers did: the risks themselves, and days won."""
    rows = study.rows(CALIBRATED, MAIN, estimands=OTHERS)
    if rows.empty:
        return []
    return [page.say("truth_study.others", way=name_way(page, MAIN), **describe_tally(page, rows))]


def _describe_whether_gates_help(page: Page, study: TruthStudy) -> list[str]:
    """Whether the main method's numbers that miss are released less often than the rest."""
    rows = study.rows(CALIBRATED, MAIN)
    is_missed = [bool(find_faults(row)) for _, row in rows.iterrows()]
    missed, _ = count_released(rows[is_missed])
    rest, _ = count_released(rows[[not one for one in is_missed]])
    if missed is None or rest is None:
        return []
    key = "gates_help" if missed < rest else "gates_do_not_help"
    given = {"missed": page.formats.percent(missed), "rest": page.formats.percent(rest)}
    return [page.say(f"truth_study.{key}", **given)]


def _missed_table(page: Page, found: list[tuple[Way, str, pd.DataFrame]]) -> Piece:
    """A row per number that misses the bar; nothing if none does."""
    rows = []
    for way, name, mine in found:
        for row in list_missed(mine):
            n, n_released = int(row["n_counties"]), int(row["n_released"])
            rows.append([
                name_row(page, row), name, list_faults(page, row),
                page.formats.decimal(row["bias_in_errors"], 2),
                page.formats.percent(row["coverage"]),
                describe_of(page, n_released, n) if way in GATED else DASH,
            ])  # fmt: skip
    if not rows:
        return NOTHING
    columns = ("way", "missed", "bias_in_errors", "coverage", "released")
    heads = [
        page.say("common.measure"),
        *(page.say(f"truth_study.head_{column}") for column in columns),
    ]
    return page.table(page.say("truth_study.missed_caption"), heads, rows)


def list_faults(page: Page, row: pd.Series) -> str:
    """What a row misses: `bias, täckning`."""
    return ", ".join(page.say(f"truth_study.fault_{part}") for part in find_faults(row))


def describe_faults(page: Page, row: pd.Series) -> str:
    """What a row misses, or whether it is inside the bar or perhaps outside."""
    return page.say(f"truth_study.bar_{judge_row(row)}", faults=list_faults(page, row))


def describe_of(page: Page, n: int, n_all: int) -> str:
    """`10 av 200`."""
    count = page.formats.count
    return page.say("truth_study.of", n=count(n), n_all=count(n_all))


def show_withheld(page: Page, study: TruthStudy) -> Piece:
    """In how many counties the gates withheld the main method's number, by measure and scenario."""
    scenarios = [scenario for scenario in study.scenarios if study.measures(scenario, (MAIN,))]
    if not scenarios:
        return NOTHING
    day = study.days[-1]
    names = list(
        dict.fromkeys(m for scenario in scenarios for m in study.measures(scenario, (MAIN,)))
    )
    rows = [
        [
            name_measure(page, name),
            *(_describe_withheld(page, study, scenario, name) for scenario in scenarios),
        ]
        for name in names
    ]
    heads = [page.say("common.measure"), *(name_scenario(page, scenario) for scenario in scenarios)]
    caption = page.say("truth_study.withheld_caption", period=page.formats.period(day))
    return page.table(caption, heads, rows, [page.say("truth_study.withheld_note")])


def _describe_withheld(page: Page, study: TruthStudy, scenario: str, measure: str) -> str:
    row = study.one(scenario, MAIN, measure, study.days[-1])
    if row is None:
        return DASH
    n = int(row["n_counties"])
    return describe_of(page, n - int(row["n_released"]), n)
