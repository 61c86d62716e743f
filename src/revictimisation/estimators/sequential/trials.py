"""A target trial from every day on which an entry is event-free and has not started: now, or not.

(Hernan, Alonso, Logan et al. 2008, Epidemiology 19:766; Gran et al. 2010, Stat Med 29:2757; Danaei
et al. 2013, Stat Methods Med Res 22:70.) Each day d is the day 0 of a trial of all who are at risk
of a start on it. Who starts on d is in the arm *start*; who does not is in the arm *no start* on
day d, whatever follows (intention to treat). So nobody is counted as started before the start, and
nobody needs to be cloned. Time is counted from d: an end of follow-up on day s is on day s - d.

**Weights.** With h_d(x) the chance of a start on day d given baseline and history, by pooled
logistic regression over all days (`target_trial.start_model`; an intercept for each block of days),
and m_d that by block alone, a starter weighs m_d / h_d(x), anybody else m_d / (1 - h_d(x)). Either
arm then has the covariates of all at risk on the day, and trials count by how many start: the risks
are those of the days on which starts happen, with all who could have started then.

**Curves.** Weighted Aalen-Johansen over all trials of a stretch of days. Days of an entry on which
its weight is the same (a *span*, a row of the model of starts) follow each other, so that what they
add at risk t days on is a trapezium in t: all days together cost what their spans cost.

**Errors.** The influence of each cluster: through the curves, through the coefficients of the model
and through m. The variance is the sum of their squares (`target_trial.clone_influence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from revictimisation.core.arrays import Days, Flags, Floats
from revictimisation.estimators.target_trial.clone_influence import add_scores, sum_by_victim
from revictimisation.estimators.target_trial.pooled_logistic import Odds
from revictimisation.estimators.target_trial.start_model import StartModel, fit_pooled
from revictimisation.estimators.target_trial.trial_data import N_CAUSES, Pooled, Trial
from revictimisation.estimators.target_trial.weighted_risk import Arms, find_risks, find_slopes

START, NO_START = 0, 1


@dataclass(frozen=True, eq=False)
class Spans:
    """Runs of days alike of an entry, a place per row of the model of starts.

    Attributes:
        entry: whose. begin: first day. block: of days that share an intercept. left: days from
            `begin` to the end of follow-up. cause: of that end.
        n_other: days on which the entry did not start. is_start: it started on the last day.
    """

    entry: Days
    begin: Days
    block: Days
    left: Days
    cause: Days
    n_other: Days
    is_start: Flags

    @property
    def until_end(self) -> Days:
        """Days from the start to the end of follow-up, of those with a start."""
        return (self.left - self.n_other)[self.is_start]


@dataclass(frozen=True, eq=False)
class SequentialTrials:
    """All trials of a cohort with the model that weighs them.

    `trial`: days at risk of a start, of which `target_trial.trial_data` would make one trial: its
    grace time is the last day a trial begins on, its cuts are the blocks' first days. `person`: of
    whom each span is, from 0 (the entry, or its person where each period is an entry). `n_blocks`:
    of days that share an intercept, those without a start left out. `edges`: days on which a block
    begins, or the first after the last.
    """

    trial: Trial
    spans: Spans
    model: StartModel
    person: Days
    n_blocks: int
    edges: frozenset[int]

    @cached_property
    def n_people(self) -> int:
        """People, whether in a trial or not."""
        return int(self.person.max()) + 1

    @cached_property
    def weights(self) -> Weights:
        """Those by the fitted model."""
        return self.weigh(self.model.odds, np.ones(self.trial.n_entries))

    def weigh(self, odds: Odds, case_weights: Floats) -> Weights:
        """The weights by these odds, the blocks' chances by these case weights of the entries."""
        spans, pooled = self.spans, self.trial.pooled
        mine = case_weights[spans.entry]
        days = np.bincount(spans.block, mine * pooled.days, self.n_blocks).astype(np.float64)
        starts = np.bincount(spans.block[spans.is_start], mine[spans.is_start], self.n_blocks)
        by_block = np.divide(starts, days, out=np.zeros(self.n_blocks), where=days > 0)
        ratio = odds.rows[self.trial.people.row[spans.entry]] * odds.cells[pooled.cell]
        at_large = by_block[spans.block]
        other = at_large * (1 + ratio)
        own = np.divide(other, ratio, out=np.zeros_like(other), where=at_large > 0)
        return Weights(ratio / (1 + ratio), by_block, days, other, own[spans.is_start])

    def choose(self, first_day: int, last_day: int) -> Flags:
        """Spans of the trials that begin on first_day..last_day.

        Raises:
            ValueError: days that are no edges of blocks: a span's days go together.
        """
        if not {first_day, min(last_day, self.trial.grace_days) + 1} <= self.edges:
            raise ValueError("a stretch begins and ends at edges of blocks")
        return (self.spans.begin >= first_day) & (self.spans.begin <= last_day)


