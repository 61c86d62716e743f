"""Wrong use is told in Swedish and in English, whatever click found."""

from __future__ import annotations

import sys

import pytest

from revictimisation.commands import command_line as cli

WRONG = {
    ("nonsense",): ("Det finns inget kommando nonsense.", "There is no command nonsense."),
    ("estimat",): ("menade du estimate", "did you mean estimate"),
    ("run", "--ot", "x"): ("Det finns ingen flagga --ot; menade du --out?", "no option --ot"),
    ("run",): ("STUDY krävs.", "STUDY is required."),
    ("estimate", "s", "--data", "d"): ("--out krävs.", "--out is required."),
    ("simulate", "x", "--people", "0"): ("ett heltal, minst 1", "a whole number, at least 1"),
    ("simulate", "x", "--seed", "a"): ("ett heltal, minst 0", "a whole number, at least 0"),
    ("simulate", "x", "--format", "xls"): ("något av: csv, parquet", "one of: csv, parquet"),
    ("simulate", "x", "--scenario", "nul"): ("okänt scenario", "did you mean null?"),
    ("make-key", "x", "--reference-date", "2014-02-30"): ("ett datum som finns", "a date that"),
    ("run", "s", "--memory", "much"): ("en mängd minne, t.ex. 4GB", "memory such as 4GB"),
    ("run", "s", "--engine", "sparks"): ("något av: duckdb, spark", "one of: duckdb, spark"),
    ("run", "s", "--data", "d", "--out", "o", "--master", "spark://h:1"): (
        "--master och --shared gäller --engine spark",
        "They are of --engine spark",
    ),
    ("simulate", "x", "--scenario", "national", "--format", "csv"): ("skrivs som Parquet", "leave"),
    ("run", "s", "--data"): ("--data används fel", "--data is used wrongly"),
    ("validate", "a", "b"): ("kanske är de för många", "may be too many"),
}
ENGLISH = ("No such", "Missing", "Invalid value", "requires an argument", "unexpected", "Try '")


def test_each_wrong_use_is_told_in_both_languages_with_where_help_is(monkeypatch, capsys):
    for words, (swedish, english) in WRONG.items():
        monkeypatch.setattr(sys, "argv", ["revictimisation", *words])
        with pytest.raises(SystemExit) as leave:
            cli.main()
        said = capsys.readouterr().err
        assert leave.value.code == 2
        assert swedish in said and english in said, said
        assert not [word for word in ENGLISH if word in said], said
