"""Stages the rows of a text file or a Parquet file by the engine itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from revictimisation.core.engine import Engine
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD, UnreadableFileError
from revictimisation.extract.sources.staging import LARGEST_WHOLE, Staged, copy_rows
from revictimisation.extract.sources.text_table import forget_rejected, open_text
from revictimisation.extract.sql import quote_path

REJECTED = "staged_rejected"


def stage_text(
    con: Engine,
    path: Path,
    separator: str | None,
    header_row: int | None,
    encoding: str,
    target: Path,
) -> Staged:
    """Stage a text file as it stands, headings and separator as `open_text` finds them.

    A row with more or fewer fields than the heading stops the reading (`ragged_row`), and so does a
    count by Python's reader that is not the engine's: no row is lost in silence. Rows of separators
    alone, as spreadsheets leave below a table, are left out and counted.
    """
    import duckdb

    text = open_text(
        path, target.parent, separator=separator, header_row=header_row, encoding=encoding
    )
    cells = "nfc_normalize(COLUMNS(*))" if text.is_decomposed else "*"
    try:
        n_rows = copy_rows(con, f"SELECT {cells} FROM {text.select(REJECTED)}", target)
        ragged = text.take_rejected(con, REJECTED)
    except duckdb.Error:
        raise UnreadableFileError from None
    finally:
        forget_rejected(con, REJECTED)
    if ragged:
        raise UnreadableFileError("ragged_row", rows=ragged[:MAX_ROWS_TOLD], count=len(ragged))
    text.check_count(n_rows)
    whole = Staged(
        target,
        text.names,
        text.first_row,
        tuple(text.blank_rows),
        n_rows=n_rows,
        is_mixed=text.is_mixed,
        heading_row=text.heading_row,
    )
    empty = _drop_empty_rows(con, whole)
    skipped = tuple(sorted((*text.blank_rows, *empty)))
    return replace(whole, skipped=skipped, n_rows=n_rows - len(empty), n_empty=len(empty))


def _drop_empty_rows(con: Engine, staged: Staged) -> tuple[int, ...]:
    """Take rows without a single value out of a staged file; their numbers in the source."""
    target, n_columns = staged.path, len(staged.names)
    rows = f"read_parquet({quote_path(target)}, file_row_number=true)"
    filled = " OR ".join(f"trim(c{place}) <> ''" for place in range(n_columns))
    is_empty = f"NOT coalesce({filled}, false)"
    found = con.run(f"SELECT file_row_number FROM {rows} WHERE {is_empty} ORDER BY 1")
    if found:
        kept = target.with_suffix(".kept")
        columns = ", ".join(f"c{place}" for place in range(n_columns))
        order = "ORDER BY file_row_number"
        copy_rows(con, f"SELECT {columns} FROM {rows} WHERE NOT {is_empty} {order}", kept)
        kept.replace(target)
    return tuple(staged.number(place) for (place,) in found)


def stage_parquet(con: Engine, path: Path, target: Path) -> Staged:
    """Stage a Parquet file's columns as the text that CSV would hold; the first row is row 1.

    A moment in time is written in UTC with its zone, a whole number of a column of floats without
    decimals.
    """
    import duckdb

    relation = f"read_parquet({quote_path(path)}, hive_partitioning=false)"
    try:
        con.run("SET TimeZone = 'UTC'")
        described = con.run(f"DESCRIBE SELECT * FROM {relation}")
        places = ", ".join(f"c{place}" for place in range(len(described)))
        cells = ", ".join(
            f"{write_cell(f'c{place}', str(kind))} AS c{place}"
            for place, (_, kind, *_) in enumerate(described)
        )
        n_rows = copy_rows(con, f"SELECT {cells} FROM {relation} AS t({places})", target)
        if n_rows != count_parquet(path):
            raise UnreadableFileError("rows_disagree")
    except (duckdb.Error, OSError):
        raise UnreadableFileError from None
    names = tuple(str(name).strip() for name, *_ in described)
    return Staged(target, names, 1, n_rows=n_rows)


def count_parquet(path: Path) -> int:
    """How many rows a Parquet file says it has, by another library than the engine."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowException:
        raise UnreadableFileError from None


def write_cell(cell: str, kind: str) -> str:
    """SQL: a cell of the engine's type `kind` as the text that CSV would hold; NaN is missing."""
    text = f"CAST({cell} AS VARCHAR)"
    if kind == "VARCHAR":
        return f"nfc_normalize({text})"
    if kind in ("FLOAT", "DOUBLE"):
        is_whole = f"abs({cell}) < {LARGEST_WHOLE} AND {cell} = trunc({cell})"
        whole = f"CAST(CAST({cell} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN isnan({cell}) THEN NULL WHEN {is_whole} THEN {whole} ELSE {text} END"
    return text
