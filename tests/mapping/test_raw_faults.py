"""Raw files as systems and spreadsheets leave them: every row is read, or told with its place."""

from __future__ import annotations

import datetime as dt
import gzip
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from revictimisation.commands import map as preparation
from revictimisation.core.errors import DataError, MappingError
from tests.mapping.test_extract import map_column, read
from tests.sources.sheet_files import ERROR, write_sheet

HEAD = "Diarienummer;Målsägande;Anmälningsdatum;Relation"
ROWS = [f"K{one};19790228471{one};2013-04-1{one};Make/maka" for one in range(6)]
TEXT = "\n".join([HEAD, *ROWS]) + "\n"
COLUMNS = (
    "report_id: Diarienummer, victim_id: Målsägande, reported_on: Anmälningsdatum,"
    " relation: {from: Relation, codes: {Make/maka: current_partner}}"
)


def run(folder: Path, files: dict[str, str | bytes], settings: str = "", columns: str = COLUMNS):
    """Map `anm.csv`, or what the settings say, of a folder of files; the rows and the report."""
    source = folder / "raw"
    source.mkdir(parents=True)
    for name, content in files.items():
        (source / name).write_bytes(content.encode() if isinstance(content, str) else content)
    settings = settings if "file:" in settings else f"file: anm.csv, {settings}"
    mapping = f"tables: {{reports: {{{settings} columns: {{{columns}}}}}}}"
    (folder / "m.yaml").write_text(mapping, encoding="utf-8")
    report, is_complete = preparation.map_to(
        str(source), folder / "out", folder / "m.yaml", "csv", 1
    )
    return read(folder / "out")["reports"], report, is_complete


def refuse(folder: Path, files: dict[str, str | bytes], settings: str = "") -> str:
    with pytest.raises(DataError) as fault:
        run(folder, files, settings)
    return str(fault.value)


MARK = "\ufeff"
QUOTED = "\n".join('"' + line.replace(";", '";"') + '"' for line in TEXT.splitlines()) + "\n"
FIRST_QUOTED = TEXT.replace("Diarienummer", '"Diarienummer"', 1)
READ = {
    "a word of a title in quotation marks": (f'"Kvinnofrid" uttag\nKörd\n{TEXT}', "header_row: 3,"),
    "an inch in a title": (f'Kniv 5" och längre\n{TEXT}', "header_row: 2,"),
    "an inch in a heading": (
        "\n".join(f"{line};x" for line in TEXT.splitlines()).replace("tion;x", 'tion;Kniv 5"', 1),
        "",
    ),
    "a heading that opens a quotation": (TEXT.replace("Relation", 'Relation;"Kniv', 1).replace(
        "maka", "maka;x"), ""),
    "a heading of two lines": (TEXT.replace("Relation", 'Relation;"Kniv\nlängd"', 1).replace(
        "maka", "maka;x"), ""),
    "a mark and a quoted heading": (MARK + FIRST_QUOTED, ""),
    "a mark and all quoted": (MARK + QUOTED, ""),
    "a mark, a title and all quoted": (f'{MARK}"Uttag"\n{QUOTED}', "header_row: 2,"),
    "an end mark": (TEXT.encode() + b"\x1a", ""),
    "an end mark and a block filled": (TEXT.encode("cp1252") + b"\x1a" + bytes(90), ""),
    "UTF-16 with a mark": (TEXT.encode("utf-16"), ""),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), ""),
    "UTF-16 the other way, other line ends": (
        (MARK + TEXT.replace("\n", "\r\n")).encode("utf-16-be"), ""),
    "UTF-32": (TEXT.encode("utf-32"), ""),
    "cp850 by name": (TEXT.encode("cp850"), "encoding: cp850,"),
    "Macintosh by name": (TEXT.replace("\n", "\r").encode("mac-roman"), "encoding: mac-roman,"),
    "a line that tells the separator": (f"sep=;\n{TEXT}", ""),
    "another separator, told": (f"sep=|\n{TEXT}".replace(";", "|"), "header_row: 2,"),
    "a separator told, as Excel counts": (f'"sep=;"\r\n{TEXT}', "header_row: 1,"),
    "blank lines above and below": (f"\n\n{TEXT}\n\n\n", ""),
    "letters of two signs": (unicodedata.normalize("NFD", TEXT), ""),
    "a quotation mark inside cells": (TEXT.replace("K1;", 'K1" a;').replace("K3;", 'K3" b;'), ""),
}  # fmt: skip


