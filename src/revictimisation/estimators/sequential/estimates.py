"""The numbers of sequential trials, their intervals, and what stands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Flags, Floats
from revictimisation.estimators.contrasts import RISKS
from revictimisation.estimators.inference import Estimate, compare_arms
from revictimisation.estimators.sequential.trials import (
    NO_START,
    START,
    SequentialTrials,
    fill_trials,
    find_trial_influence,
    refit_trials,
)
from revictimisation.estimators.target_trial.balance import (
    ARMS,
    count_effective,
    outside_common_support,
)
from revictimisation.estimators.target_trial.bootstrap import BATCH, draw_weights
from revictimisation.estimators.target_trial.diagnostics import (
    describe_detectable,
    describe_events,
    make_check,
)
from revictimisation.estimators.target_trial.pooled_logistic import (
    find_information,
    invert_information,
    refit,
)
from revictimisation.estimators.target_trial.weighted_risk import Arms


@dataclass(frozen=True, eq=False)
class Stretch:
    """Trials that are pooled: the spans whose days begin one, and their curves."""

    trials: SequentialTrials
    is_in: Flags
    arms: Arms
    _kept: dict[tuple[int, ...], Floats] = field(default_factory=dict)

    def find_influence(self, at_days: Sequence[int]) -> Floats:
        """Influence of each cluster on the outcome's risks (`find_trial_influence`), kept."""
        days = tuple(at_days)
        if days not in self._kept:
            self._kept[days] = find_trial_influence(self.trials, self.arms, days, self.is_in)
        return self._kept[days]

    @property
    def is_start(self) -> Flags:
        """By start of the cohort: whether it is one of these trials'."""
        return np.asarray(self.is_in[self.trials.spans.is_start])

    @property
    def own(self) -> Floats:
        """A starter's weight, by start of the cohort."""
        return self.trials.weights.own

    @property
    def is_converged(self) -> bool:
        """The models settled."""
        return self.trials.model.is_converged

    @cached_property
    def is_kept(self) -> Flags:
        """Spans whose start is never censored artificially."""
        return self.trials.spans.is_start

    def mark_people(self, arm: int) -> Flags:
        """People who are in an arm of one of the trials."""
        spans = self.trials.spans
        mine = self.is_in & (self.is_kept if arm == START else spans.n_other > 0)
        marks = np.zeros(self.trials.n_people, np.bool_)
        marks[self.trials.person[mine & self.has_starts]] = True
        return marks

    def count_victims(self) -> int:
        """Clusters in which anybody starts in one of the trials."""
        spans = self.trials.spans
        clusters = self.trials.trial.people.cluster[spans.entry[self.is_in & self.is_kept]]
        return len(np.unique(clusters))

    @cached_property
    def has_starts(self) -> Flags:
        """Spans of blocks in which anybody starts: others weigh nothing."""
        return np.asarray(self.trials.weights.by_block[self.trials.spans.block] > 0)

    def weigh_people(self, arm: int) -> Floats:
        """What each person weighs in an arm, over all of the trials."""
        spans, weights = self.trials.spans, self.trials.weights
        amount = np.where(self.is_in, spans.n_other * weights.other, 0.0)
        if arm == START:
            amount = np.zeros(len(spans.entry))
            amount[spans.is_start] = np.where(self.is_start, self.own, 0.0)
        summed = np.bincount(self.trials.person, amount, self.trials.n_people)
        return summed.astype(np.float64)

    def count_events(self, at_days: Sequence[int]) -> np.ndarray:
        """People with the outcome by each day of a trial: in either arm, and in one of the two."""
        spans, n = self.trials.spans, self.trials.n_people
        found = []
        mine = self.is_in & self.has_starts
        # the nearest trial's: from a start, or from the last day without one
        for is_arm, nearest in (
            (self.is_kept, spans.left - spans.n_other),
            (spans.n_other > 0, spans.left - spans.n_other + 1),
        ):
            rows = np.flatnonzero(mine & is_arm & (spans.cause == 1))
            first = np.full(n, np.iinfo(np.int64).max)
            np.minimum.at(first, self.trials.person[rows], nearest[rows])
            found.append(first)
        found.append(np.minimum(*found))
        days = np.asarray(at_days)[:, None]
        return np.array([(first <= days).sum(axis=1) for first in found])


def pool_stretch(trials: SequentialTrials, first_day: int, last_day: int) -> Stretch:
    """The trials that begin on first_day..last_day, with their curves."""
    return pool_spans(trials, trials.choose(first_day, last_day))


