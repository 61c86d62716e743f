"""Reductions that must hold exactly, ties, intervals, numbers needed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.contrasts import compare_risks
from revictimisation.estimators.design import build_design, design_from_array
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.flexibility import Flexibility
from revictimisation.estimators.target_trial.bootstrap import bootstrap_arms
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.number_needed import invert_difference
from revictimisation.estimators.target_trial.outcome_model import fit_outcome_model
from revictimisation.estimators.target_trial.trial_data import choose_cuts, prepare_trial
from tests.cases import for_each
from tests.target_trial.trials import random_trial, read_mdve

LAWS = ("censor_at_end", "natural_law")


def pick(table: pd.DataFrame, estimand: str, column: str = "estimate", cause: int = 1) -> float:
    mine = table[(table["cause"] == cause) & (table["estimand"] == estimand)]
    assert len(mine) == 1
    return mine[column].iloc[0]


@for_each("law", LAWS)
def test_grace_0_without_covariates_is_the_crude_comparison(law):
    trial = read_mdve()
    table = estimate_strategies(weigh_clones(trial, grace_law=law), [182])
    assert pick(table, "risk_start") == pytest.approx(16 / 136, abs=1e-14)
    assert pick(table, "risk_no_start") == pytest.approx(40 / 178, abs=1e-14)
    assert pick(table, "risk_difference") == pytest.approx(16 / 136 - 40 / 178, abs=1e-14)
    assert pick(table, "risk_difference", "se") == pytest.approx(0.0418, abs=1e-4)
    assert pick(table, "risk_start", "n_people") == 136
    assert pick(table, "risk_no_start", "n_events") == 40
    crude = compare_risks(
        trial.people.stop, trial.people.cause, trial.is_started, at_days=[182]
    ).set_index("estimand")
    for name in ("risk_start", "risk_no_start", "risk_difference", "risk_ratio"):
        for column in ("estimate", "ci_low", "ci_high", "se"):
            assert pick(table, name, column) == pytest.approx(crude.loc[name, column], rel=1e-9)


def test_an_event_while_both_strategies_are_open_counts_in_each_and_once_in_their_contrast():
    trial = random_trial(300, 2)
    table = estimate_strategies(weigh_clones(trial), [90])
    is_event = (trial.people.cause == 1) & (trial.people.stop <= 90)
    is_open = ~trial.is_started & (trial.people.stop <= trial.grace_days)
    n_both = pick(table, "risk_start", "n_events") + pick(table, "risk_no_start", "n_events")
    for estimand in ("risk_difference", "risk_ratio"):
        assert pick(table, estimand, "n_events") == is_event.sum()
    assert n_both - is_event.sum() == (is_event & is_open).sum() > 0


@for_each("law", LAWS)
def test_grace_0_with_a_category_is_standardisation(law):
    """Inverse probability weights of a saturated model: the mean of the strata's crude risks."""
    rng = np.random.default_rng(3)
    stratum = rng.integers(0, 3, 900)
    is_started = rng.random(900) < 0.2 + 0.2 * stratum
    has_event = rng.random(900) < 0.2 + 0.2 * stratum - 0.1 * is_started
    design = build_design(pd.DataFrame({"s": stratum.astype(str)}), ["s"])
    start = np.where(is_started, 0.0, np.nan)
    trial = prepare_trial(np.where(has_event, 5, 9), has_event, start, design, grace_days=0)
    table = estimate_strategies(weigh_clones(trial, grace_law=law), [9])
    for name, arm in (("risk_start", is_started), ("risk_no_start", ~is_started)):
        strata = [has_event[arm & (stratum == s)].mean() * (stratum == s).mean() for s in range(3)]
        assert pick(table, name) == pytest.approx(sum(strata), abs=1e-10)


def small(stop, cause, start, grace):
    none = design_from_array(np.zeros((len(stop), 0)), [])
    return prepare_trial(stop, cause, start, none, grace_days=grace)


def test_an_event_on_the_start_day_comes_before_the_start():
    tied = small([3, 9, 9, 9], [1, 0, 0, 0], [3, 1, None, 2], 4)
    assert tied.people.start.tolist() == [-1, 1, -1, 2]
    same = small([3, 9, 9, 9], [1, 0, 0, 0], [None, 1, None, 2], 4)
    ours, theirs = (estimate_strategies(weigh_clones(t), [4, 9]) for t in (tied, same))
    pd.testing.assert_frame_equal(ours, theirs)


def test_start_on_the_last_grace_day_counts_and_later_does_not():
    trial = small([9, 9, 9, 4], [0, 0, 1, 0], [4, 5, None, None], 4)
    assert trial.people.start.tolist() == [4, -1, -1, -1]
    weights = weigh_clones(trial, grace_law="natural_law").weights_on(4)
    assert (weights[:, 0] > 0).tolist() == [True, False, False, False]
    assert (weights[:, 1] > 0).tolist() == [False, True, True, False]
    # who leaves on day 4 is in both arms up to then: nobody censored it artificially
    assert (weigh_clones(trial, grace_law="natural_law").weights_on(3)[3] > 0).all()


def test_who_starts_on_day_0_leaves_nothing_in_the_no_start_arm():
    trial = small([1, 9, 9, 9], [1, 0, 1, 1], [0, 0, None, None], 2)
    table = estimate_strategies(weigh_clones(trial), [1])
    assert pick(table, "risk_no_start") == 0.0
    assert pick(table, "risk_start") == 0.25  # censored at the end only: all four at risk


