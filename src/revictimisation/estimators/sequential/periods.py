"""Sequential trials of people seen period by period, a row per person and period.

Within a period the treatment comes before the outcome, as in R's package TrialEmulation: a trial
that begins in period p has the outcome of period p on its day 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from revictimisation.core.arrays import Days, Flags, Floats
from revictimisation.estimators.design import Design, standardise
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.flexibility import USUAL
from revictimisation.estimators.logistic import fit_logistic, read_design
from revictimisation.estimators.sequential.trials import SequentialTrials, Spans
from revictimisation.estimators.solve import factor_cholesky, invert_cholesky
from revictimisation.estimators.target_trial.changes import Segments
from revictimisation.estimators.target_trial.start_model import fit_start_model
from revictimisation.estimators.target_trial.trial_data import Columns, People, Pooled, Trial

STEPS, DONE, ALIAS_TOLERANCE = 60, 1e-6, 1e-9  # a step so small is followed by one more


@dataclass(frozen=True, eq=False)
class Periods:
    """Rows of people who may start, each the beginning of a trial.

    Attributes:
        row: place in the frame. person: from 0. period: of the row. is_start: treated in it.
        left: periods of follow-up, this one included. cause: what ends them (0: the data do).
    """

    row: Days
    person: Days
    period: Days
    is_start: Flags
    left: Days
    cause: Days


def find_trials(
    person: Days, period: Days, is_treated: Flags, cause: Days, is_eligible: Flags
) -> Periods:
    """The trials of people by period: one from each eligible row up to the first outcome.

    Raises:
        NotEstimableError: nobody is eligible.
        ValueError: a person with two rows of a period, or with a period left out.
    """
    order = np.lexsort((period, person))
    who, when = person[order], period[order]
    is_next = who[1:] == who[:-1]
    if (np.diff(when)[is_next] != 1).any():
        raise ValueError("a person's periods must follow each other, each once")
    n = int(person.max(initial=-1)) + 1
    last, kind = np.full(n, np.iinfo(np.int64).max), np.zeros(n, np.int64)
    ended = np.flatnonzero(cause[order] > 0)[::-1]  # the first outcome of a person comes last
    last[who[ended]], kind[who[ended]] = when[ended], cause[order][ended]
    seen = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(seen, who, when)
    last = np.minimum(last, seen)
    rows = order[is_eligible[order] & (when <= last[who])]
    if not len(rows):
        raise NotEstimableError("no_people")
    mine = person[rows]
    return Periods(rows, mine, period[rows], is_treated[rows], last[mine] - period[rows] + 1,
                   kind[mine])  # fmt: skip


def build_period_trials(found: Periods, design: Design, cluster: Days) -> SequentialTrials:
    """Sequential trials of which each row is an entry of its own, clustered.

    design, cluster: of the rows found. The model of starts has an intercept for each period.

    Raises:
        NotEstimableError: nobody starts, or everybody does.
    """
    if found.is_start.all() or not found.is_start.any():
        raise NotEstimableError("everybody_started" if found.is_start.any() else "nobody_started")
    n = len(found.row)
    periods, block = np.unique(found.period, return_inverse=True)
    size, nothing = len(periods), np.zeros(n, np.int32)
    values, centre, scale = standardise(design.base)
    first = np.arange(n + 1, dtype=np.int64)
    people = People(
        found.left.astype(np.int32), found.cause.astype(np.int8),
        np.where(found.is_start, 0, -1).astype(np.int32),
        np.unique(cluster, return_inverse=True)[1].astype(np.int64), design.rows.astype(np.int32),
        first, nothing, nothing,
    )  # fmt: skip
    pooled = Pooled(
        first, block.astype(np.int32), np.ones(n, np.int32), found.is_start, np.eye(size)
    )
    trial = Trial(
        people=people,
        columns=Columns(design.base.indptr.astype(np.int64), design.base.indices, values),
        names=design.base.names,
        centre=centre,
        scale=scale,
        changing_names=(),
        segments=Segments(first, nothing, nothing, np.empty((1, 0))),
        grace_days=size - 1,
        cut_days=tuple(range(size)),
        interval=np.arange(size, dtype=np.int32),
        pooled=pooled,
        law=pooled,
        at_end=pooled,
        n_clusters=int(people.cluster.max()) + 1,
        flexibility=USUAL,
    )
    spans = Spans(
        entry=np.arange(n),
        begin=found.period,
        block=block.astype(np.int64),
        left=found.left,
        cause=found.cause,
        n_other=(~found.is_start).astype(np.int64),
        is_start=found.is_start,
    )
    edges = frozenset({*periods.tolist(), int(periods[-1]) + 1})
    return SequentialTrials(trial, spans, fit_start_model(trial), found.person, size, edges)


def expand_trials(found: Periods) -> tuple[Days, Days]:
    """A row per trial, person and period of follow-up: place in `found`, and periods since day 0.

    >>> one = np.array([0])
    >>> found = Periods(one, one, one + 3, one == 1, one + 2, one + 1)
    >>> expand_trials(found)
    (array([0, 0]), array([0, 1]))
    """
    place = np.repeat(np.arange(len(found.row)), found.left)
    begin = np.cumsum(found.left) - found.left
    return place, np.arange(len(place)) - begin[place]


@dataclass(frozen=True, eq=False)
class Adherence:
    """Who keeps to the arm of a trial, by row of the frame.

    Attributes:
        until: last period in which the treatment is still that of the row. factor: what a weight is
            multiplied by when the treatment has been kept into the row's period.
        is_converged: the models of treatment settled.
    """

    until: Days
    factor: Floats
    is_converged: bool


def weigh_adherence(
    person: Days, period: Days, is_treated: Flags, cause: Days, is_eligible: Flags,
    design: Design, numerator: Design,
) -> Adherence:  # fmt: skip
    """Weights for keeping to the treatment, as R's package TrialEmulation per protocol.

    The chance of being treated in a period by two logistic models, after a period with treatment
    and after one without (before the first row of a trial: without), over rows in which a trial
    that has not been left yet goes on or is left, up to the first outcome. A row's factor is the
    chance of the treatment it has given the columns of `numerator`, over that given `design`; both
    by row of the frame.

    Raises:
        NotEstimableError: after treatment, or after none, all have it or none.
    """
    order = np.lexsort((period, person))
    who, treated, eligible = person[order], is_treated[order], is_eligible[order]
    is_first = np.append(True, who[1:] != who[:-1])
    has_ended = _sum_within(np.append(0, (cause[order] > 0)[:-1]) * ~is_first, is_first) > 0
    before = np.append(False, treated[:-1])
    is_begun = _sum_within(eligible.astype(np.int64), is_first) > 0
    is_new = is_first | (treated != before)
    has_trial = _sum_within(eligible.astype(np.int64), is_new) > 0
    goes_on = has_trial | (~is_first & is_new & np.append(False, has_trial[:-1]))
    is_used = is_begun & ~has_ended & goes_on
    # the first row of a person that counts has no treatment before it
    earlier = _sum_within(is_begun.astype(np.int64), is_first) > 1
    lag = before & ~is_first & earlier
    run = np.cumsum(is_new) - 1
    last = np.append(np.flatnonzero(is_new)[1:], len(order)) - 1
    factor, is_converged = np.ones(len(order)), True
    columns, small = (
        read_design(replace(one, rows=one.rows[order])) for one in (design, numerator)
    )
    for mine in (is_used & lag, is_used & ~lag):
        fits = [fit_logistic(one, treated, mine.astype(np.float64)) for one in (small, columns)]
        top, bottom = (np.where(treated, fit.chance, 1 - fit.chance)[mine] for fit in fits)
        factor[mine] = top / bottom
        is_converged &= all(fit.is_converged for fit in fits)
    until, by_row = np.empty_like(period), np.empty(len(order))
    until[order], by_row[order] = period[order][last[run]], factor
    return Adherence(until, by_row, is_converged)


def _sum_within(amount: Days, is_first: Flags) -> Days:
    """Sums up to each row since the last that is first."""
    total = np.cumsum(amount)
    begin = np.flatnonzero(is_first)
    return total - np.repeat((total - amount)[begin], np.diff(np.append(begin, len(amount))))


@dataclass(frozen=True, eq=False)
class PooledHazard:
    """A pooled logistic model: coefficients, their covariance clustered, whether it settled."""

    coef: Floats
    covariance: Floats
    is_converged: bool


@np.errstate(all="ignore")
def fit_pooled_hazard(columns: Floats, is_event: Flags, cluster: Days) -> PooledHazard:
    """Logistic regression by maximum likelihood, the covariance clustered.

    Sandwich of the scores summed by cluster, times G / (G - 1) of G clusters (R: `glm`,
    `sandwich::vcovCL` with type HC0). A column that depends on those before it has coefficient 0.

    Args:
        columns: terms x rows, the intercept first. cluster: of each row.

    Raises:
        NotEstimableError: no events, or nothing but events.
    """
    n_events, n_rows = int(is_event.sum()), len(is_event)
    if not 0 < n_events < n_rows:
        raise NotEstimableError("nothing_but_events" if n_events else "no_events")
    coef, step = np.zeros(len(columns)), np.zeros(len(columns))
    coef[0] = np.log(n_events / (n_rows - n_events))
    starts, best, is_done = columns[:, is_event].sum(axis=1), -np.inf, False
    for _ in range(STEPS):
        line = coef @ columns
        odds = np.exp(line)
        loglik = float(starts @ coef - np.log1p(odds).sum())
        if not loglik >= best - 1e-9 * abs(loglik):
            step /= 2
            coef = coef - step
            continue
        best = loglik
        chance = odds / (1 + odds)
        info = (columns * (chance / (1 + odds))) @ columns.T
        lower, kept = factor_cholesky(info, np.diag(info).copy(), ALIAS_TOLERANCE)
        inverse = invert_cholesky(lower, kept)
        if is_done:
            break
        step = inverse @ (starts - columns @ chance)
        is_done = float(np.abs(step * np.sqrt(np.maximum(np.diag(info), 0))).max()) < DONE
        coef = coef + step
    codes = np.unique(cluster, return_inverse=True)[1]
    n_clusters, residual = int(codes.max()) + 1, is_event - chance
    scores = np.stack([np.bincount(codes, column * residual, n_clusters) for column in columns])
    moved = inverse @ scores
    covariance = moved @ moved.T * n_clusters / max(n_clusters - 1, 1)
    return PooledHazard(coef, covariance, is_done)
