"""The SQL that every statement about an extract is made of: literals, names, patterns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SEPARATOR = "\x1f"  # stands in no code
# A number, and a date without signs between its parts.
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
COMPACT_DATE = r"\d{8}"


def quote_name(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_path(path: Path) -> str:
    """A path as the engine's text in which it sees no pattern."""
    special = {"[": "[[]", "*": "[*]", "?": "[?]"}
    return quote_text("".join(special.get(letter, letter) for letter in str(path)))


def fits(text: str, pattern: str) -> str:
    """Whether a text as a whole fits a pattern."""
    return f"regexp_full_match({text}, {quote_text(pattern)})"


def finds(text: str, pattern: str) -> str:
    """Whether a pattern fits somewhere in a text."""
    return f"regexp_matches({text}, {quote_text(pattern)})"


def compact_day(text: str) -> str:
    """The day of a text of the form `COMPACT_DATE`; null where no calendar has it."""
    return f"TRY_CAST({text}[1:4] || '-' || {text}[5:6] || '-' || {text}[7:8] AS DATE)"


def is_one_of(text: str, texts: Iterable[str]) -> str:
    """Whether a text is one of some. No join, which might change the order of the rows."""
    return f"list_contains([{', '.join(map(quote_text, dict.fromkeys(texts)))}], {text})"


def unnest_texts(texts: Iterable[str]) -> str:
    """A row per text: one literal is read many times faster than a list of a thousand.

    >>> unnest_texts(["a", "b"])
    "unnest(string_split('a\\x1fb', '\\x1f'))"
    """
    return f"unnest(string_split({quote_text(SEPARATOR.join(texts))}, '{SEPARATOR}'))"
