"""What can be wrong with a source as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A name of a sheet or column that may be shown: words, not data that stand in their place.
_SHOWN = re.compile(r"[^\W\d_][^\n\r\t@\"]{0,59}")
_MOST_DIGITS = 4
# So far down a heading is looked for; further down stand data.
MAX_HEADING_ROW = 20
# Of the rows at fault the numbers of so many are told.
MAX_ROWS_TOLD = 10


def list_rows(rows: Sequence[int], count: int) -> str:
    """The numbers of the first rows of so many, as they are told.

    >>> list_rows((2, 5), 2), list_rows((2, 5), 9)
    ('2, 5', '2, 5 …')
    """
    return ", ".join(map(str, rows)) + (" …" if count > len(rows) else "")


class UnreadableFileError(Exception):
    """A source can't be read. Holds no text from the file, lest a value be told.

    `kind` is the rule of the data dictionary that says what is wrong and what to do. `names` are
    sheets or columns that may be shown, `rows` the numbers of the rows at fault, `count` how many,
    `column` the heading they stand under, `source` the file's name.
    """

    def __init__(
        self,
        kind: str = "unreadable_file",
        *,
        names: tuple[str, ...] = (),
        rows: tuple[int, ...] = (),
        count: int = 1,
        column: str = "",
    ) -> None:
        super().__init__(kind)
        self.kind, self.names, self.rows, self.count = kind, names, rows, count
        self.column, self.source = column, ""


def may_show(name: str) -> bool:
    """Whether a heading or the name of a sheet may be told: words with at most four digits.

    >>> may_show("Anmälningsdatum"), may_show("19790229-4711")
    (True, False)
    """
    n_digits = sum(letter.isdigit() for letter in name)
    return _SHOWN.fullmatch(name) is not None and n_digits <= _MOST_DIGITS


def may_show_sheet(name: str) -> bool:
    """Whether the name of a sheet may be told: as headings, also with two years.

    >>> may_show_sheet("Insatser 2011-2018"), may_show_sheet("Klient 790229-4711")
    (True, False)
    """
    runs = re.findall(r"\d+", name)
    return (
        may_show(re.sub(r"\d", "", name)) and len(runs) <= 2 and max(map(len, runs), default=0) <= 4
    )


def show_name(name: str, place: int) -> str:
    """A heading as it may be told; else the number of its column, the first being 1."""
    return name if may_show(name) else f"#{place + 1}"
