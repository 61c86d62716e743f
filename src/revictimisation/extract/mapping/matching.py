"""Which columns of a source are which of the dictionary's, as far as words and forms tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from revictimisation.dictionary import Dictionary, Field, Table
from revictimisation.extract.mapping.profile import ColumnProfile
from revictimisation.extract.mapping.words import (
    code_words,
    column_words,
    fold,
    is_hidden,
    liken,
    liken_best,
    load_words,
)

SURE = 1.0
LEAST = 0.75
LEAST_CODE = 0.82
LEAST_TABLE = 1.8
# A guess by what the column holds alone, and how much of it must be the dictionary's codes.
BY_CONTENT, LEAST_KNOWN = 0.8, 0.9


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
    tables = dictionary.tables_by_direction("in")
    found = [_match_one(title, profiles, table, dictionary) for table in tables]
    best = max(found, key=lambda one: one.score)
    return _guess_keys(best, profiles) if best.score >= LEAST_TABLE else None


def match_code(code: str, label: str, field: Field, dictionary: Dictionary) -> tuple[str, bool]:
    """The dictionary's code for one of the source's, and whether it is sure; empty if none is near.

    A figure alone (2 for female) is never sure. `label` is what the source itself calls the code.
    """
    said = label or code
    exact = [
        ours
        for ours, words in code_words(field, dictionary).items()
        if said.lower() in {word.lower() for word in words}
    ]
    if exact and not said.isdigit():
        return exact[0], True
    scores = {
        ours: liken_best(said, words, LEAST_CODE)
        for ours, words in code_words(field, dictionary).items()
    }
    best = max(scores, key=lambda one: scores[one], default="")
    if not best or scores[best] < LEAST_CODE:
        return "", False
    return best, scores[best] >= SURE and not said.isdigit()


def _match_one(
    title: str, profiles: Sequence[ColumnProfile], table: Table, dictionary: Dictionary
) -> TableMatch:
    """Pair the most alike first; each column of either side is used once."""
    pairs = [
        (score, -place, -profile.place, profile, field)
        for place, field in enumerate(table.fields)
        for profile, score in _list_alike(profiles, field, dictionary)
    ]
    matches: dict[str, Match] = {}
    used: set[int] = set()
    for score, _, _, profile, field in sorted(pairs, key=lambda one: one[:3], reverse=True):
        if field.name not in matches and profile.place not in used:
            matches[field.name] = Match(field, profile, score)
            used.add(profile.place)
    words = (table.name, table.label.sv, table.label.en, *load_words().tables.get(table.name, ()))
    named = max((liken(fold(title), fold(word)) for word in words), default=0.0)
    ordered = tuple(matches[name] for name in table.field_names if name in matches)
    required = sum(1 for one in table.fields if one.is_required and one.name not in matches)
    total = sum(one.score for one in ordered) + named - 0.5 * required
    return TableMatch(table, ordered, total)


def _list_alike(
    profiles: Sequence[ColumnProfile], field: Field, dictionary: Dictionary
) -> Iterator[tuple[ColumnProfile, float]]:
    """The source's columns that may be one of ours, each with how likely that is.

    Their values have the form of the column's type. How alike the names are counts; where the
    values are the column's codes or what they are called, that alone is a guess.
    """
    names, words = column_words(field), _content_words(field, dictionary)
    for profile in profiles:
        if profile.is_text or not _fits(profile, field):
            continue
        score = liken_best(profile.name, names, LEAST)
        share = _share_known(profile, words)
        if share >= LEAST_KNOWN:
            tie = liken_best(profile.name, names) / 20
            score = max(score, BY_CONTENT + (share - LEAST_KNOWN) / 2 + tie)
        if score >= LEAST:
            yield profile, score


def _content_words(field: Field, dictionary: Dictionary) -> frozenset[str]:
    """What tells a column by its values: codes and names of a list; yes and no tell nothing."""
    if field.codes is None or field.type == "boolean":
        return frozenset()
    words = (word for some in code_words(field, dictionary).values() for word in some)
    return frozenset(word.lower() for word in words if not word.isdigit())


def _share_known(profile: ColumnProfile, words: frozenset[str]) -> float:
    """The share of rows whose value, or the source's own label of it, is one of some words."""
    if not words or not profile.values:
        return 0.0
    known = words & profile.said.keys()
    if len(known) < 2:
        return 0.0
    apart = load_words().missing
    total = sum(n for one, n in profile.said.items() if one not in apart or one in words)
    return sum(profile.said[one] for one in known) / total


def _guess_keys(found: TableMatch, profiles: Sequence[ColumnProfile]) -> TableMatch:
    """Guess a column of people where one is left of numbers of people, and one of row numbers."""
    guesses = {match.field.name: match for match in found.matches}
    left = [
        field for field in found.table.fields if field.name not in guesses and field.is_required
    ]
    used = {match.profile.place for match in found.matches}
    free = [
        profile for profile in profiles if profile.place not in used and not is_hidden(profile.name)
    ]
    people = [one for one in left if one.identifies]
    numbers = [one for one in free if one.is_identity]
    if len(people) == 1 and len(numbers) == 1:
        guesses[people[0].name] = Match(people[0], numbers[0], BY_CONTENT)
    most = max((profile.n_filled for profile in profiles), default=0)
    unique = [one for one in free if one.is_key and one.n_filled == most and _may_be_key(one)]
    keys = [one for one in left if not one.identifies and (one.name,) == found.table.primary_key]
    if keys and unique:
        guesses[keys[0].name] = Match(keys[0], unique[0], BY_CONTENT)
    ordered = tuple(guesses[name] for name in found.table.field_names if name in guesses)
    return TableMatch(found.table, ordered, found.score)


def _may_be_key(one: ColumnProfile) -> bool:
    return not (one.is_identity or one.is_date or one.is_text or one.n_commas)


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
