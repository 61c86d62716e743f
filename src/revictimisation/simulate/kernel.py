"""The compiled course of one victim after another: reports and measures, nothing else.

Every process has a cumulated hazard in whole days and a threshold drawn from the unit exponential;
it fires on the day the cumulated hazard reaches the threshold. Between changes of state every
hazard is a constant times a table, so the next day of each process is found by a search in its
table and no day is walked through in vain (the next-reaction method, Gibson & Bruck 2000, in whole
days).

Order within a day: reports, then death or emigration (the end of the course), then what starts or
ends. What starts or ends on a day counts from the next day on: a measure acts on days (start, end].
Tables hold the hazard cumulated to day d at place d + 1, so that place 0 is the day before the
index.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from revictimisation.core.compiled import kernel

NEVER = 1_000_000_000
NATURAL, FORCE_START, FORCE_NO_START, ONLY_HAZARD = 0, 1, 2, 3
KIND_REPORT = 0  # index = number of the suspect within the victim
KIND_MEASURE = 1  # index = number of the study measure
KIND_OTHER = 2  # a report against somebody else; index is -1
MOST_SUSPECTS = 3
SHARED = 3  # place of the reports that name all suspects of a victim at once
OTHER = 4  # place of the reports against somebody else
N_REPORT_PROCESSES = 5
# streams of one victim's random numbers: measures 0-19, reports 20-24, lengths 40-59
REPORT_SLOT, LENGTH_SLOT, ANEW_SLOT = 20, 40, 60
LEAST_LEFT = 1e-12  # what remains of a threshold after rounding is never nothing


class Given(NamedTuple):
    """What the course depends on; the first axis is the victim unless said otherwise.

    keys: random key. last_day: last day of the course. log_event (n, 3): log hazard multiplier of
    each suspect. log_start, effect, running (n, m): log start rate; log hazard while in force; last
    day in force of a measure running before day 0, else 0. kinds (m,): MEASURE_KIND. between (m,
    m): what the row in force adds to the log start rate of the column. start_tables (m, days).
    """

    keys: np.ndarray
    last_day: np.ndarray
    n_suspects: np.ndarray
    log_event: np.ndarray
    log_other: np.ndarray
    log_start: np.ndarray
    effect: np.ndarray
    running: np.ndarray
    kinds: np.ndarray
    between: np.ndarray
    event_table: np.ndarray
    other_table: np.ndarray
    start_tables: np.ndarray


class Rule(NamedTuple):
    """The strategy laid upon one measure, and two switches of the process.

    mode NATURAL: none; FORCE_START: ``measure`` first starts on ``start_days``; FORCE_NO_START: not
    up to ``grace``; ONLY_HAZARD: the same, and ``hazard`` (n, grace + 1) is filled with what the
    natural start hazard would have cumulated to.
    """

    mode: int
    measure: int
    grace: int
    shared_share: float
    is_clock_reset: bool
    start_days: np.ndarray
    hazard: np.ndarray


# where one victim stands, by measure and by report process; written over for each victim
MEASURE_STATE = np.dtype([
    ("is_in_force", np.bool_), ("end", np.int64), ("carry_until", np.int64), ("turn", np.int64),
    ("left", np.float64), ("rate", np.float64), ("next_on", np.int64),
])  # fmt: skip
REPORT_STATE = np.dtype([
    ("turn", np.int64), ("left", np.float64), ("rate", np.float64), ("next_on", np.int64),
])  # fmt: skip
# what a measure is like for everybody; length is Weibull (shape, scale) cut at the largest
MEASURE_KIND = np.dtype([
    ("reporting", np.float64), ("carry_share", np.float64), ("carry_days", np.int64),
    ("restart", np.float64), ("length_shape", np.float64), ("length_scale", np.float64),
    ("length_largest", np.int64),
])  # fmt: skip


@kernel
def _mix(value):
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@kernel
def _draw_uniform(key, slot, turn):
    bits = _mix(key ^ _mix(np.uint64(slot) * np.uint64(1_000_003) + np.uint64(turn)))
    return np.float64(bits >> np.uint64(11)) / 9007199254740992.0


@kernel
def _draw_threshold(key, slot, turn):
    return -np.log(1.0 - _draw_uniform(key, slot, turn))


@kernel
def draw_thresholds(keys, slot):
    """Draw the first threshold of one process for each victim, as ``run_courses`` does."""
    drawn = np.empty(keys.size)
    for i in range(keys.size):
        drawn[i] = _draw_threshold(keys[i], slot, np.int64(0))
    return drawn


@kernel
def _find_day(table, from_day, remaining, rate):
    """First day after from_day on which the hazard cumulated since then reaches what remains."""
    if rate <= 0.0:
        return NEVER
    target = table[from_day + 1] + remaining / rate
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


@kernel
def _draw_length(kind, uniform):
    """Days in force: Weibull cut at the largest length, at least one day."""
    days = kind.length_scale * (-np.log(1.0 - uniform)) ** (1.0 / kind.length_shape)
    return max(1, min(round(days), kind.length_largest))


@kernel
def _begin(i, keys, running, measures, reports):
    """Put the state to the moment before day 0."""
    for k in range(measures.size):
        measures[k].turn = 0
        measures[k].left = _draw_threshold(keys[i], k, measures[k].turn)
        measures[k].is_in_force = running[i, k] > 0
        measures[k].end = running[i, k]
        measures[k].carry_until = -1
    for j in range(reports.size):
        reports[j].turn = 0
        reports[j].left = _draw_threshold(keys[i], REPORT_SLOT + j, reports[j].turn)


@kernel
def _rate_reports(
    i, day, n_suspects, log_event, log_other, effect, kinds, shared_share, measures, reports
):
    """Set the rates of all report processes by the measures in force and their carry-over."""
    log_effect, log_reporting = 0.0, 0.0
    for k in range(measures.size):
        if measures[k].is_in_force:
            log_effect += effect[i, k]
            log_reporting += kinds[k].reporting
        elif measures[k].carry_until > day:
            log_effect += effect[i, k] * kinds[k].carry_share
    smallest = np.inf
    for j in range(MOST_SUSPECTS):
        reports[j].rate = 0.0
        if j < n_suspects[i]:
            rate = np.exp(log_event[i, j] + log_effect + log_reporting)
            reports[j].rate = rate
            smallest = min(smallest, rate)
    # with several suspects a part of the hazard is reports that name them all
    shared = shared_share * smallest if n_suspects[i] > 1 else 0.0
    reports[SHARED].rate = shared
    for j in range(n_suspects[i]):
        reports[j].rate -= shared
    reports[OTHER].rate = np.exp(log_other[i] + log_reporting)


@kernel
def _schedule_reports(day, event_table, other_table, reports):
    """Find the next day of every report process; return the first of them."""
    soonest = NEVER
    for j in range(reports.size):
        table = other_table if j == OTHER else event_table
        reports[j].next_on = _find_day(table, day, reports[j].left, reports[j].rate)
        soonest = min(soonest, reports[j].next_on)
    return soonest


@kernel
def _rate_starts(i, log_start, between, kinds, measures):
    """Set the start rate of every measure that is not in force, by those that are."""
    for k in range(measures.size):
        log_rate = log_start[i, k]
        if measures[k].turn > 0:
            log_rate += kinds[k].restart
        for other in range(measures.size):
            if measures[other].is_in_force:
                log_rate += between[other, k]
        measures[k].rate = 0.0 if measures[k].is_in_force else np.exp(log_rate)


@kernel
def _schedule_measures(day, clock, start_tables, held, mode, grace, start_day, measures):
    """Find the next day of every start; return the first day on which a start or an end changes.

    ``held`` is the measure on which a strategy still lies, or -1.
    """
    soonest = NEVER
    for k in range(measures.size):
        measures[k].next_on = NEVER
        if measures[k].is_in_force:
            soonest = min(soonest, measures[k].end)
            continue
        if measures[k].carry_until > day:
            soonest = min(soonest, measures[k].carry_until)
        if k == held and mode == FORCE_START:
            measures[k].next_on = max(start_day, day + 1)
        elif k == held and day < grace:
            soonest = min(soonest, grace)
        else:
            rate = measures[k].rate
            found = _find_day(start_tables[k], day - clock, measures[k].left, rate)
            measures[k].next_on = found + clock if found < NEVER else NEVER
        soonest = min(soonest, measures[k].next_on)
    return soonest


@kernel
def _record_hazard(i, day, until, table, rate, hazard):
    """Note the hazard that the barred measure's start would have cumulated on (day, until]."""
    for d in range(day + 1, min(until, hazard.shape[1] - 1) + 1):
        before = hazard[i, d - 1] if d > 0 else 0.0
        hazard[i, d] = before + rate * (table[d + 1] - table[d])


