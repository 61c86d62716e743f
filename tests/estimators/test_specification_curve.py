"""Specification curves: the test of the whole holds its level, and sees an effect; by hand too."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.specification_curve import compare_with_null, explain_choices

N_PEOPLE, N_SPECIFICATIONS = 200, 24


def draw_curve(rng: np.random.Generator, effect: float) -> Estimate:
    """Means of outcomes that share a common part, each over its own three quarters of people."""
    common = rng.standard_normal(N_PEOPLE)
    values, moved = [], []
    for _ in range(N_SPECIFICATIONS):
        y = effect + common + 0.5 * rng.standard_normal(N_PEOPLE)
        is_in = rng.random(N_PEOPLE) < 0.75
        mean = y[is_in].mean()
        values.append(mean)
        moved.append(np.where(is_in, y - mean, 0.0) / is_in.sum())
    return Estimate(np.array(values), np.array(moved).T)


def count_called(effect: float, n_studies: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    found = [compare_with_null(draw_curve(rng, effect), n_draws=399) for _ in range(n_studies)]
    return np.array([one.p < 0.05 for one in found]).mean(axis=0)


def test_without_an_effect_one_curve_in_twenty_is_called_one():
    """To within three Monte Carlo errors; a count of significant ones alone would not be."""
    n = 300
    assert (np.abs(count_called(0.0, n) - 0.05) < 3 * math.sqrt(0.05 * 0.95 / n)).all()


def test_an_effect_is_seen():
    assert (count_called(0.3, 40) > 0.8).all()


def test_one_specification_is_the_usual_test():
    moved = np.array([0.3, -0.5, 0.4, -0.2])[:, None]
    se = float(np.sqrt((moved**2).sum()))
    for z in (0.7, -1.5, 2.2):
        found = compare_with_null(Estimate(np.array([z * se]), moved), n_draws=40_000)
        exact = 2 * (1 - NormalDist().cdf(abs(z)))
        np.testing.assert_allclose(found.p[[0, 2]], exact, atol=0.01)
        np.testing.assert_allclose(found.band[:, 0], [-1.96 * se, 1.96 * se], rtol=0.02)


def test_specifications_that_are_one_and_the_same_count_once():
    moved = np.random.default_rng(1).standard_normal((50, 1)) / 50
    one = compare_with_null(Estimate(np.array([0.3]), moved), n_draws=20_000)
    ten = compare_with_null(Estimate(np.full(10, 0.3), np.tile(moved, 10)), n_draws=20_000)
    np.testing.assert_allclose(ten.p, one.p, atol=0.01)


def test_what_has_no_error_is_refused():
    with pytest.raises(ValueError, match="error of its own"):
        compare_with_null(Estimate(np.array([1.0, 2.0]), np.array([[1.0, 0.0], [-1.0, 0.0]])))


def test_choices_by_hand():
    """A full factorial with effects 4 and 1, an interaction of 0.4, and one odd victim's pull."""
    choices = pd.DataFrame({"a": ["x", "x", "y", "y"], "b": [1, 2, 1, 2], "c": ["only"] * 4})
    value = np.array([0.0, 1.0, 4.0, 5.4])
    moved = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 2.0, 2.0]])
    found = explain_choices(Estimate(value, moved), choices).set_index(["choice", "level"])
    assert found.index.unique("choice").tolist() == ["a", "b"]
    assert found.loc[("a", "y"), "difference"] == pytest.approx(4.2)
    assert found.loc[("b", 2), "difference"] == pytest.approx(1.2)
    assert found.loc[("a", "y"), "se"] == pytest.approx(2.0)  # who is in all moves no difference
    assert found.loc[("b", 2), "se"] == pytest.approx(0.0, abs=1e-12)
    total = ((value - value.mean()) ** 2).sum()
    assert found.loc[("a", "x"), "share"] == pytest.approx(4.2**2 / total)
    assert found.loc[("b", 1), "share"] == pytest.approx(1.2**2 / total)
    assert found["n"].tolist() == [2, 2, 2, 2]


def test_choices_that_go_together_cannot_be_told_apart():
    choices = pd.DataFrame({"a": [1, 1, 2, 2], "b": [1, 1, 2, 2]})
    found = explain_choices(Estimate.with_error(np.arange(4.0), np.ones(4)), choices)
    assert found["share"].isna().all()
    assert (
        found["difference"].tolist()[::2] == [0.0, 0.0] and found["difference"][1::2].isna().all()
    )
