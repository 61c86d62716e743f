"""What makes checking quick changes nothing of what is found."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest

from revictimisation.dictionary import load_dictionary
from revictimisation.engine import connect
from revictimisation.validation import load_extract
from revictimisation.validation.contents import _join_periods
from tests.validation.extracts import TODAY, VALID, load, write_extract

SLOW = {"ibis", "numpy", "pandas", "pyarrow", "pydantic"}
HEAD = VALID["police_measures"].splitlines()[0]


def test_checking_imports_nothing_that_only_other_commands_need(tmp_path):
    folder = write_extract(tmp_path, {**VALID, "risk_assessments": ""})
    code = (
        "import sys; from pathlib import Path; from revictimisation.acceptance import *;"
        f"validate_folder(Path({str(folder)!r}), None, None, None, 2); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "revictimisation.validation" in done.stdout.split()
    assert not SLOW & set(done.stdout.split())


def test_work_that_is_spread_keeps_its_order_and_gives_the_cores_back():
    con = connect(threads=3)

    def count(engine, number):
        engine.con.execute(f"CREATE TABLE t{number} AS SELECT * FROM range({number})")
        return engine.con.execute("SELECT current_setting('threads')").fetchall()[0][0], number

    assert con.spread(count, range(6)) == [(1, number) for number in range(6)]
    assert con.con.execute("SELECT count(*) FROM t5").fetchall() == [(5,)]
    with pytest.raises(ZeroDivisionError):
        con.spread(lambda _, number: 1 // number, [1, 0, 2])
    assert con.con.execute("SELECT current_setting('threads')").fetchall() == [(3,)]


def test_a_piece_of_work_has_the_settings_of_the_whole():
    con = connect(threads=2)
    asked = "SELECT current_setting('TimeZone'), current_setting('python_enable_replacements')"
    found = con.spread(lambda engine, _: engine.con.execute(asked).fetchall()[0], range(2))
    assert found == [("UTC", False)] * 2


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


@pytest.mark.parametrize(
    ("ends", "rows"),
    [
        (("2012-03-06", "2012-03-09"), ()),
        (("2012-03-09", "2012-03-06"), (3,)),
        (("2012-03-09", "", "2012-03-06"), (3, 4)),
    ],
    ids=["no time, then some", "some, then none", "an open one between"],
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


@pytest.mark.parametrize(
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
    ids=["next day", "a day between", "another code", "within"],
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