def pool_spans(trials: SequentialTrials, is_in: Flags) -> Stretch:
    """The trials that begin on the days of these spans, with their curves."""
    return Stretch(trials, is_in, fill_trials(trials, is_in))


def estimate_stretch(
    stretch: Stretch, at_days: Sequence[int], draws: Floats | None = None
) -> pd.DataFrame:
    """The risks of both arms by days since the start of a trial, and their contrasts.

    draws: replicates x arms x days, of `bootstrap_stretches`; errors are then theirs, else those of
    the influence of each cluster.

    Returns:
        A row per day and estimand (risk_start, risk_no_start, risk_difference, risk_ratio), as
        `target_trial.estimates.estimate_strategies` has them. n_people: those who started, who
        were in a trial without starting, in one of the two; n_events: of those with the outcome by
        the day of a trial.
    """
    risk = find_trial_risks(stretch, at_days, draws)
    effective = np.array([count_effective(stretch.weigh_people(arm)) for arm in (START, NO_START)])
    followed = _read_at_risk(stretch.arms, at_days)
    behind = effective[:, None] * np.divide(
        followed, followed[:, :1], out=np.zeros_like(followed), where=followed[:, :1] > 0
    )
    marks = [stretch.mark_people(arm) for arm in (START, NO_START)]
    counts = (*(int(mark.sum()) for mark in marks), int((marks[0] | marks[1]).sum()))
    table = compare_arms(
        risk, risk.interval("log-log", np.maximum(behind[:, 1:], 1.0)), RISKS,
        {"time_days": np.asarray(at_days, dtype=np.int64)},
        n_people=counts,
        n_events=stretch.count_events(at_days),
        is_followed=followed[:, 1:] > 0,
    )  # fmt: skip
    return table.sort_values("time_days", kind="stable", ignore_index=True)


def find_trial_risks(
    stretch: Stretch, at_days: Sequence[int], draws: Floats | None = None
) -> Estimate:
    """The outcome's risks by days since the start of a trial: arms x days."""
    value = stretch.arms.read(at_days)[:, 0]
    if draws is not None:
        return Estimate(value, draws=draws)
    return Estimate(value, stretch.find_influence(at_days))


def contrast_stretches(
    one: Stretch, other: Stretch, at_days: Sequence[int], draws: Sequence[Floats | None]
) -> pd.DataFrame:
    """The risk difference of one stretch less that of another, by days: as `estimate_stretch`.

    A cluster that is in both moves the difference once. draws: those of each.
    """
    first, second = (
        find_trial_risks(stretch, at_days, drawn)
        for stretch, drawn in zip((one, other), draws, strict=True)
    )
    gap = (first[0] - first[1]) - (second[0] - second[1])
    marks = [stretch.mark_people(arm) for stretch in (one, other) for arm in (START, NO_START)]
    n_events = np.minimum(one.count_events(at_days)[2], other.count_events(at_days)[2])
    return gap.interval().to_rows(
        RISKS[2], time_days=np.asarray(at_days, dtype=np.int64),
        n_people=int(np.logical_or.reduce(marks).sum()), n_events=n_events,
    )  # fmt: skip


def _read_at_risk(arms: Arms, at_days: Sequence[int]) -> Floats:
    """Weight at risk on the first day and on each of the days; arms x (1 + days)."""
    last = arms.at_risk.shape[1] - 1
    days = np.append(1, np.asarray(at_days))
    return np.where(days <= last, arms.at_risk[:, np.minimum(days, last)], 0.0)


def bootstrap_stretches(
    stretches: Sequence[Stretch], at_days: Sequence[int], *, n_replicates: int, seed: int
) -> tuple[Floats, int]:
    """Risks of the outcome with models refitted in replicates over clusters; how many failed.

    Replicates x stretches x arms x days. As `target_trial.bootstrap`: a cluster's weight follows
    from seed, replicate and its number alone.
    """
    trials = stretches[0].trials
    trial, model = trials.trial, trials.model
    ones = np.ones(trial.n_entries)
    inverse, _ = invert_information(find_information(trial, model.pooled, ones, model.odds))
    answers, n_failed = [], 0
    for first in range(0, n_replicates, BATCH):
        batch = range(first, min(first + BATCH, n_replicates))
        # always as many: a replicate's digits do not depend on how many are asked for
        drawn = [draw_weights(seed, k, trial.n_clusters) for k in range(first, first + BATCH)]
        weights = np.stack(drawn, axis=1)[trial.people.cluster]
        found = refit(trial, model.pooled, weights, model.theta, inverse)
        for k in range(len(batch)):
            mine = weights[:, k].copy()
            risks = [
                refit_trials(trials, found[k].odds, mine, one.is_in).read(at_days)[:, 0]
                for one in stretches
            ]
            answers.append(risks)
            n_failed += not (found[k].is_converged and bool(np.isfinite(risks).all()))
    return np.array(answers), n_failed


