"""The compiled weights of one entry's two clones by day, and how they move with the models.

A clone's *profile* has grace + 1 places: place t is its weight on (t, t + 1], the last one also on
every later day; 0 where the clone is censored. The definitions stand in `clone_weights`.

`cell_odds` and an entry's `odds` give the hazards h of a start on each day. The *other* model gives
the start clone's law: under the natural law the hazards l of a start given the baseline covariates
(`other_cells` by interval of days), else the odds of having started by the end of the grace time
(`other_cells` by pattern on its last day). R_k = P(start on k..grace | none before) under l follows
from the end backwards: R_k = l_k + (1 - l_k) R_(k+1), 0 after the grace time; no digits are lost
where l is tiny.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from revictimisation.core.compiled import kernel

START, NO_START = 0, 1
TINY = 1e-300  # so that nothing is divided by 0 where a start is impossible


@kernel
def fill_profiles(
    i: Any, people: Any, interval: Any, odds: Any, cell_odds: Any, other: Any, other_cells: Any,
    is_natural: Any, cap_start: Any, cap_no_start: Any, tail: Any, profile: Any,
) -> None:  # fmt: skip
    """Fill profile (2 x (grace + 1)) of entry i: start clone, no-start clone.

    odds, other: exp(x'b) of the entry in the two models. Caps are the largest weights allowed.
    """
    grace = interval.size - 1
    n_intervals = interval[grace] + 1
    started = people.start[i]
    last = min(people.stop[i] - 1, grace)
    profile[:] = 0.0
    if is_natural:
        fill_tail(grace, interval, other, other_cells, tail)
    else:
        profile[START, :grace] = 1.0
        if started >= 0:
            ends = other * other_cells[people.segment_pattern[people.first_segment[i + 1] - 1]]
            profile[START, grace] = min((1 + ends) / (ends + TINY), cap_start)
    stays = 1.0
    level = 1 / tail[0] if is_natural else 0.0
    segment = people.first_segment[i]
    for day in range(last + 1):
        while segment + 1 < people.first_segment[i + 1] and people.segment_day[segment + 1] <= day:
            segment += 1
        ratio = odds * cell_odds[people.segment_pattern[segment] * n_intervals + interval[day]]
        law = other * other_cells[interval[day]] if is_natural else 0.0
        if day == started:
            if is_natural:
                chance = law * (1 + ratio) / ((ratio + TINY) * (1 + law))
                profile[START, day:] = min(level * chance, cap_start)
            return
        stays *= 1 + ratio
        profile[NO_START, day] = min(stays, cap_no_start[day])
        if is_natural:
            if law != ratio:  # one model for both where nothing changes: spare the division
                level *= (1 + ratio) / (1 + law)
            profile[START, day] = level * tail[day + 1]


@kernel
def fill_tail(grace: Any, interval: Any, odds: Any, cell_odds: Any, tail: Any) -> None:
    """tail[k] = P(start on k..grace | none before k); tail[grace + 1] = 0."""
    tail[grace + 1] = 0.0
    hazard, previous = 0.0, -1
    for day in range(grace, -1, -1):
        if interval[day] != previous:
            previous = interval[day]
            ratio = odds * cell_odds[previous]
            hazard = ratio / (1 + ratio)
        tail[day] = hazard + (1 - hazard) * tail[day + 1] + TINY


@kernel
def fill_hazards(
    i: Any, people: Any, interval: Any, odds: Any, cell_odds: Any, cells: Any, hazards: Any
) -> None:
    """The entry's cell and hazard of a start on each day it is at risk of one."""
    n_intervals = interval[interval.size - 1] + 1
    segment = people.first_segment[i]
    for day in range(min(people.stop[i], interval.size)):
        while segment + 1 < people.first_segment[i + 1] and people.segment_day[segment + 1] <= day:
            segment += 1
        cells[day] = people.segment_pattern[segment] * n_intervals + interval[day]
        ratio = odds * cell_odds[cells[day]]
        hazards[day] = ratio / (1 + ratio)
        if day == people.start[i]:
            break


@kernel
def fill_law(
    interval: Any, odds: Any, cell_odds: Any, tail: Any, hazards: Any, leverage: Any
) -> None:
    """The law's hazard on each day, and (1 - R_k) / R_k from its tail."""
    for day in range(interval.size):
        ratio = odds * cell_odds[interval[day]]
        hazards[day] = ratio / (1 + ratio)
        leverage[day] = (1 - tail[day]) / tail[day]


@kernel
def move_hazards(
    started: Any, last: Any, cells: Any, hazards: Any, is_start: Any, amounts: Any, left: Any,
    cell_sum: Any, total: Any,
) -> None:  # fmt: skip
    """Derivatives of sums of amounts[t, j] x log weight in the log odds of each day's start.

    Of the factors 1 / (1 - h) for days without a start (both clones) and 1 / h for the day of the
    start (`is_start`: the start clone under the natural law), up to day `last`. amounts[t, j] must
    be 0 where the clone is censored or its weight capped; left[j] is their sum over t (used up
    here). Adds to cell_sum (cells x targets) by cell, and to total[j] their sum: the derivative in
    the entry's own linear predictor.
    """
    n_targets = total.size
    for day in range(last + 1):
        is_now = day == started
        if is_now and not is_start:
            break
        factor = hazards[day] - 1.0 if is_now else hazards[day]
        cell = cells[day]
        for j in range(n_targets):
            moved = left[j] * factor
            cell_sum[cell, j] += moved
            total[j] += moved
            left[j] -= amounts[day, j]
        if is_now:
            break


@kernel
def sum_places(amounts: Any, left: Any) -> None:
    """left[j] = sum over t of amounts[t, j]."""
    left[:] = 0.0
    for t in range(amounts.shape[0]):
        for j in range(left.size):
            left[j] += amounts[t, j]


@kernel
def move_law(
    started: Any, last: Any, interval: Any, hazards: Any, leverage: Any, amounts: Any, left: Any,
    running: Any, cell_sum: Any, total: Any,
) -> None:  # fmt: skip
    """The same in the log odds of the natural law.

    The weight holds (1 - l) for days without a start, l for the day of the start, 1 / R_0, and
    R_(t+1) while not started; log R_k has the derivative l_j (1 - R_k) / R_k in the log odds of day
    j >= k, so a running sum over k (scratch, by target) gives all j.
    """
    n_targets = total.size
    for j in range(n_targets):
        running[j] = -left[j] * leverage[0]
    for day in range(interval.size):
        is_free = day <= last and (started < 0 or day < started)
        own = 0.0
        if is_free:
            own = -hazards[day]
        elif day == started and day <= last:
            own = 1 - hazards[day]
        cell = interval[day]
        for j in range(n_targets):
            moved = running[j] * hazards[day] + left[j] * own
            cell_sum[cell, j] += moved
            total[j] += moved
        if is_free:
            ahead = leverage[day + 1] if day + 1 < interval.size else 0.0
            for j in range(n_targets):
                left[j] -= amounts[day, j]
                running[j] += amounts[day, j] * ahead


@kernel
def read_weights(
    people: Any, interval: Any, row_odds: Any, cell_odds: Any, other_rows: Any, other_cells: Any,
    is_natural: Any, cap_start: Any, cap_no_start: Any, day: Any,
) -> Any:  # fmt: skip
    """Weights (entries x 2) on (day, day + 1], 0 where not followed; day -1: each one's last."""
    grace = interval.size - 1
    tail, profile = np.empty(grace + 2), np.empty((2, grace + 1))
    weights = np.zeros((people.stop.size, 2))
    for i in range(people.stop.size):
        if day >= people.stop[i]:
            continue
        fill_profiles(
            i, people, interval, row_odds[people.row[i]], cell_odds, other_rows[people.row[i]],
            other_cells, is_natural, cap_start, cap_no_start, tail, profile,
        )  # fmt: skip
        place = min(people.stop[i] - 1 if day < 0 else day, grace)
        weights[i, 0], weights[i, 1] = profile[0, place], profile[1, place]
    return weights


@kernel
def sum_weights(
    people: Any, interval: Any, row_odds: Any, cell_odds: Any, other_rows: Any, other_cells: Any,
    is_natural: Any, cap_start: Any, cap_no_start: Any, days: Any, sums: Any,
) -> None:  # fmt: skip
    """Fill sums[arm, j]: of the weights on (days[j], days[j] + 1], and of their squares.

    days as in `read_weights`; sums: arms x days x (sum, sum of squares).
    """
    grace = interval.size - 1
    tail, profile = np.empty(grace + 2), np.empty((2, grace + 1))
    sums[:] = 0.0
    for i in range(people.stop.size):
        fill_profiles(
            i, people, interval, row_odds[people.row[i]], cell_odds, other_rows[people.row[i]],
            other_cells, is_natural, cap_start, cap_no_start, tail, profile,
        )  # fmt: skip
        for j in range(days.size):
            if days[j] >= people.stop[i]:
                continue
            place = min(people.stop[i] - 1 if days[j] < 0 else days[j], grace)
            for arm in range(2):
                weight = profile[arm, place]
                sums[arm, j, 0] += weight
                sums[arm, j, 1] += weight * weight
