"""Rows of any source as a Parquet file of text that the engine reads, a chunk at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.core.engine import Engine
from revictimisation.extract.sql import quote_text

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_ROWS = 50_000
LARGEST_WHOLE = 2.0**53  # beyond it a float skips whole numbers


@dataclass(frozen=True)
class Flaw:
    """Cells of the column at `place` that a reader can't give as they are.

    `rule` is the dictionary's word for why, `rows` the numbers of the first, `count` how many.
    """

    rule: str
    place: int
    rows: tuple[int, ...]
    count: int


@dataclass(frozen=True)
class Staged:
    """A source's rows, every cell as text, in a Parquet file of our own.

    The file's columns are `c0`, `c1`, … in the source's order, so that no name of the source gets
    into a statement; `names` are the headings as written. The row at place 0 has the number
    `first_row` at its owner's (Excel: the sheet's row; text: the file's, the heading being row 1;
    else the first is 1); rows in `skipped` held nothing and are not in the file, `n_empty` of them
    had cells, all empty. `labels` gives, by place of the column, what its codes are called where
    the source says so. `heading_row` is the number of the row that the headings were read from, 0
    where names come with the file's format. Letters are composed (NFC).
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
    flaws: tuple[Flaw, ...] = ()

    def number(self, place: int) -> int:
        """The number at its owner's of the row at a place, counted from 0."""
        return place + self.first_row + bisect_right(self._moved, place + self.first_row)

    @cached_property
    def _moved(self) -> list[int]:
        """The numbers, but for the rows skipped above, from which on rows are moved by one more."""
        return [row - at for at, row in enumerate(sorted(self.skipped))]


def stage_chunks(
    chunks: Iterable[Sequence[pa.Array]], n_columns: int, target: Path
) -> tuple[Path, int]:
    """Write chunks of text columns one after another; gives the file and how many rows it has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(columns: Sequence[pa.Array]) -> int:
        table = pa.Table.from_arrays([_compose(column) for column in columns], schema=schema)
        writer.write_table(table)
        return int(table.num_rows)

    schema = pa.schema([(f"c{place}", pa.string()) for place in range(n_columns)])
    with pq.ParquetWriter(target, schema) as writer:
        n_rows = sum(write(columns) for columns in chunks)
    return target, n_rows


def _compose(column: pa.Array) -> pa.Array:
    """Letters that are written as two signs (as on a Mac) as one: å is å."""
    import pyarrow.compute as pc

    if pc.all(pc.string_is_ascii(column)).as_py() is not False:
        return column
    return pc.utf8_normalize(column, form="NFC")


def write_numbers(cells: Any) -> Any:
    """Floats of an array as text, whole ones without decimals; what is no number is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.if_else(pc.is_finite(cells), cells, None)
    is_whole = pc.and_(
        pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), LARGEST_WHOLE)
    )
    whole = pc.cast(pc.cast(pc.if_else(is_whole, numbers, None), pa.int64()), pa.string())
    return pc.if_else(is_whole, whole, pc.cast(numbers, pa.string()))


def copy_rows(con: Engine, asked: str, target: Path) -> int:
    """Write what a query gives into a Parquet file; how many rows it has."""
    done = con.run(f"COPY ({asked}) TO {quote_text(str(target))} (FORMAT parquet)")
    return int(done[0][0])


def transpose(rows: Sequence[Sequence[Any]], n_columns: int) -> list[list[Any]]:
    """Rows of equal length as columns; columns there are also where there is no row."""
    return [list(cells) for cells in zip(*rows, strict=True)] if rows else [[]] * n_columns


def take_chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The rows in lists of at most `CHUNK_ROWS`."""
    held: list[Any] = []
    for row in rows:
        held.append(row)
        if len(held) == CHUNK_ROWS:
            yield held
            held = []
    if held:
        yield held
