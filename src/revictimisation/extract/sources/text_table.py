"""The rows of a text file below its heading, as the engine reads them and as Python counts them."""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from revictimisation.core.engine import Engine
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD, UnreadableFileError
from revictimisation.extract.sources.text_file import prepare_text
from revictimisation.extract.sql import quote_path, quote_text

SEPARATORS = (";", "\t", ",", "|")
# A heading with line ends inside quotation marks is looked for over so many lines.
MAX_HEADING_LINES = 50
MAX_SAMPLE = 100
# What tells a spreadsheet which separator a file has, on a line of its own above the heading.
SEPARATOR_LINE = "sep="


@dataclass(frozen=True)
class TextTable:
    """A text file's rows below its heading.

    The engine reads them from `path` past `skip` lines. `heading_row` is the heading's number in
    the file, its first line being 1; the rows below follow, a line end inside quotation marks
    ending no row. `blank_rows` are those without a single sign, which the engine passes over.
    `n_rows` is how many rows there are by a count that is not the engine's.
    """

    path: Path
    skip: int
    separator: str
    names: tuple[str, ...]
    heading_row: int
    n_rows: int
    blank_rows: tuple[int, ...]
    uneven_rows: tuple[int, ...]
    is_mixed: bool
    has_spaces: bool
    is_decomposed: bool

    @property
    def first_row(self) -> int:
        """The number of the first row below the heading."""
        return self.heading_row + 1

    def select(self, rejected: str) -> str:
        """SQL that reads the rows as text, columns by place (`c0`, `c1`, …).

        Rows with another number of fields are put into the table `rejected`.
        """
        columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(self.names)))
        return (
            f"read_csv({quote_path(self.path)}, auto_detect=false, header=false, skip={self.skip},"
            f" delim={quote_text(self.separator)}, quote='\"', escape='\"', strict_mode=true,"
            f" columns={{{columns}}}, store_rejects=true, rejects_limit=0,"
            f" rejects_table='{rejected}', rejects_scan='{rejected}_scan')"
        )

    def take_rejected(self, con: Engine, rejected: str) -> tuple[int, ...]:
        """The numbers of the rows that were rejected; the engine's notes, which quote them, go."""
        found = con.run(f"SELECT DISTINCT line FROM {rejected} ORDER BY line")
        forget_rejected(con, rejected)
        return tuple(int(line) - self.skip + self.heading_row for (line,) in found)

    def check_count(self, n_read: int) -> None:
        """Raise `UnreadableFileError` (`rows_disagree`) unless the engine read as many rows."""
        if n_read != self.n_rows:
            count = max(abs(self.n_rows - n_read), 1)
            raise UnreadableFileError("rows_disagree", rows=self.uneven_rows, count=count)


def open_text(
    path: Path,
    workspace: Path,
    *,
    separator: str | None = None,
    header_row: int | None = None,
    encoding: str = "",
    separators: Sequence[str] = SEPARATORS,
    known: Collection[str] = (),
) -> TextTable:
    """Find the heading and separator of a text file, and count its rows.

    Without `header_row` the heading is the first line that holds anything, a line `sep=;` aside.
    Without a `separator` it is the one that cuts the heading into most `known` names, then the one
    that cuts the first rows like the heading. Raises `UnreadableFileError`.
    """
    text = prepare_text(path, workspace, encoding)
    csv.field_size_limit(sys.maxsize)
    try:
        lines_above, told = _find_heading(text.path, header_row)
        cut = separator or told or _find_separator(text.path, lines_above, separators, known)
        names, n_lines = _read_heading(text.path, lines_above, cut)
        skip, body = lines_above + n_lines, text.path
        if text.has_quotes and _has_quotes(text.path, skip):
            # The engine would take a quotation mark above the rows for the beginning of a field.
            body, skip = _cut_rows(text.path, skip, workspace / "rows.txt"), 0
        n_rows = text.n_lines - lines_above - n_lines
        blank: tuple[int, ...] = ()
        uneven: tuple[int, ...] = ()
        if text.has_quotes or text.has_gaps:
            n_rows, blank, uneven = _count_rows(body, skip, cut, lines_above + 2, len(names))
    except (UnicodeError, csv.Error):
        raise UnreadableFileError from None
    return TextTable(
        body, skip, cut, names, lines_above + 1, n_rows, blank, uneven,
        text.is_mixed, text.has_spaces, text.is_decomposed,
    )  # fmt: skip


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline="")


