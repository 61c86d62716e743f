"""Two agencies together, one, or none: truth of a small county, simple cases, R, threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.core.workers import Workers
from revictimisation.estimators.curves import aalen_johansen
from revictimisation.estimators.design import build_design, design_from_array
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.bootstrap import bootstrap_arms
from revictimisation.estimators.target_trial.three_estimates import diagnose_three, estimate_three
from revictimisation.estimators.target_trial.three_strategies import (
    STRATEGIES,
    ThreeTrial,
    read_three,
    weigh_three,
)
from tests.cases import for_each
from tests.target_trial.two_agencies import Agencies, observe, true_risks

GOLDEN = Path(__file__).parents[1] / "golden" / "three_strategies"
DAYS = [20, 60, 120]
N = 20_000


def weigh(rule: Agencies, people: pd.DataFrame, terms=("need",), **more) -> ThreeTrial:
    return weigh_three(
        people["stop_day"],
        people["cause"],
        people["police_day"],
        people["social_day"],
        build_design(people, list(terms)),
        grace_days=rule.grace_days,
        within_days=rule.within_days,
        **more,
    )


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return observe(Agencies(), N, 3)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return true_risks(Agencies(), 4 * N, 8, DAYS)


def test_the_truth_is_found_by_bootstrap_errors(people, truth):
    trial = weigh(Agencies(), people)
    replicates = bootstrap_arms(trial, DAYS, n_replicates=40, seed=1)
    rows = estimate_three(trial, DAYS, replicates)
    rows = rows[rows["cause"] == 1].set_index(["level", "time_days"])
    wanted = dict(zip(STRATEGIES, truth, strict=True))
    for over, under in (("both", "none"), ("one", "none"), ("both", "one")):
        for at, day in enumerate(DAYS):
            row = rows.loc[(f"{over}_less_{under}", day)]
            gap = wanted[over][at] - wanted[under][at]
            assert abs(row["estimate"] - gap) < 3.3 * 1.15 * row["se"], row.name
    for name, risks in wanted.items():
        for at, day in enumerate(DAYS):
            row = rows.loc[(name, day)]
            assert abs(row["estimate"] - risks[at]) < 3.3 * 1.15 * row["se"], row.name
    at_end = truth[0, -1] - truth[2, -1]
    assert at_end < -4 * rows.loc[("both_less_none", 120), "se"]  # there is something to be found


def test_without_the_confounder_it_is_off(people, truth):
    adjusted, crude = (read_three(weigh(Agencies(), people, t), DAYS)[:, 0] for t in (["need"], []))
    off = np.abs((crude[0] - crude[2]) - (truth[0] - truth[2]))
    near = np.abs((adjusted[0] - adjusted[2]) - (truth[0] - truth[2]))
    assert (off[1:] > 0.03).all()
    assert (near < off / 2).all()


def test_nothing_is_found_where_nothing_works():
    rule = Agencies(police_effect=0, social_effect=0, together=0)
    trial = weigh(rule, observe(rule, N, 5))
    rows = estimate_three(trial, DAYS, bootstrap_arms(trial, DAYS, n_replicates=40, seed=2))
    gaps = rows[rows["estimand"] == "risk_difference"]
    assert (gaps["estimate"].abs() < 3.3 * gaps["se"]).all()


def test_weights_of_a_strategy_add_up_to_everybody(people):
    """Under no events the mean weight in each arm is 1 on every day of the grace time."""
    free = people.assign(stop_day=120, cause=0)
    mean = weigh(Agencies(), free).weights.mean(axis=0)
    np.testing.assert_allclose(mean, 1, atol=0.03)
    np.testing.assert_allclose(mean[:, 0], 1, atol=0.01)


def test_no_grace_time_and_no_covariates_is_the_crude_comparison():
    rule = Agencies(grace_days=0, within_days=0, police_level=-1, social_level=-1)
    people = observe(rule, 800, 4)
    risks = read_three(weigh(rule, people, ()), DAYS)
    has_p, has_s = people["police_day"] == 0, people["social_day"] == 0
    for arm, group in enumerate((has_p & has_s, has_p ^ has_s, ~has_p & ~has_s)):
        curve = aalen_johansen(
            people.loc[group, "stop_day"], people.loc[group, "cause"], at_days=DAYS, n_causes=3
        )
        wanted = curve.loc[curve["cause"] == 1, "estimate"]
        np.testing.assert_allclose(risks[arm, 0], wanted, rtol=1e-9)


def test_no_grace_time_is_inverse_probability_weighting():
    rule = Agencies(grace_days=0, within_days=0, police_level=-1, social_level=-1)
    people = observe(rule, 3000, 6)
    trial = weigh(rule, people)
    none = trial.weights[:, 2, 0]
    is_none = people["police_day"].isna() & people["social_day"].isna()
    share = is_none.groupby(people["need"]).transform("mean")
    np.testing.assert_allclose(none, np.where(is_none, 1 / share, 0), rtol=0.05)
    np.testing.assert_allclose(trial.chance.sum(axis=1), 1, rtol=1e-9)  # nobody can be apart


@for_each("arm", range(3))
def test_weights_and_curves_of_r(arm):
    people = pd.read_csv(GOLDEN / "people.csv")
    rule = Agencies(grace_days=5, within_days=2)
    trial = weigh(rule, people, ("sex", "earlier"), cut_days=(0, 1, 3))
    weights = pd.read_csv(GOLDEN / "weights.csv")
    mine = weights[weights["strategy"] == STRATEGIES[arm]].filter(like="day_").to_numpy()
    is_there = people["stop_day"].to_numpy()[:, None] > np.arange(6)
    np.testing.assert_allclose(
        np.where(is_there, trial.weights[:, arm], 0), np.where(is_there, mine, 0), rtol=1e-6
    )
    risks = pd.read_csv(GOLDEN / "risks.csv")
    risks = risks[risks["strategy"] == STRATEGIES[arm]]
    ours = read_three(trial, risks["time_days"].tolist())[arm, :3]
    wanted = risks[["outcome", "death", "emigration"]].to_numpy().T
    np.testing.assert_allclose(ours, wanted, rtol=1e-6, atol=1e-10)


def test_the_bootstrap_is_the_same_on_any_threads_and_of_the_size_of_errors(people):
    some = people[:2000].reset_index(drop=True)
    trial = weigh(Agencies(), some, cluster=np.arange(2000) // 2)
    one = bootstrap_arms(trial, DAYS, n_replicates=24, seed=9).answers
    with Workers(2) as workers:
        two = bootstrap_arms(trial, DAYS, n_replicates=24, seed=9, share=workers.map).answers
    np.testing.assert_array_equal(one, two)
    errors = one[:, 2, 0].std(axis=0, ddof=1)
    n_none = trial.is_followed[:, 2].sum()
    risk = read_three(trial, DAYS)[2, 0]
    assert (errors < 2.5 * np.sqrt(risk * (1 - risk) / n_none)).all()
    assert (errors > 0.4 * np.sqrt(risk * (1 - risk) / n_none)).all()


def test_what_stands_behind(people):
    trial = weigh(Agencies(), people)
    rows = estimate_three(trial, [120])
    checks = diagnose_three(trial, rows).set_index(["check", "arm"])["value"]
    police, social = people["police_day"], people["social_day"]
    within = (police <= 20) & (social <= 20) & (police < people["stop_day"])
    apart = within & (social < people["stop_day"]) & ((police - social).abs() > 7)
    assert checks["n_apart", ""] == apart.sum() > 0
    assert checks["is_converged", ""] == 1
    for name in STRATEGIES:
        assert checks["largest_standardised_difference", name] < 0.1
        assert checks["effective_sample_size", name] <= checks["n_uncensored", name]
    # without replicates no error is known; of a risk of 0 the limits are exact
    assert (rows["se"].isna() == (rows["cause"] == 1)).all()
    assert (rows.loc[rows["cause"] > 1, "estimate"] == 0).all()


def test_what_cannot_be_told_is_not_told():
    none = design_from_array([[]] * 4, [])
    with pytest.raises(NotEstimableError, match="nobody_started"):
        weigh_three([9] * 4, [0] * 4, [None] * 4, [0, 1, None, None], none, grace_days=3,
                    within_days=2)  # fmt: skip
    trial = weigh_three([9] * 4, [1, 0, 1, 0], [0, None, None, None], [None, 0, None, None], none,
                        grace_days=3, within_days=2)  # fmt: skip
    rows = estimate_three(trial, [9]).set_index(["estimand", "cause", "level"])["estimate"]
    assert np.isnan(rows["cumulative_incidence", 1, "both"])
    assert np.isnan(rows["risk_difference", 1, "both_less_none"])
    assert rows["cumulative_incidence", 1, "one"] == pytest.approx(0.5)
    with pytest.raises(ValueError, match="within_days"):
        weigh_three([9], [0], [0], [0], design_from_array([[]], []), grace_days=1, within_days=-1)