def test_every_row_is_read_whatever_stands_around_it(tmp_path):
    for place, (name, (content, settings)) in enumerate(READ.items()):
        rows, report, is_complete = run(tmp_path / str(place), {"anm.csv": content}, settings)
        assert is_complete, (name, report)
        assert [row["report_id"][:2] for row in rows] == [f"K{one}" for one in range(6)], name
        assert {row["relation"] for row in rows} == {"current_partner"}, name
        assert rows[5]["reported_on"] == "2013-04-15", name


REFUSED = {
    "a quotation never closed": (TEXT.replace("K2;", '"K2;'), "ragged_row", ": 4"),
    "a separator in a cell": (TEXT.replace("K3;", "K;3;"), "ragged_row", ": 5"),
    "a nought": (TEXT.replace("K3;", "K3\x00;"), "unreadable_file", ": 5"),
    "an end mark in the middle": (TEXT.replace("K4;", "\x1aK4;"), "unreadable_file", ": 6"),
    "letters of no encoding": (TEXT.encode("cp1252").replace(b"K4", b"\x81"), "unreadable_file",
                               ": 6"),
    "cp850 not named": (TEXT.encode("cp850"), "other_encoding", ": 1"),
    "rounded case numbers": (TEXT.replace("K", "2,01304E+15;").replace("E+15;", "E+15"),
                             "rounded_number", "2, 3, 4, 5, 6, 7"),
    "an archive by name": (gzip.compress(TEXT.encode()), "packed_file", ""),
}  # fmt: skip


def test_what_can_not_be_read_is_told_by_its_row(tmp_path):
    for place, (name, (content, rule, rows)) in enumerate(REFUSED.items()):
        told = refuse(tmp_path / str(place), {"anm.csv": content})
        assert f"[{rule}]" in told and "(anm.csv)" in told, (name, told)
        assert f"rader / rows{rows}" in told or rows in told, (name, told)
        assert not (tmp_path / str(place) / "out").exists(), name


def test_a_table_without_rows_is_never_done(tmp_path):
    rows, report, is_complete = run(tmp_path / "one", {"anm.csv": HEAD + "\n"})
    assert not rows and not is_complete and "[no_rows]" in report
    both = {"a1.csv": HEAD + "\n", "a2.csv": TEXT}
    rows, report, is_complete = run(tmp_path / "two", both, 'file: "a*.csv",')
    assert len(rows) == 6 and is_complete and "VARNING  reports  [no_rows]  (a1.csv)" in report


def test_the_engines_count_is_held_against_another(tmp_path, monkeypatch):
    from revictimisation.extract.sources import flat_file

    copied = flat_file.copy_rows
    monkeypatch.setattr(
        flat_file, "copy_rows", lambda con, asked, to: copied(con, f"{asked} LIMIT 4", to)
    )
    assert "[rows_disagree]" in refuse(tmp_path, {"anm.csv": TEXT})


def test_files_that_are_not_read_are_told_by_name(tmp_path):
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("anm.csv", TEXT)
    files = {
        "ANM_2013.CSV": TEXT,
        "anm_2014.zip": packed.read_bytes(),
        "anm_2015.csv.gz": gzip.compress(TEXT.encode()),
        "anm_2016.dat": TEXT,
        "anm_2017": TEXT,
        "kopia av 790229-4711.csv": TEXT,
        ".dold.csv": TEXT,
    }
    (tmp_path / "1" / "raw" / "2018").mkdir(parents=True)
    (tmp_path / "1" / "raw" / "2018" / "anm.csv").write_text(TEXT)
    (tmp_path / "1" / "raw").rename(tmp_path / "kept")
    rows, report, _ = run(tmp_path / "1", files, 'file: "anm_*",')
    assert len(rows) == 6
    for word in ("anm_2014.zip, anm_2015.csv.gz", "anm_2016.dat, anm_2017", "….csv"):
        assert word in report, word
    assert "4711" not in report and ".dold" not in report
    # By its whole name a file of any ending is read as the text it is, an archive is told.
    assert len(run(tmp_path / "2", files, "file: ANM_2016.dat,")[0]) == 6
    assert "[packed_file]" in refuse(tmp_path / "3", files, "file: anm_2014.zip,")
    folder = tmp_path / "4" / "raw"
    folder.mkdir(parents=True)
    (tmp_path / "kept" / "2018").rename(folder / "2018")
    (folder / "anm.csv").write_text(TEXT, encoding="utf-8")
    told = preparation.draft_to(str(folder), tmp_path / "4" / "draft", 1).read_text("utf-8")
    assert "# 2018: Undermappar som inte läses" in told


