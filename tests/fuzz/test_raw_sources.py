"""Raw files made at random: rows in are rows out, or the refusal names the row.

Hundreds are tried by `benchmarks/raw_search.py`.
"""

from __future__ import annotations

from revictimisation.core.engine import connect
from tests.fuzz.raw_sources import try_source

SEED, N_FILES = 13, 40


def test_rows_in_are_rows_out_or_the_row_is_named(tmp_path):
    con = connect(threads=1)
    ends = set()
    for number in range(N_FILES):
        (tmp_path / str(number)).mkdir()
        outcome = try_source(con, tmp_path / str(number), SEED, number)
        assert outcome.faults == [], outcome
        ends.add(outcome.end)
    assert {"read", "ragged_row"} <= ends
