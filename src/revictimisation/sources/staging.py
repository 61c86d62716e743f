"""Rows of any source as a Parquet file of text that the engine reads, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class Staged:
    """A source's rows, every cell as text, in a Parquet file of our own.

    The file's columns are `c0`, `c1`, … in the source's order, so that no name of the source gets
    into a statement; `names` are the headings as written. The row at place 0 has the number
    `first_row` at its owner's (Excel: the sheet's row; text: the file's, the heading being row 1;
    else the first is 1); rows in `skipped` held nothing and are not in the file, `n_empty` of them
    had cells, all empty. `labels` gives, by place of the column, what its codes are called where
    the source says so. `heading_row` is the number of the row that the headings were read from, 0
    where names come with the file's format.
    """

    path: Path
    names: tuple[str, ...]
    first_row: int
    skipped: tuple[int, ...] = ()
    labels: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    n_rows: int = 0
    n_empty: int = 0
    is_mixed: bool = False
    heading_row: int = 0


def stage_chunks(
    chunks: Iterable[Sequence[pa.Array]], n_columns: int, target: Path
) -> tuple[Path, int]:
    """Write chunks of text columns one after another; gives the file and how many rows it has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(f"c{place}", pa.string()) for place in range(n_columns)])
    n_rows = 0
    with pq.ParquetWriter(target, schema) as writer:
        for columns in chunks:
            table = pa.Table.from_arrays([*columns], schema=schema)
            writer.write_table(table)
            n_rows += table.num_rows
    return target, n_rows


def transpose(rows: Sequence[Sequence[Any]], n_columns: int) -> list[list[Any]]:
    """Rows of equal length as columns; columns there are also where there is no row."""
    return [list(cells) for cells in zip(*rows, strict=True)] if rows else [[]] * n_columns


def take_chunks(rows: Iterable[Any], size: int = CHUNK_ROWS) -> Iterator[list[Any]]:
    """The rows in lists of at most `size`."""
    held: list[Any] = []
    for row in rows:
        held.append(row)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held


def number_row(place: str, first_row: int, skipped: Sequence[int]) -> str:
    """SQL for a row's number at its owner's from its place in the file, counted from 0.

    >>> number_row("n", 2, [])
    'n + 2'
    >>> number_row("n", 2, [4, 5])
    '(n + 2 + CASE WHEN n + 2 >= 4 THEN 2 ELSE 0 END)'
    """
    start = f"{place} + {first_row}"
    # Several rows skipped in a run move what follows at one and the same place.
    shifts = {row - at: at + 1 for at, row in enumerate(sorted(skipped))}
    if not shifts:
        return start
    whens = " ".join(
        f"WHEN {start} >= {at} THEN {shift}" for at, shift in sorted(shifts.items(), reverse=True)
    )
    return f"({start} + CASE {whens} ELSE 0 END)"
