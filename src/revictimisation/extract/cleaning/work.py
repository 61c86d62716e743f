"""What the rules of cleaning work on: tables of the engine, the dictionary, the study."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from revictimisation.core.codes import TYPE_FAULTS
from revictimisation.core.engine import Engine
from revictimisation.dictionary import Dictionary, Table
from revictimisation.extract.validation.reading import LoadedTable
from revictimisation.plan import StudyPlan

Selects = dict[str, str]  # table: the SELECT that gives it cleaned
# Every cell of the row is of its type. (Bits from 32 on mark a time of day, which is no fault.)
SOUND = f"({TYPE_FAULTS} & {2**32 - 1}) = 0"


@dataclass(frozen=True)
class Work:
    """The tables as the rules before left them (`names` in the engine), and what rules go by."""

    con: Engine
    loaded: Mapping[str, LoadedTable]
    names: Mapping[str, str]
    plan: StudyPlan
    today: dt.date
    dictionary: Dictionary

    def after(self, made: Mapping[str, str]) -> Work:
        """The same after a rule has made some tables anew."""
        return replace(self, names={**self.names, **made})

    def tables(self) -> Iterator[tuple[str, Table]]:
        """The tables that were read, by name."""
        for name, one in self.loaded.items():
            if one.present:
                yield name, one.table

    def has(self, name: str, columns: Collection[str]) -> bool:
        """Whether a table was read and has all these columns."""
        return set(columns) <= set(self.loaded[name].present) and bool(columns)

    def columns(self, name: str) -> list[str]:
        """All columns of a table in the engine but the row number."""
        described = self.con.run(f"DESCRIBE SELECT * EXCLUDE (row_number) FROM {self.names[name]}")
        return [str(one[0]) for one in described]
