"""Coordinated work: a shared assessment is a start on the day it reached the other agency."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from revictimisation.cohort.spells import build_spells, find_shared, find_starts
from revictimisation.plan import read_plan

STUDY = """
name: made
measures:
  coordinated_work: {codes: [case_conference, coordinated_plan], shared_within_days: 7}
  conference: {codes: [case_conference]}
"""


def day(number: int | None) -> dt.date | None:
    return None if number is None else dt.date(2014, 1, 10) + dt.timedelta(days=number)


def test_an_assessment_that_is_shared_soon_enough_is_a_start():
    index = pd.DataFrame({"entry_id": [0, 1, 2, 3], "victim_id": list("abcd"), "index_on": day(0)})
    rows = [
        ("a", 1, 8),  # shared on the seventh day: in time
        ("a", -3, -1),  # before day 0: no start
        ("b", 1, 9),  # a day too late
        ("b", 2, None),  # never
        ("c", 5, 5),  # at once, but a conference was held on day 3
    ]
    assessments = pd.DataFrame(
        [(who, day(made), day(shared)) for who, made, shared in rows],
        columns=["victim_id", "assessed_on", "shared_on"],
    ).astype({"shared_on": "datetime64[us]", "assessed_on": "datetime64[us]"})
    decisions = pd.DataFrame([
        ("police_measures", "case_conference", 2, 3, 4),
        ("social_interventions", "coordinated_plan", 3, 6, 90),
        ("social_interventions", "support_talks", 1, 2, 90),
    ], columns=["source", "code", "entry_id", "start_day", "stop_day"])  # fmt: skip
    decisions = decisions.astype(dict.fromkeys(["start_day", "stop_day"], "int32"))
    dated = ibis.memtable(assessments).mutate(
        assessed_on=ibis._.assessed_on.date(), shared_on=ibis._.shared_on.date()
    )
    reports = ibis.memtable(index.astype({"index_on": "datetime64[us]"}))
    shared = find_shared(dated, reports.mutate(index_on=ibis._.index_on.date()))
    starts = find_starts(build_spells(ibis.memtable(decisions), read_plan(STUDY), shared))
    found = starts.to_pandas().set_index(["measure", "entry_id"])
    assert found.loc["coordinated_work", "first_start_day"].to_dict() == {0: 8, 2: 3, 3: 6}
    assert not found["is_running_before"].any()
    assert found.loc["conference", "first_start_day"].to_dict() == {2: 3}