@for_each("law", LAWS)
def test_weights_average_to_the_cohort(law):
    """Weighted by one over their chance, those left stand for everybody still followed."""
    weighted = weigh_clones(random_trial(4000, 1), grace_law=law)
    for day in (0, 5, 12):
        followed = (weighted.trial.people.stop > day).sum()
        share = weighted.weights_on(day).sum(axis=0) / followed
        np.testing.assert_allclose(share, 1.0, atol=0.03)
    stabilised = weighted.weights_on(is_stabilised=True)
    np.testing.assert_allclose([w[w > 0].mean() for w in stabilised.T], 1.0, atol=0.05)


@for_each("law", LAWS)
def test_caps_hold_back_the_largest_weights_only(law):
    trial = random_trial(1500, 2)
    free, capped = (weigh_clones(trial, grace_law=law, cap_quantile=q) for q in (None, 0.9))
    before, after = (w.weights_on(is_stabilised=True) for w in (free, capped))
    for arm, mine in ((0, trial.is_started), (1, ~trial.is_started)):
        limit = np.quantile(before[mine & (before[:, arm] > 0), arm], 0.9)
        np.testing.assert_allclose(
            after[mine, arm], np.minimum(before[mine, arm], limit), rtol=1e-9
        )
    fixed = weigh_clones(trial, grace_law=law, cap_at=1.5).weights_on(is_stabilised=True)
    assert fixed[trial.is_started, 0].max() == pytest.approx(1.5)


def test_wrong_use_is_refused():
    with pytest.raises(NotEstimableError, match="nobody_started"):
        small([5, 6], [1, 0], [None, 9], 3)
    with pytest.raises(NotEstimableError, match="everybody_started"):
        small([5, 6], [1, 0], [0, 1], 3)
    with pytest.raises(ValueError, match="follow-up"):
        small([0, 6], [1, 0], [None, 1], 3)
    with pytest.raises(ValueError, match="start_day"):
        small([5, 6], [1, 0], [-1, 1], 3)
    trial = small([5, 6], [1, 0], [None, 1], 3)
    with pytest.raises(ValueError, match="grace_law"):
        weigh_clones(trial, grace_law="uniform")
    with pytest.raises(ValueError, match="not both"):
        weigh_clones(trial, cap_at=3, cap_quantile=0.9)
    drawn = bootstrap_arms(weigh_clones(trial), [5], n_replicates=2, seed=1)
    with pytest.raises(ValueError, match="replicates"):
        estimate_strategies(weigh_clones(trial), [5, 6], replicates=drawn)


def test_number_needed_is_honest_about_infinity():
    rows = invert_difference(
        [-0.1, 0.05, -0.02, 0.0, -0.1], [0.01] * 5, [-0.12, 0.03, -0.06, -0.1, -0.2],
        [-0.08, 0.07, 0.02, 0.1, 0.0],
    )  # fmt: skip
    assert rows["estimate"].iloc[[0, 1]].tolist() == pytest.approx([10, -20])
    assert rows.loc[0, ["ci_low", "ci_high"]].tolist() == pytest.approx([1 / 0.12, 12.5])
    assert rows.loc[1, ["ci_low", "ci_high"]].tolist() == pytest.approx([-1 / 0.03, -1 / 0.07])
    # harm from 50 on, help from 16.7 on, all the way through infinity
    assert rows.loc[2, ["ci_low", "ci_high"]].tolist() == pytest.approx([-50, 1 / 0.06])
    assert rows.loc[2, "reason"] == "interval_through_infinity"
    assert rows.loc[3, ["status", "reason"]].tolist() == ["not_estimable", "no_difference"]
    assert rows.loc[4, "ci_high"] == np.inf and rows.loc[4, "reason"] == ""


def test_days_are_cut_where_starts_are_many():
    assert choose_cuts([0], 0) == (0,)
    assert choose_cuts([0] * 100 + [9], 30) == (0, 1)
    assert choose_cuts([3] * 4, 30) == (0,)
    many = choose_cuts(np.repeat(np.arange(31), 1000), 30)
    assert many[:4] == (0, 1, 4, 7) and len(many) <= 17
    coarse = Flexibility(starts_per_interval=6000, start_intervals=3, starts_on_day_0=2000)
    assert choose_cuts(np.repeat(np.arange(31), 1000), 30, coarse) == (0, 11, 22)


def test_how_finely_outcomes_are_followed_is_asked_for():
    stop = np.tile(np.arange(1, 101), 8)
    cause, start = np.ones(800), np.where(np.arange(800) % 2, 0.0, np.nan)
    none = design_from_array(np.empty((800, 0)), [])

    def cut(**asked):
        trial = prepare_trial(
            stop, cause, start, none, grace_days=0, flexibility=Flexibility(**asked)
        )
        return fit_outcome_model(trial)

    assert len(cut().cut_days) == 10 and cut().effect_days == (1, 21, 51)
    assert cut(outcome_intervals=2, effects=1).cut_days == (1, 51)
    assert cut(outcome_intervals=5, effects=2).effect_days == (1, 41)
    assert cut(events_per_interval=900).cut_days == (1,)


def test_curves_and_contrasts_fit_together():
    weighted = weigh_clones(random_trial(800, 5), grace_law="natural_law")
    replicates = bootstrap_arms(weighted, [30, 60], n_replicates=50, seed=1)
    for drawn in (None, replicates):
        table = estimate_strategies(weighted, [30, 60], replicates=drawn)
        assert (table["status"] == "ok").all()
        wide = table.pivot(index=["cause", "time_days"], columns="estimand", values="estimate")
        gap = wide["risk_start"] - wide["risk_no_start"]
        np.testing.assert_allclose(wide["risk_difference"], gap)
        np.testing.assert_allclose(wide["risk_ratio"], wide["risk_start"] / wide["risk_no_start"])
        plain = table[table["reason"] != "interval_through_infinity"]
        assert (plain["ci_low"] <= plain["estimate"]).all()
        assert (plain["estimate"] <= plain["ci_high"]).all()
