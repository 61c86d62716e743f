"""Makes the extract that a mapping file describes, set by set in the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.dictionary import Dictionary, Field, Table
from revictimisation.mapping.model import EXTRA_NAME, Column, Mapping, Part
from revictimisation.mapping.report import MappingReport, Remark, TableReport
from revictimisation.mapping.values import Cell, compile_cell, is_identity_number, quote
from revictimisation.sources.faults import UnreadableFileError, may_show, show_name
from revictimisation.sources.opening import Source, stage_place
from revictimisation.sources.staging import Staged, number_row

if TYPE_CHECKING:
    from revictimisation.engine import Engine

MAX_ROWS_TOLD = 10
# More different values than this are no code list, and none of them is shown.
MAX_CODES = 60
MAX_CODE_LENGTH = 60
MOSTLY = 0.5


@dataclass
class _Work:
    """What making one table gathers."""

    table: Table
    pieces: list[Path] = field(default_factory=list)
    rows_in: list[tuple[str, int]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    left_out: dict[str, None] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)


def make_extract(
    con: Engine,
    source: Source,
    mapping: Mapping,
    dictionary: Dictionary,
    workspace: Path,
    kind: str,
    threshold: int,
) -> tuple[MappingReport, list[Path]]:
    """Write `<table>.<kind>` (csv or parquet) for every table of the mapping into `workspace`.

    A row of the source is a row of the extract, in the same order; only where the mapping says
    `unique_rows` are rows that are wholly alike written once. Values that find no place stand as
    they were. Where the report says that it refuses, the files are not to be used. `threshold` is
    how often a code must occur to be shown.
    """
    tables, remarks, written = [], [], []
    for name, parts in mapping.tables.items():
        work = _Work(dictionary.tables[name])
        for part in parts:
            _map_part(con, source, work, part, mapping, dictionary, workspace, threshold)
        remarks += work.remarks
        if work.pieces:
            target = workspace / f"{name}.{kind}"
            is_unique = any(part.unique_rows for part in parts)
            tables.append(_finish(con, work, target, is_unique))
            written.append(target)
    return MappingReport(tuple(tables), tuple(remarks)), written


def _map_part(
    con: Engine,
    source: Source,
    work: _Work,
    part: Part,
    mapping: Mapping,
    dictionary: Dictionary,
    workspace: Path,
    threshold: int,
) -> None:
    """Stage the part's files one by one and write each as a piece of the table."""
    try:
        for title, staged in stage_place(con, source, part.place, workspace):
            cells = list(_compile(work, part, mapping, dictionary, staged, title))
            if len(cells) < len(part.columns):
                continue
            work.remarks += _look(con, work.table, cells, staged, title, threshold)
            piece = workspace / f"{work.table.name}_{len(work.pieces)}.piece"
            _write_piece(con, work.table, cells, staged, piece)
            work.pieces.append(piece)
            work.rows_in.append((title, staged.n_rows))
    except UnreadableFileError as fault:
        # A database is told by where it is, a file by the table it should give.
        is_database = fault.kind.startswith("database_")
        table = source.title if is_database else work.table.name
        work.remarks.append(
            Remark(
                fault.kind,
                "error",
                table,
                source=part.place.title,
                count=fault.count if fault.rows else 0,
                rows=fault.rows,
                names=fault.names,
            )
        )


def _compile(
    work: _Work, part: Part, mapping: Mapping, dictionary: Dictionary, staged: Staged, title: str
) -> Iterator[Cell]:
    """The columns as SQL; one that the source does not have is told and left out."""
    places = find_places(staged.names)
    taken = set()
    for number, (name, given) in enumerate(part.columns.items()):
        place = _find_place(given, staged.names, places)
        if place is None and given.constant is None:
            shown = tuple(one for one in staged.names if may_show(one))
            work.remarks.append(
                Remark(
                    "missing_source_column",
                    "error",
                    work.table.name,
                    name,
                    title,
                    names=shown,
                    sought=given.source,
                )
            )
            continue
        work.used.add(name)
        taken.add(place)
        kind = _find_field(work.table, name)
        yield compile_cell(kind, number, given, place, part, mapping, dictionary)
    if staged.n_empty:
        n_empty = staged.n_empty
        work.remarks.append(
            Remark("empty_rows", "notice", work.table.name, source=title, count=n_empty)
        )
    if staged.is_mixed:
        work.remarks.append(Remark("mixed_encoding", "warning", work.table.name, source=title))
    left = [show_name(one, at) for at, one in enumerate(staged.names) if one and at not in taken]
    work.left_out.update(dict.fromkeys(left))


