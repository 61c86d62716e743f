"""Finds an extract's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from revictimisation.core import files
from revictimisation.extract.sources.formats import TABLE_SUFFIXES


def find_files(folder: Path, tables: Sequence[str]) -> tuple[dict[str, list[Path]], list[Path]]:
    """Find the files of each table, and the table files that belong to none.

    Names are compared without regard to case, as some systems write them in capitals. A file with a
    table's name that is of no kind that is read (`persons.csv.gz`) belongs to none. Raises
    `UsageError` where the folder is not there or a table's file can't be read.
    """
    files.check_folder(folder)
    found: dict[str, list[Path]] = {name: [] for name in tables}
    unknown: list[Path] = []
    for path in sorted(folder.iterdir()):
        is_table = path.suffix.lower() in TABLE_SUFFIXES and not path.is_dir()
        if is_table and not path.name.startswith((".", "~")):
            found.get(path.stem.lower(), unknown).append(path)
        elif not path.is_dir() and path.name.split(".")[0].lower() in found:
            unknown.append(path)
    files.check_readable(path for paths in found.values() for path in paths)
    return found, unknown


def measure_file(path: Path) -> int:
    """The size of a file in bytes; 0 if it can't be told."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
