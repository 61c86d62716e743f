"""What makes checking quick changes nothing of what is found."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest

from revictimisation.core.engine import Piece, connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.extract.validation.contents import _join_periods
from tests.cases import for_each
from tests.validation.extracts import TODAY, VALID, load, write_extract

SLOW = {"ibis", "numpy", "pandas", "pyarrow", "pydantic"}
HEAD = VALID["police_measures"].splitlines()[0]


def test_checking_imports_nothing_that_only_other_commands_need(tmp_path):
    folder = write_extract(tmp_path, {**VALID, "risk_assessments": ""})
    code = (
        "import sys; from pathlib import Path; from revictimisation.commands.validate import *;"
        f"validate_folder(Path({str(folder)!r}), None, None, None, 2); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "revictimisation.extract.validation" in done.stdout.split()
    assert not SLOW & set(done.stdout.split())


def ask(engine, statement):
    return engine.con.execute(statement).fetchall()


@for_each("threads", [1, 3])
def test_pieces_of_work_wait_for_what_they_need_and_give_the_cores_back(threads):
    con = connect(threads=threads)

    def count(engine, done):
        ask(engine, f"CREATE TABLE t{len(done)} AS SELECT * FROM range(5)")
        return ask(engine, "SELECT current_setting('threads')")[0][0], *sorted(done)

    pieces = {"c": Piece(count, {"a", "b"}), "b": Piece(count, ["a"]), "a": Piece(count)}
    assert con.run_pieces(pieces) == {"a": (1,), "b": (1, "a"), "c": (1, "a", "b")}
    assert ask(con, "SELECT count(*) FROM t2") == [(5,)]
    assert ask(con, "SELECT current_setting('threads')") == [(threads,)]


def test_a_piece_that_fails_stops_the_rest_and_gives_the_cores_back():
    con, done = connect(threads=2), []
    pieces = {"a": Piece(lambda *_: 1 // 0), "b": Piece(lambda *_: done.append("b"), {"a"})}
    with pytest.raises(ZeroDivisionError):
        con.run_pieces(pieces)
    assert done == []
    assert ask(con, "SELECT current_setting('threads')") == [(2,)]


def test_a_piece_of_work_has_the_settings_of_the_whole():
    con = connect(threads=2)
    asked = "SELECT current_setting('TimeZone'), current_setting('python_enable_replacements')"
    assert con.run_pieces({0: Piece(lambda engine, _: ask(engine, asked))}) == {0: [("UTC", False)]}


def test_findings_do_not_depend_on_the_number_of_cores(tmp_path):
    rows = "m1,v1,r1,no_such,2012-03-05,granted,2012-03-06,2012-03-01\nm1,v9,r9,x,2013,,,\n"
    folder = write_extract(tmp_path, {**VALID, "police_measures": f"{HEAD}\n{rows}{rows}"})
    one, three = (
        load_extract(connect(threads=threads), folder, load_dictionary(), today=TODAY)
        for threads in (1, 3)
    )
    assert len(one.findings) > 5
    assert one.findings == three.findings
    assert one.row_counts == three.row_counts


SPELL = "m{},v1,r1,safety_talk,2012-03-05,granted,2012-03-06,{}\n"


@for_each(
    ("ends", "rows"),
    [
        (("2012-03-06", "2012-03-09"), ()),
        (("2012-03-09", "2012-03-06"), (3,)),
        (("2012-03-09", "", "2012-03-06"), (3, 4)),
    ],
)
def test_of_spells_that_start_on_one_day_the_row_decides_which_is_later(tmp_path, ends, rows):
    spells = "".join(SPELL.format(number, end) for number, end in enumerate(ends))
    found = load(tmp_path, {**VALID, "police_measures": f"{HEAD}\n{spells}"}).findings
    assert [one.rows for one in found if one.rule == "overlapping_spells"] == [rows][: len(rows)]


def test_a_cell_is_padded_or_the_file_has_no_space_at_all(tmp_path):
    padded = VALID["persons"].replace("v1,1980,female", " v1 , 1980,female  ")
    assert load(tmp_path / "1", {**VALID, "persons": padded}).findings == ()
    assert " " not in VALID["persons"]
    assert load(tmp_path / "2", VALID).findings == ()


@for_each(
    ("rows", "made"),
    [
        ([("a", "", "2014-12-31"), ("a", "2015-01-01", "")], [("a", "", "")]),
        ([("a", "2015-01-02", ""), ("a", "", "2014-12-31")], None),
        ([("a", "2014-01-01", "2014-12-31"), ("b", "2015-01-01", "2015-12-31")], None),
        (
            [("a", "2010-01-01", "2019-12-31"), ("a", "2012-01-01", "2013-12-31")],
            [("a", "2010-01-01", "2019-12-31")],
        ),
    ],
)
def test_periods_of_a_code_that_follow_each_other_are_one(rows, made):
    found = _join_periods(rows)
    assert found == (sorted(rows) if made is None else made)
    for day in (dt.date(2009, 1, 1) + dt.timedelta(days=31 * step) for step in range(120)):
        for code in ("a", "b"):
            assert is_valid(rows, code, day) == is_valid(found, code, day)


def is_valid(rows, code, day) -> bool:
    return any(
        code == one and (first or "0001-01-01") <= day.isoformat() <= (last or "9999-12-31")
        for one, first, last in rows
    )