def find_places(names: Sequence[str]) -> dict[str, int]:
    """Where each heading stands, in any case; one that stands twice is not among them."""
    low = [name.strip().lower() for name in names]
    return {name: place for place, name in enumerate(low) if name and low.count(name) == 1}


def _find_place(given: Column, names: Sequence[str], places: dict[str, int]) -> int | None:
    wanted = " ".join(given.source.split()).lower()
    if wanted in places:
        return places[wanted]
    if wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    return None


def _find_field(table: Table, name: str) -> Field:
    if name in table.field_names:
        return table.field(name)
    label = table.label
    return Field(name, "string", label, label)


def _layers(cells: Sequence[Cell], staged: Staged) -> str:
    """The rows with every cell given, without missing markers, and converted."""
    given = ", ".join(f"{one.given} AS {one.g}" for one in cells)
    value = ", ".join(f"{one.value} AS {one.v}" for one in cells)
    converted = ", ".join(f"{one.converted} AS {one.n}" for one in cells)
    rows = f"read_parquet({quote(str(staged.path))}, file_row_number=true)"
    return (
        f"(SELECT *, {converted} FROM (SELECT *, {value}"
        f" FROM (SELECT file_row_number AS place, {given} FROM {rows})))"
    )


def _run(con: Engine, statement: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = con.con.execute(statement).fetchall()
    return rows


def _write_piece(
    con: Engine, table: Table, cells: Sequence[Cell], staged: Staged, target: Path
) -> None:
    """Every column of the table, empty where the mapping gives none; own ones (`x_`) after them."""
    by_name = {one.field.name: one.written for one in cells}
    names = [*table.field_names, *(one for one in by_name if one not in table.field_names)]
    listed = ", ".join(
        f'CAST({by_name.get(name, "NULL")} AS VARCHAR) AS "{name}"' for name in names
    )
    rows = _layers(cells, staged)
    _run(con, f"COPY (SELECT {listed} FROM {rows}) TO {quote(str(target))} (FORMAT parquet)")


def _finish(con: Engine, work: _Work, target: Path, is_unique: bool) -> TableReport:
    """Join the pieces, in order, into the table's file."""
    pieces = ", ".join(quote(str(one)) for one in work.pieces)
    rows = f"SELECT * FROM read_parquet([{pieces}], union_by_name=true)"
    if is_unique:
        names = ", ".join(f'"{one[0]}"' for one in _run(con, f"DESCRIBE {rows}"))
        rows = (
            f"SELECT {names} FROM (SELECT *, row_number() OVER () AS place FROM ({rows}))"
            f" QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY place) = 1 ORDER BY place"
        )
    form = "FORMAT parquet" if target.suffix == ".parquet" else "FORMAT csv, HEADER"
    n_written = int(_run(con, f"COPY ({rows}) TO {quote(str(target))} ({form})")[0][0])
    n_in = sum(count for _, count in work.rows_in)
    return TableReport(
        name=work.table.name,
        rows_in=tuple(work.rows_in),
        rows_out=n_written,
        n_merged=n_in - n_written,
        unfilled=tuple(one for one in work.table.field_names if one not in work.used),
        left_out=tuple(work.left_out),
    )


def _look(
    con: Engine, table: Table, cells: Sequence[Cell], staged: Staged, title: str, threshold: int
) -> Iterator[Remark]:
    """What is to be said of each column, in one pass; codes are looked up where some are amiss."""
    rows = _layers(cells, staged)
    number = number_row("place", staged.first_row, staged.skipped)
    asked = [
        ask
        for one in cells
        for ask in (
            f"count({one.g}) - count({one.v})",
            f"count(*) FILTER (WHERE {one.v} IS NOT NULL AND {one.unmapped})",
            f"min({number}, {MAX_ROWS_TOLD}) FILTER (WHERE {one.v} IS NOT NULL AND {one.unmapped})",
            f"count(*) FILTER (WHERE {one.v} IS NOT NULL AND {one.has_time})",
            f"count(*) FILTER (WHERE {one.v} IS NOT NULL AND {one.is_other})",
            f"count(*) FILTER (WHERE {is_identity_number(one.n)})",
            f"count({one.v})",
            # Only of columns of the owner's own is it asked whether they are free text.
            "0" if one.field.name in table.field_names else f"approx_count_distinct({one.v})",
        )
    ]
    found = iter(_run(con, f"SELECT {', '.join(asked)} FROM {rows}")[0])
    for one in cells:
        yield from _judge(con, table, one, [next(found) for _ in range(8)], rows, title, threshold)


def _judge(
    con: Engine,
    table: Table,
    one: Cell,
    found: Sequence[Any],
    rows: str,
    title: str,
    threshold: int,
) -> Iterator[Remark]:
    n_missing, n_unmapped, places, n_timed, n_other, n_identity, n_filled, n_distinct = found
    name, place = one.field.name, (table.name, one.field.name, title)
    if not _may_hold(table, one, n_identity, n_filled):
        yield Remark("identity_number_moved", "error", *place, count=n_identity)
    if EXTRA_NAME.fullmatch(name) and n_distinct > MAX_CODES and not _are_numbers(con, one, rows):
        yield Remark("text_moved", "error", *place)
    if n_missing:
        yield Remark("marked_missing", "notice", *place, count=n_missing)
    if n_timed:
        yield Remark("time_of_day", "notice", *place, count=n_timed)
    if n_other:
        condition = f"{one.v} IS NOT NULL AND {one.is_other}"
        values = _list_codes(con, one, condition, rows, threshold)
        yield Remark("put_under_others", "notice", *place, count=n_other, **values)
    if n_unmapped and one.is_coded:
        grade = "error" if one.is_closed else "warning"
        condition = f"{one.v} IS NOT NULL AND {one.unmapped}"
        values = _list_codes(con, one, condition, rows, threshold)
        told = tuple(places or ())
        yield Remark("unmapped_code", grade, *place, count=n_unmapped, rows=told, **values)
    elif n_unmapped:
        told = tuple(places or ())
        yield Remark("unconverted_value", "error", *place, count=n_unmapped, rows=told)


def _may_hold(table: Table, one: Cell, n_identity: int, n_filled: int) -> bool:
    """Where people are named identity numbers may stand; a case number may look like one."""
    people = {rule.columns[0] for rule in table.rules if rule.kind == "personal_identity_number"}
    if not n_identity or one.field.name in people:
        return True
    return one.field.sensitivity == "identifier" and n_identity <= MOSTLY * n_filled


def _are_numbers(con: Engine, one: Cell, rows: str) -> bool:
    text = f"replace({one.v}, ',', '.')"
    asked = f"bool_and(TRY_CAST({text} AS DOUBLE) IS NOT NULL) FILTER (WHERE {one.v} IS NOT NULL)"
    return bool(_run(con, f"SELECT {asked} FROM {rows}")[0][0])


def _list_codes(
    con: Engine, one: Cell, condition: str, rows: str, threshold: int
) -> dict[str, Any]:
    """Which codes there are and how often; those that may not be shown counted together."""
    counted = f"SELECT {one.v} AS code, count(*) AS n FROM {rows} WHERE {condition} GROUP BY 1"
    is_shown = (
        f"n >= {threshold} AND length(code) <= {MAX_CODE_LENGTH} AND total <= {MAX_CODES}"
        f" AND NOT {is_identity_number('code')}"
    )
    codes = f"(SELECT *, count(*) OVER () AS total FROM ({counted}))"
    shown = _run(con, f"SELECT code, n FROM {codes} WHERE {is_shown} ORDER BY n DESC, code")
    hidden = _run(con, f"SELECT count(*), coalesce(sum(n), 0) FROM {codes} WHERE NOT ({is_shown})")
    return {
        "values": tuple((str(code), int(count)) for code, count in shown),
        "n_rare": int(hidden[0][0]),
        "n_rare_rows": int(hidden[0][1]),
    }
