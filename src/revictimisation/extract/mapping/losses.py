"""What a source holds that does not reach the extract, told so that nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from revictimisation.dictionary import Field, Table
from revictimisation.extract.mapping.model import Mapping
from revictimisation.extract.mapping.profile import MOST_COLUMNS
from revictimisation.extract.mapping.report import Remark
from revictimisation.extract.mapping.texts import Texts
from revictimisation.extract.mapping.values import Cell, layer_rows
from revictimisation.extract.sources.opening import Source, list_unread
from revictimisation.extract.sources.staging import Staged, quote_path, run_query

if TYPE_CHECKING:
    from revictimisation.core.engine import Engine

MAX_ROWS_TOLD = 10


def describe_flaws(
    field: Field, place: int, staged: Staged, table: Table, title: str
) -> Iterator[Remark]:
    """Cells of a carried column that the reader could not give; grave where it must be filled."""
    for flaw in staged.flaws:
        if flaw.place == place:
            grade = "error" if field.is_required else "warning"
            where = (table.name, field.name, title)
            yield Remark(flaw.rule, grade, *where, count=flaw.count, rows=flaw.rows)


def describe_unnamed(
    con: Engine, staged: Staged, taken: Collection[int | None], table: Table, title: str
) -> Iterator[Remark]:
    """Columns without a heading that hold something and are not carried over."""
    found = {
        flaw.place: (flaw.count, flaw.rows)
        for flaw in staged.flaws
        if flaw.rule == "unnamed_column"
    }
    rows = f"read_parquet({quote_path(staged.path)}, file_row_number=true)"
    places = [at for at, name in enumerate(staged.names) if not name and at not in taken]
    for start in range(0, len(places), MOST_COLUMNS):
        columns = ", ".join(f"c{place}" for place in places[start : start + MOST_COLUMNS])
        cells = f"(SELECT file_row_number, {columns} FROM {rows})"
        asked = (
            f"SELECT CAST(place[2:] AS INTEGER), count(*), min(file_row_number, {MAX_ROWS_TOLD})"
            f" FROM (UNPIVOT {cells} ON {columns} INTO NAME place VALUE cell)"
            f" WHERE trim(cell) <> '' GROUP BY place"
        )
        for place, count, first in run_query(con, asked):
            found[place] = (int(count), tuple(map(staged.number, first)))
    for place, (count, first) in sorted(found.items()):
        yield Remark(
            "unnamed_column",
            "warning",
            table.name,
            source=title,
            count=count,
            rows=first,
            sought=f"#{place + 1}",
        )


def find_empty(
    con: Engine,
    table: Table,
    cells: Sequence[Cell],
    texts: Sequence[Texts],
    staged: Staged,
    title: str,
) -> list[Remark]:
    """A remark for each required column that is empty in some rows of one source, with the rows.

    How grave it is depends on the table's other sources.
    """
    required = [field.name for field in table.fields if field.is_required]
    carried = [both for both in zip(cells, texts, strict=True) if both[0].field.name in required]
    written = {one.field.name: found.write(one) for one, found in carried}
    rows = layer_rows([one for one, _ in carried], staged)
    asked = [
        ask
        for is_empty in (f"({written.get(name, 'NULL')}) IS NULL" for name in required)
        for ask in (
            f"count(*) FILTER (WHERE {is_empty})",
            f"min(place, {MAX_ROWS_TOLD}) FILTER (WHERE {is_empty})",
        )
    ]
    if not asked:
        return []
    found = run_query(con, f"SELECT {', '.join(asked)} FROM {rows}")[0]
    return [
        Remark(
            "empty_required",
            "warning",
            table.name,
            name,
            title,
            count=count,
            rows=tuple(map(staged.number, first or ())),
        )
        for name, count, first in zip(required, found[::2], found[1::2], strict=True)
        if count
    ]


def describe_unread(source: Source, mapping: Mapping) -> Iterator[Remark]:
    """What the source holds that no part of the mapping reads, a remark for each reason."""
    places = [part.place for parts in mapping.tables.values() for part in parts]
    unread = list_unread(source, places)
    for why in dict.fromkeys(one.why for one in unread):
        names = tuple(one.name for one in unread if one.why == why)
        grade = "notice" if why == "not_named" else "warning"
        yield Remark(f"unread_{why}", grade, "", source=source.title, count=0, names=names)
