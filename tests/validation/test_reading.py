"""Every way in which the contract lets an extract be written gives the same tables."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan
from tests.cases import for_each
from tests.validation.extracts import (
    OPTIONAL,
    REQUIRED,
    TODAY,
    VALID,
    brief,
    change,
    load,
    write_extract,
)

# a way of writing is of no table: those that must be there, and one that holds whole numbers
TABLES = {**REQUIRED, "municipality_years": VALID["municipality_years"]}


def frames(extract) -> dict[str, pd.DataFrame]:
    return {
        name: table.order_by("row_number").to_pandas() for name, table in extract.tables.items()
    }


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[str, pd.DataFrame]:
    """The tables as they stand."""
    return frames(load(tmp_path_factory.mktemp("plain"), TABLES))


def assert_same(extract, plain: dict[str, pd.DataFrame], with_numbers: bool = True) -> None:
    one, other = frames(extract), plain
    assert one.keys() == other.keys()
    for name in one:
        drop = [] if with_numbers else ["row_number"]
        pd.testing.assert_frame_equal(one[name].drop(columns=drop), other[name].drop(columns=drop))


def with_encoding(encoding: str) -> dict[str, bytes]:
    return {name: text.encode(encoding) for name, text in TABLES.items()}


def with_text(old: str, new: str) -> dict[str, str]:
    return {name: text.replace(old, new) for name, text in TABLES.items()}


def quoted(text: str) -> str:
    return "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
    )


FLAVOURS = {
    "byte order mark": with_encoding("utf-8-sig"),
    "semicolons": with_text(",", ";"),
    "Windows line ends": with_text("\n", "\r\n"),
    "old Macintosh line ends": with_text("\n", "\r"),
    "mixed line ends": {
        name: "\r\n".join(text.split("\n", 2)[:2]) + "\n" + text.split("\n", 2)[2]
        for name, text in TABLES.items()
    },
    "no last line end": {name: text.rstrip("\n") for name, text in TABLES.items()},
    "blank last lines": with_text("", "") | {name: f"{text}\n\n" for name, text in TABLES.items()},
    "quoted": {name: quoted(text) for name, text in TABLES.items()},
    "padded cells": with_text(",", " , "),
    "compact dates": {
        **TABLES,
        "reports": TABLES["reports"].replace("2012-03-01", "20120301"),
        "persons": TABLES["persons"].replace("2016-05-01", "20160501"),
    },
    "headings in capitals": {
        name: text.split("\n", 1)[0].upper() + "\n" + text.split("\n", 1)[1]
        for name, text in TABLES.items()
    },
    "booleans in capitals": {
        **with_text("true", "TRUE"),
        "reports": TABLES["reports"].replace("true", "TRUE").replace("false", "False"),
    },
    "booleans as figures": {**TABLES, "reports": TABLES["reports"].replace("false", "0")},
    "file names in capitals": {f"{name.upper()}.CSV": text for name, text in TABLES.items()},
    "columns in another order": {
        name: pd.read_csv(io.StringIO(text), dtype=str).iloc[:, ::-1].to_csv(index=False)
        for name, text in TABLES.items()
    },
}


def test_a_conforming_extract_has_no_findings(tmp_path):
    extract = load(tmp_path)
    assert extract.findings == ()
    assert extract.absent == OPTIONAL - {*VALID}
    assert extract.row_counts["reports"] == 3
    extract.raise_for_errors()


@for_each("flavour", FLAVOURS)
def test_every_flavour_of_csv_gives_the_same_tables(tmp_path, plain, flavour):
    changed = load(tmp_path, FLAVOURS[flavour])
    assert changed.findings == ()
    assert_same(changed, plain)


def test_windows_1252_with_semicolons_and_swedish_letters(tmp_path):
    persons = "x_ort".join(["person_id;birth_year;", ";sex;municipality_code;died_on;"])
    text = (
        f"{persons}emigrated_on;protected_identity\n"
        "v1;1980;Åkersberga;female;0126;;;none\nv2;1990;Täby;male;0180;;;none\n"
        "s1;1975;Sköndal;male;0126;;;none\n"
    )
    extract = load(tmp_path, {**REQUIRED, "persons": text.encode("cp1252")})
    assert extract.findings == ()
    found = extract.tables["persons"].order_by("row_number").x_ort.to_pandas()
    assert found.tolist() == ["Åkersberga", "Täby", "Sköndal"]


def test_types_are_those_of_the_dictionary(tmp_path):
    extract = load(tmp_path)
    for table in load_dictionary().tables_by_direction("in"):
        schema = extract.tables[table.name].schema()
        assert tuple(schema) == (*table.field_names, "row_number")
        for field in table.fields:
            names = {"integer": "int64", "number": "float64"}
            assert str(schema[field.name]) == names.get(field.type, field.type)
    reports = frames(extract)["reports"]
    assert [one is not None and bool(one) for one in reports["is_honour"][:2]] == [False, True]
    assert pd.isna(reports["is_honour"][2])
    assert reports["reported_on"][0] == pd.Timestamp(2012, 3, 1)


def test_optional_tables_not_given_are_empty_and_named(tmp_path):
    extract = load(tmp_path, {name: VALID[name] for name in VALID if name not in OPTIONAL})
    assert extract.absent == OPTIONAL
    assert extract.findings == ()
    assert extract.row_counts["investigations"] == 0
    assert "has_witness" in extract.tables["investigations"].columns


def test_tables_of_headings_only_are_legal_but_for_people_and_reports(tmp_path):
    empty = {name: text.split("\n")[0] + "\n" for name, text in VALID.items()}
    extract = load(tmp_path, {**empty, "persons": VALID["persons"], "reports": VALID["reports"]})
    assert extract.findings == ()


def write_parquet(folder: Path, convert) -> Path:
    folder.mkdir()
    for name, content in TABLES.items():
        table, text = load_dictionary().tables[name], io.StringIO(content)
        frame = pd.read_csv(text, dtype=str).astype(object)
        frame = frame.where(frame.notna(), None)
        convert(table, frame).to_parquet(folder / f"{table.name}.parquet")
    return folder


def as_natural_types(table, frame):
    for field in table.fields:
        column = frame[field.name]
        if field.type == "date":
            frame[field.name] = pd.to_datetime(column)
        elif field.type == "boolean":
            frame[field.name] = column.map({"true": True, "false": False}).astype("boolean")
        elif field.type == "integer":
            frame[field.name] = column.astype(float)
        elif field.codes:
            frame[field.name] = column.astype("category")
    return frame


def as_dates(table, frame):
    for field in table.fields:
        if field.type == "date":
            days = pd.to_datetime(frame[field.name])
            frame[field.name] = days.map(lambda day: None if pd.isna(day) else day.date())
    return frame


@for_each("convert", [lambda table, frame: frame, as_natural_types, as_dates])
def test_parquet_of_any_types_gives_the_same_tables(tmp_path, plain, convert):
    folder = write_parquet(tmp_path / "parquet", convert)
    extract = load_extract(connect(threads=1), folder, load_dictionary(), today=TODAY)
    assert extract.findings == ()
    assert_same(extract, plain, with_numbers=False)
    assert frames(extract)["reports"]["row_number"].tolist() == [1, 2, 3]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path):
    reports = VALID["reports"].splitlines()
    reports.insert(2, "")  # a blank row 3
    reports.insert(4, "too,few")  # row 5
    reports[5] = reports[5].replace("city", '"ci\nty"')  # row 6 holds a line end
    reports.append("r9,v1,s1,not-a-date,,9353,parent,,city,0180")  # row 7
    extract = load(tmp_path, {**REQUIRED, "reports": "\n".join(reports)})
    found = {one.rule: one.rows for one in extract.findings if one.table == "reports"}
    assert found == {"ragged_row": (5,), "wrong_type_date": (7,), "unknown_code": (6,)}
    assert frames(extract)["reports"]["row_number"].tolist() == [2, 4, 6, 7]


def test_row_numbers_hold_in_a_large_file_read_in_parallel(tmp_path):
    head = VALID["reports"].splitlines()[0]
    lines = [
        f"r{number},v1,s1,2012-03-01,,9353,former_partner,,sodertorn,0126"
        for number in range(2, 300_002)
    ]
    lines[250_000] = "short,row"
    folder = write_extract(tmp_path, {**REQUIRED, "reports": "\n".join([head, *lines])})
    extract = load_extract(connect(threads=2), folder, load_dictionary(), today=TODAY)
    reports = extract.tables["reports"]
    wrong = reports.filter(reports.report_id != "r" + reports.row_number.cast("string"))
    assert wrong.count().to_pandas() == 0
    assert [brief(one)[2:] for one in extract.errors] == [("ragged_row", "error", 1, (250_002,))]
    assert extract.row_counts["reports"] == 299_999


def test_own_covariates_are_numbers_if_every_value_is(tmp_path):
    persons = VALID["persons"].splitlines()
    cells = ["x_age,x_town,x_none,x_mixed", "1.5,Kista,,1", ",,,b", "-2e1,Rinkeby,,3"]
    text = "\n".join(f"{line},{more}" for line, more in zip(persons, cells, strict=True))
    extract = load(tmp_path, {**REQUIRED, "persons": text})
    assert extract.findings == ()
    schema = extract.tables["persons"].schema()
    types = {name: str(schema[name]) for name in schema if name.startswith("x_")}
    assert types == {
        "x_age": "float64",
        "x_town": "string",
        "x_none": "float64",
        "x_mixed": "string",
    }
    assert frames(extract)["persons"]["x_age"].tolist()[::2] == [1.5, -20.0]


def test_own_covariates_may_have_a_decimal_comma_between_semicolons(tmp_path):
    persons = VALID["persons"].replace(",", ";").splitlines()
    cells = ["x_age", "1,5", "2", ""]
    text = "\n".join(f"{line};{more}" for line, more in zip(persons, cells, strict=True))
    extract = load(tmp_path, {**REQUIRED, "persons": text})
    assert frames(extract)["persons"]["x_age"].tolist()[:2] == [1.5, 2.0]


def test_not_a_number_is_text(tmp_path):
    persons = VALID["persons"].splitlines()
    cells = ["x_a", "1", "nan", "inf"]
    text = "\n".join(f"{line},{more}" for line, more in zip(persons, cells, strict=True))
    extract = load(tmp_path, {**REQUIRED, "persons": text})
    assert str(extract.tables["persons"].schema()["x_a"]) == "string"


def test_a_study_file_makes_measure_codes_known_and_its_covariates_required(tmp_path):
    tables = change("police_measures", "safety_talk", "street_patrol")
    without = load(tmp_path / "without", tables)
    assert [brief(one)[:4] for one in without.findings] == [
        ("police_measures", "measure", "unknown_code", "warning")
    ]
    plan = read_plan("{name: a, measures: {m: {codes: [street_patrol]}}, adjust_for: [x_age]}")
    found = [brief(one)[:4] for one in load(tmp_path / "with", tables, plan).findings]
    assert found == [("persons", "x_age", "missing_column", "error")]


def test_two_extracts_on_one_connection_stay_apart(tmp_path):
    con = connect(threads=1)
    one = load_extract(con, write_extract(tmp_path / "1"), load_dictionary(), today=TODAY)
    tables = change("persons", "v1,1980", "v1,1981")
    write_extract(tmp_path / "2", tables)
    other = load_extract(con, tmp_path / "2", load_dictionary(), today=TODAY)
    assert one.tables["persons"].birth_year.max().to_pandas() == 1990
    assert 1980 in one.tables["persons"].birth_year.to_pandas().tolist()
    assert 1980 not in other.tables["persons"].birth_year.to_pandas().tolist()


def test_a_folder_whose_name_looks_like_a_pattern(tmp_path):
    assert load(tmp_path / "uttag [2014] *?").findings == ()


def test_a_file_that_was_rewritten_leaves_nothing_behind(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    load(tmp_path / "extract", change("persons", "none", "n\xe5got"))
    tables = {**VALID, "persons": VALID["persons"].replace("none", "n\xe5got").encode("cp1252")}
    load(tmp_path / "windows", tables)
    assert list(scratch.iterdir()) == []


@for_each("days_ahead", [0, 1])
def test_today_is_the_last_date_that_may_occur(tmp_path, days_ahead):
    day = TODAY + dt.timedelta(days=days_ahead)
    extract = load(tmp_path, change("reports", "2013-03-01", day.isoformat()))
    rules = {one.rule for one in extract.errors}
    assert rules == ({"out_of_range"} if days_ahead else set())
