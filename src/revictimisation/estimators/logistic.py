"""Logistic regression with case weights, by maximum likelihood or with Firth's penalty.

Ours and small, since it is fitted some hundred times a study on weighted rows, and the penalty's
intercept needs a correction that the libraries at hand don't have.

Where nobody (or everybody) of a category has the event maximum likelihood sends its coefficient to
infinity; predicted chances still tend to something (0, or 1, for that category) and the other
coefficients to what they are without it, and there the search ends. For the coefficient that is
asked for, and wherever events are few, that is no answer. Firth's penalty (half the log determinant
of the information; Firth 1993, Biometrika 80:27; Heinze & Schemper 2002, Stat Med 21:2409) gives
every coefficient a finite value with less bias, but pulls the mean predicted chance towards a half;
so the intercept is then fitted anew by maximum likelihood with the other coefficients held (FLIC;
Puhr, Heinze, Nold, Lusa & Geroldinger 2017, Stat Med 36:2302), and predicted chances have the mean
that was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack

from revictimisation.core.arrays import Floats, Whole
from revictimisation.estimators.design import Block, Design, standardise
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.solve import factor_cholesky, invert_cholesky

ALIAS_TOLERANCE = 1e-9
STEPS = 200
MOST_PRODUCTS = 1 << 21  # of an information matrix that is made of the full matrix
LARGEST_STEP = 5.0  # of a coefficient in one step, per standard deviation of its column
REMEMBERED = 6  # last steps that a leap of Firth's search is made of
DONE = 1e-8  # a step this small is the last
DONE_LIKELIHOOD = 1e-9  # or one that raises the likelihood by this share of it


@dataclass(frozen=True, eq=False)
class Columns:
    """A matrix by rows (CSR), its first column the intercept; `n` columns in all."""

    indptr: Whole
    indices: Whole
    values: Floats
    n: int

    @property
    def n_rows(self) -> int:
        """Rows."""
        return len(self.indptr) - 1

    @cached_property
    def is_small(self) -> bool:
        """Whether the full matrix costs less than the sparse one, which is handled in Python."""
        return self.n_rows * self.n**2 <= MOST_PRODUCTS

    @cached_property
    def matrix(self) -> Any:
        """The same for SciPy; where it is small in full."""
        sparse = csr_array((self.values, self.indices, self.indptr), shape=(self.n_rows, self.n))
        return sparse.toarray() if self.is_small else sparse

    @cached_property
    def transposed(self) -> Any:
        """Columns x rows."""
        return np.ascontiguousarray(self.matrix.T) if self.is_small else self.matrix.T.tocsr()

    def times(self, vector: Floats) -> Floats:
        """Each row times a vector."""
        found: Floats = self.matrix @ vector
        return found

    def sum_rows(self, amount: Floats) -> Floats:
        """The rows summed, each times its amount."""
        found: Floats = self.transposed @ amount
        return found

    def find_information(self, weight: Floats) -> Floats:
        """X' diag(weight) X."""
        if self.is_small:
            return np.asarray((self.transposed * weight) @ self.matrix)
        spread = np.repeat(weight, np.diff(self.indptr)) * self.values
        scaled = csr_array((spread, self.indices, self.indptr), shape=self.matrix.shape)
        info: Floats = (self.transposed @ scaled).toarray()
        return info

    def find_quadratic(self, matrix: Floats) -> Floats:
        """x' matrix x for each row x."""
        if self.is_small:
            return np.asarray(((self.matrix @ matrix) * self.matrix).sum(axis=1))
        found: Floats = self.matrix.multiply(self.matrix @ matrix).sum(axis=1)
        return found


def build_columns(matrix: npt.ArrayLike) -> Columns:
    """Store a full matrix (rows x columns) sparsely, with an intercept in front."""
    full = np.asarray(matrix, dtype=np.float64)
    full = np.column_stack([np.ones(len(full)), full])
    row, column = np.nonzero(full)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(full)))])
    return Columns(indptr.astype(np.int64), column.astype(np.int64), full[row, column],
                   full.shape[1])  # fmt: skip


