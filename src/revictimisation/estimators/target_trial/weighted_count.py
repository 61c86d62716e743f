"""Weighted mean cumulative counts of the two arms: Ghosh and Lin's by clones.

Outcomes recur and do not end follow-up; death and emigration do. With Y(s) the weight at risk on
day s, dN(s) that of outcomes, dD(s) that of terminal events, S(s-) the product of 1 - dD / Y over
the days before s, the mean number of outcomes by day t is (Ghosh & Lin 2000, eq. 2, with the
weights of Robins & Finkelstein 2000 on every sum)

    mu(t) = sum over s <= t of S(s-) dN(s) / Y(s)

Its derivatives are those of a risk (`weighted_risk`) whose events are no reason to leave.

**Which weights.** A person is followed past the first outcome, and may start after it. So the trial
is laid out with all of follow-up (`stop_day` = its end, cause 0, 2 or 3), the model of starts is
that among those alive and not started whatever outcomes they had, and the outcomes so far belong to
its changing covariates: who has just been reported on again is more likely to get the measure, and
to be reported on once more. An outcome comes before a start on its day, so it counts from its own
day on (`outcome_changes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Days, Floats
from revictimisation.estimators.contrasts import COUNTS
from revictimisation.estimators.inference import Estimate, compare_arms
from revictimisation.estimators.intervals import NO_ERROR
from revictimisation.estimators.target_trial.balance import count_effective, count_effective_at
from revictimisation.estimators.target_trial.changes import Changes, count_changes, spell_changes
from revictimisation.estimators.target_trial.clone_influence import find_arm_influence
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.estimates import mark_uncensored
from revictimisation.estimators.target_trial.trial_data import N_CAUSES, Outcomes, Trial
from revictimisation.estimators.target_trial.weighted_risk import (
    ALL,
    Slopes,
    differentiate_curve,
    fill_arms,
)


def outcome_changes(
    entry: npt.ArrayLike, day: npt.ArrayLike, *, recent_days: int, cap: int | None = None
) -> dict[str, Changes]:
    """Outcomes so far, and whether there was one lately, as changing covariates of starts.

    `has_outcome` (0/1), `n_outcomes` (up to `cap`), and `recent_outcome`: 1 on the day of an
    outcome and the days after it, `recent_days` in all. All hold from the outcome's own day on: it
    comes before a start on that day.

    Example:
        >>> made = outcome_changes([0, 0], [3, 5], recent_days=4)
        >>> for name, one in made.items():
        ...     print(name, one.day.tolist(), one.value.tolist())
        has_outcome [3, 5] [1.0, 1.0]
        n_outcomes [3, 5] [1.0, 2.0]
        recent_outcome [3, 5, 7, 9] [1.0, 1.0, 1.0, 0.0]
    """
    before = np.asarray(day, dtype=np.int64) - 1
    return {
        "has_outcome": count_changes(entry, before, 1),
        "n_outcomes": count_changes(entry, before, cap),
        "recent_outcome": spell_changes(entry, before, before + recent_days),
    }


@dataclass(frozen=True, eq=False)
class CountArms:
    """Both arms (0 start, 1 no start) by day 0..last day of follow-up, arms x days; weighted.

    `before`: share still there before the day. `count`: the mean count by the day.
    """

    at_risk: Floats
    outcomes: Floats
    ended: Floats
    before: Floats
    count: Floats

    def read(self, at_days: Sequence[int]) -> Floats:
        """Arms x days; past the last follow-up a count stays where it was."""
        return self.count[:, self.places(at_days)]

    def places(self, at_days: Sequence[int]) -> Days:
        """Days as places; past the end the last."""
        return np.minimum(np.asarray(at_days, dtype=np.int64), self.count.shape[1] - 1)


def build_outcomes(trial: Trial, entry: npt.ArrayLike, day: npt.ArrayLike) -> Outcomes:
    """Outcomes (entry, day), in any order, as the loops take them.

    Raises:
        ValueError: lengths that differ, an entry that is none, a day outside its follow-up, a
            trial in which outcomes end follow-up.
    """
    who, when = np.asarray(entry, dtype=np.int64), np.asarray(day, dtype=np.int64)
    if (trial.people.cause == 1).any():
        raise ValueError("follow-up must not end at an outcome: give its whole length")
    if len(who) != len(when) or (len(who) and not 0 <= who.min() <= who.max() < trial.n_entries):
        raise ValueError("outcomes must have an entry and a day each")
    if (when < 1).any() or (when > trial.people.stop[who]).any():
        raise ValueError("an outcome lies outside its entry's follow-up (0, stop]")
    order = np.lexsort((when, who))
    first = np.searchsorted(who[order], np.arange(trial.n_entries + 1)).astype(np.int64)
    return Outcomes(first, when[order].astype(np.int32))


def fill_counts(
    weighted: WeightedTrial, outcomes: Outcomes, case_weights: Floats | None = None
) -> CountArms:
    """The weighted mean counts of both arms, each entry with a case weight (1 if none given)."""
    trial, arms = weighted.trial, fill_arms(weighted, case_weights)
    owner = np.repeat(np.arange(trial.n_entries), np.diff(outcomes.first))
    place = np.minimum(outcomes.day - 1, trial.grace_days)
    mine = 1.0 if case_weights is None else case_weights[owner]
    amount = np.stack([
        np.bincount(outcomes.day, mine * weighted.weights[owner, arm, place], trial.last_day + 1)
        for arm in range(2)
    ]).astype(np.float64)  # fmt: skip
    return accumulate_counts(arms.at_risk, amount, arms.events.sum(axis=1))


def accumulate_counts(at_risk: Floats, amount: Floats, ended: Floats) -> CountArms:
    """Ghosh and Lin's curves from the weights at risk, of outcomes, of terminal events by day."""
    # Of clones of next to no weight rounding may leave less at risk than have an event.
    at_risk = np.maximum(at_risk, np.maximum(amount, ended))
    stays = _stay(at_risk, ended)
    before = np.column_stack([np.ones(2), np.cumprod(stays, axis=1)[:, :-1]])
    count = np.cumsum(before * _share(amount, at_risk), axis=1)
    return CountArms(at_risk, amount, ended, before, count)


