"""Risks within levels: everything anew by loops, exact derivatives, balance person by person."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.estimators.intervals import normal_quantile
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.levels import (
    LevelMeasurer,
    read_levels,
)
from revictimisation.estimators.target_trial.weighted_risk import fill_arms
from tests.cases import for_each
from tests.target_trial.trials import random_trial, refit_all

DAYS = [6, 13, 40, 90]
N = 240


def draw_codes(seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).choice(3, N, p=[0.5, 0.3, 0.2])


def answer_with(
    weighted: WeightedTrial, case_weights: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """The level's risks anew: models on everybody's case weights, curves on the level's."""
    moved = refit_all(weighted, case_weights)
    return fill_arms(moved, case_weights * chosen).read(DAYS)[:, 0]


@for_each("law", ["censor_at_end", "natural_law"])
def test_influence_is_the_derivative_of_everything(law):
    """Also for victims of other levels, who move a level through the weights alone."""
    weighted, codes = weigh_clones(random_trial(N, 4), grace_law=law), draw_codes()
    found = read_levels(weighted, codes, 3, DAYS)
    for level in range(3):
        chosen = (codes == level).astype(float)
        own = found.risk[:, level].influence
        np.testing.assert_allclose(
            found.risk.value[:, level], answer_with(weighted, np.ones(N), chosen), rtol=1e-9
        )
        for i in range(0, N, 17):
            ends = []
            for step in (1e-5, -1e-5):
                case_weights = np.ones(N)
                case_weights[i] += step
                ends.append(answer_with(weighted, case_weights, chosen))
            moved = (ends[0] - ends[1]) / 2e-5
            np.testing.assert_allclose(own[i], moved, atol=1e-6 * np.abs(own).max())
    others = codes != 0
    assert np.abs(found.risk.influence[others, :, 0]).max() > 0


def test_one_level_is_the_whole_cohort():
    weighted = weigh_clones(random_trial(N, 5, n_victims=150), grace_law="natural_law")
    found = read_levels(weighted, np.zeros(N, np.int64), 1, DAYS)
    table = estimate_strategies(weighted, DAYS)
    table = table[table["cause"] == 1].set_index(["estimand", "time_days"])
    ours = found.to_rows(np.array(["all"], object), DAYS).set_index(["estimand", "time_days"])
    table = table.loc[ours.index]
    for name in ("estimate", "se"):
        np.testing.assert_allclose(ours[name], table[name], rtol=1e-9)
    for name in ("n_people", "n_events", "status"):
        assert ours[name].tolist() == table[name].tolist()
    of_arms = ["risk_start", "risk_no_start"]
    np.testing.assert_allclose(
        ours.loc[of_arms, "ci_high"], table.loc[of_arms, "ci_high"], rtol=1e-9
    )
    # Student's t for contrasts
    gap = "risk_difference"
    assert (ours.loc[gap, "ci_high"] >= table.loc[gap, "ci_high"]).all()


def test_a_level_has_the_weights_it_has_in_the_cohort():
    weighted, codes = weigh_clones(random_trial(N, 6), grace_law="natural_law"), draw_codes()
    mine = weighted.take(codes == 1)
    for day in (0, 4, 12, 30):
        np.testing.assert_array_equal(mine.weights_on(day), weighted.weights_on(day)[codes == 1])


def test_a_level_in_which_nobody_started_has_no_risk_and_moves_no_other():
    trial = random_trial(N, 7)
    weighted = weigh_clones(trial, grace_law="natural_law")
    codes = np.where(trial.is_started, 0, draw_codes() % 2)
    found = read_levels(weighted, codes, 2, DAYS)
    value = found.risk.value
    assert np.isnan(value[:, 1]).all() and not np.isnan(value[:, 0]).any()
    assert found.has_risk.tolist() == [True, False]
    assert not found.risk[:, 1].influence.any()
    assert found.people[1, 2] == (codes == 1).sum()


def test_balance_person_by_person():
    trial, codes = random_trial(N, 8), draw_codes()
    weighted = weigh_clones(trial, grace_law="natural_law")
    ours = LevelMeasurer(weighted).measure(codes, 3)
    columns, names = trial.columns, trial.names
    values = np.zeros((N, len(names)))
    for i, row in enumerate(trial.people.row):
        for k in range(columns.pointers[row], columns.pointers[row + 1]):
            values[i, columns.indices[k]] = columns.values[k]
    spread, quantile = values.std(axis=0), normal_quantile(1 - 0.05 / len(names))
    for level in range(3):
        for arm in range(2):
            largest, beyond = 0.0, 0.0
            for day in (0, trial.grace_days):
                mine = (codes == level) & (trial.people.stop > day)
                weight = weighted.weights_on(day)[:, arm] * mine
                size = weight.sum() ** 2 / (weight**2).sum()
                for k in range(len(names)):
                    gap = np.average(values[:, k], weights=weight) - values[mine, k].mean()
                    error = values[mine, k].std() * np.sqrt(max(1 / size - 1 / mine.sum(), 0))
                    largest = max(largest, abs(gap) / spread[k])
                    beyond = max(beyond, (abs(gap) - quantile * error) / spread[k])
            assert ours.largest[level, arm] == pytest.approx(largest, rel=1e-9)
            assert ours.beyond_chance[level, arm] == pytest.approx(max(beyond, 0.0), abs=1e-12)
