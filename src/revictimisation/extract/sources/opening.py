"""A source as a whole (a folder, a file, a database): what it holds, and its rows on demand."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from revictimisation.core import files
from revictimisation.core.engine import Engine
from revictimisation.core.errors import UsageError
from revictimisation.extract.sources import database
from revictimisation.extract.sources.faults import UnreadableFileError, may_show_sheet
from revictimisation.extract.sources.flat_file import stage_parquet, stage_text
from revictimisation.extract.sources.formats import (
    ARCHIVES,
    PARQUET,
    TEXT,
    WORKBOOK,
    check_format,
    find_format,
)
from revictimisation.extract.sources.naming import fits_pattern, may_show_file
from revictimisation.extract.sources.staging import Staged
from revictimisation.extract.sources.statistics_file import stage_statistics
from revictimisation.extract.sources.workbook import (
    choose_sheet,
    find_sheet,
    list_hidden_sheets,
    list_sheets,
    stage_sheet,
)


@dataclass(frozen=True)
class Place:
    """Where a source's rows stand: a file (a pattern may name several), a sheet of one, or a table
    or query of a database; and how they are read.
    """

    file: str = ""
    sheet: str = ""
    table: str = ""
    query: str = ""
    header_row: int | None = None
    separator: str | None = None
    encoding: str = ""

    @property
    def title(self) -> str:
        """The place in words of the source's own."""
        return " / ".join(filter(None, (self.file, self.sheet, self.table))) or "query"


@dataclass(frozen=True)
class Unread:
    """Something in a source that is not read: its name, as it may be told, and why not.

    `why` is one of `archive`, `folder`, `format` (no format that is read, by its name),
    `hidden_sheet`, and `not_named` (no place that was asked for).
    """

    name: str
    why: str


@dataclass(frozen=True)
class Source:
    """A folder, a single file in its folder, or a database (then `folder` is None)."""

    given: str
    folder: Path | None
    single: str = ""

    @property
    def title(self) -> str:
        """What the source is called in messages; never with a password."""
        return self.single or (self.folder.name if self.folder else "") or self._database

    @property
    def _database(self) -> str:
        return database.describe_database(self.given)


def open_source(given: str) -> Source:
    """Tell what a source is; `UsageError` if it is neither there nor a connection string."""
    if database.is_database(given):
        return Source(given, None)
    path = Path(given)
    if path.is_dir():
        return Source(given, path)
    if path.is_file():
        return Source(given, path.parent, path.name)
    raise UsageError(
        f"{given} finns inte. Ange en mapp, en fil eller en anslutning (postgresql://…).\n"
        f"There is no {given}. Name a folder, a file or a connection (postgresql://…)."
    )


def list_places(source: Source) -> list[Place]:
    """Every table that a source holds, in order: files, sheets of workbooks, database tables."""
    if source.folder is None:
        return [Place(table=name) for name in database.list_database_tables(source.given)]
    names = [source.single] if source.single else _list_files(source.folder)
    places = []
    for name in names:
        path, file = source.folder / name, "" if source.single else name
        sheets = _list_sheets(path) if find_format(path) == WORKBOOK else [""]
        places += [Place(file=file, sheet=sheet) for sheet in sheets]
    return places


def _list_sheets(path: Path) -> list[str]:
    """The sheets of a workbook; one without a name if it can't be read, which its reading tells."""
    try:
        return [*list_sheets(path)]
    except UnreadableFileError:
        return [""]


def stage_place(
    con: Engine, source: Source, place: Place, workspace: Path
) -> Iterator[tuple[str, Staged]]:
    """Stage the rows of a place, file by file in the order of their names; the file's name first.

    What was staged may be deleted before the next is asked for.
    """
    if source.folder is None:
        target = workspace / "rows.parquet"
        yield place.title, database.stage_database(source.given, place.query, place.table, target)
        return
    for name in find_files(source, place):
        try:
            staged = _stage_file(con, source.folder / name, place, workspace / "rows.parquet")
        except UnreadableFileError as fault:
            fault.source = name
            raise
        names = tuple(unicodedata.normalize("NFC", one) for one in staged.names)
        yield name, replace(staged, names=names)


