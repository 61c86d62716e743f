"""Are the weighted arms alike: standardised mean differences over time, and who could start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.trial_data import Trial

ARMS = ("start", "no_start")
# A weight's square is still a number up to about here; no clone stands for so many.
ENDLESS = 1e150
COMPARISONS = (*ARMS, "start_less_no_start")


def measure_balance(weighted: WeightedTrial, at_days: Sequence[int]) -> pd.DataFrame:
    """Standardised mean differences of every baseline column, before and after weighting.

    Day 0 (at its end, when what starts on it has started), the last day of the grace time and
    `at_days` are measured: among those followed past the day, each arm less the whole cohort (all
    by what they count in the population asked about), and start less no start. Calibrated weights
    up to the end of the grace time: of all, by their last weight until then, which is what they
    were made alike by (`tilting`). Units: the column's standard deviation in the whole cohort on
    day 0. After the grace time the weights are constant; arms may part again where the measure
    works, for it changes who is left. Under the natural law start clones that have not started yet
    are in their arm during the grace time.

    Returns:
        A row per day, column and comparison: time_days, column, comparison (start, no_start: less
        the cohort; start_less_no_start), unweighted, weighted (standardised differences; null where
        an arm has nobody left, or a weight no end: the model of a start could not be fitted).
    """
    trial = weighted.trial
    spread = measure_spread(trial)
    parts = []
    for day in sorted({0, trial.grace_days, *at_days}):
        is_there, weights = trial.people.stop > day, weighted.weights_on(day)
        if weighted.tilt is not None and day <= trial.grace_days:
            is_there, weights = np.ones(trial.n_entries, np.bool_), weighted.weights_by(day)
        everybody = [is_there * weighted.population_weights, weights, weights > 0]
        cohort, *means = average_columns(trial, np.column_stack(everybody).astype(np.float64))
        gaps = [
            np.array([start - cohort, other - cohort, start - other]) / spread
            for start, other in (means[2:], means[:2])
        ]
        named = {
            "time_days": day,
            "column": np.repeat(np.array(trial.names, object), len(COMPARISONS)),
            "comparison": COMPARISONS * len(trial.names),
        }
        unweighted, weighted_gaps = (gap.T.reshape(-1) for gap in gaps)
        parts.append(pd.DataFrame({**named, "unweighted": unweighted, "weighted": weighted_gaps}))
    return pd.concat(parts, ignore_index=True)


def measure_shares(weights: Floats, codes: Whole, n_levels: int) -> Floats:
    """The weighted share of each level, a row for each column of weights.

    codes: each entry's place among the levels. Null where nobody has a weight.
    """
    sums = np.array([np.bincount(codes, mine, n_levels) for mine in weights.T])
    total = sums.sum(axis=1, keepdims=True)
    return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)


def average_columns(trial: Trial, weights: Floats, power: int = 1) -> Floats:
    """Weighted means of the base columns or of their squares, a row for each column of weights.

    Numbers are less their centre. NaN of nobody, and of weights without end.
    """
    table = trial.matrix if power == 1 else trial.matrix.power(power)
    rows, total = trial.people.row, weights.sum(axis=0)
    by_row = np.column_stack([np.bincount(rows, one, table.shape[0]) for one in weights.T])
    sums = np.asarray(table.T @ by_row).T
    has_mean = (total > 0) & (total < np.inf)
    means: Floats = np.where(has_mean, sums.T, np.nan).T / np.where(has_mean, total, 1.0)[:, None]
    return means


def measure_spread(trial: Trial) -> Floats:
    """Standard deviations of the columns in the whole cohort; infinite where one has none."""
    everybody = np.ones((trial.n_entries, 1))
    mean, squares = (average_columns(trial, everybody, power)[0] for power in (1, 2))
    variance = squares - mean**2
    return np.where(variance > 0, np.sqrt(np.maximum(variance, 0.0)), np.inf)


def count_effective(weights: Floats) -> Floats:
    """Kish's effective number, (sum w)^2 / sum w^2, over the first axis.

    0 of nothing, null where a weight has no end.

    >>> count_effective(np.array([[1.0, 1.0, 0.0], [1.0, np.inf, 0.0]]))
    array([ 2., nan,  0.])
    """
    ending = np.where(weights < ENDLESS, weights, np.nan)
    total, squares = ending.sum(axis=0), np.square(ending).sum(axis=0)
    return np.divide(total**2, squares, out=np.zeros_like(total), where=squares != 0)


def read_weights_at(weighted: WeightedTrial, at_days: Sequence[int]) -> list[Floats]:
    """Weights (entries x arms) of those at risk on each of the days."""
    return [weighted.weights_on(max(day - 1, 0)) for day in at_days]


def count_effective_at(weighted: WeightedTrial, at_days: Sequence[int]) -> Floats:
    """Effective number of clones at risk on each day, arms x days."""
    return count_effective(np.stack(read_weights_at(weighted, at_days), axis=2))


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
    chance, is_started = fit_chances(weighted), trial.is_started
    is_outside = outside_common_support(chance, is_started)
    groups = [("", np.ones(trial.n_entries, bool)), *_groups(trial)]
    return pd.DataFrame([
        {"column": name, "n_people": int(mine.sum()), "n_started": int(is_started[mine].sum()),
         "least": chance[mine].min(), "largest": chance[mine].max(),
         "share_outside": is_outside[mine].mean()}
        for name, mine in groups
    ])  # fmt: skip


def outside_common_support(chance: Floats, is_started: Flags) -> Flags:
    """Entries whose fitted chance of a start lies outside the common support of the cohort."""
    low = max(chance[is_started].min(), chance[~is_started].min())
    high = min(chance[is_started].max(), chance[~is_started].max())
    # fitted numbers of people alike differ by rounding
    outside: Flags = (chance < low - 1e-12) | (chance > high + 1e-12)
    return outside


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
    mean, other = average_columns(trial, np.column_stack([weight, against]))
    gaps: Floats = (mean - other) / measure_spread(trial)
    return gaps
