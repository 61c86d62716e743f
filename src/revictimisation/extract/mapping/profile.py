"""What a source's columns look like: counts, and of values only codes that occur often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from revictimisation.core.engine import Engine
from revictimisation.extract.mapping.values import (
    BLANKS,
    ISO_DATE,
    TIME,
    YEAR_LAST,
    is_identity_number,
)
from revictimisation.extract.mapping.words import is_hidden, load_words
from revictimisation.extract.sources.staging import Staged
from revictimisation.extract.sql import COMPACT_DATE, NUMBER, compact_day, fits, quote_text

# More different values than this are no code list, and none of them is shown.
MAX_CODES = 60
# So many columns, and about so many cells, are looked at by one statement.
MOST_COLUMNS, MOST_CELLS = 100, 2_000_000
LONGEST_TEXT = 180
MOSTLY = 0.5


@dataclass(frozen=True)
class ColumnProfile:
    """Counts over the rows of one column; a value counts if it is not empty.

    `n_first_over_12` and `n_second_over_12` are of dates with the year last (27.4.2013). `values`
    are the different ones with how often each occurs, most often first, where they are so few that
    they may be codes; `markers` the signs for not stated that occur.
    """

    place: int
    name: str
    labels: Mapping[str, str]
    n_filled: int
    n_distinct: int
    n_identity: int
    n_year_first: int
    n_year_last: int
    n_first_over_12: int
    n_second_over_12: int
    n_numbers: int
    n_commas: int
    n_blanks: int
    longest: int
    n_missing: int
    values: tuple[tuple[str, int], ...] = field(default=(), kw_only=True)
    markers: tuple[str, ...] = field(default=(), kw_only=True)

    def mostly(self, count: int) -> bool:
        """Whether a count is more than half of what holds a value, markers of missing aside."""
        return count > MOSTLY * max(self.n_filled - self.n_missing, 1)

    @property
    def is_identity(self) -> bool:
        """Most values have the form of an identity number."""
        return self.mostly(self.n_identity)

    @property
    def is_date(self) -> bool:
        """Most values are dates."""
        return not self.is_identity and self.mostly(self.n_year_first + self.n_year_last)

    @property
    def is_number(self) -> bool:
        """Most values are numbers."""
        return not self.is_identity and self.mostly(self.n_numbers + self.n_commas)

    @cached_property
    def is_text(self) -> bool:
        """Names, addresses or free text, by the heading or by many different texts with blanks."""
        is_free = self.n_distinct > MAX_CODES and self.mostly(self.n_blanks) and not self.is_date
        return is_hidden(self.name) or is_free or self.longest > LONGEST_TEXT

    @property
    def is_coded(self) -> bool:
        """Few different values, none an identity number: its codes may be shown."""
        is_few = 0 < self.n_distinct <= MAX_CODES
        return is_few and not (self.n_identity or self.is_text or self.is_date)

    @cached_property
    def said(self) -> Mapping[str, int]:
        """In how many rows each value occurs, by what the source calls it, in small letters."""
        said: Counter[str] = Counter()
        for code, n in self.values:
            said[self.labels.get(code, code).lower()] += n
        return said

    @property
    def is_key(self) -> bool:
        """Whether every value occurs once."""
        return self.n_filled == self.n_distinct > 0 and not self.n_missing


def profile_columns(
    con: Engine, staged: Staged, begin: Callable[[int, int], None] = lambda done, total: None
) -> list[ColumnProfile]:
    """Profile every column of a staged source that has a heading, some columns at a time.

    A statement never grows with the number of columns, so that time grows with the cells alone.
    `begin` hears how many columns are done, and of how many, before each step but the first.
    """
    places = [place for place, name in enumerate(staged.names) if name]
    width = max(1, min(MOST_COLUMNS, MOST_CELLS // max(staged.n_rows, 1)))
    profiles = []
    for start in range(0, len(places), width):
        if start:
            begin(start, len(places))
        block = places[start : start + width]
        found = _count_block(con, staged, block)
        profiles += [_make_profile(staged, place, found.get(place)) for place in block]
    return profiles


def _count_block(con: Engine, staged: Staged, places: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """For each column that holds a value its counts, commonest values and signs for not stated.

    Every different value is looked at once, whatever the number of its rows.
    """
    columns = ", ".join(f"c{place}" for place in places)
    signs = ", ".join(map(quote_text, load_words().missing))
    cells = f"SELECT {columns} FROM read_parquet({quote_text(str(staged.path))})"
    codes = (
        f"SELECT place, nullif(trim(cell, {quote_text(BLANKS)}), '') AS code, count(*) AS n"
        f" FROM (UNPIVOT ({cells}) ON COLUMNS(*) INTO NAME place VALUE cell) GROUP BY ALL"
    )
    asked = [
        "CAST(place[2:] AS INTEGER)",
        *_ask("code"),
        f"min({{'n': -n, 'code': code}}, {MAX_CODES})",
        f"list(code ORDER BY code) FILTER (WHERE lower(code) IN ({signs}))",
    ]
    rows = con.con.execute(
        f"SELECT {', '.join(asked)} FROM ({codes}) WHERE code IS NOT NULL GROUP BY place"
    )
    return {place: tuple(found) for place, *found in rows.fetchall()}


def _make_profile(staged: Staged, place: int, found: tuple[Any, ...] | None) -> ColumnProfile:
    """A column's profile; its values only where it is coded."""
    *counts, values, markers = found or (*[0] * len(_ask("code")), [], [])
    labels = staged.labels.get(place, {})
    one = ColumnProfile(place, staged.names[place], labels, *(int(count or 0) for count in counts))
    listed = tuple((str(value["code"]), -int(value["n"])) for value in values)
    return replace(one, values=listed if one.is_coded else (), markers=tuple(markers or ()))


def _ask(text: str) -> list[str]:
    """The SQL of each count of a `ColumnProfile`, in order, where `n` rows hold each text."""

    last = fits(text, YEAR_LAST + TIME)
    parts = [
        f"TRY_CAST(regexp_extract({text}, {quote_text(YEAR_LAST)}, {one}) AS INTEGER)"
        for one in (1, 2)
    ]
    is_compact = f"({fits(text, COMPACT_DATE)} AND {compact_day(text)} IS NOT NULL)"
    markers = ", ".join(map(quote_text, load_words().missing))
    conditions = [
        is_identity_number(text),
        f"({fits(text, ISO_DATE + TIME)} OR {is_compact})",
        last,
        f"({last} AND {parts[0]} > 12)",
        f"({last} AND {parts[1]} > 12)",
        fits(text, NUMBER),
        fits(text, r"[+-]?[\d   ]*\d,\d+"),
        f"({text} LIKE '% %' OR {text} LIKE '%@%')",
    ]
    counts = [f"sum(n) FILTER (WHERE {condition})" for condition in conditions]
    missing = f"sum(n) FILTER (WHERE lower({text}) IN ({markers}))"
    return ["sum(n)", "count(*)", *counts, f"max(length({text}))", missing]
