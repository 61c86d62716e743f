"""Recurrent outcomes and competing hazards: ours against R (see README.md in this folder)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.estimators.contrasts import compare_counts
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.design import build_design
from revictimisation.estimators.fine_gray import fit_cause_specific, fit_fine_gray
from revictimisation.estimators.mean_count import mean_cumulative_count
from revictimisation.estimators.recurrent import make_pwp_gap_time, make_pwp_total_time
from tests.cases import for_each

HERE = Path(__file__).parent
HAZARDS = pd.read_csv(HERE / "hazards.csv")
COUNTS = pd.read_csv(HERE / "counts.csv")

BLADDER2 = ("bladder2", "id", ["rx", "size", "number"], [], {"cluster": "id"})
BLADDER1 = ("bladder1", "id", ["treatment", "size", "number"], [], {"cluster": "id"})
RANDOM = (
    "random",
    "person",
    ["colour", "size"],
    ["treated"],
    {"cluster": "family", "weights": "weight"},
)
# case: how episodes are made, what they are made of, and the rule for late strata
PWP_CASES = {
    "bladder2_total": (make_pwp_total_time, BLADDER2, {}),
    "bladder2_gap": (make_pwp_gap_time, BLADDER2, {}),
    "bladder1_total": (make_pwp_total_time, BLADDER1, {}),
    "bladder1_gap": (make_pwp_gap_time, BLADDER1, {}),
    # 62, 39, 28, 20, 16, 8 ... outcomes: the fourth is the last of at least 18
    "bladder1_total_four": (make_pwp_total_time, BLADDER1, {"min_events": 18}),
    "bladder1_gap_four": (make_pwp_gap_time, BLADDER1, {"last_stratum": 4}),
    "random_total": (make_pwp_total_time, RANDOM, {}),
    "random_gap": (make_pwp_gap_time, RANDOM, {}),
}
AGE_SEX = ("mgus2", ["age", "sex", "hgb"])
TIED = ("tied", ["x", "size"])
# case: fit, data and covariates, and the columns that it is given
COMPETING_CASES = {
    "mgus2_fine_gray": (fit_fine_gray, AGE_SEX, {}, 1),
    "mgus2_fine_gray_id": (fit_fine_gray, AGE_SEX, {"cluster": "id"}, 1),
    "mgus2_fine_gray_family": (fit_fine_gray, AGE_SEX, {"cluster": "family"}, 1),
    "mgus2_fine_gray_death": (fit_fine_gray, AGE_SEX, {"cluster": "id"}, 2),
    "mgus2_fine_gray_copies": (fit_fine_gray, AGE_SEX, {"cluster": "id", "weights": "copies"}, 1),
    "mgus2_cause_specific": (fit_cause_specific, AGE_SEX, {"cluster": "id"}, 1),
    "tied_fine_gray": (fit_fine_gray, TIED, {"cluster": "family"}, 1),
    "tied_cause_specific": (fit_cause_specific, TIED, {"cluster": "family"}, 1),
}
CLUSTERED = {"cluster": "family", "weights": "weight"}
COUNT_CASES = {
    "bladder1": ("bladder1", {"cluster": "id"}),
    "bladder1_family": ("bladder1", CLUSTERED),
    "bladder1_nelson_aalen": ("bladder1", {"cluster": "id"}),
    "counted": ("counted", {"cluster": "person"}),
    "counted_family": ("counted", CLUSTERED),
}
# other estimators of the same thing, not the same number
LOOSE_CASES = {"mgus2_crr", "bladder1_published"}


def read_data(name: str) -> pd.DataFrame:
    """R's data of this folder, or of the one above."""
    path = HERE / "data" / f"{name}.csv"
    return pd.read_csv(path if path.is_file() else HERE.parent / "data" / f"{name}.csv")


def fit_pwp(case: str) -> CoxFit:
    make, (name, person, covariates, own, columns), rule = PWP_CASES[case]
    data = read_data(name).sort_values([person, "start"], ignore_index=True)
    names = {person: "entry_id", "start": "start_day", "stop": "stop_day", "event": "is_event"}
    made = make(data.rename(columns=names), **rule)
    design = build_design(data, covariates, measures=data[own])
    given = {key: data[column] for key, column in columns.items()}
    days = (made["start_day"], made["stop_day"])
    return fit_cox(design, *days, made["is_event"], strata=made["stratum"], **given)


