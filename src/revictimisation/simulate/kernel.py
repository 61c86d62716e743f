"""The compiled course of one victim after another: repeat reports, measures, nothing else.

Every process has a cumulated hazard in whole days and a threshold drawn from the unit exponential;
it fires on the day the cumulated hazard reaches the threshold (time change, Cox & Lewis 1966). Between
changes of state all hazards are a constant times a table, so the next day of each process is found by
a search in its table and no day is walked through in vain.

Order within a day: reports, then death or emigration (the end of the course), then what starts or
ends. What starts or ends on a day counts from the next day on: a measure acts on days (start, end].
"""

from __future__ import annotations

import numpy as np
from numba import njit

NEVER = 1_000_000_000
KIND_REPORT = 0      # index = suspect number within the victim
KIND_MEASURE = 1     # index = number of the study measure
KIND_OTHER = 2       # a report against somebody else; index is -1
N_SLOTS = 64         # streams per victim: thresholds and lengths of stay


@njit(cache=True)
def _mix(value):
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True)
def _uniform(key, slot, turn):
    bits = _mix(key ^ _mix(np.uint64(slot) * np.uint64(1_000_003) + np.uint64(turn)))
    return np.float64(bits >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True)
def _threshold(key, slot, turn):
    return -np.log(1.0 - _uniform(key, slot, turn))


@njit(cache=True)
def draw_thresholds(keys, slot):
    """Draw the first threshold of one process for each victim, as ``run_courses`` does."""
    drawn = np.empty(keys.size)
    for i in range(keys.size):
        drawn[i] = _threshold(keys[i], slot, 0)
    return drawn


@njit(cache=True)
def _first_day(table, from_day, remaining, multiplier):
    """First day after from_day on which the hazard cumulated since reaches what remains."""
    if multiplier <= 0.0:
        return NEVER
    target = table[from_day + 1] + remaining / multiplier
    if target > table[table.size - 1]:
        return NEVER
    low, high = from_day + 2, table.size - 1
    while low < high:
        middle = (low + high) // 2
        if table[middle] >= target:
            high = middle
        else:
            low = middle + 1
    return low - 1


@njit(cache=True)
def _length(spec, uniform):
    """Days in force: Weibull (shape, scale) cut at a largest length, at least one day."""
    days = spec[1] * (-np.log(1.0 - uniform)) ** (1.0 / spec[0])
    return max(1, min(int(round(days)), int(spec[2])))


