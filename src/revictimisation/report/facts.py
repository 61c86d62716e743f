"""A fact has one number: what tables and sentences of all pages tell of a quantity agrees.

What is made of a released number remembers which (`quantities`). A number that is written as
another than it is, one that is rounded in two ways, or the same words (row and column, or a
sentence's blank) over two definitions whose numbers differ, is a fault of ours, found before
anything is written. Numbers that are computed from several are not held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from revictimisation.core.errors import RevictimisationError
from revictimisation.core.results import KEYS
from revictimisation.report.described import Cell, Content, plain, write_plain
from revictimisation.report.quantities import NUMBER, SEPARATE, Heard, Key, Reading, read_written

QUESTION, MEASURE, SUBGROUP = map(KEYS.index, ("question", "measure", "subgroup"))
USE = "q1"
CLOSE = 1e-9
BOUNDS = ("<", ">")  # before a number that only is beyond it


@dataclass(frozen=True)
class Fact:
    """A number as it is told: of which key and definition, how written, in which words, where."""

    key: Key
    value: float
    written: str
    words: tuple[str, str]
    place: str

    @property
    def reading(self) -> Reading | None:
        """The number as it is written; None where the words hold none that it is."""
        return read_written(self.written, (self.value,))

    @property
    def is_misread(self) -> bool:
        """Whether numbers stand there, and none of them is the fact's."""
        is_bound = self.written.startswith(BOUNDS)
        return not is_bound and bool(NUMBER.search(self.written)) and self.reading is None


def list_facts(name: str, body: Content) -> Iterator[Fact]:
    """The facts that a page's tables tell, those behind figures too."""
    for table in body.tables:
        for row in table.rows:
            for head, cell in zip(table.columns[1:], row[1:], strict=False):
                if isinstance(cell, Cell):
                    words = write_plain(row[0]), plain(head)
                    place = f"{name}: {plain(table.caption)}"
                    written = SEPARATE.join([cell.told, *cell.below])
                    for one in cell.quantities:
                        yield Fact(one.key, one, written, words, place)


def list_told(name: str, heard: Iterable[Heard]) -> Iterator[Fact]:
    """The facts that a page's sentences tell."""
    for one in heard:
        quantity, words = one.quantity, (one.sentence, one.blank)
        yield Fact(quantity.key, quantity, one.told, words, f"{name}: {one.sentence}")


def find_contradictions(facts: Iterable[Fact]) -> list[str]:
    """Each number that is not what it is written as, and each pair of places that disagree.

    In the same words two definitions of who got a measure count as one quantity; of risks and
    ratios captions name outcome and method.
    """
    first: dict[tuple[object, ...], Fact] = {}
    found = []
    for fact in facts:
        if fact.is_misread:
            found.append(f"{' / '.join(fact.words)}: {fact.value:g} written as"
                         f" {fact.written!r} ({fact.place})")  # fmt: skip
        reading = fact.reading
        if reading is not None:
            way = (fact.key, reading.times, reading.decimals)
            earlier = first.setdefault(way, fact)
            if earlier.reading != reading:
                found.append(_contrast(fact, earlier, earlier.written, fact.written))
        same = [first.setdefault(fact.key, fact)]
        if fact.key[QUESTION] == USE and not fact.key[SUBGROUP] and all(fact.words):
            same.append(first.setdefault((*fact.words, fact.key[MEASURE], fact.key[-1]), fact))
        found += [
            _contrast(fact, one, f"{one.value:g}", f"{fact.value:g}")
            for one in same
            if abs(one.value - fact.value) > CLOSE
        ]
    return sorted(set(found))


def _contrast(fact: Fact, earlier: Fact, told: str, tells: str) -> str:
    words = " / ".join(fact.words)
    return f"{words}: {told} ({earlier.place}), {tells} ({fact.place})"


def check_facts(facts: Iterable[Fact]) -> None:
    """Raise `RevictimisationError` where pages contradict each other, with both places."""
    found = find_contradictions(facts)
    if found:
        raise RevictimisationError(
            "The pages tell one quantity with two values, which is a fault of ours:\n- "
            + "\n- ".join(found)
        )


def collect_facts(
    bodies: Mapping[str, Content], heard: Mapping[str, Iterable[Heard]]
) -> list[Fact]:
    """All that pages tell, by their names: in tables, and in sentences as they were heard."""
    told = [fact for name, body in bodies.items() for fact in list_facts(name, body)]
    return told + [fact for name, one in heard.items() for fact in list_told(name, one)]
