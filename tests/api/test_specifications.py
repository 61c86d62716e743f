"""The face of specification curves, and what each victim moves a trial by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import revictimisation as rv
from tests.cases import for_each


@pytest.fixture(scope="module")
def county_study(county) -> rv.Study:
    study = rv.open_study(county[0], data=county[1])
    return study.with_(bootstrap={"replicates": 0})


@for_each("estimator", ["clone_censor_weight", "capped", "g_formula", "doubly_robust"])
def test_influence_is_that_of_the_error(county_study, estimator):
    """Of every estimator, by the victim's number, which no study's choice changes."""
    cap = 0.95 if estimator == "capped" else None
    asked = "clone_censor_weight" if cap else estimator
    trial = county_study.target_trial("sheltered_housing", asked, cap_quantile=cap)
    moved = trial.influence(365)
    told = pd.concat([trial.risks(365), trial.contrast(365)]).set_index("estimand")["se"]
    for name in moved:
        assert np.sqrt((moved[name] ** 2).sum()) == pytest.approx(told[name], rel=1e-9)
    cohort = county_study.cohort
    assert moved.index.is_unique and set(moved.index) <= set(cohort["victim"])
    assert (cohort.groupby("victim")["cluster_id"].nunique() == 1).all()


def test_a_victim_has_one_number_in_every_study(county_study):
    """Who enters under both washouts is the same person by number, whoever else enters."""
    other = county_study.with_(eligibility={"washout_days": 0, "min_age": 18})
    by_key = [one.cohort.set_index(["victim", "index_on"])[["own_day", "end_day"]].sort_index()
              for one in (county_study, other)]  # fmt: skip
    shared = by_key[0].index.intersection(by_key[1].index)
    assert len(shared) > 50 and len(by_key[0]) != len(by_key[1])
    pd.testing.assert_frame_equal(*(one.loc[shared] for one in by_key))
    numbers = [set(one.cohort["cluster_id"]) for one in (county_study, other)]
    assert numbers[0] != numbers[1]  # counted within the study, these are not


@pytest.fixture
def three() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(3)
    moved = pd.DataFrame(rng.normal(0, 0.01, (60, 3)), columns=["a", "b", "c"])
    moved.loc[:9, "b"] = np.nan  # not in that specification
    df = pd.DataFrame({"estimate": [-0.2, 0.05, -0.3], "lag": [1, 1, 7]}, index=["a", "b", "c"])
    return df, moved


def test_the_curve_is_in_order_with_its_errors(three):
    df, moved = three
    curve = rv.SpecificationCurve(n_draws=999).fit(df, moved, choices=["lag"])
    table = curve.curve()
    assert table.index.tolist() == ["c", "a", "b"]
    np.testing.assert_allclose(table["se"], np.sqrt((moved**2).sum())[table.index])
    assert (table["null_low"] < table["null_high"]).all()
    assert curve.agreement().round(3).to_dict() == {
        "below": 0.667, "clearly_below": 0.667, "above": 0.333, "clearly_above": 0.0,
    }  # fmt: skip
    assert curve.choices().loc[("lag", 7), "difference"] == pytest.approx(-0.3 - (-0.2 + 0.05) / 2)
    assert [*curve.summary()] == ["observed", "null_95", "p"]


def test_it_draws_on_the_axes_given(three):
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot

    ax = pyplot.subplots()[1]
    assert rv.SpecificationCurve(n_draws=99).fit(*three).plot(ax, scale=100) is ax
    assert ax.lines[0].get_ydata().tolist() == [-30.0, -20.0, 5.0]
    pyplot.close("all")


def test_faults_say_what_is_missing(three):
    df, moved = three
    curve = rv.SpecificationCurve()
    with pytest.raises(ValueError, match="call fit"):
        curve.summary()
    for given, told in (
        ((df, moved[["a", "b"]]), "no column for the specification 'c'"),
        ((df.rename(columns={"estimate": "x"}), moved), "no column 'estimate'"),
        ((df.iloc[:0], moved), "needs specifications"),
        ((df.set_index("lag"), moved), "needs specifications"),
    ):
        with pytest.raises(ValueError, match=told):
            curve.fit(*given)