def diagnose_stretch(stretch: Stretch, estimates: pd.DataFrame) -> pd.DataFrame:
    """What says whether to believe pooled trials: a row per check, arm and day.

    Columns and checks as `target_trial.diagnostics.diagnose_trial`. effective_sample_size: of
    people, by what each weighs over all trials of an arm. largest_standardised_difference: of a
    column (baseline, history) on the day a trial begins, each arm against all at risk.
    share_outside_support: of the days without a start, those on which the chance of one, less that
    of its block, lies outside the common support.
    """
    trials, rows = stretch.trials, {}
    for name in RISKS[:3]:
        rows[name] = estimates[estimates["estimand"] == name]
    checks = [check for name, arm in zip(RISKS, ARMS, strict=False)
              for check in describe_events(rows[name], arm)]  # fmt: skip
    for arm, name in enumerate(ARMS):
        weights = stretch.weigh_people(arm)
        checks.append(make_check("effective_sample_size", float(count_effective(weights)), name))
    n_victims = stretch.count_victims()
    checks += [
        make_check("n_exposed_victims", n_victims, ARMS[START]),
        *describe_detectable(rows[RISKS[2]]),
        make_check("share_same_day_starts", trials.trial.same_day_share),
        make_check("is_converged", stretch.is_converged),
        make_check("share_outside_support", _measure_outside(stretch)),
    ]
    for kind, gaps in measure_stretch_balance(stretch).items():
        checks += [
            make_check(kind, float(np.abs(gap).max(initial=0.0)), name)
            for name, gap in zip(ARMS, gaps, strict=True)
        ]
    return pd.DataFrame(checks)


def _measure_outside(stretch: Stretch) -> float:
    trials = stretch.trials
    spans, weights = trials.spans, trials.weights
    mine = stretch.is_in & stretch.has_starts
    odds = weights.chance / np.maximum(1 - weights.chance, 1e-12)
    relative = odds / np.maximum(weights.by_block[spans.block], 1e-300)
    is_start = spans.is_start[mine]
    if is_start.all() or not is_start.any():
        return 1.0
    outside = outside_common_support(relative[mine], is_start)
    days = spans.n_other[mine]
    return float((outside * days).sum() / max(days.sum(), 1))


def measure_stretch_balance(stretch: Stretch) -> dict[str, Floats]:
    """Standardised differences on the day a trial begins, arms x columns, by the checks' names.

    Of the baseline columns, then of what changes; against all at risk, trials counting by how many
    start, in standard deviations of these.
    """
    trials = stretch.trials
    spans, weights = trials.spans, trials.weights
    days = trials.trial.pooled.days
    large = np.where(stretch.is_in, weights.by_block[spans.block], 0.0)
    starts = np.zeros(len(spans.entry))
    starts[spans.is_start] = np.where(stretch.is_start, stretch.own, 0.0)
    others = np.where(stretch.is_in, weights.other * spans.n_other, 0.0)
    everybody = large * days
    plain = [np.where(stretch.is_in, spans.is_start, 0.0), large * spans.n_other]
    amounts = np.stack([everybody, starts, others, *plain])
    mean, _ = _average(trials, amounts, 1)
    square, _ = _average(trials, amounts[:1], 2)
    variance = square[0] - mean[0] ** 2
    spread = np.where(variance > 1e-12, np.sqrt(np.maximum(variance, 0.0)), np.inf)
    gaps = (mean[1:] - mean[0]) / spread
    name = "largest_standardised_difference"
    return {name: gaps[:2], f"{name}_unweighted": gaps[2:]}


def _average(trials: SequentialTrials, amounts: Floats, power: int) -> tuple[Floats, Floats]:
    """Weighted means (amounts x columns) of the columns or their squares; and the sums."""
    trial, spans = trials.trial, trials.spans
    table = trial.matrix if power == 1 else trial.matrix.power(power)
    effects = trial.pooled.effects[:, trials.n_blocks :] ** power
    total = amounts.sum(axis=1)
    by_row = np.stack([
        np.bincount(trial.people.row[spans.entry], one, table.shape[0]) for one in amounts
    ])  # fmt: skip
    by_cell = np.stack([
        np.bincount(trial.pooled.cell, one, len(effects)) for one in amounts
    ])  # fmt: skip
    sums = np.hstack([np.asarray(table.T @ by_row.T).T, by_cell @ effects])
    return sums / np.where(total > 0, total, np.nan)[:, None], total
