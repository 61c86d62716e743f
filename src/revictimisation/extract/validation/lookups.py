"""What rows are held against in other tables: people and reports, each once.

Made once for an extract, so that a row meets each of them in one join, whatever is asked there.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from revictimisation.core.engine import Engine, Piece
from revictimisation.dictionary import Table
from revictimisation.extract.sql import quote_name
from revictimisation.extract.validation.reading import LoadedTable

# What is asked of the table referred to: the earliest of each.
ASKED = {"persons": ("died_on", "birth_year"), "reports": ("reported_on",)}


@dataclass(frozen=True)
class Lookup:
    """A table of the engine with a row per key, and the facts it has beside the key."""

    name: str
    keys: tuple[str, ...]
    facts: tuple[str, ...]


Reference = tuple[str, tuple[str, ...]]  # a table and its columns that are referred to


def plan_lookups(tables: Iterable[Table]) -> dict[Reference, Piece]:
    """A piece of work for each table and key that some tables refer to.

    It needs the tables, by name, and gives a `Lookup`, or None where no row that was read refers
    to it or its columns were not read. `drop_lookups` forgets them.
    """
    referring: dict[Reference, list[tuple[str, tuple[str, ...]]]] = {}
    for table in tables:
        for key in table.foreign_keys:
            place = key.resource, key.reference_fields
            referring.setdefault(place, []).append((table.name, key.fields))
    return {place: _plan_lookup(place, by) for place, by in referring.items()}


def _plan_lookup(place: Reference, referring: Sequence[tuple[str, tuple[str, ...]]]) -> Piece:
    resource, keys = place

    def make(con: Engine, done: Mapping[Hashable, Any]) -> Lookup | None:
        is_asked = any(
            done[name].n_rows and set(fields) <= set(done[name].present)
            for name, fields in referring
        )
        one: LoadedTable = done[resource]
        return _make_lookup(con, one, keys) if is_asked and set(keys) <= set(one.present) else None

    return Piece(make, {resource, *(name for name, _ in referring)})


def _make_lookup(con: Engine, one: LoadedTable, keys: tuple[str, ...]) -> Lookup:
    facts = tuple(name for name in ASKED.get(one.table.name, ()) if name in one.present)
    name, names = f"{one.name}_by_{'_'.join(keys)}", ", ".join(map(quote_name, keys))
    least = "".join(f", min({quote_name(fact)}) AS {quote_name(fact)}" for fact in facts)
    filled = " AND ".join(f"{quote_name(key)} IS NOT NULL" for key in keys)
    con.run(
        f"CREATE OR REPLACE TABLE {name} AS SELECT {names}{least} FROM {one.name}"
        f" WHERE {filled} GROUP BY {names}",
    )
    return Lookup(name, keys, facts)


def drop_lookups(con: Engine, lookups: Iterable[Lookup]) -> None:
    """Forget them: they hold pseudonyms and dates."""
    for lookup in lookups:
        con.run(f"DROP TABLE IF EXISTS {lookup.name}")
