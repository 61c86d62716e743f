"""Each wrong input gives its finding: table, column, rule, severity, count and rows."""

from __future__ import annotations

import re

import pytest

from revictimisation.core.errors import EXIT_FAULT, DataError
from revictimisation.extract.validation import frame_findings, render_findings
from tests.cases import for_each
from tests.validation.extracts import VALID, brief, change, leave_out, load

REPORT = "r1,v1,s1,2012-03-01,2012-02-01,9353,former_partner,false,sodertorn,0126"


def report(**cells: str) -> dict[str, str]:
    """The valid extract with cells of the first report (row 2) changed."""
    names = VALID["reports"].splitlines()[0].split(",")
    row = dict(zip(names, REPORT.split(","), strict=True)) | cells
    return change("reports", REPORT, ",".join(row[name] for name in names))


def without_column(table: str, column: str) -> dict[str, str]:
    rows = [line.split(",") for line in VALID[table].splitlines()]
    place = rows[0].index(column)
    return {**VALID, table: "\n".join(",".join(r[:place] + r[place + 1 :]) for r in rows)}


def without_table(name: str) -> dict[str, str]:
    return {key: text for key, text in VALID.items() if key != name}


def added(table: str, *lines: str) -> dict[str, str]:
    return {**VALID, table: VALID[table] + "\n".join(lines)}


