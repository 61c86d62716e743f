"""Reads one file of an extract into a typed table of the engine, row numbers kept.

Nothing here stops at a fault: a cell that is not of its type becomes null and is marked, a row
with the wrong number of fields is left out, and each is told as a finding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from revictimisation.core.codes import TYPE_FAULTS
from revictimisation.core.engine import EngineFault
from revictimisation.core.files import private_folder
from revictimisation.dictionary import Dictionary, Table
from revictimisation.dictionary.model import FieldType
from revictimisation.extract.sources.faults import UnreadableFileError
from revictimisation.extract.sources.formats import STATISTICS, WORKBOOK, check_format, find_format
from revictimisation.extract.sources.naming import EXTRA_NAME, SHOWN_NAME
from revictimisation.extract.sources.staging import Flaw
from revictimisation.extract.sources.statistics_file import stage_statistics
from revictimisation.extract.sources.text_table import TextTable, forget_rejected, open_text
from revictimisation.extract.sources.workbook import choose_sheet, stage_sheet
from revictimisation.extract.sql import quote_name, quote_path
from revictimisation.extract.validation import columns as sql
from revictimisation.extract.validation.checks import TIME_OF_DAY
from revictimisation.extract.validation.findings import Finding, make_finding

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from revictimisation.core.engine import Engine

# What a CSV file of an extract may be separated by.
DELIMITERS = (";", ",")


@dataclass(frozen=True)
class LoadedTable:
    """A table as loaded: its name in the engine, and which of its columns the file has."""

    table: Table
    name: str
    n_rows: int
    present: tuple[str, ...]
    extra: tuple[str, ...]
    is_given: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Layout:
    """How to select a file's rows as text: a relation, and the SQL of each known column."""

    relation: str
    texts: dict[str, str]
    names: tuple[str, ...]
    first_row: int
    has_decimal_comma: bool = False
    skipped: tuple[int, ...] = ()
    flaws: tuple[Flaw, ...] = ()


def count_rows(con: Engine, name: str) -> int:
    """How many rows a table of the engine has."""
    return int(con.run(f"SELECT count(*) FROM {name}")[0][0])


def load_table(
    con: Engine, table: Table, files: Sequence[Path], dictionary: Dictionary, name: str
) -> LoadedTable:
    """Load the file of a table as engine table `name`; an empty one if there is none to read.

    The engine's own words about a file are never passed on, as they quote the file.
    """
    if len(files) != 1:
        found = [make_finding(dictionary, "two_files", "error", table.name)] if files else []
        return _load_nothing(con, table, name, found, is_given=bool(files))
    try:
        reader = con.choose_reader(files[0])
        with private_folder() as folder:
            loaded = _load_file(reader, table, files[0], dictionary, name, Path(folder))
        con.take_over(name, reader)
        return loaded
    except duckdb.OutOfMemoryException:
        raise MemoryError(f"{table.name} does not fit in the memory given") from None
    except (UnreadableFileError, EngineFault) as fault:
        forget_rejected(con, f"{name}_rejected")
        told = fault if isinstance(fault, UnreadableFileError) else UnreadableFileError()
        column = [told.column.lower()] if told.column.lower() in table.field_names else ()
        found = [
            make_finding(
                dictionary, told.kind, "error", table.name, column,
                count=told.count, rows=told.rows,
            )
        ]  # fmt: skip
        return _load_nothing(con, table, name, found, is_given=True)


def _load_file(
    con: Engine, table: Table, path: Path, dictionary: Dictionary, name: str, workspace: Path
) -> LoadedTable:
    is_csv = path.suffix.lower() == ".csv"
    rejected = f"{name}_rejected"
    text: TextTable | None = None
    if is_csv:
        known = table.field_names
        text = open_text(path, workspace, separators=DELIMITERS, known=known)
        layout = _layout_csv(text, rejected)
    elif find_format(path) in (WORKBOOK, STATISTICS):
        layout = _layout_staged(table, path, workspace)
    else:
        layout = _layout_parquet(con, path)
    extra = _find_extra(con, table, layout)
    findings = _check_names(table, layout.names, set(extra), dictionary)
    if not set(layout.texts) & set(table.field_names):
        return _load_nothing(con, table, name, findings, is_given=True)
    _create_table(con, table, layout, extra, name)
    ragged = text.take_rejected(con, rejected) if text else ()
    _number_rows(con, name, layout.first_row, sorted({*ragged, *layout.skipped}))
    findings += _judge_flaws(table, layout, dictionary)
    if text and text.is_mixed:
        findings.append(make_finding(dictionary, "mixed_encoding", "warning", table.name))
    if ragged:
        n_ragged = len(ragged)
        findings.append(
            make_finding(dictionary, "ragged_row", "error", table.name, count=n_ragged, rows=ragged)
        )
    present = tuple(one for one in table.field_names if one in layout.texts)
    n_rows = count_rows(con, name)
    if text and not ragged:
        text.check_count(n_rows)
    return LoadedTable(table, name, n_rows, present, tuple(extra), True, tuple(findings))


