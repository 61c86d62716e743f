"""g-formula and doubly robust: exact derivatives, exact reductions, wrong use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.design import build_design, design_from_array
from revictimisation.estimators.target_trial.calibrated_weights import calibrate_weights
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.leverage import find_leverage_factors
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel, fit_outcome_model
from revictimisation.estimators.target_trial.potential_risks import (
    find_follow_chances,
    find_scores,
)
from revictimisation.estimators.target_trial.standardised_risk import (
    estimate_standardised_risks,
    standardise_risks,
)
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial
from tests.cases import for_each
from tests.target_trial.trials import random_trial, refit_all, refit_model

DAYS = [6, 13, 40, 90]


def answer_with(
    weighted: WeightedTrial, model: OutcomeModel, case_weights: np.ndarray
) -> np.ndarray:
    """Everything anew with case weights."""
    trial = weighted.trial
    w = refit_all(weighted, case_weights)
    if w.tilt is not None:
        w = w.calibrate(case_weights)
    periods = tuple(refit_model(trial, one, case_weights) for one in model.periods)
    leaving = refit_model(trial, model.leaving, case_weights)
    anew = replace(model, periods=periods, leaving=leaving)
    values, _, _ = find_scores(w, anew, np.array(DAYS), 1 / find_follow_chances(trial))
    mean = np.tensordot(case_weights, values, axes=1) / case_weights.sum()
    return mean.reshape(2, 2, 2, len(DAYS))


def forget(model: StartModel) -> StartModel:
    """As if its coefficients were known."""
    return replace(model, covariance=np.zeros_like(model.covariance))


def complete(trial: Trial) -> Trial:
    """No administrative end before the last day: the chance of being followed is no part of it."""
    people = trial.people
    is_cut = (people.cause == 0) & (people.stop < trial.last_day)
    return replace(trial, people=people._replace(cause=np.where(is_cut, 1, people.cause)))


@for_each("seed", [4, 5])
def test_influence_is_the_derivative_of_everything(seed):
    """Of seed 5 with calibrated weights."""
    trial = complete(random_trial(240, seed))
    weighted = weigh_clones(trial, grace_law="natural_law")
    if seed == 5:
        weighted = calibrate_weights(weighted, tolerance=0.04, ridge=0.01)
    model = fit_outcome_model(trial)
    influence = standardise_risks(weighted, model, DAYS).influence
    scale, step = np.abs(influence).max(axis=0), 1e-5
    for i in range(0, 240, 17):
        ends = []
        for sign in (1, -1):
            case_weights = np.ones(240)
            case_weights[i] += sign * step
            ends.append(answer_with(weighted, model, case_weights))
        moved = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(influence[i] / scale, moved / scale, atol=1e-6)


def test_influence_is_summed_by_victim():
    trial = random_trial(300, 3, n_victims=200)
    weighted = weigh_clones(trial, grace_law="natural_law")
    model = fit_outcome_model(trial)
    ours = standardise_risks(weighted, model, DAYS)
    alone = replace(trial, people=trial.people._replace(cluster=np.arange(300)), n_clusters=300)
    single = standardise_risks(replace(weighted, trial=alone), model, DAYS)
    np.testing.assert_allclose(ours.value, single.value, rtol=1e-12)
    summed = np.zeros_like(ours.influence)
    np.add.at(summed, trial.people.cluster, single.influence)
    np.testing.assert_allclose(ours.influence, summed, atol=1e-14)


def test_saturated_models_give_the_strata_s_crude_risks():
    """One step, a category, grace 0: g-formula and doubly robust are direct standardisation."""
    rng = np.random.default_rng(3)
    stratum = rng.integers(0, 2, 900)
    is_started = rng.random(900) < 0.2 + 0.3 * stratum
    has_event = rng.random(900) < 0.2 + 0.2 * stratum - 0.1 * is_started
    # the effect on the log odds differs by stratum: a column of its own would need an interaction
    design = build_design(pd.DataFrame({"s": stratum.astype(str)}), ["s"])
    start = np.where(is_started, 0.0, np.nan)
    trial = prepare_trial(np.where(has_event, 1, 2), has_event, start, design, grace_days=0)
    weighted = weigh_clones(trial, grace_law="natural_law")
    value = standardise_risks(weighted, fit_outcome_model(trial), [1]).value[1, :, 0, 0]
    for got, arm in zip(value, (is_started, ~is_started), strict=True):
        strata = [has_event[arm & (stratum == s)].mean() * (stratum == s).mean() for s in range(2)]
        assert got == pytest.approx(sum(strata), abs=1e-10)


def test_past_the_last_follow_up_a_risk_stays():
    trial = complete(random_trial(300, 8))
    weighted = weigh_clones(trial, grace_law="natural_law")
    value = standardise_risks(weighted, fit_outcome_model(trial), [90, 100]).value
    np.testing.assert_allclose(value[:, :, 0, 0], value[:, :, 0, 1], rtol=1e-12)
    lost = value[:, :, 1, 1] - value[:, :, 1, 0]
    np.testing.assert_allclose(lost, 10 * value[:, :, 0, 0], rtol=1e-12)


def test_given_models_are_taken_over_by_name_and_count_as_known():
    big, small = random_trial(3000, 1), random_trial(3000, 1)
    weighted = weigh_clones(big, grace_law="natural_law")
    model = fit_outcome_model(big)
    again = weigh_clones(small, grace_law="natural_law", given=weighted)
    taken = fit_outcome_model(small, given=model)
    same, ours = standardise_risks(again, taken, DAYS), standardise_risks(weighted, model, DAYS)
    np.testing.assert_allclose(same.value, ours.value, rtol=1e-9)
    own = tuple(
        replace(one, covariance=known.covariance)
        for one, known in zip(taken.periods, model.periods, strict=True)
    )
    assert not np.allclose(
        standardise_risks(again, replace(taken, periods=own), DAYS).influence, same.influence
    )
    # other people, other middle: the same coefficients at 0
    other = random_trial(500, 2)
    there = fit_outcome_model(other, given=model).periods[0].to_frame().set_index("name")["coef"]
    here = model.periods[0].to_frame().set_index("name")["coef"]
    pd.testing.assert_series_equal(there, here, rtol=1e-12)
    assert (other.centre != big.centre).any()


def test_wrong_use_is_refused():
    trial = random_trial(300, 3)
    model = fit_outcome_model(trial)
    with pytest.raises(ValueError, match="natural law"):
        standardise_risks(weigh_clones(trial), model, DAYS)
    capped = weigh_clones(trial, grace_law="natural_law", cap_at=2.0)
    with pytest.raises(ValueError, match="not capped"):
        standardise_risks(capped, model, DAYS)
    with pytest.raises(ValueError, match="begin with 1"):
        standardise_risks(weigh_clones(trial, grace_law="natural_law"), model, [0])
    with pytest.raises(ValueError, match="where an interval"):
        fit_outcome_model(trial, cut_days=(1, 9), effect_days=(1, 5))
    none = prepare_trial(
        trial.people.stop, trial.people.cause, np.where(trial.is_started, 0.0, np.nan),
        design_from_array(np.zeros((300, 0)), []), grace_days=12,
    )  # fmt: skip
    with pytest.raises(ValueError, match="other columns"):
        fit_outcome_model(none, given=model)


def test_tables_have_the_rows_of_the_clones():
    trial = random_trial(900, 6, n_victims=700)
    weighted = weigh_clones(trial, grace_law="natural_law")
    tables = estimate_standardised_risks(weighted, fit_outcome_model(trial), DAYS)
    assert list(tables) == ["g_formula", "doubly_robust"]
    for table in tables.values():
        wide = table.pivot(index="time_days", columns="estimand", values="estimate")
        np.testing.assert_allclose(
            wide["risk_difference"], wide["risk_start"] - wide["risk_no_start"], atol=1e-14
        )
        assert (table["ci_low"] <= table["ci_high"]).all()
        assert set(table["cause"]) == {1} and len(table) == 7 * len(DAYS)


def test_leaving_a_starter_out_turns_the_own_log_odds_back_by_the_shift():
    trial = random_trial(1500, 12)
    weighted = weigh_clones(trial, grace_law="natural_law")
    factors = find_leverage_factors(weighted)
    assert (factors[~trial.is_started] == 1).all()
    assert (factors[trial.is_started] > 1).all()
    model, turned = weighted.daily, []
    for i in np.flatnonzero(trial.is_started)[:25]:
        case_weights = np.ones(trial.n_entries)
        case_weights[i] = 0.0
        without = refit_model(trial, model, case_weights)
        row, cell = trial.people.row[i], model.pooled.cell[model.pooled.first[i + 1] - 1]
        odds = [m.odds.rows[row] * m.odds.cells[cell] for m in (model, without)]
        turned.append(np.log(odds[0] / odds[1]))
    # one Newton step against the whole way
    np.testing.assert_allclose(2 * np.log(factors[trial.is_started][:25]), turned, rtol=0.12)
