"""Whether an extract holds the days and codes that the study file names, told before any number."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract, render_findings
from revictimisation.extract.validation.study_fit import measure_data_end
from revictimisation.plan import read_plan
from revictimisation.plan.parts import ValidationLimits
from revictimisation.simulate import simulate_county

DICTIONARY, LIMITS = load_dictionary(), ValidationLimits()
END_ON = dt.date(2018, 12, 31)
STUDY = "name: a\n"


@pytest.fixture(scope="module")
def county(tmp_path_factory) -> dict[str, pd.DataFrame]:
    return simulate_county("calibrated", 300, 1)


def write(folder: Path, tables: dict[str, pd.DataFrame], until: str = "") -> Path:
    """The county's extract, of rows up to a day if one is given, with the people all there."""
    for name, one in DICTIONARY.tables.items():
        if one.direction == "in" and name in tables:
            rows = tables[name]
            if until and one.dated_by and one.field(one.dated_by).type == "date":
                rows = rows[pd.to_datetime(rows[one.dated_by]) <= until]
            files.write_table(rows, folder, name, ("csv",))
    return folder


def find(folder: Path, study: str) -> tuple[dict[tuple[str, str], int], str]:
    """What does not fit, by rule and subject, in months; and what is said."""
    plan = read_plan(study)
    extract = load_extract(connect(), folder, DICTIONARY, plan)
    found = {(one.rule, one.subject): one.months for one in extract.misfits}
    return found, render_findings(extract.findings)


def test_data_that_end_long_before_data_end_on_are_told(tmp_path, county):
    cut = write(tmp_path / "cut", county, "2014-12-31")
    found, said = find(cut, STUDY)
    # the last row of a small county lies up to two months before the extract's own last day
    for table in ("reports", "police_measures", "social_interventions", "risk_assessments"):
        assert 47 <= found.pop(("ends_before_data_end", table)) <= 51
    assert "data_end_on" in said and "VARNING  reports  [ends_before_data_end]" in said
    assert find(cut, STUDY + "data_end_on: 2014-12-31")[0] == {}


def test_data_as_they_should_be_are_not_told_and_those_that_go_on_are(tmp_path, county):
    whole = write(tmp_path / "whole", county)
    assert find(whole, STUDY)[0] == {}
    found, _ = find(whole, STUDY + "data_end_on: 2014-12-31")
    assert found["goes_on_after_data_end", "reports"] in (46, 47, 48)


def test_what_is_too_long_for_chance_follows_from_each_tables_own_rate():
    def every(n_days: int, until: dt.date, n: int) -> list[dt.date]:
        return [until - dt.timedelta(n_days * at) for at in range(n)][::-1]

    daily, yearly = every(1, END_ON, 900), every(365, END_ON, 8)
    a_month_ago = END_ON - dt.timedelta(40)
    assert measure_data_end(daily, END_ON, LIMITS) == 0
    assert measure_data_end(yearly[:-1], END_ON, LIMITS) == 0
    assert measure_data_end(every(1, a_month_ago, 900), END_ON, LIMITS) == 40
    assert measure_data_end(every(14, a_month_ago, 90), END_ON, LIMITS) == 0
    # a mistyped day or two hide nothing, and are no data that go on
    mistyped = [*every(1, dt.date(2014, 12, 31), 900), dt.date(2018, 10, 1), dt.date(2024, 1, 1)]
    assert measure_data_end(mistyped, END_ON, LIMITS) == 1461
    # a rate that halves each time goes on halving: no row is expected
    fading = [END_ON - dt.timedelta(400 + 3 * at) for at in range(3)]
    fading += [END_ON - dt.timedelta(810 + 2 * at) for at in range(190)]
    assert measure_data_end(sorted(fading), END_ON, LIMITS) == 0
    assert measure_data_end([], END_ON, LIMITS) == 0


def test_a_code_found_nowhere_is_told_with_the_nearest_and_with_what_there_is(tmp_path, county):
    own = county["police_measures"].assign(measure="own_code")
    whole = write(tmp_path / "whole", {**county, "police_measures": own})
    study = STUDY + (
        "measures: {safty_talk: {}, mine: {codes: [own_code]}, other: {codes: [own_cod]}}\n"
        "eligibility: {districts: [norort]}\nopen_ends: {by_code: {suport_talks: 9}}\n"
    )
    found, said = find(whole, study)
    named = {subject for rule, subject in found if rule == "code_nowhere"}
    assert named == {"safty_talk", "own_cod", "norort", "suport_talks"}
    told = re.sub(r"\s+", " ", said)
    assert "measures.safty_talk.codes nämner en kod" in told
    assert "menade du safety_talk?" in told and "did you mean safety_talk?" in told
    assert "did you mean own_code?" in told and "did you mean norrort?" in told
    held = told.split("own_cod (did you mean")[1].split("Correct")[0]
    assert "sheltered_housing" in held and "personal_security" not in held


def test_a_time_without_reports_is_an_error(tmp_path, county):
    whole = write(tmp_path / "whole", {name: county[name] for name in ("persons", "reports")})
    found, said = find(whole, STUDY + "accrual: {from_on: 1950-01-01, to_on: 1951-01-01}\n")
    assert ("no_report_in_accrual", "reports") in found
    assert "FEL  reports  [no_report_in_accrual]" in said
