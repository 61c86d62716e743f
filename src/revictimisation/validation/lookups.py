"""What rows are held against in other tables: people and reports, each once.

Made once for an extract, so that a row meets each of them in one join, whatever is asked there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from revictimisation.validation.columns import quote_name
from revictimisation.validation.reading import LoadedTable, run

if TYPE_CHECKING:
    from revictimisation.engine import Engine

# What is asked of the table referred to: the earliest of each.
ASKED = {"persons": ("died_on", "birth_year"), "reports": ("reported_on",)}


@dataclass(frozen=True)
class Lookup:
    """A table of the engine with a row per key, and the facts it has beside the key."""

    name: str
    keys: tuple[str, ...]
    facts: tuple[str, ...]


Lookups = Mapping[tuple[str, tuple[str, ...]], Lookup]


def make_lookups(
    con: Engine, loaded: Mapping[str, LoadedTable], referring: Iterable[LoadedTable]
) -> Lookups:
    """Make a lookup for each table and key that some tables refer to, by table and key.

    Only of tables and columns that were read. `drop_lookups` forgets them.
    """
    wanted = dict.fromkeys(
        (key.resource, key.reference_fields)
        for one in referring
        for key in one.table.foreign_keys
        if set(key.fields) <= set(one.present)
    )
    made = [(name, keys) for name, keys in wanted if set(keys) <= set(loaded[name].present)]
    found = con.spread(lambda engine, one: _make_lookup(engine, loaded[one[0]], one[1]), made)
    return dict(zip(made, found, strict=True))


def _make_lookup(con: Engine, one: LoadedTable, keys: tuple[str, ...]) -> Lookup:
    facts = tuple(name for name in ASKED.get(one.table.name, ()) if name in one.present)
    name, names = f"{one.name}_by_{'_'.join(keys)}", ", ".join(map(quote_name, keys))
    least = "".join(f", min({quote_name(fact)}) AS {quote_name(fact)}" for fact in facts)
    filled = " AND ".join(f"{quote_name(key)} IS NOT NULL" for key in keys)
    run(
        con,
        f"CREATE OR REPLACE TABLE {name} AS SELECT {names}{least} FROM {one.name}"
        f" WHERE {filled} GROUP BY {names}",
    )
    return Lookup(name, keys, facts)


def drop_lookups(con: Engine, lookups: Iterable[Lookup]) -> None:
    """Forget them: they hold pseudonyms and dates."""
    for one in lookups:
        run(con, f"DROP TABLE IF EXISTS {one.name}")
