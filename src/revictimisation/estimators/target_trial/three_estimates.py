"""The numbers of the three strategies for two agencies, and what stands behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from revictimisation.core.packing import pack_contrast
from revictimisation.core.results import BEYOND_FOLLOW_UP
from revictimisation.estimators.inference import Estimate, find_difference
from revictimisation.estimators.target_trial.balance import standardise_gaps
from revictimisation.estimators.target_trial.bootstrap import Replicates
from revictimisation.estimators.target_trial.diagnostics import (
    describe_detectable,
    describe_events,
    describe_weights,
    make_check,
    stack_checks,
)
from revictimisation.estimators.target_trial.estimates import count_events
from revictimisation.estimators.target_trial.three_strategies import (
    STRATEGIES,
    ThreeTrial,
    read_three,
)
from revictimisation.estimators.target_trial.trial_data import N_CAUSES

CONTRASTS = ((0, 2), (1, 2), (0, 1))  # both, one, none
NOBODY = "nobody_in_strategy"


def estimate_three(
    trial: ThreeTrial, at_days: Sequence[int], replicates: Replicates | None = None
) -> pd.DataFrame:
    """The risk under each strategy and the differences between them.

    Returns:
        A row per cause (1 outcome, 2 death, 3 emigration), level and day: estimand
        `cumulative_incidence` with level both, one, none; for the outcome `risk_difference` with
        level both_less_none, one_less_none, both_less_one. n_people: clones never censored
        artificially, n_events: events up to the day of those; of a difference the smaller of its
        two strategies' each. Errors are the replicates' standard deviations, intervals normal (for
        risks log-log; where a risk is 0 or 1 exact for its people); without replicates no error is
        known. `not_estimable` a strategy that nobody follows to the end of the grace time
        (`nobody_in_strategy`), and days past the last of it (`beyond_follow_up`) unless its risk
        has reached 1.
    """
    draws = None if replicates is None else replicates.answers
    answers = Estimate(read_three(trial, at_days), draws=draws)
    is_in, days = trial.is_followed, np.asarray(at_days)
    people, stop = is_in.sum(axis=0), trial.people.stop
    is_followed = days <= np.array([[stop[mine].max(initial=0)] for mine in is_in.T])
    parts = []
    for cause in range(1, N_CAUSES + 1):
        risk, events = answers[:, cause - 1], count_events(trial.people, is_in, at_days, cause)
        limits = risk.interval("log-log", np.broadcast_to(people[:, None], risk.value.shape))
        reasons = np.where(is_followed | (risk.value >= 1), "", BEYOND_FOLLOW_UP)
        reasons = np.where(np.isnan(risk.value), NOBODY, reasons)
        same = {"time_days": days, "cause": cause}
        parts += [
            limits[arm].to_rows(
                "cumulative_incidence", reasons[arm], level=name, **same, n_people=people[arm],
                n_events=events[arm],
            )
            for arm, name in enumerate(STRATEGIES)
        ]  # fmt: skip
        for pair in map(list, CONTRASTS if cause == 1 else ()):
            gap = find_difference(risk[pair], limits[pair])
            reason = np.where(is_followed[pair].all(axis=0), "", BEYOND_FOLLOW_UP)
            parts.append(gap.to_rows(
                "risk_difference", np.where(np.isnan(gap.estimate), NOBODY, reason), **same,
                level=pack_contrast(*(STRATEGIES[arm] for arm in pair)),
                n_people=people[pair].min(), n_events=events[pair].min(axis=0),
            ))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def diagnose_three(trial: ThreeTrial, estimates: pd.DataFrame) -> pd.DataFrame:
    """What stands behind the three strategies; no limits, those are the study's.

    `estimates`: from `estimate_three`. A row per check, arm and day (as `diagnose_trial`): check,
    arm, time_days, value. n_uncensored, share_censored, n_events; weight_max (of the clones never
    censored on their last day, over their mean), effective_sample_size, n_exposed_victims (who
    follow the strategy); largest_standardised_difference (of a baseline column, against the cohort,
    among those followed past the end of the grace time); least_chance (fitted, of following the
    strategy); minimum_detectable_difference by contrast (2.8 standard errors); n_apart (both
    agencies started, more than n days apart); is_converged.
    """
    rows = [make_check("is_converged", trial.is_converged),
            make_check("n_apart", _count_apart(trial))]  # fmt: skip
    people, grace = trial.people, trial.grace_days
    final = trial.weights[np.arange(len(people.stop)), :, np.minimum(people.stop - 1, grace)]
    is_past = people.stop > grace
    for arm, name in enumerate(STRATEGIES):
        is_in = final[:, arm] > 0
        if not is_in.any():
            continue
        rows += [
            *describe_weights(name, is_in, final[is_in, arm]),
            make_check("n_exposed_victims", len(np.unique(people.cluster[is_in])), name),
            make_check("weight_max", final[is_in, arm].max() / final[is_in, arm].mean(), name),
            make_check("least_chance", trial.chance[:, arm].min(), name),
        ]
        weights = np.where(is_past, trial.weights[:, arm, grace], 0.0)
        if trial.police.names and weights.any():
            gaps = standardise_gaps(trial.police, weights, is_past.astype(np.float64))
            largest = np.abs(gaps).max()
            rows.append(make_check("largest_standardised_difference", largest, name, grace))
    levels = estimates[estimates["cause"] == 1].groupby("level", sort=False)
    for level, mine in levels:
        describe = describe_events if level in STRATEGIES else describe_detectable
        rows += describe(mine, str(level))
    return stack_checks(pd.DataFrame(rows))


def _count_apart(trial: ThreeTrial) -> int:
    police, social = trial.police.people.start, trial.social.people.start
    gap = np.abs(police.astype(np.int64) - social)
    return int(((police >= 0) & (social >= 0) & (gap > trial.within_days)).sum())
