"""A source as a whole (a folder, a file, a database): what it holds, and its rows on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from revictimisation import files
from revictimisation.errors import UsageError
from revictimisation.sources import database
from revictimisation.sources.faults import UnreadableFileError
from revictimisation.sources.formats import PARQUET, TEXT, WORKBOOK, check_format, find_format
from revictimisation.sources.staging import Staged
from revictimisation.sources.statistics_file import stage_statistics
from revictimisation.sources.text_table import stage_parquet, stage_text
from revictimisation.sources.workbook import choose_sheet, find_sheet, list_sheets, stage_sheet

if TYPE_CHECKING:
    from revictimisation.engine import Engine


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

    @property
    def title(self) -> str:
        """The place in words of the source's own."""
        return " / ".join(filter(None, (self.file, self.sheet, self.table))) or "query"


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
        yield name, _stage_file(con, source.folder / name, place, workspace / "rows.parquet")


def find_files(source: Source, place: Place) -> list[str]:
    """The names of a place's files: one, or all that a pattern (`anmalningar_*.csv`) fits.

    Raises `UnreadableFileError` (`missing_file`) if there is none.
    """
    if source.single or source.folder is None:
        return [source.single]
    is_pattern = "*" in place.file
    found = [
        name
        for name in _list_files(source.folder)
        if (Path(name).match(place.file) if is_pattern else name.lower() == place.file.lower())
    ]
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


def _list_files(folder: Path) -> list[str]:
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and find_format(path) and not path.name.startswith((".", "~"))
    )


def _stage_file(con: Engine, path: Path, place: Place, target: Path) -> Staged:
    kind = check_format(path)
    if kind == TEXT:
        return stage_text(con, path, place.separator, place.header_row, target)
    if kind == PARQUET:
        return stage_parquet(con, path, target)
    if kind == WORKBOOK:
        is_pattern = "*" in place.sheet
        choose = find_sheet if is_pattern else choose_sheet
        sheet = choose(path, place.sheet) if is_pattern or not place.sheet else place.sheet
        return stage_sheet(path, sheet, place.header_row, target)
    return stage_statistics(path, target)