def read_design(design: Design) -> Columns:
    """The columns of a design, sparse as they are, with an intercept in front.

    >>> from revictimisation.estimators.design import design_from_array
    >>> read_design(design_from_array([[1.0], [2.0]], ["age"])).matrix.tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """
    base, own = (
        csr_array((block.values, block.indices, block.indptr),
                  shape=(block.n_rows, len(block.names)))
        for block in (design.base, design.own)
    )  # fmt: skip
    first = csr_array(np.ones((design.n_rows, 1)))
    whole = hstack([first, base[design.rows], own], format="csr")
    whole.sort_indices()
    indptr, indices = (part.astype(np.int64) for part in (whole.indptr, whole.indices))
    return Columns(indptr, indices, whole.data, 1 + len(design.names))


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """A fitted model.

    Attributes:
        coef: coefficients, intercept first; 0 where a column depends on those before it.
        covariance: the inverse information at `coef`; 0 for such columns.
        chance: predicted chance by row.
        leverage: diagonal of the weighted hat matrix by row.
        loglik: log likelihood, with the penalty where there is one (before FLIC).
        is_firth: with Firth's penalty. is_converged: the last step changed nothing that matters.
    """

    coef: Floats
    covariance: Floats
    chance: Floats
    leverage: Floats
    loglik: float
    is_firth: bool
    is_converged: bool


def fit_logistic(
    columns: Columns,
    is_event: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    is_firth: bool = False,
    has_intercept_corrected: bool = True,
    start: Floats | None = None,
) -> LogisticFit:
    """Fit a logistic regression.

    Args:
        columns: the design; a column that depends on those before it gets coefficient 0.
        is_event: 0 or 1 by row. weights: case weights, 0 or more; rows of weight 0 don't count.
        is_firth: with Firth's penalty; then `has_intercept_corrected` says whether the intercept is
            fitted anew so that predicted chances have the observed mean (FLIC).
        start: coefficients to start the search from; it changes no result.

    Raises:
        NotEstimableError: no events, or nothing but events, among the rows that count.

    Example:
        >>> fit = fit_logistic(build_columns([[0.0], [0.0], [1.0], [1.0]]), [0, 1, 1, 1])
        >>> fit.chance.round(4)  # everybody in the second group has the event
        array([0.5, 0.5, 1. , 1. ])
        >>> firth = fit_logistic(build_columns([[0.0], [0.0], [1.0], [1.0]]), [0, 1, 1, 1],
        ...                      is_firth=True, has_intercept_corrected=False)
        >>> firth.chance.round(4)
        array([0.5   , 0.5   , 0.8333, 0.8333])
    """
    event = np.asarray(is_event, dtype=np.float64)
    weight = np.ones(len(event)) if weights is None else np.asarray(weights, dtype=np.float64)
    total, happened = weight.sum(), float((weight * event).sum())
    if not 0 < happened < total:
        raise NotEstimableError("no_events" if happened <= 0 else "nothing_but_events")
    columns, units = standardise_columns(columns)
    begin = np.zeros(columns.n)
    begin[0] = np.log(happened / (total - happened))
    state = _look(columns, event, weight, begin if start is None else units.enter(start), is_firth)
    path = [state]
    is_done = False
    for _ in range(STEPS):
        before, step = state.loglik, _shorten(_step(state))
        moved = float(np.abs(step).max())
        found = _leap(columns, event, weight, path) if is_firth else None
        if found is None or not found.loglik >= before:
            found, moved = _go(columns, event, weight, state, step, is_firth)
        state = found
        path = [*path[-REMEMBERED:], state]
        # Firth's steps shrink by a share each, so a small gain is no sign of being near
        is_flat = not is_firth and abs(state.loglik - before) < DONE_LIKELIHOOD * abs(before)
        if moved < DONE or is_flat:
            is_done = True
            break
    if is_firth and has_intercept_corrected:
        coef = _correct_intercept(columns, event, weight, state.coef)
        loglik, state = state.loglik, _look(columns, event, weight, coef, is_firth)
    else:
        loglik = state.loglik
    leverage = _find_leverage(columns, weight, state)
    coef, covariance = units.leave(state.coef, state.covariance)
    if is_firth:  # the penalty is half the log determinant in the columns' own units
        loglik += float(np.log(units.scale[np.diag(state.covariance) > 0]).sum())
    return LogisticFit(coef, covariance, state.chance, leverage, loglik, is_firth, is_done)


