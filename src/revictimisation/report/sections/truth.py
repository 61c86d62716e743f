"""Notebook 5: what the truth study says in words, and where the methods fail.

Every sentence is computed from the kept table; what is not there is not told.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from revictimisation.report.markup import Html, join, render_prose
from revictimisation.report.page import Page
from revictimisation.report.texts import load_texts
from revictimisation.report.truth_study import (
    ALLOWED_CALLS,
    BAND,
    CALIBRATED,
    CRUDE,
    DEPARTURES,
    FORCE,
    FORMULA,
    MAIN,
    MOST_BIAS,
    NULL,
    ROBUST,
    UNADJUSTED,
    TruthStudy,
    Way,
    count_released,
    find_faults,
)
from revictimisation.report.verdicts import name_measure

ENOUGH_COUNTIES = 200


def name_way(page: Page, estimator: str, analysis: str = "main") -> str:
    """A way to estimate as it is called here; one the texts do not know by its code's label."""
    key = f"truth_study.way_{estimator}_{analysis}"
    if key in load_texts():
        return page.say(key)
    name = page.labels.code("estimator", estimator).replace("_", " ")
    return name if analysis == "main" else f"{name}, {analysis.replace('_', ' ')}"


def name_scenario(page: Page, scenario: str) -> str:
    """A scenario in a few words."""
    key = f"truth_study.scenario_{scenario}"
    return page.say(key) if key in load_texts() else scenario.replace("_", " ")


def show_answer(page: Page, study: TruthStudy) -> Html:
    """What was done and found in a few sentences, and where it fails; one sentence if nothing."""
    if study.is_empty:
        return page.text("truth_study.none")
    done = " ".join([*_tell_done(page, study), *_tell_precision(page, study)])
    held = [*_tell_ways(page, study, (MAIN, FORCE)), *_tell_bootstrap(page, study),
            *_tell_null(page, study), *_tell_gates(page, study)]  # fmt: skip
    naive = _tell_ways(page, study, (CRUDE, UNADJUSTED))
    failing = [*_tell_misses(page, study), *_tell_ways(page, study, (FORMULA, ROBUST)),
               *_tell_departures(page, study)]  # fmt: skip
    parts = [render_prose(done)]
    for key, told in (("held", held), ("naive", naive), ("failing", failing)):
        if told:
            parts += [page.heading(f"truth_study.{key}", level=2), _list(told)]
    return join(parts)


def _list(told: Sequence[str]) -> Html:
    return render_prose("\n".join(f"- {one}" for one in told))


def _tell_done(page: Page, study: TruthStudy) -> list[str]:
    """How many counties of how many people were made for each scenario."""
    told = [page.say("truth_study.done")]
    runs = [run for run in study.provenance.get("runs", []) if run["scenario"] in study.scenarios]
    main = [run for run in runs if not str(run.get("intervals", "")).startswith("bootstrap")]
    sizes = [
        page.say(
            "truth_study.run",
            scenario=name_scenario(page, run["scenario"]),
            n=page.formats.count(run["n_counties"]),
            people=page.formats.count(run["people_per_county"]),
        )
        for run in main or runs
    ]
    return [*told, page.say("truth_study.runs", runs="; ".join(sizes))] if sizes else told


def _tell_precision(page: Page, study: TruthStudy) -> list[str]:
    """How much of what follows is chance: the Monte Carlo error of a bias and of a coverage."""
    n = int(study.table["n_counties"].min())
    given = {
        "bias": page.formats.decimal(1 / n**0.5, 2),
        "coverage": page.formats.decimal(100 * (0.95 * 0.05 / n) ** 0.5, 1),
        "n": page.formats.count(n),
        "enough": page.formats.count(ENOUGH_COUNTIES),
    }
    told = [page.say("truth_study.precision", **given)]
    return told if n >= ENOUGH_COUNTIES else [*told, page.say("truth_study.too_few", **given)]


def _describe(page: Page, rows: pd.DataFrame) -> dict[str, str] | None:
    """Largest bias in errors and where, least and most coverage; None if there are no rows."""
    known = rows.dropna(subset=["bias_in_errors", "coverage"]) if len(rows) else rows
    if known.empty:
        return None
    worst = known.iloc[int(known["bias_in_errors"].abs().argmax())]
    return {
        "bias": page.formats.decimal(abs(worst["bias_in_errors"]), 2),
        "where": name_row(page, worst),
        "low": page.formats.percent(known["coverage"].min()),
        "high": page.formats.percent(known["coverage"].max()),
        "n_all": page.formats.count(len(known)),
        "n_missed": page.formats.count(sum(bool(find_faults(row)) for _, row in known.iterrows())),
    }


