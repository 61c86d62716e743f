"""Which format a file has, by its name and by its first bytes."""

from __future__ import annotations

from pathlib import Path

from revictimisation.sources.faults import UnreadableFileError
from revictimisation.surroundings import explained

TEXT, PARQUET, WORKBOOK, STATISTICS = "text", "parquet", "workbook", "statistics"
FORMATS = {
    ".csv": TEXT,
    ".txt": TEXT,
    ".tsv": TEXT,
    ".parquet": PARQUET,
    ".xlsx": WORKBOOK,
    ".xlsm": WORKBOOK,
    ".sas7bdat": STATISTICS,
    ".xpt": STATISTICS,
    ".sav": STATISTICS,
    ".zsav": STATISTICS,
}
# The formats an extract's own tables may have, by the end of their names.
TABLE_SUFFIXES = (".parquet", ".csv", ".xlsx", ".sas7bdat", ".xpt", ".sav")
SAS_SIGN = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
COMPOUND_SIGN = bytes.fromhex("d0cf11e0a1b11ae1")
SIGNS = (
    (b"PK\x03\x04", (".xlsx", ".xlsm")),
    (b"PAR1", (".parquet",)),
    (b"$FL2", (".sav",)),
    (b"$FL3", (".zsav", ".sav")),
    (SAS_SIGN, (".sas7bdat",)),
    (b"HEADER RECORD*******LIB", (".xpt",)),
)
OF_TEXT = (".csv", ".txt", ".tsv")


def find_format(path: Path) -> str:
    """Which of the four kinds of format a file has by its name; empty if none we read."""
    return FORMATS.get(path.suffix.lower(), "")


def check_format(path: Path) -> str:
    """The kind of format, held against the file's first bytes.

    Raises `UnreadableFileError`: `locked_file` for a workbook under a password, `misnamed_file`
    for a file that is not what its name says, `empty_file` for one without a byte.
    """
    kind, suffix, start = find_format(path), path.suffix.lower(), _read_start(path)
    if not start:
        raise UnreadableFileError("empty_file")
    if start.startswith(COMPOUND_SIGN) and kind == WORKBOOK:
        raise UnreadableFileError("locked_file")
    fitting = next((ends for sign, ends in SIGNS if start.startswith(sign)), OF_TEXT)
    if not kind or suffix not in fitting:
        raise UnreadableFileError("misnamed_file")
    return kind


def _read_start(path: Path) -> bytes:
    with explained(path), path.open("rb") as stream:
        return stream.read(64)
