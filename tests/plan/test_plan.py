"""The study file: defaults, and every fault told at once with what to do."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from pydantic import ValidationError

from revictimisation.errors import StudyError
from revictimisation.plan import read_plan
from tests.cases import for_each


def test_every_key_but_name_has_the_default_of_the_contract():
    plan = read_plan("name: mini")
    assert (plan.accrual.from_on, plan.accrual.to_on) == (
        dt.date(2011, 1, 1),
        dt.date(2014, 12, 31),
    )
    assert plan.data_end_on == dt.date(2018, 12, 31)
    assert plan.eligibility.washout_days == 365
    assert plan.outcome.lag_days == 1
    assert plan.report_at_days == (182, 365, 730, 1461)
    assert plan.measures["joint"].joint_within_days == 30
    assert plan.disclosure.threshold == 5
    assert plan.languages == ("sv", "en")


def test_the_plan_is_frozen():
    plan = read_plan("name: mini")
    with pytest.raises(ValidationError):
        plan.horizon_days = 3


@for_each(
    ("text", "said"),
    [
        ("", "`name` is required"),
        ("accrual: {}", "name: krävs / required"),
        (
            "name: a\nhorizon_day: 3",
            "horizon_day: okänd nyckel / unknown key; menade du / did you mean horizon_days?",
        ),
        (
            "name: a\noutcome: {whoo: any_suspect}",
            "outcome.whoo: okänd nyckel / unknown key; menade du / did you mean who?",
        ),
        (
            "name: a\nmeasures: {m: {code: [x]}}",
            "measures.m.code: okänd nyckel / unknown key; menade du / did you mean codes",
        ),
        ("name: a\nmeasures: {M x: {}}", "lower-case"),
        ("name: a\naccrual: {from_on: 2013-04-31}", "accrual.from_on: must be a date"),
        ("name: a\naccrual: {from_on: 2014-01-01, to_on: 2013-01-01}", "to_on is before from_on"),
        ("name: a\nadjust_for: [sexx]", "unknown covariate 'sexx'; menade du / did you mean sex?"),
        ("name: a\nsubgroups: [index_year]", "is a number, not a group"),
        ("name: a\nmeasures: {m: {codes: [a], joint_within_days: 3}}", "choose one"),
        ("name: a\nname: b", "key given twice"),
        ("name: [", "not readable as YAML"),
        ("name: a\n? [x]\n: 3", "not readable as YAML"),
        ("name: a\nhorizon_days: '30'", "horizon_days"),
        ("name: a\nlanguages: [de]", "languages"),
        ("name: a\nreport_at_days: []", "report_at_days"),
        ("name: a\nvariants: {since_start_days: [90, 30]}", "since_start_days: days must ascend"),
        ("name: a\nadjust_for: [sex]\nsplines: {age: 4}", "splines: 'age' is not among adjust_for"),
        ("name: a\nsplines: {sex: 4}", "splines: 'sex' is text, not a number"),
        ("name: a\nsplines: {index_year: 8}", "splines.index_year"),
        ("name: a\nsplines: {index_year: 2}", "splines.index_year"),
        ("name: a\nvariants: {after_end_days: []}", "variants.after_end_days"),
        ("name: a\nvariants: {lasted_days: [0, 9]}", "variants.lasted_days"),
        ("name: a\nvariants: {dose_per_days: 0}", "variants.dose_per_days"),
    ],
)
def test_a_fault_is_told_in_words(text, said):
    with pytest.raises(StudyError) as fault:
        read_plan(text)
    assert said in str(fault.value)
    assert fault.value.exit_code == 4


def test_all_faults_are_told_at_once():
    with pytest.raises(StudyError) as fault:
        read_plan("name: a\nhorizon_day: 3\noutcome: {whoo: 1}\ndata_end_on: never")
    for said in ("horizon_day:", "outcome.whoo:", "data_end_on:"):
        assert said in str(fault.value)


def test_dates_may_be_quoted_or_not():
    assert read_plan("name: a\ndata_end_on: '2017-01-02'") == read_plan(
        "name: a\ndata_end_on: 2017-01-02"
    )


def test_a_measure_without_codes_is_the_code_of_its_name():
    assert read_plan("name: a\nmeasures: {safety_talk: {}}").measures["safety_talk"].codes == (
        "safety_talk",
    )


def test_no_measures_and_no_covariates_is_legal():
    plan = read_plan("name: a\nmeasures: {}\nadjust_for: []\nsubgroups: []")
    assert plan.measure_names == ()


def test_curve_days_hold_the_days_reported_and_the_horizon():
    plan = read_plan("name: a\nhorizon_days: 400\nreport_at_days: [17, 365, 800]")
    assert {0, 17, 365, 400} <= set(plan.curve_days)
    assert max(plan.curve_days) == 400


@for_each("name", ["county", "sodertorn", "norrort"])
def test_the_study_files_of_the_project_are_read(repo_root: Path, name):
    text = (repo_root / "pipelines" / "studies" / f"{name}.yaml").read_text(encoding="utf-8")
    plan = read_plan(text)
    assert plan.name == name
    assert plan.title.sv and plan.title.en
