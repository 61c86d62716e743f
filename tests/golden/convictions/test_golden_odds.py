"""Standardised odds, censoring weights, Firth: against R by brute force (make_golden_odds.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.censoring_weights import weigh_known
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.influence import label_clusters
from revictimisation.estimators.logistic import build_columns, fit_logistic
from revictimisation.estimators.standardised_odds import (
    fit_model,
    split_ways,
    standardise,
)
from tests.cases import for_each

HERE = Path(__file__).parent
CASES = pd.read_csv(HERE / "cases.csv")
GOLDEN = pd.read_csv(HERE / "odds.csv").set_index("what")
COVARIATES = ["age", "high", "started"]
UNTIL = 25


VICTIMS = label_clusters(CASES["victim"], len(CASES))


def check(name: str, found: Estimate) -> None:
    assert found.value == pytest.approx(GOLDEN.loc[name, "value"], rel=1e-7)
    assert found.by_cluster(VICTIMS).se == pytest.approx(GOLDEN.loc[name, "se"], rel=1e-5)


def test_risks_and_their_errors_by_brute_force():
    weights = weigh_known(CASES["stop"], CASES["cause"], UNTIL)
    assert (weights.weight == 0).sum() > 10
    assert weights.weight.sum() == pytest.approx(GOLDEN.loc["sum_weights", "value"], rel=1e-8)
    happened = (CASES["cause"] == 1) & (CASES["stop"] <= UNTIL)
    columns = build_columns(CASES[COVARIATES])
    same = {"is_firth": False, "is_small_sample": False}
    model = fit_model(columns, happened, weights, **same)
    one = standardise(model, 3)
    check("risk_start", one[0])
    check("risk_no_start", one[1])
    check("risk_difference", one[0] - one[1])
    check("log_odds_ratio", one[0].logit() - one[1].logit())
    assert model.fit.coef[3] == pytest.approx(GOLDEN.loc["coef_started", "value"], rel=1e-7)


def test_the_ways_of_a_difference_and_their_errors_by_brute_force():
    weights = weigh_known(CASES["stop"], CASES["cause"], UNTIL)
    happened = (CASES["cause"] == 1) & (CASES["stop"] <= UNTIL)
    same = {"is_firth": False, "is_small_sample": False}
    outcome = fit_model(
        build_columns(CASES[[*COVARIATES, "takes_part"]]), happened, weights, **same
    )
    mediator = fit_model(build_columns(CASES[COVARIATES]), CASES["takes_part"], None, **same)
    ways = split_ways(outcome, mediator, 3, 4)
    for name in ("through", "other"):
        check(name, ways[name][0] - ways[name][1])


@for_each("prefix", ["", "weighted_"])
def test_firth_is_the_maximum_of_the_penalised_likelihood(prefix):
    few = CASES.iloc[:40]
    weights = 0.5 + (np.arange(1, 41) % 4) / 3 if prefix else None
    columns, event = build_columns(few[COVARIATES]), few["cause"] == 1
    fit = fit_logistic(columns, event, weights, is_firth=True, has_intercept_corrected=False)
    names = [f"{prefix}firth_{one}" for one in ("intercept", *COVARIATES)]
    np.testing.assert_allclose(fit.coef, GOLDEN.loc[names, "value"], rtol=1e-6, atol=1e-9)
    told = fit_logistic(columns, event, weights, is_firth=True)
    assert told.coef[0] == pytest.approx(GOLDEN.loc[f"{prefix}flic_intercept", "value"], rel=1e-6)
    np.testing.assert_array_equal(told.coef[1:], fit.coef[1:])


def test_firth_of_a_two_by_two_table_adds_a_half_to_each_cell():
    """The closed form (Heinze & Schemper 2002): also where a cell is empty."""
    event = [1] * 7 + [0] * 5 + [1] * 4
    group = [0.0] * 12 + [1.0] * 4
    fit = fit_logistic(build_columns(np.array(group)[:, None]), event, is_firth=True,
                       has_intercept_corrected=False)  # fmt: skip
    expected = np.log(4.5 / 0.5) - np.log(7.5 / 5.5)
    assert fit.coef[1] == pytest.approx(expected, rel=1e-8)