@kernel
def _spend_reports(day, until, event_table, other_table, reports):
    """Take the hazard of (day, until] off every threshold that is not reached on ``until``."""
    for j in range(reports.size):
        if reports[j].next_on > until:
            table = other_table if j == OTHER else event_table
            spent = reports[j].rate * (table[until + 1] - table[day + 1])
            reports[j].left = max(reports[j].left - spent, LEAST_LEFT)


@kernel
def _spend_starts(key, day, until, clock, start_tables, held, mode, grace, measures):
    """The same for the starts of measures; a barred one goes on spending, unseen."""
    for k in range(measures.size):
        if measures[k].is_in_force or measures[k].next_on <= until:
            continue
        if k == held and mode == FORCE_START:
            continue
        table = start_tables[k]
        spent = measures[k].rate * (table[until - clock + 1] - table[day - clock + 1])
        left = measures[k].left - spent
        if k == held and day < grace:
            # who would have started within the grace time draws chance anew after it
            if until == grace and left <= 0.0:
                left = _draw_threshold(key, np.int64(ANEW_SLOT), np.int64(0))
        else:
            left = max(left, LEAST_LEFT)
        measures[k].left = left


@kernel
def _write(out, row, victim, kind, index, day, end_day):
    out[row, 0], out[row, 1], out[row, 2] = victim, kind, index
    out[row, 3], out[row, 4] = day, end_day
    return row + 1


