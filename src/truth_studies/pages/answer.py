"""Notebook 7: what the truth study says in words: what was done, and how each method did.

Every sentence is computed from the kept table; what is not there is not told.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from revictimisation.report.described import NOTHING, Piece, Text, join
from revictimisation.report.page import DASH, Page
from revictimisation.report.sections.answer import list_names
from revictimisation.report.verdicts import name_measure
from truth_studies.records.bar import (
    ALLOWED_CALLS,
    BAND,
    MOST_BIAS,
    SIGNIFICANCE,
    count_released,
    list_missed,
    tally,
)
from truth_studies.records.truth import (
    BOOTSTRAP,
    CALIBRATED,
    CRUDE,
    DEPARTURES,
    FORCE,
    FORMULA,
    GATED,
    MAIN,
    NULL,
    ROBUST,
    UNADJUSTED,
    TruthStudy,
    Way,
)

ENOUGH_COUNTIES = 200
PROMISED = 0.95
HIDDEN = DEPARTURES[0]
# a share let through that is less by no more than this is as good as the same
AS_MANY = 0.05


def name_way(page: Page, way: Way) -> str:
    """A way to estimate as it is called here; one the texts do not know by its code's label."""
    if way.intervals:
        return page.say(f"truth_study.way_{way.estimator}_by_{way.intervals}")
    key = f"truth_study.way_{way.estimator}_{way.analysis}"
    if key in page.texts:
        return page.say(key)
    name = page.labels.code("estimator", way.estimator).replace("_", " ")
    return name if way.analysis == "main" else f"{name}, {way.analysis.replace('_', ' ')}"


def name_scenario(page: Page, scenario: str) -> str:
    """A scenario in a few words."""
    key = f"truth_study.scenario_{scenario}"
    return page.say(key) if key in page.texts else scenario.replace("_", " ")


def name_intervals(page: Page, kind: str) -> str:
    """`bootstrap200` or `influence` in words."""
    if not kind.startswith(BOOTSTRAP):
        return page.say("truth_study.by_influence") if kind == "influence" else kind
    drawn = kind.removeprefix(BOOTSTRAP)
    return page.say("truth_study.by_bootstrap", replicates=drawn or DASH)


def name_row(page: Page, row: pd.Series) -> str:
    """A row's measure, with its day where it has one."""
    name = name_measure(page, row["measure"])
    return name if pd.isna(row["time_days"]) else f"{name}, {_describe_day(page, row)}"


def _describe_day(page: Page, row: pd.Series) -> str:
    return page.formats.period(int(row["time_days"])).replace(" ", "\xa0")


def name_rows(page: Page, rows: Sequence[pd.Series]) -> str:
    """The rows' measures, each once, with its days in brackets: `kontaktförbud (1 år, 4 år)`."""
    days: dict[str, list[str]] = {}
    for row in rows:
        mine = days.setdefault(name_measure(page, row["measure"]), [])
        if not pd.isna(row["time_days"]):
            mine.append(_describe_day(page, row))
    return "; ".join(f"{name} ({', '.join(mine)})" if mine else name for name, mine in days.items())


def describe_allowed(page: Page) -> str:
    """The share of calls that chance alone may give."""
    return page.formats.percent(ALLOWED_CALLS, 0)


def describe_bar(page: Page) -> dict[str, str]:
    """What is asked for, in words."""
    return {
        "most": page.formats.decimal(MOST_BIAS, 1),
        "band": page.formats.percent_range(*BAND, digits=0),
        "allowed": describe_allowed(page),
    }


def describe_tally(page: Page, rows: pd.DataFrame) -> dict[str, str]:
    """How many numbers are inside the bar, perhaps outside, and beyond, to be filled in."""
    found = tally(rows)
    counts = {"n_all": len(rows), "n_inside": found.n_inside, "n_unsure": found.n_unsure,
              "n_missed": found.n_missed}  # fmt: skip
    return {name: page.formats.count(count) for name, count in counts.items()}


