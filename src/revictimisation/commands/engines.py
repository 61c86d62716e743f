"""The engine that a command was asked to run the table stages on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from revictimisation.core.engine import Engine, connect
from revictimisation.core.engine_options import SPARK, EngineOptions


@contextmanager
def open_engine(options: EngineOptions, threads: int) -> Iterator[Engine]:
    """An engine on so many cores, for as long as the block runs."""
    if options.name == SPARK:
        from revictimisation.core.spark import open_spark

        with open_spark(options, threads) as engine:
            yield engine
        return
    con = connect(threads, options.memory)
    try:
        yield con
    finally:
        con.disconnect()