@kernel
def _file_reports(i, key, day, n_suspects, reports, out, row):
    """Write the reports of the day; return the next free row."""
    for j in range(reports.size):
        if reports[j].next_on != day:
            continue
        reports[j].turn += 1
        reports[j].left = _draw_threshold(key, REPORT_SLOT + j, reports[j].turn)
        first, last, kind = j, j + 1, np.int64(KIND_REPORT)
        if j == SHARED:
            first, last = 0, n_suspects
        elif j == OTHER:
            first, last, kind = -1, 0, np.int64(KIND_OTHER)
        for index in range(first, last):
            row = _write(out, row, i, kind, index, day, day)
    return row


@kernel
def _change_measures(i, key, day, kinds, measures, out, row):
    """End and start measures at the close of the day; return the next free row."""
    for k in range(measures.size):
        if measures[k].is_in_force:
            if measures[k].end == day:
                measures[k].is_in_force = False
                measures[k].carry_until = day + kinds[k].carry_days
        elif measures[k].next_on == day:
            turn = measures[k].turn + 1
            uniform = _draw_uniform(key, LENGTH_SLOT + k, turn)
            measures[k].turn = turn
            measures[k].left = _draw_threshold(key, k, turn)
            measures[k].is_in_force = True
            measures[k].end = day + _draw_length(kinds[k], uniform)
            row = _write(out, row, i, np.int64(KIND_MEASURE), k, day, measures[k].end)
    return row


@kernel
def _is_reported(day, reports):
    for j in range(OTHER):  # noqa: SIM110 - numba compiles no generators
        if reports[j].next_on == day:
            return True
    return False


@kernel
def _run(
    keys, last_day, n_suspects, log_event, log_other, log_start, effect, running, kinds, between,
    event_table, other_table, start_tables, mode, forced, grace, shared_share, is_clock_reset,
    start_days, hazard, measures, reports, out,
):  # fmt: skip
    row = np.int64(0)
    room = 16 + measures.size
    for i in range(keys.size):
        _begin(i, keys, running, measures, reports)
        day, clock = np.int64(-1), np.int64(0)
        while True:
            if row + room > out.shape[0]:
                return -1
            _rate_reports(i, day, n_suspects, log_event, log_other, effect, kinds, shared_share,
                          measures, reports)  # fmt: skip
            _rate_starts(i, log_start, between, kinds, measures)
            held = forced if mode != NATURAL and measures[forced].turn == 0 else -1
            start_day = start_days[i] if mode == FORCE_START else 0
            until = min(last_day[i], _schedule_reports(day, event_table, other_table, reports))
            until = min(until, _schedule_measures(day, clock, start_tables, held, mode, grace,
                                                  start_day, measures))  # fmt: skip
            if mode == ONLY_HAZARD:
                _record_hazard(i, day, until, start_tables[forced], measures[forced].rate, hazard)
            _spend_reports(day, until, event_table, other_table, reports)
            _spend_starts(keys[i], day, until, clock, start_tables, held, mode, grace, measures)
            day = until
            row = _file_reports(i, keys[i], day, n_suspects[i], reports, out, row)
            if day >= last_day[i]:
                break
            row = _change_measures(i, keys[i], day, kinds, measures, out, row)
            if is_clock_reset and _is_reported(day, reports):
                clock = day  # after a new report measures are taken up again
    return row


def run_courses(given: Given, rule: Rule, out: np.ndarray) -> int:
    """Run the course of every victim; return the number of rows written, or -1 if out is too small.

    ``out`` (capacity, 5) gets victim, kind, index, day and end day of each event.
    """
    measures = np.zeros(given.kinds.size, MEASURE_STATE)
    reports = np.zeros(N_REPORT_PROCESSES, REPORT_STATE)
    return int(_run(*given, *rule, measures, reports, out))
