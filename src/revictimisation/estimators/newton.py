"""Newton's method for the Cox partial likelihood, with columns that can't be estimated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from revictimisation.core.arrays import Flags, Floats
from revictimisation.estimators import kernels
from revictimisation.estimators.cox_data import CoxData, take_sample
from revictimisation.estimators.solve import factor_cholesky, invert_cholesky

# A column is aliased when less than this share of its size is left beside the earlier columns.
ALIAS_TOLERANCE = 1e-9
# Later in the fit a column's share of the information vanishes only when its coefficient runs
# away to infinity.
RUNAWAY_TOLERANCE = 1e-13
# Newton stops when the next step would raise the log likelihood by less (it converges
# quadratically: coefficients are then right to about this share of their standard error), or when
# the gains so far predict that the step after that would be nothing.
GAIN_TOLERANCE = 1e-10
PREDICTED_TOLERANCE = 1e-19
# A coefficient that still moves this much (per standard deviation, or from 0 to 1) when the log
# likelihood has stopped rising runs to infinity.
RUNAWAY_STEP = 0.01
MAX_ITERATIONS = 60
# With at least so many episodes one in twelve of them gives the start.
LARGE_ROWS, SAMPLE_EVERY = 400_000, 12
MAX_HALVINGS = 30


class State(NamedTuple):
    """The likelihood at one point.

    `size` is each column's own second moment, what its information is held against; `r` is
    per episode, `cumulated` (the hazard), `table`, `s1`, `d1` per slot (see `kernels`).
    """

    beta: Floats
    loglik: float
    score: Floats
    info: Floats
    size: Floats
    r: Floats
    cumulated: Floats
    table: Floats
    s1: Floats
    d1: Floats


class Search(NamedTuple):
    """Where Newton's method ended."""

    state: State
    loglik_null: float
    covariance: Floats
    is_aliased: Flags
    is_infinite: Flags
    aliases: dict[str, tuple[str, ...]]
    n_iterations: int
    is_converged: bool


@np.errstate(all="ignore")  # a hazard beyond all numbers is found by the likelihood
def evaluate(data: CoxData, beta: Floats) -> State:
    """Log likelihood, score and information at `beta` (these only where the first is finite)."""
    slots, n_columns = data.slots, len(beta)
    eta_base = predict_blocks(data, beta[: data.n_base])
    r, s0, d0 = np.empty(len(data.rows)), np.zeros(slots.n_slots), np.zeros(slots.n_slots)
    s1, d1 = np.zeros((slots.n_slots, n_columns)), np.zeros((slots.n_slots, n_columns))
    columns = (data.base, data.own, data.n_base)
    loglik = kernels.fill_risks(
        eta_base, beta[data.n_base :], data.own, data.rows, data.weights, data.is_event,
        slots.high, r, d0,
    )  # fmt: skip
    episodes = (data.rows, slots.low, slots.high, r)
    kernels.sum_moments(*episodes, data.is_event, slots.is_empty, *columns, s0, s1, d1)
    slots.sum_backwards(s0)
    kernels.cumulate_backwards(slots.first, s1)
    table, loss = slots.tabulate(s0, d0)
    cumulated = slots.sum_forwards(table[:, 0].copy())
    score, info = np.zeros(n_columns), np.zeros((n_columns, n_columns))
    if np.isfinite(loglik + loss):
        marks = (data.weights, data.is_event, cumulated, table[:, 1].copy())
        kernels.cross_products(*episodes, *marks, *columns, info, score)
    size = np.diag(info).copy()
    if np.isfinite(loglik + loss):
        kernels.subtract_means(s1, d1, table, info)
    info = np.triu(info) + np.triu(info, 1).T
    return State(beta, loglik + loss, score, info, size, r, cumulated, table, s1, d1)


def predict_blocks(data: CoxData, beta: Floats) -> Floats:
    """x'b of each row of the base columns."""
    pointers, indices, values = data.base
    base = csr_array((values, indices, pointers), shape=(len(pointers) - 1, data.n_base))
    predicted: Floats = base @ beta
    return predicted


def evaluate_null(data: CoxData) -> float:
    """The log likelihood with all coefficients 0."""
    slots = data.slots
    s0 = np.bincount(slots.high, data.weights, slots.n_slots).astype(np.float64)
    s0 -= np.bincount(slots.low, data.weights, minlength=slots.n_slots)
    return slots.tabulate(slots.sum_backwards(s0), slots.weight_tied)[1]


