"""Errors: exact derivatives, the bootstrap beside them, the same on any number of threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from revictimisation.core.workers import Workers
from revictimisation.estimators.target_trial.bootstrap import bootstrap_arms, draw_weights
from revictimisation.estimators.target_trial.clone_influence import find_influence
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.pooled_logistic import maximise
from revictimisation.estimators.target_trial.weighted_risk import fill_arms
from tests.cases import for_each
from tests.target_trial.trials import random_trial, refit_all

LAWS = ("censor_at_end", "natural_law")
DAYS = [6, 13, 40, 90]


def answer_with(weighted: WeightedTrial, case_weights: np.ndarray) -> np.ndarray:
    """Everything anew with case weights: models, weights, curves."""
    return fill_arms(refit_all(weighted, case_weights), case_weights).read(DAYS)


@for_each("cap", [None, 1.3])
@for_each("law", LAWS)
def test_influence_is_the_derivative_of_everything(law, cap):
    weighted = weigh_clones(random_trial(240, 4), grace_law=law, cap_at=cap)
    influence = find_influence(weighted, DAYS)
    scale, step = np.abs(influence).max(axis=0), 1e-5
    scale[scale == 0] = 1.0  # no event yet
    for i in range(0, 240, 9):
        ends = []
        for sign in (1, -1):
            case_weights = np.ones(240)
            case_weights[i] += sign * step
            ends.append(answer_with(weighted, case_weights))
        moved = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(influence[i] / scale, moved / scale, atol=1e-6)


@for_each("law", LAWS)
def test_bootstrap_and_influence_agree(law):
    trial = random_trial(2500, 6, n_victims=1800)
    weighted = weigh_clones(trial, grace_law=law)
    replicates = bootstrap_arms(weighted, DAYS, n_replicates=400, seed=5)
    assert replicates.n_unsettled == 0
    influence = find_influence(weighted, DAYS)
    assert len(influence) == trial.n_clusters
    for by_influence, drawn in (
        (influence, replicates.answers),
        (influence[:, 0] - influence[:, 1], replicates.answers[:, 0] - replicates.answers[:, 1]),
    ):
        ratio = np.sqrt((by_influence**2).sum(axis=0)) / drawn.std(axis=0, ddof=1)
        # the error of a standard deviation from 400 replicates is 3.5 %
        assert ratio.min() > 0.86 and ratio.max() < 1.13
        assert abs(np.median(ratio) - 1) < 0.06
    tables = [
        estimate_strategies(weighted, DAYS, replicates=replicates, intervals=kind)
        for kind in ("influence", "bootstrap_normal", "bootstrap_percentile")
    ]
    for table in tables[1:]:
        mine = (table["cause"] == 1) & (table["estimand"] == "risk_difference")
        for side in ("ci_low", "ci_high"):
            gap = (table.loc[mine, side] - tables[0].loc[mine, side]).abs()
            assert (gap < 0.35 * table.loc[mine, "se"]).all()


@for_each("law", LAWS)
def test_replicates_are_refits_with_the_drawn_weights(law):
    """A replicate is what a fit of everything with its case weights gives.

    To a thousandth of the replicates' own spread: their fits end sooner.
    """
    trial = random_trial(1200, 8, n_victims=900)
    weighted = weigh_clones(trial, grace_law=law)
    replicates = bootstrap_arms(weighted, DAYS, n_replicates=50, seed=11)
    spread = replicates.answers.std(axis=0)
    for k in range(3):
        case_weights = draw_weights(11, k, trial.n_clusters)[trial.people.cluster]
        assert 0.85 < case_weights.mean() < 1.15
        apart = np.abs(replicates.answers[k] - answer_with(weighted, case_weights))
        assert (apart <= 1e-3 * spread + 1e-12).all()


@for_each("law", LAWS)
def test_a_replicate_without_starters_of_a_rare_group_does_not_run_away(law):
    """Nothing holds such a group's coefficient back: the fit may send it off, nobody's weights.

    Each rare group has one starter, whom every third replicate lacks.
    """
    trial = random_trial(1500, 12, n_rare=12)
    weighted = weigh_clones(trial, grace_law=law)
    replicates = bootstrap_arms(weighted, DAYS, n_replicates=200, seed=7)
    assert np.isfinite(replicates.answers).all()
    drawn = replicates.answers[:, :, 0]
    spread = np.sqrt((find_influence(weighted, DAYS)[:, :, 0] ** 2).sum(axis=0))
    # outliers would make the spread; a quantile of it beside
    assert (np.abs(drawn - drawn.mean(axis=0)).max(axis=0) < 5 * spread).all()
    assert (drawn.std(axis=0) / spread < 1.25).all()
    for k in range(4):
        case_weights = draw_weights(7, k, trial.n_clusters)[trial.people.cluster]
        apart = np.abs(replicates.answers[k] - answer_with(weighted, case_weights))
        assert (apart <= 0.02 * spread.max()).all()


def test_number_of_threads_changes_nothing():
    weighted = weigh_clones(random_trial(500, 9), grace_law="natural_law")
    found = []
    for jobs in (1, 2, 5):
        with Workers(jobs) as workers:
            drawn = bootstrap_arms(weighted, DAYS, n_replicates=17, seed=3, share=workers.map)
        found.append(drawn.answers)
    one, two, five = found
    assert np.array_equal(one, two) and np.array_equal(one, five)
    assert not np.array_equal(one, bootstrap_arms(weighted, DAYS, n_replicates=17, seed=4).answers)
    longer = bootstrap_arms(weighted, DAYS, n_replicates=30, seed=3).answers
    assert np.array_equal(one, longer[:17])


def test_poisson_weights_have_mean_and_variance_1():
    drawn = np.array([draw_weights(1, k, 5000) for k in range(40)])
    assert abs(drawn.mean() - 1) < 0.01 and abs(drawn.var() - 1) < 0.02
    assert abs(np.corrcoef(drawn[0], drawn[1])[0, 1]) < 0.05
    assert drawn.max() < 12


def test_clusters_of_one_victim_count_once():
    """A victim given twice: the error grows by the root of two against entries by themselves."""
    trial = random_trial(300, 10)
    once = weigh_clones(trial)
    alone = np.sqrt((find_influence(once, DAYS) ** 2).sum(axis=0))
    labels = np.arange(300) // 2
    pairs = replace(
        trial, people=trial.people._replace(cluster=labels.astype(np.int64)), n_clusters=150
    )
    paired = find_influence(weigh_clones(pairs), DAYS)
    by_hand = find_influence(once, DAYS).reshape(150, 2, 2, 4, 4).sum(axis=1)
    np.testing.assert_allclose(paired, by_hand, atol=1e-12)
    assert not np.allclose(np.sqrt((paired**2).sum(axis=0)), alone)


def test_a_fit_that_has_no_point_to_begin_from_has_no_answer():
    """Not what lay in memory: chances of a start of 1 leave those who did not start none."""
    trial = random_trial(60, 4)
    theta = np.full(len(trial.names) + trial.pooled.effects.shape[1], 1e4)
    found = maximise(trial, trial.pooled, np.ones(60), theta, tolerance=1e-12, most=60)
    assert not found.is_converged
    assert np.isnan(found.theta).all() and np.isnan(found.odds.rows).all()
