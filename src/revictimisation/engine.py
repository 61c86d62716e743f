"""The embedded engine that the table stages run on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

SETTINGS = {"TimeZone": "'UTC'", "python_enable_replacements": "false"}


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
        con.execute(f"SET {name} = {value}")
    return Engine(con)


def days_since(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    """Whole days from one date to another; negative when the first lies before."""
    return later.delta(earlier, unit="day").cast("int32")
