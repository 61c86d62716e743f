"""Ours against R, number by number (see README.md in this folder)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.estimators.contrasts import compare_risks
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.curves import aalen_johansen, kaplan_meier
from revictimisation.estimators.design import build_design
from revictimisation.estimators.proportional_hazards import check_proportional_hazards
from tests.cases import for_each

HERE = Path(__file__).parent
COX = pd.read_csv(HERE / "cox.csv")
CURVES = pd.read_csv(HERE / "curves.csv")
ZPH = pd.read_csv(HERE / "cox_zph.csv")
FAMILY = {"cluster": "family", "weights": "weight"}
COLOURS = ["colour", "size"]
TREATED = ["treated"]

# case: data, covariates, columns of the episode, and the columns that fit_cox is given
COX_CASES = {
    "bladder2_andersen_gill": ("bladder2", ["rx", "number", "size"], [], {"cluster": "id"}),
    "bladder2_pwp": (
        "bladder2",
        ["rx", "number", "size"],
        [],
        {"cluster": "id", "strata": "enum"},
    ),
    "bladder2_aliased": ("bladder2", ["rx", "number", "twice", "size"], [], {"cluster": "id"}),
    "heart": ("heart", ["age", "year", "surgery"], ["transplant"], {"cluster": "id"}),
    "heart_transplant": ("heart", [], ["transplant"], {"cluster": "id"}),
    "ovarian_strata": ("ovarian", ["age", "ecog.ps"], [], {"strata": "rx"}),
    "lung_weights_strata": (
        "lung",
        ["age", "ph_ecog", "wt_loss"],
        [],
        {"weights": "weight", "strata": "sex", "cluster": "inst"},
    ),
    "random_plain": ("random", COLOURS, TREATED, {"cluster": "person"}),
    "random_weights": ("random", COLOURS, TREATED, {"cluster": "person", "weights": "weight"}),
    "random_strata": ("random", COLOURS, TREATED, {"cluster": "person", "strata": "site"}),
    "random_all": ("random", COLOURS, TREATED, {**FAMILY, "strata": "site"}),
}

# case: data, rows, estimator, days, cause (or event), and the columns that it is given
CURVE_CASES = {
    "mgus2_women": ("mgus2", "sex == 'F'", aalen_johansen, "time", "cause", {}),
    "mgus2_women_cuminc": ("mgus2", "sex == 'F'", aalen_johansen, "time", "cause", {}),
    "mgus2_women_km": ("mgus2", "sex == 'F'", kaplan_meier, "time", "is_pcm", {}),
    "mgus2_weights": ("mgus2", None, aalen_johansen, "time", "cause", {"weights": "weight"}),
    "mgus2_cluster": ("mgus2", None, aalen_johansen, "time", "cause", FAMILY),
    "mgus2_entry": ("mgus2", None, aalen_johansen, "time", "cause", {"start": "entry"}),
    "mgus2_entry_cluster": (
        "mgus2",
        None,
        aalen_johansen,
        "time",
        "cause",
        {**FAMILY, "start": "entry"},
    ),
    "mgus2_pieces": (
        "mgus2_pieces",
        None,
        aalen_johansen,
        "stop",
        "piece_cause",
        {"start": "begin", "weights": "piece_weight", "cluster": "id"},
    ),
    "mgus2_km_cluster": ("mgus2", None, kaplan_meier, "futime", "death", FAMILY),
    "lung_km": ("lung", None, kaplan_meier, "time", "event", {}),
}


def read_data(name: str) -> pd.DataFrame:
    data = pd.read_csv(HERE / "data" / f"{name}.csv")
    if name == "ovarian":
        data = data.assign(start=0).rename(columns={"futime": "stop", "fustat": "event"})
    if name == "lung":
        data = data.assign(start=0, stop=data["time"])
    if name == "mgus2":
        data = data.assign(is_pcm=data["cause"] == 1)
    return data


def fit_case(case: str) -> CoxFit:
    name, covariates, own, columns = COX_CASES[case]
    data = read_data(name)
    design = build_design(data, covariates, measures=data[own])
    given = {key: data[column] for key, column in columns.items()}
    return fit_cox(design, data["start"], data["stop"], data["event"], **given)


def assert_equal(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-11)


def test_every_number_of_r_is_compared():
    assert set(COX["case"]) == set(COX_CASES)
    assert set(CURVES["case"]) == set(CURVE_CASES)


@for_each("case", COX_CASES)
def test_cox_equals_r(case):
    expected = COX[COX["case"] == case]
    fit = fit_case(case)
    assert_equal(fit.coef, expected["coef"])
    assert_equal(fit.se_model, expected["se_model"])
    assert_equal([fit.loglik_null, fit.loglik], expected[["loglik_null", "loglik"]].iloc[0])
    if expected["se_robust"].notna().any():
        assert_equal(fit.se_robust, expected["se_robust"])
    else:
        assert fit.se_robust is None


@for_each("case", sorted(set(ZPH["case"])))
def test_proportional_hazards_are_tested_as_r_does(case):
    """R stops its own fit a little earlier: equal to 1e-7."""
    expected = ZPH[ZPH["case"] == case]
    name, covariates, own, columns = COX_CASES[case]
    data = read_data(name)
    design = build_design(data, covariates, measures=data[own])
    given = {key: data[column] for key, column in columns.items() if key == "strata"}
    days = (data["start"], data["stop"], data["event"])
    fit = fit_cox(design, *days, **given)
    found = check_proportional_hazards(fit, design, *days, **given)
    assert found["df"].tolist() == expected["df"].tolist()
    for column in ("chisq", "p"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-7)


def test_names_follow_r_in_order():
    fit = fit_case("random_plain")
    assert fit.names == ("colour=green", "colour=red", "colour=missing", "size", "treated")
    fit = fit_case("bladder2_aliased")
    assert fit.coef_status == ("ok", "ok", "aliased", "ok")
    assert fit.aliases == {"twice": ("number",)}


@for_each("case", CURVE_CASES)
def test_curve_equals_r(case):
    name, rows, estimator, stop, cause, columns = CURVE_CASES[case]
    expected = CURVES[CURVES["case"] == case].sort_values(["time", "cause"])
    data = read_data(name) if rows is None else read_data(name).query(rows)
    given = {key: data[column] for key, column in columns.items()}
    days = sorted(set(expected["time"]))
    curve = estimator(data[stop], data[cause], at_days=days, **given)
    assert_equal(curve["estimate"], expected["estimate"])
    for ours, theirs in (("se", "se"), ("ci_low", "ci_low"), ("ci_high", "ci_high")):
        if expected[theirs].notna().any():
            assert_equal(curve[ours], expected[theirs])


def test_difference_with_shared_clusters_equals_r():
    expected = pd.read_csv(HERE / "differences.csv")
    data = read_data("mgus2")
    rows = compare_risks(
        data["time"],
        data["cause"],
        data["sex"] == "F",
        at_days=expected["time"].tolist(),
        cluster=data["family"],
    )
    difference = rows[rows["estimand"] == "risk_difference"]
    ratio = rows[rows["estimand"] == "risk_ratio"]
    assert_equal(difference["estimate"], expected["difference"])
    assert_equal(difference["se"], expected["se"])
    assert_equal(np.log(ratio["estimate"]), expected["log_ratio"])
    assert_equal(ratio["se"], expected["se_log"])


def test_competing_events_do_not_count_as_censoring():
    """The published contrast: 1 - Kaplan-Meier 0.190, Aalen-Johansen 0.105."""
    women = read_data("mgus2").query("sex == 'F'")
    naive = kaplan_meier(women["time"], women["is_pcm"], at_days=[240])
    right = aalen_johansen(women["time"], women["cause"], at_days=[240])
    assert round(naive.loc[0, "estimate"], 3) == 0.190
    assert round(right.loc[0, "estimate"], 3) == 0.105
