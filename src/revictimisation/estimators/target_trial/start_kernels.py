"""The compiled loops of a target trial: what replicates and gradients spend their time on.

Serial, and over plain arrays alone: the result can't depend on threads, and compiling is short.
"""

from __future__ import annotations

from typing import Any

from revictimisation.core.compiled import kernel

START, NO_START = 0, 1
TINY = 1e-300  # so that nothing is divided by 0 where a start is impossible
HUGE = 1e300  # so that nothing overflows where a start is certain


@kernel
def sum_expected(
    first: Any, row: Any, cell: Any, days: Any, weight: Any, row_odds: Any, cell_odds: Any,
    row_sum: Any, cell_sum: Any,
) -> None:  # fmt: skip
    """Add up the starts that are expected, by row of the base columns and by cell.

    Weights, odds and sums have a column for each replicate: the innermost loop, several at a time.
    """
    for i in range(row.size):
        r = row[i]
        for k in range(first[i], first[i + 1]):
            c, n_days = cell[k], float(days[k])
            for b in range(weight.shape[1]):
                odds = row_odds[r, b] * cell_odds[c, b]
                expected = weight[i, b] * n_days * odds / (1 + odds)
                expected = expected if weight[i, b] != 0 else 0.0  # odds may have no end
                row_sum[r, b] += expected
                cell_sum[c, b] += expected


@kernel
def sum_information(
    first: Any, row: Any, cell: Any, days: Any, weight: Any, row_odds: Any, cell_odds: Any,
    pointers: Any, indices: Any, values: Any, by_cell: Any, by_row: Any, cross: Any, base: Any,
) -> None:  # fmt: skip
    """Add up the information by cell, of cells with base columns (cross), and of base columns."""
    for i in range(row.size):
        if weight[i] == 0:
            continue
        r, total = row[i], 0.0
        low, high = pointers[r], pointers[r + 1]
        for k in range(first[i], first[i + 1]):
            odds = row_odds[r] * cell_odds[cell[k]]
            amount = weight[i] * days[k] * odds / ((1 + odds) * (1 + odds))
            total += amount
            by_cell[cell[k]] += amount
            mine = cross[cell[k]]
            for c in range(low, high):
                mine[indices[c]] += amount * values[c]
        by_row[r] += total
    for r in range(by_row.size):
        if by_row[r] == 0:
            continue
        for c in range(pointers[r], pointers[r + 1]):
            scaled, mine = by_row[r] * values[c], base[indices[c]]
            for d in range(pointers[r], c + 1):
                mine[indices[d]] += scaled * values[d]
    for c in range(base.shape[0]):
        for d in range(c):
            base[c, d] += base[d, c]  # one of the two is 0 where indices ascend
            base[d, c] = base[c, d]


@kernel
def fill_weights(
    who: Any, stop: Any, start: Any, row: Any, first_segment: Any, segment_day: Any,
    segment_pattern: Any, interval: Any, row_odds: Any, cell_odds: Any, law_rows: Any,
    law_cells: Any, is_natural: Any, cap_start: Any, cap_no_start: Any, tail: Any, weights: Any,
) -> None:  # fmt: skip
    """Fill weights[entry, arm, t] of the entries `who`; definitions in `clone_weights`.

    Place t: on (t, t + 1], the last one also later; 0 where the clone is not followed. The odds of
    a start on each day are row_odds x cell_odds. `law_rows` and `law_cells` (by interval of days)
    are those of the natural law, or (by pattern on the last day) of having started by the end of
    the grace time. R_k = P(start on k..grace | none before), `tail`, follows from the end
    backwards: R_k = l_k + (1 - l_k) R_(k+1), 0 after the grace time; no digits are lost where l is
    tiny. Caps are the largest weights allowed.
    """
    grace = interval.size - 1
    n_intervals = interval[grace] + 1
    for b in range(who.size):
        i = who[b]
        last, law_odds, odds = min(stop[i] - 1, grace), law_rows[row[i]], row_odds[row[i]]
        has_started = start[i] >= 0
        free = start[i] if has_started else last + 1  # days without a start
        stays, level, final = 1.0, 1.0, 0.0
        if is_natural:
            tail[grace + 1] = 0.0
            hazard, previous = 0.0, -1
            for day in range(grace, -1, -1):
                if interval[day] != previous:
                    previous = interval[day]
                    law = law_odds * law_cells[previous]
                    hazard = law / (1 + law)
                tail[day] = (hazard + TINY) + (1 - hazard) * tail[day + 1]
            level = 1 / tail[0]
        elif has_started:
            ends = law_odds * law_cells[segment_pattern[first_segment[i + 1] - 1]]
            final = min((1 + ends) / (ends + TINY), cap_start)
        segment, law, ratio, change, cell = first_segment[i], 0.0, 0.0, 1.0, -1
        for day in range(min(free, last) + 1):
            while segment + 1 < first_segment[i + 1] and segment_day[segment + 1] <= day:
                segment += 1
            now = segment_pattern[segment] * n_intervals + interval[day]
            if now != cell:  # days of one cell are alike
                cell, ratio = now, odds * cell_odds[now]
                if is_natural:
                    law = law_odds * law_cells[interval[day]]
                    change = (1 + ratio) / (1 + law)
            if day == free:
                break
            stays *= 1 + ratio
            weights[b, NO_START, day] = min(stays, cap_no_start[day])
            if is_natural:
                level *= change
                weights[b, START, day] = level * tail[day + 1]
        if is_natural and has_started:
            chance = law * (1 + ratio) / ((ratio + TINY) * (1 + law))
            final = min(level * chance, cap_start)
        for day in range(free, grace + 1):
            weights[b, NO_START, day] = 0.0
            weights[b, START, day] = final if day <= last else 0.0
        if not is_natural:
            for day in range(min(last, grace - 1) + 1):
                weights[b, START, day] = 1.0
            if last == grace:
                weights[b, START, grace] = final


