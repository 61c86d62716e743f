"""A target trial within each level of a grouping: one set of weights, a curve a level and arm.

The weights are those of models fitted to the whole cohort, not anew within a level: a level of some
hundreds with some tens of starts cannot tell the coefficients of thirty columns. So the models
should hold the grouping's main effects. Where a covariate leads to the measure otherwise in a level
than elsewhere these weights are off there, which the balance within the level shows
(`LevelMeasurer`).

Curves are of the level's entries alone. A victim moves a level's numbers directly only as one of
the level, and through the coefficients wherever the victim is: so levels are not independent of
each other, and what tells them apart is reckoned from the influence of every victim on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Codes, Flags, Floats, Whole
from revictimisation.estimators.contrasts import RISKS
from revictimisation.estimators.inference import Estimate, compare_arms
from revictimisation.estimators.intervals import normal_quantile, t_quantile
from revictimisation.estimators.target_trial.balance import (
    average_columns,
    count_effective,
    fit_chances,
    measure_spread,
    outside_common_support,
    read_weights_at,
)
from revictimisation.estimators.target_trial.clone_influence import (
    add_model_scores,
    find_direct_influence,
    sum_by_victim,
)
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.estimates import count_events, mark_uncensored
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.estimators.target_trial.weighted_risk import fill_arms, find_slopes


@dataclass(frozen=True, eq=False)
class LevelRisks:
    """The outcome's risks within levels; nan where nobody or everybody of a level started.

    Attributes:
        risk: arms (start, no start) x levels x days. effective: the effective number of clones at
            risk, of the same shape.
        people: levels x (clones never censored by arm, entries). events: the same, x levels x days.
    """

    risk: Estimate
    effective: Floats
    people: Whole
    events: Whole

    @cached_property
    def gap(self) -> Estimate:
        """Risk differences, levels x days."""
        return self.risk[0] - self.risk[1]

    @property
    def has_risk(self) -> Flags:
        """Levels with somebody in either arm."""
        return np.asarray(~np.isnan(self.risk.value).any(axis=(0, 2)))

    def to_rows(self, levels: npt.NDArray[np.object_], at_days: Sequence[int]) -> pd.DataFrame:
        """Rows of the levels that have risks, as `compare_arms`, with level and time_days.

        Intervals of differences and ratios by Student's t: in a level few victims may carry the
        error (`find_freedom`).
        """
        has, n_days = self.has_risk, len(at_days)
        risk = self.risk[:, has].reshape(2, -1)
        events, effective = (
            self.events[:, has].reshape(3, -1),
            self.effective[:, has].reshape(2, -1),
        )
        return compare_arms(
            risk,
            risk.interval("log-log", np.where(risk.value >= 1, events[:2], effective)),
            RISKS,
            {"level": np.repeat(levels[has], n_days), "time_days": np.tile(at_days, has.sum())},
            n_people=np.repeat(self.people[has], n_days, axis=0).T,
            n_events=events,
            is_followed=(effective > 0) | (risk.value >= 1),
            quantile=t_quantile(self.gap[has].freedom).reshape(-1),
        )


def read_levels(
    weighted: WeightedTrial,
    codes: Codes,
    n_levels: int,
    at_days: Sequence[int],
    given: Sequence[Floats] | None = None,
) -> LevelRisks:
    """The outcome's risks within each level, and each victim's influence on them.

    codes: the level of each entry, 0..n_levels - 1. given: `read_weights_at` the same days, where
    it is known already.
    """
    trial, n_days = weighted.trial, len(at_days)
    shape = (2, n_levels, n_days)
    value, effective = np.full(shape, np.nan), np.zeros(shape)
    for place, weights in enumerate(read_weights_at(weighted, at_days) if given is None else given):
        effective[:, :, place] = _count_effective(weights, codes, n_levels).T
    people, events = np.zeros((n_levels, 3), np.int64), np.zeros((3, *shape[1:]), np.int64)
    moves = np.zeros((2, trial.n_entries, n_levels * n_days))
    gradients = [
        tuple(np.zeros((n_levels * n_days, len(model.theta)))
              for model in (weighted.daily, weighted.other))
        for _ in range(2)
    ]  # fmt: skip
    for level in range(n_levels):
        chosen = codes == level
        people[level, 2] = chosen.sum()
        if not trial.is_started[chosen].any() or trial.is_started[chosen].all():
            continue
        mine = weighted.take(chosen)
        arms, is_in = fill_arms(mine), mark_uncensored(mine)
        value[:, level] = arms.read(at_days)[:, 0]
        people[level, :2] = is_in.sum(axis=0)
        events[:, level] = count_events(mine.people, is_in, at_days, 1)
        here = slice(level * n_days, (level + 1) * n_days)
        for arm in range(2):
            slopes = find_slopes(arms, arm, at_days, n_numbers=1)
            direct, by_model = find_direct_influence(mine, arm, slopes)
            moves[arm, chosen, here] = direct
            for kept, found in zip(gradients[arm], by_model, strict=True):
                kept[here] = found
    for arm in range(2):
        add_model_scores(weighted, (gradients[arm][0], gradients[arm][1]), moves[arm])
    summed = [sum_by_victim(trial, move).reshape(-1, n_levels, n_days) for move in moves]
    return LevelRisks(Estimate(value, np.stack(summed, axis=1)), effective, people, events)


def count_started_victims(trial: Trial, codes: Codes, n_levels: int) -> Floats:
    """How many victims of each level started within the grace time; `codes`: level by entry."""
    pairs = np.column_stack([codes, trial.people.cluster])[trial.is_started]
    found = np.bincount(np.unique(pairs, axis=0)[:, 0], minlength=n_levels)
    return found.astype(np.float64)


def _count_effective(weights: Floats, codes: Codes, n_levels: int) -> Floats:
    """Effective number by level and arm; 0 where a weight has no end: it tells nothing."""
    found = [count_effective(weights[codes == level]) for level in range(n_levels)]
    return np.nan_to_num(found)


@dataclass(frozen=True, eq=False)
class LevelBalance:
    """How alike the weighted arms are within levels (a place a level; nan: it has no arms).

    Attributes:
        effective: levels x arms, effective number of clones of the whole grace time; 0 where a
            weight has no end.
        largest: levels x arms, the largest standardised difference of a column between the arm and
            the level's entries, up to the end of the grace time.
        beyond_chance: the same, each difference less what chance alone may give.
        share_outside: share of the entries outside the common support of the whole cohort.
    """

    effective: Floats
    largest: Floats
    beyond_chance: Floats
    share_outside: Floats


class LevelMeasurer:
    """Measures balance and support within levels of a trial; what all levels share is kept."""

    def __init__(self, weighted: WeightedTrial) -> None:
        self._trial, self._spread = weighted.trial, measure_spread(weighted.trial)
        self._ends, is_started = weighted.weights_on(), weighted.trial.is_started
        self._is_outside = outside_common_support(fit_chances(weighted), is_started)
        self._days = [
            (weighted.weights_on(day), weighted.people.stop > day)
            for day in sorted({0, weighted.trial.grace_days})
        ]

    def measure(self, codes: Codes, n_levels: int) -> LevelBalance:
        """Balance and support within each level.

        Differences are in the columns' standard deviations in the whole cohort on day 0, as in
        `measure_balance`, measured on day 0 and on the last day of the grace time. In a small level
        they differ from 0 by chance: an arm of effective size e of the level's n has a mean that
        strays from theirs with the level's own standard deviation times sqrt(1/e - 1/n). What is
        beyond chance is beyond the normal quantile for 95 % over all columns (Bonferroni) of it.
        """
        effective = _count_effective(self._ends, codes, n_levels)
        largest, beyond = np.full((n_levels, 2), np.nan), np.full((n_levels, 2), np.nan)
        share = np.full(n_levels, np.nan)
        quantile = normal_quantile(1 - 0.05 / max(len(self._trial.names), 1))
        is_started = self._trial.is_started
        for level in range(n_levels):
            chosen = codes == level
            share[level] = self._is_outside[chosen].mean() if chosen.any() else np.nan
            if not is_started[chosen].any() or is_started[chosen].all():
                continue
            gaps, errors = zip(*[self._compare(chosen, *day) for day in self._days], strict=True)
            sizes, allowed = np.abs(np.array(gaps)), quantile * np.array(errors)
            largest[level] = sizes.max(axis=(0, 2), initial=0.0)
            beyond[level] = np.maximum(sizes - allowed, 0.0).max(axis=(0, 2), initial=0.0)
        return LevelBalance(effective, largest, beyond, share)

    def _compare(self, chosen: Flags, weights: Floats, is_followed: Flags) -> tuple[Floats, Floats]:
        """Gaps (arms x columns) of a level's arms to those of it followed, and errors by chance."""
        mine = (chosen & is_followed).astype(np.float64)
        own = np.where(mine[:, None] > 0, weights, 0.0)
        means = average_columns(self._trial, np.column_stack([mine, own]))
        variance = average_columns(self._trial, mine[:, None], 2)[0] - means[0] ** 2
        size = np.nan_to_num(count_effective(own))
        is_known = (size > 0)[:, None]
        excess = np.maximum(1 / np.where(size > 0, size, np.inf) - 1 / max(mine.sum(), 1.0), 0.0)
        errors = np.sqrt(np.outer(excess, np.maximum(variance, 0.0))) / self._spread
        gaps = np.where(is_known, (means[1:] - means[0]) / self._spread, 0.0)
        return gaps, errors
