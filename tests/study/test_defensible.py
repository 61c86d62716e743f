"""Small studies in which a number was `ok` that nobody could defend, with the right value.

`faults/NAME`: an extract and its study file, each of a kind. What is right of each comes from
elsewhere: q4a from R 4.2.2, `glm(convicted ~ this_measure + factor(index_year covariates) ...)`
standardised over the cases that are compared (-0.0424); the others follow from how they were made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.commands.estimate import estimate_study
from revictimisation.dictionary import load_dictionary

FAULTS = Path(__file__).parent / "faults"
HAZARDS = ("log_hazard_ratio", "hazard_ratio")


def estimate(folder: Path, out: Path) -> pd.DataFrame:
    estimate_study(folder / "study.yaml", folder / "extract", out, "test", jobs=1)
    return pd.read_parquet(out / "restricted" / "estimates.parquet")


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Callable[[str], pd.DataFrame]:
    found: dict[str, pd.DataFrame] = {}

    def make(name: str) -> pd.DataFrame:
        if name not in found:
            found[name] = estimate(FAULTS / name, tmp_path_factory.mktemp(name) / "out")
        return found[name]

    return make


def pick(rows: pd.DataFrame, **keys: object) -> pd.Series:
    """The one row with these keys; analysis main and the whole population if not named."""
    keys = {"analysis": "main", "subgroup": "", **keys}
    chosen = np.logical_and.reduce([rows[name].eq(value) for name, value in keys.items()])
    (found,) = rows[chosen].to_dict("records")
    return found


def told(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["status"].eq("ok")]


@pytest.mark.parametrize("name", ["c2", "c20", "c29", "c4", "c6", "q4a", "s2"])
def test_what_is_told_has_an_error_and_limits_around_it(study, name):
    rows = told(study(name))
    codes = load_dictionary().codes("estimand")
    with_error = codes.loc[codes["has_error"].eq("true"), "code"]
    rows = rows[rows["estimand"].isin(with_error)]
    assert (rows["se"] > 1e-10).all()
    # a number needed to treat may have an interval through infinity, with no order
    codes = load_dictionary().codes("estimand")
    with_error = codes.loc[codes["has_error"].eq("true"), "code"]
    rows = rows[rows["estimand"].ne("number_needed_to_treat")]
    assert (rows["ci_low"] <= rows["estimate"] + 1e-12).all()
    assert (rows["ci_high"] >= rows["estimate"] - 1e-12).all()
    assert (rows["ci_high"] > rows["ci_low"]).all()
    shares = rows[rows["estimand"].str.startswith("risk_") & rows["estimand"].ne("risk_ratio")]
    assert shares["estimate"].abs().le(1).all()


def test_a_fit_is_not_cut_short_by_where_a_covariate_lies(study):
    row = pick(study("q4a"), question="q4", estimand="risk_difference", time_days=730,
               estimator="standardised_logistic")  # fmt: skip
    assert row["status"] == "ok" and row["estimate"] == pytest.approx(-0.0424, abs=5e-5)


def test_nothing_is_told_past_the_last_day_that_somebody_is_followed(study):
    rows = study("c4")
    late = rows[rows["time_days"].ge(701) & rows["question"].isin(["q2", "q3"])]
    assert len(late) > 100 and not late["status"].eq("ok").any()
    cohort = late[late["estimator"].isin(["aalen_johansen", "kaplan_meier", "crude"])]
    assert cohort["reason"].eq("beyond_follow_up").all()
    assert told(rows)["time_days"].max() <= 700


def test_few_victims_and_few_events_give_no_hazard(study):
    for name in ("c2", "c20"):
        rows = study(name)
        hazards = rows[rows["estimand"].isin(HAZARDS)]
        assert len(hazards) and not hazards["status"].eq("ok").any(), name
    # where the fit gave a number it stands in the secure room, with the gate that holds it back
    held = pick(study("c20"), estimator="cox_time_varying", estimand="hazard_ratio", question="q2")
    assert (held["status"], held["reason"]) == ("withheld", "few_exposed_victims")
    assert held["estimate"] == pytest.approx(1.74, abs=0.01)


def test_measures_that_start_the_same_day_are_told_apart(study):
    keys = {"question": "q2", "estimand": "risk_difference", "outcome": "same_suspect"}
    for estimator in ("clone_censor_weight", "g_formula", "doubly_robust"):
        placebo, helps = (
            pick(study("c29"), measure=name, estimator=estimator, **keys) for name in "ab"
        )
        assert placebo["status"] == helps["status"] == "ok"
        assert placebo["ci_low"] < 0 < placebo["ci_high"] and abs(placebo["estimate"]) < 0.05
        assert helps["ci_high"] < -0.1
    # the landmark's models hold the other measure as well
    for estimator in ("cause_specific_hazard", "fine_gray"):
        row = pick(study("c29"), measure="a", estimator=estimator, estimand="log_hazard_ratio",
                   outcome="same_suspect")  # fmt: skip
        assert row["ci_low"] < 0 < row["ci_high"]


def test_nobody_and_everybody_have_exact_limits_alike(study):
    rows = study("c6")
    keys = {"question": "q2", "measure": "m", "outcome": "same_suspect", "time_days": 400}
    for estimator in ("crude", "clone_censor_weight"):
        mine = {**keys, "estimator": estimator}
        for arm in ("risk_start", "risk_no_start"):
            risk = pick(rows, estimand=arm, **mine)
            limits = risk["estimate"], risk["ci_low"], risk["ci_high"]
            assert limits == pytest.approx((1, 0.025 ** (1 / 120), 1))
        ratio, gap = (pick(rows, estimand=f"risk_{what}", **mine) for what in
                      ("ratio", "difference"))  # fmt: skip
        assert ratio["ci_low"] == pytest.approx(0.025 ** (1 / 120))
        assert ratio["ci_high"] == pytest.approx(0.025 ** (-1 / 120))
        width = 1 - 0.025 ** (1 / 120)
        assert (gap["ci_low"], gap["ci_high"]) == pytest.approx((-width, width))
    needed = pick(rows, estimator="clone_censor_weight", estimand="number_needed_to_treat", **keys)
    assert (needed["status"], needed["reason"]) == ("not_estimable", "no_difference")


def test_units_of_a_covariate_change_nothing(study, tmp_path):
    """The same extract, the covariate in units a million times smaller and from another zero."""
    folder = tmp_path / "moved"
    (folder / "extract").mkdir(parents=True)
    (folder / "study.yaml").write_bytes((FAULTS / "s2" / "study.yaml").read_bytes())
    for path in (FAULTS / "s2" / "extract").iterdir():
        table = pd.read_parquet(path)
        if path.stem == "persons":
            number = pd.to_numeric(table["x_a"])
            table["x_a"] = (number * 2**20 + 1000).map(repr).where(number.notna(), "")
        table.to_parquet(folder / "extract" / path.name)
    moved, kept = estimate(folder, tmp_path / "out"), study("s2")
    assert pick(kept, estimator="clone_censor_weight", estimand="risk_difference", time_days=365,
                outcome="same_suspect", question="q2")["status"] == "ok"  # fmt: skip
    # what the baseline model says of a covariate is told by its unit
    moved, kept = (
        rows[~rows["estimand"].isin(["covariate_mean", "log_odds_ratio"])] for rows in (moved, kept)
    )
    numbers = ["estimate", "ci_low", "ci_high", "se"]
    pd.testing.assert_frame_equal(
        moved.drop(columns=numbers), kept.drop(columns=numbers), check_dtype=False
    )
    np.testing.assert_allclose(
        moved[numbers].astype(float), kept[numbers].astype(float), rtol=1e-5, atol=1e-6
    )