@kernel
def add_ahead(
    amounts: Any, factor: Any, cells: Any, ahead: Any, by_cell: Any, by_entry: Any
) -> None:  # fmt: skip
    """Add `factor` x the sum of `amounts` from each day on, by cell and by entry.

    amounts: days x targets x entries. factor, cells: days x entries. by_cell: targets x cells.
    by_entry: targets x entries. ahead: room for a number an entry.
    """
    n_days, n_targets, n_entries = amounts.shape
    for t in range(n_targets):
        for i in range(n_entries):
            ahead[i] = 0.0
        for day in range(n_days - 1, -1, -1):
            for i in range(n_entries):
                ahead[i] += amounts[day, t, i]
                moved = ahead[i] * factor[day, i]
                by_cell[t, cells[day, i]] += moved
                by_entry[t, i] += moved


@kernel
def descend(
    slope: Any, second: Any, theta: Any, bound: Any, rounding: Any, step: Any
) -> None:  # fmt: skip
    """Fill the step that makes slope'step + step'second step / 2 + bound'|theta + step| least.

    Coordinate by coordinate (Friedman, Hastie & Tibshirani 2010) from `step` on, until none moves
    the slope by more than `rounding`.
    """
    n = theta.size
    now = slope + second @ step
    for _ in range(10000):
        most = 0.0
        for j in range(n):
            own = second[j, j]
            if own <= 0:
                continue
            old = theta[j] + step[j]
            free = old - now[j] / own
            least = bound[j] / own
            new = max(free - least, 0.0) if free > 0 else min(free + least, 0.0)
            moved = new - old
            if moved != 0:
                step[j] += moved
                most = max(most, abs(moved) * own)
                for k in range(n):
                    now[k] += moved * second[k, j]
        if most <= rounding:
            break


@kernel
def fill_three(
    stop: Any, starts: Any, own: Any, odds: Any, within: Any, room: Any, chances: Any, weights: Any
) -> None:
    """Fill chances[entry, strategy] and weights[entry, strategy, t]; see `three_strategies`.

    starts, own: agencies x entries, the first start (or -1) and exp(x'b). odds: by day, of police
    where social services have not started and where they have; of social services where police
    have not, have, and do so this very day. room: the inverse of P(no start on days 0..k - 1) of
    either agency once the other has started, and P(strategy | nothing started before k), by k.
    """
    n_days = odds.shape[1]
    for i in range(stop.size):
        for agency in range(2):
            inverse, given = room[agency], odds[1 + 2 * agency]
            inverse[0] = 1.0
            for k in range(n_days):
                inverse[k + 1] = min(inverse[k] * (1 + given[k] * own[agency, i]), HUGE)
        room[2, n_days] = room[3, n_days] = 0.0
        room[4, n_days] = 1.0
        for k in range(n_days - 1, -1, -1):
            p, s, same = odds[0, k] * own[0, i], odds[2, k] * own[1, i], odds[4, k] * own[1, i]
            p, s, same = p / (1 + p), s / (1 + s), same / (1 + same)
            due, neither = min(k + within + 1, n_days), (1 - p) * (1 - s)
            both, one = p * same, 0.0
            for agency in range(2):  # that starts alone on day k
                inverse, alone = room[1 - agency], p * (1 - same) if agency == 0 else (1 - p) * s
                both += alone * (1 - inverse[k + 1] / inverse[due])
                one += alone * (inverse[k + 1] / inverse[n_days])
            room[2, k] = both + neither * room[2, k + 1]
            room[3, k] = one + neither * room[3, k + 1]
            room[4, k] = neither * room[4, k + 1]
        for arm in range(3):
            chances[i, arm] = room[2 + arm, 0]
        for k in range(n_days):
            has_p, has_s = 0 <= starts[0, i] <= k, 0 <= starts[1, i] <= k
            both, one, none = room[2, k + 1], room[3, k + 1], room[4, k + 1]
            if has_p and has_s:
                is_near = abs(starts[0, i] - starts[1, i]) <= within
                both, one, none = 1.0 if is_near else 0.0, 0.0, 0.0
            elif has_p or has_s:
                agency = 0 if has_p else 1
                inverse, due = room[1 - agency], min(starts[agency, i] + within + 1, n_days)
                both = 1 - inverse[k + 1] / inverse[due] if k + 1 < due else 0.0
                one, none = inverse[k + 1] / inverse[n_days], 0.0
            is_there = k < stop[i]
            weights[i, 0, k] = both / chances[i, 0] if is_there and chances[i, 0] > 0 else 0.0
            weights[i, 1, k] = one / chances[i, 1] if is_there and chances[i, 1] > 0 else 0.0
            weights[i, 2, k] = none / chances[i, 2] if is_there and chances[i, 2] > 0 else 0.0
