"""The truth studies in one table, a row a scenario and method, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from revictimisation.report.described import NOTHING, Attachment, Cell, Piece, Text, join
from revictimisation.report.page import DASH, SHARE, Page
from truth_studies.pages.naming import (
    describe_bar,
    describe_range,
    name_intervals,
    name_scenario,
    name_way,
)
from truth_studies.records import read_kept_texts
from truth_studies.records.bar import count_released, list_effects, list_released, tally
from truth_studies.records.truth import (
    CRUDE,
    DEPARTURES,
    FORCE,
    FORMULA,
    GATED,
    INFLUENCE,
    MAIN,
    NULL,
    ROBUST,
    UNADJUSTED,
    TruthStudy,
    Way,
)

WAYS = (MAIN, ROBUST, FORMULA, FORCE, CRUDE, UNADJUSTED)
COLUMNS = ("n_counties", "inside", "bias_in_errors", "released", "coverage_released", "coverage",
           "power", "rejection_rate")  # fmt: skip
SHORT_COMMIT = 12


def show_table(page: Page, study: TruthStudy) -> Piece:
    """How each method did in each scenario, over all measures and days."""
    rows = [
        [f"{name_scenario(page, scenario)}: {_name_way(page, study, scenario, way)}",
         *_describe_rows(page, way, found)]
        for scenario in study.scenarios
        for way in study.add_beside(scenario, WAYS)
        if len(found := _read(study, scenario, way))
    ]  # fmt: skip
    if not rows:
        return NOTHING
    heads = [page.say("truth_study.head_way"), *(page.say(f"truth_study.head_{one}") for one in
                                                 COLUMNS)]  # fmt: skip
    caption = page.say("truth_study.table_caption")
    table = page.table(caption, heads, rows, [page.say("truth_study.table_note")])
    text = page.text("truth_study.tables_text", **describe_bar(page))
    return join([page.heading("truth_study.tables"), text, table])


def _name_way(page: Page, study: TruthStudy, scenario: str, way: Way) -> str:
    """The way, with whose intervals its row has where the scenario has two kinds."""
    name = name_way(page, way)
    if way != MAIN or not study.has_two_kinds(scenario):
        return name
    return f"{name}, {name_intervals(page, study.find_kind(scenario, way.estimator))}"


def show_files(page: Page) -> Piece:
    """Every kept table, to take along."""
    return join(
        Attachment(page.say("truth_study.take", study=folder), f"{folder}.csv", text)
        for folder, text in read_kept_texts().items()
    )


def _read(study: TruthStudy, scenario: str, way: Way) -> pd.DataFrame:
    rows = study.rows(scenario, way)
    return rows.dropna(subset=["bias_in_errors", "coverage"]) if len(rows) else rows


def _describe_rows(page: Page, way: Way, rows: pd.DataFrame) -> list[Cell | str]:
    worst = float(rows["bias_in_errors"].abs().max())
    released = list_released(rows) if way in GATED else rows.iloc[:0]
    share = count_released(rows)[0] if way in GATED else None
    is_hidden = rows["scenario"].iloc[0] == DEPARTURES[0]
    found = [] if is_hidden else [*list_effects(released)["rejection_rate"]]
    called = rows["rejection_rate"].mean() if rows["scenario"].iloc[0] == NULL else None
    return [
        page.formats.count(rows["n_counties"].max()),
        page.say("truth_study.of", n=page.formats.count(tally(rows).n_inside),
                 n_all=page.formats.count(len(rows))),
        Cell(page.formats.decimal(worst, 1), worst),
        _show_share(page, share),
        describe_range(page, [*released["coverage_released"]]) if len(released) else DASH,
        describe_range(page, [*rows["coverage"]]),
        describe_range(page, found) if found else DASH,
        _show_share(page, called),
    ]  # fmt: skip


def _show_share(page: Page, share: float | None) -> Cell | str:
    return DASH if share is None else Cell(page.formats.percent(share, 0), share, unit=SHARE)


def show_provenance(page: Page, study: TruthStudy) -> Piece:
    """What made the table, a paragraph a study: counties, intervals, day, seed, commit, command."""
    made = [facts for facts in (study.provenance, study.newer) if facts]
    if study.is_empty or not made:
        return NOTHING
    told = [Text(_describe_origin(page, facts)) for facts in made]
    return join([page.heading("truth_study.origin"), *told])


def _describe_origin(page: Page, facts: Mapping[str, Any]) -> str:
    """Counties, intervals, day, seed, commit and command; a run of another commit with its own."""
    runs = []
    for run in facts.get("runs", []):
        given = {"scenario": name_scenario(page, run["scenario"]),
                 "n": page.formats.count(run["n_counties"]),
                 "people": page.formats.count(run["people_per_county"]),
                 "intervals": name_intervals(page, run.get("intervals", INFLUENCE))}  # fmt: skip
        told, own = page.say("truth_study.from_run", **given), run.get("commit")
        runs.append(f"{told}, commit {_describe_commit(page, own)}" if own else told)
    return page.say(
        "truth_study.origin_text", runs="; ".join(runs), seed=facts.get("seed", DASH),
        made_on=facts.get("made_on", DASH), command=facts.get("command", DASH),
        commit=_describe_commit(page, facts.get("commit", DASH)),
    )  # fmt: skip


def _describe_commit(page: Page, commit: str) -> str:
    """The version's commit, short; after it if the tree had changes that were not in it."""
    name, _, more = commit.partition(" ")
    told = name[:SHORT_COMMIT]
    return page.say("truth_study.commit_changed", commit=told) if more else told