@dataclass(frozen=True, eq=False)
class Weights:
    """By span: `chance` of a start on a day, `other` a day's weight in the arm no start.

    `own`: a starter's, by start. `by_block`: chance of a start in each block, whoever it is, over
    `days` (weighted).
    """

    chance: Floats
    by_block: Floats
    days: Floats
    other: Floats
    own: Floats


def build_trials(trial: Trial) -> SequentialTrials:
    """Fit the model of starts to a trial's days at risk, each of which begins a trial.

    Args:
        trial: from `prepare_trial`; its grace time is the last day on which a trial begins.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 3, [])
        >>> trial = prepare_trial([5, 9, 4], [1, 0, 1], [2, None, None], none, grace_days=2)
        >>> trials = build_trials(trial)
        >>> trials.spans.n_other.tolist(), trials.spans.is_start.tolist()
        ([2, 3, 3], [True, False, False])
        >>> fill_trials(trials).at_risk[:, 1:4]  # one start, against eight days without
        array([[1.   , 1.   , 1.   ],
               [1.   , 1.   , 0.875]])
    """
    spans, pooled = _drop_idle(trial, _lay_spans(trial))
    kept = replace(trial, pooled=pooled)
    days = [f"day {first}" for first in np.unique(trial.interval[spans.begin])]
    model = fit_pooled(kept, pooled, days, trial.changing_names)
    edges = frozenset({*trial.cut_days, trial.grace_days + 1})
    return SequentialTrials(kept, spans, model, spans.entry, len(days), edges)


def _lay_spans(trial: Trial) -> Spans:
    pooled, people = trial.pooled, trial.people
    counts = np.diff(pooled.first)
    entry = np.repeat(np.arange(trial.n_entries), counts)
    before = np.cumsum(pooled.days) - pooled.days
    begin = before - np.repeat(before[pooled.first[:-1][counts > 0]], counts[counts > 0])
    is_start = np.zeros(len(entry), np.bool_)
    is_start[pooled.first[1:][pooled.is_start] - 1] = True
    return Spans(
        entry=entry,
        begin=begin.astype(np.int64),
        block=pooled.cell.astype(np.int64) % len(trial.cut_days),
        left=people.stop[entry].astype(np.int64) - begin,
        cause=people.cause[entry].astype(np.int64),
        n_other=pooled.days.astype(np.int64) - is_start,
        is_start=is_start,
    )


def _drop_idle(trial: Trial, spans: Spans) -> tuple[Spans, Pooled]:
    """Without the blocks in which nobody starts: their days weigh nothing, and tell of nothing.

    Cells and blocks are numbered anew, by those that are left.
    """
    pooled, n_blocks = trial.pooled, len(trial.cut_days)
    is_busy = np.bincount(spans.block[spans.is_start], minlength=n_blocks) > 0
    kept = is_busy[spans.block]
    cells, cell = np.unique(pooled.cell[kept], return_inverse=True)
    columns = np.append(is_busy, np.ones(pooled.effects.shape[1] - n_blocks, np.bool_))
    counts = np.bincount(spans.entry[kept], minlength=trial.n_entries)
    left = Pooled(
        first=np.append(0, np.cumsum(counts)).astype(np.int64),
        cell=cell.astype(np.int32),
        days=pooled.days[kept],
        is_start=pooled.is_start,
        effects=np.ascontiguousarray(pooled.effects[cells][:, columns]),
    )
    own = {name: getattr(spans, name)[kept] for name in Spans.__dataclass_fields__}
    number = np.cumsum(is_busy) - 1
    return Spans(**{**own, "block": number[own["block"]]}), left


@np.errstate(all="ignore")
def fill_trials(
    trials: SequentialTrials,
    is_in: Flags | None = None,
    weights: Weights | None = None,
    case_weights: Floats | None = None,
) -> Arms:
    """The weighted curves of both arms by day since the trials' day 0, over the spans chosen.

    In units of a start: the weights at risk on day 1 add up to about as many as start.
    """
    spans = trials.spans
    weights = trials.weights if weights is None else weights
    chosen = np.ones(len(spans.entry), np.bool_) if is_in is None else is_in
    n_days = int(spans.left.max()) + 2
    mine = np.where(chosen, 1.0, 0.0)
    if case_weights is not None:
        mine = mine * case_weights[spans.entry]
    other, own = mine * weights.other, mine[spans.is_start] * weights.own
    last, first = spans.left, spans.left - spans.n_other
    left, cause = spans.until_end, spans.cause[spans.is_start]
    at_risk, events = np.zeros((2, n_days)), np.zeros((2, N_CAUSES, n_days))
    at_risk[START] = _sum_from(left, own, n_days)
    begun = _sum_from(last + 1, other, n_days + 1) - _sum_from(first + 1, other, n_days + 1)
    at_risk[NO_START] = _sum_ahead(begun)[1:]
    at_risk[:, 0] = 0.0
    for k in range(N_CAUSES):
        now, before = cause == k + 1, spans.cause == k + 1
        events[START, k] = np.bincount(left[now], own[now], n_days)
        events[NO_START, k] = _sum_from(last[before], other[before], n_days) - _sum_from(
            first[before], other[before], n_days
        )
    events[:, :, 0] = 0.0
    # what is left of sums that cancel is rounding
    least = 1e-12 * at_risk.max(axis=1, initial=0.0)
    events[events < least[:, None, None]] = 0.0
    at_risk[at_risk < least[:, None]] = 0.0
    return Arms(at_risk, events, find_risks(at_risk, events))