@njit(cache=True)
def run_courses(
    keys, last_day, n_suspects, log_event, log_other, log_start,
    effect, reporting, carry_share, carry_days, between, restart,
    event_table, other_table, start_tables, lengths, running,
    shared_share, is_clock_reset, forced, mode, grace, forced_day, start_hazard, out,
):
    """Run the course of every victim; return the number of rows written to ``out``.

    keys (n,) random key of each victim; last_day (n,) last day of the course; log_event (n, 3) log hazard multiplier of each suspect; log_start (n, m); effect (n, m)
    log hazard while in force; between (m, m) what measure row in force adds to the start of measure
    column; tables: hazard cumulated to day d at place d + 1; lengths (m, 3); running (n, m) last day
    in force of a measure running before day 0, else 0.
    mode 0 natural; 1 measure ``forced`` starts on ``forced_day``; 2 it does not start by ``grace``;
    3 as 2, and ``start_hazard`` (n, grace + 1) is filled with its natural cumulated hazard.
    out (capacity, 5): victim, kind, index, day, end. Returns -1 when out is too small.
    """
    n_measures = start_tables.shape[0]
    rows = 0
    in_force = np.zeros(n_measures, dtype=np.bool_)
    ends = np.zeros(n_measures, dtype=np.int64)
    carry_until = np.zeros(n_measures, dtype=np.int64)
    turn = np.zeros(n_measures, dtype=np.int64)
    left = np.zeros(n_measures)
    start_mult = np.zeros(n_measures)
    start_on = np.zeros(n_measures, dtype=np.int64)
    report_left = np.zeros(5)
    report_turn = np.zeros(5, dtype=np.int64)
    report_mult = np.zeros(5)
    report_on = np.zeros(5, dtype=np.int64)
    for i in range(keys.size):
        key = keys[i]
        for k in range(n_measures):
            turn[k] = 0
            left[k] = _threshold(key, k, 0)
            in_force[k] = running[i, k] > 0
            ends[k] = running[i, k] if in_force[k] else NEVER
            carry_until[k] = -1
        for j in range(5):
            report_turn[j] = 0
            report_left[j] = _threshold(key, 20 + j, 0)
        day = -1
        clock = 0
        while True:
            log_sum = 0.0
            log_reporting = 0.0
            for k in range(n_measures):
                if in_force[k]:
                    log_sum += effect[i, k]
                    log_reporting += reporting[k]
                elif carry_until[k] > day:
                    log_sum += effect[i, k] * carry_share[k]
            smallest = np.inf
            for j in range(n_suspects[i]):
                report_mult[j] = np.exp(log_event[i, j] + log_sum + log_reporting)
                smallest = min(smallest, report_mult[j])
            report_mult[3] = 0.0
            if n_suspects[i] > 1:
                report_mult[3] = shared_share * smallest
                for j in range(n_suspects[i]):
                    report_mult[j] -= report_mult[3]
            report_mult[4] = np.exp(log_other[i] + log_reporting)
            next_day = last_day[i]
            for j in range(5):
                report_on[j] = NEVER
                if j < n_suspects[i] or j > 3 or (j == 3 and n_suspects[i] > 1):
                    table = other_table if j == 4 else event_table
                    report_on[j] = _first_day(table, day, report_left[j], report_mult[j])
                    next_day = min(next_day, report_on[j])
            for k in range(n_measures):
                log_rate = log_start[i, k]
                if turn[k] > 0:
                    log_rate += restart[k]
                for l in range(n_measures):
                    if in_force[l]:
                        log_rate += between[l, k]
                start_mult[k] = 0.0 if in_force[k] else np.exp(log_rate)
                start_on[k] = NEVER
                is_held = mode > 0 and k == forced and turn[k] == 0
                if is_held and mode == 1:
                    if not in_force[k]:
                        start_on[k] = max(forced_day[i], day + 1)
                elif is_held and day < grace:
                    start_on[k] = NEVER
                    next_day = min(next_day, grace)
                elif not in_force[k]:
                    start_on[k] = _first_day(start_tables[k], day - clock, left[k], start_mult[k])
                    if start_on[k] < NEVER:
                        start_on[k] += clock
                next_day = min(next_day, start_on[k])
                if in_force[k]:
                    next_day = min(next_day, ends[k])
                elif carry_until[k] > day:
                    next_day = min(next_day, carry_until[k])
            # what remains of every threshold, by the hazard of (day, next_day]
            if mode == 3 and day < grace:
                for d in range(day + 1, min(next_day, grace) + 1):
                    table = start_tables[forced]
                    before = start_hazard[i, d - 1] if d > 0 else 0.0
                    start_hazard[i, d] = before + start_mult[forced] * (table[d + 1] - table[d])
            for j in range(5):
                if report_on[j] > next_day:
                    table = other_table if j == 4 else event_table
                    spent = report_mult[j] * (table[next_day + 1] - table[day + 1])
                    report_left[j] = max(report_left[j] - spent, 1e-12)
            for k in range(n_measures):
                is_held = mode > 0 and k == forced and turn[k] == 0
                if is_held and mode == 1:
                    continue
                if is_held and day < grace:      # barred: chance is spent, then drawn anew
                    table = start_tables[k]
                    left[k] -= start_mult[k] * (
                        table[next_day - clock + 1] - table[day - clock + 1])
                    if next_day == grace and left[k] <= 0.0:
                        left[k] = _threshold(key, 60, 0)
                    continue
                if start_on[k] > next_day and not in_force[k]:
                    table = start_tables[k]
                    spent = start_mult[k] * (table[next_day - clock + 1] - table[day - clock + 1])
                    left[k] = max(left[k] - spent, 1e-12)
            if rows + 16 + n_measures > out.shape[0]:
                return -1
            day = next_day
            is_reported = False
            for j in range(5):
                if report_on[j] == day:
                    report_turn[j] += 1
                    report_left[j] = _threshold(key, 20 + j, report_turn[j])
                    if j == 4:
                        out[rows, 0], out[rows, 1], out[rows, 2] = i, KIND_OTHER, -1
                        out[rows, 3], out[rows, 4] = day, day
                        rows += 1
                        continue
                    is_reported = True
                    first = 0 if j == 3 else j
                    last = n_suspects[i] if j == 3 else j + 1
                    for s in range(first, last):
                        out[rows, 0], out[rows, 1], out[rows, 2] = i, KIND_REPORT, s
                        out[rows, 3], out[rows, 4] = day, day
                        rows += 1
            if day >= last_day[i]:
                break
            for k in range(n_measures):
                if start_on[k] == day:
                    turn[k] += 1
                    left[k] = _threshold(key, k, turn[k])
                    in_force[k] = True
                    ends[k] = day + _length(lengths[k], _uniform(key, 40 + k, turn[k]))
                    out[rows, 0], out[rows, 1], out[rows, 2] = i, KIND_MEASURE, k
                    out[rows, 3], out[rows, 4] = day, ends[k]
                    rows += 1
                elif in_force[k] and ends[k] == day:
                    in_force[k] = False
                    if carry_share[k] > 0.0:
                        carry_until[k] = day + carry_days[k]
            if is_reported and is_clock_reset:
                clock = day
    return rows
