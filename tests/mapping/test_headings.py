"""A row of data in the place of the headings stops everything and is never quoted."""

from __future__ import annotations

import openpyxl
import pytest

from revictimisation.commands import map as preparation
from revictimisation.core.errors import DataError
from tests.cases import for_each
from tests.mapping.raw_files import identity_number
from tests.mapping.test_extract import make

NAMES = "Dnr;Pnr;Namn;Datum;Rel;Distrikt;Text"
WORDS = ("Test Testsson", "TIDIGARE PARTNER", "soderort", "Anmälaren")
ROWS = [
    f"k{one};{identity_number(one)};Test Testsson;2013-04-27;TIDIGARE PARTNER;soderort;"
    "Anmälaren uppger"
    for one in range(6)
]
BY_NAME = (
    "report_id: Dnr, victim_id: Pnr, reported_on: Datum, relation: {from: Rel, others: unknown}"
)
BY_NUMBER = "report_id: 1, victim_id: 2, reported_on: 4, relation: {from: 5, others: unknown}"
TEXT = "\n".join([NAMES, *ROWS]) + "\n"


def mapping(columns: str, header_row: int | None = None) -> str:
    row = f"header_row: {header_row}, " if header_row else ""
    return f"tables: {{reports: {{{row}columns: {{{columns}}}}}}}"


def refuse(folder, text: str, told: str) -> str:
    with pytest.raises(DataError, match="unclear_heading") as fault:
        make(folder, text, told)
    assert not (folder / "out").exists()
    said = str(fault.value)
    assert not any(word in said for word in WORDS) and "inte medtagna" not in said
    assert "missing_source_column" not in said
    return said


@for_each("columns", [BY_NAME, BY_NUMBER])
@for_each("header_row", [2, 3, 5])
def test_a_wrong_row_of_headings_is_told_by_its_number(tmp_path, columns, header_row):
    said = refuse(tmp_path, TEXT, mapping(columns, header_row))
    assert f"(source.csv)  1 rader / rows: {header_row}\n" in said
    assert ("Dnr, Pnr, Datum, Rel" in said) == (columns == BY_NAME)


@for_each("columns", [BY_NAME, BY_NUMBER])
def test_a_file_without_headings_is_refused(tmp_path, columns):
    said = refuse(tmp_path, "\n".join(ROWS) + "\n", mapping(columns))
    assert "rader / rows: 1\n" in said


@for_each(
    "row", ["a;TIDIGARE PARTNER;soderort", "a;;Test Testsson", "a;Anmälaren;Anmälaren", "x;y;z"]
)
def test_words_alone_are_no_headings_unless_one_is_looked_for(tmp_path, row):
    rest = "b;TIDIGARE PARTNER;x\nc;BEKANT;soderort\n"
    said = refuse(tmp_path, f"{row}\n{rest}", mapping("report_id: Dnr, relation: Rel"))
    assert "Dnr, Rel" in said and "rader / rows: 1\n" in said


def test_words_that_stand_again_below_are_data_by_number_too(tmp_path):
    rows = "a;TIDIGARE PARTNER;x\nb;TIDIGARE PARTNER;y\n"
    by_number = mapping("report_id: 1, relation: {from: 2, others: unknown}")
    assert "rader / rows: 1\n" in refuse(tmp_path, rows, by_number)


@for_each("header_row", [3, 4])
def test_a_sheets_row_of_data_is_refused_alike(tmp_path, header_row):
    book = openpyxl.Workbook()
    for row in ["Insatser", NAMES, *ROWS]:
        book.active.append(row.split(";"))
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "m.yaml").write_text(mapping(BY_NAME, header_row))
    with pytest.raises(DataError, match="unclear_heading") as fault:
        preparation.map_to(
            str(tmp_path / "a.xlsx"), tmp_path / "out", tmp_path / "m.yaml", "csv", 1
        )
    assert not any(word in str(fault.value) for word in WORDS)


def test_columns_left_out_are_named_only_in_a_clear_row_of_headings(tmp_path):
    _, report, _ = make(tmp_path / "named", TEXT, mapping(BY_NAME))
    assert "not carried over: Namn, Distrikt, Text" in report
    _, report, _ = make(tmp_path / "by_number", TEXT, mapping(BY_NUMBER))
    assert "not carried over: #3, #6, #7" in report
    saved = (tmp_path / "by_number" / "out" / "m_report.json").read_text(encoding="utf-8")
    assert "Distrikt" not in saved


def test_a_year_or_a_second_row_of_headings_stops_nothing(tmp_path):
    text = TEXT.replace("Text\n", "2013\n", 1) + NAMES.replace("Text", "2013") + "\n"
    tables, report, _ = make(tmp_path / "named", text, mapping(BY_NAME))
    assert len(tables["reports"]) == 7 and "Distrikt, 2013" not in report
    assert len(make(tmp_path / "number", text, mapping(BY_NUMBER))[0]["reports"]) == 7


def test_a_draft_of_rows_without_headings_quotes_nothing(tmp_path):
    (tmp_path / "a.csv").write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="unclear_heading") as fault:
        preparation.draft_to(str(tmp_path / "a.csv"), tmp_path / "out", 1)
    assert not any(word in str(fault.value) for word in WORDS)
