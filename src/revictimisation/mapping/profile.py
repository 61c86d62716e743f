"""What a source's columns look like: counts, and of values only codes that occur often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from revictimisation.mapping.values import (
    BLANKS,
    COMPACT_DATE,
    ISO_DATE,
    NUMBER,
    TIME,
    YEAR_LAST,
    is_identity_number,
    quote,
)
from revictimisation.mapping.words import is_hidden, load_words
from revictimisation.sources.staging import Staged

if TYPE_CHECKING:
    from revictimisation.engine import Engine

MAX_CODES = 60
LONGEST_TEXT = 180
MOSTLY = 0.5
NEARLY_ALL = 0.9


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

    @property
    def is_text(self) -> bool:
        """Names, addresses or free text, by the heading or by many different texts with blanks."""
        is_free = self.n_distinct > MAX_CODES and self.mostly(self.n_blanks) and not self.is_date
        return is_hidden(self.name) or is_free or self.longest > LONGEST_TEXT

    @property
    def is_coded(self) -> bool:
        """Few different values, none an identity number: its codes may be shown."""
        is_few = 0 < self.n_distinct <= MAX_CODES
        return is_few and not (self.n_identity or self.is_text or self.is_date)

    @property
    def is_key(self) -> bool:
        """Whether every value occurs once."""
        return self.n_filled == self.n_distinct > 0 and not self.n_missing


def profile_columns(con: Engine, staged: Staged) -> list[ColumnProfile]:
    """Profile every column of a staged source that has a heading, in one pass."""
    places = [place for place, name in enumerate(staged.names) if name]
    asked = [ask for place in places for ask in _ask(_text(place))]
    rows = f"read_parquet({quote(str(staged.path))})"
    found = iter(_run(con, f"SELECT {', '.join(asked)} FROM {rows}")[0]) if asked else iter(())
    width = len(_ask("c0"))
    profiles = []
    for place in places:
        counts = [int(next(found) or 0) for _ in range(width)]
        labels = staged.labels.get(place, {})
        one = ColumnProfile(place, staged.names[place], labels, *counts)
        profiles.append(_add_values(con, rows, one))
    return profiles


def _add_values(con: Engine, rows: str, one: ColumnProfile) -> ColumnProfile:
    """The profile with its different values if it is coded, and its signs for not stated."""
    text = _text(one.place)
    given = f"(SELECT {text} AS code, count(*) AS n FROM {rows} GROUP BY 1) WHERE code IS NOT NULL"
    values, markers = [], []
    if one.is_coded:
        values = _run(con, f"SELECT code, n FROM {given} ORDER BY n DESC, code")
    if one.n_missing:
        signs = ", ".join(map(quote, load_words().missing))
        asked = f"SELECT code FROM {given} AND lower(code) IN ({signs}) ORDER BY code"
        markers = [str(code) for (code,) in _run(con, asked)]
    counted = tuple((str(code), int(n)) for code, n in values)
    return replace(one, values=counted, markers=tuple(markers))


def _text(place: int) -> str:
    return f"nullif(trim(c{place}, {quote(BLANKS)}), '')"


def _ask(text: str) -> list[str]:
    """The SQL of each count of a `ColumnProfile`, in order."""

    def fits(pattern: str) -> str:
        return f"regexp_full_match({text}, {quote(pattern)})"

    last = fits(YEAR_LAST + TIME)
    parts = [
        f"TRY_CAST(regexp_extract({text}, {quote(YEAR_LAST)}, {one}) AS INTEGER)" for one in (1, 2)
    ]
    compact = f"TRY_CAST(concat_ws('-', {text}[1:4], {text}[5:6], {text}[7:8]) AS DATE) IS NOT NULL"
    markers = ", ".join(map(quote, load_words().missing))
    conditions = [
        is_identity_number(text),
        f"({fits(ISO_DATE + TIME)} OR ({fits(COMPACT_DATE)} AND {compact}))",
        last,
        f"({last} AND {parts[0]} > 12)",
        f"({last} AND {parts[1]} > 12)",
        fits(NUMBER),
        fits(r"[+-]?[\d   ]*\d,\d+"),
        f"({text} LIKE '% %' OR {text} LIKE '%@%')",
    ]
    counts = [f"count(*) FILTER (WHERE {one})" for one in conditions]
    missing = f"count(*) FILTER (WHERE list_contains([{markers}], lower({text})))"
    return [
        *(f"count({text})", f"count(DISTINCT {text})"),
        *counts,
        *(f"max(length({text}))", missing),
    ]


def _run(con: Engine, statement: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = con.con.execute(statement).fetchall()
    return rows
