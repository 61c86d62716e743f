"""No name, sentence or number of a person is carried over, told or drafted; words of ours may."""

from __future__ import annotations

import duckdb
import pytest

from revictimisation.commands import map as preparation
from revictimisation.core.errors import DataError
from revictimisation.extract.mapping.secrecy import is_prose, may_tell, prose
from tests.cases import for_each
from tests.mapping.test_draft import draft
from tests.mapping.test_extract import make, map_column

SENTENCE = "Anmälaren uppger att något hände"
PROSAIC = {
    "Anna Andersson": True,
    "ANNA ANDERSSON": True,
    "Andersson, Anna": True,
    "Ringde Anna B. i går": True,
    "Anna-Lena Öberg": True,
    SENTENCE: True,
    "a@b.se": True,
    "Storgatan 3": True,
    "STORGATAN 3 B": True,
    "112 34 Ort": True,
    "Vårdplan": False,
    "Nuvarande partner": False,
    "Polisområde Nord": False,
    "Region Mitt": False,
    "Gävle kommun": False,
    "Make/maka": False,
    "0105-K00001-13": False,
    "f" * 64: False,
}


@for_each("text", PROSAIC)
def test_names_and_sentences_are_known_alike_in_python_and_in_the_engine(text):
    assert is_prose(text) == PROSAIC[text]
    statement = f"SELECT {prose('c', {'no'})} FROM (SELECT ? AS c)"
    assert duckdb.execute(statement, [text]).fetchone() == (PROSAIC[text],)


def test_what_may_be_told():
    known = {"nuvarande partner i ett förhållande som varar ännu"}
    assert may_tell("NUVARANDE partner i ett förhållande som varar ännu", known)
    assert may_tell("Kollega", known)
    assert not any(may_tell(one, known) for one in ("nr 790229-4711", SENTENCE, "x" * 41))


REPORT = "report_id: R, victim_id: V, reported_on: D"


@for_each("heading", ["Fritext", "MÅ namn", "Adress"])
@for_each("column", ["police_district", "suspect_id", "relation"])
@for_each("by_place", [False, True])
def test_hidden_headings_are_never_carried_over(tmp_path, heading, column, by_place):
    text = f"R;V;D;{heading}\nr;v;2013-04-27;city\n"
    wanted = "4" if by_place else heading
    mapping = f"tables: {{reports: {{columns: {{{REPORT}, {column}: '{wanted}'}}}}}}"
    with pytest.raises(DataError, match="hidden_heading") as fault:
        make(tmp_path, text, mapping)
    assert heading in str(fault.value) and not (tmp_path / "out").exists()


def test_names_for_linkage_and_names_of_places_may_be_carried(tmp_path):
    text = "Nr;Förnamn;Kommunnamn\np1;Anna Maria;Upplands Väsby\n"
    mapping = (
        "tables: {persons: {columns: {person_id: Nr, given_name: Förnamn,"
        " municipality_code: {from: Kommunnamn, codes: {Upplands Väsby: 0114}}}}}"
    )
    tables, _, is_complete = make(tmp_path, text, mapping)
    (row,) = tables["persons"]
    assert is_complete
    assert (row["given_name"], row["municipality_code"]) == ("Anna Maria", "0114")


@for_each("column", ["police_district", "relation", "report_id", "suspect_id"])
@for_each("cell", ["Test Testsson", SENTENCE])
def test_columns_of_names_or_sentences_are_refused_whatever_the_heading(tmp_path, column, cell):
    with pytest.raises(DataError, match="text_moved") as fault:
        map_column(tmp_path, [cell] * 30, column, "")
    assert cell not in str(fault.value) and not (tmp_path / "out").exists()


STRAYS = [
    ("offence_code", "se anteckning om Karin", "0412"),
    ("offence_code", "Svensson", "0412"),
    ("municipality_code", "gick ej fram", "0180"),
    ("police_district", "hos mormor", "city"),
    ("police_district", "x" * 90, "city"),
]


@for_each(("column", "stray", "code"), STRAYS)
def test_a_single_text_in_an_open_list_is_told_and_not_written(tmp_path, column, stray, code):
    found, report, is_complete = map_column(tmp_path, [code] * 9 + [stray] * 2, column, "")
    assert not is_complete and found == [code] * 9 + [""] * 2
    assert f"reports.{column}  [text_seen]  (source.csv)  2 rader / rows: 11, 12" in report
    assert "unmapped_code" not in report and stray not in report
    assert not any(
        stray in path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()
    )


