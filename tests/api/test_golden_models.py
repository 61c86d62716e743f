"""Every model of the face against R's numbers: the cases of tests/golden, by way of data frames."""

from __future__ import annotations

import numpy as np
import pandas as pd

import revictimisation as rv
from revictimisation.estimators.curves import kaplan_meier
from revictimisation.estimators.fine_gray import fit_fine_gray
from revictimisation.estimators.recurrent import make_pwp_gap_time
from tests.cases import for_each
from tests.golden import test_golden as first
from tests.golden.recurrent import test_golden_recurrent as recurrent

R_COLUMNS = ("coef", "se_model", "se_robust")


def assert_model_equals(model, expected: pd.DataFrame) -> None:
    """Coefficients and both errors, in R's order."""
    table = model.summary()
    ours = {"coef": table["coef"], "se_model": table["se_model"], "se_robust": table["se"]}
    for name in R_COLUMNS:
        if expected[name].notna().any():
            first.assert_equal(ours[name], expected[name])
    if model.fit_.se_robust is None:
        first.assert_equal(table["se"], expected["se_model"])


def fit_cox(case: str) -> tuple[rv.CoxModel, pd.DataFrame]:
    name, covariates, own, columns = first.COX_CASES[case]
    data = first.read_data(name)
    given = {f"{key}_col": column for key, column in columns.items()}
    days = {"start_col": "start", "stop_col": "stop", "event_col": "event"}
    return rv.CoxModel().fit(data, **days, covariates=[*covariates, *own], **given), data


@for_each("case", first.COX_CASES)
def test_cox(case):
    expected = first.COX[first.COX["case"] == case]
    model, _ = fit_cox(case)
    assert_model_equals(model, expected)
    likelihoods = expected[["loglik_null", "loglik"]].iloc[0]
    first.assert_equal([model.fit_.loglik_null, model.fit_.loglik], likelihoods)


@for_each("case", ["bladder2_pwp", "heart", "lung_weights_strata", "random_all"])
def test_cox_by_formula(case):
    """The same numbers under formulaic's names; missing levels must be given one."""
    expected = first.COX[first.COX["case"] == case]
    name, covariates, own, columns = first.COX_CASES[case]
    data = first.read_data(name)
    if "colour" in data:
        data = data.fillna({"colour": "none"})
    given = {f"{key}_col": column for key, column in columns.items()}
    model = rv.CoxModel().fit(
        data, event_col="event", start_col="start", stop_col="stop",
        formula=" + ".join([*covariates, *own]), **given,
    )  # fmt: skip
    if "colour" in data:
        order = ["colour[T.green]", "colour[T.red]", "colour[T.none]", "size", "treated"]
        expected = expected.set_axis(order).loc[model.summary().index]
    assert_model_equals(model, expected)


def test_a_duration_is_an_episode_from_day_0():
    expected = first.COX[first.COX["case"] == "ovarian_strata"]
    data = first.read_data("ovarian")
    model = rv.CoxModel().fit(data, "stop", "event", strata_col="rx", covariates=["age", "ecog.ps"])
    assert_model_equals(model, expected)


@for_each("case", sorted(set(first.ZPH["case"])))
def test_proportional_hazards(case):
    """R stops its own fit a little earlier: equal to 1e-7."""
    expected = first.ZPH[first.ZPH["case"] == case]
    found = fit_cox(case)[0].check_proportional_hazards()
    assert found.index[-1] == "GLOBAL"
    for column in ("chisq", "p"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-7)


@for_each("case", recurrent.PWP_CASES)
def test_pwp(case):
    make, (name, person, covariates, own, columns), rule = recurrent.PWP_CASES[case]
    data = recurrent.read_data(name)
    clock = "gap" if make is make_pwp_gap_time else "total"
    given = {f"{key}_col": column for key, column in columns.items()}
    model = rv.PWPModel(clock=clock, **rule).fit(
        data.sample(frac=1, random_state=1), id_col=person, start_col="start", stop_col="stop",
        event_col="event", covariates=[*covariates, *own], **given,
    )  # fmt: skip
    assert_model_equals(model, recurrent.HAZARDS[recurrent.HAZARDS["case"] == case])


@for_each("case", recurrent.COMPETING_CASES)
def test_competing_hazards(case):
    fit, (name, covariates), columns, cause = recurrent.COMPETING_CASES[case]
    data = recurrent.read_data(name)
    given = {f"{key}_col": column for key, column in columns.items()}
    if fit is fit_fine_gray:
        model = rv.FineGrayModel(cause=cause)
    else:
        model, data = rv.CoxModel(), data.assign(cause=data["cause"] == cause)
    model.fit(data, "time", "cause", covariates=covariates, **given)
    assert_model_equals(model, recurrent.HAZARDS[recurrent.HAZARDS["case"] == case])


