"""The truth of a small county under forced strategies is found; another definition is not it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from revictimisation.estimators.design import build_design
from revictimisation.estimators.target_trial.calibrated_weights import calibrate_weights
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.clone_influence import find_influence
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.trial_data import prepare_trial
from revictimisation.estimators.target_trial.weighted_risk import fill_arms
from tests.cases import for_each
from tests.target_trial.toy import Toy, observe, true_risks

DAYS = [30, 60, 180]
N = 60_000


def weigh(toy: Toy, law: str, *, knows_other: bool = True) -> WeightedTrial:
    seen = observe(toy, N, 77)
    design = build_design(seen, ["need"])
    other = Changes(np.arange(N), seen["other_day"].to_numpy() + 1, np.ones(N))
    trial = prepare_trial(
        seen["stop_day"],
        seen["cause"],
        seen["start_day"],
        design,
        grace_days=toy.grace_days,
        changes={"other": other} if knows_other else None,
    )
    return weigh_clones(trial, grace_law=law)


def estimate(toy: Toy, law: str, *, knows_other: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The risk differences and their errors."""
    weighted = weigh(toy, law, knows_other=knows_other)
    arms = fill_arms(weighted)
    risk = arms.read(DAYS)[:, 0]
    moves = find_influence(weighted, DAYS, arms)[:, :, 0]
    return risk[0] - risk[1], np.sqrt(((moves[:, 0] - moves[:, 1]) ** 2).sum(axis=0))


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    start, no_start = true_risks(Toy(), DAYS)
    return start - no_start


def test_natural_law_finds_the_truth(truth):
    gap, se = estimate(Toy(), "natural_law")
    assert (np.abs(gap - truth) < 3 * se).all()


def test_censoring_at_the_end_does_not_see_what_works_within_the_grace_time(truth):
    gap, se = estimate(Toy(), "censor_at_end")
    assert (gap - truth > 5 * se).all()
    assert gap[0] > 0.65 * truth[0]


def test_without_the_changing_covariate_it_is_off(truth):
    gap, se = estimate(Toy(), "natural_law", knows_other=False)
    assert (np.abs(gap - truth) > 3 * se).any()


@for_each("law", ["natural_law", "censor_at_end"])
def test_nothing_is_found_where_nothing_works(law):
    gap, se = estimate(Toy(effect=0.0), law)
    assert (np.abs(gap) < 3 * se).all()


def test_calibrated_and_overlap_weights_find_theirs():
    """Risks of those in whom both choices occur lie elsewhere than everyone's."""
    weighted, apart = weigh(Toy(), "natural_law"), []
    need, overlap = observe(Toy(), N, 77)["need"], weighted.find_overlap(np.arange(N))
    low, high = (overlap[need.eq(level)].mean() for level in ("low", "high"))
    for one, counted in (
        (calibrate_weights(weighted, tolerance=0, ridge=0), (1.0, 1.0)),
        (replace(weighted, population="overlap"), (low, high)),
    ):
        arms, risks = fill_arms(one), true_risks(Toy(), DAYS, counted)
        found, moves = arms.read(DAYS)[:, 0], find_influence(one, DAYS, arms, 1)[:, :, 0]
        assert (np.abs(found - risks) < 3 * np.sqrt((moves**2).sum(axis=0))).all()
        apart.append((risks, found, moves))
    truth, found, moves = (ours - theirs for theirs, ours in zip(*apart, strict=True))
    se = np.sqrt((moves**2).sum(axis=0))
    assert (np.abs(found - truth) < 3 * se).all() and (np.abs(truth[1]) > 3 * se[1]).all()
