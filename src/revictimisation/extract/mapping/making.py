"""What making an extract goes by, and the rows of one place on their way into a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from revictimisation.core.engine import Engine
from revictimisation.dictionary import Dictionary, Table
from revictimisation.extract.mapping.model import Mapping
from revictimisation.extract.mapping.report import Remark
from revictimisation.extract.sources.opening import Source
from revictimisation.extract.sources.staging import Staged


@dataclass(frozen=True)
class Drafting:
    """From what a mapping is drafted; a code must occur `threshold` times to be shown."""

    con: Engine
    source: Source
    dictionary: Dictionary
    workspace: Path
    threshold: int


@dataclass(frozen=True)
class Making(Drafting):
    """From what an extract is made, where, and by which mapping."""

    mapping: Mapping


@dataclass(frozen=True)
class Rows:
    """The staged rows of one place, `title` in the source's words, and the table they go to."""

    table: Table
    title: str
    staged: Staged

    def remark(self, rule: str, severity: str, column: str = "", **more: Any) -> Remark:
        """What is to be said of them, or of one of their columns."""
        return Remark(rule, severity, self.table.name, column, self.title, **more)

    def number(self, places: Iterable[int] | None) -> tuple[int, ...]:
        """The rows' numbers at their owner's."""
        return tuple(map(self.staged.number, places or ()))
