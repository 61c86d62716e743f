"""Reads SAS (`.sas7bdat`, `.xpt`) and SPSS (`.sav`) files in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.extract.sources.faults import MAX_ROWS_TOLD, UnreadableFileError
from revictimisation.extract.sources.staging import CHUNK_ROWS, Staged, stage_chunks, write_numbers

if TYPE_CHECKING:
    import pyarrow as pa

RAW = {"disable_datetime_conversion": True}


def stage_statistics(path: Path, target: Path) -> Staged:
    """Stage the rows of a SAS or SPSS file; the first row has number 1.

    Codes stay codes (SPSS: what they are called is kept in `labels`). What the file itself
    declares as missing is empty. Dates are 2013-04-27, with a time of day where the file has one.
    Raises `UnreadableFileError`: `date_overflow` with column and rows for days of no calendar,
    `rows_disagree` where the file says that it has another number of rows.
    """
    read = _find_reader(path)
    _, head = _call(read, path, metadataonly=True)
    names = tuple(head.column_names)
    if not names:
        raise UnreadableFileError("empty_file")
    written, n_rows = stage_chunks(_list_chunks(read, path, names), len(names), target)
    if head.number_rows is not None and head.number_rows != n_rows:
        raise UnreadableFileError("rows_disagree", count=abs(head.number_rows - n_rows))
    places = {name: place for place, name in enumerate(names)}
    labels = {
        places[name]: {_write_code(code): str(label) for code, label in given.items()}
        for name, given in head.variable_value_labels.items()
    }
    return Staged(written, names, 1, labels=labels, n_rows=n_rows)


def _find_reader(path: Path) -> Callable[..., Any]:
    import pyreadstat

    readers: dict[str, Callable[..., Any]] = {
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
        ".por": pyreadstat.read_por,
    }
    return readers.get(path.suffix.lower(), pyreadstat.read_sav)


def _call(read: Callable[..., Any], path: Path, **more: Any) -> tuple[Mapping[str, Any], Any]:
    """Read; the library's own words about a file are never passed on, as they may quote it."""
    from pyreadstat import PyreadstatError, ReadstatError

    try:
        found: tuple[Mapping[str, Any], Any] = read(str(path), output_format="dict", **more)
    except (PyreadstatError, ReadstatError, OSError, ValueError, UnicodeError):
        raise UnreadableFileError from None
    return found


def _list_chunks(
    read: Callable[..., Any], path: Path, names: Sequence[str]
) -> Iterator[list[pa.Array]]:
    offset = 0
    while True:
        asked = {"row_offset": offset, "row_limit": CHUNK_ROWS}
        try:
            columns, _ = _call(read, path, **asked)
        except OverflowError:
            raise _name_overflow(read, path, names, **asked) from None
        found = [_convert(columns.get(name, [])) for name in names]
        n_rows = len(found[0])
        if n_rows:
            yield found
        if n_rows < CHUNK_ROWS:
            return
        offset += n_rows


def _name_overflow(
    read: Callable[..., Any], path: Path, names: Sequence[str], row_offset: int, row_limit: int
) -> UnreadableFileError:
    """The first column with dates that no calendar has, and the numbers of the first such rows."""

    def overflows(name: str, first: int, size: int) -> bool:
        try:
            _call(read, path, usecols=[name], row_offset=first, row_limit=size)
        except OverflowError:
            return True
        return False

    def list_rows(name: str, first: int, size: int) -> Iterator[int]:
        if overflows(name, first, size):
            if size == 1:
                yield first + 1
                return
            half = size // 2
            yield from list_rows(name, first, half)
            yield from list_rows(name, first + half, size - half)

    columns, _ = _call(read, path, row_offset=row_offset, row_limit=row_limit, **RAW)
    n_rows = max(len(columns.get(name, ())) for name in names)
    name = next(one for one in names if overflows(one, row_offset, n_rows))
    rows = tuple(islice(list_rows(name, row_offset, n_rows), MAX_ROWS_TOLD))
    return UnreadableFileError("date_overflow", rows=rows, count=len(rows), column=name)


def _convert(cells: Sequence[Any]) -> pa.Array:
    """A column as text: whole numbers without decimals, empty texts as missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        given = pa.array(cells, from_pandas=True)
        # A large whole number, such as an identity number, is else written as 1.98502E+11.
        is_float = pa.types.is_floating(given.type)
        column = write_numbers(given) if is_float else pc.cast(given, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        column = pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _write_code(code: Any) -> str:
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code)
