"""Sequential trials: what spans say is what days say, exact derivatives, and the forced truth."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.sequential.estimates import (
    bootstrap_stretches,
    diagnose_stretch,
    estimate_stretch,
    pool_stretch,
)
from revictimisation.estimators.sequential.trials import (
    SequentialTrials,
    build_trials,
    fill_trials,
    find_trial_influence,
    refit_trials,
)
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.pooled_logistic import maximise
from revictimisation.estimators.target_trial.trial_data import prepare_trial

LAST_START, LAST_DAY, AT_DAYS = 60, 121, [30, 60]
CUTS = [0, 7, 14, 21, 31, 46]
# Of 1,500,000 people by `force`, seed 77; error 0.0005. Starts weigh as they happen by themselves.
FORCED = {"risk_start": [0.17732, 0.34145], "risk_no_start": [0.27505, 0.45220]}


def simulate(n: int, rng: np.random.Generator, day: np.ndarray | None = None, arm: int = 0):
    """A confounder x, another that turns up on day c; the measure halves the hazard.

    day, arm: the strategy forced on those who are at risk of a start on their `day`.
    """
    x, c = rng.integers(0, 2, n), rng.geometric(0.02, n)
    stop, cause, start = np.full(n, LAST_DAY), np.zeros(n, int), np.full(n, np.nan)
    is_left, would = np.ones(n, bool), np.zeros(n)
    for today in range(LAST_DAY):
        both = 0.7 * x + 0.9 * (c <= today)
        if today:
            hazard = 0.006 * np.exp(both) * np.where(start < today, 0.5, 1)
            for kind, chance in ((1, hazard), (2, 0.001)):
                ends = is_left & (rng.random(n) < chance)
                stop[ends], cause[ends] = today, kind
                is_left &= ~ends
        starts = is_left & np.isnan(start) & (rng.random(n) < 0.01 * np.exp(0.8 * x + (c <= today)))
        if day is not None:
            now = is_left & np.isnan(start) & (day == today)
            would[now] = starts[now].sum() / max(now.sum(), 1)
            starts = np.where(now, arm == 1, starts)
        start[starts] = today
    return x, c, stop, cause, start, would


def force(n: int, seed: int) -> np.ndarray:
    """The risks of both arms (start first) of trials on days drawn for each, all forced."""
    day, found = np.random.default_rng(1).integers(0, LAST_START + 1, n), []
    for arm in (1, 0):
        *_, stop, cause, _, weight = simulate(n, np.random.default_rng(seed), day, arm)
        happened = [(cause == 1) & (stop - day <= later) for later in AT_DAYS]
        found.append([(weight * one).sum() / weight.sum() for one in happened])
    return np.array(found)


def build(n: int, seed: int, n_victims: int | None = None) -> SequentialTrials:
    """The trials of a simulated cohort."""
    x, c, stop, cause, start, _ = simulate(n, np.random.default_rng(seed))
    cluster = None if n_victims is None else np.arange(n) % n_victims
    design = design_from_array(x[:, None].astype(float), ["x"])
    changes = {"c": Changes(np.arange(n), c, np.ones(n))}
    return build_trials(
        prepare_trial(stop, cause, start, design, grace_days=LAST_START, cut_days=CUTS,
                      changes=changes, cluster=cluster)
    )  # fmt: skip


def test_spans_say_what_their_days_say():
    trials = build(150, 3)
    people, spans, weights = trials.trial.people, trials.spans, trials.weights
    arms = fill_trials(trials, trials.choose(7, 30))
    at_risk, events = np.zeros_like(arms.at_risk), np.zeros_like(arms.events)
    own = np.zeros(len(spans.entry))
    own[spans.is_start] = weights.own
    for k, entry in enumerate(spans.entry):
        if not 7 <= spans.begin[k] <= 30:
            continue
        for d in range(spans.n_other[k] + spans.is_start[k]):
            is_start = d == spans.n_other[k]
            arm, weight = (0, own[k]) if is_start else (1, weights.other[k])
            left = people.stop[entry] - spans.begin[k] - d
            at_risk[arm, 1 : left + 1] += weight
            if people.cause[entry]:
                events[arm, people.cause[entry] - 1, left] += weight
    np.testing.assert_allclose(arms.at_risk, at_risk, atol=1e-9)
    np.testing.assert_allclose(arms.events, events, atol=1e-9)


def test_influence_is_the_derivative_and_the_bootstrap_agrees():
    trials = build(400, 5, n_victims=300)
    stretch = pool_stretch(trials, 7, 60)
    trial, model = trials.trial, trials.model
    influence = find_trial_influence(trials, stretch.arms, AT_DAYS, stretch.is_in)

    def answer(case_weights: np.ndarray) -> np.ndarray:
        found = maximise(trial, trial.pooled, case_weights, model.theta, tolerance=1e-20, most=99)
        return refit_trials(trials, found.odds, case_weights, stretch.is_in).read(AT_DAYS)[:, 0]

    for victim in range(0, 300, 25):
        ends = []
        for sign in (1, -1):
            weights = np.ones(trial.n_entries)
            weights[trial.people.cluster == victim] += sign * 1e-4
            ends.append(answer(weights))
        np.testing.assert_allclose(influence[victim], (ends[0] - ends[1]) / 2e-4, atol=1e-8)
    drawn, n_failed = bootstrap_stretches([stretch], AT_DAYS, n_replicates=200, seed=1)
    gap = estimate_stretch(stretch, AT_DAYS), estimate_stretch(stretch, AT_DAYS, drawn[:, 0])
    by_influence, by_bootstrap = (
        rows.loc[rows["estimand"] == "risk_difference", "se"].to_numpy() for rows in gap
    )
    assert n_failed == 0
    np.testing.assert_allclose(by_influence, by_bootstrap, rtol=0.15)


def test_the_forced_truth_is_found():
    rows = estimate_stretch(pool_stretch(build(10_000, 11), 0, LAST_START), AT_DAYS)
    for estimand, truth in FORCED.items():
        mine = rows[rows["estimand"] == estimand]
        assert (np.abs(mine["estimate"] - truth) < 3 * mine["se"] + 0.001).all()
        assert (mine["se"] < 0.011).all()
    np.testing.assert_allclose(force(8_000, 78), list(FORCED.values()), atol=0.02)


def test_diagnostics_tell_balance_and_support():
    stretch = pool_stretch(build(3000, 4), 0, 30)
    checks = diagnose_stretch(stretch, estimate_stretch(stretch, AT_DAYS))
    by_arm = checks[checks["arm"] == "start"].set_index("check")["value"]
    assert by_arm["largest_standardised_difference_unweighted"] > 0.2
    assert by_arm["largest_standardised_difference"] < 0.05
    spans = stretch.trials.spans
    assert by_arm["n_exposed_victims"] == (stretch.is_in & spans.is_start).sum()
    assert 0 < by_arm["effective_sample_size"] < by_arm["n_exposed_victims"]
    assert checks.set_index("check")["value"]["share_outside_support"] < 0.01


def test_blocks_are_not_cut_by_a_stretch():
    with pytest.raises(ValueError, match="edges"):
        build(100, 3).choose(0, 10)
