"""Errors and intervals where few clusters are exposed, beside R's clubSandwich and survival."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.cox_data import check_episodes, prepare_data
from revictimisation.estimators.cox_leverage import find_cluster_shares
from revictimisation.estimators.design import build_design, design_from_array
from revictimisation.estimators.newton import maximise
from revictimisation.estimators.small_sample import correct_error
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.trial_data import prepare_trial
from tests.target_trial.trials import random_trial

GOLDEN = Path(__file__).parents[1] / "golden"


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / "small_sample" / f"{name}.csv")


def test_jackknife_and_freedom_equal_clubsandwich_on_a_linear_model():
    data, expected = read("linear_data"), read("linear").iloc[0]
    square = data["x"] @ data["x"]
    left = data["y"] - data["x"] * (data["x"] @ data["y"]) / square
    by_cluster = (data["x"] * left).groupby(data["cluster"]).sum() / square
    leverage = (data["x"] ** 2).groupby(data["cluster"]).sum() / square
    found = correct_error(by_cluster.to_numpy(), leverage.to_numpy())
    assert found == pytest.approx((expected["se"], expected["freedom"]), rel=1e-8)


def test_what_each_cluster_does_to_a_hazard_ratio_equals_survival():
    data, expected = pd.read_csv(GOLDEN / "data" / "random.csv"), read("cox")
    design = build_design(data, ["colour", "size"], measures=data[["treated"]])
    columns = data["start"], data["stop"], data["event"]
    cox = prepare_data(design, check_episodes(len(data), *columns, None, None, data["person"]))
    search, place = maximise(cox), design.names.index("treated")
    influence, leverage = find_cluster_shares(cox, search.state, search.covariance, place)
    np.testing.assert_allclose(influence / cox.scale[place], expected["influence"], rtol=1e-7)
    np.testing.assert_allclose(leverage, expected["leverage"], rtol=1e-7)
    fit = fit_cox(design, *columns, cluster=data["person"], corrected=["treated"])
    se, freedom = fit.corrected["treated"]
    # a step in place of a fit anew, the other columns' leverage left out
    jackknife = read("cox_call")["jackknife"][0]
    assert se == pytest.approx(jackknife, rel=0.04)
    assert fit.se_robust[place] < se - 0.2 * (jackknife - se)
    assert set(fit.corrected) == {"treated"} and 50 < freedom < 150
    low = fit.coef[place] - stats.t.ppf(0.975, freedom) * se
    found, quantile = fit.estimate("treated")
    interval = found.interval(quantile=quantile)
    assert interval.se[0] == pytest.approx(fit.se_robust[place], rel=1e-12)
    assert interval.low[0] == pytest.approx(low, rel=1e-9)


def test_a_hazard_ratio_of_few_is_as_uncertain_as_they_are():
    rng = np.random.default_rng(4)
    exposed = np.arange(200) < 8
    design = design_from_array(exposed[:, None].astype(float), ["exposed"])
    stop = np.ceil(rng.exponential(50, 200)).astype(int)
    fit = fit_cox(
        design, np.zeros(200, int), stop, np.ones(200), cluster=np.arange(200),
        corrected=["exposed"],
    )  # fmt: skip
    assert 3 < fit.corrected["exposed"][1] < 9


def weigh_arms() -> WeightedTrial:
    arms = read("risks_data")
    started, happened = arms["started"] == 1, arms["y"] == 1
    none = design_from_array(np.zeros((len(arms), 0)), [])
    trial = prepare_trial(
        np.where(happened, 5, 9), arms["y"], np.where(started, 0, np.nan), none, grace_days=0
    )
    return weigh_clones(trial, grace_law="natural_law", is_small_sample=True)


def test_risks_of_plain_arms_have_clubsandwichs_errors_and_students_limits():
    """The few starters' error; that of the others is plain (CR0), their own part in it small."""
    weighted, expected = weigh_arms(), read("risks").set_index("arm")
    rows = estimate_strategies(weighted, [9]).query("cause == 1").set_index("estimand")
    limits = []
    for arm, name in ((1, "risk_start"), (0, "risk_no_start")):
        row, risk, se = rows.loc[name], expected.loc[arm, "risk"], expected.loc[arm, "se"]
        plain = se if arm else se * np.sqrt(14 / 15)
        assert row["estimate"] == pytest.approx(risk, rel=1e-8)
        assert row["se"] == pytest.approx(plain, rel=0.005 if arm else 1e-8)
        se = row["se"]
        n_people = (9, 15)[1 - arm]
        reach = stats.t.ppf(0.975, n_people - 1) * se / ((risk - 1) * np.log(1 - risk))
        limits.append([1 - (1 - risk) ** np.exp(sign * reach) for sign in (-1, 1)])
        assert row[["ci_low", "ci_high"]].tolist() == pytest.approx(limits[-1], rel=1e-8)
    # different people, no covariates: put together as independent (Newcombe 1998)
    risk, ((low, high), (other_low, other_high)) = 1 / 3, limits
    gap = rows.loc["risk_difference"]
    assert gap["ci_low"] == pytest.approx(-np.hypot(risk - low, other_high - risk), rel=1e-6)
    assert gap["ci_high"] == pytest.approx(np.hypot(high - risk, risk - other_low), rel=1e-6)


def test_with_many_it_changes_next_to_nothing():
    plain = weigh_clones(random_trial(4000, 6, n_victims=2500), grace_law="natural_law")
    small = replace(plain, is_small_sample=True)
    keys = ["estimand", "estimate", "ci_low", "ci_high"]
    ours, before = (estimate_strategies(one, [90]).query("cause == 1")[keys].set_index("estimand")
                    for one in (small, plain))  # fmt: skip
    np.testing.assert_array_equal(ours["estimate"], before["estimate"])
    width = [(table["ci_high"] - table["ci_low"]).drop("number_needed_to_treat")
             for table in (ours, before)]  # fmt: skip
    ratio = width[0] / width[1]
    assert ratio.min() > 0.995 and ratio.max() < 1.03
