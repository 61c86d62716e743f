"""Stages the rows of a text file or a Parquet file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.sources.faults import UnreadableFileError
from revictimisation.sources.staging import Staged, number_row
from revictimisation.sources.text_file import BYTE_ORDER_MARK, prepare_text

if TYPE_CHECKING:
    from revictimisation.engine import Engine

SEPARATORS = (";", "\t", ",", "|")
REJECTED = "staged_rejected"
MAX_ROWS_TOLD = 10


def stage_text(
    con: Engine, path: Path, separator: str | None, header_row: int | None, target: Path
) -> Staged:
    """Stage a text file (UTF-8 or Windows-1252) as it stands; the file's first row is row 1.

    Without a `separator` it is the one that cuts the heading into most names. A row with more or
    fewer fields than the heading stops the reading (`ragged_row`): no row is lost in silence. Rows
    of separators alone, as spreadsheets leave below a table, are left out and counted.
    """
    import duckdb

    heading_row = header_row or 1
    text = prepare_text(path, target.parent)
    names = _read_names(text.path, separator, heading_row)
    cut = separator or find_separator(text.path, heading_row)
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(names)))
    relation = (
        f"read_csv({quote_path(text.path)}, auto_detect=false, header=false, skip={heading_row},"
        f" delim={_quote(cut)}, quote='\"', escape='\"', strict_mode=true, columns={{{columns}}},"
        f" store_rejects=true, rejects_limit=0,"
        f" rejects_table='{REJECTED}', rejects_scan='{REJECTED}_scan')"
    )
    try:
        n_rows = _copy(con, relation, target)
        ragged = [int(one[0]) for one in _run(con, f"SELECT DISTINCT line FROM {REJECTED}")]
    except duckdb.Error:
        raise UnreadableFileError from None
    finally:
        _forget(con)
    if ragged:
        told = tuple(sorted(ragged))[:MAX_ROWS_TOLD]
        raise UnreadableFileError("ragged_row", rows=told, count=len(ragged))
    blank = tuple(row for row in text.blank_rows if row > heading_row)
    empty = _drop_empty_rows(con, target, len(names), heading_row + 1, blank)
    skipped = tuple(sorted((*blank, *empty)))
    return Staged(
        target,
        names,
        heading_row + 1,
        skipped,
        n_rows=n_rows - len(empty),
        n_empty=len(empty),
        is_mixed=text.is_mixed,
        heading_row=heading_row,
    )


def _drop_empty_rows(
    con: Engine, target: Path, n_columns: int, first_row: int, blank: Sequence[int]
) -> tuple[int, ...]:
    """Take rows without a single value out of a staged file; their numbers in the source."""
    rows = f"read_parquet({quote_path(target)}, file_row_number=true)"
    filled = " OR ".join(f"trim(c{place}) <> ''" for place in range(n_columns))
    is_empty = f"NOT coalesce({filled}, false)"
    number = number_row("file_row_number", first_row, blank)
    found = _run(con, f"SELECT {number} FROM {rows} WHERE {is_empty} ORDER BY 1")
    if found:
        kept = target.with_suffix(".kept")
        columns = ", ".join(f"c{place}" for place in range(n_columns))
        order = "ORDER BY file_row_number"
        _run(
            con,
            f"COPY (SELECT {columns} FROM {rows} WHERE NOT {is_empty} {order})"
            f" TO {_quote(str(kept))} (FORMAT parquet)",
        )
        kept.replace(target)
    return tuple(int(one[0]) for one in found)


def stage_parquet(con: Engine, path: Path, target: Path) -> Staged:
    """Stage a Parquet file's columns as the text that CSV would hold; the first row is row 1."""
    import duckdb

    relation = f"read_parquet({quote_path(path)}, hive_partitioning=false)"
    try:
        described = _run(con, f"DESCRIBE SELECT * FROM {relation}")
        places = ", ".join(f"c{place}" for place in range(len(described)))
        n_rows = _copy(con, f"{relation} AS t({places})", target)
    except duckdb.Error:
        raise UnreadableFileError from None
    return Staged(target, tuple(str(one[0]).strip() for one in described), 1, n_rows=n_rows)


def find_separator(path: Path, heading_row: int) -> str:
    """The separator that cuts the heading into most names; of equals the first of `; tab , |`."""
    return max(SEPARATORS, key=lambda one: len(_split_row(path, one, heading_row)))


def quote_path(path: Path) -> str:
    """A path as the engine's text in which it sees no pattern."""
    special = {"[": "[[]", "*": "[*]", "?": "[?]"}
    return _quote("".join(special.get(letter, letter) for letter in str(path)))


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _read_names(path: Path, separator: str | None, heading_row: int) -> tuple[str, ...]:
    cells = _split_row(path, separator or find_separator(path, heading_row), heading_row)
    names = tuple(" ".join(cell.removeprefix(BYTE_ORDER_MARK).split()) for cell in cells)
    if not any(names):
        raise UnreadableFileError("empty_file")
    return names


def _split_row(path: Path, separator: str, number: int) -> Sequence[str]:
    """The cells of one row of a prepared file, rows counted by line ends outside quotes."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for _ in range(number - 1):
                stream.readline()
            return next(csv.reader(stream, delimiter=separator), [])
    except (UnicodeDecodeError, csv.Error):
        raise UnreadableFileError from None


def _copy(con: Engine, relation: str, target: Path) -> int:
    cells = "CAST(COLUMNS(*) AS VARCHAR)"
    done = _run(
        con, f"COPY (SELECT {cells} FROM {relation}) TO {_quote(str(target))} (FORMAT parquet)"
    )
    return int(done[0][0])


def _run(con: Engine, statement: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = con.con.execute(statement).fetchall()
    return rows


def _forget(con: Engine) -> None:
    """Drop the engine's notes on rejected rows: they quote them."""
    _run(con, f"DROP TABLE IF EXISTS {REJECTED}")
    _run(con, f"DROP TABLE IF EXISTS {REJECTED}_scan")
