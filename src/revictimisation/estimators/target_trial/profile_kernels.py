"""The compiled weights of one entry's two clones by day, and how they move with the start model.

A clone's *profile* has grace + 1 places: place t is its weight on (t, t + 1], the last one also on
every later day; 0 where the clone is censored. The definitions stand in `clone_weights`.

With h_k the hazard of a start on day k, for a stretch of days from a with the changing covariates
held as they are on day a, R_k = P(start on k..g | none before) follows from the end of the grace
time backwards: R_k = h_k + (1 - h_k) R_(k+1), R_(g+1) = 0 (no digits are lost where h is tiny).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

START, NO_START = 0, 1
TINY = 1e-300  # so that nothing is divided by 0 where a start is impossible


@njit(cache=True, nogil=True)
def fill_profiles(
    i: Any, people: Any, interval: Any, odds: Any, cell_odds: Any, end_odds: Any, is_natural: Any,
    cap_start: Any, cap_no_start: Any, tail: Any, profile: Any,
) -> None:  # fmt: skip
    """Fill profile (2 x (grace + 1)) of entry i: start clone, no-start clone.

    odds: exp(x'b) of the entry; end_odds: odds of having started by the end of the grace time
    (only used if not `is_natural`). Caps are the largest weights allowed.
    """
    grace = interval.size - 1
    n_intervals = interval[grace] + 1
    started = people.start[i]
    last = min(people.stop[i] - 1, grace)
    profile[:] = 0.0
    level, stays = 1.0, 1.0
    for segment in range(people.first_segment[i], people.first_segment[i + 1]):
        begin, end = people.segment_day[segment], grace + 1
        if segment + 1 < people.first_segment[i + 1]:
            end = people.segment_day[segment + 1]
        if begin > last or (started >= 0 and begin > started):
            break
        shift = people.segment_pattern[segment] * n_intervals
        if is_natural:
            fill_tail(begin, grace, shift, interval, odds, cell_odds, tail)
        for day in range(begin, min(end, last + 1)):
            stays *= 1 + odds * cell_odds[shift + interval[day]]
            if day == started:
                if is_natural:
                    profile[START, day:] = min(level / tail[begin], cap_start)
                break
            profile[NO_START, day] = min(stays, cap_no_start[day])
            if is_natural:
                profile[START, day] = level * tail[day + 1] / tail[begin]
        if is_natural and end <= grace:
            level *= tail[end] / tail[begin]
    if not is_natural:
        profile[START, :grace] = 1.0
        profile[START, grace] = min((1 + end_odds) / end_odds, cap_start) if started >= 0 else 0.0


@njit(cache=True, nogil=True)
def fill_tail(
    begin: Any, grace: Any, shift: Any, interval: Any, odds: Any, cell_odds: Any, tail: Any
) -> None:
    """tail[k] = P(start on k..grace | none before k), for k from begin; 0 after the grace time."""
    tail[grace + 1] = 0.0
    for day in range(grace, begin - 1, -1):
        ratio = odds * cell_odds[shift + interval[day]]
        hazard = ratio / (1 + ratio)
        tail[day] = hazard + (1 - hazard) * tail[day + 1] + TINY


@njit(cache=True, nogil=True)
def move_no_start(
    i: Any, people: Any, interval: Any, odds: Any, cell_odds: Any, amounts: Any, cell_sum: Any
) -> Any:
    """Derivative of the sum of amounts[t] x log weight in the log odds of each day's start.

    The no-start clone. amounts[t] must be 0 where the clone is censored or its weight capped. Adds
    to cell_sum by cell, returns the sum: the derivative in the entry's own linear predictor.
    """
    grace = interval.size - 1
    n_intervals = interval[grace] + 1
    left = np.sum(amounts)
    total, segment = 0.0, people.first_segment[i]
    for day in range(grace + 1):
        if day >= people.stop[i] or (people.start[i] >= 0 and day >= people.start[i]):
            break
        while segment + 1 < people.first_segment[i + 1] and people.segment_day[segment + 1] <= day:
            segment += 1
        cell = people.segment_pattern[segment] * n_intervals + interval[day]
        ratio = odds * cell_odds[cell]
        moved = left * ratio / (1 + ratio)
        cell_sum[cell] += moved
        total += moved
        left -= amounts[day]
    return total


@njit(cache=True, nogil=True)
def move_start(
    i: Any, people: Any, interval: Any, odds: Any, cell_odds: Any, amounts: Any, tail: Any,
    cell_sum: Any,
) -> Any:  # fmt: skip
    """The same for the start clone under the natural law of start days.

    The weight is a product of R's (see `clone_weights`), and the log of R_k has derivative
    h_j (1 - R_k) / R_k in the log odds of day j >= k: a running sum over k gives all j.
    """
    grace = interval.size - 1
    n_intervals = interval[grace] + 1
    started = people.start[i]
    last = min(people.stop[i] - 1, grace)
    left, total = np.sum(amounts), 0.0
    for segment in range(people.first_segment[i], people.first_segment[i + 1]):
        begin, end = people.segment_day[segment], grace + 1
        if segment + 1 < people.first_segment[i + 1]:
            end = people.segment_day[segment + 1]
        if begin > last or (started >= 0 and begin > started):
            break
        shift = people.segment_pattern[segment] * n_intervals
        fill_tail(begin, grace, shift, interval, odds, cell_odds, tail)
        is_here = begin <= started < end  # its weights from the start on are level / R_begin
        running = -left * (1 - tail[begin]) / tail[begin]
        for day in range(begin, grace + 1):
            if begin < day <= end and day <= last + 1 and (started < 0 or day <= started):
                amount = amounts[day - 1]
                left -= amount
                if day == end and not is_here:
                    amount += left
                running += amount * (1 - tail[day]) / tail[day]
            cell = shift + interval[day]
            ratio = odds * cell_odds[cell]
            moved = running * ratio / (1 + ratio)
            cell_sum[cell] += moved
            total += moved
    return total


@njit(cache=True, nogil=True)
def read_weights(
    people: Any, interval: Any, row_odds: Any, cell_odds: Any, end_odds: Any, is_natural: Any,
    cap_start: Any, cap_no_start: Any, day: Any,
) -> Any:  # fmt: skip
    """Weights (entries x 2) on (day, day + 1], 0 where not followed then; day -1: each one's last.

    end_odds: an entry's odds of having started by the end of the grace time.
    """
    grace = interval.size - 1
    tail, profile = np.empty(grace + 2), np.empty((2, grace + 1))
    weights = np.zeros((people.stop.size, 2))
    for i in range(people.stop.size):
        if day >= people.stop[i]:
            continue
        fill_profiles(
            i, people, interval, row_odds[people.row[i]], cell_odds, end_odds[i], is_natural,
            cap_start, cap_no_start, tail, profile,
        )  # fmt: skip
        place = min(people.stop[i] - 1 if day < 0 else day, grace)
        weights[i, 0], weights[i, 1] = profile[0, place], profile[1, place]
    return weights