@for_each("case", first.CURVE_CASES)
def test_curves(case):
    name, rows, estimator, stop, cause, columns = first.CURVE_CASES[case]
    expected = first.CURVES[first.CURVES["case"] == case].sort_values(["time", "cause"])
    data = first.read_data(name) if rows is None else first.read_data(name).query(rows)
    given = {f"{key}_col": column for key, column in columns.items()}
    given |= {"stop_col" if "start" in columns else "duration_col": stop, "event_col": cause}
    model = rv.KaplanMeier() if estimator is kaplan_meier else rv.AalenJohansen()
    curve = model.fit(data, **given).risks(sorted(set(expected["time"])))
    for column in ("estimate", "se", "ci_low", "ci_high"):
        if expected[column].notna().any():
            first.assert_equal(curve[column], expected[column])


def test_difference_of_risks_with_shared_clusters():
    expected = pd.read_csv(first.HERE / "differences.csv")
    curve = rv.AalenJohansen().fit(
        first.read_data("mgus2"), "time", "cause", cluster_col="family", group_col="sex"
    )
    rows = curve.contrast(expected["time"].tolist(), reference="M")
    difference, ratio = (
        rows[rows["estimand"] == name] for name in ("risk_difference", "risk_ratio")
    )
    first.assert_equal(difference["estimate"], expected["difference"])
    first.assert_equal(difference["se"], expected["se"])
    first.assert_equal(np.log(ratio["estimate"]), expected["log_ratio"])
    first.assert_equal(ratio["se"], expected["se_log"])


@for_each("case", recurrent.COUNT_CASES)
def test_mean_counts(case):
    expected = recurrent.COUNTS[recurrent.COUNTS["case"] == case]
    name, columns = recurrent.COUNT_CASES[case]
    data = recurrent.read_data(name)
    given = {f"{key}_col": column for key, column in columns.items()}
    person = "person" if "person" in data else "id"
    count = rv.MeanCumulativeCount().fit(
        data, id_col=person, start_col="start", stop_col="stop", event_col="event",
        terminal_col=None if case.endswith("nelson_aalen") else "terminal", **given,
    )  # fmt: skip
    curve = count.counts(expected["time"].tolist())
    for column in ("estimate", "se", "ci_low", "ci_high"):
        if expected[column].notna().any():
            first.assert_equal(curve[column], expected[column])


def test_difference_of_counts_with_shared_clusters():
    expected = pd.read_csv(recurrent.HERE / "differences.csv")
    data = recurrent.read_data("counted")
    count = rv.MeanCumulativeCount().fit(
        data, id_col="person", start_col="start", stop_col="stop", event_col="event",
        terminal_col="terminal", cluster_col="family", weights_col="weight",
        group_col="is_started",
    )  # fmt: skip
    rows = count.contrast(expected["time"].tolist())
    first.assert_equal(rows["estimate"], expected["difference"])
    first.assert_equal(rows["se"], expected["se"])


@for_each("case", ["heart", "ovarian_strata", "lung_weights_strata", "random_strata", "random_all"])
def test_baseline_hazard(case):
    expected = read_golden("cox_baseline", case)
    model, _ = fit_cox(case)
    found = model.baseline_hazard()
    strata = first.COX_CASES[case][3].get("strata")
    if strata:
        assert found[strata].tolist() == expected["stratum"].tolist()
    assert found["time_days"].tolist() == expected["time"].tolist()
    first.assert_equal(found["cumulative_hazard"], expected["cumulative_hazard"])


@for_each("case", [case for case in first.COX_CASES if case != "bladder2_aliased"])
def test_concordance(case):
    model, _ = fit_cox(case)
    first.assert_equal([model.concordance_], read_golden("cox_concordance", case)["concordance"])


def test_survival_along_the_paths_of_three_people():
    model, data = fit_cox("heart")
    expected = read_golden("cox_paths")
    for person, theirs in expected.groupby("id"):
        path = data[data["id"] == person]
        found = model.predict_survival(path, theirs["time"].tolist(), id_col="id")
        first.assert_equal(found[person], theirs["survival"])
    late = model.predict_survival(data[data["id"] == 4], [5, 10_000], id_col="id")[4]
    assert late.notna().tolist() == [True, False]


def read_golden(table: str, case: str | None = None) -> pd.DataFrame:
    found = pd.read_csv(first.__file__.replace("test_golden.py", f"{table}.csv"))
    return found if case is None else found[found["case"] == case].reset_index(drop=True)
