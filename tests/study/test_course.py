"""Does repeat victimisation fall: by hand, against statsmodels, and where the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from revictimisation.analyses.course import choose_everybody, estimate_change, estimate_course
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.errors import StudyError
from revictimisation.plan import read_plan

SHORT = "follow_up_too_short"
LOW = "gates: {exposed_victims: 2, events_per_arm: 1}\n"
STUDY = (
    "name: mini\nmeasures: {}\nsubgroups: []\nreport_at_days: [365]\n"
    "accrual: {from_on: 2011-01-01, to_on: 2014-12-31}\n"
)


def make_data(entries: pd.DataFrame, study: str, covariates: pd.DataFrame | None = None):
    """Study data of entries with cluster_id, index_on, stop_day, cause."""
    plan = read_plan(STUDY + study)
    index_on = pd.to_datetime(entries["index_on"])
    end = (pd.Timestamp(plan.data_end_on) - index_on).dt.days.fillna(2000).astype("int64")
    told = entries.assign(
        entry_id=range(len(entries)), index_on=index_on, data_end_day=end,
        end_day=entries["stop_day"],
    )  # fmt: skip
    years = pd.DataFrame({"index_year": index_on.dt.year})
    mix = years if covariates is None else covariates.assign(**years)
    return StudyData(plan, told, mix, *[pd.DataFrame()] * 7)


def estimate(*args) -> pd.DataFrame:
    return estimate_course(make_data(*args)).estimates


def choose(rows: pd.DataFrame, **keys) -> pd.DataFrame:
    for name, value in keys.items():
        rows = rows[rows[name].eq(value)]
    return rows


def one(rows: pd.DataFrame, **keys) -> pd.Series:
    (row,) = (row for _, row in choose(rows, **keys).iterrows())
    return row


def draw(seed: int, n: int, risk, mix=lambda year, u: u < 0.4, per_victim: float = 0.8):
    """Entries from 2011 to 2014; `risk` of a new report within a year by whether risk is high."""
    random = np.random.default_rng(seed)
    day = random.integers(0, 4 * 365, n)
    year = day / 365
    is_high = mix(year, random.random(n))
    again = random.random(n) < risk(is_high, year)
    dies = ~again & (random.random(n) < 0.02)
    stop = np.where(again | dies, random.integers(2, 365, n), 1461)
    entries = pd.DataFrame({
        "cluster_id": np.sort(random.integers(0, max(int(n * per_victim), 1), n)),
        "index_on": pd.Timestamp("2011-01-01") + pd.to_timedelta(day, "D"),
        "stop_day": stop, "cause": np.select([again, dies], [1, 2]),
    })  # fmt: skip
    sex = random.choice(["female", "male"], n, p=[0.8, 0.2])
    level = np.where(is_high, "high", "low")
    number = random.integers(0, 6, n)
    return entries, pd.DataFrame({"risk_level": level, "sex": sex, "n_earlier_reports": number})


BARE = "adjust_for: [index_year]\ncourse: {groups: []}\n"
ADJUSTED = "adjust_for: [risk_level, sex, n_earlier_reports, index_year]\ncourse: {groups: []}\n"


# victims of one quarter: day and cause of the end of follow-up (1 new report, 2 death)
ENDS = [(100, 1), (182, 1), (183, 1), (50, 2), (60, 3), *[(1461, 0)] * 5]


def test_the_share_as_it_is_by_hand():
    """By day 182 two of ten, by a year three; death and emigration take nobody out of the ten."""
    frame = pd.DataFrame(ENDS, columns=["stop_day", "cause"])
    second = frame.assign(index_on="2013-05-01", cluster_id=range(10))
    third = frame.assign(index_on="2013-07-01", cluster_id=range(10, 20)).drop(index=[0])
    rows = estimate(pd.concat([second, third], ignore_index=True), LOW + BARE)
    crude = choose(rows, analysis="unadjusted", estimator="aalen_johansen", estimand="share")
    got = crude[crude["status"].eq("ok")].set_index(["level", "time_days"])
    told = got[["estimate", "n_people", "n_events"]].T.to_dict("list")
    assert told == {
        ("2013-Q2", 182): [pytest.approx(0.2), 10, 2],
        ("2013-Q2", 365): [pytest.approx(0.3), 10, 3],
        ("2013-Q3", 182): [pytest.approx(1 / 9), 9, 1],
        ("2013-Q3", 365): [pytest.approx(2 / 9), 9, 2],
        ("2013", 182): [pytest.approx(3 / 19), 19, 3],
        ("2013", 365): [pytest.approx(5 / 19), 19, 5],
    }
    assert set(rows["question"]) == {"course"}
    # a binomial's error, as nobody is censored; a quarter without people is no share of 0
    assert got.loc[("2013-Q2", 365), "se"] == pytest.approx(np.sqrt(0.3 * 0.7 / 10), rel=0.06)
    assert set(choose(crude, level="2013-Q1")["reason"]) == {"few_people"}


def fit_by_statsmodels(entries, covariates, period, day, numbers=()):
    """Standardised shares of periods and their errors from statsmodels' Logit (0.14 and later).

    sm.Logit(outcome, [1, period terms, covariates]).fit(); errors: influence of each person by
    score and Hessian of the fit, divided by 1 less the hat value, and of the mean; by victim.
    """
    outcome = ((entries["cause"] == 1) & (entries["stop_day"] <= day)).to_numpy(float)
    mix = pd.get_dummies(covariates[["risk_level", "sex"]], drop_first=True, dtype=float)
    x = np.column_stack([np.ones(len(mix)), mix, covariates["n_earlier_reports"]])
    told = np.unique(period)
    terms = np.column_stack([period == one for one in told[1:]]).astype(float)
    full = np.column_stack([x, terms])
    fit = sm.Logit(outcome, full).fit(disp=0, method="newton", tol=1e-12)
    bread = np.linalg.inv(-fit.model.hessian(fit.params))
    chance = fit.predict()
    hat = chance * (1 - chance) * np.einsum("ij,jk,ik->i", full, bread, full)
    score = full * ((outcome - chance) / (1 - hat))[:, None]
    found = []
    for one in told:
        as_one = np.column_stack([x, np.tile((told[1:] == one).astype(float), (len(x), 1))])
        p = fit.predict(as_one)
        slope = (as_one * (p * (1 - p))[:, None]).mean(axis=0)
        moved = score @ bread @ slope + (p - p.mean()) / len(p)
        by_victim = np.bincount(entries["cluster_id"], moved)
        n = entries["cluster_id"].nunique()
        found.append((p.mean(), np.sqrt((by_victim**2).sum() * n / (n - 1))))
    return found


@pytest.mark.parametrize("name", ["index_year", "index_quarter"])
def test_the_standardised_share_is_that_of_statsmodels(name):
    entries, covariates = draw(1, 1600, lambda high, year: np.where(high, 0.45, 0.2) - 0.02 * year)
    rows = estimate(entries, ADJUSTED, covariates)
    mine = choose(rows, analysis="main", estimand="share", subgroup=name, time_days=365)
    assert set(mine["estimator"]) == {"standardised_logistic"}
    period = entries["index_on"].dt.to_period(name[6].upper()).astype(str).to_numpy()
    theirs = fit_by_statsmodels(entries, covariates, period, 365)
    assert mine["level"].tolist() == [one.replace("Q", "-Q") for one in np.unique(period)]
    np.testing.assert_allclose(mine[["estimate", "se"]].to_numpy(float), theirs, rtol=1e-5)
    # intervals on the scale of log odds
    odds = mine["estimate"] / (1 - mine["estimate"])
    reach = 1.959964 * mine["se"] / (mine["estimate"] * (1 - mine["estimate"]))
    low = odds * np.exp(-reach)
    np.testing.assert_allclose(mine["ci_low"], low / (1 + low), rtol=1e-5)


def test_the_change_is_the_slope_of_statsmodels():
    """OLS of the outcome on the middle of its quarter; errors by victim, cov_type="cluster"."""
    entries, covariates = draw(2, 2500, lambda high, year: 0.3 - 0.04 * year)
    rows = estimate(entries, ADJUSTED, covariates)
    mine = one(rows, analysis="unadjusted", estimand="yearly_change", time_days=365)
    when = entries["index_on"].dt.year + (entries["index_on"].dt.quarter - 0.5) / 4
    outcome = entries["cause"].eq(1).astype(float)
    theirs = sm.OLS(outcome, sm.add_constant(when)).fit(
        cov_type="cluster", cov_kwds={"groups": entries["cluster_id"]}
    )
    assert mine["estimate"] == pytest.approx(theirs.params.iloc[1], rel=1e-9)
    assert mine["se"] == pytest.approx(theirs.bse.iloc[1], rel=0.02)
    p = one(rows, analysis="unadjusted", estimand="p_value", time_days=365)["estimate"]
    assert p == pytest.approx(theirs.pvalues.iloc[1], abs=1e-4)
    assert (mine["ci_low"], mine["ci_high"]) == pytest.approx(theirs.conf_int().iloc[1], rel=0.05)
    # covariates that have nothing to do with time change little; the truth is -0.04
    main = one(rows, analysis="main", estimand="yearly_change", time_days=365)
    assert main["estimate"] == pytest.approx(mine["estimate"], abs=0.003)
    assert main["ci_low"] < -0.04 < main["ci_high"]


def test_a_changed_case_mix_moves_the_share_and_not_the_standardised_one():
    """Ever more are at high risk; at each level of risk the same share reports again."""
    entries, covariates = draw(
        3, 8000, lambda high, year: np.where(high, 0.5, 0.15), lambda year, u: u < 0.2 + 0.15 * year
    )
    rows = choose(estimate(entries, ADJUSTED, covariates), time_days=365)
    crude, main = (
        one(rows, analysis=name, estimand="yearly_change") for name in ("unadjusted", "main")
    )
    assert crude["ci_low"] > 0.03
    assert main["ci_low"] < 0 < main["ci_high"]
    assert one(rows, analysis="main", estimand="p_value")["estimate"] > 0.05
    shares = choose(rows, analysis="main", subgroup="index_year", estimand="share")
    share_high = covariates["risk_level"].eq("high").mean()
    truth = 0.5 * share_high + 0.15 * (1 - share_high)
    assert (np.abs(shares["estimate"] - truth) < 3.5 * shares["se"]).all()
    own = choose(rows, analysis="unadjusted", subgroup="index_year", estimand="share")
    assert own["estimate"].iloc[-1] - own["estimate"].iloc[0] > 0.1


def test_where_nothing_changes_one_test_in_twenty_says_that_it_does():
    study = "adjust_for: [risk_level, sex, index_year]\n"
    p = {"unadjusted": [], "main": []}
    for seed in range(150):
        entries, covariates = draw(100 + seed, 400, lambda high, year: np.where(high, 0.45, 0.2))
        everybody = choose_everybody(make_data(entries, study, covariates))
        rows = choose(estimate_change(everybody, 365, {})[0], estimand="p_value")
        for name, told in p.items():
            told.append(one(rows, analysis=name)["estimate"])
    for told in p.values():
        assert np.mean(np.array(told) < 0.05) < 0.095  # 0.05, plus 2.5 errors of 150
        assert 0.4 < np.mean(told) < 0.6


def test_too_short_a_follow_up_is_no_fall():
    """The extract ends in October 2014: what has not been seen by all of a period is not told."""
    entries, covariates = draw(4, 2000, lambda high, year: np.full(len(year), 0.3))
    end = pd.Timestamp("2014-10-10")
    entries = entries[entries["index_on"] < end].reset_index(drop=True)
    left = (end - entries["index_on"]).dt.days
    is_cut = entries["stop_day"] > left
    entries = entries.assign(
        stop_day=np.minimum(entries["stop_day"], left),
        cause=np.where(is_cut, 0, entries["cause"]),
    )
    study = ADJUSTED + f"data_end_on: {end:%Y-%m-%d}\n"
    rows = estimate(entries, study, covariates.iloc[: len(entries)])
    told = {
        day: choose(rows, subgroup="index_quarter", time_days=day, analysis="main")
        for day in (182, 365)
    }
    short = {day: frame.loc[frame["reason"].eq(SHORT), "level"].tolist()
             for day, frame in told.items()}  # fmt: skip
    assert short[182] == ["2014-Q2", "2014-Q3", "2014-Q4"]
    assert short[365] == ["2013-Q4", "2014-Q1", *short[182]]
    assert choose(rows, reason=SHORT)["estimate"].isna().all()
    assert set(choose(rows, level="2014", time_days=182)["reason"]) == {SHORT}
    for analysis in ("unadjusted", "main"):
        change = one(rows, analysis=analysis, estimand="yearly_change", time_days=365)
        assert change["ci_low"] < 0 < change["ci_high"]
        followed = entries["index_on"] < "2013-10-01"
        assert change["n_people"] == followed.sum()


def test_groups_are_told_by_year_and_have_a_test_each():
    entries, covariates = draw(5, 3000, lambda high, year: np.full(len(year), 0.3))
    honour = np.where(np.arange(len(entries)) % 3 == 0, "true", "false")
    rows = estimate(
        entries, ADJUSTED.replace("groups: []", "groups: [is_honour, risk_level]"),
        covariates.assign(is_honour=honour),
    )  # fmt: skip
    mine = choose(rows, subgroup="is_honour:index_year", analysis="unadjusted", time_days=365)
    years = range(2011, 2015)
    assert mine["level"].tolist() == [f"{a}:{year}" for a in ("false", "true") for year in years]
    assert mine["n_people"].sum() == len(entries)
    tests = choose(rows, subgroup="is_honour", estimand="p_value", analysis="main", time_days=365)
    assert tests["level"].tolist() == ["false", "true"]
    assert tests["status"].eq("ok").all()


def test_few_outcomes_take_a_penalty_and_are_not_shown_as_if_sure():
    entries, covariates = draw(6, 240, lambda high, year: np.full(len(year), 0.15))
    rows = choose(estimate(entries, ADJUSTED, covariates), estimand="share", subgroup="index_year")
    main = choose(rows, analysis="main")
    assert set(main["estimator"]) == {"firth_logistic"}
    held = main["n_events"].lt(10)
    assert held.any()
    assert main.loc[held, "reason"].eq("few_events").all()
    assert main.loc[held, "status"].eq("withheld").all()


@pytest.mark.parametrize("n", [1, 3, 20])
def test_a_tiny_study_says_why_it_says_nothing(n):
    entries, covariates = draw(7, n, lambda high, year: np.full(len(year), 0.3))
    rows = estimate(entries, ADJUSTED, covariates)
    assert rows["estimate"].isna().eq(rows["status"].eq("not_estimable")).all()
    quarters = choose(rows, subgroup="index_quarter")
    assert len(quarters) == 4 * 4 * 2 * 2
    assert set(quarters["reason"]) == {"few_people"}
    assert quarters["n_people"].isna().all()  # none and few look alike


def test_nobody_and_no_outcome():
    entries, covariates = draw(8, 400, lambda high, year: np.zeros(len(year)))
    rows = estimate(entries, ADJUSTED, covariates)
    crude = choose(rows, analysis="unadjusted", subgroup="index_year", estimand="share")
    assert crude["estimate"].eq(0).all()
    assert crude["ci_high"].gt(0).all()
    main = choose(rows, analysis="main", subgroup="index_year")
    assert set(main["reason"]) == {"no_events"}
    assert set(choose(rows, estimand="yearly_change")["status"]) <= {"withheld", "not_estimable"}
    nobody = estimate(entries.iloc[:0], ADJUSTED, covariates.iloc[:0])
    assert nobody["reason"].tolist() == ["empty_cohort"]


def test_what_lies_beyond_the_horizon_or_has_no_date():
    entries, covariates = draw(9, 600, lambda high, year: np.full(len(year), 0.3))
    entries.loc[:49, "index_on"] = pd.NaT
    study = ADJUSTED.replace("groups: []", "groups: [], at_days: [182, 730]")
    rows = estimate(entries, study + "horizon_days: 365\n", covariates)
    assert choose(rows, time_days=730)["reason"].tolist() == ["beyond_horizon"]
    years = choose(rows, subgroup="index_year", time_days=182, analysis="unadjusted")
    assert years["n_people"].sum() == 550
    assert one(rows, estimand="yearly_change", time_days=182, analysis="main")["n_people"] == 550


def test_a_study_names_known_groups_that_may_be_shown():
    for named in ("index_year", "honour", "municipality_code", "protected_identity", "x_area"):
        with pytest.raises(StudyError, match=r"course\.groups"):
            read_plan(f"{STUDY}course: {{groups: [{named}]}}")
