"""Excel, SAS and SPSS files are tables of an extract; row numbers are those the analyst sees."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from revictimisation.dictionary import load_dictionary
from tests.cases import for_each
from tests.sources.sas_file import load_writer, write_sas
from tests.validation.extracts import VALID, brief, load
from tests.validation.test_reading import assert_same, frames

DAYS_TO_1960 = 3653


def without(name: str) -> dict[str, str]:
    return {key: text for key, text in VALID.items() if key != name}


def cells(name: str) -> list[list[str]]:
    return [line.split(",") for line in VALID[name].splitlines()]


def as_typed(name: str) -> list[list[object]]:
    """The table with dates, numbers and truth values as Excel keeps them."""
    head, *rows = cells(name)
    kinds = {one.name: one.type for one in load_dictionary().tables[name].fields}
    read = {
        "date": lambda text: dt.datetime.fromisoformat(text),
        "integer": int,
        "boolean": lambda text: text == "true",
    }
    typed = [
        [
            read.get(kinds[column], str)(text) if text else None
            for column, text in zip(head, row, strict=True)
        ]
        for row in rows
    ]
    return [head, *typed]


def write_workbook(path, sheets) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def test_excel_gives_the_same_table(tmp_path):
    (tmp_path / "excel").mkdir()
    for name in VALID:
        write_workbook(tmp_path / "excel" / f"{name}.xlsx", {"Blad1": as_typed(name)})
    extract = load(tmp_path / "excel", {})
    assert extract.findings == ()
    assert_same(extract, frames(load(tmp_path / "csv")))


def test_rows_have_the_numbers_that_excel_shows(tmp_path):
    head, *rows = as_typed("persons")
    rows[2][1] = "okänt"
    sheets = {"Läs mig": [["x"]], "Persons": [[], head, rows[0], [None], [], rows[1], rows[2]]}
    write_workbook(tmp_path / "persons.xlsx", sheets)
    found = load(tmp_path, without("persons")).findings
    assert [brief(one) for one in found] == [
        ("persons", "birth_year", "wrong_type_integer", "error", 1, (7,))
    ]


def spoil_workbook(path, kind: str) -> None:
    head, *rows = as_typed("persons")
    if kind == "locked_file":
        path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    elif kind == "misnamed_file":
        path.write_text(VALID["persons"])
    elif kind == "unclear_sheet":
        write_workbook(path, {"Blad1": [head, *rows], "Blad2": [head, *rows]})
    elif kind == "empty_file":
        write_workbook(path, {"Blad1": []})
    elif kind == "doubled_column":
        write_workbook(path, {"Blad1": [[*head, "sex"], *rows]})
    elif kind == "unreadable_file":
        write_workbook(path, {"Blad1": [head, *rows]})
        path.write_bytes(path.read_bytes()[:2000])
    else:
        book = openpyxl.Workbook()
        for row in (["Personer 2013"], head, *rows):
            book.active.append(row)
        book.active.merge_cells("A1:C1")
        book.save(path)


FAULTS = (
    *("locked_file", "misnamed_file", "unclear_sheet", "empty_file", "doubled_column"),
    *("unreadable_file", "unclear_heading"),
)


@for_each("kind", FAULTS)
def test_a_workbook_that_is_no_table_is_told(tmp_path, kind):
    spoil_workbook(tmp_path / "persons.xlsx", kind)
    found = load(tmp_path, without("persons")).errors
    assert kind in {one.rule for one in found if one.table == "persons"}


def frame(name: str) -> pd.DataFrame:
    table = pd.read_csv(io.StringIO(VALID[name]), dtype=str)
    for field in load_dictionary().tables[name].fields:
        if field.type == "date":
            table[field.name] = pd.to_datetime(table[field.name]).dt.date
        if field.type in ("integer", "number"):
            table[field.name] = table[field.name].astype(float)
    return table


def test_spss_and_sas_transport_give_the_same_table(tmp_path):
    (tmp_path / "spss").mkdir()
    pyreadstat.write_sav(frame("reports"), tmp_path / "spss" / "reports.sav")
    people = frame("persons").rename(
        columns={"municipality_code": "municip", "protected_identity": "prot"}
    )
    pyreadstat.write_sav(
        people.rename(columns={"municip": "municipality_code", "prot": "protected_identity"}),
        tmp_path / "spss" / "persons.sav",
        missing_ranges={"birth_year": [9999]},
    )
    rest = {key: text for key, text in VALID.items() if key not in ("reports", "persons")}
    extract = load(tmp_path / "spss", rest)
    assert extract.findings == ()
    assert_same(extract, frames(load(tmp_path / "csv")), with_numbers=False)


def test_sas_gives_the_same_table_and_the_first_row_is_row_1(tmp_path):
    if load_writer() is None:
        pytest.skip("this build of pyreadstat does not show ReadStat's writer")
    head, *rows = cells("persons")
    columns: dict[str, list] = {
        name: [row[place] or None for row in rows] for place, name in enumerate(head)
    }
    columns["birth_year"] = [float(one) for one in columns["birth_year"]]
    epoch = dt.date(1970, 1, 1)
    for name in ("died_on", "emigrated_on"):
        columns[name] = [
            (dt.date.fromisoformat(one) - epoch).days + DAYS_TO_1960 if one else None
            for one in columns[name]
        ]
    formats = {"died_on": "DATE9", "emigrated_on": "YYMMDD10"}
    (tmp_path / "sas").mkdir()
    write_sas(tmp_path / "sas" / "persons.sas7bdat", columns, formats)
    extract = load(tmp_path / "sas", without("persons"))
    assert extract.findings == ()
    assert_same(extract, frames(load(tmp_path / "csv")), with_numbers=False)
    columns["birth_year"][1] = 1700.0
    write_sas(tmp_path / "sas" / "persons.sas7bdat", columns, formats)
    found = load(tmp_path / "sas", without("persons")).findings
    assert [(one.rule, one.rows) for one in found if one.column == "birth_year"] == [
        ("out_of_range", (2,))
    ]


@for_each("suffix", ["sas7bdat", "sav", "xpt"])
def test_what_is_no_statistics_file_is_told(tmp_path, suffix):
    (tmp_path / f"persons.{suffix}").write_bytes(b"person_id\nv1\n" * 50)
    found = load(tmp_path, without("persons")).errors
    assert {one.rule for one in found} == {"misnamed_file"}


def test_a_time_of_day_is_dropped_with_a_notice(tmp_path):
    changed = VALID["reports"].replace("r2,v1,s1,2013-03-01", "r2,v1,s1,2013-03-01 08:15")
    changed = changed.replace("r3,v2,,2014-03-01", "r3,v2,,2014-03-01T00:00:00")
    extract = load(tmp_path / "timed", {**VALID, "reports": changed})
    assert [brief(one) for one in extract.findings] == [
        ("reports", "reported_on", "time_of_day", "notice", 1, (3,))
    ]
    assert_same(extract, frames(load(tmp_path / "plain")))
