"""Where the headings of a text file stand that has titles above them."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import islice
from pathlib import Path

from revictimisation.extract.sources.faults import MAX_HEADING_ROW, UnreadableFileError, may_show
from revictimisation.extract.sources.text_file import BYTE_ORDER_MARK, prepare_text
from revictimisation.extract.sources.text_table import SEPARATORS


def guess_text_heading(path: Path, workspace: Path) -> int | None:
    """The number of the first line that looks like a heading: most of its cells, mostly words.

    Lines are cut by the separator by which most of them have equally many cells. None where the
    first 20 lines hold no such line, or only one cell each. `workspace` takes what must be
    rewritten to be read.
    """
    try:
        with prepare_text(path, workspace).path.open(encoding="utf-8", newline=None) as stream:
            lines = [line.removeprefix(BYTE_ORDER_MARK) for line in islice(stream, MAX_HEADING_ROW)]
    except (OSError, UnicodeDecodeError):
        raise UnreadableFileError from None
    rows = max((_cut(lines, separator) for separator in SEPARATORS), key=_count_agreeing)
    filled = [[cell for cell in map(str.strip, cells) if cell] for cells in rows]
    most = max(map(len, filled), default=0)
    for number, cells in enumerate(filled, start=1):
        n_words = sum(map(may_show, cells))
        if most > 1 and 2 * len(cells) >= most and 2 * n_words > len(cells):
            return number
    return None


def _cut(lines: list[str], separator: str) -> list[list[str]]:
    """The cells of each line by itself; one with a quotation mark too many is one cell."""
    rows = []
    for line in lines:
        try:
            rows.append(next(csv.reader([line], delimiter=separator, strict=True), []))
        except csv.Error:
            rows.append([line])
    return rows


def _count_agreeing(rows: list[list[str]]) -> tuple[int, int]:
    """How many lines are cut into the same number of cells, and into how many, of at least two."""
    counts = Counter(len(cells) for cells in rows if len(cells) > 1)
    return max(((n, width) for width, n in counts.items()), default=(0, 0))
