"""What a failed or changed run leaves of the one before, and what the report's first lines say."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from revictimisation.commands import map as preparation
from revictimisation.commands.pseudonymise import PseudonymOptions, pseudonymise_folder
from revictimisation.core.errors import DataError, MappingError, UsageError
from revictimisation.extract.pseudonyms.keys import make_key, write_key
from tests.cases import for_each
from tests.mapping.raw_files import identity_number
from tests.mapping.test_extract import make

PEOPLE = "tables: {persons: {columns: {person_id: A, protected_identity: {constant: none}}}}"
GOOD = f"A;B\n{identity_number(1)};x\n{identity_number(2)};y\n"
FAILING = {
    "a heading that is gone": (GOOD.replace("A", "C", 1), PEOPLE, DataError),
    "a row of other length": (GOOD + "1;2;3\n", PEOPLE, DataError),
    "an empty file": ("", PEOPLE, DataError),
    "a mapping with a fault": (GOOD, PEOPLE.replace("person_id", "person"), MappingError),
}


def pseudonymise(folder):
    key = folder / "custody" / "a.key"
    if not key.exists():
        write_key(key, make_key("county", 1))
    wishes = PseudonymOptions(reference_on=dt.date(2014, 12, 31))
    return pseudonymise_folder(folder / "out", folder / "pseudonyms", key, wishes)


@for_each("case", FAILING)
def test_a_failed_run_says_that_the_last_ones_tables_are_there_and_they_go_no_further(
    tmp_path, case
):
    text, mapping, kind = FAILING[case]
    assert make(tmp_path, GOOD, PEOPLE)[2]
    assert "kontrolltecken" in pseudonymise(tmp_path)
    for _ in range(2):
        with pytest.raises(kind, match=r"still lie in .*: persons\.csv"):
            make(tmp_path, text, mapping)
    said = (tmp_path / "out" / "m_report.txt").read_text(encoding="utf-8")
    assert "alla koder har en plats" not in said and "Förra körningens tabeller" in said
    with pytest.raises(DataError, match=r"m \(m_report\.txt\)"):
        pseudonymise(tmp_path)
    assert make(tmp_path, GOOD, PEOPLE)[2]
    assert "kontrolltecken" in pseudonymise(tmp_path)


def test_what_map_did_not_finish_is_not_pseudonymised(tmp_path):
    mapping = PEOPLE.replace("}}}}", "}, sex: {from: B}}}}")
    assert not make(tmp_path, GOOD, mapping)[2]
    with pytest.raises(DataError, match="kör map igen"):
        pseudonymise(tmp_path)
    assert not (tmp_path / "pseudonyms").exists()


def test_a_table_that_is_no_longer_made_does_not_stay(tmp_path):
    both = PEOPLE.replace("tables: {", "tables: {reports: {columns: {victim_id: A}}, ")
    make(tmp_path, GOOD, both)
    (tmp_path / "out" / "extra.csv").write_text("a\n1\n")
    tables, report, is_complete = make(tmp_path, GOOD, PEOPLE)
    assert is_complete and sorted(tables) == ["extra", "persons"]
    assert "no longer makes it: reports.csv" in report
    facts = json.loads((tmp_path / "out" / "m_report.json").read_text(encoding="utf-8"))
    assert facts["files"] == ["persons.csv"]


def test_another_mappings_table_stays(tmp_path):
    both = PEOPLE.replace("tables: {", "tables: {reports: {columns: {victim_id: A}}, ")
    make(tmp_path, GOOD, both)
    (tmp_path / "out" / "reports.csv").unlink()
    (tmp_path / "other.yaml").write_text("tables: {reports: {columns: {victim_id: A}}}")
    source = str(tmp_path / "source.csv")
    preparation.map_to(source, tmp_path / "out", tmp_path / "other.yaml", "csv", 1)
    assert sorted(make(tmp_path, GOOD, PEOPLE)[0]) == ["persons", "reports"]


def test_the_source_itself_is_no_place_for_what_is_made(tmp_path):
    make(tmp_path, GOOD, PEOPLE)
    for given in (tmp_path, tmp_path / "source.csv"):
        with pytest.raises(UsageError, match="inside, or around, what is read"):
            preparation.map_to(str(given), tmp_path, tmp_path / "m.yaml", "csv", 1)
        with pytest.raises(UsageError, match="inside, or around, what is read"):
            preparation.draft_to(str(given), tmp_path, 1)


def test_no_rows_are_counted_where_nothing_was_written(tmp_path):
    both = PEOPLE.replace("tables: {", "tables: {reports: {columns: {victim_id: Nr}}, ")
    with pytest.raises(DataError, match="Inget uttag skrevs") as fault:
        make(tmp_path, GOOD, both)
    assert "rader in" not in str(fault.value)


def test_the_first_lines_name_the_warnings(tmp_path):
    _, report, is_complete = make(tmp_path, GOOD + ";z\n", PEOPLE)
    head = report.split("\n\n")[0]
    assert is_complete and "alla koder har en plats" not in head
    assert "[empty_required]: persons.person_id" in head and "slutkod 0" in head
    assert "VARNING" not in make(tmp_path / "all", GOOD, PEOPLE)[1]
