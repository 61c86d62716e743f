"""The embedded engine that the table stages run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend


def connect(threads: int | None = None, memory: str | None = None) -> Backend:
    """Open an in-memory DuckDB that never reaches for the network.

    `threads` is the number of cores to use (all, if None) and `memory` a limit such as `"4GB"`.
    Results do not depend on either: stages add whole numbers only and order by key at the end.
    """
    import ibis

    config: dict[str, object] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    if memory is not None:
        config["memory_limit"] = memory
    return ibis.duckdb.connect(**config)


def days_since(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    """Whole days from one date to another; negative when the first lies before."""
    return later.delta(earlier, unit="day").cast("int32")