CASES = {
    "missing table": (
        without_table("police_measures"),
        [("police_measures", "", "missing_table", "error", 1, ())],
    ),
    "missing column": (
        without_column("reports", "relation"),
        [("reports", "relation", "missing_column", "error", 1, ())],
    ),
    "missing column of an optional table": (
        without_column("risk_assessments", "shared_on"),
        [("risk_assessments", "shared_on", "missing_column", "error", 1, ())],
    ),
    "a date that is none": (
        report(offence_from_on="2012-02-30"),
        [("reports", "offence_from_on", "wrong_type_date", "error", 1, (2,))],
    ),
    "a date written another way": (
        report(offence_from_on="1/2/2012"),
        [("reports", "offence_from_on", "wrong_type_date", "error", 1, (2,))],
    ),
    "eight figures that are no date": (
        report(offence_from_on="20121301"),
        [("reports", "offence_from_on", "wrong_type_date", "error", 1, (2,))],
    ),
    "a word that engines take for a date": (
        report(offence_from_on="infinity"),
        [("reports", "offence_from_on", "wrong_type_date", "error", 1, (2,))],
    ),
    "a mistyped date that is required": (
        report(reported_on="soon"),
        [("reports", "reported_on", "wrong_type_date", "error", 1, (2,))],
    ),
    "a date before 1900": (
        report(offence_from_on="1899-12-31"),
        [("reports", "offence_from_on", "out_of_range", "error", 1, (2,))],
    ),
    "a date to come": (
        change("police_measures", "2012-09-06", "2026-11-22"),
        [("police_measures", "end_on", "out_of_range", "error", 1, (2,))],
    ),
    "an end before its start": (
        change("police_measures", "2012-09-06", "2012-03-05"),
        [("police_measures", "end_on", "end_before_start", "error", 1, (2,))],
    ),
    "an end before its start, social services": (
        change("social_interventions", "2012-05-20", "2012-03-01"),
        [("social_interventions", "end_on", "end_before_start", "error", 1, (2,))],
    ),
    "an end on the day of its start": (change("police_measures", "2012-09-06", "2012-03-06"), []),
    "a prison term that ends before it begins": (
        change("case_decisions", "discontinued,,", "convicted,2014-01-02,2014-01-01"),
        [("case_decisions", "custody_to_on", "end_before_start", "error", 1, (2,))],
    ),
    "an end without a start": (
        change("police_measures", "declined,,", "declined,,2014-04-01"),
        [("police_measures", "end_on", "end_without_start", "warning", 1, (3,))],
    ),
    "an unknown code in a closed list": (
        report(relation="neighbour"),
        [("reports", "relation", "unknown_code", "error", 1, (2,))],
    ),
    "a code in capitals": (
        change("persons", "female", "Female"),
        [("persons", "sex", "unknown_code", "error", 1, (2,))],
    ),
    "an unknown offence code": (
        report(offence_code="9999"),
        [("reports", "offence_code", "unknown_code", "warning", 1, (2,))],
    ),
    "a municipality that lost its zero": (
        report(municipality_code="126"),
        [("reports", "municipality_code", "unknown_code", "warning", 1, (2,))],
    ),
    "an unknown district": (
        report(police_district="gotland"),
        [("reports", "police_district", "unknown_code", "warning", 1, (2,))],
    ),
    "a measure of another table": (
        change("police_measures", "safety_talk", "sheltered_housing"),
        [("police_measures", "measure", "unknown_code", "warning", 1, (3,))],
    ),
    "an offence code before its time": (
        report(offence_code="0435"),
        [("reports", "offence_code", "valid_code_on", "notice", 1, (2,))],
    ),
    "a district before its time": (
        report(police_district="syd"),
        [("reports", "police_district", "valid_code_on", "notice", 1, (2,))],
    ),
    "a code valid in the second of two periods": (
        {**VALID, "reports": VALID["reports"].replace("2014-03-01", "2015-03-01")},
        # the measure is decided in 2014
        [("police_measures", "decided_on", "not_before_report", "warning", 1, (3,))],
    ),
    "a victim not among the people": (
        report(victim_id="v9"),
        [("reports", "victim_id", "unknown_reference", "error", 1, (2,))],
    ),
    "a suspect not among the people": (
        report(suspect_id="s9"),
        [("reports", "suspect_id", "unknown_reference", "notice", 1, (2,))],
    ),
    "a person not among the people, social services": (
        change("social_interventions", "i1,v1", "i1,v9"),
        [("social_interventions", "person_id", "unknown_reference", "error", 1, (2,))],
    ),
    "a contact by someone not among the people": (
        change("centre_contacts", "c1,,", "c1,v9,"),
        [("centre_contacts", "person_id", "unknown_reference", "notice", 1, (2,))],
    ),
    "a report that is not there": (
        change("investigations", "r1,s1", "r9,s1"),
        [("investigations", "report_id", "unknown_reference", "notice", 1, (2,))],
    ),
    "a doubled person": (
        added("persons", "s1,1975,male,0126,,,none"),
        [("persons", "person_id", "doubled_key", "error", 1, (5,))],
    ),
    "a report three times": (
        added("reports", REPORT, REPORT),
        [
            (
                "reports",
                "report_id, victim_id, suspect_id, offence_code",
                "doubled_key",
                "error",
                2,
                (5, 6),
            ),
            ("reports", "", "exact_duplicate", "warning", 2, (5, 6)),
        ],
    ),
    "a doubled report by an unknown suspect": (
        added("reports", VALID["reports"].splitlines()[3]),
        [
            (
                "reports",
                "report_id, victim_id, suspect_id, offence_code",
                "doubled_key",
                "error",
                1,
                (5,),
            ),
            ("reports", "", "exact_duplicate", "warning", 1, (5,)),
        ],
    ),
    "two offences of one report": (
        added("reports", REPORT.replace("9353", "0412")),
        [],
    ),
    "a missing person": (
        change("persons", "s1,1975", ",1975"),
        [
            ("persons", "person_id", "missing_value", "error", 1, (4,)),
            ("reports", "suspect_id", "unknown_reference", "notice", 2, (2, 3)),
            ("suspect_interventions", "suspect_id", "unknown_reference", "notice", 1, (2,)),
            ("investigations", "suspect_id", "unknown_reference", "notice", 1, (2,)),
            ("case_decisions", "suspect_id", "unknown_reference", "notice", 1, (2,)),
        ],
    ),
    "a missing relation": (
        report(relation=""),
        [("reports", "relation", "missing_expected_value", "warning", 1, (2,))],
    ),
    "an identity number as person_id": (
        {name: text.replace("v1", "19800229-1234") for name, text in VALID.items()},
        [
            ("persons", "person_id", "personal_identity_number", "error", 1, (2,)),
            ("reports", "victim_id", "personal_identity_number", "error", 2, (2, 3)),
            ("risk_assessments", "victim_id", "personal_identity_number", "error", 1, (2,)),
            ("police_measures", "victim_id", "personal_identity_number", "error", 1, (2,)),
            ("social_interventions", "person_id", "personal_identity_number", "error", 1, (2,)),
        ],
    ),
    "an identity number as victim_id": (
        change("risk_assessments", "a1,v1", "a1,8002291234"),
        [
            ("risk_assessments", "victim_id", "personal_identity_number", "error", 1, (2,)),
            ("risk_assessments", "victim_id", "unknown_reference", "error", 1, (2,)),
        ],
    ),
    "an identity number as suspect_id": (
        report(suspect_id="800289-1234"),
        [
            ("reports", "suspect_id", "personal_identity_number", "error", 1, (2,)),
            ("reports", "suspect_id", "unknown_reference", "notice", 1, (2,)),
        ],
    ),
    "a report after death": (
        change("persons", "2016-05-01", "2014-02-28"),
        [("reports", "reported_on", "not_after_death", "warning", 1, (4,))],
    ),
    "a report on the day of death": (change("persons", "2016-05-01", "2014-03-01"), []),
    "a measure that starts after death": (
        {
            **change("persons", "v1,1980,female,0126,", "v1,1980,female,0126,2013-03-01"),
            "social_interventions": VALID["social_interventions"].replace(
                "2012-03-02,2012-05-20", "2013-03-02,2013-05-20"
            ),
        },
        [("social_interventions", "start_on", "not_after_death", "warning", 1, (2,))],
    ),
    "a death before birth": (
        change("persons", "v2,1990", "v2,2017"),
        [
            ("persons", "died_on", "year_before", "warning", 1, (3,)),
            ("reports", "reported_on", "not_before_birth", "notice", 1, (4,)),
        ],
    ),
    "a year that is none": (
        change("persons", "1980", "eighty"),
        [("persons", "birth_year", "wrong_type_integer", "error", 1, (2,))],
    ),
    "a year of birth to come": (
        change("persons", "1980", "2027"),
        [
            ("persons", "birth_year", "out_of_range", "error", 1, (2,)),
            ("reports", "reported_on", "not_before_birth", "notice", 2, (2, 3)),
            ("risk_assessments", "assessed_on", "not_before_birth", "notice", 1, (2,)),
            ("police_measures", "start_on", "not_before_birth", "notice", 1, (2,)),
            ("social_interventions", "start_on", "not_before_birth", "notice", 1, (2,)),
        ],
    ),
    "a truth value that is none": (
        report(is_honour="ja"),
        [("reports", "is_honour", "wrong_type_boolean", "error", 1, (2,))],
    ),
    "a truth value of an unknown scale": (
        report(is_honour="2"),
        [("reports", "is_honour", "wrong_type_boolean", "error", 1, (2,))],
    ),
    "an offence that begins after its report": (
        report(offence_from_on="2012-03-02"),
        [("reports", "reported_on", "not_before", "warning", 1, (2,))],
    ),
    "a victim who is the suspect": (
        report(suspect_id="v1"),
        [("reports", "suspect_id", "different", "warning", 1, (2,))],
    ),
    "no people": (
        {**VALID, "persons": VALID["persons"].splitlines()[0]},
        [
            ("persons", "", "empty_table", "error", 1, ()),
            ("reports", "victim_id", "unknown_reference", "error", 3, (2, 3, 4)),
            ("risk_assessments", "victim_id", "unknown_reference", "error", 1, (2,)),
            ("police_measures", "victim_id", "unknown_reference", "error", 2, (2, 3)),
            ("social_interventions", "person_id", "unknown_reference", "error", 1, (2,)),
            ("reports", "suspect_id", "unknown_reference", "notice", 2, (2, 3)),
            ("suspect_interventions", "suspect_id", "unknown_reference", "notice", 1, (2,)),
            ("investigations", "suspect_id", "unknown_reference", "notice", 1, (2,)),
            ("case_decisions", "suspect_id", "unknown_reference", "notice", 1, (2,)),
        ],
    ),
    "an extra column": (
        {
            **VALID,
            "persons": "\n".join(
                f"{line},{more}"
                for line, more in zip(
                    VALID["persons"].splitlines(), ["note", "a", "b", "c"], strict=True
                )
            ),
        },
        [("persons", "note", "extra_column", "notice", 1, ())],
    ),
}


