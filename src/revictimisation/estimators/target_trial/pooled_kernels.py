"""The compiled inner loops of the pooled logistic model of starts.

The log odds of a start on a day are x'b + c: x the baseline columns of the entry's row, c the
effect of its *cell* (interval of days x pattern of the changing covariates). Within an entry and a
cell days are alike and counted together, and odds are exp(x'b) exp(c): an exponential per row of
covariates and per cell, none per day. All loops are serial: the result can't depend on threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from revictimisation.core.compiled import kernel

MAX_HALVINGS = 30
# Where nothing holds a coefficient back a step from an old information matrix may be without limit.
LONGEST_STEP = 3.0
# Steps that shrink less than so (in the gain they foretell) ask for a new information matrix.
SLOW = 0.3
ALIAS_TOLERANCE = 1e-9


@kernel
def count_runs(people: Any, interval: Any, n_intervals: Any, grace: Any) -> Any:
    """Pointers to each entry's rows: runs of days at risk of a start in the same cell."""
    first = np.zeros(people.stop.size + 1, np.int64)
    cell = np.empty(0, np.int32)
    for i in range(people.stop.size):
        n_runs = _lay_entry(i, people, interval, n_intervals, grace, first[i], cell, cell)
        first[i + 1] = first[i] + n_runs
    return first


@kernel
def lay_runs(
    people: Any, interval: Any, n_intervals: Any, grace: Any, first: Any, cell: Any, days: Any
) -> None:
    """Fill cell and number of days of each run."""
    for i in range(people.stop.size):
        _lay_entry(i, people, interval, n_intervals, grace, first[i], cell, days)


@kernel
def _lay_entry(
    i: Any, people: Any, interval: Any, n_intervals: Any, grace: Any, at: Any, cell: Any, days: Any
) -> Any:
    last = min(people.stop[i] - 1, grace)
    if people.start[i] >= 0:
        last = min(last, people.start[i])
    segment, n_runs, previous = people.first_segment[i], 0, -1
    for day in range(last + 1):
        while segment + 1 < people.first_segment[i + 1] and people.segment_day[segment + 1] <= day:
            segment += 1
        here = people.segment_pattern[segment] * n_intervals + interval[day]
        if here != previous:
            n_runs += 1
            previous = here
            if cell.size:
                cell[at + n_runs - 1] = here
                days[at + n_runs - 1] = 0
        if cell.size:
            days[at + n_runs - 1] += 1
    return n_runs


@kernel
def fill_odds(columns: Any, effects: Any, theta: Any, row_odds: Any, cell_odds: Any) -> None:
    """exp(x'b) of each row of covariates and exp(c) of each cell; theta: cells' effects, then b."""
    n_effects = effects.shape[1]
    for r in range(row_odds.size):
        total = 0.0
        for c in range(columns.pointers[r], columns.pointers[r + 1]):
            total += columns.values[c] * theta[n_effects + columns.indices[c]]
        row_odds[r] = np.exp(total)
    for c in range(cell_odds.size):
        total = 0.0
        for k in range(n_effects):
            total += effects[c, k] * theta[k]
        cell_odds[c] = np.exp(total)


@kernel
def sum_scores(
    row: Any, weight: Any, pooled: Any, columns: Any, row_odds: Any, cell_odds: Any,
    row_sum: Any, cell_sum: Any, score: Any, is_careful: Any,
) -> Any:  # fmt: skip
    """Fill the score; return the log likelihood (0 unless `is_careful`: logarithms are slow)."""
    row_sum[:] = 0.0
    cell_sum[:] = 0.0
    loglik = 0.0
    for i in range(row.size):
        if weight[i] == 0:
            continue
        own = 0.0
        for k in range(pooled.first[i], pooled.first[i + 1]):
            cell = pooled.cell[k]
            odds = row_odds[row[i]] * cell_odds[cell]
            left = -pooled.days[k] * odds / (1 + odds)
            if is_careful:
                loglik -= weight[i] * pooled.days[k] * np.log1p(odds)
            if pooled.is_start[i] and k == pooled.first[i + 1] - 1:
                left += 1
                if is_careful:
                    loglik += weight[i] * np.log(odds)
            cell_sum[cell] += weight[i] * left
            own += left
        row_sum[row[i]] += weight[i] * own
    gather_columns(row_sum, cell_sum, columns, pooled.effects, score)
    return loglik


@kernel
def gather_columns(row_sum: Any, cell_sum: Any, columns: Any, effects: Any, total: Any) -> None:
    """Sums by row of covariates and by cell, turned into sums by column."""
    n_effects = effects.shape[1]
    total[:] = 0.0
    for c in range(cell_sum.size):
        for k in range(n_effects):
            total[k] += cell_sum[c] * effects[c, k]
    for r in range(row_sum.size):
        if row_sum[r] != 0:
            for c in range(columns.pointers[r], columns.pointers[r + 1]):
                total[n_effects + columns.indices[c]] += row_sum[r] * columns.values[c]


@kernel
def sum_information(
    row: Any, weight: Any, pooled: Any, columns: Any, row_odds: Any, cell_odds: Any, info: Any
) -> None:
    """Fill the information matrix (cells' effects first, then the base columns)."""
    n_effects, n_cells = pooled.effects.shape[1], cell_odds.size
    n_base = info.shape[0] - n_effects
    row_info, cell_info = np.zeros(row_odds.size), np.zeros(n_cells)
    cross = np.zeros((n_cells, n_base))
    for i in range(row.size):
        if weight[i] == 0:
            continue
        low, high = columns.pointers[row[i]], columns.pointers[row[i] + 1]
        own = 0.0
        for k in range(pooled.first[i], pooled.first[i + 1]):
            cell = pooled.cell[k]
            odds = row_odds[row[i]] * cell_odds[cell]
            amount = weight[i] * pooled.days[k] * odds / ((1 + odds) * (1 + odds))
            own += amount
            cell_info[cell] += amount
            for c in range(low, high):
                cross[cell, columns.indices[c]] += amount * columns.values[c]
        row_info[row[i]] += own
    info[:] = 0.0
    for c in range(n_cells):
        for k in range(n_effects):
            z = pooled.effects[c, k]
            if z == 0:
                continue
            for m in range(n_effects):
                info[k, m] += z * cell_info[c] * pooled.effects[c, m]
            for m in range(n_base):
                info[k, n_effects + m] += z * cross[c, m]
    _add_base(row_info, columns, n_effects, info)


