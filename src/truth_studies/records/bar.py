"""The bar of the truth study: which numbers are inside it, which miss it by more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from revictimisation.estimators.intervals import normal_quantile, wilson_interval
from truth_studies.records.truth import DIFFERENCE, LOG_RATIO, NULL

MOST_BIAS = 0.1  # of an estimator's own standard error
BAND = (0.93, 0.97)
ALLOWED_CALLS = 0.05
CONTRASTS = (DIFFERENCE, LOG_RATIO, "rmst_difference_days")
INSIDE, UNSURE, MISSED = "inside", "unsure", "missed"
BIAS, COVERAGE, SIGNIFICANCE = "bias", "coverage", "called"


@dataclass(frozen=True)
class Tally:
    """Numbers inside the bar, outside it by no more than chance explains, and beyond."""

    n_inside: int
    n_unsure: int
    n_missed: int


def find_share_interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share in `n` counties (1927); of none, 0 to 1.

    >>> [round(end, 3) for end in find_share_interval(0.95, 200)]
    [0.91, 0.973]
    """
    if n < 1 or math.isnan(share):
        return 0.0, 1.0
    low, high = wilson_interval(share * n, n)
    return float(low), float(high)


def find_bias_interval(row: pd.Series) -> tuple[float, float, float]:
    """Bias in the estimator's own empirical errors, with its 95 % Monte Carlo interval.

    The truth's own Monte Carlo error is in it. All missing where the spread is nothing or unknown.
    """
    bias, spread = float(row["bias_in_errors"]), float(row["empirical_error"])
    if math.isnan(bias) or not spread > 0:
        return math.nan, math.nan, math.nan
    half = normal_quantile() * math.hypot(float(row["bias_mc"]), float(row["truth_error"])) / spread
    return bias, bias - half, bias + half


def _judge_bias(row: pd.Series) -> str:
    bias, low, high = find_bias_interval(row)
    if math.isnan(bias) or abs(bias) <= MOST_BIAS:
        return INSIDE
    return MISSED if low > MOST_BIAS or high < -MOST_BIAS else UNSURE


def _judge_coverage(row: pd.Series) -> str:
    share = float(row["coverage"])
    if math.isnan(share) or BAND[0] <= share <= BAND[1]:
        return INSIDE
    least, most = find_share_interval(share, int(row["n_counties"]))
    return MISSED if most < BAND[0] or least > BAND[1] else UNSURE


def _judge_called(row: pd.Series) -> str:
    share = float(row["rejection_rate"])
    if math.isnan(share) or share <= ALLOWED_CALLS:
        return INSIDE
    least, _ = find_share_interval(share, int(row["n_counties"]))
    return MISSED if least > ALLOWED_CALLS else UNSURE


JUDGES: dict[str, Callable[[pd.Series], str]] = {
    BIAS: _judge_bias, COVERAGE: _judge_coverage, SIGNIFICANCE: _judge_called,
}  # fmt: skip


def list_parts(row: pd.Series) -> tuple[str, ...]:
    """What a row is held to: where nothing works, how often a contrast is called an effect."""
    is_null = row["scenario"] == NULL and row["estimand"] in CONTRASTS
    return (BIAS, SIGNIFICANCE if is_null else COVERAGE)


def find_faults(row: pd.Series, verdict: str = MISSED) -> list[str]:
    """Which parts of the bar a row misses by more than Monte Carlo error, or has that verdict."""
    return [part for part in list_parts(row) if JUDGES[part](row) == verdict]


def judge_row(row: pd.Series) -> str:
    """`inside`, `unsure` (outside, by no more than Monte Carlo error explains) or `missed`."""
    if find_faults(row):
        return MISSED
    return UNSURE if find_faults(row, UNSURE) else INSIDE


def list_missed(rows: pd.DataFrame, part: str = "") -> list[pd.Series]:
    """The rows that miss the bar, or that part of it."""
    every = [row for _, row in rows.iterrows()]
    if part:
        return [row for row in every if part in find_faults(row)]
    return [row for row in every if find_faults(row)]


def tally(rows: pd.DataFrame) -> Tally:
    """How many rows are inside the bar, perhaps outside, and beyond."""
    found = [judge_row(row) for _, row in rows.iterrows()]
    return Tally(*(found.count(one) for one in (INSIDE, UNSURE, MISSED)))


def list_released(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that the gates let through in any county."""
    return rows[rows["n_released"].gt(0)] if len(rows) else rows


def list_effects(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows let through whose truth is a difference: how often it is called is their power."""
    found = list_released(rows)
    return found[found["truth"].ne(0)] if len(found) else found


def count_surely_inside(rows: pd.DataFrame) -> int:
    """How many rows have a bias whose whole Monte Carlo interval lies within what is allowed."""
    ends = [find_bias_interval(row) for _, row in rows.iterrows()]
    return sum(low >= -MOST_BIAS and high <= MOST_BIAS for _, low, high in ends)


def count_released(rows: pd.DataFrame) -> tuple[float | None, float | None]:
    """The share of estimates that the gates let through, and the coverage among those.

    None where there is nothing to take a share of.
    """
    if rows.empty:
        return None, None
    n_all, n_released = rows["n_counties"].sum(), rows["n_released"].sum()
    if not n_released:
        return 0.0, None
    held = (rows["coverage_released"] * rows["n_released"]).sum()
    return float(n_released / n_all), float(held / n_released)
