"""Makes the extract that a mapping file describes, set by set in the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from revictimisation.core.engine import Engine
from revictimisation.dictionary import Field, Table
from revictimisation.extract.mapping.faults import own_type
from revictimisation.extract.mapping.headings import Heading, judge_heading
from revictimisation.extract.mapping.inspection import inspect_cells
from revictimisation.extract.mapping.losses import (
    describe_flaws,
    describe_unnamed,
    describe_unread,
    find_empty,
)
from revictimisation.extract.mapping.making import Making, Rows
from revictimisation.extract.mapping.model import Column, Part
from revictimisation.extract.mapping.report import MappingReport, Remark, TableReport
from revictimisation.extract.mapping.texts import Texts, find_texts, is_for_linkage
from revictimisation.extract.mapping.values import Cell, compile_cell, layer_rows
from revictimisation.extract.mapping.words import is_hidden
from revictimisation.extract.sources.faults import UnreadableFileError, may_show
from revictimisation.extract.sources.opening import stage_place
from revictimisation.extract.sources.staging import Staged
from revictimisation.extract.sql import quote_text


@dataclass
class _Work:
    """What making one table gathers."""

    table: Table
    pieces: list[Path] = field(default_factory=list)
    rows_in: list[tuple[str, int]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    left_out: dict[str, None] = field(default_factory=dict)
    empty: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def make_extract(making: Making, kind: str) -> tuple[MappingReport, list[Path]]:
    """Write `<table>.<kind>` (csv or parquet) for every table of the mapping into the workspace.

    A row of the source is a row of the extract, in the same order; only where the mapping says
    `unique_rows` are rows that are wholly alike written once. Values that find no place stand as
    they were. Where the report says that it refuses, the files are not to be used.
    """
    mapping = making.mapping
    tables, remarks, written = [], [], []
    for name, parts in mapping.tables.items():
        work = _Work(making.dictionary.tables[name])
        for part in parts:
            _map_part(making, work, part)
        remarks += work.remarks
        if work.pieces:
            target = making.workspace / f"{name}.{kind}"
            is_unique = any(part.unique_rows for part in parts)
            tables.append(_finish(making.con, work, target, is_unique))
            remarks += _judge_empty(work, tables[-1].rows_out)
            written.append(target)
    remarks += describe_unread(making.source, mapping)
    return MappingReport(tuple(tables), tuple(remarks)), written


def _map_part(making: Making, work: _Work, part: Part) -> None:
    """Stage the part's files one by one and write each as a piece of the table."""
    con, source = making.con, making.source
    try:
        for title, staged in stage_place(con, source, part.place, making.workspace):
            rows, heading = Rows(work.table, title, staged), judge_heading(con, staged, part)
            if heading.holds_data or not (heading.is_clear or _has_columns(part, staged)):
                work.remarks.append(_refuse_heading(rows, part))
                continue
            cells = list(_compile(making, work, part, rows, heading))
            if len(cells) < len(part.columns):
                continue
            texts = find_texts(making, rows, cells)
            work.remarks += inspect_cells(making, rows, cells, texts)
            piece = making.workspace / f"{work.table.name}_{len(work.pieces)}.piece"
            _write_piece(con, work.table, cells, texts, layer_rows(cells, staged), piece)
            work.pieces.append(piece)
            work.rows_in.append((title, staged.n_rows))
            work.empty += find_empty(con, rows, cells, texts)
    except UnreadableFileError as fault:
        # A database is told by where it is, a file by the table it should give.
        is_database = fault.kind.startswith("database_")
        table = source.title if is_database else work.table.name
        work.remarks.append(
            Remark(
                fault.kind,
                "error",
                table,
                source=fault.source or part.place.title,
                count=fault.count if fault.rows or fault.kind == "rows_disagree" else 0,
                rows=fault.rows,
                names=fault.names,
                sought=fault.column,
            )
        )


def _has_columns(part: Part, staged: Staged) -> bool:
    """Whether every column that the mapping gives is there, by name or number."""
    places = find_places(staged.names)
    given = [column for column in part.columns.values() if column.constant is None]
    return all(_find_place(one, staged.names, places) is not None for one in given)


def _refuse_heading(rows: Rows, part: Part) -> Remark:
    """Where the headings were read and what was sought there; never what stands there."""
    named = [
        column.source
        for column in part.columns.values()
        if column.source and not column.source.isdigit()
    ]
    at, sought = (rows.staged.heading_row,), ", ".join(named)
    return rows.remark("unclear_heading", "error", count=1, rows=at, sought=sought)


