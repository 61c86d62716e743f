"""The command `pseudonymise`: from raw numbers to an extract that holds none."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys

import pandas as pd
import pyarrow as pa
import pytest

from revictimisation.commands.command_line import cli
from revictimisation.commands.folders import FACTS
from revictimisation.commands.pseudonymise import PseudonymOptions, pseudonymise_folder
from revictimisation.core.engine import connect
from revictimisation.core.errors import DataError, UsageError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.pseudonyms.keys import StudyKey, write_key
from revictimisation.extract.pseudonyms.reading import _read_parquet
from revictimisation.extract.pseudonyms.records import as_text
from revictimisation.extract.validation import load_extract
from tests.cases import for_each
from tests.validation.extracts import TODAY, VALID, write_extract

SECRET = bytes.fromhex("8f1c2a7be04d93515f6e00c7a9d2b4386b0de1f72459cc8a13fd76402e98b5da")
# the three people of the valid extract, each in two written forms
NUMBERS = {"v1": "800101-1231", "v2": "19900202-2383", "s1": "7503031234"}
BORN = {"1980": 0, "1990": 1, "1975": 2}
OTHER_FORMS = {"v1": "198001011231", "v2": "900202 2383", "s1": "19750303-1234"}


def raw_tables(**changed: str) -> dict[str, str]:
    """The valid extract with identity numbers; `persons` has them in other forms."""
    tables = {}
    for name, text in VALID.items():
        forms = OTHER_FORMS if name == "persons" else NUMBERS
        tables[name] = re.sub(r"\b(v1|v2|s1)\b", lambda found, to=forms: to[found[1]], text)
    return {**tables, **changed}


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "custody" / "county.key"
    write_key(path, StudyKey("county", 1, SECRET))
    return path


def run(tmp_path, key_file, tables, name="a", **wishes):
    """Write raw tables and pseudonymise them; the folder and what was told."""
    write_extract(tmp_path / f"{name}_raw", tables)
    out = tmp_path / f"{name}_out"
    told = pseudonymise_folder(tmp_path / f"{name}_raw", out, key_file, PseudonymOptions(**wishes))
    return out, told


def read(folder, table):
    """A table with its rows as the source had them: people by `BORN`, events by their days."""
    rows = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
    if table == "persons":
        return rows.sort_values("birth_year", key=lambda years: years.map(BORN), ignore_index=True)
    if table == "linkage_fields":
        people = read(folder, "persons")["person_id"]
        return rows.set_index("person_id").loc[people].reset_index()
    days = [name for name in rows if name in ("reported_on", "decided_on")]
    return rows.sort_values(days, ignore_index=True) if days else rows


def test_one_person_is_one_in_all_tables_and_the_rest_is_untouched(tmp_path, key_file):
    out, told = run(tmp_path, key_file, raw_tables())
    people = read(out, "persons")["person_id"].tolist()
    assert all(re.fullmatch(r"p[0-9a-f]{32}", one) for one in people)
    assert read(out, "reports")["victim_id"].tolist() == [people[0], people[0], people[1]]
    assert read(out, "reports")["suspect_id"].tolist() == [people[2], people[2], ""]
    for name, text in VALID.items():
        expected = pd.read_csv(pd.io.common.StringIO(text), dtype=str, keep_default_na=False)
        changed = [one for one in expected if one.endswith("_id")]
        got = read(out, name)
        assert list(got) == list(expected)
        pd.testing.assert_frame_equal(
            got.drop(columns=changed), expected.drop(columns=changed), check_dtype=False
        )
    extract = load_extract(connect(threads=1), out, load_dictionary(), today=TODAY)
    assert extract.errors == ()
    assert "wrong" not in told


def test_the_order_of_rows_tells_nothing_of_that_of_the_source(tmp_path, key_file):
    out, _ = run(tmp_path, key_file, raw_tables())
    turned = {}
    for name, text in raw_tables().items():
        head, *rows = text.splitlines()
        turned[name] = "\n".join([head, *rows[::-1]]) + "\n"
    again, _ = run(tmp_path, key_file, turned, "b")
    for path in out.glob("*.csv"):
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name
    ids = pd.read_csv(out / "persons.csv")["person_id"].tolist()
    assert ids == sorted(ids)


def test_no_digit_of_a_number_is_left_anywhere(tmp_path, key_file):
    wrong = {"reports": raw_tables()["reports"].replace("19900202-2383", "19900202-2384")}
    out, told = run(tmp_path, key_file, raw_tables(**wrong))
    whole = told + "".join(path.read_text() for path in out.iterdir())
    for number in [*NUMBERS.values(), *OTHER_FORMS.values(), "19900202-2384"]:
        digits = re.sub(r"\D", "", number)
        assert digits[-10:] not in re.sub(r"[-+ ]", "", whole)
    assert all(SECRET.hex()[at : at + 8] not in whole for at in range(56))


def test_two_agencies_agree_and_two_studies_can_not_be_joined(tmp_path, key_file):
    first, _ = run(tmp_path, key_file, raw_tables(), "police", source="police")
    second, _ = run(tmp_path, key_file, raw_tables(), "social", source="social")
    ids = set(read(first, "persons")["person_id"])
    assert ids == set(read(second, "persons")["person_id"])
    for place, other in enumerate(
        [
            StudyKey("other", 1, SECRET),
            StudyKey("county", 2, SECRET),
            StudyKey("county", 1, SECRET[::-1]),
        ]
    ):
        path = tmp_path / "custody" / f"{place}.key"
        write_key(path, other)
        third, _ = run(tmp_path, path, raw_tables(), f"x{place}")
        assert not ids & set(read(third, "persons")["person_id"])


def test_what_is_no_number_gets_a_domain_of_its_own_and_is_counted(tmp_path, key_file):
    people = raw_tables()["persons"].replace("198001011231", "198001011230")
    people = people.replace("19750303-1234", "klient 7")
    tables = raw_tables(persons=people)
    police, told = run(tmp_path, key_file, tables, "police", source="police")
    social, _ = run(tmp_path, key_file, tables, "social", source="social")
    mine, theirs = (read(one, "persons")["person_id"].tolist() for one in (police, social))
    assert [one[0] for one in mine] == ["w", "p", "u"]
    assert mine[:2] == theirs[:2] and mine[2] != theirs[2]
    assert "persons.person_id: 1 fel kontrollsiffra / wrong check digit; rader / rows 2" in told
    assert "persons.person_id: 1 inget personnummer / no identity number; rader / rows 4" in told
    facts = json.loads((police / "pseudonymisation.json").read_text())
    of_people = [one for one in facts["columns"] if one["table"] == "persons"]
    assert {one["column"] for one in of_people} == {"person_id"}
    counts = {one["status"]: one["n_cells"] for one in of_people}
    assert counts == {"valid": 1, "wrong_check_digit": 1, "no_number": 1}


def test_what_is_no_number_is_emptied_only_by_choice(tmp_path, key_file):
    tables = raw_tables(persons=raw_tables()["persons"].replace("19750303-1234", "klient 7"))
    out, _ = run(tmp_path, key_file, tables, is_emptied=True)
    assert [bool(one) for one in read(out, "persons")["person_id"]] == [True, True, False]


def with_column(name: str, *cells: str) -> dict[str, str]:
    lines = raw_tables()["persons"].splitlines()
    rows = [f"{line},{cell}" for line, cell in zip(lines, [name, *cells], strict=True)]
    return {"persons": "\n".join(rows) + "\n", "reports": raw_tables()["reports"]}


@for_each(
    ("name", "cells"),
    [
        ("namn", ("", "", "")),
        ("fornamn", ("a", "b", "c")),
        ("first_name", ("a", "b", "c")),
        ("personnummer", ("", "", "")),
        ("gatuadress", ("a", "b", "c")),
        ("anteckning", ("a", "b", "c")),
        ("x_note", ("a", "b", "c")),
        ("x_mobil", ("1", "2", "3")),
        ("x_kod", ("Anna Svensson", "Åsa von Berg", "Per-Erik Öst")),
        ("x_kod", ("Storgatan 3", "B", "C")),
        ("x_kod", ("112 34 Ort", "B", "C")),
        ("x_kod", ("a@exempel.se", "b", "c")),
        ("x_kod", ("070-123 45 67", "b", "c")),
        ("x_kod", ("ring 811218-9876", "b", "c")),
        ("x_kod", ("198112189876", "", "")),
        *((f"x_{name}", ("1", "2", "3")) for name in ("fodd", "född", "fdat", "birth", "sista4")),
        ("x_a", ("1980-01-01", "1990-02-02", "1975-03-03")),
        ("x_a", ("1/1 1980", "2/2 1990", "3/3 1975")),
        ("x_a", ("1 januari 1980", "Feb. 2 1990", "3 mars 75")),
        ("x_a", ("80-01", "90-02", "75-03")),
        ("x_a", ("29221", "32906", "27456")),
        ("x_a", ("1231", "2383", "1234")),
        ("x_a", ("123", "238", "123")),
        ("x_a", ("010112", "020223", "0")),
        ("okänd", ("hon sade att han hade kommit till huset igen sent", "b", "c")),
    ],
)
def test_columns_that_may_tell_who_somebody_is_are_refused(tmp_path, key_file, name, cells):
    with pytest.raises(DataError, match="--exclude") as fault:
        run(tmp_path, key_file, with_column(name, *cells))
    assert f"persons.{name}" in str(fault.value)
    assert not any(cell and cell in str(fault.value) for cell in cells if len(cell) > 1)
    assert not (tmp_path / "a_out").exists()
    wish = f"persons.{name}" if cells[0] else name  # either names it
    out, _ = run(tmp_path, key_file, with_column(name, *cells), wish, excluded=(wish,))
    assert name not in read(out, "persons")


HARMLESS = {
    "year": ("1980", "1990", "1975"),
    "income": ("1231", "2000", "3000"),
    "date": ("2011-01-01", "2012-02-02", "2013-03-03"),
    "fodelseland": ("se", "dk", "se"),
    "born_abroad": ("true", "false", "true"),
    "share": ("0.5", "0.25", "1"),
}


def test_harmless_columns_of_the_owner_stay_and_unknown_ones_go_with_notice(tmp_path, key_file):
    out, told = run(tmp_path, key_file, with_column("x_children", "2", "0", "1"))
    assert read(out, "persons")["x_children"].tolist() == ["2", "0", "1"]
    for name, cells in HARMLESS.items():
        out, _ = run(tmp_path, key_file, with_column(f"x_{name}", *cells), name)
        assert read(out, "persons")[f"x_{name}"].tolist() == list(cells)
    out, told = run(tmp_path, key_file, with_column("enhet", "a", "b", "c"), "b")
    assert "enhet" not in read(out, "persons")
    assert "persons.enhet: lämnas bort / left out" in told


def test_a_key_of_the_register_that_is_an_identity_number_is_refused(tmp_path, key_file):
    reports = raw_tables()["reports"]
    for short, number in zip(("r1", "r2", "r3"), NUMBERS.values(), strict=True):
        reports = reports.replace(f"\n{short},", f"\n{number},")
    with pytest.raises(DataError, match=r"reports\.report_id"):
        run(tmp_path, key_file, raw_tables(reports=reports))
    dated = raw_tables()["reports"].replace("\nr1,", "\n201203010001,")
    out, _ = run(tmp_path, key_file, raw_tables(reports=dated), "b")
    assert read(out, "reports")["report_id"][0] != "201203010001"


def test_case_numbers_are_keyed_and_references_hold(tmp_path, key_file):
    police, told = run(tmp_path, key_file, raw_tables(), "police", source="police")
    social, _ = run(tmp_path, key_file, raw_tables(), "social", source="social")
    reports = read(police, "reports")["report_id"].tolist()
    raw = pd.read_csv(pd.io.common.StringIO(VALID["reports"]), dtype=str)["report_id"].tolist()
    assert all(re.fullmatch(r"i[0-9a-f]{32}", one) for one in reports)
    keyed = dict(zip(raw, reports, strict=True))
    assert len(set(reports)) == len(set(raw))
    for name in ("police_measures", "risk_assessments", "case_decisions", "investigations"):
        refers = pd.read_csv(pd.io.common.StringIO(VALID[name]), dtype=str)["report_id"]
        assert read(police, name)["report_id"].tolist() == [keyed[one] for one in refers]
    assert not set(reports) & set(read(social, "reports")["report_id"])
    assert f"reports.report_id: {len(raw)} beteckningar nycklade" in told
    whole = [field for table in load_dictionary().tables_by_direction("in")
             for field in table.fields if field.sensitivity == "identifier"]  # fmt: skip
    assert {one.name for one in whole if one.identifies != "person"} >= {"report_id", "measure_id"}
    ids = read(police, "police_measures")["measure_id"].tolist()
    assert not set(ids) & set(reports) and all(one.startswith("i") for one in ids)


def test_one_number_of_two_kinds_does_not_meet(tmp_path, key_file):
    tables = raw_tables()
    tables["reports"] = tables["reports"].replace("\nr1,", "\n1,")
    head, row = tables["police_measures"].splitlines()[:2]
    first = ",".join(["1", *row.split(",")[1:]])
    tables["police_measures"] = f"{head}\n{first}\n"
    out, _ = run(tmp_path, key_file, tables)
    assert read(out, "reports")["report_id"][0] != read(out, "police_measures")["measure_id"][0]


def test_events_after_the_reference_day_are_told(tmp_path, key_file):
    _, told = run(tmp_path, key_file, raw_tables(), reference_on=dt.date(2012, 12, 31))
    assert "händelser efter referensdagen 2012-12-31" in told
    assert "reports.reported_on 2 rader" in told
    _, told = run(tmp_path, key_file, raw_tables(), "b", reference_on=dt.date(2018, 12, 31))
    assert "efter referensdagen" not in told


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_only_the_owner_may_read_what_is_written(tmp_path, key_file):
    (tmp_path / "a_out").mkdir(mode=0o755)
    out, _ = run(tmp_path, key_file, raw_tables())
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}


def test_ten_digits_get_their_century_from_what_both_agencies_share(tmp_path):
    tables = raw_tables(persons=raw_tables()["persons"].replace("198001011231", "170101-1239"))
    path = tmp_path / "custody" / "k"
    write_key(path, StudyKey("county", 1, SECRET, dt.date(2018, 12, 31)))
    of_key, told = run(tmp_path, path, tables, "a")
    assert "2018-12-31" in told
    of_wish, told = run(tmp_path, path, tables, "b", reference_on=dt.date(2016, 12, 31))
    assert "2016-12-31" in told
    first, second = (read(one, "persons")["person_id"] for one in (of_key, of_wish))
    assert first[0] != second[0] and first[1] == second[1]
    plain = tmp_path / "custody" / "plain"
    write_key(plain, StudyKey("county", 1, SECRET))
    _, told = run(tmp_path, plain, tables, "c")
    assert "2016-05-01" in told  # the latest date of the extract


def test_parquet_keeps_its_types(tmp_path, key_file):
    raw = tmp_path / "raw"
    raw.mkdir()
    people = pd.DataFrame({"person_id": [198001011231, 199002022383], "birth_year": [1980, 1990]})
    people.to_parquet(raw / "persons.parquet")
    pseudonymise_folder(raw, tmp_path / "out", key_file, PseudonymOptions(dt.date(2018, 1, 1)))
    made = pd.read_parquet(tmp_path / "out" / "persons.parquet")
    assert made["birth_year"].tolist() == [1980, 1990] and made["birth_year"].dtype == "int64"
    assert made["person_id"].str.match("p[0-9a-f]{32}").all()


def test_rows_that_would_be_lost_stop_everything(tmp_path, key_file):
    with pytest.raises(DataError, match="ragged_row"):
        run(tmp_path, key_file, raw_tables(persons=raw_tables()["persons"] + "a,b\n"))
    assert not (tmp_path / "a_out").exists()


def test_the_same_may_be_done_again_and_nothing_else_is_written_over(tmp_path, key_file):
    first, _ = run(tmp_path, key_file, raw_tables(), source="police")
    before = read(first, "persons")["person_id"].tolist()
    write_extract(tmp_path / "a_raw", raw_tables())
    wishes = PseudonymOptions(source="police")
    pseudonymise_folder(tmp_path / "a_raw", first, key_file, wishes)
    assert read(first, "persons")["person_id"].tolist() == before
    with pytest.raises(UsageError, match=r"har redan pseudonymisation\.json"):
        pseudonymise_folder(tmp_path / "a_raw", first, key_file, PseudonymOptions(source="x"))
    (tmp_path / "a_raw" / "reports.csv").unlink()
    with pytest.raises(UsageError, match=r"har redan reports\.csv"):
        pseudonymise_folder(tmp_path / "a_raw", first, key_file, wishes)
    assert (first / "reports.csv").is_file()


def test_words_in_the_place_of_a_number_are_told(tmp_path, key_file):
    reports = raw_tables()["reports"].replace("7503031234", "Okänd")
    out, told = run(tmp_path, key_file, raw_tables(reports=reports), source="police")
    assert len(set(read(out, "reports")["suspect_id"])) == 2
    assert "2 utan en enda siffra; betyder de okänd" in told
    assert told.count("utan en enda siffra") == 1


def test_another_format_is_sent_to_map(tmp_path, key_file):
    tables = raw_tables()
    write_extract(tmp_path / "a_raw", tables)
    (tmp_path / "a_raw" / "persons.csv").rename(tmp_path / "a_raw" / "persons.xlsx")
    with pytest.raises(DataError, match=r"persons  \[needs_mapping\]"):
        pseudonymise_folder(tmp_path / "a_raw", tmp_path / "out", key_file, PseudonymOptions())
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "anmalningar.csv").write_text("Diarienummer;Brott\n1;2\n")
    with pytest.raises(DataError, match="kör map först"):
        pseudonymise_folder(tmp_path / "raw", tmp_path / "out", key_file, PseudonymOptions())


def test_the_key_never_lies_among_the_data(tmp_path, key_file):
    write_key(tmp_path / "a_raw" / "k", StudyKey("county", 1, SECRET))
    with pytest.raises(UsageError, match="never travel"):
        run(tmp_path, tmp_path / "a_raw" / "k", raw_tables())
    (tmp_path / "b_out").mkdir()
    (tmp_path / "b_out" / "old.csv").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        run(tmp_path, key_file, raw_tables(), "b")


def test_linkage_fields_are_made_only_when_asked_for(tmp_path, key_file):
    lines = raw_tables()["persons"].splitlines()
    added = [",förnamn,efternamn", ",Karl,Carlsson", ",Carl,Vallin", ",,Karlson"]
    tables = raw_tables(persons="\n".join(a + b for a, b in zip(lines, added, strict=True)) + "\n")
    with pytest.raises(DataError, match=r"persons\.förnamn"):
        run(tmp_path, key_file, tables)
    out, _ = run(tmp_path, key_file, tables, "b", has_linkage_fields=True)
    fields = read(out, "linkage_fields")
    assert list(fields) == list(load_dictionary().tables["linkage_fields"].field_names)
    assert fields["person_id"].tolist() == read(out, "persons")["person_id"].tolist()
    given, family = fields["given_name_code"], fields["family_name_code"]
    assert given[0] == given[1] and given[2] == "" and family[0] == family[2] != family[1]
    assert given[0] != family[0]
    assert "Carlsson" not in (out / "persons.csv").read_text()


def test_the_commands_end_in_their_exit_codes(tmp_path, monkeypatch, capsys):
    def call(*words):
        monkeypatch.setattr("sys.argv", ["revictimisation", *map(str, words)])
        from revictimisation.commands.command_line import main

        with pytest.raises(SystemExit) as leave:
            main()
        said = capsys.readouterr()
        return leave.value.code, said.out + said.err

    assert {"make-key", "pseudonymise"} <= set(cli.commands)
    write_extract(tmp_path / "raw", raw_tables())
    key = tmp_path / "custody" / "k"
    code, said = call("make-key", key, "--study", "county")
    assert code == 0
    secret = re.search("secret: (.*)", key.read_text())[1]
    assert secret not in said
    words = ["pseudonymise", tmp_path / "raw", tmp_path / "out", "--key-file", key]
    code, said = call(*words)
    assert code == 0 and secret not in said
    for study, code in (("county", 0), ("other", 3)):
        (tmp_path / "study.yaml").write_text(f"name: {study}\n")
        found, said = call(*words, "--study", tmp_path / "study.yaml")
        assert found == code and ("one key may not join two studies" in said) == bool(code)
    code, said = call("make-key", tmp_path / "custody" / "nameless")
    assert code == 0 and "ingen viss studies" in said
    words = ["pseudonymise", tmp_path / "raw", tmp_path / "o3", "--study", tmp_path / "study.yaml"]
    found, said = call(*words, "--key-file", tmp_path / "custody" / "nameless")
    assert found == 0 and "nyckeln har inget studienamn" in said
    assert (
        call("pseudonymise", tmp_path / "raw", tmp_path / "o", "--key-file", tmp_path / "no")[0]
        == 2
    )
    write_extract(tmp_path / "bad", with_column("namn", "a", "b", "c"))
    assert call("pseudonymise", tmp_path / "bad", tmp_path / "o2", "--key-file", key)[0] == 3
    assert call("make-key", key)[0] == 2
    assert call("make-key", tmp_path / "k2", "--study", "Å b")[0] == 2


@for_each(
    ("ids", "is_text"),
    [
        ([1.0, 2.0, 2.0], False),
        ([1.5, 2.0, 2.0], False),
        ([1e30, 2.0, 2.0], False),
        ([[1], [2], [2]], True),
        ([{"a": 1}, {"a": 2}, {"a": 2}], True),
        ([b"\xff", b"b", b"b"], True),
        ([dt.time(8), dt.time(9), dt.time(9)], True),
        (pd.to_datetime(["2012-01-01", "2012-01-02", "2012-01-02"]), False),
    ],
)
def test_identifiers_in_parquet_may_be_of_any_type(tmp_path, key_file, ids, is_text):
    raw = tmp_path / "raw"
    write_extract(raw, raw_tables(reports=""))
    (raw / "reports.csv").unlink()
    pd.DataFrame({"report_id": ids, "victim_id": NUMBERS["v1"]}).to_parquet(raw / "reports.parquet")
    pseudonymise_folder(raw, tmp_path / "out", key_file, PseudonymOptions())
    made = pd.read_parquet(tmp_path / "out" / "reports.parquet")["report_id"]
    assert made.str.fullmatch("i[0-9a-f]{32}").all()
    assert sorted(made.value_counts()) == [1, 2]
    cells = _read_parquet(connect(), raw / "reports.parquet")["report_id"]
    assert pa.types.is_string(cells.type) == is_text


def test_an_identifier_that_is_no_number_is_empty():
    cells = pa.chunked_array([[float("inf"), float("nan"), None, 7.0, 7.5]])
    assert as_text(cells).to_pylist() == [None, None, None, "7", "7.5"]


def test_sex_and_birth_year_are_held_against_the_number(tmp_path, key_file):
    people = raw_tables()["persons"]
    of_numbers = people.replace("1980,female", "1980,male").replace("1990,male", "1990,female")
    _, told = run(tmp_path, key_file, raw_tables(persons=of_numbers))
    assert "stämmer inte med personnumret" not in told
    _, told = run(tmp_path, key_file, raw_tables(), "two")
    assert "persons.sex stämmer inte med personnumret i 2 av 3 rader" in told
    assert "in 2 of 3 rows: 2, 3" in told
    older = raw_tables(persons=of_numbers.replace(",1980,", ",1981,"))
    _, told = run(tmp_path, key_file, older, "older")
    assert "persons.birth_year stämmer inte med personnumret i 1 av 3 rader" in told
    assert "1981" not in told and "1980" not in told


def test_numbers_that_a_spreadsheet_rounded_stop_everything(tmp_path, key_file):
    for number, written in (("1", "1,98001E+11"), ("2", "1.98E+11"), ("3", "8,00101E+09")):
        rounded = raw_tables()["reports"].replace("800101-1231", f'"{written}"')
        with pytest.raises(DataError, match="avrundat") as told:
            run(tmp_path, key_file, raw_tables(reports=rounded), number)
        assert "reports.victim_id" in str(told.value) and written not in str(told.value)
        assert not (tmp_path / f"{number}_out").exists()


def test_texts_among_codes_are_told_by_their_rows(tmp_path, key_file):
    _, told = run(tmp_path, key_file, raw_tables())
    assert "har text med blanksteg" not in told
    lines = raw_tables()["reports"].splitlines()
    place = lines[0].split(",").index("offence_code")
    for row in (1, 3):
        cells = lines[row].split(",")
        lines[row] = ",".join([*cells[:place], "se Karin", *cells[place + 1 :]])
    out, told = run(tmp_path, key_file, raw_tables(reports="\n".join(lines) + "\n"), "b")
    assert "OBS: reports.offence_code har text med blanksteg" in told
    assert "2 rader / rows 2, 4\n" in f"{told}\n" and "Karin" not in told
    facts = json.loads((out / FACTS).read_text(encoding="utf-8"))
    assert facts["texts_among_codes"][0]["rows"] == [2, 4]
