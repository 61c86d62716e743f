"""What a draft and an extract of a wide source ask of engine and words grows with its columns."""

from __future__ import annotations

import difflib
from collections import Counter
from pathlib import Path

import pytest

from revictimisation.commands import map as preparation
from revictimisation.commands import progress
from revictimisation.core import engine
from revictimisation.extract.mapping import words

HEADING = "Diarienummer;Målsägande;Anmälningsdatum;Relation"
ROW = "K{0};v{0};2013-04-1{0};Förälder"


class CountedConnection:
    """A connection that keeps every statement."""

    def __init__(self, con, asked: list[str]) -> None:
        self.con, self.asked = con, asked

    def execute(self, statement: str, *more):
        self.asked.append(statement)
        return self.con.execute(statement, *more)

    def __getattr__(self, name: str):
        return getattr(self.con, name)


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Each statement that the engine is given."""
    asked: list[str] = []
    connect = engine.connect

    def connect_counted(*given, **named):
        made = connect(*given, **named)
        object.__setattr__(made, "con", CountedConnection(made.con, asked))
        return made

    monkeypatch.setattr(engine, "connect", connect_counted)
    return asked


def write_wide(folder: Path, n_more: int, word: str = "Uppgift") -> Path:
    folder.mkdir()
    headings = [HEADING, *(f"{word} {letter(one)}" for one in range(n_more))]
    rows = [";".join([ROW.format(one), *["A", "B"][one % 2] * n_more]) for one in range(6)]
    (folder / "anmalningar.csv").write_text("\n".join([";".join(headings), *rows]) + "\n")
    return folder


def letter(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def longest(asked: list[str]) -> int:
    """The letters of the longest statement that counts; what many of them cost is no line."""
    return max(len(one) for one in asked if "FILTER" in one)


def test_statements_of_a_draft_do_not_grow_with_its_columns(tmp_path, asked):
    found = {}
    for n_more in (150, 300):
        asked.clear()
        source = write_wide(tmp_path / str(n_more), n_more)
        text = preparation.draft_to(str(source), tmp_path / f"out{n_more}", 1).read_text("utf-8")
        assert text.count("left out: Uppgift") == n_more
        found[n_more] = (len(asked), longest(asked))
    # A query for each column, over a file whose columns it must list, is columns times columns.
    assert found[300][0] - found[150][0] <= 3
    assert found[300][1] < 1.1 * found[150][1]


def test_letters_are_compared_only_where_words_may_be_alike(tmp_path, monkeypatch):
    compared: Counter[int] = Counter()
    ratio = difflib.SequenceMatcher.ratio

    def count(self):
        compared[n_more] += 1
        return ratio(self)

    monkeypatch.setattr(difflib.SequenceMatcher, "ratio", count)
    for n_more in (40, 80):
        words.liken_best.cache_clear()
        source = write_wide(tmp_path / str(n_more), n_more)
        preparation.draft_to(str(source), tmp_path / f"out{n_more}", 1)
    assert compared[80] - compared[40] < 40 * 10


def test_statements_on_an_extract_do_not_grow_with_its_columns(tmp_path, asked, monkeypatch):
    found = {}
    for n_more in (40, 80):
        names = [letter(one) for one in range(n_more)]
        source = write_wide(tmp_path / str(n_more), n_more)
        columns = "".join(f"      x_{name}: Uppgift {name}\n" for name in names)
        mapping = tmp_path / f"m{n_more}.yaml"
        mapping.write_text(
            "tables:\n  persons:\n    file: anmalningar.csv\n    columns:\n"
            f"      person_id: Målsägande\n      x_day: Anmälningsdatum\n{columns}"
        )
        asked.clear()
        preparation.map_to(str(source), tmp_path / f"out{n_more}", mapping, "csv", 1)
        found[n_more] = (len(asked), longest(asked))
    assert found[80][0] - found[40][0] <= 3
    assert found[80][1] < 1.1 * found[40][1]


def test_statements_do_not_grow_with_the_blank_rows_of_a_source(tmp_path, asked):
    mapping = tmp_path / "m.yaml"
    mapping.write_text(
        "tables: {reports: {file: a.csv, columns: {report_id: Diarienummer, relation: Relation}}}"
    )
    found = {}
    for n_rows in (20, 40):
        source = tmp_path / str(n_rows)
        source.mkdir()
        rows = "".join(f"{ROW.format(one % 10)}\n\n;;;\n" for one in range(n_rows))
        (source / "a.csv").write_text(f"{HEADING}\n{rows}", encoding="utf-8")
        asked.clear()
        preparation.map_to(str(source), tmp_path / f"out{n_rows}", mapping, "csv", 1)
        found[n_rows] = [len(one.replace(str(tmp_path), "")) for one in asked]
    assert found[20] == found[40]


def test_a_draft_of_a_wide_source_says_how_far_it_has_come(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    preparation.draft_to(str(write_wide(tmp_path / "wide", 250)), tmp_path / "out", 1)
    told = capsys.readouterr().err
    assert (
        "looking at anmalningar.csv, from column 101 of 254" in told
        and "[2/3]" in told
        and "[3/3]" in told
    )