def fit_competing(case: str) -> CoxFit:
    fit, (name, covariates), columns, of_cause = COMPETING_CASES[case]
    data = read_data(name)
    design = build_design(data, covariates)
    given = {key: data[column] for key, column in columns.items()}
    return fit(design, data["time"], data["cause"], of_cause=of_cause, **given)


def assert_equal(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-11)


def test_every_number_of_r_is_compared():
    assert set(HAZARDS["case"]) | set(COUNTS["case"]) == (
        set(PWP_CASES) | set(COMPETING_CASES) | set(COUNT_CASES) | LOOSE_CASES
    )


@for_each("case", [*PWP_CASES, *COMPETING_CASES])
def test_hazards_equal_r(case):
    expected = HAZARDS[HAZARDS["case"] == case]
    fit = fit_pwp(case) if case in PWP_CASES else fit_competing(case)
    assert_equal(fit.coef, expected["coef"])
    assert_equal(fit.se_model, expected["se_model"])
    if expected["se_robust"].notna().any():
        assert_equal(fit.se_robust, expected["se_robust"])


@for_each("name", ["bladder1", "bladder2"])
def test_outcomes_are_numbered_as_in_the_published_data(name):
    data = read_data(name).rename(
        columns={"id": "entry_id", "start": "start_day", "stop": "stop_day", "event": "is_event"}
    )
    assert make_pwp_total_time(data)["event_number"].tolist() == data["enum"].tolist()


@for_each("case", COUNT_CASES)
def test_mean_counts_equal_r(case):
    expected = COUNTS[COUNTS["case"] == case]
    name, columns = COUNT_CASES[case]
    data = read_data(name)
    terminal = np.zeros(len(data)) if case.endswith("nelson_aalen") else data["terminal"]
    given = {key: data[column] for key, column in columns.items()}
    days = expected["time"].tolist()
    curve = mean_cumulative_count(
        data["start"], data["stop"], data["event"], terminal, at_days=days, **given
    )
    for column in ("estimate", "se", "ci_low", "ci_high"):
        if expected[column].notna().any():
            assert_equal(curve[column], expected[column])


def test_difference_of_counts_with_shared_clusters_equals_r():
    expected = pd.read_csv(HERE / "differences.csv")
    data = read_data("counted")
    rows = compare_counts(
        data["start"],
        data["stop"],
        data["event"],
        data["terminal"],
        data["is_started"],
        at_days=expected["time"].tolist(),
        weights=data["weight"],
        cluster=data["family"],
        entry_id=data["person"],
    )
    of = dict(list(rows.groupby("estimand")))
    assert_equal(of["mean_count_start"]["estimate"], expected["start"])
    assert_equal(of["mean_count_no_start"]["estimate"], expected["no_start"])
    assert_equal(of["mean_count_difference"]["estimate"], expected["difference"])
    assert_equal(of["mean_count_difference"]["se"], expected["se"])
    assert (of["mean_count_difference"]["n_people"] == data["person"].nunique()).all()


def test_published_variance_is_near():
    """Ghosh and Lin's own formula, without what ties and the last 1/n change."""
    published = COUNTS[COUNTS["case"] == "bladder1_published"]
    exact = COUNTS[COUNTS["case"] == "bladder1"]
    assert_equal(published["estimate"], exact["estimate"])
    np.testing.assert_allclose(published["se"], exact["se"], rtol=0.02)


def test_fine_and_grays_own_variance_is_near():
    """cmprsk::crr has other ties and allows for the censoring being estimated."""
    theirs = HAZARDS[HAZARDS["case"] == "mgus2_crr"]
    fit = fit_competing("mgus2_fine_gray")
    np.testing.assert_allclose(fit.coef, theirs["coef"], rtol=0.01)
    np.testing.assert_allclose(fit.se_robust, theirs["se_robust"], rtol=0.01)