def test_names_are_the_same_in_any_case_and_however_letters_are_written(tmp_path):
    name = unicodedata.normalize("NFD", "Anmälan [1] 2013.csv")
    assert len(run(tmp_path / "1", {name: TEXT}, 'file: "ANMÄLAN [1]*.csv",')[0]) == 6
    mapping = unicodedata.normalize("NFD", COLUMNS)
    assert len(run(tmp_path / "2", {"anm.csv": TEXT}, columns=mapping)[0]) == 6


def write_book(path: Path, change) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Insatser"
    for line in TEXT.splitlines():
        book.active.append(line.split(";"))
    for row in book.active.iter_rows(min_row=2, min_col=3, max_col=3):
        row[0].value = dt.datetime.fromisoformat(row[0].value)
    change(book)
    book.save(path)
    return path.read_bytes()


def test_what_a_workbook_hides_or_could_not_reckon_is_told(tmp_path):
    def spoil(book):
        sheet = book["Insatser"]
        sheet["F3"], sheet["C4"], sheet["D5"], sheet["D6"] = "x", "=C3+1", "#N/A", "=D5"
        sheet["D7"] = '=IF(D4="","",D4)'
        sheet["B7"] = None
        for name, state in (("Äldre", "hidden"), ("Gamla", "veryHidden"), ("Läs mig", "visible")):
            book.create_sheet(name).sheet_state = state

    content = write_book(tmp_path / "a.xlsx", spoil)
    settings = "file: ins.xlsx, sheet: insatser,"
    _, report, is_complete = run(tmp_path / "1", {"ins.xlsx": content}, settings)
    assert not is_complete  # the day of a report is required
    for told in (
        "FEL  reports.reported_on  [error_cells]  (ins.xlsx)  1 rader / rows: 4\n",
        "VARNING  reports.relation  [error_cells]  (ins.xlsx)  3 rader / rows: 5, 6, 7\n",
        "VARNING  reports  [unnamed_column]  (ins.xlsx)  1 rader / rows: 3\n",
        "rubrik / heading: #6",
        "VARNING  reports.victim_id  [empty_required]  1 rader / rows: 7\n",
        "ins.xlsx / Äldre, ins.xlsx / Gamla",
        "ins.xlsx / Läs mig",
    ):
        assert told in report, (told, report)


def test_the_other_kinds_of_workbook_are_read(tmp_path):
    rows = [line.split(";") for line in TEXT.splitlines()]
    rows[2][3] = ERROR
    for kind in ("xls", "xlsb", "ods"):
        content = write_sheet(tmp_path / f"a.{kind}", rows, "Insatser åäö").read_bytes()
        settings = f'file: "*.{kind}",'
        found, report, is_complete = run(tmp_path / kind, {f"A.{kind.upper()}": content}, settings)
        assert is_complete and [row["report_id"] for row in found] == [f"K{n}" for n in range(6)]
        told = f"VARNING  reports.relation  [error_cells]  (A.{kind.upper()})  1 rader / rows: 3\n"
        assert told in report, (kind, report)
        assert found[1]["relation"] == "" and found[2]["relation"] == "current_partner"


ZONED = {
    "2013-12-31T23:30:00Z": "2014-01-01",
    "2013-12-31 23:30:00+00:00": "2014-01-01",
    "2014-01-01T00:30:00+01:00": "2014-01-01",
    "2013-07-01T22:15Z": "2013-07-02",
    "2013-07-01T21:59:59.999Z": "2013-07-01",
    "2013-12-31 23:00:00 UTC": "2014-01-01",
    "2013-12-31T18:30:00-0500": "2014-01-01",
    "20131231T23:30Z": "2014-01-01",
    "2013/12/31 23:30 +00": "2014-01-01",
}


