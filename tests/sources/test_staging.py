"""A row keeps the number that its owner sees, however many rows above it held nothing."""

from __future__ import annotations

from pathlib import Path

from revictimisation.extract.sources.staging import Staged


def test_a_row_keeps_its_number_below_rows_that_are_left_out():
    for skipped in ((), (3,), (2, 3, 6), tuple(range(3, 2000, 2))):
        staged = Staged(Path("x"), ("a",), 2, skipped)
        kept = [number for number in range(2, 2001) if number not in skipped]
        assert [staged.number(place) for place in range(len(kept))] == kept
