"""Against R: the best linear predictor, sorted groups, ridge regression by marginal likelihood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.effect_learner import build_terms, learn_forward
from revictimisation.estimators.effect_tests import (
    Ranked,
    compare_groups,
    find_autoc,
    find_spread,
    rank_entries,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "heterogeneity"


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return pd.read_csv(GOLDEN / "people.csv")


@pytest.fixture(scope="module")
def ranked(people) -> Ranked:
    fold, victim = people["fold"].to_numpy(), people["victim"].to_numpy()
    # of those foretold the same, the first in the file comes first
    lots = np.arange(len(people), dtype=float)
    return rank_entries(people["foretold"].to_numpy(), fold, victim, lots)


def test_spread_groups_and_autoc(people, ranked):
    score = people["score"].to_numpy()
    golden = pd.read_csv(GOLDEN / "numbers.csv").set_index("number")
    found = [find_spread(score, ranked), compare_groups(score, ranked), find_autoc(score, ranked)]
    estimate = np.concatenate([one.value for one in found])
    np.testing.assert_allclose(estimate, golden["estimate"], rtol=1e-9)
    se = np.concatenate([one.se for one in found])[:-1]
    np.testing.assert_allclose(se, golden["se"].iloc[:-1], rtol=1e-9)


def test_ridge_with_the_likeliest_share(people):
    golden = pd.read_csv(GOLDEN / "foretold.csv")
    terms = build_terms(people, ["kind", "sex", "age"])
    fold = people["fold"].to_numpy()
    predicted = learn_forward(terms, people["score"].to_numpy(), fold)
    assert np.isnan(predicted[fold == 0]).all()
    last = predicted[golden["row"]]
    np.testing.assert_allclose(last - last.mean(), golden["foretold"], rtol=1e-8, atol=1e-10)
