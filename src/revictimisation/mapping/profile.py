"""What a source's columns look like: counts, and of values only codes that occur often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
MAX_CODE_LENGTH = 60
MOSTLY = 0.5
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class ColumnProfile:
    """Counts over the rows of one column; a value counts if it is not empty.

    `n_first_over_12` and `n_second_over_12` are of dates with the year last (27.4.2013).
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
        return is_hidden(self.name) or is_free or self.longest > 3 * MAX_CODE_LENGTH

    @property
    def is_coded(self) -> bool:
        """Few different short values, none an identity number: its codes may be shown."""
        is_few = 0 < self.n_distinct <= MAX_CODES and self.longest <= MAX_CODE_LENGTH
        return is_few and not (self.n_identity or self.is_text or self.is_date)


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
        profiles.append(ColumnProfile(place, staged.names[place], labels, *counts))
    return profiles


def list_codes(
    con: Engine, staged: Staged, place: int, threshold: int
) -> tuple[list[tuple[str, int]], int, int]:
    """A column's codes that occur at least `threshold` times, most often first; then how many
    others there are and in how many rows.
    """
    text = _text(place)
    rows = f"read_parquet({quote(str(staged.path))})"
    counted = f"SELECT {text} AS code, count(*) AS n FROM {rows} GROUP BY 1"
    given = f"({counted}) WHERE code IS NOT NULL"
    shown = _run(con, f"SELECT code, n FROM {given} AND n >= {threshold} ORDER BY n DESC, code")
    rare = _run(con, f"SELECT count(*), coalesce(sum(n), 0) FROM {given} AND n < {threshold}")[0]
    return [(str(code), int(count)) for code, count in shown], int(rare[0]), int(rare[1])


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
