"""The compiled bootstrap over victims: weights refitted in every replicate.

A victim's Poisson(1) weight in a replicate follows from seed, replicate and victim alone (a
counter-based generator), and a replicate is worked through serially by one thread: numbers do not
depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from revictimisation.estimators.target_trial.clone_kernels import (
    fill_risks,
    read_targets,
    sum_arms,
)
from revictimisation.estimators.target_trial.pooled_kernels import maximise

# P(weight <= k) for Poisson(1)
POISSON = np.cumsum(np.exp(-1) / np.array([1.0, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880]))
# Coefficients within some 1e-4 of their own error.
TOLERANCE = 1e-8
QUICK_PASSES, MOST_PASSES = 25, 200


@njit(cache=True, nogil=True)
def _mix(value: Any) -> Any:
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def refit(
    row: Any, weight: Any, pooled: Any, columns: Any, theta: Any, row_odds: Any, cell_odds: Any
) -> Any:
    """Odds of a replicate, from the whole sample's coefficients; whether the fit settled."""
    moved = theta.copy()
    passes = maximise(
        row, weight, pooled, columns, moved, row_odds, cell_odds, False, TOLERANCE, QUICK_PASSES
    )
    if passes < 0:
        moved = theta.copy()
        passes = maximise(
            row, weight, pooled, columns, moved, row_odds, cell_odds, True, TOLERANCE, MOST_PASSES
        )
    return passes > 0


@njit(cache=True, nogil=True)
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
    n_days = people.stop.max() + 1
    at_risk, events = np.empty((2, n_days)), np.empty((2, answers.shape[2] - 1, n_days))
    risk = np.empty(events.shape)
    weight = np.empty(people.stop.size)
    for replicate in range(first, last):
        drawn = draw_weights(seed, replicate, n_clusters)
        n_started, n_left = 0.0, 0.0
        for i in range(weight.size):
            weight[i] = drawn[people.cluster[i]]
            if people.start[i] >= 0:
                n_started += weight[i]
            else:
                n_left += weight[i]
        if n_started == 0 or n_left == 0:
            answers[replicate] = np.nan
            is_settled[replicate] = False
            continue
        settled = refit(people.row, weight, pooled, columns, theta, row_odds, cell_odds)
        if is_same:
            other_rows[:], other_cells[:] = row_odds, cell_odds
        else:
            settled &= refit(
                people.row, weight, other, columns, other_theta, other_rows, other_cells
            )
        sum_arms(
            people, interval, weight, row_odds, cell_odds, other_rows, other_cells, is_natural,
            cap_start, cap_no_start, at_risk, events,
        )  # fmt: skip
        risk[:] = 0.0
        fill_risks(at_risk, events, risk)
        read_targets(risk, days, answers[replicate])
        is_settled[replicate] = settled