def _compile(
    making: Making, work: _Work, part: Part, rows: Rows, heading: Heading
) -> Iterator[Cell]:
    """The columns as SQL; one that the source does not have is told and left out."""
    staged = rows.staged
    places = find_places(staged.names)
    taken = set()
    for number, (name, given) in enumerate(part.columns.items()):
        place = _find_place(given, staged.names, places)
        if place is None and given.constant is None:
            shown = tuple(one for one in staged.names if may_show(one))
            missing = {"names": shown, "sought": given.source}
            work.remarks.append(rows.remark("missing_source_column", "error", name, **missing))
            continue
        work.used.add(name)
        taken.add(place)
        if place is not None and _is_refused(work.table, name, staged.names[place]):
            sought = heading.show(place)
            work.remarks.append(rows.remark("hidden_heading", "error", name, sought=sought))
        kind = _find_field(work.table, name, given)
        if place is not None:
            work.remarks += describe_flaws(rows, kind, place)
        yield compile_cell(kind, number, given, place, part, making.mapping, making.dictionary)
    work.remarks += describe_unnamed(making.con, rows, taken)
    if staged.n_empty:
        work.remarks.append(rows.remark("empty_rows", "notice", count=staged.n_empty))
    if staged.is_mixed:
        work.remarks.append(rows.remark("mixed_encoding", "warning"))
    left = [heading.show(at) for at, one in enumerate(staged.names) if one and at not in taken]
    work.left_out.update(dict.fromkeys(left))


def _is_refused(table: Table, name: str, heading: str) -> bool:
    """Whether a column must not be carried over by its heading; names for linkage may."""
    return is_hidden(heading) and not is_for_linkage(table, name)


def find_places(names: Sequence[str]) -> dict[str, int]:
    """Where each heading stands, in any case; one that stands twice is not among them."""
    low = [name.strip().lower() for name in names]
    times = Counter(low)
    return {name: place for place, name in enumerate(low) if name and times[name] == 1}


def _find_place(given: Column, names: Sequence[str], places: dict[str, int]) -> int | None:
    wanted = " ".join(given.source.split()).lower()
    if wanted in places:
        return places[wanted]
    if wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    return None


def _find_field(table: Table, name: str, given: Column) -> Field:
    if name in table.field_names:
        return table.field(name)
    label = table.label
    settings = {key for key in ("date", "decimal", "times") if getattr(given, key) is not None}
    return Field(name, own_type(settings), label, label)


def _write_piece(
    con: Engine,
    table: Table,
    cells: Sequence[Cell],
    texts: Sequence[Texts],
    rows: str,
    target: Path,
) -> None:
    """Every column of the table, empty where the mapping gives none; own ones (`x_`) after them.

    What is no code but a name or sentence is left out; the report has told it.
    """
    by_name = {one.field.name: found.write(one) for one, found in zip(cells, texts, strict=True)}
    names = [*table.field_names, *(one for one in by_name if one not in table.field_names)]
    listed = ", ".join(
        f'CAST({by_name.get(name, "NULL")} AS VARCHAR) AS "{name}"' for name in names
    )
    con.run(f"COPY (SELECT {listed} FROM {rows}) TO {quote_text(str(target))} (FORMAT parquet)")


def _judge_empty(work: _Work, n_rows: int) -> Iterator[Remark]:
    """Required columns without a value in any row are an error, in some of them a warning.

    A table without rows is an error, a source without any beside others a warning.
    """
    for name in dict.fromkeys(one.column for one in work.empty):
        found = [one for one in work.empty if one.column == name]
        is_all = sum(one.count for one in found) >= sum(count for _, count in work.rows_in)
        grade = "error" if is_all else "warning"
        for one in found:
            source = one.source if len(work.rows_in) > 1 else ""
            yield replace(one, severity=grade, source=source)
    for title, count in work.rows_in:
        if not count:
            grade = "warning" if n_rows else "error"
            yield Remark("no_rows", grade, work.table.name, source=title)


def _finish(con: Engine, work: _Work, target: Path, is_unique: bool) -> TableReport:
    """Join the pieces, in order, into the table's file."""
    pieces = ", ".join(quote_text(str(piece)) for piece in work.pieces)
    rows = f"SELECT * FROM read_parquet([{pieces}], union_by_name=true)"
    if is_unique:
        names = ", ".join(f'"{one[0]}"' for one in con.run(f"DESCRIBE {rows}"))
        rows = (
            f"SELECT {names} FROM (SELECT *, row_number() OVER () AS place FROM ({rows}))"
            f" QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY place) = 1 ORDER BY place"
        )
    form = "FORMAT parquet" if target.suffix == ".parquet" else "FORMAT csv, HEADER"
    n_written = int(con.run(f"COPY ({rows}) TO {quote_text(str(target))} ({form})")[0][0])
    n_in = sum(count for _, count in work.rows_in)
    return TableReport(
        name=work.table.name,
        rows_in=tuple(work.rows_in),
        rows_out=n_written,
        n_merged=n_in - n_written,
        unfilled=tuple(name for name in work.table.field_names if name not in work.used),
        left_out=tuple(work.left_out),
    )
