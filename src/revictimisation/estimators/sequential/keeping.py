"""Sequential trials in which who starts also keeps the measure for so many days: per protocol.

A starter is censored on the day on which the measure ends, where that is within the days asked
about (the day itself still counts). Its weight on (t, t + 1] is that of its start times the
inverse probability of not having ended by t, prod 1 / (1 - q_k) over k = 0..min(t, days - 1), q_k
from a pooled logistic model of an end on each day since the start among starters of all trials
(Robins & Finkelstein 2000; Danaei et al. 2013): the clone *kept* of the trial of the end. The arm
*no start* is as by intention to treat: not on that day, whatever follows.

Errors: the influence of each cluster, through the curve, both models and the blocks' chances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.sequential.estimates import Stretch
from revictimisation.estimators.sequential.trials import NO_START, START, spread_amounts
from revictimisation.estimators.target_trial.clone_influence import (
    add_scores,
    sum_by_victim,
    weigh_slopes,
)
from revictimisation.estimators.target_trial.clone_weights import LAST, WeightedTrial
from revictimisation.estimators.target_trial.entry_days import Gradient, build_days, cut_blocks
from revictimisation.estimators.target_trial.trial_data import People
from revictimisation.estimators.target_trial.weighted_risk import (
    Arms,
    fill_arms,
    find_risks,
    find_slopes,
)

CLONE = NO_START  # of the trial of the end: the measure does not end within the days


@dataclass(frozen=True, eq=False)
class KeptStarts:
    """Starters under one strategy, started and kept: `own` their weights at the start."""

    ends: WeightedTrial
    own: Floats

    @property
    def people(self) -> People:
        """The starters; follow-up counts from the start."""
        return self.ends.people

    @cached_property
    def weights(self) -> Floats:
        """Of all starters, as `weigh` gives them."""
        return self.weigh(np.arange(len(self.own)))

    def weigh(self, who: Whole) -> Floats:
        """Weights of these starters: starters x 1 x places."""
        weights: Floats = self.ends.weights[who, CLONE] * self.own[who, None]
        return weights[:, None]


@dataclass(frozen=True, eq=False, kw_only=True)
class KeptStretch(Stretch):
    """Pooled trials per protocol: `arms` with the measure kept, `plain` by intention to treat.

    `ends`: the trial of the measure's end, its entries the starts of `trials` in their order.
    """

    ends: WeightedTrial
    plain: Stretch

    @property
    def own(self) -> Floats:
        """A starter's weight on the last day of its own follow-up within the days asked about."""
        place = self.ends.trial.grace_days
        return self.plain.own * self.ends.weights_by(place)[:, CLONE]

    @property
    def is_converged(self) -> bool:
        """The models of starts and of ends settled."""
        return self.plain.is_converged and self.ends.daily.is_converged

    @cached_property
    def is_kept(self) -> Flags:
        """Spans whose starter keeps the measure, as far as it is followed."""
        marks = self.trials.spans.is_start.copy()
        marks[marks] = self.ends.weights_on(LAST)[:, CLONE] > 0
        return marks

    def count_ended(self) -> int:
        """Clusters in which anybody starts in one of the trials and does not keep the measure."""
        spans = self.trials.spans
        mine = self.is_in & spans.is_start & ~self.is_kept
        return len(np.unique(self.trials.trial.people.cluster[spans.entry[mine]]))

    def find_influence(self, at_days: Sequence[int]) -> Floats:
        """Influence of each cluster on the outcome's risks: clusters x arms x days."""
        days = tuple(at_days)
        if days not in self._kept:
            found = self.plain.find_influence(days).copy()
            found[:, START] = _find_start_influence(self, days)
            self._kept[days] = found
        return self._kept[days]


def keep_starts(plain: Stretch, ends: WeightedTrial) -> KeptStretch:
    """The same trials with the measure kept by who starts.

    Raises:
        ValueError: a trial of ends whose entries are not the starts.
    """
    starts = plain.trials.spans.until_end
    if len(starts) != len(ends.people.stop) or (starts != ends.people.stop).any():
        raise ValueError("the trial of the end must hold the starts, in their order")
    kept, other = fill_arms(_weigh_starts(plain, ends)), plain.arms
    at_risk, events = np.zeros_like(other.at_risk), np.zeros_like(other.events)
    n_days = kept.at_risk.shape[1]
    at_risk[START, :n_days], events[START, :, :n_days] = kept.at_risk[0], kept.events[0]
    at_risk[NO_START], events[NO_START] = other.at_risk[NO_START], other.events[NO_START]
    arms = Arms(at_risk, events, find_risks(at_risk, events))
    return KeptStretch(plain.trials, plain.is_in, arms, ends=ends, plain=plain)


def _weigh_starts(plain: Stretch, ends: WeightedTrial) -> KeptStarts:
    return KeptStarts(ends, np.where(plain.is_start, plain.own, 0.0))


@np.errstate(all="ignore")
def _find_start_influence(stretch: KeptStretch, at_days: Sequence[int]) -> Floats:
    """Influence of each cluster on the risk with the measure started and kept: clusters x days."""
    ends, trials = stretch.ends, stretch.trials
    trial, model = ends.trial, ends.daily
    slopes = find_slopes(stretch.arms, START, at_days, n_numbers=1)
    weights, late = _weigh_starts(stretch.plain, ends).weights[:, 0], _sum_up(slopes.at_risk)
    direct = np.empty((trial.n_entries, len(at_days)))
    gradient = Gradient.of(model, len(trial.names), len(at_days))
    for here in cut_blocks(trial.n_entries, len(trial.interval) * len(at_days)):
        amounts = weigh_slopes(trial, here, weights[here], slopes, late, None)
        direct[here] = amounts.sum(axis=0).T
        gradient.add_hazards(build_days(ends, here), amounts, has_start=False)
    through_ends = np.zeros_like(direct)
    moves = gradient.by_coefficient(model.pooled.effects) @ model.covariance
    add_scores(trial, model, moves, through_ends)
    spans, rows = trials.spans, np.flatnonzero(trials.spans.is_start)
    turn = trials.weights.chance[rows] - 1
    by_entry = np.column_stack([
        spread_amounts(trials, rows, amount, turn) for amount in direct.T
    ])  # fmt: skip
    np.add.at(by_entry, spans.entry[rows], through_ends)
    return sum_by_victim(trials.trial, by_entry)


def _sum_up(slopes: Floats) -> Floats:
    return np.cumsum(slopes, axis=1).T


__all__ = ["KeptStretch", "keep_starts"]