def _sum_from(day: Days, amount: Floats, n_days: int) -> Floats:
    """The sum of the amounts with day >= t, by t."""
    return _sum_ahead(np.bincount(day, amount, n_days).astype(np.float64))


def _sum_ahead(amount: Floats) -> Floats:
    summed: Floats = np.cumsum(amount[::-1])[::-1]
    return summed


@np.errstate(all="ignore")
def find_trial_influence(
    trials: SequentialTrials, arms: Arms, at_days: Sequence[int], is_in: Flags | None = None
) -> Floats:
    """Influence of each cluster on the outcome's risks: clusters x arms x days."""
    chosen = np.ones(len(trials.spans.entry), np.bool_) if is_in is None else is_in
    parts = [_find_arm_influence(trials, arms, arm, at_days, chosen) for arm in range(2)]
    return np.stack([sum_by_victim(trials.trial, part) for part in parts], axis=1)


def _find_arm_influence(
    trials: SequentialTrials, arms: Arms, arm: int, at_days: Sequence[int], chosen: Flags
) -> Floats:
    spans, weights = trials.spans, trials.weights
    slopes = find_slopes(arms, arm, at_days, n_numbers=1)
    by_risk = np.cumsum(slopes.at_risk, axis=1)
    by_event = np.cumsum(slopes.events, axis=2) if arm == NO_START else slopes.events
    rows = np.flatnonzero(chosen & spans.is_start if arm == START else chosen)
    cause, last = spans.cause[rows], spans.left[rows]
    first = last - spans.n_other[rows]
    if arm == START:
        own = np.zeros(len(spans.entry))
        own[spans.is_start] = weights.own
        weight, moved = own[rows], by_risk[:, first]
        happened = by_event[:, np.maximum(cause - 1, 0), first]
        turn = weights.chance[rows] - 1
    else:
        weight, twice = weights.other[rows], np.cumsum(by_risk, axis=1)
        moved = twice[:, last] - twice[:, first]
        kind = np.maximum(cause - 1, 0)
        happened = by_event[:, kind, last] - by_event[:, kind, first]
        turn = weights.chance[rows]
    amounts = weight * (moved + np.where(cause > 0, happened, 0.0))
    amounts[:, weight == 0] = 0.0
    return np.column_stack([spread_amounts(trials, rows, amount, turn) for amount in amounts])


def spread_amounts(trials: SequentialTrials, rows: Days, amount: Floats, turn: Floats) -> Floats:
    """Influence by entry of a number that these spans move by `amount` (weights included).

    turn: derivative of the logarithm of the weights in the log odds of a start.
    """
    spans, weights, trial, model = trials.spans, trials.weights, trials.trial, trials.model
    pooled, entry = trial.pooled, spans.entry[rows]
    direct = np.bincount(entry, amount, trial.n_entries).astype(np.float64)
    effects = np.bincount(pooled.cell[rows], amount * turn, len(pooled.effects)) @ pooled.effects
    by_row = np.bincount(trial.people.row[entry], amount * turn, trial.matrix.shape[0])
    gradient = np.concatenate([effects, trial.transposed @ by_row])
    moved = direct[:, None]
    add_scores(trial, model, (gradient @ model.covariance)[None], moved)
    # through the blocks' chances: starts less those expected, of each entry
    by_block = np.bincount(spans.block[rows], amount, trials.n_blocks)
    scale = np.divide(
        by_block, weights.by_block * weights.days, out=np.zeros(trials.n_blocks),
        where=weights.by_block > 0,
    )  # fmt: skip
    residual = spans.is_start - weights.by_block[spans.block] * pooled.days
    own = np.bincount(spans.entry, scale[spans.block] * residual, trial.n_entries)
    return np.asarray(moved[:, 0] + own)


def refit_trials(trials: SequentialTrials, odds: Odds, case_weights: Floats, is_in: Flags) -> Arms:
    """The curves of a replicate from the odds of its own model."""
    weights = trials.weigh(odds, case_weights)
    return fill_trials(trials, is_in, weights, case_weights)
