"""The kept truth study as the pages read it: how far estimators lie from a known truth.

The table comes with the package (`benchmarks/truth_study.py` makes it); a row is an estimator,
analysis, measure, estimand and day in a scenario. It may hold less than a whole study: whatever is
asked for and is not there is empty or missing, never an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from revictimisation import files

CALIBRATED, NULL = "calibrated", "null"
DEPARTURES = ("unmeasured", "reporting", "positivity")
SCENARIOS = (CALIBRATED, NULL, *DEPARTURES)
# intervals that all scenarios have; else whatever kind stands first
INTERVALS = "influence"
DIFFERENCE, LOG_RATIO = "risk_difference", "log_hazard_ratio"
Z95 = 1.959963984540054
MOST_BIAS = 0.1  # of an estimator's own standard error
BAND = (0.93, 0.97)
ALLOWED_CALLS = 0.05


@dataclass(frozen=True)
class Way:
    """A way to estimate: its estimator and analysis."""

    estimator: str
    analysis: str = "main"


MAIN, FORCE = Way("clone_censor_weight"), Way("cox_time_varying")
CRUDE, UNADJUSTED = Way("crude"), Way("cox_time_varying", "unadjusted")
ROBUST, FORMULA, ORACLE = Way("doubly_robust"), Way("g_formula"), Way("oracle")
ESTIMAND = {FORCE: LOG_RATIO, UNADJUSTED: LOG_RATIO}


@dataclass(frozen=True)
class TruthStudy:
    """The table, where it comes from, and what reports hide of the crime (`reporting`)."""

    table: pd.DataFrame
    provenance: Mapping[str, Any] = field(default_factory=dict)
    crime_gap: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.table.empty

    @property
    def scenarios(self) -> list[str]:
        """The scenarios that are there, the known ones first."""
        there = [] if self.is_empty else list(dict.fromkeys(self.table["scenario"]))
        known = [one for one in SCENARIOS if one in there]
        return [*known, *(one for one in there if one not in SCENARIOS)]

    @property
    def last_day(self) -> int | None:
        """The longest of the days at which risks were asked for."""
        if self.is_empty or self.table["time_days"].isna().all():
            return None
        return int(self.table["time_days"].max())

    def rows(self, scenario: str, way: Way, *, is_last: bool = False) -> pd.DataFrame:
        """A way's rows of its main estimand, by measure; `is_last`: at the longest day only."""
        if self.is_empty:
            return self.table
        mine = self.table[self.table["scenario"].eq(scenario)]
        kinds = list(dict.fromkeys(mine["intervals"]))
        kind = INTERVALS if INTERVALS in kinds else next(iter(kinds), "")
        estimand = ESTIMAND.get(way, DIFFERENCE)
        found = mine[
            mine["intervals"].eq(kind)
            & mine["estimator"].eq(way.estimator)
            & mine["analysis"].eq(way.analysis)
            & mine["estimand"].eq(estimand)
        ]
        if is_last and estimand == DIFFERENCE:
            found = found[found["time_days"].eq(self.last_day or 0)]
        return found

    def one(self, scenario: str, way: Way, measure: str) -> pd.Series | None:
        """A measure's row at the longest day; None if it is not there."""
        found = self.rows(scenario, way, is_last=True)
        found = found[found["measure"].eq(measure)] if len(found) else found
        return found.iloc[0] if len(found) else None

    def measures(self, scenario: str, way: Way) -> list[str]:
        """The measures a way has a row for, in the table's order."""
        found = self.rows(scenario, way)
        return list(dict.fromkeys(found["measure"])) if len(found) else []


def read_truth_study(folder: Path | None = None) -> TruthStudy:
    """Read what is kept in the package, or in another folder; empty where there is none."""
    place = folder or files.package_file("simulate", "truth_study")
    path = place / "table.csv"
    if not path.is_file():
        return TruthStudy(pd.DataFrame())
    table = pd.read_csv(StringIO(files.read_text(path)), keep_default_na=False, na_values=[""])
    provenance = files.read_json(place / "provenance.json") or {}
    return TruthStudy(table, provenance, read_crime_gap())


def read_crime_gap() -> dict[str, float]:
    """In `reporting`: effect on crimes less effect on reports, by measure, at the longest day."""
    path = files.package_file("simulate", "truth_data", "reporting.csv")
    if not path.is_file():
        return {}
    truth = pd.read_csv(StringIO(files.read_text(path)), keep_default_na=False, na_values=[""])
    whole = truth[truth["subgroup"].isna() & truth["measure"].notna()]
    last = whole[whole["time_days"].eq(whole["time_days"].max())]
    wide = last.pivot(index="measure", columns="estimand", values="value")
    if f"crime_{DIFFERENCE}" not in wide:
        return {}
    gap = wide[f"crime_{DIFFERENCE}"] - wide[DIFFERENCE]
    return {str(name): float(value) for name, value in gap.dropna().items()}


def find_share_interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share in `n` counties (1927); of none, 0 to 1.

    >>> [round(end, 3) for end in find_share_interval(0.95, 200)]
    [0.91, 0.973]
    """
    if n < 1 or math.isnan(share):
        return 0.0, 1.0
    square = Z95**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def find_bias_interval(row: pd.Series) -> tuple[float, float, float]:
    """Bias in the estimator's own empirical errors, with its 95 % Monte Carlo interval.

    The truth's own Monte Carlo error is in it.
    """
    bias, spread = float(row["bias_in_errors"]), float(row["empirical_error"])
    half = Z95 * math.hypot(float(row["bias_mc"]), float(row["truth_error"])) / spread
    return bias, bias - half, bias + half


def find_faults(row: pd.Series) -> list[str]:
    """Which parts of the bar a row misses by more than Monte Carlo error: `bias`, `coverage`."""
    bias, low, high = find_bias_interval(row)
    least, most = find_share_interval(float(row["coverage"]), int(row["n_counties"]))
    is_biased = not math.isnan(bias) and (low > MOST_BIAS or high < -MOST_BIAS)
    is_off = most < BAND[0] or least > BAND[1]
    return [name for name, is_so in (("bias", is_biased), ("coverage", is_off)) if is_so]


def find_ratio(row: pd.Series, best: pd.Series) -> tuple[float, float, float] | None:
    """Root mean squared error over the oracle's, with a 95 % Monte Carlo interval.

    The interval takes both errors as independent, which makes it too wide: they share counties.
    """
    mine, other = float(row["rmse"]), float(best["rmse"])
    if not (mine > 0 and other > 0):
        return None
    ratio = mine / other
    half = Z95 * math.hypot(float(row["rmse_mc"]) / mine, float(best["rmse_mc"]) / other)
    return ratio, ratio * math.exp(-half), ratio * math.exp(half)


def count_released(rows: pd.DataFrame) -> tuple[float, float | None]:
    """The share of numbers that the gates let through, and the coverage among those."""
    n_all, n_released = rows["n_counties"].sum(), rows["n_released"].sum()
    if not n_released:
        return 0.0, None
    held = (rows["coverage_released"] * rows["n_released"]).sum()
    return float(n_released / n_all), float(held / n_released)
