"""Files that are no tables give findings, never a traceback."""

from __future__ import annotations

import pytest

from revictimisation.core.engine import connect
from revictimisation.core.errors import UsageError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from tests.cases import for_each
from tests.validation.extracts import REQUIRED, TODAY, VALID, brief, load, write_extract

HEAD, *ROWS = VALID["reports"].splitlines()


def reports(content: str | bytes, name: str = "reports.csv") -> dict[str, str | bytes]:
    others = {key: text for key, text in REQUIRED.items() if key != "reports"}
    return {**others, name: content}


def rules(tmp_path, tables) -> dict[tuple[str, str], str]:
    found = load(tmp_path, tables).findings
    return {(one.table, one.rule): one.severity for one in found}


BROKEN = {
    "no bytes": (b"", "empty_file"),
    "blank lines only": (b"\n\n\n", "empty_file"),
    "separators only": (b",,,\n", "empty_file"),
    "headings only": (HEAD + "\n", "empty_table"),
    "a spreadsheet renamed": (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)), "unreadable_file"),
    "text of a mainframe": ((HEAD + "\n" + ROWS[0]).encode("cp500"), "unreadable_file"),
    "a byte that is in no encoding": (
        f"{HEAD}\n{ROWS[0]}\n".encode() + b"\x81\x8d",
        "unreadable_file",
    ),
    "a null byte": (f"{HEAD}\n{ROWS[0]}\n".encode() + b"\x00", "unreadable_file"),
    "a short row": (f"{HEAD}\n{ROWS[0]}\nr2,v1\n", "ragged_row"),
    "a long row": (f"{HEAD}\n{ROWS[0]},more,and,more\n", "ragged_row"),
    "a quotation mark not closed": (f'{HEAD}\n{ROWS[0]}\n"{ROWS[1]}\n{ROWS[2]}\n', "ragged_row"),
    "text after a quotation": (HEAD + "\n" + ROWS[0].replace("r1", '"r1"x') + "\n", "ragged_row"),
    "a doubled heading": (f"{HEAD},relation\n{ROWS[0]},parent\n", "doubled_column"),
    "no headings": ("\n".join(ROWS), "missing_column"),
    "tabs": ("\n".join([HEAD, *ROWS]).replace(",", "\t"), "missing_column"),
}


@for_each("case", BROKEN)
def test_broken_csv_is_an_error(tmp_path, case):
    content, rule = BROKEN[case]
    assert rules(tmp_path, reports(content))[("reports", rule)] == "error"


def test_what_stands_around_the_rows_changes_nothing(tmp_path):
    text = "\n".join([HEAD, *ROWS]) + "\n"
    around = (
        text.encode("utf-16"),
        f"\n\n{text}\n".encode(),
        ("\ufeff" + text.replace("report_id", '"report_id"', 1)).encode(),
        text.encode() + b"\x1a",
        b"sep=,\r\n" + text.encode(),
    )
    for place, content in enumerate(around):
        extract = load(tmp_path / str(place), reports(content))
        assert extract.findings == () and extract.row_counts["reports"] == len(ROWS), content


def test_a_moment_counts_as_the_day_in_sweden_and_rounded_numbers_are_no_doubles(tmp_path):
    import pandas as pd

    zoned = VALID["reports"].replace("r2,v1,s1,2013-03-01", "r2,v1,s1,2013-02-28T23:30:00Z")
    found = load(tmp_path / "1", {**VALID, "reports": zoned})
    assert [brief(one) for one in found.findings] == [
        ("reports", "reported_on", "time_of_day", "notice", 1, (3,))
    ]
    frame = pd.DataFrame([row.split(",") for row in ROWS], columns=HEAD.split(","))
    days = pd.to_datetime(frame["reported_on"]) + pd.Timedelta(hours=0.5)
    frame["reported_on"] = days.dt.tz_localize("Europe/Stockholm").dt.tz_convert("UTC")
    frame.to_parquet(tmp_path / "reports.parquet")
    moments = load(tmp_path / "2", reports((tmp_path / "reports.parquet").read_bytes(),
                                           "reports.parquet"))  # fmt: skip
    column = "reported_on"
    expected = found.tables["reports"].order_by("report_id").execute()[column].tolist()
    assert moments.tables["reports"].order_by("report_id").execute()[column].tolist() == expected
    rounded = VALID["reports"].replace("r2,", "2.01304E+15,").replace("r3,", "2.01304E+15,")
    rules = {one.rule for one in load(tmp_path / "3", {**VALID, "reports": rounded}).errors}
    assert "rounded_number" in rules and "doubled_key" not in rules