def _load_nothing(
    con: Engine, table: Table, name: str, findings: Iterable[Finding], is_given: bool
) -> LoadedTable:
    types = [(field.name, sql.ENGINE_TYPES[field.type]) for field in table.fields]
    columns = [f"{quote_name(column)} {kind}" for column, kind in types]
    con.run(f"CREATE OR REPLACE TABLE {name}_rows ({', '.join(columns)}, {TYPE_FAULTS} BIGINT)")
    _number_rows(con, name, first_row=1, skipped=())
    return LoadedTable(table, name, 0, (), (), is_given, tuple(findings))


def _judge_flaws(table: Table, layout: _Layout, dictionary: Dictionary) -> list[Finding]:
    """Cells that a reader could not give: grave in a column that must be filled."""
    found = []
    for flaw in layout.flaws:
        column = layout.names[flaw.place] if flaw.place < len(layout.names) else ""
        if not column or column in table.field_names:
            is_grave = bool(column) and table.field(column).is_required
            found.append(
                make_finding(
                    dictionary, flaw.rule, "error" if is_grave else "warning", table.name,
                    [column] if column else (), count=flaw.count, rows=flaw.rows,
                )
            )  # fmt: skip
    return found


def _layout_csv(text: TextTable, rejected: str) -> _Layout:
    """Columns are read by place, so that no name of the file's gets into a statement."""
    clean = sql.clean_text if text.has_spaces else quote_name
    names = tuple(name.lower() for name in text.names)
    cells = {name: clean(f"c{place}") for place, name in enumerate(names) if name}
    return _Layout(
        text.select(rejected),
        cells,
        names,
        text.first_row,
        has_decimal_comma=text.separator == ";",
        skipped=text.blank_rows,
    )


def _layout_parquet(con: Engine, path: Path) -> _Layout:
    relation = f"read_parquet({quote_path(path)}, hive_partitioning=false)"
    described = con.run(f"DESCRIBE SELECT * FROM {relation}")
    names = tuple(str(one[0]).strip().lower() for one in described)
    texts = {
        name: sql.parquet_text(str(one[0]), str(one[1]))
        for name, one in zip(names, described, strict=True)
    }
    return _Layout(relation, texts, names, first_row=1)


def _layout_staged(table: Table, path: Path, workspace: Path) -> _Layout:
    """A sheet of a workbook (the one with the table's name, or the only one), or SAS or SPSS."""
    is_workbook, target = check_format(path) == WORKBOOK, workspace / f"{table.name}.parquet"
    if is_workbook:
        staged = stage_sheet(path, choose_sheet(path, table.name), None, target)
    else:
        staged = stage_statistics(path, target)
    relation = f"read_parquet({quote_path(staged.path)}, hive_partitioning=false)"
    names = tuple(name.strip().lower() for name in staged.names)
    texts = {name: sql.clean_text(f"c{place}") for place, name in enumerate(names) if name}
    return _Layout(
        relation, texts, names, staged.first_row, skipped=staged.skipped, flaws=staged.flaws
    )


def _find_extra(con: Engine, table: Table, layout: _Layout) -> dict[str, bool]:
    """The owner's own columns, and for each whether it is a number: every non-empty value is."""
    prefix = table.extra_columns.prefix if table.extra_columns else None
    names = [
        fromkey
        for fromkey in dict.fromkeys(layout.names)
        if prefix and fromkey.startswith(prefix) and EXTRA_NAME.fullmatch(fromkey)
    ]
    if not names:
        return {}
    tests = [
        f"coalesce(bool_and({text} IS NULL OR {sql.is_number(text)}), true)"
        for text in (_number_text(layout, name) for name in names)
    ]
    found = con.run(f"SELECT {', '.join(tests)} FROM {_without_rejects(layout.relation)}")[0]
    return dict(zip(names, map(bool, found), strict=True))


def _without_rejects(relation: str) -> str:
    """The same rows, without a list of the rejected ones (which the real reading makes)."""
    return re.sub(r"store_rejects=true.*", "ignore_errors=true)", relation)


