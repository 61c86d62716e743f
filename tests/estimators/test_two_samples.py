"""Two populations by counts: against SciPy, by hand, and how often chance calls them unlike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, norm

from revictimisation.estimators.two_samples import (
    compare_logs,
    compare_shares,
    design_effect,
    find_homogeneity,
    find_interaction,
    fit_no_interaction,
    standardised_difference,
    to_gap,
)

TABLE = np.array([[30.0, 50, 20, 5], [60, 40, 25, 15]])
LAYERS = np.array([[[30, 70, 20], [60, 140, 45]], [[50, 50, 30], [55, 60, 25]]], float)


def test_homogeneity_is_pearsons_and_a_larger_variance_divides_it():
    expected = chi2_contingency(TABLE, correction=False)
    assert find_homogeneity(TABLE) == (pytest.approx(expected.pvalue), expected.dof)
    with_empty = np.c_[TABLE, [0, 0]]
    assert find_homogeneity(with_empty) == find_homogeneity(TABLE)
    assert find_homogeneity(TABLE, deff=1.5)[0] > expected.pvalue
    assert find_homogeneity(TABLE, step=5)[0] > expected.pvalue


def test_without_two_levels_or_people_nothing_is_told():
    for table in ([[3, 0], [4, 0]], [[0, 0], [1, 2]]):
        p_value, freedom = find_homogeneity(table)
        assert np.isnan(p_value) and freedom == 0


def test_standardised_difference_of_two_levels_is_the_textbook_one():
    p, q = 0.3, 0.45
    pooled = np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    counts = [[300, 700], [450, 550]]
    assert standardised_difference(counts) == pytest.approx(abs(p - q) / pooled)


def test_standardised_difference_does_not_depend_on_the_level_left_out():
    orders = [[0, 1, 2, 3], [2, 0, 3, 1], [3, 2, 1, 0]]
    found = [standardised_difference(TABLE[:, order]) for order in orders]
    assert found == pytest.approx([found[0]] * 3)
    assert standardised_difference(TABLE[[0, 0]]) == 0


def test_fitted_counts_keep_every_margin_and_one_odds_ratio_in_all_layers():
    fitted = fit_no_interaction(LAYERS)
    for axis in range(3):
        assert fitted.sum(axis=axis) == pytest.approx(LAYERS.sum(axis=axis), abs=1e-6)
    log = np.log(fitted)
    ratio = log[0] - log[1]
    gaps = ratio[:, 1:] - ratio[:, :1]
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-6)


def test_interaction_in_two_by_two_by_two_is_the_difference_of_log_odds_ratios():
    """With large counts Pearson's form is Woolf's z squared."""
    layers = 40 * LAYERS[:, :, :2]
    log = np.log(layers)
    ratio = (log[0] - log[1])[:, 1] - (log[0] - log[1])[:, 0]
    z = (ratio[1] - ratio[0]) / np.sqrt((1 / layers).sum())
    p_value, freedom = find_interaction(layers)
    assert freedom == 1
    assert p_value == pytest.approx(2 * norm.sf(abs(z)), rel=0.05)


def test_differences_and_ratios_by_hand():
    gap = compare_shares((30, 60), (100, 120))
    se = np.sqrt(0.3 * 0.7 / 100 + 0.25 / 120)
    assert gap.value == pytest.approx(0.2)
    assert (gap.ci_low, gap.ci_high) == pytest.approx((0.2 - 1.959964 * se, 0.2 + 1.959964 * se))
    assert gap.p_value == pytest.approx(2 * norm.sf(0.2 / se))
    ratio = compare_logs((30, 60), (100, 120))
    error = np.sqrt(1 / 30 - 1 / 100 + 1 / 60 - 1 / 120)
    assert ratio.value == pytest.approx(np.log(0.5 / 0.3))
    assert ratio.p_value == pytest.approx(2 * norm.sf(ratio.value / error))
    for nothing in (compare_logs((0, 5), (9, 9)), compare_shares((0, 5), (0, 9)), to_gap(1.0, 0)):
        assert np.isnan(nothing).all()


def test_design_effect_is_exact_where_some_enter_twice():
    once, twice = 900, 100
    sizes = np.r_[np.ones(once), np.full(twice, 2)]
    exact = (sizes**2).mean() / sizes.mean()
    assert design_effect(sizes.sum(), len(sizes)) == pytest.approx(exact)
    assert design_effect(float("nan"), 10) == 1


def test_rounded_counts_of_one_process_are_called_unlike_as_seldom_as_said():
    random = np.random.default_rng(1)
    share = np.array([0.02, 0.05, 0.1, 0.23, 0.6])
    counts = random.multinomial(800, share, size=(1500, 2))
    rounded = np.floor(counts / 5 + 0.5) * 5
    p_values = np.array([find_homogeneity(one, step=5)[0] for one in rounded])
    assert 0.03 < (p_values < 0.05).mean() < 0.07
