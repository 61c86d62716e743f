"""Which values of a column are names, sentences or notes and no codes: they are not written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from revictimisation.dictionary import Dictionary, Table
from revictimisation.extract.mapping.making import Making, Rows
from revictimisation.extract.mapping.secrecy import PLACE, prose
from revictimisation.extract.mapping.values import Cell, layer_rows
from revictimisation.extract.mapping.words import code_words, known_words
from revictimisation.extract.sources.naming import EXTRA_NAME
from revictimisation.extract.sql import finds, is_one_of

# So many different ones are listed; beyond them every value that looks like no code is one.
MOST_LISTED = 1000


@dataclass(frozen=True)
class Texts:
    """SQL that is true of a column's values that look like a name or a sentence (`prosaic`), and of
    all that are not written: those, and in an open list single values that look like no code.
    """

    prosaic: str = "false"
    unwritten: str = "false"

    def write(self, cell: Cell) -> str:
        """SQL: what the extract gets of a column."""
        return f"CASE WHEN {self.unwritten} THEN NULL ELSE {cell.written} END"


def is_for_linkage(table: Table, name: str) -> bool:
    """Whether a column is a name carried for linkage: neither the table's nor the owner's own."""
    return name not in table.field_names and EXTRA_NAME.fullmatch(name) is None


def find_texts(making: Making, rows: Rows, cells: Sequence[Cell]) -> list[Texts]:
    """What is no code, column by column.

    In an open list a value that neither the dictionary nor the mapping knows may be a new code. It
    is none if it holds a blank (names of districts aside), is longer than every code and its name,
    or has no digit where all codes are digits; unless it occurs `threshold` times, as codes do.
    """
    found = []
    for cell in cells:
        known = known_words(cell.field, making.dictionary)
        prosaic = _looks_prosaic(rows.table, cell, known)
        stray = _looks_stray(cell, making.dictionary, known)
        if stray:
            stray = _list_rare(making, rows, cell, stray)
        found.append(Texts(prosaic, f"({prosaic} OR {stray})" if stray else prosaic))
    return found


def _looks_prosaic(table: Table, one: Cell, known: Collection[str]) -> str:
    """SQL: whether a value that is written as it stands looks like a name or sentence."""
    is_text = one.is_coded or one.field.type == "string"
    if not is_text or one.is_constant or is_for_linkage(table, one.field.name):
        return "false"
    stays = one.unmapped if one.is_coded else "true"
    return f"({one.v} IS NOT NULL AND {stays} AND {prose(one.v, known)})"


def _looks_stray(one: Cell, dictionary: Dictionary, known: Collection[str]) -> str:
    """SQL: whether a value of an open list that has no place looks like no code; else empty."""
    if not one.is_coded or one.is_closed or one.unmapped == "false":
        return ""
    words = code_words(one.field, dictionary)
    signs = [f"(contains({one.v}, ' ') AND NOT {finds(one.v, PLACE)})"]
    if words:
        longest = max(len(word) for some in words.values() for word in some)
        signs.append(f"length({one.v}) > {longest}")
    if words and all(code.isdigit() for code in words):
        signs.append(f"NOT {finds(one.v, '[0-9]')}")
    is_word = is_one_of(f"lower({one.v})", sorted(known))
    return f"({one.v} IS NOT NULL AND {one.unmapped} AND NOT {is_word} AND ({' OR '.join(signs)}))"


def _list_rare(making: Making, rows: Rows, one: Cell, stray: str) -> str:
    """SQL: whether a value is one of those that look like no code and are rare; else empty."""
    asked = (
        f"SELECT {one.v} FROM {layer_rows([one], rows.staged)} WHERE {stray} GROUP BY 1"
        f" HAVING count(*) < {making.threshold} LIMIT {MOST_LISTED + 1}"
    )
    rare = [str(value) for (value,) in making.con.run(asked)]
    if len(rare) > MOST_LISTED:
        return stray
    return f"coalesce({is_one_of(one.v, rare)}, false)" if rare else ""
