"""The compiled sum over entries of g-formula and doubly robust estimator, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from revictimisation.estimators.target_trial.course_kernels import (
    fill_increments,
    fill_shares,
    fill_steps,
    fill_values,
    move_shares,
    move_values,
)
from revictimisation.estimators.target_trial.profile_kernels import (
    START,
    fill_hazards,
    fill_law,
    fill_profiles,
    fill_tail,
    move_hazards,
    move_law,
)


@njit(cache=True, nogil=True)
def sum_courses(
    people: Any, interval: Any, steps: Any, targets: Any, inverse: Any, start: Any, law: Any,
    outcome: Any, leaving: Any, columns: Any, values: Any,
) -> None:  # fmt: skip
    """Fill values (entries x 2 estimators x arms x targets) and add up the gradients.

    Estimators: 0 g-formula, 1 doubly robust. A model is (row_odds, cell_odds, cell_sum, base_sum):
    its odds, and the sums over entries of the values' derivatives in its cells' log odds and in
    its base coefficients (estimators x arms x targets x cells, x columns).
    """
    grace, n_steps, n_targets = interval.size - 1, steps.begin.size, targets.steps.size
    infinite = np.full(grace + 1, np.inf)
    tail, profile = np.empty(grace + 2), np.empty((2, grace + 1))
    hazards, share = np.empty((2, n_steps, 6)), np.empty(grace + 1)
    shape = (n_steps + 1, n_targets)
    started, never, before = np.empty(shape), np.empty(shape), np.empty(shape)
    waiting = np.zeros((max(n_steps, grace) + 1, n_targets))
    passed, dropped = np.empty((2, n_steps + 1)), np.empty((2, n_steps + 1))
    amounts, moved_share = np.empty((n_targets, grace + 1)), np.empty((n_targets, grace + 1))
    chances, laws, leverage = np.empty(grace + 1), np.empty(grace + 1), np.empty(grace + 1)
    cells = np.empty(grace + 1, np.int64)
    own_outcome = np.zeros((n_targets, outcome[1].size))
    own_leaving = np.zeros((n_targets, leaving[1].size))
    for i in range(people.stop.size):
        row, last = people.row[i], min(people.stop[i] - 1, grace)
        fill_tail(grace, interval, law[0][row], law[1], tail)
        fill_law(interval, law[0][row], law[1], tail, laws, leverage)
        fill_shares(laws, tail, share)
        fill_steps(steps, outcome[0][row], outcome[1], leaving[0][row], leaving[1], hazards)
        fill_values(steps, targets, share, hazards, started, never, before, waiting)
        fill_profiles(
            i, people, interval, start[0][row], start[1], law[0][row], law[1], True, np.inf,
            infinite, tail, profile,
        )  # fmt: skip
        fill_hazards(i, people, interval, start[0][row], start[1], cells, chances)
        for arm in range(2):
            none_yet = before if arm == START else never
            for estimator in range(2):
                if estimator == 1:
                    fill_increments(
                        i, people, arm, grace, steps, targets, profile[arm], inverse, started,
                        none_yet, waiting, passed, dropped, amounts,
                    )  # fmt: skip
                else:
                    passed[:] = 0.0
                    dropped[:] = 0.0
                    amounts[:] = 0.0
                    passed[0, 0] = 1.0
                move_values(
                    arm, steps, targets, share, hazards, started, none_yet, waiting, passed,
                    dropped, own_outcome, own_leaving, moved_share,
                )  # fmt: skip
                for j in range(n_targets):
                    values[i, estimator, arm, j] = none_yet[0, j] + amounts[j].sum()
                    at = (estimator, arm, j)
                    _add_own(row, columns, own_outcome[j], outcome[2][at], outcome[3][at])
                    _add_own(row, columns, own_leaving[j], leaving[2][at], leaving[3][at])
                    moved = 0.0
                    if estimator == 1:
                        moved = move_hazards(
                            people.start[i], last, cells, chances, arm == START, amounts[j],
                            start[2][at],
                        )  # fmt: skip
                        _add_base(row, columns, moved, start[3][at])
                    if arm == START:
                        moved = move_shares(
                            interval, laws, leverage, share, moved_share[j], law[2][at]
                        )
                        if estimator == 1:
                            moved += move_law(
                                people.start[i], last, interval, laws, leverage, amounts[j],
                                law[2][at],
                            )  # fmt: skip
                        _add_base(row, columns, moved, law[3][at])


@njit(cache=True, nogil=True)
def _add_own(row: Any, columns: Any, own: Any, cell_sum: Any, base_sum: Any) -> None:
    """Add an entry's derivatives by cell, and their sum for the columns it has; clear them."""
    total = 0.0
    for c in range(own.size):
        cell_sum[c] += own[c]
        total += own[c]
        own[c] = 0.0
    _add_base(row, columns, total, base_sum)


@njit(cache=True, nogil=True)
def _add_base(row: Any, columns: Any, total: Any, base_sum: Any) -> None:
    for c in range(columns.pointers[row], columns.pointers[row + 1]):
        base_sum[columns.indices[c]] += total * columns.values[c]
