"""A row keeps the number that its owner sees, however many rows above it held nothing."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from revictimisation.engine import connect
from revictimisation.sources.staging import Staged, number_row


def test_numbers_of_rows_below_gaps_are_found_by_halves():
    """Every second row is blank; a chain of as many steps as gaps would be rows times rows."""
    skipped = tuple(range(3, 2000, 2))
    staged = Staged(Path("x"), ("a",), 2, skipped)
    kept = [number for number in range(2, 2001) if number not in skipped]
    assert [staged.number(place) for place in range(len(kept))] == kept
    asked = number_row("n", 2, skipped)
    con = connect(threads=1).con
    found = con.execute(f"SELECT {asked} FROM range({len(kept)}) AS rows(n) ORDER BY n").fetchall()
    assert [number for (number,) in found] == kept
    steps = re.findall(r"CASE|WHEN|END", asked)
    assert steps.count("WHEN") == steps.count("CASE")
    depths = itertools.accumulate({"CASE": 1, "WHEN": 0, "END": -1}[step] for step in steps)
    assert max(depths) <= len(skipped).bit_length()