def test_a_time_with_a_zone_counts_as_the_local_day(tmp_path):
    found, report, is_complete = map_column(tmp_path / "1", [*ZONED], "reported_on", "")
    assert is_complete and found == [*ZONED.values()]
    assert "[local_day]" in report and "9 rader" in report and "[time_of_day]" not in report
    moments = pd.to_datetime(["2013-12-31T23:30:00Z", "2013-07-01T22:15:00Z"])
    frame = pd.DataFrame({"Diarienummer": ["a", "b"], "Anmälningsdatum": moments})
    frame.to_parquet(tmp_path / "a.parquet")
    content = {"a.parquet": (tmp_path / "a.parquet").read_bytes()}
    columns = "report_id: Diarienummer, reported_on: Anmälningsdatum"
    rows, report, _ = run(tmp_path / "2", content, "file: a.parquet,", columns)
    assert [row["reported_on"] for row in rows] == ["2014-01-01", "2013-07-02"]
    assert "[local_day]" in report
    rows, _, _ = run(tmp_path / "3", content, "file: a.parquet, timezone: UTC,", columns)
    assert [row["reported_on"] for row in rows] == ["2013-12-31", "2013-07-01"]
    with pytest.raises(MappingError, match="timezone"):
        run(tmp_path / "4", content, "file: a.parquet, timezone: Sverige,", columns)


def test_year_first_and_clocks_of_twelve_hours_are_understood(tmp_path):
    first = ["2013/04/27", "2013.04.27", "2013-4-27", "2013 04 27", "2013/4/27 08:15",
             "2013-04-27 8:15 PM", "2013-04-27 11:59:59 p.m.", "2013-04-27 8:15 em"]  # fmt: skip
    found, report, _ = map_column(tmp_path / "1", first, "reported_on", "")
    assert found == ["2013-04-27"] * len(first) and "4 rader" in report
    last = ["4/27/2013 11:30:00 PM", "4/27/2013 12:00:00 AM", "04/27/2013 1:05 am"]
    found, report, _ = map_column(tmp_path / "2", last, "reported_on", ", date: month_day_year")
    assert found == ["2013-04-27"] * 3 and "2 rader" in report
    number = ["41391.75", "41391"]
    found, report, _ = map_column(tmp_path / "3", number, "reported_on", ", date: excel_number")
    assert found == ["2013-04-27"] * 2 and "[time_of_day]" in report and "1 rader" in report


def test_dates_of_no_calendar_in_spss_and_sas_are_told_by_column_and_row(tmp_path):
    frame = pd.DataFrame({"PersonNr": [f"p{n}" for n in range(9)], "Dod": [1.3e10] * 9})
    frame.loc[[3, 6], "Dod"] = 6.4e12
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), variable_format={"Dod": "DATE11"})
    days = frame.assign(Dod=[1e4, *[1e9] * 2, *[1e4] * 6])
    pyreadstat.write_xport(days, str(tmp_path / "a.xpt"), variable_format={"Dod": "DATE9"})
    mapping = "tables: {persons: {file: a.%s, columns: {person_id: PersonNr, died_on: Dod}}}"
    for kind, rows in (("sav", "4, 7"), ("xpt", "2, 3")):
        raw = tmp_path / kind
        raw.mkdir()
        (tmp_path / f"a.{kind}").rename(raw / f"a.{kind}")
        (tmp_path / "m.yaml").write_text(mapping % kind)
        for made in ("map", "draft", "one"):
            if made == "one":
                (raw / "anm.csv").write_text(TEXT, encoding="utf-8")
            with pytest.raises(DataError, match="date_overflow") as fault:
                if made == "map":
                    given = (str(raw), tmp_path / "out", tmp_path / "m.yaml", "csv", 1)
                    preparation.map_to(*given)
                else:
                    preparation.draft_to(str(raw), tmp_path / f"{made}_{kind}", 1)
            told = str(fault.value)
            assert f"rows: {rows}\n" in told and f"a.{kind}" in told and "Dod" in told
    draft = (tmp_path / "one_sav" / "mapping.yaml").read_text("utf-8")
    assert "# a.sav: Datum utanför almanackan" in draft and "report_id: Diarienummer" in draft


