"""What a fitted Cox model says of other rows: coded as its own, survival, order."""

from __future__ import annotations

import lifelines
import numpy as np
import pandas as pd
import pytest

import revictimisation as rv
from tests.cases import for_each


def make_people(n: int = 120) -> pd.DataFrame:
    """Each with a last day of her own, so that no two events are tied."""
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "days": rng.permutation(n) + 1,
            "again": rng.random(n) < 0.7,
            "age": rng.choice([20.0, 30.0, 41.0, 52.0, 60.0, np.nan], n),
            "score": rng.normal(2010, 3, n),
            "sex": rng.choice(["f", "m", None], n),
            "district": rng.choice(["n", "s"], n),
            "helped": rng.integers(0, 2, n),
        }
    )


PEOPLE = make_people()
WAYS = [
    {"covariates": ["age", "score", "sex", "helped"], "splines": {"age": 4}},
    {"formula": "bs(score, df=4) + C(district) * helped"},
    {"covariates": []},
]


@for_each("way", WAYS)
def test_other_rows_are_coded_as_the_fitted_ones(way):
    model = rv.CoxModel().fit(PEOPLE, "days", "again", **way)
    given = model._given
    few = PEOPLE.iloc[[5, 1, 70]]
    np.testing.assert_allclose(given.code(few), given.design.to_dense()[[5, 1, 70]], rtol=1e-12)


def test_without_ties_survival_and_order_are_those_of_lifelines():
    model = rv.CoxModel().fit(PEOPLE, "days", "again", covariates=["score", "helped"])
    theirs = lifelines.CoxPHFitter().fit(
        PEOPLE[["days", "again", "score", "helped"]],
        "days",
        "again",
        fit_options={"precision": 1e-9},
    )
    others = pd.DataFrame({"score": [2001.0, 2013.5], "helped": [1, 0]}, index=["a", "b"])
    found = model.predict_survival(others, [1, 30, 90, 120])
    assert list(found.columns) == ["a", "b"]
    expected = theirs.predict_survival_function(others, [1, 30, 90, 120])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert model.concordance_ == pytest.approx(theirs.concordance_index_, abs=1e-12)
    hazard = model.baseline_hazard().set_index("time_days")["cumulative_hazard"]
    ratio = np.exp(others.to_numpy() @ model.params_[["score", "helped"]])
    found = model.predict_survival(others, hazard.index)
    np.testing.assert_allclose(found, np.exp(-np.outer(hazard, ratio)))


def test_a_path_whose_covariates_stay_is_a_row_that_stays():
    episodes = PEOPLE.assign(person=PEOPLE.index, start=0)
    model = rv.CoxModel().fit(
        episodes, start_col="start", stop_col="days", event_col="again", strata_col="district",
        covariates=["helped"],
    )  # fmt: skip
    one = pd.DataFrame({"helped": [1, 1, 0], "district": "s", "person": [7, 7, 9],
                        "start": [0, 20, 10], "days": [20, 60, 50]})  # fmt: skip
    paths = model.predict_survival(one, [5, 20, 50, 60], id_col="person")
    whole = model.predict_survival(one.iloc[[0, 2]], [5, 10, 20, 50, 60])
    np.testing.assert_allclose(paths[7], whole[0].drop(10))
    assert paths[9].isna().tolist() == [True, False, False, True]
    np.testing.assert_allclose(paths[9].dropna(), whole[2][[20, 50]] / whole[2][10])
    last = PEOPLE.loc[PEOPLE["district"] == "s", "days"].max()
    assert model.predict_survival(one.iloc[:1], [last, last + 1])[0].notna().tolist() == [
        True,
        False,
    ]


@for_each(
    ("way", "changed", "told"),
    [
        (WAYS[0], {"sex": "x"}, "'sex': 3 rows have a level that the model has not"),
        (WAYS[1], {"district": "w"}, "formula: the rows lack a column of it, or have missing"),
        (WAYS[2] | {"strata_col": "district"}, {"district": "w"}, "a stratum that the model has"),
        (WAYS[0], {"id_col": "sex"}, "fitted without start_col"),
    ],
)
def test_rows_that_the_model_does_not_know_are_told(way, changed, told):
    model = rv.CoxModel().fit(PEOPLE, "days", "again", **way)
    given = {name: changed.pop(name) for name in ("id_col",) if name in changed}
    with pytest.raises(ValueError, match=told):
        model.predict_survival(PEOPLE.head(3).assign(**changed), 10, **given)
    with pytest.raises(ValueError, match="no column"):
        rv.CoxModel().fit(PEOPLE, "days", "again", covariates=["score"]).predict_survival(
            PEOPLE[["sex"]], 10
        )


def test_a_hazard_without_end_gives_no_survival():
    alone = PEOPLE.assign(only=~PEOPLE["again"] & (PEOPLE["days"] > 9))
    model = rv.CoxModel().fit(alone.astype({"only": int}), "days", "again", covariates=["only"])
    assert model.summary().loc["only", "status"] == "infinite"
    with pytest.raises(rv.NotEstimableError, match="infinite"):
        model.baseline_hazard()
