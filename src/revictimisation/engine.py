"""The embedded engine that the table stages run on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import duckdb

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

SETTINGS = {"TimeZone": "'UTC'", "python_enable_replacements": "false"}
Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Engine:
    """A DuckDB of our own: `con` runs SQL, `backend` is the same for expressions of ibis.

    Checking an extract needs SQL only, and ibis takes longer to import than a small extract to
    check; so it is imported when the first expression is asked for.
    """

    con: duckdb.DuckDBPyConnection

    @cached_property
    def backend(self) -> Backend:
        """The connection as ibis knows it."""
        import ibis

        return ibis.duckdb.from_connection(self.con)

    def spread(self, work: Callable[[Engine, Item], Made], items: Iterable[Item]) -> list[Made]:
        """Do one piece of work per item, as many at a time as there are cores; in their order.

        Each piece has one core and a connection of its own to the same tables. That is less work
        in all than many cores on one piece, which must put its rows back in order.
        """
        n_cores = int(self.con.execute("SELECT current_setting('threads')").fetchall()[0][0])
        if n_cores == 1:
            return [work(self, one) for one in items]

        def do(one: Item) -> Made:
            with closing(self.con.cursor()) as con:
                return work(Engine(con), one)

        self.con.execute("SET threads = 1")
        try:
            with ThreadPoolExecutor(n_cores) as pool:
                return list(pool.map(do, items))
        finally:
            self.con.execute(f"SET threads = {n_cores}")

    def disconnect(self) -> None:
        """Close the connection; what was loaded is gone."""
        self.con.close()


def connect(threads: int | None = None, memory: str | None = None) -> Engine:
    """Open an in-memory DuckDB that never reaches for the network.

    `threads` is the number of cores to use (all, if None) and `memory` a limit such as `"4GB"`.
    Results do not depend on either: stages add whole numbers only and order by key at the end.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    if memory is not None:
        config["memory_limit"] = memory
    con = duckdb.connect(":memory:", config=config)
    for name, value in SETTINGS.items():
        con.execute(f"SET GLOBAL {name} = {value}")
    return Engine(con)


def days_since(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    """Whole days from one date to another; negative when the first lies before."""
    return later.delta(earlier, unit="day").cast("int32")