def describe_hidden_difference(page: Page, study: TruthStudy) -> str:
    """What matters most for belief in any answer: how a hidden difference escapes the gates.

    Coverage and the share let through where something unrecorded drives measures and reports,
    beside the share where nothing does; empty where the kept study has no such counties.
    """
    rows = study.rows(HIDDEN, MAIN)
    found = describe_rows(page, rows) if len(rows) else None
    if not found:
        return ""
    share, usual = (count_released(study.rows(one, MAIN))[0] for one in (HIDDEN, CALIBRATED))
    told = page.say("truth_study.hidden_first", **found)
    if share is None or usual is None:
        return told
    key = "hidden_as_many" if share >= usual - AS_MANY else "hidden_fewer"
    given = {"share": page.formats.percent(share), "usual": page.formats.percent(usual)}
    return f"{told} {page.say(f'truth_study.{key}', **given)}"


def show_answer(page: Page, study: TruthStudy) -> Piece:
    """What was done and found in a few sentences; one sentence if there is nothing."""
    if study.is_empty:
        return page.text("truth_study.none")
    bar = page.text("truth_study.bar", **describe_bar(page))
    lead = " ".join([*_describe_lead(page, study), *_describe_gates(page, study)])
    hidden = Text(describe_hidden_difference(page, study))
    told = [hidden, page.text("truth_study.done"), bar, Text(lead) if lead else NOTHING]
    return join([*told, show_counties(page, study)])


def show_ways(page: Page, study: TruthStudy) -> Piece:
    """How each method did: the main ones, the one beside them, and the naive ways."""
    parts = []
    for part, ways in (
        ("held", (MAIN, ROBUST, FORCE)),
        ("beside", (FORMULA,)),
        ("naive", (CRUDE, UNADJUSTED)),
    ):
        told = [one for way in ways for one in describe_way(page, study, way)]
        if told:
            parts += [page.heading(f"truth_study.{part}"), list_told(told)]
    return join(parts)


def list_told(told: Sequence[str]) -> Piece:
    """Sentences as a list."""
    return Text("\n".join(f"- {one}" for one in told))


def _describe_lead(page: Page, study: TruthStudy) -> list[str]:
    """How many of the main method's numbers are inside the bar, and by which intervals."""
    rows = study.rows(CALIBRATED, MAIN)
    if rows.empty:
        return []
    kind = study.find_kind(CALIBRATED, MAIN.estimator)
    key = "lead_drawn" if kind.startswith(BOOTSTRAP) else "lead_not_drawn"
    by = page.say(f"truth_study.{key}", intervals=name_intervals(page, kind))
    return [page.say("truth_study.lead", **describe_tally(page, rows)), by]


def _describe_gates(page: Page, study: TruthStudy) -> list[str]:
    """What share of the main estimates the gates let through, and how those did."""
    share, coverage = count_released(study.rows(CALIBRATED, MAIN))
    if share is None:
        return []
    if coverage is None:
        return [page.say("truth_study.gates_none")]
    given = {"share": page.formats.percent(share), "coverage": page.formats.percent(coverage)}
    return [page.say("truth_study.gates", **given)]


def show_counties(page: Page, study: TruthStudy) -> Piece:
    """How many counties each scenario has, and how far chance may carry what is said of it."""
    rows, few = [], []
    for scenario in study.scenarios:
        n = study.count_counties(scenario)
        people = study.describe_run(scenario).get("people_per_county")
        rows += [
            [
                name_scenario(page, scenario), page.formats.count(counted),
                DASH if people is None else page.formats.count(people),
                name_intervals(page, kind),
                f"± {page.formats.decimal(1 / n**0.5, 2)}",
                f"± {page.formats.decimal(100 * (PROMISED * (1 - PROMISED) / counted) ** 0.5, 1)}",
            ]
            for kind, counted in _count_by_kind(study, scenario).items()
        ]  # fmt: skip
        if n < ENOUGH_COUNTIES:
            few.append(f"{name_scenario(page, scenario)} ({page.formats.count(n)})")
    columns = ("scenario", "n_counties", "people", "intervals", "bias_chance", "coverage_chance")
    heads = [page.say(f"truth_study.head_{column}") for column in columns]
    notes = [page.say("truth_study.precision")]
    if few:
        enough = page.formats.count(ENOUGH_COUNTIES)
        notes.append(page.say("truth_study.too_few", enough=enough, few=", ".join(few)))
    table = page.table(page.say("truth_study.counties_caption"), heads, rows, notes)
    return join([table, list_told(list_untried(page, study))])


