"""The three compiled loops of a target trial: what a bootstrap replicate spends its time on.

Serial, and over plain arrays alone: the result can't depend on threads, and compiling is short.
"""

from __future__ import annotations

from typing import Any

from revictimisation.core.compiled import kernel

START, NO_START = 0, 1
TINY = 1e-300  # so that nothing is divided by 0 where a start is impossible


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
        low, high = pointers[row[i]], pointers[row[i] + 1]
        for k in range(first[i], first[i + 1]):
            odds = row_odds[row[i]] * cell_odds[cell[k]]
            amount = weight[i] * days[k] * odds / ((1 + odds) * (1 + odds))
            by_row[row[i]] += amount
            by_cell[cell[k]] += amount
            for c in range(low, high):
                cross[cell[k], indices[c]] += amount * values[c]
    for r in range(by_row.size):
        for c in range(pointers[r], pointers[r + 1]):
            scaled = by_row[r] * values[c]
            for d in range(pointers[r], pointers[r + 1]):
                base[indices[c], indices[d]] += scaled * values[d]


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


__all__ = ["NO_START", "START", "TINY", "fill_weights", "sum_expected", "sum_information"]
