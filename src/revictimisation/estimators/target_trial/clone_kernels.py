"""The compiled sums of the two clone arms by day, and the influence of each entry.

Arms: 0 start, 1 no start. `at_risk[arm, day]` is the weight at risk on a day, `events[arm, cause -
1, day]` the weight of events on it. A *target* is a number read off one arm's curves (a risk on a
day, days lost up to a day), given by its derivatives: `slope_risk[target, day]` in at_risk,
`slope_event[target, cause - 1, day]` in events, `slope_outcome[target, day]` in what does not end
follow-up (`sum_outcomes`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from revictimisation.core.compiled import kernel
from revictimisation.estimators.target_trial.pooled_kernels import gather_columns
from revictimisation.estimators.target_trial.profile_kernels import (
    NO_START,
    START,
    fill_hazards,
    fill_law,
    fill_profiles,
    move_hazards,
    move_law,
    sum_places,
)


@kernel
def sum_arms(
    people: Any, interval: Any, weight: Any, row_odds: Any, cell_odds: Any, other_rows: Any,
    other_cells: Any, is_natural: Any, cap_start: Any, cap_no_start: Any, at_risk: Any, events: Any,
) -> None:  # fmt: skip
    """Fill at_risk and events of both arms."""
    grace = interval.size - 1
    tail, profile = np.empty(grace + 2), np.empty((2, grace + 1))
    at_risk[:] = 0.0
    events[:] = 0.0
    for i in range(people.stop.size):
        if weight[i] == 0:
            continue
        fill_profiles(
            i, people, interval, row_odds[people.row[i]], cell_odds, other_rows[people.row[i]],
            other_cells, is_natural, cap_start, cap_no_start, tail, profile,
        )  # fmt: skip
        stop, cause = people.stop[i], people.cause[i]
        last = min(stop - 1, grace)
        for arm in range(2):
            for t in range(min(last + 1, grace)):
                at_risk[arm, t + 1] += weight[i] * profile[arm, t]
            if last == grace:  # kept as a change at first, summed below
                events[arm, 0, 0] += weight[i] * profile[arm, grace]
                if stop + 1 < at_risk.shape[1]:
                    at_risk[arm, stop + 1] -= weight[i] * profile[arm, grace]
            if cause > 0:
                events[arm, cause - 1, stop] += weight[i] * profile[arm, last]
    for arm in range(2):
        if grace + 1 < at_risk.shape[1]:
            at_risk[arm, grace + 1] += events[arm, 0, 0]
        events[arm, 0, 0] = 0.0
        for day in range(grace + 2, at_risk.shape[1]):
            at_risk[arm, day] += at_risk[arm, day - 1]


@kernel
def sum_outcomes(
    people: Any, outcomes: Any, interval: Any, weight: Any, row_odds: Any, cell_odds: Any,
    other_rows: Any, other_cells: Any, is_natural: Any, cap_start: Any, cap_no_start: Any,
    amount: Any,
) -> None:  # fmt: skip
    """Fill amount[arm, day]: the weight of outcomes that do not end follow-up."""
    grace = interval.size - 1
    tail, profile = np.empty(grace + 2), np.empty((2, grace + 1))
    amount[:] = 0.0
    for i in range(people.stop.size):
        if weight[i] == 0 or outcomes.first[i] == outcomes.first[i + 1]:
            continue
        fill_profiles(
            i, people, interval, row_odds[people.row[i]], cell_odds, other_rows[people.row[i]],
            other_cells, is_natural, cap_start, cap_no_start, tail, profile,
        )  # fmt: skip
        for k in range(outcomes.first[i], outcomes.first[i + 1]):
            day = outcomes.day[k]
            for arm in range(2):
                amount[arm, day] += weight[i] * profile[arm, min(day - 1, grace)]


@kernel
def fill_risks(at_risk: Any, events: Any, risk: Any) -> None:
    """Aalen-Johansen of each arm: risk[arm, cause - 1, day]. Rounding leaves no sliver at risk."""
    for arm in range(at_risk.shape[0]):
        free = 1.0
        for day in range(at_risk.shape[1]):
            gone = 0.0
            for k in range(events.shape[1]):
                before = risk[arm, k, day - 1] if day else 0.0
                amount = events[arm, k, day]
                # Of clones of next to no weight rounding may leave less at risk than have an event.
                hazard = amount / max(at_risk[arm, day], amount) if amount > 0 else 0.0
                risk[arm, k, day] = before + free * hazard
                gone += hazard
            free *= 0.0 if gone > 1 - 1e-12 else 1 - gone


@kernel
def read_targets(risk: Any, days: Any, answers: Any) -> None:
    """answers[arm, 0..causes-1, j]: risks by days[j]; the last row days lost to the outcome."""
    last = risk.shape[2] - 1
    for arm in range(risk.shape[0]):
        for j in range(days.size):
            for k in range(risk.shape[1]):
                answers[arm, k, j] = risk[arm, k, min(days[j], last)]
            lost = 0.0
            for day in range(days[j]):
                lost += risk[arm, 0, min(day, last)]
            answers[arm, risk.shape[1], j] = lost


@kernel
def sum_influence(
    people: Any, interval: Any, columns: Any, effects: Any, row_odds: Any, cell_odds: Any,
    other_rows: Any, other_cells: Any, other_effects: Any, arm: Any, is_natural: Any,
    cap_start: Any, cap_no_start: Any, slope_risk: Any, late_risk: Any, slope_event: Any,
    outcomes: Any, slope_outcome: Any, influence: Any, gradient: Any, other_gradient: Any,
) -> None:  # fmt: skip
    """Fill influence (entries x targets), weights held as they are, and the targets' gradients.

    gradient and other_gradient (targets x coefficients) are the derivatives in the model of starts
    and in the other model. late_risk is slope_risk summed up to each day. Slopes have the targets
    last (days x targets, causes x days x targets), so that all are done side by side.
    """
    grace, n_targets = interval.size - 1, slope_risk.shape[1]
    rows, cells = np.zeros((row_odds.size, n_targets)), np.zeros((cell_odds.size, n_targets))
    law_rows = np.zeros((row_odds.size, n_targets))
    law_cells = np.zeros((other_cells.size, n_targets))
    tail, profile = np.empty(grace + 2), np.empty((2, grace + 1))
    amounts, left = np.zeros((grace + 1, n_targets)), np.empty(n_targets)
    running = np.empty(n_targets)
    hazards, laws, leverage = np.empty(grace + 1), np.empty(grace + 1), np.empty(grace + 1)
    cells_of = np.empty(grace + 1, np.int64)
    for i in range(people.stop.size):
        row, started, last = people.row[i], people.start[i], min(people.stop[i] - 1, grace)
        odds, other = row_odds[row], other_rows[row]
        fill_profiles(
            i, people, interval, odds, cell_odds, other, other_cells, is_natural, cap_start,
            cap_no_start, tail, profile,
        )  # fmt: skip
        fill_hazards(i, people, interval, odds, cell_odds, cells_of, hazards)
        if is_natural:
            fill_law(interval, other, other_cells, tail, laws, leverage)
        _spread_amounts(
            i, people, grace, profile[arm], slope_risk, late_risk, slope_event, outcomes,
            slope_outcome, amounts, influence[i],
        )  # fmt: skip
        _drop_capped(i, people, arm, profile[arm], cap_start, cap_no_start, amounts)
        if arm == NO_START or is_natural:
            sum_places(amounts, left)
            move_hazards(
                started, last, cells_of, hazards, arm == START, amounts, left, cells, rows[row]
            )
        if arm == START and is_natural:
            sum_places(amounts, left)
            move_law(
                started, last, interval, laws, leverage, amounts, left, running, law_cells,
                law_rows[row],
            )  # fmt: skip
        elif arm == START:
            cell = people.segment_pattern[people.first_segment[i + 1] - 1]
            for j in range(n_targets):
                moved = -amounts[grace, j] / (1 + other * other_cells[cell])
                law_cells[cell, j] += moved
                law_rows[row, j] += moved
    for j in range(n_targets):
        gather_columns(rows[:, j], cells[:, j], columns, effects, gradient[j])
        gather_columns(law_rows[:, j], law_cells[:, j], columns, other_effects, other_gradient[j])


@kernel
def _spread_amounts(
    i: Any, people: Any, grace: Any, profile: Any, slope: Any, late: Any, event: Any,
    outcomes: Any, slope_outcome: Any, amounts: Any, total: Any,
) -> None:  # fmt: skip
    """amounts[t, j] = weight at place t x what a unit of weight there moves; total: their sums."""
    stop, cause, n_targets = people.stop[i], people.cause[i], total.size
    last = min(stop - 1, grace)
    amounts[:] = 0.0
    for t in range(min(last + 1, grace)):
        for j in range(n_targets):
            amounts[t, j] = slope[t + 1, j]
    if last == grace:
        for j in range(n_targets):
            amounts[grace, j] = late[stop, j] - late[grace, j]
    if cause > 0:
        for j in range(n_targets):
            amounts[last, j] += event[cause - 1, stop, j]
    for k in range(outcomes.first[i], outcomes.first[i + 1]):
        for j in range(n_targets):
            amounts[min(outcomes.day[k] - 1, grace), j] += slope_outcome[outcomes.day[k], j]
    total[:] = 0.0
    for t in range(last + 1):
        for j in range(n_targets):
            amounts[t, j] *= profile[t]
            total[j] += amounts[t, j]


@kernel
def _drop_capped(
    i: Any, people: Any, arm: Any, profile: Any, cap_start: Any, cap_no_start: Any, amounts: Any
) -> None:
    """A capped weight does not move with the model."""
    for t in range(amounts.shape[0]):
        if arm == NO_START:
            if profile[t] >= cap_no_start[t]:
                amounts[t] = 0.0
        elif 0 <= people.start[i] <= t and profile[t] >= cap_start:
            amounts[t] = 0.0


@kernel
def project_scores(
    row: Any, pooled: Any, row_odds: Any, cell_odds: Any, row_move: Any, cell_move: Any,
    influence: Any,
) -> None:  # fmt: skip
    """Add score_i' v for each entry and target; row_move, cell_move: x'v by row, z'v by cell."""
    for i in range(row.size):
        for k in range(pooled.first[i], pooled.first[i + 1]):
            cell = pooled.cell[k]
            odds = row_odds[row[i]] * cell_odds[cell]
            left = -pooled.days[k] * odds / (1 + odds)
            if pooled.is_start[i] and k == pooled.first[i + 1] - 1:
                left += 1
            for j in range(influence.shape[1]):
                influence[i, j] += left * (row_move[row[i], j] + cell_move[cell, j])
