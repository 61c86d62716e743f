"""The compiled loops of the three strategies for two agencies; definitions in `three_strategies`.

Arms: 0 both, 1 one, 2 none. Odds by day of an agency's first start, a row per state of the other:
0 nothing started, 1 started on an earlier day, 2 (social services alone) started this very day; an
entry's hazard follows from them and from exp(x'b) of its baseline columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from revictimisation.core.compiled import copy_to, kernel
from revictimisation.estimators.target_trial.bootstrap_kernels import (
    draw_weights,
    factor_whole,
    refit,
)
from revictimisation.estimators.target_trial.clone_kernels import fill_risks, read_targets

BOTH, ONE, NONE = 0, 1, 2
N_ARMS = 3
HUGE = 1e300  # so that nothing overflows where a start is certain


def fill_day_odds(theta: Any, interval: Any, n_states: Any, odds: Any) -> None:
    """odds[state, day] from coefficients: intervals of days first, then a coefficient a state."""
    n_intervals = interval[interval.size - 1] + 1
    odds[0] = np.exp(theta[interval])
    for state in range(1, n_states):
        odds[state] = np.exp(theta[interval] + theta[n_intervals + state - 1])


@kernel
def _stay(own: Any, odds: Any, stays: Any) -> None:
    """stays[0, k] = P(no start on days 0..k-1) under these odds; stays[1] its inverse.

    So P(none on days a..b) = stays[0, b + 1] stays[1, a], without a division.
    """
    stays[0, 0] = stays[1, 0] = 1.0
    for day in range(odds.size):
        stays[1, day + 1] = min(stays[1, day] * (1 + own * odds[day]), HUGE)
        stays[0, day + 1] = 1 / stays[1, day + 1]


@kernel
def fill_chances(
    own_police: Any, own_social: Any, police: Any, social: Any, within: Any, stay_police: Any,
    stay_social: Any, chances: Any,
) -> None:  # fmt: skip
    """chances[arm, k] = P(the strategy is followed | nothing started before day k); k to grace + 1.

    stay_police, stay_social: of the second agency, the other having started before.
    """
    grace = police.shape[1] - 1
    _stay(own_police, police[1], stay_police)
    _stay(own_social, social[1], stay_social)
    chances[BOTH, grace + 1] = chances[ONE, grace + 1] = 0.0
    chances[NONE, grace + 1] = 1.0
    for k in range(grace, -1, -1):
        odds = own_police * police[0, k]
        p = odds / (1 + odds)
        odds = own_social * social[0, k]
        s = odds / (1 + odds)
        odds = own_social * social[2, k]
        same = odds / (1 + odds)
        neither, after_p, after_s = (1 - p) * (1 - s), p * (1 - same), (1 - p) * s
        last = min(k + within, grace) + 1
        follow_p, follow_s = 1.0, 1.0  # none of the other agency on the days left to it
        alone_p = alone_s = 1.0
        if k < grace:
            follow_p = stay_social[0, last] * stay_social[1, k + 1]
            follow_s = stay_police[0, last] * stay_police[1, k + 1]
            alone_p = stay_social[0, grace + 1] * stay_social[1, k + 1]
            alone_s = stay_police[0, grace + 1] * stay_police[1, k + 1]
        chances[BOTH, k] = p * same + after_p * (1 - follow_p) + after_s * (1 - follow_s)
        chances[BOTH, k] += neither * chances[BOTH, k + 1]
        chances[ONE, k] = after_p * alone_p + after_s * alone_s + neither * chances[ONE, k + 1]
        chances[NONE, k] = neither * chances[NONE, k + 1]


@kernel
def fill_profile(
    police_day: Any, social_day: Any, last: Any, within: Any, stay_police: Any, stay_social: Any,
    chances: Any, profile: Any,
) -> None:  # fmt: skip
    """profile[arm, t]: the weight on (t, t + 1]; 0 past `last` and where the strategy is left."""
    grace = profile.shape[1] - 1
    profile[:] = 0.0
    for t in range(last + 1):
        has_p, has_s = 0 <= police_day <= t, 0 <= social_day <= t
        if not has_p and not has_s:
            for arm in range(N_ARMS):
                profile[arm, t] = chances[arm, t + 1]
        elif has_p and has_s:
            profile[BOTH, t] = 1.0 if abs(police_day - social_day) <= within else 0.0
        else:
            stays = stay_social if has_p else stay_police
            end = min((police_day if has_p else social_day) + within, grace)
            profile[ONE, t] = stays[0, grace + 1] * stays[1, t + 1]
            if t < end:
                profile[BOTH, t] = 1 - stays[0, end + 1] * stays[1, t + 1]
    for arm in range(N_ARMS):
        for t in range(last + 1):
            profile[arm, t] = profile[arm, t] / chances[arm, 0] if chances[arm, 0] > 0 else 0.0


@kernel
def fill_weights(
    people: Any, social_day: Any, rows: Any, police: Any, social: Any, within: Any, weights: Any,
    chance: Any,
) -> None:  # fmt: skip
    """weights[entry, arm, t] of every entry, and its chance of following each strategy."""
    grace = police.shape[1] - 1
    stay_p, stay_s = np.empty((2, grace + 2)), np.empty((2, grace + 2))
    chances = np.empty((N_ARMS, grace + 2))
    for i in range(people.stop.size):
        own = people.row[i]
        fill_chances(
            rows[0, own], rows[1, own], police, social, within, stay_p, stay_s, chances
        )  # fmt: skip
        last = min(people.stop[i] - 1, grace)
        fill_profile(
            people.start[i], social_day[i], last, within, stay_p, stay_s, chances, weights[i]
        )  # fmt: skip
        copy_to(chance[i], chances[:, 0])


@kernel
def sum_three_arms(
    people: Any, social_day: Any, weight: Any, rows: Any, police: Any, social: Any, within: Any,
    at_risk: Any, events: Any,
) -> None:  # fmt: skip
    """at_risk[arm, day] and events[arm, cause - 1, day], weighted."""
    grace, n_days = police.shape[1] - 1, at_risk.shape[1]
    stay_p, stay_s = np.empty((2, grace + 2)), np.empty((2, grace + 2))
    chances, profile = np.empty((N_ARMS, grace + 2)), np.empty((N_ARMS, grace + 1))
    at_risk[:] = 0.0
    events[:] = 0.0
    late = np.zeros((N_ARMS, n_days + 1))
    for i in range(people.stop.size):
        if weight[i] == 0:
            continue
        own, stop, cause = people.row[i], people.stop[i], people.cause[i]
        fill_chances(
            rows[0, own], rows[1, own], police, social, within, stay_p, stay_s, chances
        )  # fmt: skip
        last = min(stop - 1, grace)
        fill_profile(
            people.start[i], social_day[i], last, within, stay_p, stay_s, chances, profile
        )  # fmt: skip
        for arm in range(N_ARMS):
            for t in range(min(last + 1, grace)):
                at_risk[arm, t + 1] += weight[i] * profile[arm, t]
            if last == grace:  # constant from there on: kept as a change at first, summed below
                late[arm, grace + 1] += weight[i] * profile[arm, grace]
                late[arm, stop + 1] -= weight[i] * profile[arm, grace]
            if cause > 0:
                events[arm, cause - 1, stop] += weight[i] * profile[arm, last]
    for arm in range(N_ARMS):
        held = 0.0
        for day in range(grace + 1, n_days):
            held += late[arm, day]
            at_risk[arm, day] += held


def run_three_replicates(
    first: Any, last: Any, seed: Any, people: Any, social_day: Any, columns: Any, intervals: Any,
    pooled: Any, thetas: Any, within: Any, n_clusters: Any, days: Any, answers: Any,
    is_settled: Any,
) -> None:  # fmt: skip
    """Fill answers[replicate] (as `read_targets`) and is_settled for replicates first..last-1.

    intervals, pooled, thetas: of the models of police and of social services.
    """
    grace, n_days = intervals[0].size - 1, int(people.stop.max()) + 1
    rows = np.ones((2, columns.pointers.size - 1))
    police, social = np.empty((2, grace + 1)), np.empty((3, grace + 1))
    at_risk, events = np.empty((N_ARMS, n_days)), np.empty((N_ARMS, answers.shape[2] - 1, n_days))
    risk = np.empty(events.shape)
    cells = [np.ones(model.effects.shape[0]) for model in pooled]
    moved = [theta.copy() for theta in thetas]
    lowers = [np.empty((theta.size, theta.size)) for theta in thetas]
    for k in range(2):
        factor_whole(people.row, pooled[k], columns, thetas[k], rows[k], cells[k], lowers[k])
    for replicate in range(first, last):
        drawn = draw_weights(seed, replicate, n_clusters)
        weight = drawn[people.cluster]
        settled = True
        for k in range(2):
            settled &= refit(
                people.row, weight, pooled[k], columns, thetas[k], lowers[k], moved[k], rows[k],
                cells[k],
            )  # fmt: skip
        fill_day_odds(moved[0], intervals[0], 2, police)
        fill_day_odds(moved[1], intervals[1], 3, social)
        sum_three_arms(
            people, social_day, weight, rows, police, social, within, at_risk, events
        )  # fmt: skip
        risk[:] = 0.0
        fill_risks(at_risk, events, risk)
        read_targets(risk, days, answers[replicate])
        for arm in range(N_ARMS):
            if at_risk[arm, min(grace + 1, n_days - 1)] <= 0:
                answers[replicate, arm] = np.nan
        if any(np.isnan(theta).any() for theta in moved):  # no point to begin from
            answers[replicate] = np.nan
        is_settled[replicate] = settled
