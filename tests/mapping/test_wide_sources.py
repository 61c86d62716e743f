"""What a draft and an extract of a wide source ask of engine and words grows with its columns."""

from __future__ import annotations

import difflib
from collections import Counter
from pathlib import Path

import pytest

from revictimisation import engine, preparation
from revictimisation.mapping import words

HEADING = "Diarienummer;Målsägande;Anmälningsdatum;Relation"
ROW = "K{0};v{0};2013-04-1{0};Förälder"


class CountedConnection:
    """A connection that keeps the length of every statement."""

    def __init__(self, con, asked: list[int]) -> None:
        self.con, self.asked = con, asked

    def execute(self, statement: str, *more):
        self.asked.append(len(statement))
        return self.con.execute(statement, *more)

    def __getattr__(self, name: str):
        return getattr(self.con, name)


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """The length of each statement that the engine is given."""
    asked: list[int] = []
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


def test_statements_of_a_draft_grow_with_the_columns(tmp_path, asked):
    found = {}
    for n_more in (150, 300):
        asked.clear()
        source = write_wide(tmp_path / str(n_more), n_more)
        text = preparation.draft_to(str(source), tmp_path / f"out{n_more}", 1).read_text("utf-8")
        assert text.count("left out: Uppgift") == n_more
        found[n_more] = (len(asked), sum(asked))
    # A query for each column, over a file whose columns it must list, is columns times columns.
    assert found[300][0] - found[150][0] <= 3
    assert found[300][1] < 2.2 * found[150][1]


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
