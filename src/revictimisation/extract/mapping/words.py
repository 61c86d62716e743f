"""How alike the words of a source and of the dictionary are."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from revictimisation.core import files
from revictimisation.core.plain_yaml import load_texts
from revictimisation.dictionary import Dictionary, Field

_LETTERS = str.maketrans("åäöéü", "aaoeu")
DAY = "datum"
LEAST_STEM = 3
CONTAINED = 0.86
MAX_FUZZY = 0.95
MOST_KEPT = 100_000


@dataclass(frozen=True)
class SourceWords:
    """What sources tend to call tables, columns and codes (`data_dictionary/source_words.yaml`)."""

    tables: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, Mapping[str, tuple[str, ...]]]
    hidden: tuple[str, ...]
    shown: tuple[str, ...]
    missing: tuple[str, ...]


@functools.cache
def load_words() -> SourceWords:
    """Load the words that come with the dictionary.

    >>> "kvinna" in load_words().codes["sex"]["female"]
    True
    """
    path = files.resource_dir("data_dictionary") / "source_words.yaml"
    given: dict[str, Any] = load_texts(files.read_text(path))
    return SourceWords(**given)


@functools.lru_cache(maxsize=MOST_KEPT)
def fold(text: str) -> str:
    """A text as it is compared: small letters without dots and rings, words parted by one blank.

    >>> fold("Anmälnings-DATUM (RAR)")
    'anmalnings datum rar'
    """
    split = re.sub(r"([a-zåäö])([A-ZÅÄÖ])", r"\1 \2", text).lower().translate(_LETTERS)
    return " ".join(re.findall(r"[a-z0-9]+", split))


def liken(one: str, other: str, least: float = 0.0) -> float:
    """How alike two folded texts are, from 0 to 1; 1 means the same but for blanks.

    Where they can't be as alike as `least` the answer may be 0, which takes a fraction of the time.
    """
    (first, words), (second, others) = _take_apart(one), _take_apart(other)
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    if (len(second) > 3 and others < words) or _abbreviates(first, second):
        return CONTAINED
    if 2 * min(len(first), len(second)) < least * (len(first) + len(second)):
        return 0.0
    matcher = _matcher(second)
    matcher.set_seq1(first)
    if matcher.quick_ratio() < least:
        return 0.0
    return min(matcher.ratio(), MAX_FUZZY)


@functools.lru_cache(maxsize=MOST_KEPT)
def _take_apart(text: str) -> tuple[str, frozenset[str]]:
    """A folded text without blanks, and its words."""
    return text.replace(" ", ""), frozenset(text.split())


@functools.lru_cache(maxsize=MOST_KEPT)
def _matcher(word: str) -> difflib.SequenceMatcher[str]:
    """What likens texts to a word, which it takes apart only once."""
    return difflib.SequenceMatcher(None, b=word)


def _abbreviates(short: str, full: str) -> bool:
    """Whether a date's heading is another's with its first word cut off (utvdatum)."""
    stem = short.removesuffix(DAY)
    is_cut = stem != short and full.endswith(DAY) and full.startswith(stem)
    return is_cut and len(stem) >= LEAST_STEM


@functools.lru_cache(maxsize=MOST_KEPT)
def liken_best(text: str, words: tuple[str, ...], least: float = 0.0) -> float:
    """How alike a text and the most alike of some words are; below `least` it may be 0."""
    folded, best = fold(text), 0.0
    for word in words:
        best = max(best, liken(folded, fold(word), max(best, least)))
    return best


def column_words(field: Field) -> tuple[str, ...]:
    """What a column of the dictionary may be called."""
    return (field.name, field.label.sv, field.label.en, *load_words().columns.get(field.name, ()))


def code_words(field: Field, dictionary: Dictionary) -> dict[str, tuple[str, ...]]:
    """For each code that a column may hold, what it may be called; of no codes, none."""
    list_name = "yes_no" if field.type == "boolean" else field.codes
    if list_name is None:
        return {}
    allowed = ("true", "false") if field.type == "boolean" else dictionary.allowed_codes(field)
    known = load_words().codes.get(list_name, {})
    return {
        code: (
            code,
            *(dictionary.label(list_name, code, language) for language in ("sv", "en")),
            *known.get(code, ()),
        )
        for code in allowed
    }


def known_words(field: Field, dictionary: Dictionary) -> frozenset[str]:
    """What may always be shown of a column: its codes and their names, in small letters.

    Codes also as systems write them out, with blanks. Municipalities are among them in every
    column, as their names look like those of people.

    >>> from revictimisation.dictionary import load_dictionary
    >>> measures = load_dictionary().tables["police_measures"]
    >>> field = next(one for one in measures.fields if one.name == "measure")
    >>> "non contact order" in known_words(field, load_dictionary())
    True
    """
    codes = code_words(field, dictionary)
    words = {word.lower() for some in codes.values() for word in some}
    written_out = {code.lower().replace("_", " ") for code in codes}
    return frozenset(words | written_out) | _place_words(dictionary)


def _place_words(dictionary: Dictionary) -> frozenset[str]:
    labels = dictionary.lists["municipalities"].select("label_sv")
    return frozenset(label.lower() for (label,) in labels)


def is_hidden(heading: str) -> bool:
    """Whether a heading is that of names, addresses or free text.

    >>> is_hidden("Målsägande, efternamn"), is_hidden("Anmälningsdatum")
    (True, False)
    """
    folded = [word for word in fold(heading).split() if word not in load_words().shown]
    return any(
        word in _hidden_words() or word.endswith(("namn", "adress", "fritext", "telefon"))
        for word in folded
    )


@functools.cache
def _hidden_words() -> frozenset[str]:
    return frozenset(fold(word) for word in load_words().hidden)
