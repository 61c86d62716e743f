"""Are the weighted arms alike: standardised mean differences over time, and who could start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.trial_data import Trial

Floats = npt.NDArray[np.float64]

ARMS = ("start", "no_start")
# A weight's square is still a number up to about here; no clone stands for so many.
ENDLESS = 1e150
AGAINST_EACH_OTHER = "start_less_no_start"


def measure_balance(weighted: WeightedTrial, at_days: Sequence[int]) -> pd.DataFrame:
    """Standardised mean differences of every baseline column, before and after weighting.

    Day 0 (at its end, when what starts on it has started), the last day of the grace time and
    `at_days` are measured: among those followed past the day, each arm less the whole cohort, and
    start less no start. Units: the column's standard deviation in the whole cohort on day 0. After
    the grace time the weights are constant; arms may part again where the measure works, for it
    changes who is left. Under the natural law start clones that have not started yet are in their
    arm during the grace time.

    Returns:
        A row per day, column and comparison: time_days, column, comparison (start, no_start: less
        the cohort; start_less_no_start), unweighted, weighted (standardised differences; null where
        an arm has nobody left, or a weight no end: the model of a start could not be fitted).
    """
    trial = weighted.trial
    spread = _spread(trial, np.ones(trial.n_entries))
    parts = []
    for day in sorted({0, trial.grace_days, *at_days}):
        followed = (trial.people.stop > day).astype(np.float64)
        cohort = _mean(trial, followed)
        weights = weighted.weights_on(day)
        after = [_mean(trial, weights[:, arm]) for arm in range(2)]
        before = [_mean(trial, (weights[:, arm] > 0).astype(float)) for arm in range(2)]
        for name, pick in (("weighted", after), ("unweighted", before)):
            gaps = (pick[0] - cohort, pick[1] - cohort, pick[0] - pick[1])
            for comparison, gap in zip((*ARMS, AGAINST_EACH_OTHER), gaps, strict=True):
                parts.append(_rows(trial, day, comparison, name, gap / spread))
    long = pd.concat(parts, ignore_index=True)
    keys = ["time_days", "column", "comparison"]
    wide = long.pivot_table(index=keys, columns="kind", values="value", sort=False, dropna=False)
    return wide.reindex(columns=["unweighted", "weighted"]).rename_axis(columns=None).reset_index()


def _rows(trial: Trial, day: int, comparison: str, kind: str, values: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {"time_days": day, "column": list(trial.names), "comparison": comparison, "kind": kind,
         "value": values}
    )  # fmt: skip


def _sum_columns(trial: Trial, weight: Floats, power: int = 1) -> Floats:
    """Weighted sums of the base columns (numbers less their centre), or of their squares."""
    columns = trial.columns
    by_row = np.bincount(trial.people.row, weight, minlength=len(columns.pointers) - 1)
    amounts = np.repeat(by_row, np.diff(columns.pointers)) * columns.values**power
    sums = np.bincount(columns.indices, amounts, minlength=len(trial.names))
    return sums.astype(np.float64)


def _mean(trial: Trial, weight: Floats) -> Floats:
    total = weight.sum()
    # of weights without end there is no mean
    if not 0 < total < np.inf:
        return np.full(len(trial.names), np.nan)
    mean: Floats = _sum_columns(trial, weight) / total
    return mean


def _spread(trial: Trial, weight: Floats) -> Floats:
    mean = _mean(trial, weight)
    variance = _sum_columns(trial, weight, 2) / weight.sum() - mean**2
    return np.where(variance > 0, np.sqrt(np.maximum(variance, 0.0)), np.inf)


def count_effective(weights: Floats) -> float:
    """Kish's effective number, (sum w)^2 / sum w^2: 0 of nothing, null where a weight has no end.

    >>> count_effective(np.array([1.0, 1.0, 0.0])), count_effective(np.array([1.0, np.inf]))
    (2.0, nan)
    """
    largest = float(weights.max(initial=0.0))
    if not largest < ENDLESS:
        return float("nan")
    return float(weights.sum() ** 2 / (weights**2).sum()) if largest > 0 else 0.0


def summarise_positivity(weighted: WeightedTrial) -> pd.DataFrame:
    """Could people of every kind start, and not start, within the grace time.

    The fitted chance of a start within the grace time given the baseline covariates (the changing
    ones as on day 0, were they to stay so), for everybody and among the entries with each baseline
    column not 0. Common support runs from the larger of the least chances among starters and
    others to the smaller of the largest.

    Returns:
        A row for everybody (column empty) and for each indicator column: column, n_people,
        n_started, least, largest (fitted chance), share_outside (of the common support of
        everybody).
    """
    trial = weighted.trial
    chance = fit_chances(weighted)
    is_started = trial.is_started
    low = max(chance[is_started].min(), chance[~is_started].min())
    high = min(chance[is_started].max(), chance[~is_started].max())
    # fitted numbers of people alike differ by rounding
    is_outside = (chance < low - 1e-12) | (chance > high + 1e-12)
    groups = [("", np.ones(trial.n_entries, bool)), *_groups(trial)]
    return pd.DataFrame([
        {"column": name, "n_people": int(mine.sum()), "n_started": int(is_started[mine].sum()),
         "least": chance[mine].min(), "largest": chance[mine].max(),
         "share_outside": is_outside[mine].mean()}
        for name, mine in groups
    ])  # fmt: skip


def fit_chances(weighted: WeightedTrial) -> Floats:
    """Each entry's fitted chance of a start within the grace time, were it followed so long."""
    trial, daily = weighted.trial, weighted.daily
    people = trial.people
    pattern = people.segment_pattern[people.first_segment[:-1]].astype(np.int64)
    days_in = np.bincount(trial.interval)
    odds = daily.odds.rows[people.row]
    stays = np.zeros(trial.n_entries)
    for k, n_days in enumerate(days_in):
        stays -= n_days * np.log1p(odds * daily.odds.cells[pattern * len(days_in) + k])
    return -np.expm1(stays)


def _groups(trial: Trial) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """Entries with each indicator column 1; numbers are left out (a cell in every row)."""
    columns = trial.columns
    row_of = np.repeat(np.arange(len(columns.pointers) - 1), np.diff(columns.pointers))
    found = []
    for k, name in enumerate(trial.names):
        cells = columns.indices == k
        if set(np.unique(columns.values[cells])) == {1.0}:
            is_row = np.zeros(len(columns.pointers) - 1, bool)
            is_row[row_of[cells]] = True
            found.append((name, is_row[trial.people.row]))
    return found


def standardise_gaps(trial: Trial, weight: Floats, against: Floats) -> Floats:
    """Weighted means of the base columns less those by the weights `against`, standardised.

    In the columns' standard deviations in the whole cohort on day 0; 0 where a column has none.
    """
    gaps: Floats = (_mean(trial, weight) - _mean(trial, against)) / _spread(
        trial, np.ones(trial.n_entries)
    )
    return gaps
