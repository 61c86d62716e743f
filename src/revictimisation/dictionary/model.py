"""What the data dictionary says, as frozen objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from revictimisation.core.text import Text

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["error", "warning", "notice"]
FieldType = Literal["string", "integer", "number", "boolean", "date"]
Direction = Literal["in", "between", "out"]
NO_TEXT = Text()


@dataclass(frozen=True)
class Field:
    """A column: its type, unit, codes, constraints within the column, and how it is protected.

    `minimum` and `maximum` are texts as in the dictionary (`1900-01-01`, `today`, `this_year`,
    `0`). An empty cell is a fault if `is_required`, and worth a warning if `is_expected`.
    `identifies` is `person` where the cell says who somebody is: what is pseudonymised.
    """

    name: str
    type: FieldType
    label: Text
    text: Text
    unit: Text | None = None
    codes: str | None = None
    codes_where: Mapping[str, str] = field(default_factory=dict)
    is_closed: bool = False
    is_required: bool = False
    is_unique: bool = False
    is_expected: bool = False
    pattern: str | None = None
    minimum: str | None = None
    maximum: str | None = None
    sensitivity: str = "plain"
    disclosure: str = "aggregate"
    identifies: str = ""


@dataclass(frozen=True)
class ForeignKey:
    """Columns whose values must be found in another table's columns."""

    fields: tuple[str, ...]
    resource: str
    reference_fields: tuple[str, ...]
    severity: Severity


@dataclass(frozen=True)
class Rule:
    """A constraint across columns or tables; what each kind means stands in `rules.yaml`."""

    kind: str
    columns: tuple[str, ...]
    severity: Severity


@dataclass(frozen=True)
class RuleText:
    """What a rule asks, and what to do when the data break it.

    The texts may hold `{table}`, `{column}`, `{other}`, `{count}` and `{periods}`, never a value.
    """

    name: str
    label: Text
    text: Text
    repair: Text


@dataclass(frozen=True)
class StudyKey:
    """A key of the study file: what it means, an example, where its default comes from.

    `minimum` is what the data owner asks for at least; `codes` the list whose codes it holds.
    """

    text: Text = NO_TEXT
    example: Text = NO_TEXT
    source: Text = NO_TEXT
    minimum: int | None = None
    codes: str = ""


@dataclass(frozen=True)
class ExtraColumns:
    """Columns of the owner's own that a table may have, known by their prefix."""

    prefix: str | None
    text: Text
    sensitivity: str
    disclosure: str


@dataclass(frozen=True)
class Table:
    """A table that crosses a stage: what a row is, its columns, keys and rules.

    Of an extract's table `dated_by` is the column that says when a row happened, `placed_by` the
    one that says where (a district, a municipality, or a report that has one) and `delivered_by`
    who hands it out, a code of the list of that name; each empty if there is none.
    """

    name: str
    direction: Direction
    label: Text
    text: Text
    row: Text
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    rules: tuple[Rule, ...] = ()
    is_optional: bool = False
    may_be_empty: bool = True
    extra_columns: ExtraColumns | None = None
    dated_by: str = ""
    placed_by: str = ""
    delivered_by: str = ""

    @property
    def field_names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(one.name for one in self.fields)

    def field(self, name: str) -> Field:
        """The column with a name; `KeyError` if there is none."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(f"{self.name} has no column {name}")


@dataclass(frozen=True)
class CodeList:
    """A code list as in its file: the names of its columns, and its rows, all cells as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def select(self, *names: str) -> list[tuple[str, ...]]:
        """Some columns of every row.

        >>> CodeList(("code", "label"), (("a", "A"), ("b", "B"))).select("code")
        [('a',), ('b',)]
        """
        places = [self.columns.index(name) for name in names]
        return [tuple(row[place] for place in places) for row in self.rows]

    @property
    def codes(self) -> tuple[str, ...]:
        """The code of every row."""
        return tuple(code for (code,) in self.select("code"))

    @property
    def hidden(self) -> set[str]:
        """The codes that are never shown."""
        if "disclosure" not in self.columns:
            return set()
        return {code for code, kind in self.select("code", "disclosure") if kind == "never"}


@dataclass(frozen=True, eq=False)
class Dictionary:
    """All tables, code lists and rules, and the keys of the study file (`a.*.b`: any name)."""

    tables: Mapping[str, Table]
    rules: Mapping[str, RuleText]
    lists: Mapping[str, CodeList]
    study_keys: Mapping[str, StudyKey] = field(default_factory=dict)

    @cached_property
    def code_lists(self) -> Mapping[str, pd.DataFrame]:
        """Every code list as a frame, all columns as text; not to be changed."""
        import pandas as pd  # slow: checking an extract needs no frames

        return MappingProxyType(
            {
                name: pd.DataFrame([*one.rows], columns=[*one.columns], dtype=str)
                for name, one in self.lists.items()
            }
        )

    def codes(self, name: str) -> pd.DataFrame:
        """A code list, all columns as text, in the order of its file; dates are ISO, or empty.

        The frame is the caller's own copy. `KeyError` if there is no such list.
        """
        if name not in self.code_lists:
            raise KeyError(f"the data dictionary has no code list {name}")
        return self.code_lists[name].copy()

    def allowed_codes(self, column: Field) -> tuple[str, ...]:
        """The codes a column may hold, each once, in the order of the list."""
        if column.codes is None:
            return ()
        found = self.lists[column.codes].select("code", *column.codes_where)
        wanted = tuple(column.codes_where.values())
        return tuple(dict.fromkeys(code for code, *cells in found if tuple(cells) == wanted))

    def label(self, list_name: str, code: str, language: str) -> str:
        """What a code is called, in a language; a code that is in no list is its own label.

        Codes that every list may be joined by (`missing`, `other`, `unknown`) are looked up in the
        list `common`. Of several dated rows for one code the latest in the file counts.
        """
        for name in (list_name, "common"):
            if row := self._rows_by_code.get((name, code)):
                return row[f"label_{language}"]
        return code

    @cached_property
    def _rows_by_code(self) -> Mapping[tuple[str, str], Mapping[str, str]]:
        """The last row of each code of each list, its cells by the names of the columns."""
        rows = (
            (name, dict(zip(some.columns, cells, strict=True)))
            for name, some in self.lists.items()
            for cells in some.rows
        )
        return {(name, row["code"]): row for name, row in rows if "code" in row}

    def tables_by_direction(self, direction: Direction) -> tuple[Table, ...]:
        """The tables that go in, between stages, or out, in the dictionary's order."""
        return tuple(table for table in self.tables.values() if table.direction == direction)