@for_each(
    ("column", "code", "n_rows"),
    [
        ("police_district", "Svensson", 1),
        ("police_district", "nytt område", 5),
        ("police_district", "Polisområde Nord", 1),
        ("offence_code", "0412A", 1),
    ],
)
def test_what_may_be_a_new_code_of_an_open_list_stays(tmp_path, column, code, n_rows):
    known = {"police_district": "city", "offence_code": "0412"}[column]
    cells = [known] * 9 + [code] * n_rows
    found, report, is_complete = map_column(tmp_path, cells, column, "")
    assert is_complete and found == cells
    assert f"VARNING  reports.{column}  [unmapped_code]" in report
    assert ("nytt område: 5" in report) == (n_rows == 5)


def test_street_addresses_are_no_codes_of_the_owners_own(tmp_path):
    rows = "".join(f"{one};Storgatan {one % 50}\n" for one in range(60))
    with pytest.raises(DataError, match="text_moved") as fault:
        make(tmp_path, f"A;B\n{rows}", "tables: {persons: {columns: {person_id: A, x_adr: B}}}")
    assert "Storgatan" not in str(fault.value)


def test_a_single_name_is_an_error_by_its_row(tmp_path):
    _, report, is_complete = map_column(
        tmp_path, ["city"] * 40 + ["Test Testsson"], "police_district", ""
    )
    assert not is_complete and "text_seen" in report and "1 rader / rows: 42" in report
    assert "Testsson" not in report
    assert "Testsson" not in (tmp_path / "out" / "m_report.json").read_text(encoding="utf-8")


def test_codes_with_a_line_of_their_own_are_no_names(tmp_path):
    settings = ", codes: {Gift Med: current_partner}"
    found, _, is_complete = map_column(tmp_path, ["Gift Med"] * 9, "relation", settings)
    assert is_complete and set(found) == {"current_partner"}


def test_words_of_the_dictionary_are_shown_in_any_number(tmp_path):
    cells = ["NUVARANDE PARTNER"] * 2 + ["Kollega"] * 3
    _, report, _ = map_column(tmp_path, cells, "relation", "")
    assert "NUVARANDE PARTNER: 2" in report and "Kollega" not in report
    assert "1 värden i 3 rader visas inte" in report


def test_a_draft_shows_no_name_however_common(tmp_path):
    cells = ["Anna Andersson"] * 30 + [SENTENCE] * 20 + ["Make"] * 9 + ["ANNAN SLÄKTING"]
    rows = "".join(f"r{one};v{one};{cell}\n" for one, cell in enumerate(cells))
    text = draft(tmp_path, f"report_id;victim_id;Relation\n{rows}")
    assert "Anna Andersson" not in text and SENTENCE not in text
    assert "ANNAN SLÄKTING: other_relative\n" in text
    assert "2 värden i 50 rader visas inte" in text


@for_each("table", ["reports", "police_measures"])
def test_required_columns_that_are_empty_are_an_error(tmp_path, table):
    columns = {"reports": "report_id: A", "police_measures": "measure_id: A"}[table]
    mapping = f"tables: {{{table}: {{columns: {{{columns}}}}}}}"
    _, report, is_complete = make(tmp_path, "A;B\n1;2\n3;\n", mapping)
    assert not is_complete and f"{table}.victim_id  [empty_required]  2 rader" in report
    assert "alla koder har en plats" not in report and "slutkod 3" in report
    mapping = mapping.replace("_id: A", "_id: A, victim_id: B")
    _, report, _ = make(tmp_path / "some", "A;B\n1;2\n3;\n", mapping)
    assert f"VARNING  {table}.victim_id  [empty_required]  1 rader" in report


def test_the_headline_says_when_codes_have_no_place(tmp_path):
    cells = ["0180"] * 9
    _, report, _ = map_column(tmp_path / "all", cells, "municipality_code", "")
    assert "alla koder har en plats (slutkod 0)" in report
    _, report, is_complete = map_column(tmp_path / "one", [*cells, "126"], "municipality_code", "")
    assert is_complete and "1 koder fick ingen plats" in report and "slutkod 0" in report
    assert "alla koder har en plats" not in report


def test_a_draft_that_nothing_was_corrected_in_says_what_is_missing(tmp_path):
    (tmp_path / "atgarder.csv").write_text("Insats;Beslutad\nKontaktförbud;2013-04-27\n" * 1)
    (tmp_path / "m.yaml").write_text("tables: {police_measures: {columns: {measure: Insats}}}")
    report, is_complete = preparation.map_to(
        str(tmp_path / "atgarder.csv"), tmp_path / "out", tmp_path / "m.yaml", "csv", 1
    )
    assert not is_complete and "police_measures.measure_id  [empty_required]" in report