def name_row(page: Page, row: pd.Series) -> str:
    """A row's measure, with its day where it has one."""
    name = name_measure(page, row["measure"])
    if pd.isna(row["time_days"]):
        return name
    return f"{name}, {page.formats.period(int(row['time_days']))}"


def _tell_ways(page: Page, study: TruthStudy, ways: Sequence[Way]) -> list[str]:
    told = []
    for way in ways:
        found = _describe(page, study.rows(CALIBRATED, way))
        if found:
            name = name_way(page, way.estimator, way.analysis)
            told.append(page.say("truth_study.tells", way=name, **found))
    return told


def _tell_bootstrap(page: Page, study: TruthStudy) -> list[str]:
    """Coverage of the main estimator's bootstrap intervals where they were tried as well."""
    mine = study.table[study.table["scenario"].eq(CALIBRATED)]
    told = []
    for kind in dict.fromkeys(mine["intervals"]):
        if not str(kind).startswith("bootstrap"):
            continue
        other = TruthStudy(mine[mine["intervals"].eq(kind)])
        found = _describe(page, other.rows(CALIBRATED, MAIN))
        if found:
            n = page.formats.count(other.table["n_counties"].max())
            replicates = str(kind).removeprefix("bootstrap")
            found = {**found, "n": n, "replicates": replicates}
            told.append(page.say("truth_study.bootstrap", **found))
    return told


def _tell_null(page: Page, study: TruthStudy) -> list[str]:
    """How often something is called an effect where nothing works."""
    told = []
    for way in (MAIN, FORCE, CRUDE, UNADJUSTED):
        rows = study.rows(NULL, way)
        rows = rows.dropna(subset="share_called") if len(rows) else rows
        if len(rows):
            worst = rows.iloc[int(rows["share_called"].argmax())]
            told.append(page.say(
                "truth_study.calls",
                way=name_way(page, way.estimator, way.analysis),
                mean=page.formats.percent(rows["share_called"].mean()),
                most=page.formats.percent(worst["share_called"]),
                where=name_row(page, worst),
            ))  # fmt: skip
    return [page.say("truth_study.called", calls="; ".join(told))] if told else []


def _tell_gates(page: Page, study: TruthStudy) -> list[str]:
    """What share of the main numbers the gates let through, and how those did."""
    rows = study.rows(CALIBRATED, MAIN)
    if rows.empty:
        return []
    share, coverage = count_released(rows)
    if coverage is None:
        return [page.say("truth_study.gates_none")]
    given = {"share": page.formats.percent(share), "coverage": page.formats.percent(coverage)}
    return [page.say("truth_study.gates", **given)]


def _tell_misses(page: Page, study: TruthStudy) -> list[str]:
    """Every number of the two main ways that misses the bar by more than chance, or that none."""
    told = []
    bar = {
        "most": page.formats.decimal(MOST_BIAS, 1),
        "band": page.formats.percent_range(*BAND, digits=0),
    }
    for way in (MAIN, FORCE):
        rows = study.rows(CALIBRATED, way)
        if rows.empty:
            continue
        missed = [row for _, row in rows.iterrows() if find_faults(row)]
        given = {"way": name_way(page, way.estimator, way.analysis), **bar,
                 "n_all": page.formats.count(len(rows)),
                 "n_missed": page.formats.count(len(missed)),
                 "missed": "; ".join(_tell_miss(page, row) for row in missed)}  # fmt: skip
        told.append(page.say(f"truth_study.{'misses' if missed else 'misses_none'}", **given))
    return told


def _tell_miss(page: Page, row: pd.Series) -> str:
    return page.say(
        "truth_study.miss",
        where=name_row(page, row),
        bias=page.formats.decimal(row["bias_in_errors"], 2),
        coverage=page.formats.percent(row["coverage"]),
    )


def _tell_departures(page: Page, study: TruthStudy) -> list[str]:
    """How the main estimator does where what it supposes does not hold."""
    told = []
    for scenario in DEPARTURES:
        rows = study.rows(scenario, MAIN)
        found = _describe(page, rows)
        if found:
            found["share"] = page.formats.percent(count_released(rows)[0])
            name = name_scenario(page, scenario)
            told.append(page.say("truth_study.departs", scenario=name, **found))
    if study.crime_gap and "reporting" in study.scenarios:
        measure, gap = max(study.crime_gap.items(), key=lambda one: abs(one[1]))
        points, where = page.formats.decimal(abs(gap) * 100, 1), name_measure(page, measure)
        told.append(page.say("truth_study.crime", points=points, where=where))
    return told


def tell_allowed(page: Page) -> str:
    """The share of calls that chance alone may give."""
    return page.formats.percent(ALLOWED_CALLS, 0)
