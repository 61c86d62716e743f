"""The table stages on Apache Spark: on this machine's cores or on a cluster, by its address.

Nothing of the stages is written anew here: their expressions are ibis's, which speaks Spark, and
their SQL is translated (`spark_sql`). Numbers are those of the embedded engine, as stages add whole
numbers only and order by key at the end. Files that are no Parquet are read by the embedded engine.
"""

from __future__ import annotations

import itertools
import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlglot.expressions as exp

from revictimisation.core import files
from revictimisation.core.engine import Engine, EngineFault, Piece, connect, run_in_order
from revictimisation.core.engine_options import EngineOptions
from revictimisation.core.errors import UsageError
from revictimisation.core.spark_sql import PLACE, parse, translate

if TYPE_CHECKING:
    import ibis.expr.types as ir

LEAST_JAVA = "17"
SETTINGS = {
    "spark.app.name": "revictimisation",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
}
# What Spark calls its types, as the embedded engine does.
TYPES = {
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "bigint": "BIGINT",
    "int": "INTEGER",
    "smallint": "SMALLINT",
    "tinyint": "TINYINT",
    "double": "DOUBLE",
    "float": "FLOAT",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
}
_numbers = itertools.count()
AT_ONCE = 4  # pieces of work that wait for Spark at the same time


class SparkFault(EngineFault):
    """Spark could not do what it was asked for; its own words may quote the data."""


@dataclass(frozen=True, eq=False)
class SparkEngine(Engine):
    """An engine that runs on a session of Spark, where its tables are views.

    `con` is the embedded one beside it, `folder` where executors are handed what that has read.
    """

    session: Any
    folder: Path
    tables: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def backend(self) -> Any:
        """The session as ibis knows it."""
        from ibis.backends.pyspark import Backend

        class Registering(Backend):  # type: ignore[misc]  # ibis has no types
            """Keeps a table's rows and forgets its plan, which else grows with all before it."""

            def _create_cached_table(self, name: str, expr: ir.Table) -> ir.Table:
                self._run_pre_execute_hooks(expr)
                frame = self._session.sql(self.compile(expr)).localCheckpoint()
                frame.createTempView(name)
                self._cached_dataframes[name] = frame
                return self.table(name)

        return Registering().connect(self.session)

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run SQL of the embedded engine and fetch what it gives."""
        with _faults():
            return self._run(statement)

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        parsed = parse(statement)
        if isinstance(parsed, exp.Drop):
            self._forget(parsed.this.name)
            return []
        if isinstance(parsed, exp.Describe):
            frame = self._ask(parsed.this)
            return [(name, TYPES.get(kind, kind.upper())) for name, kind in frame.dtypes
                    if name != PLACE]  # fmt: skip
        if isinstance(parsed, exp.Create) and isinstance(parsed.this, exp.Schema):
            self._make_empty(parsed.this)
            return []
        if isinstance(parsed, exp.Create):
            frame = self._ask(parsed.expression)
            self._keep(parsed.this.name, frame, is_kept=parsed.kind == "TABLE")
            return []
        return [tuple(row) for row in self._ask(parsed).collect()]

    def run_pieces(self, pieces: Mapping[Any, Piece]) -> dict[Any, Any]:
        """Do pieces of work, each as soon as what it needs is done; by name."""
        return run_in_order(pieces, AT_ONCE, lambda piece, done: piece.work(self, done))

    def list_tables(self) -> list[str]:
        """The names of all tables that were made."""
        return [*self.tables]

    def choose_reader(self, path: Path) -> Engine:
        """The engine that reads a file: Spark itself reads Parquet."""
        return self if path.suffix.lower() == ".parquet" else Engine(self.con)

    def take_over(self, name: str, reader: Engine) -> None:
        """Make a table of the embedded engine one of Spark's, under the same name."""
        if reader is self:
            return
        target = self.folder / f"{name}.parquet"
        reader.run(f"COPY (SELECT * FROM {name}) TO '{target}' (FORMAT parquet)")
        self._keep(name, self.session.read.parquet(str(target)), is_kept=False)

    def disconnect(self) -> None:
        """End the session; what was loaded is gone."""
        self.session.stop()
        super().disconnect()

    def _columns(self, name: str) -> list[str]:
        return [column for column in self.tables[name].columns if column != PLACE]

    def _ask(self, query: exp.Expression) -> Any:
        """A query as a frame of Spark."""
        asked = query.copy()
        for table in [*asked.find_all(exp.Table)]:
            if isinstance(table.this, exp.ReadParquet):
                name = self._show_file(table.this.expressions[0].this)
                table.replace(exp.to_table(name))
                for select in asked.find_all(exp.Select):
                    select.select(exp.column(PLACE), copy=False)
        return self.session.sql(translate(asked, self._columns))

    def _show_file(self, pattern: str) -> str:
        """A Parquet file as a view, the place of each row with it."""
        path = re.sub(r"\[(.)\]", r"\1", pattern)  # as `quote_path` shows the engine no pattern
        name = f"file_{next(_numbers)}"
        frame = self.session.read.parquet(re.sub(r"([\[\]{}*?\\])", r"\\\1", path))
        nanos = _list_nanoseconds(path)
        shown = [_show_column(column, column in nanos) for column in frame.columns]
        place = f"_metadata.row_index AS `{PLACE}`"
        self._keep(name, frame.selectExpr(*shown, place), is_kept=False)
        return name

    def _make_empty(self, schema: exp.Schema) -> None:
        columns = [f"{one.sql('spark', identify=True)}" for one in schema.expressions]
        typed = ", ".join([*columns, f"`{PLACE}` BIGINT"])
        self._keep(schema.this.name, self.session.createDataFrame([], typed), is_kept=False)

    def _keep(self, name: str, frame: Any, *, is_kept: bool) -> None:
        """Name a frame; one that `is_kept` is computed once, and lies in memory or on disk."""
        self.tables[name] = frame.localCheckpoint() if is_kept else frame
        self.tables[name].createOrReplaceTempView(name)

    def _forget(self, name: str) -> None:
        if name in self.tables:
            self.session.catalog.dropTempView(name)
            del self.tables[name]


