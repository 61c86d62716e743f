"""Whether the row that a source's headings are read from holds headings, or a row of data.

A row of data taken for headings would lose a person in silence and quote them: such a row stops the
reading, and a row that is not clearly one of headings is never quoted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from revictimisation.core.engine import Engine
from revictimisation.extract.mapping.model import Part
from revictimisation.extract.mapping.values import (
    BLANKS,
    ISO_DATE,
    TIME,
    YEAR_FIRST,
    YEAR_LAST,
)
from revictimisation.extract.sources.faults import show_name
from revictimisation.extract.sources.identity import holds_identity_number
from revictimisation.extract.sources.staging import Staged
from revictimisation.extract.sql import COMPACT_DATE, NUMBER, quote_text

# A year alone may be a heading, as of what was counted in it.
_DATA = re.compile(
    rf"(?!(19|20)\d\d$)({ISO_DATE}{TIME}|{COMPACT_DATE}{TIME}|{YEAR_FIRST}{TIME}|{YEAR_LAST}{TIME}"
    rf"|{NUMBER}|[+-]?[\d\s]*\d,\d+)"
)


@dataclass(frozen=True)
class Heading:
    """What the row of headings is like; only a clear one may be quoted."""

    names: tuple[str, ...]
    holds_data: bool
    is_clear: bool

    def show(self, place: int) -> str:
        """A heading as it may be told; else the number of its column, the first being 1."""
        return show_name(self.names[place], place) if self.is_clear else f"#{place + 1}"


def judge_heading(con: Engine, staged: Staged, part: Part) -> Heading:
    """Judge the row that the headings were read from by itself, the rows below and the mapping.

    Where at least half of the columns that the mapping names are found it is a row of headings.
    Else a cell that is an identity number, a date or a number (a year aside), or that stands again
    in the rows below, makes it a row of data; and it is clear only if some named column is found
    and no cell is empty or doubled. Names that come with the file's format (Parquet, SAS, SPSS, a
    database) are always clear.
    """
    names = staged.names
    if not staged.heading_row:
        return Heading(names, False, True)
    found, sought = _count_found(names, part)
    is_sure = 2 * found >= sought > 0
    holds_data = not is_sure and looks_like_data(con, staged)
    is_whole = all(names) and len({name.lower() for name in names}) == len(names)
    return Heading(names, holds_data, is_sure or (found > 0 and is_whole and not holds_data))


def looks_like_data(con: Engine, staged: Staged) -> bool:
    """Whether a cell of the heading is an identity number, a date, a number, or stands below it.

    A heading that stands again as a whole, as where files were put together, is still one.
    """
    if not staged.heading_row:
        return False
    names = staged.names
    if any(holds_identity_number(name) or _DATA.fullmatch(name) for name in names):
        return True
    cells = [f"trim(coalesce(c{place}, ''), {quote_text(BLANKS)})" for place in range(len(names))]
    alike = [f"{cell} = {quote_text(name)}" for cell, name in zip(cells, names, strict=True)]
    some = " OR ".join(one for one, name in zip(alike, names, strict=True) if name)
    rows = f"read_parquet({quote_text(str(staged.path))})"
    asked = f"SELECT 1 FROM {rows} WHERE ({some}) AND NOT ({' AND '.join(alike)}) LIMIT 1"
    return bool(con.run(asked))


def _count_found(names: tuple[str, ...], part: Part) -> tuple[int, int]:
    """How many of the columns that the mapping names stand in the heading, and how many it names.

    Columns that it gives by number count as found where a heading is that number.
    """
    there = {name.lower() for name in names}
    given = {" ".join(column.source.split()).lower() for column in part.columns.values()} - {""}
    found = given & there
    return len(found), len({one for one in given if not one.isdigit()} | found)
