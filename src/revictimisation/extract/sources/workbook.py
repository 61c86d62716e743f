"""Reads a sheet of an Excel workbook; a row keeps the number that Excel shows beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.extract.sources.faults import (
    MAX_HEADING_ROW,
    MAX_ROWS_TOLD,
    UnreadableFileError,
    may_show,
    may_show_sheet,
)
from revictimisation.extract.sources.formats import check_format
from revictimisation.extract.sources.naming import fits_pattern, fold_name
from revictimisation.extract.sources.sheet_flaws import find_sheet_flaws
from revictimisation.extract.sources.staging import (
    Flaw,
    Staged,
    stage_chunks,
    take_chunks,
    transpose,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from python_calamine import CalamineSheet, CalamineWorkbook


def list_sheets(path: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets that are shown in Excel, in order."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    return tuple(
        one.name
        for one in _open(path).sheets_metadata
        if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
    )


def list_hidden_sheets(path: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets that Excel does not show or can't be asked to."""
    from python_calamine import SheetTypeEnum

    shown = list_sheets(path)
    sheets = (one.name for one in _open(path).sheets_metadata if one.typ == SheetTypeEnum.WorkSheet)
    return tuple(name for name in sheets if name not in shown)


def find_sheet(path: Path, pattern: str) -> str:
    """The only sheet of a name, or that a pattern with `*` fits, in any case; hidden by name only.

    Raises `UnreadableFileError`: `missing_sheet` if there is none, `unclear_sheet` if several.
    """
    names = list_sheets(path)
    asked = names if "*" in pattern else (*names, *list_hidden_sheets(path))
    found = [name for name in asked if fits_pattern(name, pattern)]
    if len(found) != 1:
        kind = "unclear_sheet" if found else "missing_sheet"
        raise UnreadableFileError(kind, names=tuple(filter(may_show_sheet, found or names)))
    return found[0]


def choose_sheet(path: Path, wanted: str) -> str:
    """The sheet of a name, in any case; else the only one there is.

    Raises `UnreadableFileError` (`unclear_sheet`) if there are several and none has the name.
    """
    names = list_sheets(path)
    found = [name for name in names if fold_name(name) == fold_name(wanted)] or [*names]
    if len(found) != 1:
        raise UnreadableFileError("unclear_sheet", names=tuple(filter(may_show_sheet, names)))
    return found[0]


def stage_sheet(path: Path, sheet: str, header_row: int | None, target: Path) -> Staged:
    """Stage a sheet's rows below its heading; rows without a single value are left out.

    `header_row` is the heading's number in Excel; without it the first row with a value must be
    one. A date is written 2013-04-27 (2013-04-27 08:15:00 with a time of day), a whole number
    without decimals, and truth values as true and false. Cells with an error (#N/A), or with a
    formula whose result was never saved, are empty, as the library gives them, and flaws
    (`error_cells`); so are cells to the right of the last heading (`unnamed_column`).
    """
    opened = _get_sheet(_open(path), sheet)
    number, cells = _find_heading(opened, header_row)
    names = _read_names(opened, number, cells, is_told=header_row is not None)
    skipped: list[int] = []
    beyond: dict[int, list[int]] = {}
    rows = _list_rows(opened, number, len(names), skipped, beyond)
    chunks = (_convert(chunk, len(names)) for chunk in take_chunks(rows))
    written, n_rows = stage_chunks(chunks, len(names), target)
    errors = find_sheet_flaws(path, sheet)
    return Staged(
        written,
        names,
        number + 1,
        tuple(skipped),
        n_rows=n_rows,
        n_empty=len(skipped),
        heading_row=number,
        flaws=(
            *_list_flaws("error_cells", errors, number),
            *_list_flaws("unnamed_column", beyond, number),
        ),
    )


def _list_flaws(rule: str, found: Mapping[int, Sequence[int]], heading: int) -> Iterator[Flaw]:
    for place, numbers in sorted(found.items()):
        rows = [row for row in numbers if row > heading]
        if rows:
            yield Flaw(rule, place, tuple(rows[:MAX_ROWS_TOLD]), len(rows))