def test_large_whole_numbers_are_written_out(tmp_path):
    number = 197902284715.0
    frame = pd.DataFrame({"Nr": [number, 198506151235.0, None], "A": ["a", "b", "c"]})
    (tmp_path / "raw").mkdir()
    pyreadstat.write_sav(frame, str(tmp_path / "raw" / "a.sav"))
    pyreadstat.write_por(frame, str(tmp_path / "raw" / "a.por"))
    pyreadstat.write_xport(frame, str(tmp_path / "raw" / "a.xpt"))
    frame.to_parquet(tmp_path / "raw" / "a.parquet")
    for kind in ("sav", "por", "xpt", "parquet"):
        mapping = f"tables: {{persons: {{file: a.{kind}, columns: {{person_id: NR}}}}}}"
        (tmp_path / f"{kind}.yaml").write_text(mapping)
        out = tmp_path / kind
        report, _ = preparation.map_to(
            str(tmp_path / "raw"), out, tmp_path / f"{kind}.yaml", "csv", 1
        )
        found = [row["person_id"] for row in read(out)["persons"]]
        assert found == ["197902284715", "198506151235", ""], kind
        assert "rows: 3\n" in report, kind


def test_errors_that_a_spreadsheet_wrote_into_text_are_empty_and_told(tmp_path):
    cells = ["K1", "#N/A", "#SAKNAS!", "####", "#4"]
    found, report, is_complete = map_column(tmp_path / "1", cells, "report_id", "")
    assert found == ["K1", "", "", "", "#4"] and not is_complete
    assert "FEL  reports.report_id  [error_cells]  (source.csv)  3 rader / rows: 3, 4, 5" in report
    found, report, _ = map_column(tmp_path / "2", cells, "report_id", ", missing: '#N/A'")
    assert found[1] == "" and "2 rader / rows: 4, 5" in report and "[marked_missing]" in report


def test_what_is_said_of_an_own_column_is_obeyed_or_refused(tmp_path):
    def own(name: str, settings: str, cells: list[str], more: str = "") -> list[str]:
        text = "A;B\n" + "".join(f"p{n};{cell}\n" for n, cell in enumerate(cells))
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text(text)
        columns = f"{{person_id: A, x_b: {{from: B{settings}}}}}"
        (tmp_path / "m.yaml").write_text(f"{more}tables: {{persons: {{columns: {columns}}}}}")
        given = (str(tmp_path / name / "a.csv"), tmp_path / f"out_{name}", tmp_path / "m.yaml")
        preparation.map_to(*given, "csv", 1)
        return [row["x_b"] for row in read(tmp_path / f"out_{name}")["persons"]]

    assert own("1", ', decimal: ","', ["1 234,5", "2"]) == ["1234.5", "2"]
    assert own("2", ", times: 1000", ["1.5", "2"]) == ["1500", "2000"]
    assert own("3", "", ["1,5", "hög"], 'decimal: ","\n') == ["1.5", "hög"]
    assert own("4", ", date: day_month_year", ["27.4.2013"]) == ["2013-04-27"]
    for settings in (", times: 2, codes: {a: b}", ", date: iso, zeros: 3"):
        with pytest.raises(MappingError, match="gör ingenting"):
            own("5", settings, ["1"])
        (tmp_path / "5" / "a.csv").unlink()
        (tmp_path / "5").rmdir()
    for column, settings in (
        ("birth_year", "codes: {a: '1'}"), ("sex", "decimal: ','"), ("died_on", "times: 2"),
        ("person_id", "date: iso"),
    ):  # fmt: skip
        (tmp_path / "m.yaml").write_text(
            f"tables: {{persons: {{columns: {{{column}: {{from: A, {settings}}}}}}}}}"
        )
        with pytest.raises(MappingError, match="ta bort"):
            preparation.map_to(str(tmp_path / "1"), tmp_path / "x", tmp_path / "m.yaml", "csv", 1)


def test_rows_with_nothing_in_a_required_column_are_named_file_by_file(tmp_path):
    files = {"a1.csv": TEXT, "a2.csv": TEXT.replace("K2;", ";").replace("K4;", ";")}
    _, report, is_complete = run(tmp_path, files, 'file: "a*.csv",')
    told = "VARNING  reports.report_id  [empty_required]  (a2.csv)  2 rader / rows: 4, 6\n"
    assert is_complete and told in report
