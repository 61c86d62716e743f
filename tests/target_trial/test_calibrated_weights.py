"""Calibrated and overlap weights: golden numbers, exact derivatives, balance, known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import rel_entr

from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.balance import measure_balance
from revictimisation.estimators.target_trial.bootstrap import bootstrap_arms, draw_weights
from revictimisation.estimators.target_trial.calibrated_weights import calibrate_weights
from revictimisation.estimators.target_trial.clone_influence import find_influence
from revictimisation.estimators.target_trial.clone_weights import LAST, WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.diagnostics import diagnose_trial
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial
from revictimisation.estimators.target_trial.weighted_risk import fill_arms
from tests.cases import for_each
from tests.target_trial.trials import random_trial, refit_all

DAYS = [6, 13, 40, 90]
LAWS = ("censor_at_end", "natural_law")


def weigh(trial: Trial, law: str, kind: str) -> WeightedTrial:
    weighted = weigh_clones(trial, grace_law=law)
    if kind == "overlap":
        return replace(weighted, population="overlap")
    tolerance, ridge = {"exact": (0.0, 0.0), "near": (0.04, 0.01)}[kind]
    return calibrate_weights(weighted, tolerance=tolerance, ridge=ridge)


def answer_with(weighted: WeightedTrial, case_weights: np.ndarray) -> np.ndarray:
    moved = refit_all(weighted, case_weights)
    if moved.tilt is not None:
        moved = moved.calibrate(case_weights)
    return fill_arms(moved, case_weights).read(DAYS)


def point_trial(n: int, seed: int) -> tuple[Trial, np.ndarray, np.ndarray]:
    """One decision, on day 0: a trial, its three columns, who started."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.random(n) < 0.4, rng.exponential(size=n)])
    started = rng.random(n) < 1 / (1 + np.exp(1.2 - x @ [0.5, 0.8, -0.4]))
    stop = np.ceil(rng.exponential(60 * np.exp(-0.4 * x[:, 0]))).clip(1, 90)
    design = design_from_array(x, ["a", "b", "c"])
    start = np.where(started, 0, np.nan)
    return prepare_trial(stop, stop < 90, start, design, grace_days=0), x, started


def test_where_nobody_has_both_choices_there_is_no_population_of_both():
    """A covariate tells exactly who starts: in an arm nobody counts in the overlap population."""
    rng = np.random.default_rng(5)
    started = np.arange(60) < 30
    x = np.column_stack([started * 1.0, rng.normal(size=60)])
    stop = np.ceil(rng.exponential(60, size=60)).clip(1, 90)
    trial = prepare_trial(stop, stop < 90, np.where(started, 0, np.nan),
                          design_from_array(x, ["a", "b"]), grace_days=0)  # fmt: skip
    weighted = weigh_clones(trial, grace_law="natural_law")
    assert len(diagnose_trial(weighted, DAYS))
    with pytest.raises(NotEstimableError, match="share_outside_support"):
        diagnose_trial(replace(weighted, population="overlap"), DAYS)


def test_exact_weights_are_entropy_balancing():
    """Hainmueller's primal, solved by scipy 1.15 `minimize(method="trust-constr")` or any later.

    The weights of an arm nearest in Kullback-Leibler divergence to the fitted ones, with the
    cohort's size and means.
    """
    trial, x, started = point_trial(60, 3)
    fitted = weigh_clones(trial, grace_law="natural_law")
    ours = calibrate_weights(fitted, tolerance=0.0, ridge=0.0).weights_on(LAST)
    rows = np.column_stack([np.ones(60), x])
    for arm, is_in in enumerate((started, ~started)):
        base, columns = fitted.weights_on(LAST)[is_in, arm], rows[is_in]
        found = minimize(
            lambda w, base=base: (rel_entr(w, base) - w + base).sum(), base, method="SLSQP",
            jac=lambda w, base=base: np.log(w / base), bounds=[(1e-9, None)] * len(base),
            constraints={"type": "eq", "fun": lambda w, c=columns: c.T @ w - rows.sum(axis=0),
                         "jac": lambda _, c=columns: c.T},
            options={"ftol": 1e-14, "maxiter": 500},
        )  # fmt: skip
        assert found.success
        np.testing.assert_allclose(ours[is_in, arm], found.x, rtol=1e-5)


@for_each("kind", ["exact", "near", "overlap"])
@for_each("law", LAWS)
def test_influence_is_the_derivative_of_everything(law, kind):
    if (law, kind) == ("censor_at_end", "overlap"):
        return
    weighted = weigh(random_trial(240, 4), law, kind)
    influence = find_influence(weighted, DAYS)
    scale, step = np.abs(influence).max(axis=0), 1e-5
    scale[scale == 0] = 1.0
    for i in range(0, 240, 24):
        ends = []
        for sign in (1, -1):
            case_weights = np.ones(240)
            case_weights[i] += sign * step
            ends.append(answer_with(weighted, case_weights))
        moved = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(influence[i] / scale, moved / scale, atol=1e-6)


def test_means_are_the_cohorts_to_the_tolerance():
    trial = random_trial(1500, 7)
    fitted = weigh_clones(trial, grace_law="natural_law")
    for tolerance, most in ((0.0, 1e-9), (0.01, 0.01 + 1e-9)):
        weighted = calibrate_weights(fitted, tolerance=tolerance, ridge=0.0)
        assert weighted.is_converged
        ends = weighted.tilt.ends
        table = measure_balance(weighted, [])
        of_end = table["time_days"].eq(ends[-1]) & table["comparison"].ne("start_less_no_start")
        assert table.loc[of_end, "weighted"].abs().max() <= most
        early = weighted.weights_by(ends[0])[:, 0]
        assert early.sum() == pytest.approx(trial.n_entries, rel=1e-9)


def test_nobody_alike_shows_as_a_difference_and_costs_nothing_else():
    """A level without a starter can't be balanced: its gap stays, all else is as if it were not."""
    trial, x, started = point_trial(400, 5)
    rare = np.zeros(400)
    rare[np.flatnonzero(~started)[:30]] = 1
    design = design_from_array(np.column_stack([x, rare]), ["a", "b", "c", "rare"])
    people = trial.people
    start = np.where(started, 0, np.nan)
    with_rare = prepare_trial(people.stop, people.cause, start, design, grace_days=0)
    weighted = weigh(with_rare, "natural_law", "near")
    assert weighted.is_converged and np.isfinite(weighted.weights).all()
    table = measure_balance(weighted, [])
    gaps = table[table["comparison"].eq("start")].set_index("column")["weighted"]
    assert gaps["rare"] == pytest.approx(-np.sqrt(0.075 / 0.925), abs=1e-6)
    assert gaps.drop("rare").abs().max() < 0.06


@for_each("law", LAWS)
def test_replicates_repeat_calibration(law):
    trial = random_trial(1200, 8, n_victims=900)
    weighted = weigh(trial, law, "near")
    replicates = bootstrap_arms(weighted, DAYS, n_replicates=40, seed=11)
    assert replicates.n_unsettled == 0
    spread = replicates.answers.std(axis=0)
    for k in range(2):
        case_weights = draw_weights(11, k, trial.n_clusters)[trial.people.cluster]
        apart = np.abs(replicates.answers[k] - answer_with(weighted, case_weights))
        assert (apart <= 1e-3 * spread + 1e-12).all()


def test_wrong_use_is_refused():
    trial = random_trial(300, 2)
    capped = weigh_clones(trial, grace_law="natural_law", cap_at=3)
    with pytest.raises(ValueError, match="not capped"):
        calibrate_weights(capped, tolerance=0.05, ridge=0.01)
