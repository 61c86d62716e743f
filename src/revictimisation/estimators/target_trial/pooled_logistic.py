"""The pooled logistic model of starts: odds, scores, information, Newton's method.

The log odds of a start on a day are x'b + c: x the baseline columns of the entry's row, c the
effect of its *cell* (interval of days x pattern of the changing covariates). Within an entry and a
cell days are alike and counted together, and odds are exp(x'b) exp(c): an exponential per row of
covariates and per cell, none per day. Coefficients: the cells' effects, then the base columns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from revictimisation.estimators.solve import factor_cholesky, invert_cholesky
from revictimisation.estimators.target_trial.start_kernels import sum_expected, sum_information
from revictimisation.estimators.target_trial.trial_data import Pooled, Trial

# Where a coefficient runs away odds are infinite and sums NaN: that is handled, not warned of.
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_HALVINGS = 30
# Where nothing holds a coefficient back a step from an old information matrix may be without limit.
LONGEST_STEP = 3.0
# Steps that shrink less than so (in the gain they predict) ask for a new information matrix.
SLOW = 0.3
ALIAS_TOLERANCE = 1e-9
# A refit has its coefficients within some 1e-2 of their own error before the last step.
REFIT_TOLERANCE = 1e-4
QUICK_PASSES, MOST_PASSES = 25, 200
# Where nobody with a column starts, its coefficient is bound for minus infinity: so far at once.
FAR = 10.0


class Odds(NamedTuple):
    """exp(x'b) by row of the base columns and exp(c) by cell."""

    rows: Floats
    cells: Floats


class Maximum(NamedTuple):
    """Where Newton's method ended; coefficients and odds are NaN where it could not begin."""

    theta: Floats
    odds: Odds
    is_converged: bool


@np.errstate(all="ignore")
def find_odds(trial: Trial, pooled: Pooled, theta: Floats) -> Odds:
    """The odds at these coefficients."""
    n_effects = pooled.effects.shape[1]
    return Odds(
        np.exp(trial.matrix @ theta[n_effects:]),
        np.exp(pooled.effects @ theta[:n_effects]),
    )


@np.errstate(all="ignore")
def find_information(trial: Trial, pooled: Pooled, weight: Floats, odds: Odds) -> Floats:
    """The information matrix."""
    effects, columns = pooled.effects, trial.columns
    (n_cells, n_effects), (n_rows, n_base) = effects.shape, trial.matrix.shape
    by_cell, by_row = np.zeros(n_cells), np.zeros(n_rows)
    cross, base = np.zeros((n_cells, n_base)), np.zeros((n_base, n_base))
    sum_information(
        pooled.first, trial.people.row, pooled.cell, pooled.days, weight, *odds, *columns, by_cell,
        by_row, cross, base,
    )  # fmt: skip
    info = np.empty((n_effects + n_base, n_effects + n_base))
    info[:n_effects, :n_effects] = (effects * by_cell[:, None]).T @ effects
    info[:n_effects, n_effects:] = effects.T @ cross
    info[n_effects:, :n_effects] = info[:n_effects, n_effects:].T
    info[n_effects:, n_effects:] = base
    return info


def invert_information(info: Floats) -> tuple[Floats, Flags]:
    """The inverse over the columns that can be told from those before them (0 elsewhere); these."""
    lower, kept = factor_cholesky(info, np.diag(info).copy(), ALIAS_TOLERANCE)
    return invert_cholesky(lower, kept), kept


@np.errstate(all="ignore")
def find_residuals(trial: Trial, pooled: Pooled, odds: Odds) -> csr_array:
    """Starts less what is expected, entries x cells."""
    chance = np.repeat(odds.rows[trial.people.row], np.diff(pooled.first))
    chance *= odds.cells[pooled.cell]
    residual = -pooled.days * chance / (1 + chance)
    residual[pooled.first[1:][pooled.is_start] - 1] += 1
    shape = (trial.n_entries, len(pooled.effects))
    return csr_array((residual, pooled.cell, pooled.first), shape=shape)


def _gather(
    trial: Trial, pooled: Pooled, by_row: npt.NDArray[Any], by_cell: npt.NDArray[Any]
) -> Floats:
    """Sums by row of covariates and by cell, turned into sums by column."""
    cells = by_cell @ pooled.effects
    return np.concatenate([cells, trial.transposed @ by_row])


def _sum_starts(trial: Trial, pooled: Pooled, weight: Floats) -> Floats:
    """The columns of the starts, weighted and summed."""
    who = np.flatnonzero(pooled.is_start)
    by_row = np.bincount(trial.people.row[who], weight[who], trial.matrix.shape[0])
    cells = pooled.cell[pooled.first[who + 1] - 1]
    return _gather(trial, pooled, by_row, np.bincount(cells, weight[who], len(pooled.effects)))


def _find_loglik(trial: Trial, pooled: Pooled, weight: Floats, odds: Odds) -> float:
    weights = np.repeat(weight, np.diff(pooled.first))
    chance = np.repeat(odds.rows[trial.people.row], np.diff(pooled.first))
    chance *= odds.cells[pooled.cell]
    ends = pooled.first[1:][pooled.is_start] - 1
    lost = np.where(weights == 0, 0.0, weights * pooled.days * np.log1p(chance)).sum()
    own = weights[ends]
    return float(np.where(own == 0, 0.0, own * np.log(chance[ends])).sum() - lost)


@np.errstate(all="ignore")
def maximise(
    trial: Trial,
    pooled: Pooled,
    weight: Floats,
    theta: Floats,
    *,
    is_careful: bool,
    tolerance: float,
    most: int,
    inverse: Floats | None = None,
) -> Maximum:
    """Newton's method from `theta`, with a case weight for each entry.

    The inverse information, at first `inverse` if given, is kept from step to step while steps
    shrink quickly (a chord method) and made anew when they do not; `is_careful` makes it anew
    always and halves steps that lower the likelihood, and where the point to begin from has none,
    coefficients and odds are NaN. It ends when the gain predicted by the next step is below
    `tolerance`, or after `most` passes.
    """
    starts = _sum_starts(trial, pooled, weight)
    is_stale, before, best, halvings = inverse is None, np.inf, -np.inf, 0
    old = step = np.zeros_like(theta)
    for turn in range(most):
        odds = find_odds(trial, pooled, theta)
        loglik = _find_loglik(trial, pooled, weight, odds) if is_careful else 0.0
        allowed = 1e-11 * abs(loglik) + 1e-9
        if is_careful and not loglik >= best - allowed and halvings < MAX_HALVINGS:
            if turn == 0:  # the first point has no likelihood: no step to halve, no answer
                nothing = np.full_like(theta, np.nan)
                return Maximum(nothing, find_odds(trial, pooled, nothing), False)
            halvings += 1
            step = step * 0.5
            theta = old + step
            continue
        best, halvings = loglik, 0
        if is_stale or is_careful or inverse is None:
            inverse, _ = invert_information(find_information(trial, pooled, weight, odds))
        by_row, by_cell = np.zeros(len(odds.rows)), np.zeros(len(odds.cells))
        sum_expected(
            pooled.first, trial.people.row, pooled.cell, pooled.days, weight, odds.rows,
            odds.cells, by_row, by_cell,
        )  # fmt: skip
        score = starts - _gather(trial, pooled, by_row, by_cell)
        step = inverse @ score
        gain, longest = float((score * step).sum()), float(np.abs(step).max(initial=0.0))
        if not np.isfinite(gain):
            return Maximum(theta, odds, False)
        if longest > LONGEST_STEP:
            step *= LONGEST_STEP / longest
        old, theta = theta, theta + step
        if gain < tolerance and longest <= LONGEST_STEP:
            return Maximum(theta, find_odds(trial, pooled, theta), True)
        is_stale = gain > SLOW * before or longest > LONGEST_STEP
        before = gain
    return Maximum(theta, odds, False)


def refit(trial: Trial, pooled: Pooled, weight: Floats, theta: Floats, inverse: Floats) -> Maximum:
    """Fit anew with case weights, from the whole sample's coefficients and inverse information."""
    starts = _sum_starts(trial, pooled, weight)
    begin = np.where(starts == 0, theta - FAR, theta)
    quick = maximise(
        trial, pooled, weight, begin, is_careful=False, tolerance=REFIT_TOLERANCE,
        most=QUICK_PASSES, inverse=inverse,
    )  # fmt: skip
    if quick.is_converged:
        return quick
    return maximise(
        trial, pooled, weight, begin, is_careful=True, tolerance=REFIT_TOLERANCE, most=MOST_PASSES
    )


__all__ = [
    "Maximum", "Odds", "find_information", "find_odds", "find_residuals", "invert_information",
    "maximise", "refit",
]  # fmt: skip