def test_one_very_long_line_is_an_error(tmp_path):
    # The engine may give up on it or take it for a heading, as its readers happen to cut the file.
    found = rules(tmp_path, reports(b"a" * 3_000_000))
    assert {"unreadable_file", "missing_column"} & {
        rule for (table, rule), grade in found.items() if table == "reports" and grade == "error"
    }


@for_each("content", [b"", b"PAR1", b"PAR1" + b"\x00" * 100 + b"PAR1", HEAD.encode()])
def test_what_is_no_parquet_is_an_error(tmp_path, content):
    found = rules(tmp_path, reports(content, "reports.parquet"))
    assert found[("reports", "unreadable_file")] == "error"


def test_truncated_parquet_is_an_error(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"report_id": [f"r{number}" for number in range(1000)]})
    frame.to_parquet(tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    torn = whole[: len(whole) // 3] + bytes(50) + whole[len(whole) // 3 + 50 :]
    for number, content in enumerate((whole[:-20], torn)):
        found = rules(tmp_path / str(number), reports(content, "reports.parquet"))
        assert found[("reports", "unreadable_file")] == "error"


def test_two_files_of_one_table_are_an_error(tmp_path):
    found = rules(tmp_path, {**VALID, "reports.parquet": b"PAR1"})
    assert found[("reports", "two_files")] == "error"


def test_mixed_encodings_are_a_warning(tmp_path):
    persons = VALID["persons"].splitlines()
    text = "\n".join(
        f"{line},{more}"
        for line, more in zip(persons, ["x_ort", "Täby", "Solna", "S"], strict=True)
    )
    content = text.encode("utf-8") + "ö\n".encode("cp1252")
    assert rules(tmp_path, {**VALID, "persons": content}) == {
        ("persons", "mixed_encoding"): "warning"
    }


def test_files_of_no_table_are_a_notice_and_truth_is_known(tmp_path):
    tables = {**VALID, "person.csv": "a\n1\n", "readme.txt": "hello", "truth.csv": "measure\n"}
    found = load(tmp_path, tables).findings
    assert [brief(one) for one in found] == [("", "", "unknown_file", "notice", 1, ())]
    found = load(tmp_path / "packed", {**tables, "investigations.csv.gz": "a"}).findings
    assert [brief(one) for one in found] == [("", "", "unknown_file", "notice", 2, ())]
    assert "investigations.csv.gz, person.csv" in found[0].text.sv


def test_a_missing_folder_is_told(tmp_path):
    for folder in (tmp_path / "none", tmp_path / "file"):
        (tmp_path / "file").write_text("a")
        with pytest.raises(UsageError, match=folder.name):
            load_extract(connect(threads=1), folder, load_dictionary(), today=TODAY)


def test_an_empty_folder_misses_the_tables_that_must_be_there(tmp_path):
    extract = load(tmp_path / "empty", {})
    assert {(one.table, one.rule) for one in extract.findings} == {
        (name, "missing_table")
        for name in ("persons", "reports", "police_measures", "social_interventions")
    }
    assert len(extract.absent) == len(extract.tables) >= 10


def test_a_folder_in_the_place_of_a_file_is_no_table(tmp_path):
    (tmp_path / "reports.csv").mkdir()
    tables = {key: text for key, text in VALID.items() if key != "reports"}
    assert rules(tmp_path, tables) == {("reports", "missing_table"): "error"}


def test_other_tables_are_still_checked(tmp_path):
    tables = reports(b"\x00")
    tables["persons"] = VALID["persons"].replace("1980", "eighty")
    found = rules(tmp_path, tables)
    assert found[("persons", "wrong_type_integer")] == "error"


def test_parquet_of_odd_types_does_not_break(tmp_path):
    import pandas as pd

    write_extract(tmp_path, {key: text for key, text in VALID.items() if key != "reports"})
    frame = pd.DataFrame([row.split(",") for row in ROWS], columns=HEAD.split(","))
    frame["victim_id"] = [["v1"], ["v1"], ["v2"]]
    frame["is_honour"] = [{"a": 1}, {"a": 2}, None]
    frame["reported_on"] = [b"\xff\x00", b"2012-03-01", None]
    frame.to_parquet(tmp_path / "reports.parquet")
    extract = load_extract(connect(threads=1), tmp_path, load_dictionary(), today=TODAY)
    assert {("reports", "wrong_type_boolean"), ("reports", "wrong_type_date")} <= {
        (one.table, one.rule) for one in extract.errors
    }
