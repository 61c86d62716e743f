"""The embedded engine that the table stages run on, unless another is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from revictimisation.core import files

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

SETTINGS = {"TimeZone": "'UTC'", "python_enable_replacements": "false"}


EngineFault = duckdb.Error


@dataclass(frozen=True)
class Piece:
    """Work on one core: `work(engine, done)`, `done` by name what the pieces it `needs` gave."""

    work: Callable[[Engine, Mapping[Hashable, Any]], Any]
    needs: Collection[Hashable] = ()


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

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run SQL and fetch what it gives."""
        rows: list[tuple[Any, ...]] = self.con.execute(statement).fetchall()
        return rows

    def run_pieces(self, pieces: Mapping[Any, Piece]) -> dict[Any, Any]:
        """Do pieces of work, each as soon as what it needs is done and a core is free; by name.

        Of pieces that may begin the first given goes first. Each has one core and a connection of
        its own to the same tables. That is less work in all than many cores on one piece, which
        must put its rows back in order.
        """
        n_cores = int(self.run("SELECT current_setting('threads')")[0][0])

        def do(piece: Piece, done: Mapping[Hashable, Any]) -> Any:
            with closing(self.con.cursor()) as con:
                return piece.work(Engine(con), done)

        self.con.execute("SET threads = 1")
        try:
            return run_in_order(pieces, n_cores, do)
        finally:
            self.con.execute(f"SET threads = {n_cores}")

    def list_tables(self) -> list[str]:
        """The names of all tables that were made."""
        return [str(one[0]) for one in self.run("SELECT table_name FROM duckdb_tables()")]

    def choose_reader(self, path: Path) -> Engine:
        """The engine that reads a file."""
        return self

    def take_over(self, name: str, reader: Engine) -> None:
        """Make a table that the reader has made one of this engine."""

    def disconnect(self) -> None:
        """Close the connection; what was loaded is gone."""
        self.con.close()


def run_in_order(
    pieces: Mapping[Any, Piece], n_at_once: int, do: Callable[[Piece, Mapping[Hashable, Any]], Any]
) -> dict[Any, Any]:
    """`do` pieces of work, each as soon as what it needs is done and one of `n_at_once` is free."""
    order = TopologicalSorter({name: one.needs for name, one in pieces.items()})
    order.prepare()
    done: dict[Hashable, Any] = {}
    pool = ThreadPoolExecutor(n_at_once)
    try:
        running: dict[Future[Any], Hashable] = {}
        while order.is_active():
            running |= {pool.submit(do, pieces[name], done): name for name in order.get_ready()}
            for finished in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(finished)
                done[name] = finished.result()
                order.done(name)
    finally:
        pool.shutdown(cancel_futures=True)
    return done


def connect(threads: int | None = None, memory: str | None = None) -> Engine:
    """Open an in-memory DuckDB that never reaches for the network.

    `threads` is the number of cores to use (all, if None) and `memory` a limit such as `"4GB"`.
    Results do not depend on either: stages add whole numbers only and order by key at the end.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # What does not fit in memory: never in the folder where the user happens to stand.
        "temp_directory": str(files.scratch()),
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