def find_files(source: Source, place: Place) -> list[str]:
    """The names of a place's files: one, or all that a pattern (`anmalningar_*.csv`) fits.

    A pattern fits only files of a format that is known by its name, a whole name any file.
    Raises `UnreadableFileError` (`missing_file`) if there is none.
    """
    if source.single or source.folder is None:
        return [source.single]
    names = _list_files(source.folder, is_known="*" in place.file)
    found = [name for name in names if fits_pattern(name, place.file)]
    if not found:
        raise UnreadableFileError("missing_file")
    return found


def check_readable(source: Source, places: Iterable[Place]) -> None:
    """Raise `UsageError` with every file of these places that the machine does not let us read."""
    names: set[str] = set()
    for place in places if source.folder else ():
        with suppress(UnreadableFileError):  # told where it is read
            names.update(find_files(source, place))
    files.check_readable(source.folder / name for name in sorted(names) if source.folder)


def list_unread(source: Source, places: Iterable[Place] = ()) -> list[Unread]:
    """What a folder, or a workbook, holds that is not read; with `places`, by none of them.

    Hidden files, those that a program keeps while it works, and what we leave are passed over.
    """
    if source.folder is None:
        return []
    asked = [*places]
    names = [source.single] if source.single else sorted(_list_names(source.folder))
    return [one for name in names for one in _judge_file(source, name, asked)]


def _judge_file(source: Source, name: str, asked: list[Place]) -> Iterator[Unread]:
    path = Path(source.folder or "") / name
    shown = name if may_show_file(name) else f"…{path.suffix}"
    mine = [one for one in asked if source.single or _is_asked(name, one)]
    if path.is_dir():
        yield Unread(shown, "folder")
    elif path.suffix.lower() in ARCHIVES:
        yield Unread(shown, "archive")
    elif not mine and not find_format(path):
        yield Unread(shown, "format")
    elif not mine and asked:
        yield Unread(shown, "not_named")
    elif find_format(path) == WORKBOOK:
        yield from _judge_sheets(path, shown, mine)


def _judge_sheets(path: Path, shown: str, mine: list[Place]) -> Iterator[Unread]:
    """Sheets that are hidden, and those that none of some places asks for."""
    try:
        hidden, sheets = list_hidden_sheets(path), list_sheets(path)
    except UnreadableFileError:
        return
    wanted = [one.sheet for one in mine]
    for place, sheet in enumerate((*sheets, *hidden), start=1):
        is_asked = any(fits_pattern(sheet, one) for one in wanted if one)
        is_asked |= "" in wanted and sheets == (sheet,)
        if is_asked or (not mine and sheet in sheets):
            continue
        name = sheet if may_show_sheet(sheet) else f"#{place}"
        yield Unread(f"{shown} / {name}", "hidden_sheet" if sheet in hidden else "not_named")


def _is_asked(name: str, place: Place) -> bool:
    is_known = "*" not in place.file or bool(find_format(Path(name)))
    return is_known and fits_pattern(name, place.file)


def _list_names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir() if not one.name.startswith((".", "~"))]


def _list_files(folder: Path, is_known: bool = True) -> list[str]:
    """The files of a folder, in the order of their names; of a known format, or of any."""
    paths = [folder / name for name in sorted(_list_names(folder))]
    return [path.name for path in paths if path.is_file() and (find_format(path) or not is_known)]


def _stage_file(con: Engine, path: Path, place: Place, target: Path) -> Staged:
    kind = check_format(path)
    if kind == TEXT:
        return stage_text(con, path, place.separator, place.header_row, place.encoding, target)
    if kind == PARQUET:
        return stage_parquet(con, path, target)
    if kind == WORKBOOK:
        sheet = find_sheet(path, place.sheet) if place.sheet else choose_sheet(path, "")
        return stage_sheet(path, sheet, place.header_row, target)
    return stage_statistics(path, target)
