"""Which columns of a source are which of the dictionary's, as far as words and forms tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from revictimisation.dictionary import Dictionary, Field, Table
from revictimisation.mapping.profile import ColumnProfile
from revictimisation.mapping.words import (
    code_words,
    column_words,
    fold,
    liken,
    liken_best,
    load_words,
)

SURE = 1.0
LEAST = 0.75
LEAST_CODE = 0.82
UNFIT = 0.5
LEAST_TABLE = 1.8


@dataclass(frozen=True)
class Match:
    """A source's column that fills one of the dictionary's, and how sure that is (0 to 1)."""

    field: Field
    profile: ColumnProfile
    score: float

    @property
    def is_sure(self) -> bool:
        """The names are the same, and the values have the form of the column's type."""
        return self.score >= SURE


@dataclass(frozen=True)
class TableMatch:
    """A place of the source, the table it seems to hold, and its columns."""

    table: Table
    matches: tuple[Match, ...]
    score: float


def match_table(
    title: str, profiles: Sequence[ColumnProfile], dictionary: Dictionary
) -> TableMatch | None:
    """The table that a place of the source seems to hold; None if none is likely."""
    found = [_match_one(title, profiles, table) for table in dictionary.tables_by_direction("in")]
    best = max(found, key=lambda one: one.score)
    return best if best.score >= LEAST_TABLE else None


def match_code(code: str, label: str, field: Field, dictionary: Dictionary) -> tuple[str, bool]:
    """The dictionary's code for one of the source's, and whether it is sure; empty if none is near.

    A figure alone (2 for female) is never sure. `label` is what the source itself calls the code.
    """
    said = label or code
    scores = {
        ours: liken_best(said, words) for ours, words in code_words(field, dictionary).items()
    }
    best = max(scores, key=lambda one: scores[one], default="")
    if not best or scores[best] < LEAST_CODE:
        return "", False
    return best, scores[best] >= SURE and not said.isdigit()


def _match_one(title: str, profiles: Sequence[ColumnProfile], table: Table) -> TableMatch:
    """Pair the most alike first; each column of either side is used once."""
    pairs = sorted(
        (
            (_score(profile, field), -place, -profile.place, profile, field)
            for place, field in enumerate(table.fields)
            for profile in profiles
            if not profile.is_text
        ),
        key=lambda one: one[:3],
        reverse=True,
    )
    matches: dict[str, Match] = {}
    used: set[int] = set()
    for score, _, _, profile, field in pairs:
        if score >= LEAST and field.name not in matches and profile.place not in used:
            matches[field.name] = Match(field, profile, score)
            used.add(profile.place)
    words = (table.name, table.label.sv, table.label.en, *load_words().tables.get(table.name, ()))
    named = max((liken(fold(title), fold(word)) for word in words), default=0.0)
    ordered = tuple(matches[one] for one in table.field_names if one in matches)
    required = sum(1 for one in table.fields if one.is_required and one.name not in matches)
    total = sum(one.score for one in ordered) + named - 0.5 * required
    return TableMatch(table, ordered, total)


def _score(profile: ColumnProfile, field: Field) -> float:
    """How alike the names are, less where the values have not the form of the column's type."""
    score = liken_best(profile.name, column_words(field))
    return score if _fits(profile, field) else score * UNFIT


def _fits(profile: ColumnProfile, field: Field) -> bool:
    if not profile.n_filled:
        return True
    if profile.is_identity:
        return field.sensitivity == "identifier"
    if field.type == "date":
        return profile.is_date or profile.is_number
    if field.type in ("integer", "number"):
        return profile.is_number
    return not profile.is_date
