"""For authors and researchers only, in English: estimates beside the truth of a synthetic county.

It reads exact (`restricted`) numbers and `truth.csv`, so it is never part of the site.
"""

from __future__ import annotations

import math

import pandas as pd

from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.core.results import choose
from revictimisation.report.described import Dots, DotSeries, Piece, Point, Scale, Table
from revictimisation.report.page import Page
from revictimisation.report.release import list_rows
from revictimisation.report.verdicts import name_measure

# where effects differ between people, one coefficient a measure has a limit of its own
ESTIMANDS = ("log_hazard_ratio_limit", "log_hazard_ratio")
TICKS = (-1.5, -1.0, -0.5, 0.0, 0.5)


def read_truth(data: str) -> pd.DataFrame:
    """The truth written by `simulate`: measure, subgroup, level, estimand, time_days, value.

    Raises `UsageError` if the extract has none: then it was not simulated.
    """
    path = files.find_upwards(data) / "truth.csv"
    if not path.is_file():
        raise UsageError(f"There is no truth.csv in {data}: only a simulated extract has a truth.")
    head, *lines = files.read_text(path).splitlines()
    rows = [line.split(",") for line in lines]
    truth = pd.DataFrame(rows, columns=head.split(","))
    return truth.assign(
        value=pd.to_numeric(truth["value"]), time_days=pd.to_numeric(truth["time_days"])
    )


def read_restricted(out: str) -> pd.DataFrame:
    """The exact estimates, which never leave the secure room."""
    path = files.find_upwards(out) / "restricted" / "estimates.parquet"
    if not path.is_file():
        raise UsageError(f"There are no exact estimates in {out}.")
    return files.read_table(path)


def compare_ratios(page: Page, estimates: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """A row per measure: truth, adjusted log hazard ratio with interval, ever against never.

    `z` is the distance from the truth in standard errors, `is_covered` whether the interval holds
    it; `crude` is the log risk ratio of ever against never by the last of the study's days. A
    measure without a truth of its own (the effect differs between people and no limit is given)
    has a missing `truth`.
    """
    q2 = choose(estimates, question="q2", analysis="main").set_index("measure")
    adjusted = choose(q2, estimator="cox_time_varying", estimand="log_hazard_ratio")
    adjusted = adjusted.reindex(list(page.plan.measure_names))
    crude = choose(q2, estimator="crude", estimand="risk_ratio", time_days=page.last_day)
    table = adjusted[["estimate", "ci_low", "ci_high", "se"]].copy()
    table.insert(0, "truth", list_truths(truth).reindex(table.index))
    table["z"] = (table["estimate"] - table["truth"]) / table["se"]
    table["is_covered"] = table["truth"].between(table["ci_low"], table["ci_high"])
    table["crude"] = crude["estimate"].map(_log).reindex(table.index)
    return table


def _log(ratio: float) -> float:
    return math.log(ratio) if ratio > 0 else math.nan


def list_truths(truth: pd.DataFrame) -> pd.Series[float]:
    """The true log hazard ratio of each measure, as what one coefficient estimates."""
    whole = truth[truth["subgroup"] == ""]
    found = [whole[whole["estimand"] == name].set_index("measure")["value"] for name in ESTIMANDS]
    return found[0].combine_first(found[1])


def show_comparison(page: Page, table: pd.DataFrame) -> Piece:
    """Truth, adjusted and crude on one axis, with the numbers as a table."""
    names = [name_measure(page, measure) for measure in table.index]
    series = [
        DotSeries("adjusted", _points(table, "estimate", "ci_low", "ci_high")),
        DotSeries("ever against never", _points(table, "crude")),
        DotSeries("truth", _points(table, "truth"), is_filled=False),
    ]
    axis = "log hazard ratio (ever against never: log risk ratio)"
    scale = Scale(page.formats.way("decimal", 1), TICKS, axis, reference=0.0)
    picture = Dots(names, series, scale)
    shown = ["truth", "estimate", "ci_low", "ci_high", "z", "crude"]
    rows = [
        [name, *(_write(page, row[column]) for column in shown), _describe_covered(row)]
        for name, (_, row) in zip(names, table.iterrows(), strict=True)
    ]
    heads = ["measure", *shown, "covered"]
    grid = Table("Log hazard ratios beside their truth", heads, rows)
    told = describe_coverage(table)
    return page.figure(picture, told, told, grid)


def _describe_covered(row: pd.Series) -> str:
    if pd.isna(row["truth"]) or pd.isna(row["estimate"]):
        return "–"
    return "yes" if row["is_covered"] else "no"


def _points(table: pd.DataFrame, *columns: str) -> list[Point | None]:
    points: list[Point | None] = []
    for values in table[list(columns)].itertuples(index=False):
        low, high = (values[1], values[2]) if len(values) > 1 else (None, None)
        points.append(None if pd.isna(values[0]) else (float(values[0]), low, high))
    return points


def _write(page: Page, value: float) -> str:
    return "–" if pd.isna(value) else page.formats.decimal(value, 2)


def describe_coverage(table: pd.DataFrame) -> str:
    """How many adjusted intervals hold the truth, and how many crude ratios point the wrong way."""
    known = table.dropna(subset=["truth", "estimate"])
    covered = int(known["is_covered"].sum())
    is_harmless = known["truth"] <= 0
    wrong = int((is_harmless & (known["crude"] > 0)).sum())
    return (
        f"{covered} of {len(known)} adjusted intervals (95%) hold the truth. Ever against never"
        f" makes {wrong} of {int(is_harmless.sum())} measures that do no harm look harmful."
    )


def show_incidence(page: Page, estimates: pd.DataFrame, truth: pd.DataFrame) -> Piece:
    """The share with a new report at the study's days, beside its truth."""
    whole = choose(truth, estimand="cumulative_incidence", subgroup="")
    known = whole.set_index("time_days")["value"]
    keys = {"estimator": "aalen_johansen", "outcome": page.plan.outcome.who}
    chosen = choose(estimates, analysis="main", subgroup="", **keys)
    rows = []
    for row in list_rows(chosen.dropna(subset=["estimate"])):
        true = known.get(float(row.time_days))
        told = "–" if true is None else page.formats.percent(float(true))
        interval = page.formats.percent_range(row.ci_low, row.ci_high)
        estimate = page.formats.percent(row.estimate)
        rows.append([page.formats.period(int(row.time_days)), told, estimate, interval])
    heads = ["time", "truth", "estimate", "95% interval"]
    return Table("Share with a new report against the same suspect", heads, rows)
