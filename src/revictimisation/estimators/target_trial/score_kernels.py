"""The compiled doubly robust score of each entry, without what moves it."""

from __future__ import annotations

from typing import Any

import numpy as np

from revictimisation.core.compiled import kernel
from revictimisation.estimators.target_trial.course_kernels import (
    fill_increments,
    fill_shares,
    fill_steps,
    fill_values,
)
from revictimisation.estimators.target_trial.profile_kernels import (
    START,
    fill_law,
    fill_profiles,
    fill_tail,
)


@kernel
def fill_scores(
    chosen: Any, people: Any, interval: Any, steps: Any, targets: Any, inverse: Any, start: Any,
    law: Any, outcome: Any, leaving: Any, cap_start: Any, cap_no_start: Any, room: Any,
    scores: Any,
) -> None:  # fmt: skip
    """Fill scores (entries x arms x targets) of the `chosen` entries; others stay as they are.

    start, law: (row_odds, cell_odds) of the models of starts; the rest as in `sum_courses`, whose
    doubly robust values these are where no weight is capped.
    """
    for i in chosen:
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
            cap_start, cap_no_start, room.tail, room.profile,
        )  # fmt: skip
        for arm in range(2):
            none_yet = room.before if arm == START else room.never
            fill_increments(
                i, people, arm, grace, steps, targets, room.profile[arm], inverse, room.started,
                none_yet, room.waiting if arm == START else room.never, room.passed, room.dropped,
                room.amounts,
            )  # fmt: skip
            for j in range(targets.day.size):
                scores[i, arm, j] = none_yet[0, j]
                for t in range(room.amounts.shape[0]):
                    scores[i, arm, j] += room.amounts[t, j]
