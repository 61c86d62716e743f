"""The compiled sum over entries of g-formula and doubly robust estimator, and their gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from revictimisation.core.compiled import kernel
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
    sum_places,
)


class Room(NamedTuple):
    """Arrays for one entry at a time; sizes and meaning as in `course_kernels`."""

    tail: Any
    profile: Any
    laws: Any
    leverage: Any
    share: Any
    chances: Any
    cells: Any
    hazards: Any
    started: Any
    never: Any
    before: Any
    waiting: Any
    passed: Any
    dropped: Any
    amounts: Any
    left: Any
    running: Any
    total: Any
    flow: Any
    moved_share: Any
    outcome: Any
    leaving: Any


def make_room(
    grace: int, n_steps: int, n_targets: int, n_intervals: int, n_leaving_intervals: int
) -> Room:
    """Room for `sum_courses`."""
    places = grace + 1
    shape = (max(n_steps, grace) + 1, n_targets)
    return Room(
        tail=np.empty(grace + 2),
        profile=np.empty((2, places)),
        laws=np.empty(places),
        leverage=np.empty(places),
        share=np.empty(places),
        chances=np.empty(places),
        cells=np.empty(places, np.int64),
        hazards=np.empty((2, n_steps, 6)),
        started=np.zeros(shape),
        never=np.zeros(shape),
        before=np.zeros(shape),
        waiting=np.zeros(shape),
        passed=np.empty((2, n_steps + 1)),
        dropped=np.empty((2, n_steps + 1)),
        amounts=np.empty((places, n_targets)),
        left=np.empty(n_targets),
        running=np.empty(n_targets),
        total=np.empty(n_targets),
        flow=np.empty((2, 2, n_targets)),
        moved_share=np.empty((2, places, n_targets)),
        outcome=np.zeros((2, 2 * n_intervals, n_targets)),
        leaving=np.zeros((2, 2 * n_leaving_intervals, n_targets)),
    )


@kernel
def sum_courses(
    people: Any, interval: Any, steps: Any, targets: Any, inverse: Any, start: Any, law: Any,
    outcome: Any, leaving: Any, columns: Any, room: Any, values: Any,
) -> None:  # fmt: skip
    """Fill values (entries x 2 estimators x arms x targets) and add up the gradients.

    Estimators: 0 g-formula, 1 doubly robust. The models of starts are (row_odds, cell_odds,
    cell_sum, base_sum): their odds, and the sums over entries of the values' derivatives in their
    cells' log odds and in their base coefficients (estimators x arms x cells or columns x targets);
    those of hazards are `standardised_risk.Hazards`.
    """
    infinite = np.full(interval.size, np.inf)
    for i in range(people.stop.size):
        row, grace = people.row[i], interval.size - 1
        fill_tail(grace, interval, law[0][row], law[1], room.tail)
        fill_law(interval, law[0][row], law[1], room.tail, room.laws, room.leverage)
        fill_shares(room.laws, room.tail, room.share)
        fill_steps(row, steps, outcome, leaving, room.hazards)
        fill_values(
            targets, room.share, room.hazards, room.started, room.never, room.before, room.waiting
        )
        fill_profiles(
            i, people, interval, start[0][row], start[1], law[0][row], law[1], np.bool_(True),
            np.inf, infinite, room.tail, room.profile,
        )  # fmt: skip
        fill_hazards(i, people, interval, start[0][row], start[1], room.cells, room.chances)
        for arm in range(2):
            _sum_arm(i, arm, people, grace, steps, targets, inverse, room, values)
            for e in range(2):
                _add_own(row, e, arm, columns, room.outcome[e], outcome)
                _add_own(row, e, arm, columns, room.leaving[e], leaving)
            _add_starts(i, arm, people, columns, start[2][1, arm], start[3][1, arm], room)
            for e in range(2 if arm == START else 0):
                _add_law(i, e, people, interval, columns, law[2][e, arm], law[3][e, arm], room)


@kernel
def _sum_arm(
    i: Any, arm: Any, people: Any, grace: Any, steps: Any, targets: Any, inverse: Any, room: Any,
    values: Any,
) -> None:  # fmt: skip
    """Both values of a clone, and their derivatives into the room."""
    none_yet = room.before if arm == START else room.never
    fill_increments(
        i, people, arm, grace, steps, targets, room.profile[arm], inverse, room.started, none_yet,
        room.waiting if arm == START else room.never, room.passed, room.dropped, room.amounts,
    )  # fmt: skip
    move_values(
        arm, steps, targets, room.share, room.hazards, room.started, none_yet, room.waiting,
        room.passed, room.dropped, room.flow, room.outcome, room.leaving, room.moved_share,
    )  # fmt: skip
    for j in range(targets.day.size):
        values[i, 0, arm, j] = none_yet[0, j]
        values[i, 1, arm, j] = none_yet[0, j]
        for t in range(room.amounts.shape[0]):
            values[i, 1, arm, j] += room.amounts[t, j]


@kernel
def _add_own(row: Any, e: Any, arm: Any, columns: Any, own: Any, model: Any) -> None:
    """Add an entry's derivatives by cell, and their sums for the columns it has; clear them.

    own: by state and interval x targets. Intervals of a period follow each other.
    """
    n_intervals = model.period.size
    shift = n_intervals * model.group[row]
    for k in range(n_intervals):
        for j in range(own.shape[1]):
            model.cell_sum[e, arm, k, j] += own[k, j]
            model.cell_sum[e, arm, n_intervals + shift + k, j] += own[n_intervals + k, j]
            own[k, j] += own[n_intervals + k, j]
    first = 0
    for k in range(1, n_intervals + 1):
        if k < n_intervals and model.period[k] == model.period[first]:
            for j in range(own.shape[1]):
                own[first, j] += own[k, j]
            continue
        base_sum = model.base_sum[e, arm, model.period[first]]
        for c in range(columns.pointers[row], columns.pointers[row + 1]):
            column, value = columns.indices[c], columns.values[c]
            for j in range(own.shape[1]):
                base_sum[column, j] += own[first, j] * value
        first = k
    own[:] = 0.0


@kernel
def _add_starts(
    i: Any, arm: Any, people: Any, columns: Any, cell_sum: Any, base_sum: Any, room: Any
) -> None:
    """What moves through the weights' hazards of a start: the doubly robust estimator alone."""
    last = min(people.stop[i] - 1, room.share.size - 1)
    sum_places(room.amounts, room.left)
    room.total[:] = 0.0
    move_hazards(
        people.start[i], last, room.cells, room.chances, arm == START, room.amounts, room.left,
        cell_sum, room.total,
    )  # fmt: skip
    _add_base(people.row[i], columns, room.total, base_sum)


@kernel
def _add_law(
    i: Any, e: Any, people: Any, interval: Any, columns: Any, cell_sum: Any, base_sum: Any,
    room: Any,
) -> None:  # fmt: skip
    """What moves through the law: in the values and, for the doubly robust one, in the weights."""
    last = min(people.stop[i] - 1, room.share.size - 1)
    room.total[:] = 0.0
    move_shares(
        interval, room.laws, room.leverage, room.share, room.moved_share[e], room.running,
        cell_sum, room.total,
    )  # fmt: skip
    if e == 1:
        sum_places(room.amounts, room.left)
        move_law(
            people.start[i], last, interval, room.laws, room.leverage, room.amounts, room.left,
            room.running, cell_sum, room.total,
        )  # fmt: skip
    _add_base(people.row[i], columns, room.total, base_sum)


@kernel
def _add_base(row: Any, columns: Any, total: Any, base_sum: Any) -> None:
    for c in range(columns.pointers[row], columns.pointers[row + 1]):
        column, value = columns.indices[c], columns.values[c]
        for j in range(total.size):
            base_sum[column, j] += total[j] * value