def _number_text(layout: _Layout, name: str) -> str:
    text = layout.texts[name]
    return sql.decimal_point(text) if layout.has_decimal_comma else text


def _check_names(
    table: Table, names: Sequence[str], extra: set[str], dictionary: Dictionary
) -> list[Finding]:
    """Missing, doubled and extra columns.

    Where a required column is missing the first row may be data: then extra names are not shown.
    """
    missing = [name for name in table.field_names if name not in names]
    doubled = [one for one, count in Counter(names).items() if count > 1 and one]
    unused = [
        fromkey for fromkey in dict.fromkeys(names) if fromkey not in {*table.field_names, *extra}
    ]
    found = [
        make_finding(dictionary, "missing_column", "error", table.name, [one]) for one in missing
    ]
    shown = {one for one in unused if not missing and SHOWN_NAME.fullmatch(one)}
    for one in doubled:
        column = one if one in {*table.field_names, *extra, *shown} else "?"
        found.append(make_finding(dictionary, "doubled_column", "error", table.name, [column]))
    for one in unused:
        if one in shown:
            found.append(make_finding(dictionary, "extra_column", "notice", table.name, [one]))
    hidden = len(unused) - len(shown)
    if hidden:
        found.append(make_finding(dictionary, "extra_columns", "notice", table.name, count=hidden))
    return found


def _create_table(
    con: Engine, table: Table, layout: _Layout, extra: dict[str, bool], name: str
) -> None:
    """Read the file once: typed columns, and a bit for each cell that is not of its type.

    Rows are kept in the file's order, so that their place gives their number.
    """
    kinds: dict[str, FieldType] = {field.name: field.type for field in table.fields}
    kinds.update({one: "number" if is_number else "string" for one, is_number in extra.items()})
    texts, values, faults, kept = [], [], ["0::BIGINT"], []
    for place, (column, kind) in enumerate(kinds.items()):
        target, raw = quote_name(column), quote_name(f"{column}:text")
        kept.append(target)
        if column not in layout.texts:
            values.append(f"CAST(NULL AS {sql.ENGINE_TYPES[kind]}) AS {target}")
            continue
        text = _number_text(layout, column) if kind == "number" else layout.texts[column]
        texts.append(f"{text} AS {raw}")
        values.append(f"{sql.cast_text(raw, kind)} AS {target}")
        if kind != "string" and column not in extra:
            values.append(raw)
            bad = f"{target} IS NULL AND {raw} IS NOT NULL"
            faults.append(f"CASE WHEN {bad} THEN {1 << place} ELSE 0 END")
        if kind == "date":
            bit = 1 << (place + TIME_OF_DAY)
            faults.append(f"CASE WHEN {sql.has_time_of_day(raw)} THEN {bit} ELSE 0 END")
    con.run(
        f"CREATE OR REPLACE TABLE {name}_rows AS"
        f" SELECT {', '.join(kept)}, {' | '.join(faults)} AS {TYPE_FAULTS}"
        f" FROM (SELECT {', '.join(values)}"
        f" FROM (SELECT {', '.join(texts)} FROM {layout.relation}))",
    )


def _number_rows(con: Engine, name: str, first_row: int, skipped: Sequence[int]) -> None:
    """Make `name` the rows with their numbers in the file, past those that were skipped."""
    source, number = f"{name}_rows t", f"t.rowid + {first_row}"
    if skipped:
        shifts = {row - place: place + 1 for place, row in enumerate(skipped)}
        values = ", ".join(f"({at}, {shift})" for at, shift in shifts.items())
        numbered = f"(SELECT *, rowid + {first_row} AS place FROM {name}_rows)"
        con.run(
            f"CREATE OR REPLACE TABLE {name}_rows AS SELECT r.* EXCLUDE (place),"
            f" r.place + coalesce(s.shift, 0) AS row_number FROM {numbered} r"
            f" ASOF LEFT JOIN (VALUES {values}) s(first_at, shift) ON r.place >= s.first_at",
        )
    columns = f"t.*{'' if skipped else f', {number} AS row_number'}"
    con.run(f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {source}")


def show_table(con: Engine, name: str) -> ir.Table:
    """The table as other stages know it: the dictionary's columns and `row_number`, last."""
    columns = f"* EXCLUDE ({TYPE_FAULTS}, row_number), row_number"
    con.run(f"CREATE OR REPLACE VIEW {name}_typed AS SELECT {columns} FROM {name}")
    return con.backend.table(f"{name}_typed")
