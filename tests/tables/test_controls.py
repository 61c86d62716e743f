"""Which report is a negative control: a table reckoned by hand."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from revictimisation.cohort import build_cohort
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan
from tests.cases import for_each

from .cases import make_tables

STUDY = """
name: controls
accrual: {from_on: 2013-01-01, to_on: 2013-01-31}
data_end_on: 2013-04-01
eligibility: {relations: [parent], washout_days: 0}
outcome: {lag_days: 1, drop_breach_only: DROP}
horizon_days: 60
report_at_days: [60]
measures: {}
adjust_for: []
subgroups: []
"""
BREACH, ASSAULT = "4086", "0412"
# victim: day of the report (since 2013-01-10), suspect, relation; the first is the index report
REPORTS = {
    "plain": [(0, "s", "parent"), (20, "x", "stranger"), (30, "x", "stranger")],
    "past_the_outcome": [(0, "s", "parent"), (5, "s", "parent"), (20, "x", "stranger")],
    "unknown": [(0, "s", "parent"), (20, None, "unknown")],
    "same_day_as_the_index_suspect": [
        (0, "s", "parent"), (20, "s", "parent"), (20, "x", "stranger"), (21, "x", "stranger"),
    ],
    "within_the_lag": [(0, "s", "parent"), (1, "x", "stranger")],
    "on_the_day_after_the_lag": [(0, "s", "parent"), (2, "x", "stranger")],
    "on_the_last_day": [(0, "s", "parent"), (60, "x", "stranger")],
    "after_the_horizon": [(0, "s", "parent"), (61, "x", "stranger")],
    "index_day": [(0, "s", "parent"), (0, "x", "stranger")],
    "before": [(-5, "x", "stranger"), (0, "s", "parent")],
    "after_death": [(0, "s", "parent"), (41, "x", "stranger")],
    "on_the_day_of_death": [(0, "s", "parent"), (40, "x", "stranger")],
    # both suspects are index suspects: neither's report is a control of the other
    "two_entries": [(0, "s", "parent"), (10, "t", "parent"), (30, "t", "parent")],
    "kin_after_the_accrual": [(0, "s", "parent"), (25, "t", "parent")],
    "breach_only": [(0, "s", "parent"), (20, "x", "stranger", BREACH), (25, "x", "stranger")],
    "none": [(0, "s", "parent")],
    "brother_no_honour": [(0, "s", "parent"), (20, "x", "sibling")],
    # in honour cases only those known to be no family are controls
    "h_brother": [(0, "s", "parent"), (20, "x", "sibling"), (30, "y", "stranger")],
    "h_husband": [(0, "s", "parent"), (20, "x", "current_partner")],
    "h_kin_of_partner": [(0, "s", "parent"), (20, "x", "unknown"), (25, "y", "acquaintance")],
    # a cousin called a stranger once is no outsider: in no report of the victim's
    "h_cousin": [(0, "s", "parent"), (20, "x", "stranger"), (30, "x", "other_relative")],
    # any index report of the victim makes the case one
    "two_one_honour": [(0, "s", "parent"), (5, "h", "parent"), (20, "x", "sibling")],
    # a report that is honour-related itself is none, whoever it is against
    "honour_later": [(0, "s", "parent"), (20, "h", "stranger"), (25, "x", "stranger")],
}  # fmt: skip
EXPECTED = {
    "plain": [20],
    "past_the_outcome": [20],
    "unknown": [None],
    "same_day_as_the_index_suspect": [21],
    "within_the_lag": [None],
    "on_the_day_after_the_lag": [2],
    "on_the_last_day": [60],
    "after_the_horizon": [None],
    "index_day": [None],
    "before": [None],
    "after_death": [None],
    "on_the_day_of_death": [40],
    "two_entries": [None, None],
    "kin_after_the_accrual": [25],
    "breach_only": [20],
    "none": [None],
    "brother_no_honour": [20],
    "h_brother": [30],
    "h_husband": [None],
    "h_kin_of_partner": [25],
    "h_cousin": [None],
    "two_one_honour": [None, None],
    "honour_later": [25],
}
# the first report against somebody else at all, where another; and with every case a family's
OTHER = {"h_brother": [20], "h_husband": [20], "h_kin_of_partner": [20], "h_cousin": [20],
         "two_one_honour": [15, 20], "honour_later": [20]}  # fmt: skip
OUTSIDER = {"brother_no_honour": [None], "kin_after_the_accrual": [None]}


def count_date(day: int) -> dt.date:
    return dt.date(2013, 1, 1) + dt.timedelta(days=day - 1)


def find_days(drop_breach_only: bool) -> dict[str, dict[str, list[int | None]]]:
    dictionary = load_dictionary()
    offences = dictionary.codes("offences")
    groups = offences.set_index("code")["offence_group"].to_dict()
    assert groups[BREACH] == "breach_of_order" and groups[ASSAULT] != "breach_of_order"
    reports = [
        {"report_id": f"{victim}{at}", "victim_id": victim, "reported_on": count_date(10 + day),
         "suspect_id": suspect and victim + suspect, "relation": relation,
         "is_honour": suspect == "h" or (suspect == "s" and victim.startswith("h_")),
         "offence_code": more[0] if more else ASSAULT, "police_district": "city"}
        for victim, rows in REPORTS.items()
        for at, (day, suspect, relation, *more) in enumerate(rows)
    ]  # fmt: skip
    persons = [
        {"person_id": name, "birth_year": 1980, "sex": "female",
         "died_on": count_date(50) if "death" in name else None}
        for name in REPORTS
    ]  # fmt: skip
    tables = make_tables(connect(threads=1), {"persons": persons, "reports": reports})
    plan = read_plan(STUDY.replace("DROP", str(drop_breach_only).lower()))
    cohort = build_cohort(tables["reports"], tables["persons"], dictionary, plan)
    entries = cohort.index_reports.order_by("entry_id").to_pandas()
    return {
        name: {
            str(victim): [None if pd.isna(day) else int(day) for day in mine[name]]
            for victim, mine in entries.groupby("victim_id")
        }
        for name in ("other_day", "control_day", "outsider_day")
    }


@for_each("drop_breach_only", [False, True])
def test_the_first_report_against_somebody_else_is_the_control(drop_breach_only):
    expected = EXPECTED | ({"breach_only": [25]} if drop_breach_only else {})
    found = find_days(drop_breach_only)
    assert found["control_day"] == expected
    assert found["other_day"] == expected | OTHER
    assert found["outsider_day"] == expected | OUTSIDER
