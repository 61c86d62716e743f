"""E-values and empirical calibration: what they promise, on simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.estimators.e_value import (
    approximate_risk_ratio,
    find_e_value,
    find_e_value_limit,
)
from revictimisation.estimators.empirical_calibration import calibrate, fit_systematic_error
from tests.cases import for_each

TRUTH, ERROR = -0.4, 0.12


def simulate_study(rng, n_controls, mean, sd):
    """A result and negative controls under the same systematic error."""
    errors = rng.uniform(0.08, 0.25, n_controls)
    controls = rng.normal(rng.normal(mean, sd, n_controls), errors)
    return rng.normal(TRUTH + rng.normal(mean, sd), ERROR), controls, errors


def count_covered(n_controls, mean, sd, n_studies=500):
    """Share of studies whose interval holds the truth: raw, plug-in, ours."""
    rng = np.random.default_rng(n_controls)
    held = np.zeros(3)
    for _ in range(n_studies):
        result, controls, errors = simulate_study(rng, n_controls, mean, sd)
        found = fit_systematic_error(controls, errors)
        held[0] += abs(result - TRUTH) < 1.96 * ERROR
        for place, is_plug_in in ((1, True), (2, False)):
            made = calibrate([result], [ERROR], found, is_plug_in=is_plug_in)
            held[place] += made["ci_low"][0] < TRUTH < made["ci_high"][0]
    return held / n_studies


def test_with_many_controls_biased_intervals_get_their_coverage_back():
    raw, plain, ours = count_covered(50, 0.3, 0.2)
    assert raw < 0.5
    assert 0.92 < plain <= ours < 0.98


@for_each("sd", [0.0, 0.1, 0.3])
def test_with_few_controls_the_interval_is_wide_enough(sd):
    raw, plain, ours = count_covered(8, 0.3, sd)
    assert raw < 0.5
    assert plain < ours
    assert ours > 0.90


def test_mean_and_spread_are_found():
    rng = np.random.default_rng(3)
    errors = rng.uniform(0.05, 0.2, 4000)
    found = fit_systematic_error(rng.normal(rng.normal(0.2, 0.15, 4000), errors), errors)
    assert found.mean == pytest.approx(0.2, abs=4 * found.mean_se)
    assert found.sd == pytest.approx(0.15, abs=0.01)


def test_without_spread_beyond_chance_only_the_mean_is_taken_off():
    found = fit_systematic_error([0.1, 0.1, 0.1], [0.1, 0.2, 0.3])
    assert (found.mean, found.sd) == (pytest.approx(0.1), 0.0)
    assert calibrate([0.1], [0.1], found)["p_value"].iloc[0] == pytest.approx(1.0)


@for_each(
    ("estimates", "errors"),
    [([0.1], [0.1]), ([0.1, 0.2], [0.1]), ([0.1, np.nan], [0.1, 0.1]), ([0.1, 0.2], [0.1, 0.0])],
)
def test_controls_that_say_nothing_are_refused(estimates, errors):
    with pytest.raises(ValueError, match="controls"):
        fit_systematic_error(estimates, errors)


def test_e_value_of_the_paper():
    # VanderWeele & Ding 2017: risk ratio 3.9 (1.8 to 8.7) gives 7.26, for the limit 3.0
    assert find_e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert find_e_value_limit(1.8, 8.7) == pytest.approx(3.0, abs=0.005)


def test_a_confounder_of_the_e_value_explains_the_result_away_and_no_weaker_one():
    # joint bounding factor of a trait with ratios a and b: a b / (a + b - 1) (Ding & VanderWeele)
    strength = find_e_value(0.6)
    assert strength**2 / (2 * strength - 1) == pytest.approx(1 / 0.6)
    weaker = strength - 0.01
    assert weaker**2 / (2 * weaker - 1) < 1 / 0.6


def test_e_values_at_the_edges():
    assert find_e_value([0.0, 1.0, np.inf]).tolist() == [np.inf, 1.0, np.inf]
    assert find_e_value_limit([0.0, 1.0, 0.2], [0.5, 2.0, 1.0]).tolist()[1:] == [1.0, 1.0]
    with pytest.raises(ValueError, match="negative"):
        find_e_value(-0.1)
    ratios = np.array([0.3, 1.0, 4.0])
    product = approximate_risk_ratio(ratios) * approximate_risk_ratio(1 / ratios)
    assert product == pytest.approx(1.0)