def _find_heading(path: Path, header_row: int | None) -> tuple[int, str]:
    """How many lines stand above the heading, and the separator that a line of its own tells."""
    with _open(path) as stream:
        first = stream.readline(10).strip().strip('"').lower()
        told = first.removeprefix(SEPARATOR_LINE) if first.startswith(SEPARATOR_LINE) else ""
        if first == SEPARATOR_LINE:  # stripped of a tab
            told = "\t"
    has_told = len(told) == 1
    if header_row is not None and header_row > has_told:
        return header_row - 1, told if has_told else ""
    with _open(path) as stream:
        for number, line in enumerate(stream):
            if line.strip() and number >= has_told:
                return number, told if has_told else ""
    raise UnreadableFileError("empty_file")


def _find_separator(
    path: Path, lines_above: int, separators: Sequence[str], known: Collection[str]
) -> str:
    """The separator by which most names are known; of equals one by which most rows agree.

    Of those the one with most names. A heading of one name agrees with any row that lacks the
    separator, and comes last.
    """

    def judge(separator: str) -> tuple[int, float, int]:
        names, n_lines = _split_heading(path, lines_above, separator)
        found = {" ".join(name.split()).lower() for name in names}
        rows = _sample_rows(path, lines_above + n_lines, separator)
        n_alike = sum(len(row) == len(names) for row in rows)
        share = n_alike / len(rows) if rows else 1.0
        return len(found & set(known)), round(share) * (len(names) > 1), len(names)

    return max(separators, key=judge)


def _sample_rows(path: Path, skip: int, separator: str) -> list[list[str]]:
    with _open(path) as stream:
        lines = islice(stream, skip, skip + MAX_SAMPLE)
        return [row for row in csv.reader([*lines], delimiter=separator) if row]


def _read_heading(path: Path, lines_above: int, separator: str) -> tuple[tuple[str, ...], int]:
    """The names, blanks made one, and how many lines of the file they take."""
    cells, n_lines = _split_heading(path, lines_above, separator)
    names = tuple(" ".join(cell.split()) for cell in cells)
    if not any(names):
        raise UnreadableFileError("empty_file" if not lines_above else "unclear_heading")
    return names, n_lines


def _split_heading(path: Path, lines_above: int, separator: str) -> tuple[list[str], int]:
    """The heading's cells; where its quotation marks enclose no cells they are signs as others."""
    with _open(path) as stream:
        found = list(islice(stream, lines_above, lines_above + MAX_HEADING_LINES))
    first = found[:1]
    if first and '"' in first[0]:
        reader = csv.reader(found, delimiter=separator, strict=True)
        try:
            return next(reader), reader.line_num
        except csv.Error:
            pass
    return next(csv.reader(first, delimiter=separator, quoting=csv.QUOTE_NONE), []), 1


def _has_quotes(path: Path, n_lines: int) -> bool:
    with _open(path) as stream:
        return any('"' in line for line in islice(stream, n_lines))


def _cut_rows(path: Path, n_lines: int, target: Path) -> Path:
    """Write what stands below some lines into a file of its own."""
    with path.open("rb") as stream, target.open("wb") as out:
        for _ in range(n_lines):
            stream.readline()
        shutil.copyfileobj(stream, out, 1 << 20)
    return target


def _count_rows(
    path: Path, skip: int, separator: str, first_row: int, n_columns: int
) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Rows by Python's reader, as `TextTable` has them: how many, the blank, the first uneven."""
    n_rows, blank, uneven = 0, [], []
    with _open(path) as stream:
        for _ in range(skip):
            stream.readline()
        rows = csv.reader(stream, delimiter=separator)
        for number, row in enumerate(rows, start=first_row):
            if len(row) == n_columns:
                n_rows += 1
            elif row:
                n_rows += 1
                uneven.append(number)
            elif n_columns > 1:
                blank.append(number)
            else:
                n_rows += 1
    return n_rows, tuple(blank), tuple(uneven[:MAX_ROWS_TOLD])


def forget_rejected(con: Engine, rejected: str) -> None:
    """Drop the engine's notes on rejected rows: they quote them."""
    con.run(f"DROP TABLE IF EXISTS {rejected}")
    con.run(f"DROP TABLE IF EXISTS {rejected}_scan")