@kernel
def _add_base(row_info: Any, columns: Any, shift: Any, info: Any) -> None:
    for r in range(row_info.size):
        if row_info[r] == 0:
            continue
        for c in range(columns.pointers[r], columns.pointers[r + 1]):
            amount = row_info[r] * columns.values[c]
            for d in range(columns.pointers[r], columns.pointers[r + 1]):
                info[shift + columns.indices[c], shift + columns.indices[d]] += (
                    amount * columns.values[d]
                )
    for k in range(shift):
        for m in range(shift, info.shape[0]):
            info[m, k] = info[k, m]


@kernel
def factor(info: Any, lower: Any) -> None:
    """Cholesky factor of info; a column that depends on earlier ones gets a zero row and column."""
    n = info.shape[0]
    lower[:] = 0.0
    for k in range(n):
        pivot = info[k, k]
        for m in range(k):
            pivot -= lower[k, m] * lower[k, m]
        if not pivot > ALIAS_TOLERANCE * info[k, k]:
            lower[k, :] = 0.0
            continue
        lower[k, k] = np.sqrt(pivot)
        for j in range(k + 1, n):
            total = info[j, k]
            for m in range(k):
                total -= lower[j, m] * lower[k, m]
            lower[j, k] = total / lower[k, k]


@kernel
def solve(lower: Any, right: Any, step: Any) -> None:
    """Solve L L' step = right; left-out columns get 0."""
    n = right.size
    for k in range(n):
        total = right[k]
        for m in range(k):
            total -= lower[k, m] * step[m]
        step[k] = total / lower[k, k] if lower[k, k] > 0 else 0.0
    for k in range(n - 1, -1, -1):
        total = step[k]
        for m in range(k + 1, n):
            total -= lower[m, k] * step[m]
        step[k] = total / lower[k, k] if lower[k, k] > 0 else 0.0


def maximise(
    row: Any, weight: Any, pooled: Any, columns: Any, theta: Any, row_odds: Any, cell_odds: Any,
    is_careful: Any, tolerance: Any, most: Any,
) -> Any:  # fmt: skip
    """`maximise_from`, with nothing known of the information."""
    lower = np.empty((theta.size, theta.size))
    return maximise_from(
        row, weight, pooled, columns, theta, row_odds, cell_odds, is_careful, tolerance, most,
        lower, False,
    )  # fmt: skip


@kernel
def maximise_from(
    row: Any, weight: Any, pooled: Any, columns: Any, theta: Any, row_odds: Any, cell_odds: Any,
    is_careful: Any, tolerance: Any, most: Any, lower: Any, is_known: Any,
) -> Any:  # fmt: skip
    """Newton's method from `theta`, which it moves; returns passes, negative if it did not settle.

    The information, at first what `lower` factors (if `is_known`), is kept from step to step while
    steps shrink quickly (a chord method) and made anew when they do not; `is_careful` makes it anew
    always and halves steps that lower the likelihood, and where the point to begin from has none,
    coefficients and odds are NaN. It ends when the gain foretold by the next step is below
    `tolerance`.
    """
    n = theta.size
    info = np.empty((n, n))
    score, step, old = np.empty(n), np.empty(n), np.empty(n)
    row_sum, cell_sum = np.empty(row_odds.size), np.empty(cell_odds.size)
    is_stale, before, best, halvings = not is_known, np.inf, -np.inf, 0
    for turn in range(most):
        fill_odds(columns, pooled.effects, theta, row_odds, cell_odds)
        loglik = sum_scores(
            row, weight, pooled, columns, row_odds, cell_odds, row_sum, cell_sum, score, is_careful
        )
        allowed = 1e-11 * np.abs(loglik) + 1e-9
        if is_careful and not loglik >= best - allowed and halvings < MAX_HALVINGS:
            if turn == 0:  # the first point has no likelihood: no step to halve, no answer
                theta[:] = np.nan
                fill_odds(columns, pooled.effects, theta, row_odds, cell_odds)
                return -1
            halvings += 1
            for k in range(n):
                step[k] *= 0.5
                theta[k] = old[k] + step[k]
            continue
        best, halvings = loglik, 0
        if is_stale or is_careful:
            sum_information(row, weight, pooled, columns, row_odds, cell_odds, info)
            factor(info, lower)
        solve(lower, score, step)
        gain, longest = 0.0, 0.0
        for k in range(n):
            gain += score[k] * step[k]
            longest = max(longest, abs(step[k]))
        if not np.isfinite(gain):
            return -(turn + 1)
        if longest > LONGEST_STEP:
            scale = LONGEST_STEP / longest
            for k in range(n):
                step[k] *= scale
        for k in range(n):
            old[k] = theta[k]
            theta[k] += step[k]
        if gain < tolerance and longest <= LONGEST_STEP:
            fill_odds(columns, pooled.effects, theta, row_odds, cell_odds)
            return turn + 1
        is_stale = gain > SLOW * before or longest > LONGEST_STEP
        before = gain
    return -most