def list_untried(page: Page, study: TruthStudy) -> list[str]:
    """What the pages show and the truth study has not tried: measures, and bootstrap intervals."""
    told = []
    tried = study.measures(CALIBRATED, (MAIN,))
    missing = [name_measure(page, name) for name in page.plan.measure_names if name not in tried]
    if tried and missing:
        told.append(page.say("truth_study.untried_measures", measures=list_names(page, missing)))
    kinds = {scenario: study.find_kind(scenario, MAIN.estimator) for scenario in study.scenarios}
    without = [
        name_scenario(page, scenario)
        for scenario, kind in kinds.items()
        if study.has_bootstrap and not kind.startswith(BOOTSTRAP)
    ]
    if without:
        told.append(page.say("truth_study.untried_bootstrap", scenarios=list_names(page, without)))
    return told


def _count_by_kind(study: TruthStudy, scenario: str) -> dict[str, int]:
    """In how many counties each kind of intervals was tried in a scenario."""
    mine = study.table[study.table["scenario"].eq(scenario)]
    sizes = mine.groupby("intervals", sort=False)["n_counties"].max()
    return {str(kind): int(n) for kind, n in sizes.items()}


def describe_rows(page: Page, rows: pd.DataFrame) -> dict[str, str] | None:
    """Largest bias in errors and where, least and most coverage, the tally; None without rows."""
    known = rows.dropna(subset=["bias_in_errors", "coverage"]) if len(rows) else rows
    if known.empty:
        return None
    worst = known.iloc[int(known["bias_in_errors"].abs().argmax())]
    return {
        "bias": page.formats.decimal(abs(worst["bias_in_errors"]), 2),
        "where": name_row(page, worst),
        "low": page.formats.percent(known["coverage"].min()),
        "high": page.formats.percent(known["coverage"].max()),
        **describe_tally(page, known),
    }


def describe_way(page: Page, study: TruthStudy, way: Way) -> list[str]:
    """How a way did in the main scenario, and how often it called an effect where there is none."""
    told = []
    for one in study.add_beside(CALIBRATED, (way,)):
        found = describe_rows(page, study.rows(CALIBRATED, one))
        if found:
            told.append(page.say("truth_study.tells", way=name_exactly(page, study, one), **found))
    for one in study.add_beside(NULL, (way,)):
        rows = study.rows(NULL, one)
        rows = rows.dropna(subset="rejection_rate") if len(rows) else rows
        if len(rows):
            told.append(_describe_calls(page, one, name_exactly(page, study, one, NULL), rows))
    return told


def name_exactly(page: Page, study: TruthStudy, way: Way, scenario: str = CALIBRATED) -> str:
    """A way's name, with its intervals where the main method has more than one kind."""
    if way.estimator != MAIN.estimator or not study.has_bootstrap:
        return name_way(page, way)
    kind = way.intervals or study.find_kind(scenario, way.estimator)
    return f"{name_way(page, MAIN)} ({name_intervals(page, kind)})"


def _describe_calls(page: Page, way: Way, name: str, rows: pd.DataFrame) -> str:
    """How often something is called an effect where nothing works, and where too often."""
    worst = rows.iloc[int(rows["rejection_rate"].argmax())]
    over = list_missed(rows, SIGNIFICANCE)
    key = "calls_over" if over else "calls"
    told = page.say(
        f"truth_study.{key}",
        way=name,
        mean=page.formats.percent(rows["rejection_rate"].mean()),
        most=page.formats.percent(worst["rejection_rate"]),
        where=name_row(page, worst),
        allowed=describe_allowed(page),
        n_over=page.formats.count(len(over)),
        n_all=page.formats.count(len(rows)),
        over=name_rows(page, over),
    )
    return f"{told} {describe_released(page, way, over)}" if over and way in GATED else told


def describe_released(page: Page, way: Way, rows: Sequence[pd.Series]) -> str:
    """What share of the estimates behind some numbers the gates let through, if there are gates."""
    if way not in GATED:
        return page.say("truth_study.ungated")
    share = count_released(pd.DataFrame(rows))[0]
    if not share:
        return page.say("truth_study.released_none")
    return page.say("truth_study.released_some", share=page.formats.percent(share))
