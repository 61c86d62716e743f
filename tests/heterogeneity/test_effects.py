"""Learning and trying on made scores: found where it is, level held where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from revictimisation.estimators.effect_learner import assign_folds, build_terms, learn_forward
from revictimisation.estimators.effect_tests import (
    compare_groups,
    find_autoc,
    find_spread,
    rank_entries,
)
from revictimisation.estimators.faults import NotEstimableError

N = 600


def make_people(rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    frame = pd.DataFrame({
        name: rng.integers(0, size, N).astype(str)
        for name, size in zip("abcdef", (2, 3, 4, 6, 8, 3), strict=True)
    })  # fmt: skip
    cluster = np.sort(rng.integers(0, int(N * 0.85), N))
    spread = np.where(rng.random(N) < 0.3, 3.0, 1.0)
    return frame, cluster, spread * rng.standard_normal(N)


def try_once(frame, cluster, score, seed: int):
    fold = assign_folds(cluster, 10, [seed])
    predicted = learn_forward(build_terms(frame, list(frame)), score, fold)
    return rank_entries(predicted, fold, cluster, np.random.default_rng(seed).random(N))


def find_z(score, ranked) -> float:
    found = find_spread(score, ranked)
    return float(found.value[0] / found.se[0])


def test_the_level_is_held_where_effects_do_not_differ():
    """In errors, what is found has mean 0 (to 0.1 in 100 studies) and deviation 1 (to 0.07).

    Learnt from all other folds instead the deviation is 1.4, as the next test shows.
    """
    rng = np.random.default_rng(3)
    found = []
    for k in range(100):
        frame, cluster, noise = make_people(rng)
        found.append(find_z(noise, try_once(frame, cluster, noise, k)))
    assert abs(np.mean(found)) < 3 / 100**0.5
    assert abs(np.std(found) - 1) < 3 / 200**0.5
    assert np.mean(norm.sf(found) < 0.05) < 0.05 + 3 * (0.05 * 0.95 / 100) ** 0.5


def test_each_fold_predicted_from_all_others_would_find_what_is_not_there():
    """Why folds go forward: were it not so, the tests above would be too kind."""
    rng = np.random.default_rng(4)
    found = []
    for k in range(50):
        frame, cluster, noise = make_people(rng)
        fold = assign_folds(cluster, 5, [k])
        terms, predicted = build_terms(frame, list(frame)), np.full(N, np.nan)
        for one in range(5):
            last = np.where(fold == one, 1, 0)  # all the others first, this one last
            predicted[last == 1] = learn_forward(terms, noise, last)[last == 1]
        ranked = rank_entries(predicted, fold + 1, cluster, np.arange(N, dtype=float))
        found.append(find_z(noise, ranked))
    assert np.std(found) > 1 + 3 / 200**0.5


def test_a_strong_difference_is_found_and_the_groups_lie_at_the_truth():
    rng = np.random.default_rng(5)
    gaps, covered = [], 0
    for k in range(30):
        frame, cluster, noise = make_people(rng)
        effect = np.where(frame["a"] == "1", -1.5, 0.5)
        ranked = try_once(frame, cluster, effect + noise, k)
        assert norm.sf(find_z(effect + noise, ranked)) < 0.05
        found = compare_groups(effect + noise, ranked)
        own = effect[ranked.at]
        truth = [np.average(own[ranked.group == g], weights=ranked.weight[ranked.group == g])
                 for g in range(3)]  # fmt: skip
        gaps.append(found.value[3])
        covered += abs(found.value[0] - truth[0]) < 1.96 * found.se[0]
        assert find_autoc(effect + noise, ranked).value[0] < 0
    # half have -1.5: the most helped third of three is nearly all of them, the least none
    assert -2.0 <= np.mean(gaps) < -1.5
    assert covered / 30 > 0.85


def test_what_a_fold_is_predicted_does_not_hang_on_it():
    frame, cluster, noise = make_people(np.random.default_rng(6))
    fold = assign_folds(cluster, 4, [1])
    terms = build_terms(frame, list(frame))
    before = learn_forward(terms, noise, fold)
    changed = np.where(fold == 3, noise * 100, noise)
    np.testing.assert_array_equal(learn_forward(terms, changed, fold), before)
    changed = np.where(fold == 0, noise * 2, noise)
    assert not np.array_equal(learn_forward(terms, changed, fold)[fold > 0], before[fold > 0])


def test_a_victim_has_one_fold_and_folds_are_of_a_size():
    cluster = np.sort(np.random.default_rng(7).integers(0, 400, N))
    fold = assign_folds(cluster, 7, [1])
    assert pd.Series(fold).groupby(cluster).nunique().max() == 1
    victims = pd.Series(fold).groupby(cluster).first().value_counts()
    assert victims.max() - victims.min() <= 1
    assert np.array_equal(fold, assign_folds(cluster, 7, [1]))
    assert not np.array_equal(fold, assign_folds(cluster, 7, [2]))


def test_people_all_alike_have_no_order():
    fold = np.repeat([0, 1, 2], 5)
    terms = build_terms(pd.DataFrame({"a": ["x"] * 15, "b": [3.0] * 15}), ["a", "b"])
    predicted = learn_forward(terms, np.arange(15.0), fold)
    with pytest.raises(NotEstimableError, match="effects_alike"):
        rank_entries(predicted, fold, np.arange(15), np.zeros(15))
    nothing = build_terms(pd.DataFrame({"a": ["x"] * 15}), [])
    predicted = learn_forward(nothing, np.arange(15.0), fold)
    with pytest.raises(NotEstimableError, match="effects_alike"):
        rank_entries(predicted, fold, np.arange(15), np.zeros(15))


def test_scores_without_end_are_refused():
    terms = build_terms(pd.DataFrame({"a": ["x", "y"]}), ["a"])
    with pytest.raises(ValueError, match="finite"):
        learn_forward(terms, np.array([1.0, np.nan]), np.array([0, 1]))
