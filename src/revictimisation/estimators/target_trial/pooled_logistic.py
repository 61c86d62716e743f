"""The pooled logistic model of starts: odds, scores, information, Newton's method.

The log odds of a start on a day are x'b + c: x the baseline columns of the entry's row, c the
effect of its *cell* (interval of days x pattern of the changing covariates). Within an entry and a
cell days are alike and counted together, and odds are exp(x'b) exp(c): an exponential per row of
covariates and per cell, none per day. Coefficients: the cells' effects, then the base columns.
"""

from __future__ import annotations

from typing import NamedTuple

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
    """exp(x'b) by row of the base columns and exp(c) by cell; of many replicates a column each."""

    rows: Floats
    cells: Floats


class Maximum(NamedTuple):
    """Where Newton's method ended; coefficients and odds are NaN where it could not begin."""

    theta: Floats
    odds: Odds
    is_converged: bool


@np.errstate(all="ignore")
def find_odds(trial: Trial, pooled: Pooled, theta: Floats) -> Odds:
    """The odds at these coefficients, a column for each replicate where there are many."""
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


def _sum_starts(trial: Trial, pooled: Pooled, weight: Floats) -> Floats:
    """The columns of the starts, weighted and summed: columns x replicates."""
    who = np.flatnonzero(pooled.is_start)
    cells, mine = pooled.cell[pooled.first[who + 1] - 1], weight[who]
    by_base = trial.matrix[trial.people.row[who]].T @ mine
    return np.concatenate([pooled.effects[cells].T @ mine, by_base])


def _sum_expected(trial: Trial, pooled: Pooled, weight: Floats, odds: Odds) -> Floats:
    """The columns of the starts that are expected, alike."""
    by_row, by_cell = (np.zeros_like(part) for part in odds)
    sum_expected(
        pooled.first, trial.people.row, pooled.cell, pooled.days, weight, *odds, by_row, by_cell
    )
    return np.concatenate([pooled.effects.T @ by_cell, trial.transposed @ by_row])


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
    trial: Trial, pooled: Pooled, weight: Floats, theta: Floats, *, tolerance: float, most: int
) -> Maximum:
    """Newton's method from `theta`, with a case weight for each entry.

    Steps that lower the likelihood are halved; where the point to begin from has none, coefficients
    and odds are NaN. It ends when the gain predicted by the next step is below `tolerance`, or
    after `most` passes.
    """
    starts = _sum_starts(trial, pooled, weight[:, None])[:, 0]
    best, halvings = -np.inf, 0
    old = step = np.zeros_like(theta)
    for turn in range(most):
        odds = find_odds(trial, pooled, theta)
        loglik = _find_loglik(trial, pooled, weight, odds)
        allowed = 1e-11 * abs(loglik) + 1e-9
        if not loglik >= best - allowed and halvings < MAX_HALVINGS:
            if turn == 0:  # the first point has no likelihood: no step to halve, no answer
                nothing = np.full_like(theta, np.nan)
                return Maximum(nothing, find_odds(trial, pooled, nothing), False)
            halvings += 1
            step = step * 0.5
            theta = old + step
            continue
        best, halvings = loglik, 0
        inverse, _ = invert_information(find_information(trial, pooled, weight, odds))
        alone = Odds(odds.rows[:, None], odds.cells[:, None])
        score = starts - _sum_expected(trial, pooled, weight[:, None], alone)[:, 0]
        step = inverse @ score
        gain, longest = float(score @ step), float(np.abs(step).max(initial=0.0))
        if not np.isfinite(gain):
            break
        if longest > LONGEST_STEP:
            step *= LONGEST_STEP / longest
        old, theta = theta, theta + step
        if gain < tolerance and longest <= LONGEST_STEP:
            return Maximum(theta, find_odds(trial, pooled, theta), True)
    return Maximum(theta, odds, False)


@np.errstate(all="ignore")
def follow_chords(
    trial: Trial, pooled: Pooled, weight: Floats, theta: Floats, inverse: Floats | None = None, *,
    tolerance: float, most: int,
) -> tuple[Floats, Flags]:  # fmt: skip
    """Newton's method for many replicates at once; where each ended, and whether it settled.

    The inverse information, at first `inverse` if given, is kept from step to step while steps
    shrink quickly (a chord method) and made anew when they do not; no step is halved. The end of a
    replicate is as in `maximise`, whatever the others do.

    Args:
        weight: entries x replicates. theta: coefficients x replicates, where each begins.
    """
    theta, starts, n = theta.copy(), _sum_starts(trial, pooled, weight), theta.shape[1]
    inverses = np.zeros((n, len(theta), len(theta))) if inverse is None else np.stack([inverse] * n)
    before, is_stale = np.full(n, np.inf), np.full(n, inverse is None)
    is_settled, at = np.zeros(n, np.bool_), np.arange(n)
    for _ in range(most):
        point, own = theta.take(at, axis=1), weight.take(at, axis=1)
        odds = find_odds(trial, pooled, point)
        for k in np.flatnonzero(is_stale[at]).tolist():
            info = find_information(trial, pooled, own[:, k].copy(), _pick(odds, k))
            inverses[at[k]], _ = invert_information(info)
        score = starts[:, at] - _sum_expected(trial, pooled, own, odds)
        step = np.matmul(inverses[at], score.T[:, :, None])[:, :, 0].T
        gain, longest = (score * step).sum(axis=0), np.abs(step).max(axis=0, initial=0.0)
        is_bound = longest > LONGEST_STEP
        theta[:, at] = point + step * np.where(is_bound, LONGEST_STEP / longest, 1.0)
        is_settled[at] = (gain < tolerance) & ~is_bound
        is_stale[at] = (gain > SLOW * before[at]) | is_bound
        before[at] = gain
        at = at[np.isfinite(gain) & ~is_settled[at]]
        if not len(at):
            break
    return theta, is_settled


def _pick(odds: Odds, replicate: int) -> Odds:
    """A replicate's own."""
    return Odds(*(part[:, replicate].copy() for part in odds))


def refit(
    trial: Trial, pooled: Pooled, weight: Floats, theta: Floats, inverse: Floats
) -> list[Maximum]:
    """Fit anew with the case weights of each replicate, from the whole sample's fit.

    Args:
        weight: entries x replicates. theta: coefficients to begin from, of all replicates or of
            each (coefficients x replicates). inverse: the whole sample's inverse information.
    """
    starts = _sum_starts(trial, pooled, weight)
    begin = theta.reshape(len(starts), -1) - np.where(starts == 0, FAR, 0.0)
    ends, is_settled = follow_chords(
        trial, pooled, weight, begin, inverse, tolerance=REFIT_TOLERANCE, most=QUICK_PASSES
    )
    odds = find_odds(trial, pooled, ends)
    return [
        Maximum(ends[:, k].copy(), _pick(odds, k), True)
        if is_settled[k]
        else maximise(
            trial, pooled, weight[:, k].copy(), begin[:, k], tolerance=REFIT_TOLERANCE,
            most=MOST_PASSES,
        )
        for k in range(weight.shape[1])
    ]  # fmt: skip


__all__ = [
    "Maximum", "Odds", "find_information", "find_odds", "find_residuals", "follow_chords",
    "invert_information", "maximise", "refit",
]  # fmt: skip
