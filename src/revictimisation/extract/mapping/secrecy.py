"""Which of a source's values may be told: codes, never names, sentences or numbers of people."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection

from revictimisation.dictionary import load_dictionary
from revictimisation.extract.sources.identity import holds_identity_number
from revictimisation.extract.sql import finds, is_one_of

MAX_LENGTH, MAX_WORDS = 40, 4
_LETTERS = "A-Za-zÅÄÖÉÜåäöéü"
_CAPITAL = "[A-ZÅÄÖÉÜ]"
# The same patterns are read by Python and by the engine.
_FIRST = rf"{_CAPITAL}[{_LETTERS}]*(-[{_LETTERS}]+)?[.,]?"
NAME = rf"(^|[^{_LETTERS}]){_FIRST} +{_CAPITAL}[{_LETTERS}]*([^{_LETTERS}]|$)"
PLACE = (
    r"(?i)^([^ ]*(område|distrikt)|[^ ]*region)( [^ ]+){1,2}$"
    r"|^([^ ]+ ){1,2}(kommun|län|[^ ]*område|[^ ]*distrikt|region)$"
)
SENTENCE = rf"([^ ]+ +){{{MAX_WORDS}}}[^ ]"


@functools.cache
def address_pattern() -> str:
    """What a street address looks like, as `pseudonymise` has it (list `refused_columns`)."""
    rules = load_dictionary().lists["refused_columns"].select("code", "content_pattern")
    return next(pattern for code, pattern in rules if code == "address")


def is_prose(text: str) -> bool:
    """Whether a value looks like the name of a person, a sentence, an address of street or mail.

    A sentence has more than four words, or blanks and more than forty letters; a name two words
    with capitals, one after the other, that are no district or municipality.

    >>> is_prose("Anna Andersson"), is_prose("Polisområde Nord"), is_prose("Före detta partner")
    (True, False, False)
    >>> is_prose("Storgatan 3")
    True
    """
    is_name = re.search(NAME, text) is not None and re.search(PLACE, text) is None
    is_long = " " in text and (len(text) > MAX_LENGTH or re.search(SENTENCE, text) is not None)
    return is_name or is_long or "@" in text or re.search(address_pattern(), text) is not None


def prose(text: str, known: Collection[str]) -> str:
    """SQL: whether a value looks like a name or sentence, `known` ones in small letters aside."""

    is_name = f"({finds(text, NAME)} AND NOT {finds(text, PLACE)})"
    is_sentence = f"(length({text}) > {MAX_LENGTH} OR {finds(text, SENTENCE)})"
    is_long = f"(contains({text}, ' ') AND {is_sentence})"
    is_address = f"(contains({text}, '@') OR {finds(text, address_pattern())})"
    looks = f"({is_name} OR {is_long} OR {is_address})"
    return f"({looks} AND NOT {is_one_of(f'lower({text})', sorted(known))})" if known else looks


def may_tell(text: str, known: Collection[str]) -> bool:
    """Whether a value may be told, where it is common enough: a code, or a word of ours.

    >>> may_tell("Kollega", ()), may_tell("Test Testsson", ()), may_tell("790229-4711", ())
    (True, False, False)
    """
    if text.lower() in known:
        return True
    return len(text) <= MAX_LENGTH and not is_prose(text) and not holds_identity_number(text)
