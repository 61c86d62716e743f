"""The baseline risk as it is written down, and read for people elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from revictimisation.analyses.baseline_risk import estimate_baseline_risk
from revictimisation.cohort.people import keep_people
from revictimisation.cohort.study_data import StudyData
from revictimisation.comparison.cohorts import Cohort
from revictimisation.comparison.risk_fit import compare_risk_model, read_model
from revictimisation.comparison.rows import give_lights
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.rules import disclose_estimates
from revictimisation.estimators.risk_model import Column
from revictimisation.plan import read_plan

DAY = 365
STUDY = """
name: carried
measures: {}
horizon_days: 1000
report_at_days: [365, 2000]
adjust_for: [risk_level, sex, n_earlier_reports, index_year, police_district]
subgroups: [sex]
"""
NAMES = ("high", "low", "medium")


def draw(seed: int, n: int, *, shift: float = 0.0, slope: float = 1.0, is_censored: bool = True):
    """People whose log odds of a new report are shift + slope x those of the covariates."""
    rng = np.random.default_rng(seed)
    level = rng.choice(NAMES, n, p=[0.3, 0.4, 0.3])
    sex = rng.choice(["female", "male", "unknown"], n, p=[0.8, 0.195, 0.005])
    earlier = np.minimum(rng.poisson(1.0, n), 5)
    line = (
        -0.9 + np.where(level == "high", 1.2, np.where(level == "low", -0.6, 0.0)) + 0.2 * earlier
    )
    happens = rng.random(n) < 1 / (1 + np.exp(-(shift + slope * line)))
    leaves = ~happens & (rng.random(n) < 0.05)
    stop = np.where(happens | leaves, rng.integers(1, DAY + 1, n), 1000)
    end = rng.integers(200, 1001, n) if is_censored else np.full(n, 1000)
    cause = np.where(end < stop, 0, np.where(happens, 1, np.where(leaves, 2, 0)))
    entries = pd.DataFrame({
        "entry_id": range(n), "cluster_id": np.arange(n) * 5 // 6,
        "stop_day": np.minimum(end, stop), "cause": cause, "data_end_day": end,
    })  # fmt: skip
    covariates = pd.DataFrame({
        "risk_level": level, "sex": sex, "n_earlier_reports": earlier,
        "index_year": 2012, "police_district": "norrort", "municipality_code": "0180",
    })  # fmt: skip
    return StudyData(read_plan(STUDY), entries, covariates, *[pd.DataFrame()] * 7)


def to_cohort(data: StudyData, name: str, *, has_people: bool = True, is_released: bool = False):
    rows = estimate_baseline_risk(data)
    curves = pd.concat([_count(data, ""), *(_count(data, one) for one in ("risk_level", "sex"))])
    rows = pd.concat([rows, curves.reindex(columns=rows.columns).fillna({"reason": ""})])
    rows = rows.astype({"n_people": "Int64", "n_events": "Int64", "time_days": "Int64"})
    rows = rows.reset_index(drop=True)
    if is_released:
        rows = disclose_estimates(rows, data.plan.disclosure, {})
    people = keep_people(data) if has_people else None
    empty = pd.DataFrame(columns=["analysis", "measure", "check", "value", "status"])
    return Cohort(name, data.plan, rows, pd.DataFrame(), empty, not is_released, people=people)


def _count(data: StudyData, subgroup: str) -> pd.DataFrame:
    """Rows that tell how many people each level has."""
    levels = data.covariates[subgroup] if subgroup else pd.Series("", data.covariates.index)
    happened = data.entries["cause"].eq(1)
    return pd.DataFrame([
        {"question": "q2", "analysis": "profile", "measure": "", "subgroup": subgroup,
         "level": level, "outcome": "same_suspect", "estimator": "aalen_johansen",
         "estimand": "cumulative_incidence", "time_days": DAY, "n_people": int(mine.sum()),
         "n_events": int((mine & happened).sum()), "estimate": float((mine & happened).sum())
         / mine.sum(), "se": 0.01, "ci_low": 0.0, "ci_high": 1.0, "status": "ok"}
        for level in sorted(levels.unique())
        for mine in [levels.eq(level)]
    ])  # fmt: skip


def pick(rows: pd.DataFrame, check: str) -> pd.Series:
    return rows[rows["check"].eq(check)].iloc[0]


def test_where_all_are_followed_it_is_the_logistic_model_of_statsmodels():
    data = draw(1, 1500, is_censored=False)
    rows = estimate_baseline_risk(data)
    frame = data.covariates
    # the reference is the commonest level; who is `unknown`, of whom there are few, is no level
    columns = pd.DataFrame({
        "high": frame["risk_level"].eq("high"), "medium": frame["risk_level"].eq("medium"),
        "male": frame["sex"].eq("male"), "earlier": frame["n_earlier_reports"],
    }).astype(float)  # fmt: skip
    centred = sm.add_constant(columns - columns.mean())
    event = (data.entries["cause"].eq(1) & data.entries["stop_day"].le(DAY)).astype(float)
    fit = sm.GLM(event, centred, sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": data.entries["cluster_id"]}
    )
    told = rows[rows["estimand"].isin(["log_odds", "log_odds_ratio"]) & rows["status"].eq("ok")]
    named = told["subgroup"] + ":" + told["level"]
    assert named.tolist() == [
        ":", "risk_level:high", "risk_level:medium", "sex:male", "n_earlier_reports:",
    ]  # fmt: skip
    np.testing.assert_allclose(told["estimate"], fit.params, rtol=1e-6)
    # statsmodels counts columns in its correction of small samples as well
    np.testing.assert_allclose(told["se"], fit.bse, rtol=0.003)
    assert told["n_people"].tolist()[:3] == [1500, *(int(columns[n].sum()) for n in NAMES[::2])]
    mean = rows[rows["estimand"].eq("covariate_mean")].iloc[0]
    assert mean["estimate"] == pytest.approx(columns["earlier"].mean())
    beyond = rows[rows["time_days"].eq(2000)]
    assert beyond["reason"].tolist() == ["beyond_horizon"]


def test_few_events_are_withheld_and_none_is_not_estimable():
    data = draw(2, 60)
    rows = estimate_baseline_risk(data)
    few = rows[rows["estimand"].eq("log_odds") & rows["time_days"].eq(DAY)]
    assert few["status"].tolist() == ["ok"]
    data.entries.loc[data.entries["cause"].eq(1).cumsum() > 5, "cause"] = 2
    rows = estimate_baseline_risk(data)
    held = rows[rows["estimand"].eq("log_odds") & rows["time_days"].eq(DAY)]
    assert held["reason"].tolist() == ["few_events"]
    data.entries["cause"] = 2
    silent = estimate_baseline_risk(data)
    assert "no_events" in set(silent["reason"])


def test_a_released_model_predicts_as_the_exact_one():
    data = draw(3, 3000)
    exact = read_model(to_cohort(data, "A"), DAY)
    told = read_model(to_cohort(data, "A", is_released=True), DAY)
    assert told.model.columns == exact.model.columns
    apart = told.model.predict(data.covariates) - exact.model.predict(data.covariates)
    assert np.abs(apart).max() < 0.003
    assert Column("sex", "unknown") not in told.model.columns


def test_a_level_that_is_hidden_leaves_its_people_out():
    reference = to_cohort(draw(3, 3000), "A")
    gone = reference.estimates["level"].eq("high") & reference.estimates["estimand"].eq(
        "log_odds_ratio"
    )
    reference.estimates.loc[gone, ["status", "estimate", "se"]] = ["suppressed", np.nan, np.nan]
    new = to_cohort(draw(4, 1000), "B")
    rows = compare_risk_model(reference, new, new.plan.comparison)
    row = pick(rows, "not_told")
    assert row["value_new"] == pytest.approx((new.people["risk_level"] == "high").mean())
    assert pick(give_lights(rows, 0.02), "not_told")["light"] == "look"


def test_lights_of_cohorts_that_are_alike_and_that_are_not():
    reference = to_cohort(draw(5, 3000), "A")
    limits = reference.plan.comparison

    def judge(data: StudyData) -> pd.DataFrame:
        return give_lights(compare_risk_model(reference, to_cohort(data, "B"), limits), 0.02)

    alike = judge(draw(6, 3000))
    assert set(alike["light"]) <= {"fits", "cannot_tell", ""}
    higher = judge(draw(7, 3000, shift=0.6))
    for check in ("average_risk", "calibration_in_the_large"):
        assert pick(higher, check)["light"] == "recalibrate"
    assert pick(higher, "calibration_slope")["light"] in ("fits", "cannot_tell")
    assert pick(higher, "after_recalibration")["light"] in ("fits", "cannot_tell")
    shift = higher[higher["subject"].eq("shift_alone")].iloc[0]
    assert shift["ci_low"] < 0.6 < shift["ci_high"]
    flat = judge(draw(8, 3000, slope=0.3))
    assert pick(flat, "calibration_slope")["light"] == "recalibrate"
    assert pick(flat, "discrimination")["light"] == "look"
    groups = flat[flat["check"].eq("calibration_group")]
    assert groups["difference"].iloc[0] > 0 > groups["difference"].iloc[-1]


def test_released_tables_alone_tell_the_average_risk_and_that_more_cannot_be_told():
    reference = to_cohort(draw(5, 3000), "A", has_people=False, is_released=True)
    new = to_cohort(draw(7, 3000, shift=0.6), "B", has_people=False, is_released=True)
    rows = give_lights(compare_risk_model(reference, new, new.plan.comparison), 0.02)
    row = pick(rows, "average_risk")
    assert row["light"] == "recalibrate"
    odds = row["value_new"] / (1 - row["value_new"])
    told = np.log(odds / (row["value_reference"] / (1 - row["value_reference"])))
    assert told == pytest.approx(0.6, abs=0.2)
    assert pick(rows, "calibration_in_the_large")["reason"] == "people_not_there"


def test_what_it_tells_has_a_kind_that_is_protected():
    kinds = load_dictionary().codes("estimand").set_index("code")["kind"]
    told = set(estimate_baseline_risk(draw(1, 400))["estimand"])
    assert set(kinds[list(told)]) == {"ratio", "statistic"}
