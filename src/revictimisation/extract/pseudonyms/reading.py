"""Reads an extract's files cell by cell as they were written, before anything is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revictimisation.core import files
from revictimisation.core.engine import Engine
from revictimisation.core.errors import DataError
from revictimisation.dictionary import Dictionary
from revictimisation.extract.sources.faults import UnreadableFileError
from revictimisation.extract.sources.local_day import shift_zone
from revictimisation.extract.sources.text_table import forget_rejected, open_text
from revictimisation.extract.sql import quote_name, quote_path
from revictimisation.extract.validation import make_finding, render_findings
from revictimisation.extract.validation.reading import DELIMITERS
from revictimisation.extract.validation.source import find_files

if TYPE_CHECKING:
    from revictimisation.extract.validation import Finding


REJECTED = "raw_rejected"
UTC = "'UTC'"
# Tables of other formats come as CSV from the command `map`.
READ_HERE = (".csv", ".parquet")
PLAIN_TYPES = {
    "VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT",
    "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIMESTAMP", "TIMESTAMP_NS",
    "TIMESTAMP_MS", "TIMESTAMP_S",
}  # fmt: skip


@dataclass(frozen=True)
class RawTable:
    """A table as delivered: CSV cells as text, Parquet cells of their own type.

    Column names in lower case. `first_row` is the number of the first row in the file (in CSV the
    header is row 1).
    """

    name: str
    kind: str
    cells: pa.Table
    first_row: int

    def count(self, column: str) -> int:
        """How many cells of a column hold something."""
        cells = self.cells.column(column)
        return len(cells) - int(cells.null_count)


def read_raw_tables(
    con: Engine, folder: Path, dictionary: Dictionary, more: Collection[str] = ()
) -> tuple[dict[str, RawTable], int]:
    """Read the files of the dictionary's in-tables, and count the table files that are of none.

    `more` names further tables of the dictionary to read. `DataError` with every file that can't
    be read whole: a row left out would be lost in silence.
    """
    known = [*(one.name for one in dictionary.tables_by_direction("in")), *more]
    found, unknown = find_files(folder, known)
    tables, faults = {}, []
    for name, paths in found.items():
        if len(paths) > 1:
            faults.append(make_finding(dictionary, "two_files", "error", name))
        elif paths:
            one = _read(con, name, paths[0], dictionary)
            if isinstance(one, RawTable):
                tables[name] = one
            else:
                faults.append(one)
    if faults:
        raise DataError(render_findings(faults))
    if not tables:
        raise DataError(
            f"{folder} har ingen av ordlistans tabeller (persons.csv, reports.csv …). Är det "
            "råfiler: kör map först. / It has none of the dictionary's tables; run map first on "
            "files as the systems left them."
        )
    return tables, len(unknown)


def _read(con: Engine, name: str, path: Path, dictionary: Dictionary) -> RawTable | Finding:
    known = dictionary.tables[name].field_names
    if path.suffix.lower() not in READ_HERE:
        return make_finding(dictionary, "needs_mapping", "error", name)
    kind = path.suffix.lower().removeprefix(".")
    try:
        with files.private_folder() as folder:
            if kind == "csv":
                table, first_row = _read_csv(con, path, Path(folder), known)
            else:
                table, first_row = _read_parquet(con, path), 1
    except duckdb.Error:
        # the engine's own words quote the file
        return make_finding(dictionary, "unreadable_file", "error", name)
    except UnreadableFileError as fault:
        count, rows = fault.count, fault.rows
        return make_finding(dictionary, fault.kind, "error", name, count=count, rows=rows)
    doubled = [one for one, count in Counter(table.column_names).items() if count > 1]
    if doubled:
        column = doubled[0] if doubled[0] in known else "?"
        return make_finding(dictionary, "doubled_column", "error", name, [column])
    return RawTable(name, kind, table, first_row)


def _read_csv(
    con: Engine, path: Path, folder: Path, known: tuple[str, ...]
) -> tuple[pa.Table, int]:
    """The cells, and the number of the first row. Rows of another length stop the reading."""
    text = open_text(path, folder, separators=DELIMITERS, known=known)
    cells = "nfc_normalize(COLUMNS(*))" if text.is_decomposed else "*"
    try:
        table = con.con.execute(f"SELECT {cells} FROM {text.select(REJECTED)}").to_arrow_table()
        ragged = text.take_rejected(con, REJECTED)
    finally:
        forget_rejected(con, REJECTED)
    if ragged:
        raise UnreadableFileError("ragged_row", rows=ragged, count=len(ragged))
    text.check_count(table.num_rows)
    return table.rename_columns([name.lower() for name in text.names]), text.first_row


def _read_parquet(con: Engine, path: Path) -> pa.Table:
    relation = f"read_parquet({quote_path(path)}, hive_partitioning=false)"
    described = con.run(f"DESCRIBE SELECT * FROM {relation}")
    names = [str(one[0]).strip().lower() for one in described]
    cells = ", ".join(_select_cells(str(one[0]), str(one[1])) for one in described)
    table = con.con.execute(f"SELECT {cells} FROM {relation}").to_arrow_table()
    if not names:
        raise UnreadableFileError("empty_file")
    return table.rename_columns(names)


def _select_cells(name: str, engine_type: str) -> str:
    """A column as it is if it is plain; lists, bytes and the like as the engine writes them.

    A moment in time becomes what the clock shows where agencies register.
    """
    column = quote_name(name)
    if engine_type == "TIMESTAMP WITH TIME ZONE":
        return f"{shift_zone(f'timezone({UTC}, {column})')} AS {column}"
    is_plain = engine_type.split("(")[0].split(" ")[0] in PLAIN_TYPES
    return column if is_plain and "[" not in engine_type else f"CAST({column} AS VARCHAR)"


def to_texts(table: RawTable) -> pd.DataFrame:
    """A table's cells as CSV would hold them: text, empty where there is nothing."""
    columns = {}
    for name in table.cells.column_names:
        cells = table.cells.column(name)
        if pa.types.is_timestamp(cells.type):
            cells = pc.cast(cells, pa.date32())
        columns[name] = pc.fill_null(pc.cast(cells, pa.string()), "").to_pandas()
    return pd.DataFrame(columns)


def list_dates(tables: Mapping[str, RawTable], dictionary: Dictionary) -> list[pa.ChunkedArray]:
    """The date columns of all tables, as they were written."""
    return [
        table.cells.column(field.name)
        for name, table in tables.items()
        for field in dictionary.tables[name].fields
        if field.type == "date" and field.name in table.cells.column_names
    ]