@for_each("case", CASES)
def test_finding(tmp_path, case):
    tables, expected = CASES[case]
    tables = leave_out(tables, {table for table, *_ in expected})
    assert [brief(one) for one in load(tmp_path, tables).findings] == expected


def test_all_errors_are_told_at_once_with_exit_code_3(tmp_path):
    tables = {
        **report(relation="neighbour"),
        "persons": change("persons", "1980", "eighty")["persons"],
    }
    del tables["police_measures"]
    extract = load(tmp_path, tables)
    with pytest.raises(DataError) as caught:
        extract.raise_for_errors()
    assert caught.value.exit_code == 3 != EXIT_FAULT
    for words in ("police_measures", "persons.birth_year", "reports.relation", "1 rader: 2"):
        assert words in str(caught.value)


def test_warnings_and_notices_stop_nothing(tmp_path):
    extract = load(tmp_path, report(offence_code="9999", suspect_id="s9"))
    assert {one.severity for one in extract.findings} == {"warning", "notice"}
    extract.raise_for_errors()


def test_first_ten_rows_are_named_and_all_are_counted(tmp_path):
    lines = [f"q{number},v1,s1,2012-03-01,,9353,neighbour,,sodertorn,0126" for number in range(25)]
    extract = load(tmp_path, added("reports", *lines))
    unknown, twice = (brief(one) for one in extract.findings)
    assert unknown[2] == "unknown_code" and unknown[4:] == (25, tuple(range(5, 15)))
    assert twice[2:4] == ("registered_twice", "notice")
    assert "25 rader: 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 …" in render_findings(extract.findings)


def test_findings_are_told_in_the_language_asked_for(tmp_path):
    findings = load(tmp_path, report(relation="neighbour")).findings
    told = (render_findings(findings, (one,)) for one in ("sv", "en"))
    swedish, english = (re.sub(r"\n +", " ", one) for one in told)
    assert "FEL  reports.relation  [unknown_code]  1 rader: 2" in swedish
    assert "ERROR  reports.relation  [unknown_code]  1 rows: 2" in english
    assert "kodlistan" in swedish and "code list" not in swedish
    assert "code list" in english and "kodlistan" not in english


def test_findings_as_a_table(tmp_path):
    frame = frame_findings(load(tmp_path, report(relation="neighbour")).findings)
    assert frame.loc[0, ["table", "rule", "count", "rows"]].tolist() == [
        "reports",
        "unknown_code",
        1,
        "2",
    ]
    assert frame_findings([]).columns.tolist() == frame.columns.tolist()
