"""Which format a file has, by its name and by its first bytes."""

from __future__ import annotations

from pathlib import Path

from revictimisation.core.surroundings import explained
from revictimisation.extract.sources.faults import UnreadableFileError

TEXT, PARQUET, WORKBOOK, STATISTICS = "text", "parquet", "workbook", "statistics"
FORMATS = {
    ".csv": TEXT,
    ".txt": TEXT,
    ".tsv": TEXT,
    ".parquet": PARQUET,
    ".xlsx": WORKBOOK,
    ".xlsm": WORKBOOK,
    ".xlsb": WORKBOOK,
    ".xls": WORKBOOK,
    ".ods": WORKBOOK,
    ".sas7bdat": STATISTICS,
    ".xpt": STATISTICS,
    ".sav": STATISTICS,
    ".zsav": STATISTICS,
    ".por": STATISTICS,
}
# The formats an extract's own tables may have, by the end of their names.
TABLE_SUFFIXES = tuple(one for one in FORMATS if one not in (".txt", ".tsv"))
ARCHIVES = (".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".tar", ".tgz")
SAS_SIGN = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
COMPOUND_SIGN = bytes.fromhex("d0cf11e0a1b11ae1")
SIGNS = (
    (b"PK\x03\x04", (".xlsx", ".xlsm", ".xlsb", ".ods")),
    (COMPOUND_SIGN, (".xls",)),
    (b"PAR1", (".parquet",)),
    (b"$FL2", (".sav",)),
    (b"$FL3", (".zsav", ".sav")),
    (SAS_SIGN, (".sas7bdat",)),
    (b"HEADER RECORD*******LIB", (".xpt",)),
)
ARCHIVE_SIGNS = (b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
OF_TEXT = (".csv", ".txt", ".tsv", ".por")


def find_format(path: Path) -> str:
    """Which of the four kinds of format a file has by its name; empty if none we read."""
    return FORMATS.get(path.suffix.lower(), "")


def check_format(path: Path) -> str:
    """The kind of format, held against the file's first bytes.

    A file that is named to be read and whose ending says nothing (`.dat`, none) is text, if its
    bytes are. Raises `UnreadableFileError`: `locked_file` for a workbook under a password,
    `packed_file` for an archive, `misnamed_file` for a file that is not what its name says,
    `empty_file` for one without a byte.
    """
    kind, suffix, start = find_format(path), path.suffix.lower(), _read_start(path)
    if not start:
        raise UnreadableFileError("empty_file")
    is_packed = start.startswith(ARCHIVE_SIGNS) or (not kind and start.startswith(b"PK"))
    if suffix in ARCHIVES or is_packed:
        raise UnreadableFileError("packed_file")
    if start.startswith(COMPOUND_SIGN) and kind == WORKBOOK and suffix != ".xls":
        raise UnreadableFileError("locked_file")
    fitting = next((ends for sign, ends in SIGNS if start.startswith(sign)), OF_TEXT)
    if not kind and fitting is OF_TEXT:
        return TEXT
    if suffix not in fitting:
        raise UnreadableFileError("misnamed_file")
    return kind


def _read_start(path: Path) -> bytes:
    with explained(path), path.open("rb") as stream:
        return stream.read(64)