def _show_column(name: str, is_nanoseconds: bool) -> str:
    """A column of a file; moments to the nanosecond, read as whole numbers, to the microsecond."""
    quoted = f"`{name.replace('`', '``')}`"
    moment = f"timestamp_micros({quoted} div 1000)"
    return f"{moment} AS {quoted}" if is_nanoseconds else quoted


def _list_nanoseconds(path: str) -> set[str]:
    """The columns of a Parquet file with moments to the nanosecond, which Spark has no type for."""
    import pyarrow
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
    except (pyarrow.ArrowException, OSError) as fault:
        raise SparkFault("no Parquet") from fault
    return {one.name for one in schema if str(one.type).startswith("timestamp[ns")}


@contextmanager
def _faults() -> Iterator[None]:
    """Spark's own faults as one of ours."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JJavaError) as fault:
        raise SparkFault(str(fault)) from fault


@contextmanager
def open_spark(options: EngineOptions, threads: int) -> Iterator[SparkEngine]:
    """A Spark for as long as the block runs: on `options.master`, else on `threads` cores here.

    What executors are handed lies where all can read it (`options.shared`, else this machine's
    temporary files), in a folder that no other user can read and that is gone at the end. Raises
    `UsageError` where PySpark or Java is missing, or the cluster does not answer.
    """
    with files.private_folder(options.shared) as folder:
        session = _start(options, threads)
        engine = SparkEngine(connect(threads, options.memory).con, session, Path(folder))
        try:
            yield engine
        finally:
            engine.disconnect()


def _start(options: EngineOptions, threads: int) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError(
            "--engine spark behöver PySpark 4: installera revictimisation[spark]. / It needs"
            " PySpark 4: install revictimisation[spark]."
        ) from None
    if shutil.which("java") is None:
        raise UsageError(
            f"--engine spark behöver Java {LEAST_JAVA} eller nyare (Debian: apt-get install"
            f" default-jre-headless). / It needs Java {LEAST_JAVA} or later."
        )
    master = options.master or f"local[{threads}]"
    builder = SparkSession.builder.master(master)
    for key, value in _settings(options, threads).items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
    except Exception as fault:
        raise UsageError(
            f"Spark svarar inte på {master} ({type(fault).__name__}). / Spark does not answer there"
        ) from None
    session.sparkContext.setLogLevel("OFF")  # its words may quote the data
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(name).disabled = True
    return session


def _settings(options: EngineOptions, threads: int) -> dict[str, str]:
    """Ours, the memory of driver and executors where it was said, and what fits these cores."""
    memory = _name_memory(options.memory) if options.memory else None
    limits = {f"spark.{one}.memory": memory for one in ("driver", "executor") if memory}
    if options.master is not None:
        return {**SETTINGS, **limits}
    here = {
        "spark.local.dir": str(files.scratch()),
        "spark.sql.shuffle.partitions": str(4 * threads),
    }
    return {**SETTINGS, **limits, **here}


def _name_memory(text: str) -> str:
    """An amount of memory as Java writes it.

    >>> _name_memory("4GB"), _name_memory("800 MB")
    ('4g', '800m')
    """
    return text.replace(" ", "").lower().removesuffix("b")
