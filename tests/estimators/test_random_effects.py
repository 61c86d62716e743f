"""Several estimates pooled: against R's numbers, simulated truth, and where little is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import t_quantile
from revictimisation.estimators.random_effects import (
    find_tau2_limits,
    find_tau2_paule_mandel,
    find_tau2_reml,
    leave_one_out,
    pool_estimates,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "random_effects"
STUDIES = pd.read_csv(GOLDEN / "studies.csv")
METHODS = {"REML": "reml", "PM": "paule_mandel"}


def test_answers_are_those_of_metafor():
    """R's `rma` with test "adhoc", `confint` and the prediction by Partlett and Riley."""
    for row in pd.read_csv(GOLDEN / "pooled.csv").itertuples():
        studies = STUDIES[STUDIES["set"].eq(row.set)]
        found = pool_estimates(studies["y"], studies["se"], METHODS[row.method])
        told = {
            "fixed": found.fixed.estimate, "fixed_se": found.fixed.se,
            "random": found.random.estimate, "se": found.random.se,
            **{name: getattr(found.random, name) for name in ("ci_low", "ci_high")},
            **{name: getattr(found, name) for name in (
                "tau2", "tau2_low", "tau2_high", "i2", "q", "q_p",
                "prediction_low", "prediction_high")},
        }  # fmt: skip
        for name, value in told.items():
            known = getattr(row, name)
            where = f"{row.set} {row.method} {name}"
            assert value == pytest.approx(known, rel=1e-6, abs=1e-8, nan_ok=True), where
        assert found.is_widened == (row.se > row.se_knha * (1 + 1e-9))


def test_answers_without_each_study_are_those_of_metafor():
    golden = pd.read_csv(GOLDEN / "without.csv")
    for (name, method), rows in golden.groupby(["set", "method"]):
        studies = STUDIES[STUDIES["set"].eq(name)]
        found = leave_one_out(studies["y"], studies["se"], METHODS[method])
        for column in ("estimate", "se", "ci_low", "ci_high", "tau2"):
            known, told = (table[column].to_numpy(float) for table in (rows, found))
            assert told == pytest.approx(known, rel=1e-6, abs=1e-8), f"{name} {method} {column}"


def test_one_study_is_its_own_answer_and_tells_nothing_of_others():
    found = pool_estimates([np.nan, -0.5, 0.3], [0.1, 0.2, 0.0])
    assert found.is_used.tolist() == [False, True, False]
    assert found.fixed.estimate == found.random.estimate == -0.5
    assert found.fixed.ci_high == pytest.approx(-0.5 + 1.959964 * 0.2)
    nothing = (found.random.ci_low, found.tau2, found.i2, found.prediction_low, found.q_p)
    assert np.isnan(nothing).all()
    assert found.q_df == 0
    rest = leave_one_out([np.nan, -0.5, 0.3], [0.1, 0.2, 0.0])
    assert rest["estimate"].isna().all()
    assert rest["weight"].tolist()[1] == 1


def test_none_is_a_fault_of_the_data_and_unequal_arrays_of_the_caller():
    with pytest.raises(NotEstimableError, match="no_studies"):
        pool_estimates([np.nan, 1.0, 1.0], [0.1, np.inf, -1.0])
    with pytest.raises(ValueError, match="as many"):
        pool_estimates([1.0], [0.1, 0.2])


def test_equal_studies_have_no_spread_and_the_interval_is_not_narrower_for_it():
    found = pool_estimates([0.2] * 4, [0.1] * 4)
    assert (found.tau2, found.tau2_low, found.i2) == (0, 0, 0)
    assert found.is_widened
    assert found.q_p == 1
    assert found.random.se == pytest.approx(found.fixed.se)
    half = float(t_quantile(3)) * 0.05
    assert found.random.ci_high - 0.2 == pytest.approx(half)
    assert found.tau2_high == 0  # no spread at all: no tau^2 above 0 is likely


def test_two_studies_have_limits_but_no_prediction():
    found = pool_estimates([0.0, 1.0], [0.1, 0.1])
    assert found.random.ci_high - 0.5 == pytest.approx(12.7062047 * 0.5)
    assert np.isnan(found.prediction_high)
    # of equal errors both methods are the variance between less that within
    assert found.tau2 == pytest.approx(0.5 - 0.01)
    assert pool_estimates([0.0, 1.0], [0.1, 0.1], "paule_mandel").tau2 == pytest.approx(0.49)


def test_order_and_scale_of_studies_change_nothing_but_the_scale():
    rng = np.random.default_rng(3)
    y, se = rng.normal(0, 0.4, 9), rng.uniform(0.05, 0.5, 9)
    found, other = pool_estimates(y, se), pool_estimates(100 * y[::-1], 100 * se[::-1])
    assert other.random.estimate == pytest.approx(100 * found.random.estimate, rel=1e-9)
    assert other.tau2 == pytest.approx(1e4 * found.tau2, rel=1e-9)
    assert other.i2 == pytest.approx(found.i2, rel=1e-9)
    assert found.weight.sum() == pytest.approx(1)


def test_the_highest_of_the_peaks_is_taken():
    """REML's tau^2 is where no other on a fine grid has a higher restricted likelihood."""
    rng = np.random.default_rng(8)
    for _ in range(20):
        v = rng.uniform(0.001, 0.2, 6) ** 2
        y = rng.normal(0, rng.choice([0, 0.05, 0.5]), 6)
        found = find_tau2_reml(y, v)
        grid = np.append(found, np.linspace(0, 3 * found + 0.01, 400))
        w = 1 / (v + grid[:, None])
        mu = (w @ y) / w.sum(axis=1)
        squares = (w * (y - mu[:, None]) ** 2).sum(axis=1)
        level = (np.log(w).sum(axis=1) - np.log(w.sum(axis=1)) - squares) / 2
        assert level[0] >= level[1:].max() - 1e-12


def test_limits_hold_the_truth_as_often_as_they_say():
    """Of 400 draws of eight studies, tau = 0.3: 95 of 100, the prediction somewhat fewer."""
    rng = np.random.default_rng(18)
    n_mu = n_next = n_tau2 = 0
    for _ in range(400):
        se = rng.uniform(0.1, 0.5, 8)
        y = -0.2 + rng.normal(0, 0.3, 8) + rng.normal(0, se)
        found = pool_estimates(y, se)
        n_mu += found.random.ci_low < -0.2 < found.random.ci_high
        n_next += found.prediction_low < rng.normal(-0.2, 0.3) < found.prediction_high
        n_tau2 += found.tau2_low <= 0.09 <= found.tau2_high
    assert 370 <= n_mu <= 396
    assert 350 <= n_next <= 390
    assert 370 <= n_tau2 <= 392


def test_weighted_squares_at_the_tau2_found_are_as_expected():
    y, v = np.array([0.1, 0.9, -0.4, 0.5]), np.array([0.01, 0.04, 0.02, 0.09])
    tau2 = find_tau2_paule_mandel(y, v)
    w = 1 / (v + tau2)
    assert np.sum(w * (y - np.sum(w * y) / w.sum()) ** 2) == pytest.approx(3)
    low, high = find_tau2_limits(y, v)
    assert low < tau2 < high
