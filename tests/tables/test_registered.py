"""A count of what the extract does not register is no 0: a table reckoned by hand."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from revictimisation.analyses.measure_use import estimate_use
from revictimisation.cohort.preparation import prepare
from revictimisation.core.engine import connect
from revictimisation.core.results import choose
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan

from .cases import make_tables

STUDY = """
name: registered
accrual: {from_on: 2013-01-01, to_on: 2013-12-31}
data_end_on: 2014-12-31
report_at_days: [100]
horizon_days: 300
measures:
  order: {codes: [non_contact_order]}
  talk: {codes: [safety_talk]}
  custody: {codes: [remand]}
  programme: {codes: [treatment_programme]}
adjust_for: []
subgroups: []
"""
NOT = "not_registered"


def on(day: int) -> dt.date:
    return dt.date(2013, 5, 1) + dt.timedelta(days=day)


def use(**changes: list[dict]) -> pd.DataFrame:
    """Question 1 of one victim with an order, a talk whose decision nobody wrote, and a remand."""
    police = {"victim_id": "v", "decided_on": on(1), "start_on": on(2)}
    given = {
        "persons": [{"person_id": "v", "birth_year": 1980, "sex": "female"}],
        "reports": [{"report_id": "r", "victim_id": "v", "suspect_id": "s", "reported_on": on(0),
                     "offence_code": "1001", "relation": "parent", "police_district": "city"}],
        "police_measures": [{"measure_id": "1", "measure": "non_contact_order",
                             "decision": "denied", **police},
                            {"measure_id": "2", "measure": "safety_talk", **police}],
        "suspect_interventions": [{"intervention_id": "1", "suspect_id": "s",
                                   "intervention": "remand", "decided_on": on(1),
                                   "start_on": on(1)}],
        "risk_assessments": [{"assessment_id": "1", "victim_id": "v", "agency": "police",
                              "assessed_on": on(3), "risk_level": "high"}],
    } | changes  # fmt: skip
    plan, dictionary = read_plan(STUDY), load_dictionary()
    tables = make_tables(connect(threads=1), given)
    data, _ = prepare(tables, frozenset(), dictionary, plan)
    return estimate_use(data)


def count(found: pd.DataFrame, measure: str, analysis: str = "main") -> dict[str, object]:
    """Of each outcome the count, or why there is none."""
    rows = found[found["analysis"].eq(analysis) & found["measure"].eq(measure)]
    rows = rows[rows["estimand"].eq("count") & rows["subgroup"].eq("")]
    assert rows.loc[rows["status"].ne("ok"), ["estimate", "n_events"]].isna().all(axis=None)
    said = rows["estimate"].where(rows["status"].eq("ok"), rows["reason"])
    return dict(zip(rows["outcome"], said, strict=True))


def test_decisions_that_a_table_does_not_hold_are_not_counted():
    found = use()
    unsaid = dict.fromkeys(("granted", "denied", "declined"), NOT)
    assert count(found, "order") == {"offered": 1, "granted": 0, "denied": 1, "declined": 0,
                                     "carried_out": 1}  # fmt: skip
    for measure, code in (("talk", "safety_talk"), ("custody", "remand")):
        expected = {"offered": 1, **unsaid, "carried_out": 1}
        assert count(found, measure) == count(found, code, "by_code") == expected
    assert count(found, "any_police", "by_agency")["granted"] == 0
    shared = found[found["analysis"] == "risk_assessment"]
    assert shared["reason"].tolist() == [NOT]
    # nobody in a programme: no curve of 0
    first = found[found["analysis"].eq("first_start") & found["measure"].eq("programme")]
    assert first["reason"].tolist() == ["nobody_started"]


def test_an_optional_table_without_rows_is_absent():
    shared = use(risk_assessments=[])
    assert shared.loc[shared["analysis"] == "risk_assessment", "reason"].tolist() == [
        "table_absent"
    ]


def test_a_column_without_a_start_tells_nothing_of_what_was_carried_out():
    rows = [{"measure_id": "1", "measure": "non_contact_order", "victim_id": "v",
             "decided_on": on(1), "decision": "granted"}]  # fmt: skip
    found = use(police_measures=rows)
    assert count(found, "order")["granted"] == 1
    assert count(found, "order")["carried_out"] == NOT


def test_first_starts_are_told_day_by_day_up_to_a_day_of_the_study_file():
    """The order began on day 2: nobody before it, everybody from it on."""
    first = choose(use(), analysis="first_start", measure="order", subgroup="")
    days = dict(zip(first["time_days"], first["estimate"], strict=True))
    assert [days[day] for day in (0, 1, 2, 3, 60)] == [0, 0, 1, 1, 1]
    assert {*range(61)} <= {*days} and 61 not in days and 300 in days


def test_a_group_that_a_claim_is_about_is_told_who_got_what_and_nothing_else():
    """A woman is out of the men over 18; honour is a level of its own grouping."""
    found = use()
    mine = found[found["subgroup"].eq("men_over_18") & found["estimand"].eq("count")]
    told = {*zip(mine["analysis"], mine["measure"], mine["outcome"], strict=True)}
    assert {*mine["level"]} == {"false"} and {*mine["outcome"]} == {"carried_out"}
    assert ("main", "order", "carried_out") in told
    assert {*mine["analysis"]} <= {"main", "agencies"}
    order = choose(mine, analysis="main", measure="order")
    assert order[["n_people", "n_events"]].to_numpy().tolist() == [[1, 1]]
    assert not found["subgroup"].eq("honour").any()