def find_count_influence(
    weighted: WeightedTrial, outcomes: Outcomes, arms: CountArms, at_days: Sequence[int]
) -> Floats:
    """Influence of each victim on the mean counts: clusters x arms x days.

    The derivative in the victim's case weight, the fitting of the weights included
    (`clone_influence`).
    """
    parts = [
        find_arm_influence(weighted, arm, _find_slopes(arms, arm, at_days), outcomes)
        for arm in range(2)
    ]
    return np.stack(parts, axis=1)


def estimate_counts(
    weighted: WeightedTrial, outcomes: Outcomes, at_days: Sequence[int]
) -> pd.DataFrame:
    """Mean counts under both strategies and their difference, with intervals by influence.

    Args:
        weighted: from `weigh_clones` on a trial of all follow-up. outcomes: from `build_outcomes`.

    Returns:
        A row per day and estimand: mean_count_start, mean_count_no_start, mean_count_difference;
        columns and intervals as `compare_counts` has them (with `grace_days` 0 and no covariates
        the very same numbers). n_people: clones never censored artificially, for the difference
        entries; n_events: their outcomes up to the day.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.clone_weights import weigh_clones
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 3, [])
        >>> trial = prepare_trial([9, 9, 9], [0, 0, 2], [0, None, None], none, grace_days=0)
        >>> outcomes = build_outcomes(trial, [0, 0, 1], [4, 9, 9])
        >>> rows = estimate_counts(weigh_clones(trial), outcomes, [9])
        >>> rows[["estimand", "estimate", "n_people", "n_events"]]
                        estimand  estimate  n_people  n_events
        0       mean_count_start       2.0         1         2
        1    mean_count_no_start       0.5         2         1
        2  mean_count_difference       1.5         3         3
    """
    arms = fill_counts(weighted, outcomes)
    influence = find_count_influence(weighted, outcomes, arms, at_days)
    is_in = mark_uncensored(weighted)
    days = np.asarray(at_days, dtype=np.int64)
    owner = np.repeat(np.arange(weighted.trial.n_entries), np.diff(outcomes.first))
    counts = Estimate(arms.read(at_days), influence)
    at_risk = count_effective_at(weighted, at_days)
    # how many speak for a count without spread: at most the victims
    last = count_effective(weighted.weights_on())[:, None]
    behind = np.minimum(np.where(at_risk > 0, at_risk, last), weighted.trial.n_clusters)
    left = (arms.before * _stay(arms.at_risk, arms.ended))[:, arms.places(at_days)]
    mine = [np.sort(outcomes.day[chosen]) for chosen in (*is_in[owner].T, is_in[owner].any(axis=1))]
    table = compare_arms(
        counts,
        counts.interval("log", behind),
        COUNTS,
        {"time_days": days},
        n_people=(*is_in.sum(axis=0), len(is_in)),
        n_events=np.stack([np.searchsorted(when, days, side="right") for when in mine]),
        is_followed=~(at_risk <= 0) | (left <= NO_ERROR),
    )
    return table.sort_values("time_days", kind="stable", ignore_index=True)


def _find_slopes(arms: CountArms, arm: int, at_days: Sequence[int]) -> Slopes:
    curve = (arms.at_risk[arm], arms.ended[arm], arms.outcomes[arm], arms.count[arm])
    read = np.eye(len(curve[0]))[arms.places(at_days)]
    moved = [differentiate_curve(*curve, on_day) for on_day in read]
    by_risk, by_end, by_outcome = (np.array(part) for part in zip(*moved, strict=True))
    return Slopes(by_risk, np.repeat(by_end[:, None], N_CAUSES, axis=1), by_outcome)


def _stay(at_risk: Floats, ended: Floats) -> Floats:
    gone = _share(ended, at_risk)
    return np.where(gone > ALL, 0.0, 1 - gone)


def _share(top: Floats, bottom: Floats) -> Floats:
    """top / bottom, 0 where nothing is below."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
