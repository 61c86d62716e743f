"""The compiled bootstrap over victims: weights refitted in every replicate.

A victim's Poisson(1) weight in a replicate follows from seed, replicate and victim alone (a
counter-based generator), and a replicate is worked through serially by one thread: numbers do not
depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from revictimisation.core.compiled import copy_to, kernel
from revictimisation.estimators.target_trial.clone_kernels import (
    fill_risks,
    read_targets,
    sum_arms,
)
from revictimisation.estimators.target_trial.pooled_kernels import (
    factor,
    fill_odds,
    gather_columns,
    maximise_from,
    sum_information,
)
from revictimisation.estimators.target_trial.profile_kernels import START

# P(weight <= k) for Poisson(1)
POISSON = np.cumsum(np.exp(-1) / np.array([1.0, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880]))
# Coefficients within some 1e-2 of their own error before the last step, which is made.
TOLERANCE = 1e-4
QUICK_PASSES, MOST_PASSES = 25, 200
# Where nobody with a column starts, its coefficient is bound for minus infinity: so far at once.
FAR = 10.0


@kernel
def _mix(value: Any) -> Any:
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@kernel
def draw_weights(seed: Any, replicate: Any, n_clusters: Any) -> Any:
    """Poisson(1) weights of the victims in a replicate."""
    weights = np.empty(n_clusters)
    key = _mix(_mix(np.uint64(seed)) ^ np.uint64(replicate))
    for c in range(n_clusters):
        uniform = (_mix(key ^ _mix(np.uint64(c))) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
        k = 0
        while k < POISSON.size and uniform >= POISSON[k]:
            k += 1
        weights[c] = k
    return weights


@kernel
def factor_whole(
    row: Any, pooled: Any, columns: Any, theta: Any, row_odds: Any, cell_odds: Any, lower: Any
) -> None:
    """The factored information of the whole sample: every replicate's fit begins with it."""
    fill_odds(columns, pooled.effects, theta, row_odds, cell_odds)
    info = np.empty(lower.shape)
    sum_information(row, np.ones(row.size), pooled, columns, row_odds, cell_odds, info)
    factor(info, lower)


@kernel
def _send_away(row: Any, weight: Any, pooled: Any, columns: Any, theta: Any) -> None:
    """Lower the coefficients of columns that no starter of the replicate has."""
    row_sum, cell_sum = np.zeros(columns.pointers.size - 1), np.zeros(pooled.effects.shape[0])
    for i in range(row.size):
        if pooled.is_start[i] and weight[i] > 0:
            row_sum[row[i]] += weight[i]
            cell_sum[pooled.cell[pooled.first[i + 1] - 1]] += weight[i]
    starts = np.empty(theta.size)
    gather_columns(row_sum, cell_sum, columns, pooled.effects, starts)
    for c in range(theta.size):
        if starts[c] == 0:
            theta[c] -= FAR


@kernel
def refit(
    row: Any, weight: Any, pooled: Any, columns: Any, theta: Any, lower: Any, moved: Any,
    row_odds: Any, cell_odds: Any,
) -> Any:  # fmt: skip
    """Fill coefficients (`moved`) and odds of a replicate; return whether the fit settled.

    It begins with the whole sample's coefficients `theta` and factored information `lower`.
    """
    own = lower.copy()
    for turn in range(2):  # carefully where the quick way did not settle
        is_careful, most = turn > 0, MOST_PASSES if turn > 0 else QUICK_PASSES
        copy_to(moved, theta)
        _send_away(row, weight, pooled, columns, moved)
        passes = maximise_from(
            row, weight, pooled, columns, moved, row_odds, cell_odds, is_careful, TOLERANCE, most,
            own, not is_careful,
        )  # fmt: skip
        if passes > 0:
            return True
    return False


def _move_along(theta: Any, moved: Any, n_effects: Any, near: Any, n_days: Any) -> None:
    """Move the law's coefficients as the replicate has moved those of the model of starts.

    Both begin with the intervals of days and end with the baseline columns.
    """
    near[:n_days] += moved[:n_days] - theta[:n_days]
    near[n_days:] += moved[n_effects:] - theta[n_effects:]


def run_replicates(
    first: Any, last: Any, seed: Any, people: Any, interval: Any, columns: Any, pooled: Any,
    theta: Any, other: Any, other_theta: Any, is_same: Any, n_clusters: Any, is_natural: Any,
    cap_start: Any, cap_no_start: Any, days: Any, answers: Any, is_settled: Any,
) -> None:  # fmt: skip
    """Fill answers[replicate] (as `read_targets`) and is_settled for replicates first..last-1.

    The other model is refitted as well unless `is_same`: both models are one.
    """
    n_rows = columns.pointers.size - 1
    row_odds, cell_odds = np.ones(n_rows), np.ones(pooled.effects.shape[0])
    other_rows, other_cells = np.ones(n_rows), np.ones(other.effects.shape[0])
    n_days = int(people.stop.max()) + 1
    at_risk, events = np.empty((2, n_days)), np.empty((2, answers.shape[2] - 1, n_days))
    risk = np.empty(events.shape)
    is_started = people.start >= 0
    moved, other_moved = theta.copy(), other_theta.copy()
    lower = np.empty((theta.size, theta.size))
    other_lower = np.empty((other_theta.size, other_theta.size))
    factor_whole(people.row, pooled, columns, theta, row_odds, cell_odds, lower)
    if not is_same:
        factor_whole(people.row, other, columns, other_theta, other_rows, other_cells, other_lower)
    for replicate in range(first, last):
        drawn = draw_weights(seed, replicate, n_clusters)
        weight = drawn[people.cluster]
        if not weight[is_started].any() or not weight[~is_started].any():
            answers[replicate] = np.nan
            is_settled[replicate] = False
            continue
        settled = refit(
            people.row, weight, pooled, columns, theta, lower, moved, row_odds, cell_odds
        )
        if is_same:
            other_rows[:], other_cells[:] = row_odds, cell_odds
        else:
            near = other_theta.copy()
            if is_natural:
                _move_along(theta, moved, pooled.effects.shape[1], near, other.effects.shape[1])
            settled &= refit(
                people.row, weight, other, columns, near, other_lower, other_moved, other_rows,
                other_cells,
            )  # fmt: skip
        sum_arms(
            people, interval, weight, row_odds, cell_odds, other_rows, other_cells, is_natural,
            cap_start, cap_no_start, at_risk, events,
        )  # fmt: skip
        risk[:] = 0.0
        fill_risks(at_risk, events, risk)
        read_targets(risk, days, answers[replicate])
        is_settled[replicate] = settled
        # no point to begin from, no answer; the other model bears on the start clones alone
        if np.isnan(moved).any():
            answers[replicate] = np.nan
        elif np.isnan(other_moved).any():
            answers[replicate, START] = np.nan
