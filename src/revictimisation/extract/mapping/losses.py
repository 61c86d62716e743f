"""What a source holds that does not reach the extract, told so that nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from revictimisation.core.engine import Engine
from revictimisation.dictionary import Field
from revictimisation.extract.mapping.making import Rows
from revictimisation.extract.mapping.model import Mapping
from revictimisation.extract.mapping.profile import MOST_COLUMNS
from revictimisation.extract.mapping.report import Remark
from revictimisation.extract.mapping.texts import Texts
from revictimisation.extract.mapping.values import Cell, layer_rows
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD
from revictimisation.extract.sources.opening import Source, list_unread
from revictimisation.extract.sql import quote_path


def describe_flaws(rows: Rows, field: Field, place: int) -> Iterator[Remark]:
    """Cells of a carried column that the reader could not give; grave where it must be filled."""
    grade = "error" if field.is_required else "warning"
    for flaw in rows.staged.flaws:
        if flaw.place == place:
            yield rows.remark(flaw.rule, grade, field.name, count=flaw.count, rows=flaw.rows)


def describe_unnamed(con: Engine, rows: Rows, taken: Collection[int | None]) -> Iterator[Remark]:
    """Columns without a heading that hold something and are not carried over."""
    staged = rows.staged
    found = {flaw.place: (flaw.count, flaw.rows) for flaw in staged.flaws
             if flaw.rule == "unnamed_column"}  # fmt: skip
    file = f"read_parquet({quote_path(staged.path)}, file_row_number=true)"
    places = [at for at, name in enumerate(staged.names) if not name and at not in taken]
    for start in range(0, len(places), MOST_COLUMNS):
        columns = ", ".join(f"c{place}" for place in places[start : start + MOST_COLUMNS])
        cells = f"(SELECT file_row_number, {columns} FROM {file})"
        asked = (
            f"SELECT CAST(place[2:] AS INTEGER), count(*), min(file_row_number, {MAX_ROWS_TOLD})"
            f" FROM (UNPIVOT {cells} ON {columns} INTO NAME place VALUE cell)"
            f" WHERE trim(cell) <> '' GROUP BY place"
        )
        for place, count, first in con.run(asked):
            found[place] = (int(count), rows.number(first))
    for place, (count, first) in sorted(found.items()):
        sought = f"#{place + 1}"
        yield rows.remark("unnamed_column", "warning", count=count, rows=first, sought=sought)


def find_empty(
    con: Engine, rows: Rows, cells: Sequence[Cell], texts: Sequence[Texts]
) -> list[Remark]:
    """A remark for each required column that is empty in some rows of one source, with the rows.

    How grave it is depends on the table's other sources.
    """
    required = [field.name for field in rows.table.fields if field.is_required]
    carried = [both for both in zip(cells, texts, strict=True) if both[0].field.name in required]
    written = {one.field.name: found.write(one) for one, found in carried}
    layers = layer_rows([one for one, _ in carried], rows.staged)
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
    found = con.run(f"SELECT {', '.join(asked)} FROM {layers}")[0]
    return [
        rows.remark("empty_required", "warning", name, count=count, rows=rows.number(first))
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
