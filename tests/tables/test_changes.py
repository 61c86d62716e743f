"""What changes within the grace time: assessments renewed, reports against others, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.analyses.trial_inputs import list_changes
from revictimisation.cohort import build_cohort
from revictimisation.cohort.covariates import find_renewals
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.estimators.flexibility import USUAL
from revictimisation.plan import StudyPlan, read_plan
from tests.cases import for_each

from .cases import make_tables
from .test_controls import ASSAULT, count_date

STUDY = """
name: changes
accrual: {from_on: 2013-01-01, to_on: 2013-01-31}
data_end_on: 2013-04-01
eligibility: {relations: [parent], washout_days: 0}
horizon_days: 60
report_at_days: [60]
measures: {help: {codes: [alarm_package], grace_days: 30}}
adjust_for: [risk_level]
subgroups: []
"""
# victim: day and level of each assessment; the one that counts at baseline is made by day 7
ASSESSED = {
    "baseline": [(-3, "low"), (0, "moderate"), (7, "high")],
    "renewed": [(7, "high"), (8, "low"), (20, "moderate")],
    "same_day": [(9, "high"), (9, "low"), (9, "moderate")],
    "last_day": [(60, "high"), (61, "low")],
}


def test_renewals_are_what_was_assessed_after_day_7_to_the_end_of_follow_up():
    persons = [{"person_id": name, "birth_year": 1980, "sex": "female"} for name in ASSESSED]
    reports = [
        {"report_id": name, "victim_id": name, "reported_on": count_date(10), "relation": "parent",
         "suspect_id": f"{name}s", "offence_code": ASSAULT, "police_district": "city"}
        for name in ASSESSED
    ]  # fmt: skip
    assessments = [
        {"assessment_id": f"{name}{at}", "victim_id": name, "agency": "police",
         "instrument": "sara_sv", "assessed_on": count_date(10 + day), "risk_level": level}
        for name, rows in ASSESSED.items()
        for at, (day, level) in enumerate(rows)
    ]  # fmt: skip
    tables = make_tables(
        connect(threads=1),
        {"persons": persons, "reports": reports, "risk_assessments": assessments},
    )
    dictionary, plan = load_dictionary(), read_plan(STUDY)
    cohort = build_cohort(tables["reports"], tables["persons"], dictionary, plan)
    found = find_renewals(cohort.index_reports, tables["risk_assessments"], dictionary, plan)
    entries = cohort.index_reports.select("entry_id", "victim_id").to_pandas()
    named = found.merge(entries, on="entry_id")
    rows = {
        name: list(zip(mine["day"], mine["risk_level"], strict=True))
        for name, mine in named.groupby("victim_id")
    }
    assert rows == {
        "renewed": [(8, "low"), (20, "moderate")],
        "same_day": [(9, "low"), (9, "moderate"), (9, "high")],
        "last_day": [(60, "high")],
    }


def make_data(plan: StudyPlan, n_renewed: int) -> StudyData:
    """Entry k of the first `n_renewed` is assessed high on day 10 and reports another on day 12."""
    n, nothing = 100, pd.DataFrame()
    who = np.arange(n_renewed)
    control = np.where(np.arange(n) < n_renewed, 12.0, np.nan)
    return StudyData(
        plan=plan,
        entries=pd.DataFrame({"entry_id": range(n), "other_day": control}),
        covariates=nothing,
        starts=nothing,
        spells=pd.DataFrame(columns=["entry_id", "measure", "start_day", "stop_day"]),
        episodes=nothing,
        decisions=nothing,
        assessments=nothing,
        renewals=pd.DataFrame({"entry_id": who, "day": 10, "risk_level": "high"}),
    )


def test_a_report_counts_from_its_own_day_and_an_assessment_from_the_next():
    data = make_data(read_plan(STUDY), USUAL.people_per_change)
    entry_id = np.arange(1, 100)  # entry 0 is not eligible
    last_day = np.full(99, 11.0)
    assert list_changes(data, "help", entry_id, last_day) == {}  # now too few to tell anything
    data = make_data(data.plan, USUAL.people_per_change + 1)
    assert set(list_changes(data, "help", entry_id, last_day)) == {"renewed_high"}
    changes = list_changes(data, "help", entry_id, last_day + 1)
    assert set(changes) == {"reported_other", "renewed_high"}
    for name, day in (("reported_other", 12), ("renewed_high", 11)):
        one = changes[name]
        assert set(one.day) == {day} and set(one.value) == {1.0}
        assert one.entry.tolist() == list(range(USUAL.people_per_change))


def test_the_study_says_how_many_a_change_takes():
    plan = read_plan(STUDY + "models: {people_per_change: 3}\n")
    who, last_day = np.arange(100), np.full(100, 12.0)
    assert list_changes(make_data(plan, 2), "help", who, last_day) == {}
    assert set(list_changes(make_data(plan, 3), "help", who, last_day)) == {
        "reported_other", "renewed_high"
    }  # fmt: skip


@for_each(
    ("adjust_for", "names"),
    [("[]", set()), ("[sex]", {"reported_other"})],
)
def test_only_what_the_study_adjusts_for(adjust_for, names):
    plan = read_plan(STUDY.replace("[risk_level]", adjust_for))
    data = make_data(plan, USUAL.people_per_change)
    assert set(list_changes(data, "help", np.arange(100), np.full(100, 30.0))) == names