def maximise(data: CoxData) -> Search:
    """Newton's method; aliased columns are found at the start and stay at zero."""
    null, beta = evaluate_null(data), _guess(data)
    state = evaluate(data, beta)
    if not state.loglik >= null:
        state = evaluate(data, np.zeros_like(beta))
    size = state.size
    factor, kept = factor_cholesky(state.info, size, ALIAS_TOLERANCE)
    is_aliased, aliases = ~kept, _find_aliases(data.names, state.info, size, kept)
    is_infinite, is_converged, n_iterations = np.zeros(len(kept), np.bool_), False, 0
    gain = 0.0
    while not is_converged and n_iterations < MAX_ITERATIONS:
        covariance = invert_cholesky(factor, kept)
        step = np.sum(covariance * state.score, axis=1)
        last, gain = gain, float(np.sum(step * state.score))
        is_converged = gain < GAIN_TOLERANCE or gain**3 < PREDICTED_TOLERANCE * last**2
        state = _advance(data, state, step)
        n_iterations += 1
        factor, kept = _factor_again(state, size, is_aliased | is_infinite)
        is_infinite |= ~kept & ~is_aliased
        if is_converged:
            is_infinite |= np.abs(step) > RUNAWAY_STEP
    covariance = invert_cholesky(factor, kept)
    return Search(
        state, null, covariance, is_aliased, is_infinite, aliases, n_iterations, is_converged
    )


def maximise_others(data: CoxData, beta: Floats, is_fixed: Flags) -> State:
    """The likelihood where the fixed columns are as in `beta` and the others at their best.

    Columns that the data can't tell from others stay where `beta` has them.
    """
    state = evaluate(data, beta)
    for _ in range(MAX_ITERATIONS):
        factor, kept = factor_cholesky(
            state.info, np.where(is_fixed, np.inf, state.size), ALIAS_TOLERANCE
        )
        step = invert_cholesky(factor, kept) @ np.where(is_fixed, 0.0, state.score)
        gain = float(np.sum(step * state.score))
        if gain < GAIN_TOLERANCE**2:
            break
        state = _advance(data, state, step)
        if gain < GAIN_TOLERANCE:
            break
    return state


def _guess(data: CoxData) -> Floats:
    """Where to start: at zero, or with many episodes at the estimate from a few of them.

    Newton's method then needs half the steps; where it ends is the same. Columns that the few
    episodes can't tell start at zero.
    """
    is_large = len(data.rows) >= LARGE_ROWS
    sample = take_sample(data, SAMPLE_EVERY) if is_large else None
    if sample is None:
        return np.zeros(len(data.names))
    search = maximise(sample)
    is_lost = search.is_aliased | search.is_infinite | ~np.isfinite(search.state.beta)
    return np.where(is_lost, 0.0, search.state.beta)


def _factor_again(state: State, size: Floats, is_left_out: Flags) -> tuple[Floats, Flags]:
    limit = np.where(is_left_out, np.inf, size)
    return factor_cholesky(state.info, limit, RUNAWAY_TOLERANCE)


def _advance(data: CoxData, state: State, step: Floats) -> State:
    """Take the step, halved until the log likelihood doesn't fall (beyond rounding)."""
    slack = 1e-11 * (1.0 + abs(state.loglik))
    for _ in range(MAX_HALVINGS):
        moved = evaluate(data, state.beta + step)
        if moved.loglik >= state.loglik - slack:
            return moved
        step = step / 2
    return state


def _find_aliases(
    names: tuple[str, ...], info: Floats, size: Floats, kept: Flags
) -> dict[str, tuple[str, ...]]:
    """For each column left out, the kept columns that it is a combination of."""
    if kept.all():
        return {}
    factor, kept = factor_cholesky(info, np.where(kept, size, np.inf), ALIAS_TOLERANCE)
    shares = np.einsum("ij,jk->ik", invert_cholesky(factor, kept), info)
    aliases = {}
    for k in np.flatnonzero(~kept):
        weight = np.abs(shares[:, k]) * kept
        aliases[names[k]] = tuple(names[m] for m in np.flatnonzero(weight > 1e-6))
    return aliases
