"""Which engine the table stages run on, and what it may use; results are the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DUCKDB, SPARK = "duckdb", "spark"


@dataclass(frozen=True)
class EngineOptions:
    """Where the table stages run.

    `memory` is what the engine may use, such as `"4GB"` (None: four fifths of the machine's); what
    does not fit is put on the disk meanwhile. `master` is the address of a Spark cluster (None:
    this machine's cores), `shared` a folder that all its machines see.
    """

    name: str = DUCKDB
    memory: str | None = None
    master: str | None = None
    shared: Path | None = None


EMBEDDED = EngineOptions()
