"""A fact has one number: what tables of different pages tell of the same quantity agrees.

A cell that was made of a released number carries that number's key. A key told with two values, or
the same words (row and column) over two definitions whose numbers differ, is a fault of ours, found
before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from revictimisation.core.errors import RevictimisationError
from revictimisation.core.results import KEYS
from revictimisation.report.described import Cell, Content, plain, write_plain

QUESTION, MEASURE, SUBGROUP = map(KEYS.index, ("question", "measure", "subgroup"))
USE = "q1"
CLOSE = 1e-9


@dataclass(frozen=True)
class Fact:
    """A number as a table tells it: of which key and definition, in which words, and where."""

    key: tuple[str | int, ...]
    value: float
    words: tuple[str, str]
    place: str


def list_facts(name: str, body: Content) -> Iterator[Fact]:
    """The facts that a page's tables tell, those behind figures too."""
    for table in body.tables:
        for row in table.rows:
            for head, cell in zip(table.columns[1:], row[1:], strict=False):
                if isinstance(cell, Cell) and cell.key and cell.value is not None:
                    words = write_plain(row[0]), plain(head)
                    place = f"{name}: {plain(table.caption)}"
                    yield Fact(cell.key, cell.value, words, place)


def find_contradictions(facts: Iterable[Fact]) -> list[str]:
    """Each pair of places that tell one quantity with two values.

    In the same words two definitions of who got a measure count as one quantity; of risks and
    ratios captions name outcome and method.
    """
    by_key: dict[tuple[str | int, ...], Fact] = {}
    by_words: dict[tuple[str | int, ...], Fact] = {}
    found = []
    for fact in facts:
        earlier = [by_key.setdefault(fact.key, fact)]
        if fact.key[QUESTION] == USE and not fact.key[SUBGROUP] and all(fact.words):
            earlier.append(
                by_words.setdefault((*fact.words, fact.key[MEASURE], fact.key[-1]), fact)
            )
        found += [
            f"{' / '.join(fact.words)}: {one.value:g} ({one.place}), {fact.value:g} ({fact.place})"
            for one in earlier
            if abs(one.value - fact.value) > CLOSE
        ]
    return sorted(set(found))


def check_facts(bodies: Mapping[str, Content]) -> None:
    """Raise `RevictimisationError` where pages contradict each other, with both places."""
    facts = (fact for name, body in bodies.items() for fact in list_facts(name, body))
    found = find_contradictions(facts)
    if found:
        raise RevictimisationError(
            "The pages tell one quantity with two values, which is a fault of ours:\n- "
            + "\n- ".join(found)
        )
