"""A mapping file makes the contract's tables: rows in are rows out, nothing mended in silence."""

from __future__ import annotations

import csv
import stat
import sys
from pathlib import Path

import pytest

from revictimisation.commands import map as preparation
from revictimisation.core.errors import DataError, MappingError, UsageError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.mapping import read_mapping
from tests.cases import for_each
from tests.mapping.raw_files import write_municipality

DICTIONARY = load_dictionary()


def make(folder: Path, text: str | bytes, mapping: str, name: str = "source.csv", kind="csv"):
    """Map one source file; gives the rows of each table, the report and whether it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    (folder / "m.yaml").write_text(mapping, encoding="utf-8")
    report, is_complete = preparation.map_to(
        str(folder / name), folder / "out", folder / "m.yaml", kind, 2
    )
    return read(folder / "out"), report, is_complete


def read(folder: Path) -> dict[str, list[dict[str, str]]]:
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            tables[path.stem] = list(csv.DictReader(stream))
    return tables


def map_column(tmp_path, cells: list[str], column: str, settings: str, table: str = "reports"):
    """Map one column of a source of one column; gives the cells and what the report says."""
    more = "".join(
        f", {one.name}: {{constant: {'2013-01-01' if one.type == 'date' else 'x'}}}"
        for one in DICTIONARY.tables[table].fields
        if one.is_required and one.name != column
    )
    mapping = f"tables: {{{table}: {{columns: {{{column}: {{from: A{settings}}}{more}}}}}}}"
    text = "\n".join(["A;B", *(f"{cell};x" for cell in cells)]) + "\n"
    tables, report, is_complete = make(tmp_path, text, mapping)
    return [row[column] for row in tables[table]], report, is_complete


DATES = {
    "year first": ("", ["2013-04-27", "20130427", "2013-04-27 08:15", "2013-04-27T00:00:00"]),
    "day first": (
        ", date: day_month_year",
        ["27.4.2013", "27/4 2013", "27/4-2013", "27-04-2013", "27.04.2013 08:15", "2013-04-27"],
    ),
    "month first": (", date: month_day_year", ["4/27/2013", "04.27.2013", "20130427"]),
    "Excel's number": (", date: excel_number", ["41391", "41391.0", "2013-04-27"]),
    "SAS's number": (", date: sas_number", ["19475"]),
}


@for_each("case", DATES)
def test_dates_are_read_as_told(tmp_path, case):
    settings, cells = DATES[case]
    found, report, is_complete = map_column(tmp_path, cells, "reported_on", settings)
    assert found == ["2013-04-27"] * len(cells)
    assert is_complete
    assert ("time_of_day" in report) == any("08:15" in cell for cell in cells)


def test_day_and_month_are_never_guessed(tmp_path):
    cells = ["3.4.2013", "27.4.2013", "2013-02-30", "27.4.13"]
    found, report, is_complete = map_column(tmp_path / "none", cells, "reported_on", "")
    assert found == cells and not is_complete
    assert "4 rader / rows: 2, 3, 4, 5" in report
    assert "27.4" not in report.replace("27.4.2013, decimal", "").replace(
        "för 27.4.2013", ""
    ).replace("for 27.4.2013", "")
    found, _, _ = map_column(tmp_path / "day", cells, "reported_on", ", date: day_month_year")
    assert found == ["2013-04-03", "2013-04-27", "2013-02-30", "27.4.13"]
    found, _, _ = map_column(tmp_path / "month", cells, "reported_on", ", date: month_day_year")
    assert found == ["2013-03-04", "27.4.2013", "2013-02-30", "27.4.13"]


@for_each(
    ("settings", "cells", "expected"),
    [
        ("", ["1980", "1980.0", "1 980"], ["1980", "1980", "1 980"]),
        (', decimal: ","', ["1 980", "1980,0", "1\u00a0980,5"], ["1980", "1980", "1980.5"]),
        (", times: 1000", ["2", "0.5", "0.0015"], ["2000", "500", "1.5"]),
        (', decimal: ",", times: 0.1', ["30", "1,5"], ["3", "0.15"]),
    ],
)
def test_numbers_and_units(tmp_path, settings, cells, expected):
    table, column = "municipality_years", "population"
    found, _, is_complete = map_column(tmp_path, cells, column, settings, table)
    assert found == expected
    assert is_complete == all(" " not in one for one in expected)


@for_each(
    ("column", "settings", "cells", "expected", "is_complete"),
    [
        (
            "relation",
            ", codes: {Make: current_partner, '3': parent, X: ''}",
            ["make", " MAKE ", "3", "parent", "x"],
            ["current_partner", "current_partner", "parent", "parent", ""],
            True,
        ),
        ("relation", ", others: unknown", ["Make", "", "parent"], ["unknown", "", "parent"], True),
        ("relation", "", ["Make", "parent"], ["Make", "parent"], False),
        ("is_honour", ", codes: {Ja: true, Nej: false}", ["JA", "nej", "1", "0", "true"],
         ["true", "false", "true", "false", "true"], True),
        ("is_honour", "", ["Ja"], ["Ja"], False),
        ("municipality_code", ", zeros: 4", ["126", "0180"], ["0126", "0180"], True),
        # An open list: a warning; an error where most rows have no place.
        ("municipality_code", "", ["126", "0180"], ["126", "0180"], True),
        ("municipality_code", "", ["126", "180", "0180"], ["126", "180", "0180"], False),
        ("report_id", ", missing: ['-', Saknas]", ["-", "saknas", "r-1"], ["", "", "r-1"], True),
        ("report_id", "", [" r1 ", "\u00a0r2"], ["r1", "r2"], True),
        ("offence_from_on", ", missing: 9999-12-31",
         ["99991231", "9999-12-31 00:00:00", "2013-04-27"], ["", "", "2013-04-27"], True),
    ],
)  # fmt: skip
def test_codes_and_signs_for_missing(tmp_path, column, settings, cells, expected, is_complete):
    found, report, done = map_column(tmp_path, cells, column, settings)
    assert (found, done) == (expected, is_complete)
    assert f"reports: {len(cells)} rader in, {len(cells)} ut" in report


def test_unmapped_codes_are_counted_and_rare_ones_not_shown(tmp_path):
    cells = ["Make"] * 7 + ["Ingift"] * 4 + ["Hemligsson"] + ["parent"]
    _, report, is_complete = map_column(tmp_path, cells, "relation", "")
    assert not is_complete
    assert "unmapped_code" in report and "12 rader / rows: 2, 3, 4" in report
    assert "    Make: 7" in report
    assert "2 värden i 5 rader visas inte" in report
    assert "Hemligsson" not in report and "Ingift" not in report
    saved = (tmp_path / "out" / "m_report.json").read_text(encoding="utf-8")
    assert "Hemligsson" not in saved and '"Make"' in saved


def test_many_different_codes_are_no_codes_and_none_is_shown(tmp_path):
    cells = [f"Person {one % 70}" for one in range(70 * 6)]
    _, report, _ = map_column(tmp_path, cells, "relation", "")
    assert "Person" not in report and "70 värden" in report


def test_every_column_of_the_table_is_there_and_no_other(tmp_path):
    mapping = (
        "tables:\n  persons:\n    columns:\n      person_id: Nr\n      protected_identity:"
        " {constant: none}\n      x_income: {from: Ink, codes: {Hög: high}}\n"
    )
    tables, report, _ = make(tmp_path, "Nr;Ink;Namn\np1;hög;Hemligsson\n", mapping)
    (row,) = tables["persons"]
    assert list(row) == [*DICTIONARY.tables["persons"].field_names, "x_income"]
    assert (row["person_id"], row["protected_identity"], row["x_income"]) == ("p1", "none", "high")
    assert "not carried over: Namn" in report
    assert "empty: birth_year, sex" in report


def test_identity_numbers_go_only_where_people_are_named(tmp_path):
    text = "A;B\n19790229-4711;x\n19800101-4711;y\n"
    good = "tables: {reports: {columns: {victim_id: A, report_id: B}}}"
    assert make(tmp_path / "good", text, good)[0]["reports"][0]["victim_id"] == "19790229-4711"
    for column in ("report_id", "relation", "offence_code"):
        mapping = f"tables: {{reports: {{columns: {{{column}: A}}}}}}"
        with pytest.raises(DataError, match="identity_number_moved") as fault:
            make(tmp_path / column, text, mapping)
        assert "4711" not in str(fault.value)
        assert not (tmp_path / column / "out").exists()


def test_free_text_is_no_covariate(tmp_path):
    rows = "".join(f"p{one};Namn Nummer {one}\n" for one in range(200))
    mapping = "tables: {persons: {columns: {person_id: A, x_note: B}}}"
    with pytest.raises(DataError, match="text_moved"):
        make(tmp_path / "text", f"A;B\n{rows}", mapping)
    numbers = "".join(f"p{one};{one},5\n" for one in range(200))
    assert make(tmp_path / "numbers", f"A;B\n{numbers}", mapping)[2]


def test_names_may_be_carried_for_linkage_and_nothing_else_like_them(tmp_path):
    rows = "".join(f"{one};Förnamn{one};Efternamn{one}\n" for one in range(80))
    columns = "{person_id: Nr, given_name: F, family_name: E}"
    mapping = f"tables: {{persons: {{columns: {columns}}}}}"
    tables, _, is_complete = make(tmp_path, f"Nr;F;E\n{rows}", mapping)
    assert is_complete and tables["persons"][7]["family_name"] == "Efternamn7"
    for other in (mapping.replace("given_name", "address"), mapping.replace("persons", "reports")):
        with pytest.raises(MappingError, match="unknown column"):
            read_mapping(other, DICTIONARY)


def test_several_parts_and_next_years_files_follow_one_another(tmp_path):
    (tmp_path / "in").mkdir()
    for name, rows in (("v_2014.csv", "c\nd\n"), ("v_2013.csv", "a\nb\n"), ("s.csv", "b\na\n")):
        (tmp_path / "in" / name).write_text(f"Nr\n{rows}")
    part = "{file: %s, unique_rows: %s, columns: {person_id: Nr}}"
    for is_unique, expected in ((True, "abcd"), (False, "abcdba")):
        parts = ", ".join(part % (name, str(is_unique).lower()) for name in ("'v_*.csv'", "s.csv"))
        (tmp_path / f"{is_unique}.yaml").write_text(f"tables: {{persons: [{parts}]}}")
        out = tmp_path / str(is_unique)
        report, _ = preparation.map_to(
            str(tmp_path / "in"), out, tmp_path / f"{is_unique}.yaml", "csv", 2
        )
        assert "".join(row["person_id"] for row in read(out)["persons"]) == expected
        assert f"persons: 6 rader in, {len(expected)} ut" in report
        assert ("2 rader var helt lika" in report) == is_unique
        assert "v_2014.csv: 2" in report


def test_a_sheet_below_a_title_keeps_excels_row_numbers(tmp_path):
    path = write_municipality(tmp_path / "insatser.xlsx")
    columns = "{intervention_id: Beslut id, start_on: Fr.o.m., end_on: T.o.m.}"
    mapping = (
        f"tables: {{social_interventions: {{sheet: Insatser, header_row: 3, columns: {columns}}}}}"
    )
    (tmp_path / "m.yaml").write_text(mapping)
    report, is_complete = preparation.map_to(
        str(path), tmp_path / "out", tmp_path / "m.yaml", "csv", 2
    )
    rows = read(tmp_path / "out")["social_interventions"]
    assert [row["start_on"] for row in rows[:2]] == ["2013-01-05", "2013-01-19"]
    assert not is_complete
    # Rows 4, 6, … hold "-", rows 5, 7, … a day with the year last.
    assert "20 rader / rows: 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 …" in report


MISTAKES = {
    "an unknown key": ("table: {}\n", "did you mean tables"),
    "an unknown table": ("tables: {report: {columns: {sex: A}}}", "did you mean reports"),
    "an unknown column": ("tables: {persons: {columns: {sexx: A}}}", "did you mean sex"),
    "an unknown setting": (
        "tables: {persons: {columns: {sex: {from: A, code: {}}}}}",
        "did you mean codes",
    ),
    "an unknown form of dates": (
        "tables: {persons: {columns: {died_on: {from: A, date: dmy}}}}",
        "day_month_year",
    ),
    "a source and a constant": (
        "tables: {persons: {columns: {sex: {from: A, constant: female}}}}",
        "either from or constant",
    ),
    "a code twice": (
        "tables: {persons: {columns: {sex: {from: A, codes: {K: female, k: male}}}}}",
        "twice",
    ),
    "no YAML": ("tables: [", "YAML"),
    "a list": ("- a", "keys and values"),
    "nothing": ("", "keys and values"),
    "no columns": ("tables: {persons: {columns: {}}}", "columns"),
}


@for_each("case", MISTAKES)
def test_a_mapping_file_that_does_not_conform_is_refused(case):
    text, words = MISTAKES[case]
    with pytest.raises(MappingError, match=words) as fault:
        read_mapping(text, DICTIONARY)
    assert fault.value.exit_code == 4


def test_the_mapping_files_texts_stay_texts():
    mapping = read_mapping(
        "tables: {persons: {columns: {municipality_code: {from: 0126, missing: no}}}}", DICTIONARY
    )
    column = mapping.tables["persons"][0].columns["municipality_code"]
    assert (column.source, column.missing) == ("0126", ("no",))


FAULTS = {
    "a column that is not there": ("A;B\n1;2\n", "{person_id: A, sex: C}", "missing_source_column"),
    "a column that is there twice": ("A;A\n1;2\n", "{person_id: A}", "missing_source_column"),
    "a row of other length": ("A;B\n1;2\n1;2;3\n", "{person_id: A}", "ragged_row"),
    "no bytes": ("", "{person_id: A}", "empty_file"),
    "a workbook called text": (b"PK\x03\x04" + bytes(90), "{person_id: A}", "misnamed_file"),
    "bytes of no text": (b"A;B\n\x00\x01;2\n", "{person_id: A}", "unreadable_file"),
}


@for_each("case", FAULTS)
def test_a_source_that_can_not_be_read_makes_no_extract(tmp_path, case):
    text, columns, rule = FAULTS[case]
    with pytest.raises(DataError, match=rule):
        make(tmp_path, text, f"tables: {{persons: {{columns: {columns}}}}}")
    assert not (tmp_path / "out").exists()


def test_a_column_that_is_sought_is_told_beside_those_there_are(tmp_path):
    with pytest.raises(DataError, match="looked for: Målsägande\n  finns / there are: A, B"):
        columns = "{person_id: Målsägande, x_b: B}"
        make(tmp_path, "A;B\n1;2\n", f"tables: {{persons: {{columns: {columns}}}}}")


def test_a_misspelt_heading_is_told_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match="menade du / did you mean: Målsägande pnr"):
        columns = "{person_id: Malsägande pn, x_b: B}"
        make(tmp_path, "Målsägande pnr;B\n1;2\n", f"tables: {{persons: {{columns: {columns}}}}}")


def test_what_comes_next_is_told(tmp_path):
    told = preparation.describe_next(tmp_path, tmp_path / "m.yaml", True)
    assert f"revictimisation pseudonymise {tmp_path} UT --key-file" in told
    assert "m.yaml" in preparation.describe_next(tmp_path, tmp_path / "m.yaml", False)


def test_rows_of_separators_alone_are_left_out_and_counted(tmp_path):
    text = "A;B\n1;x\n;;\n2;x\n\n;\nfel;x\n; \n;\n".replace(";;\n", ";\n")
    mapping = "tables: {reports: {columns: {reported_on: A, report_id: B}}}"
    tables, report, is_complete = make(tmp_path, text, mapping)
    assert [row["reported_on"] for row in tables["reports"]] == ["1", "2", "fel"]
    assert "reports: 3 rader in, 3 ut" in report and not is_complete
    assert "[empty_rows]  (source.csv)  4 rader / rows" in report
    # Row numbers are the file's: 3, 5 to 6, 8 and 9 hold nothing.
    assert "3 rader / rows: 2, 4, 7" in report


def test_a_heading_told_in_an_empty_row_is_said_to_be_there(tmp_path):
    path = write_municipality(tmp_path / "insatser.xlsx")
    mapping = "tables: {persons: {sheet: Insatser, header_row: 2, columns: {person_id: A}}}"
    (tmp_path / "m.yaml").write_text(mapping)
    with pytest.raises(DataError, match="unclear_heading"):
        preparation.map_to(str(path), tmp_path / "out", tmp_path / "m.yaml", "csv", 2)


def test_a_column_may_be_given_by_its_place(tmp_path):
    tables, _, _ = make(tmp_path, "A;A\n1;2\n", "tables: {persons: {columns: {person_id: 2}}}")
    assert tables["persons"][0]["person_id"] == "2"


def test_a_table_of_another_mapping_is_not_written_over(tmp_path):
    mapping = "tables: {persons: {columns: {person_id: A}}}"
    for _ in range(2):
        assert make(tmp_path, "A;B\n1;2\n", mapping)[2]
    (tmp_path / "other.yaml").write_text(mapping)
    with pytest.raises(UsageError, match=r"persons\.csv"):
        preparation.map_to(
            str(tmp_path / "source.csv"), tmp_path / "out", tmp_path / "other.yaml", "csv", 1
        )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_what_holds_identity_numbers_is_for_its_owner_alone(tmp_path):
    make(tmp_path, "A;B\n1;2\n", "tables: {persons: {columns: {person_id: A}}}")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


SHEETS = {
    "Insatser*": ("", ()),
    "*2018": ("", ()),
    "Insatser": ("missing_sheet", ("Insatser 2011-2018", "Läs mig")),
    "Klient*": ("missing_sheet", ("Insatser 2011-2018", "Läs mig")),
    "*s*": ("unclear_sheet", ("Insatser 2011-2018", "Läs mig")),
}


@for_each("wanted", SHEETS)
def test_a_sheet_may_be_given_by_a_pattern_and_those_there_are_told(tmp_path, wanted):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Insatser 2011-2018"
    book.active.append(["A", "B"])
    book.active.append(["p1", "x"])
    book.create_sheet("Läs mig").append(["A"])
    book.create_sheet("790229-4711")
    book.save(tmp_path / "a.xlsx")
    mapping = f"tables: {{persons: {{sheet: '{wanted}', columns: {{person_id: A}}}}}}"
    (tmp_path / "m.yaml").write_text(mapping)
    given = (str(tmp_path / "a.xlsx"), tmp_path / "out", tmp_path / "m.yaml", "csv", 1)
    rule, names = SHEETS[wanted]
    if not rule:
        preparation.map_to(*given)
        assert read(tmp_path / "out")["persons"][0]["person_id"] == "p1"
        return
    with pytest.raises(DataError, match=rule) as fault:
        preparation.map_to(*given)
    assert f"there are: {', '.join(names)}" in str(fault.value)
    assert "4711" not in str(fault.value)
