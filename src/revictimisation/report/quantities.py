"""Numbers that remember which they are, from the released table to the words of a page.

A released number is a `Quantity` or a `Count`. `Formats` writes it as `Told`, and whoever listens
(`hearing`) learns which sentence told it. What is computed from one is a number like any other.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, cast

Key = tuple[str | int, ...]
SPACES, NUMBER = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3})"), re.compile(r"\d[\d,.]*(?<=\d)")
SEPARATE = " | "  # lines of a cell: digits on both sides are no one number
HUNDRED, HALF = 100, 0.50001  # half of a last decimal
Written = TypeVar("Written", bound=Callable[..., str])


class Quantity(float):
    """A released number; `key` is that of its row (`results.KEYS`) and which of the row's it is."""

    key: Key = ()


class Count(int):
    """A released number of people or events, with its key."""

    key: Key = ()


def mark(value: Any, key: Key) -> Any:
    """A number that remembers its key; None stays None.

    >>> mark(0.5, ("q1", "estimate")) + 1, mark(0.5, ("q1", "estimate")).key
    (1.5, ('q1', 'estimate'))
    """
    if value is None:
        return None
    marked = Count(value) if isinstance(value, int) else Quantity(value)
    marked.key = key
    return marked


def derive(value: float, source: Any, name: str) -> Any:
    """A number that follows from a released one alone, with its key and a name for what it is."""
    return mark(value, (*source.key, name)) if isinstance(source, Quantity | Count) else value


class Told(str):
    """What is written of released numbers, which it remembers."""

    quantities: tuple[Quantity | Count, ...] = ()


def tell(told: str, *numbers: Any) -> str:
    """The same words, with those of the numbers that are released ones."""
    found = tuple(one for one in numbers if isinstance(one, Quantity | Count))
    if not found:
        return told
    marked = Told(told)
    marked.quantities = found
    return marked


def telling(write: Written) -> Written:
    """A way to write numbers whose words remember them."""

    @functools.wraps(write)
    def written(self: Any, *args: Any, **given: Any) -> str:
        return tell(write(self, *args, **given), *args)

    return cast(Written, written)


@dataclass(frozen=True)
class Heard:
    """A released number that a sentence told: by the sentence's key, in which blank, and how."""

    sentence: str
    blank: str
    told: str
    quantity: Quantity | Count


_listening: ContextVar[list[Heard] | None] = ContextVar("heard", default=None)


@contextmanager
def hearing() -> Iterator[list[Heard]]:
    """Collect what sentences tell that are made in the `with` block."""
    heard: list[Heard] = []
    token = _listening.set(heard)
    try:
        yield heard
    finally:
        _listening.reset(token)


def hear(sentence: str, values: Mapping[str, Any]) -> None:
    """Note the released numbers among what fills a sentence's blanks, where somebody listens."""
    heard = _listening.get()
    if heard is not None:
        heard += [Heard(sentence, blank, str(value), quantity)
                  for blank, value in values.items()
                  for quantity in getattr(value, "quantities", ())]  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """A number as it is written: of the value times this, with so many decimals, rounded to."""

    times: int
    decimals: int
    rounded: float

    def is_of(self, value: float) -> bool:
        """Whether a value, rounded, is what stands there; whatever its sign."""
        return abs(abs(value) * self.times - self.rounded) <= HALF * 10.0**-self.decimals


@functools.lru_cache(maxsize=100_000)
def read_written(told: str, values: tuple[float, ...]) -> Reading | None:
    """The first number in a text that one of the values is, rounded; None where none is.

    Of what may be read in two units that counts in which more numbers are of the values.

    >>> read_written("38,8 % (av 1 250)", (0.388,))
    Reading(times=100, decimals=1, rounded=38.8)
    >>> read_written("0,0 −3,7 till +3,7", (0.0, -0.037, 0.037)).times
    100
    """
    found = [one for one in list_readings(told) if any(map(one.is_of, values))]
    units = Counter(one.times for one in found)
    return max(found, key=lambda one: units[one.times], default=None)


@functools.lru_cache(maxsize=100_000)
def list_readings(told: str) -> tuple[Reading, ...]:
    """Every number in a text, with a comma or a point before decimals, of a value or of a share."""
    found = []
    for number in NUMBER.findall(SPACES.sub("", told)):
        for digits in dict.fromkeys((number.replace(",", "."), number.replace(",", ""))):
            if digits.count(".") <= 1:
                decimals = len(digits.partition(".")[2])
                found += [Reading(times, decimals, float(digits)) for times in (1, HUNDRED)]
    return tuple(found)