@dataclass(frozen=True, eq=False)
class Units:
    """What each column was centred by and divided by; the intercept by 0 and 1."""

    centre: Floats
    scale: Floats

    def enter(self, coef: Floats) -> Floats:
        """Coefficients of the columns as given, for the standardised ones."""
        inside: Floats = coef * self.scale
        inside[0] += (self.centre * coef).sum()
        return inside

    def leave(self, coef: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """Coefficients and covariance of the standardised columns, for those given."""
        turn = np.diag(1 / self.scale)
        turn[0] -= self.centre / self.scale
        return turn @ coef, turn @ covariance @ turn.T


def standardise_columns(columns: Columns) -> tuple[Columns, Units]:
    """The same columns in units of their own, so that a step's length means the same in each.

    Columns of 0 and 1 are left as they are (`design.standardise`).
    """
    names = tuple(str(k) for k in range(columns.n))
    block = Block(names, columns.indptr, columns.indices.astype(np.int32), columns.values)
    values, centre, scale = standardise(block)
    return replace(columns, values=values), Units(centre, scale)


@dataclass(frozen=True, eq=False)
class _State:
    coef: Floats
    chance: Floats
    covariance: Floats
    score: Floats
    loglik: float


def _look(columns: Columns, event: Floats, weight: Floats, coef: Floats, is_firth: bool) -> _State:
    """The likelihood and its derivatives at these coefficients."""
    line = columns.times(coef)
    chance = 1.0 / (1.0 + np.exp(-np.clip(line, -500, 500)))
    spread = weight * chance * (1 - chance)
    info = columns.find_information(spread)
    factor, kept = factor_cholesky(info, np.diag(info), ALIAS_TOLERANCE)
    covariance, half_log = invert_cholesky(factor, kept), np.log(np.diag(factor)[kept]).sum()
    loglik = float((weight * (event * line - np.logaddexp(0.0, line))).sum())
    residual = weight * (event - chance)
    state = _State(coef, chance, covariance, columns.sum_rows(residual), loglik)
    if not is_firth:
        return state
    residual = residual + _find_leverage(columns, weight, state) * (0.5 - chance)
    return _State(coef, chance, covariance, columns.sum_rows(residual), loglik + half_log)


def _find_leverage(columns: Columns, weight: Floats, state: _State) -> Floats:
    spread = weight * state.chance * (1 - state.chance)
    leverage: Floats = spread * columns.find_quadratic(state.covariance)
    return leverage


def _step(state: _State) -> Floats:
    """Where the score and the information send the coefficients."""
    found: Floats = np.einsum("ij,j->i", state.covariance, state.score)
    return found


def _shorten(step: Floats) -> Floats:
    found: Floats = step * min(1.0, LARGEST_STEP / max(float(np.abs(step).max()), 1e-300))
    return found


def _leap(columns: Columns, event: Floats, weight: Floats, path: Sequence[_State]) -> _State | None:
    """Where the last steps together lead; None before the second.

    Anderson 1965, J ACM 12:547, as in Walker & Ni 2011, SIAM J Numer Anal 49:1715. The information
    is not the derivative of Firth's score, so single steps shrink by a share each.
    """
    if len(path) < 2:
        return None
    here, steps = np.array([one.coef for one in path]), np.array([_step(one) for one in path])
    mix = np.linalg.lstsq(np.diff(steps, axis=0).T, steps[-1])[0]
    leap = steps[-1] - mix @ (np.diff(here, axis=0) + np.diff(steps, axis=0))
    return _look(columns, event, weight, here[-1] + _shorten(leap), is_firth=True)


def _go(
    columns: Columns, event: Floats, weight: Floats, state: _State, step: Floats, is_firth: bool
) -> tuple[_State, float]:
    """Take a step, shortened until the likelihood does not fall; also how far it went."""
    for _ in range(30):
        found = _look(columns, event, weight, state.coef + step, is_firth)
        if found.loglik >= state.loglik - 1e-10:
            return found, float(np.abs(step).max())
        step = step / 2
    return state, 0.0


def _correct_intercept(columns: Columns, event: Floats, weight: Floats, coef: Floats) -> Floats:
    """The intercept by maximum likelihood, the other coefficients held."""
    line, found = columns.times(coef), coef.copy()
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-(line + found[0] - coef[0])))
        step = (weight * (event - chance)).sum() / (weight * chance * (1 - chance)).sum()
        found[0] += np.clip(step, -1.0, 1.0)
        if abs(step) < DONE:
            break
    return found
