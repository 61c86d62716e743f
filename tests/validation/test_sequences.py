"""What is improbable in a row, beside others and against what it refers to."""

from __future__ import annotations

from revictimisation.plan import read_plan
from tests.cases import for_each
from tests.validation.extracts import VALID, brief, change, leave_out, load

SECOND = "r4,v1,s1,2013-03-01,,0412,former_partner,true,sodertorn,0126\n"
CASES = {
    "measure before birth": (
        change("police_measures", "m1,v1,r1,non_contact_order,2012-03-05,granted,2012-03-06,2012",
               "m1,v1,r1,non_contact_order,2012-03-05,granted,1979-12-31,2012"),
        ("police_measures", "start_on", "not_before_birth", "notice", 1, (2,)),
    ),
    "measure before the report": (
        change("police_measures", "non_contact_order,2012-03-05", "non_contact_order,2012-02-29"),
        ("police_measures", "decided_on", "not_before_report", "warning", 1, (2,)),
    ),
    "decision before the report": (
        change("case_decisions", "2012-08-01", "2012-02-29"),
        ("case_decisions", "decided_on", "not_before_report", "warning", 1, (2,)),
    ),
    "custody before the decision": (
        change("case_decisions", "2012-08-01,discontinued,,", "2012-08-01,convicted,2012-07-31,"),
        ("case_decisions", "custody_from_on", "not_before", "warning", 1, (2,)),
    ),
    "judgment before prosecution": (
        change("case_decisions", "discontinued,,\n",
               "convicted,,\nr1,s1,2012-08-02,prosecuted,,\n"),
        ("case_decisions", "decided_on", "judged_before_prosecution", "warning", 1, (2,)),
    ),
    "assessment long before any report": (
        change("risk_assessments", "2012-03-03,high", "2011-03-01,high"),
        ("risk_assessments", "assessed_on", "not_long_before_report", "notice", 1, (2,)),
    ),
    "in force although declined": (
        change("police_measures", "2014-03-02,declined,,", "2014-03-02,declined,2014-03-03,"),
        ("police_measures", "start_on", "only_if_granted", "notice", 1, (3,)),
    ),
    "one report under two numbers": (
        {**VALID, "reports": VALID["reports"] + SECOND},
        ("reports", "report_id", "registered_twice", "notice", 1, (5,)),
    ),
    "a row twice": (
        {**VALID, "reports": VALID["reports"] + SECOND.replace("r4", "r2")},
        ("reports", "", "exact_duplicate", "warning", 1, (5,)),
    ),
    "overlapping spells": (
        {**VALID, "police_measures": VALID["police_measures"]
         + "m3,v1,r1,non_contact_order,2012-09-01,granted,2012-09-05,\n"},
        ("police_measures", "start_on", "overlapping_spells", "notice", 1, (4,)),
    ),
}  # fmt: skip


@for_each("name", CASES)
def test_what_is_improbable_is_told_with_its_row(tmp_path, name):
    tables, expected = CASES[name]
    tables = leave_out(tables, {expected[0]})
    assert expected in {brief(one) for one in load(tmp_path, tables).findings}


def test_boundaries_are_no_faults(tmp_path):
    """On the day of the report, in the year of birth, touching spells, no suspect: nothing told."""
    touching = "m3,v1,r1,non_contact_order,2012-03-01,granted,2012-09-06,\n"
    tables = {
        **VALID,
        "police_measures": VALID["police_measures"] + touching,
        "reports": VALID["reports"] + "r4,v2,,2014-03-01,,9353,unknown,,city,0180\n",
        "case_decisions": VALID["case_decisions"].replace("2012-08-01", "2012-03-01"),
        "persons": VALID["persons"].replace("v1,1980", "v1,2012"),
    }
    assert load(tmp_path, tables).findings == ()


def test_the_study_sets_how_long_before_a_report_an_assessment_may_lie(tmp_path):
    tables = change("risk_assessments", "2012-03-03,high", "2011-03-01,high")
    plan = read_plan("name: mini\nvalidation: {assessment_before_days: 366}")
    assert load(tmp_path, tables, plan).findings == ()
