"""Doubly robust scores: their mean is the estimator's, and none hangs on its own fold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from revictimisation.estimators.effect_learner import assign_folds
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial import held_out_scores
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.held_out_scores import score_held_out
from revictimisation.estimators.target_trial.outcome_model import fit_outcome_model
from revictimisation.estimators.target_trial.potential_risks import (
    find_doubly_robust,
    find_follow_chances,
)
from revictimisation.estimators.target_trial.standardised_risk import standardise_risks
from tests.target_trial.trials import random_trial

DAY = 30


@pytest.fixture(scope="module")
def trial():
    return random_trial(500, 2, n_victims=420)


def test_scores_of_models_of_all_are_the_doubly_robust_estimator(trial):
    weighted, model = weigh_clones(trial, grace_law="natural_law"), fit_outcome_model(trial)
    standardised = standardise_risks(weighted, model, [DAY])
    followed = find_follow_chances(trial)
    scores = find_doubly_robust(weighted, model, np.array([DAY]), 1 / followed)
    np.testing.assert_allclose(scores.mean(axis=0), standardised.value[1, :, :, 0], rtol=1e-10)


def test_held_out_scores_are_near_the_estimator(trial):
    fold = assign_folds(trial.people.cluster, 5, [1])
    found = score_held_out(trial, DAY, fold)
    weighted, model = weigh_clones(trial, grace_law="natural_law"), fit_outcome_model(trial)
    standardised = standardise_risks(weighted, model, [DAY])
    difference = standardised.value[1, 0, 0, 0] - standardised.value[1, 1, 0, 0]
    moves = standardised.influence[:, 1, 0, 0, 0] - standardised.influence[:, 1, 1, 0, 0]
    error = np.sqrt(np.sum(moves**2))
    assert abs(found.effect.mean() - difference) < error
    own = found.effect.std() / np.sqrt(trial.n_entries)
    assert 0.8 < own / error < 1.6
    assert found.is_converged


def test_no_score_hangs_on_what_happened_in_its_own_fold(trial):
    """Refitted without the fold, the models are those of a trial without it."""
    fold = assign_folds(trial.people.cluster, 3, [1])
    weighted = weigh_clones(trial, grace_law="natural_law")
    is_in = fold != 0
    (refitted, _, is_settled), = held_out_scores._leave_out(
        weighted, fit_outcome_model(trial), [is_in]
    )  # fmt: skip
    assert is_settled
    # the slope of the likelihood without the fold is 0 at what was found, not at what all gave
    assert find_slope(trial, refitted.daily, is_in) < 0.01
    assert find_slope(trial, weighted.daily, is_in) > 1


def find_slope(trial, model, is_in) -> float:
    rows = np.repeat(np.arange(trial.n_entries), np.diff(trial.pooled.first))
    cell, days = trial.pooled.cell, trial.pooled.days
    odds = model.odds.rows[trial.people.row[rows]] * model.odds.cells[cell]
    starts = np.zeros(len(rows))
    starts[trial.pooled.first[1:] - 1] = trial.pooled.is_start
    left = (starts - days * odds / (1 + odds)) * is_in[rows]
    return float(np.abs(left @ trial.pooled.effects[cell]).max())


def test_a_cap_holds_back_who_hardly_ever_starts(trial):
    fold = assign_folds(trial.people.cluster, 5, [1])
    free, held = score_held_out(trial, DAY, fold), score_held_out(trial, DAY, fold,
                                                                  largest_weight=1.0)  # fmt: skip
    assert free.share_capped == 0 < held.share_capped < 1
    starters = trial.is_started
    assert held.value[starters, 0].std() < free.value[starters, 0].std()
    np.testing.assert_array_equal(held.value[~starters, 0], free.value[~starters, 0])


def test_without_a_fold_nobody_may_be_left_to_learn_from(trial):
    everyone = np.where(trial.is_started, 0, 1)
    with pytest.raises(NotEstimableError, match=r"nobody_started"):
        score_held_out(trial, DAY, everyone)
    people = trial.people._replace(cause=np.zeros_like(trial.people.cause))
    quiet = replace(trial, people=people)
    with pytest.raises(NotEstimableError, match=r"no_events"):
        score_held_out(quiet, DAY, np.arange(trial.n_entries) % 2)