def guess_heading(path: Path, sheet: str) -> int | None:
    """The number of the first row that looks like a heading: most of its cells, all of them words.

    None where the first 20 rows hold none.
    """
    opened = _get_sheet(_open(path), sheet)
    rows = [(number, _clean(cells)) for number, cells in enumerate(_first_rows(opened), start=1)]
    most = max((len(cells) for _, cells in rows), default=0)
    for number, cells in rows:
        are_words = all(isinstance(cell, str) and may_show(cell) for cell in cells)
        if cells and 2 * len(cells) >= most and are_words:
            return number
    return None


def _open(path: Path) -> CalamineWorkbook:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    check_format(path)
    try:
        return CalamineWorkbook.from_path(str(path))
    except PasswordError:
        raise UnreadableFileError("locked_file") from None
    except (CalamineError, OSError):
        raise UnreadableFileError from None


def _get_sheet(workbook: CalamineWorkbook, sheet: str) -> CalamineSheet:
    from python_calamine import CalamineError

    if sheet not in workbook.sheet_names:
        shown = tuple(filter(may_show_sheet, workbook.sheet_names))
        raise UnreadableFileError("missing_sheet", names=shown)
    try:
        return workbook.get_sheet_by_name(sheet)
    except (CalamineError, OSError):
        raise UnreadableFileError from None


def _first_rows(sheet: CalamineSheet) -> list[list[Any]]:
    return list(islice(sheet.iter_rows(), MAX_HEADING_ROW))


def _clean(cells: Sequence[Any]) -> list[Any]:
    """The cells of a row that hold something, texts without padding."""
    stripped = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    return [cell for cell in stripped if cell not in ("", None)]


def _find_heading(sheet: CalamineSheet, header_row: int | None) -> tuple[int, list[Any]]:
    if header_row is not None:
        found = list(islice(sheet.iter_rows(), header_row - 1, header_row))
        if not found or not _clean(found[0]):
            raise UnreadableFileError("unclear_heading")
        return header_row, found[0]
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if _clean(cells):
            return number, cells
    raise UnreadableFileError("empty_file")


def _read_names(
    sheet: CalamineSheet, number: int, cells: Sequence[Any], is_told: bool
) -> tuple[str, ...]:
    """The headings; a title or merged cells in their place are a fault, unless the row was told."""
    names = [_write(cell) or "" for cell in cells]
    while names and not names[-1].strip():
        names.pop()
    if not is_told:
        width = max((len(_clean(row)) for row in _first_rows(sheet)), default=0)
        merged = any(
            top <= number - 1 <= bottom and left < right
            for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        )
        if merged or 2 * len(_clean(cells)) < width:
            raise UnreadableFileError("unclear_heading")
    return tuple(" ".join(name.split()) for name in names)


def _list_rows(
    sheet: CalamineSheet,
    heading: int,
    n_columns: int,
    skipped: list[int],
    beyond: dict[int, list[int]],
) -> Iterator[list[Any]]:
    """The rows below the heading; numbers of those without a value are put into `skipped`.

    Those with a cell to the right of the last heading are put into `beyond`, by its place.
    """
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number <= heading:
            continue
        rest = cells[n_columns:]
        outside = [place for place, cell in enumerate(rest, n_columns) if cell not in ("", None)]
        for place in outside:
            beyond.setdefault(place, []).append(number)
        if outside or any(cell not in ("", None) for cell in cells):
            yield cells[:n_columns]
        else:
            skipped.append(number)


def _convert(rows: Sequence[Sequence[Any]], n_columns: int) -> list[pa.Array]:
    import pyarrow as pa

    columns = transpose(rows, n_columns)
    return [pa.array([_write(cell) for cell in cells], pa.string()) for cells in columns]


def _write(cell: Any) -> str | None:
    """A cell as the text that the same table in CSV would hold."""
    if isinstance(cell, str):
        return cell or None
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        has_time = cell.time() != dt.time()
        return cell.isoformat(" ", "seconds") if has_time else cell.date().isoformat()
    return str(cell)
