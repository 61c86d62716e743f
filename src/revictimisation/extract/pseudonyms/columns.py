"""Which columns go on, which are replaced, dropped or refused: nothing unknown leaves by default.

What a name, an address, a free text looks like stands in the dictionary's list `refused_columns`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revictimisation.core.errors import DataError, UsageError
from revictimisation.dictionary import Dictionary
from revictimisation.dictionary.model import Table
from revictimisation.extract.identity_numbers import PERSON, parse_numbers
from revictimisation.extract.pseudonyms.number_parts import holds_parts
from revictimisation.extract.pseudonyms.reading import RawTable
from revictimisation.extract.sources.naming import SHOWN_NAME

Action = Literal["keep", "replace", "key", "encode", "drop", "refuse"]
NUMBERS, NUMBER_PART = "identity_number", "number_part"
# A key of a register may by chance look like an identity number; a column of them does not.
LEAST_SHARE_OF_KEYS = 0.5


@dataclass(frozen=True)
class ColumnChoice:
    """What becomes of a column; `reason` is a code of `refused_columns` where it is refused."""

    table: str
    column: str
    action: Action
    reason: str = ""

    @property
    def shown(self) -> str:
        """The column's name as it may be told: a name that is no word might be data."""
        name = self.column if SHOWN_NAME.fullmatch(self.column) else "?"
        return f"{self.table}.{name}"


def choose_columns(
    tables: Mapping[str, RawTable],
    dictionary: Dictionary,
    today: dt.date,
    excluded: Collection[str] = (),
    has_linkage_fields: bool = False,
) -> list[ColumnChoice]:
    """Say what becomes of every column; `DataError` with all those that are refused at once.

    `excluded` names columns to leave out, as `table.column` or `column`. Columns that the
    dictionary marks as identifying a person are replaced, its other identifiers (case numbers and
    the like) keyed, the rest of its columns kept, as are the owner's own (`x_...`) that look
    harmless; everything else is dropped, or refused where its name or its
    cells look like names, addresses, contacts, free text or identity numbers, or where they are
    parts of the identity number in their row. With linkage fields
    the names in `persons` are encoded.
    """
    choices = [
        _choose(table, column, dictionary, today, excluded, has_linkage_fields)
        for table in tables.values()
        for column in table.cells.column_names
    ]
    _check_excluded(excluded, choices)
    refused = [choice for choice in choices if choice.action == "refuse"]
    if refused:
        raise DataError(_describe_refused(refused, dictionary))
    return choices


def _choose(
    raw: RawTable,
    column: str,
    dictionary: Dictionary,
    today: dt.date,
    excluded: Collection[str],
    has_linkage_fields: bool,
) -> ColumnChoice:
    table = dictionary.tables[raw.name]
    if {column, f"{raw.name}.{column}"} & set(excluded):
        return ColumnChoice(raw.name, column, "drop", "excluded")
    if column in table.field_names:
        field = table.field(column)
        if field.identifies == "person":
            return ColumnChoice(raw.name, column, "replace")
        if field.sensitivity != "identifier":
            return ColumnChoice(raw.name, column, "keep")
        is_leak = _holds_numbers(raw.cells.column(column), today)
        return ColumnChoice(raw.name, column, "refuse" if is_leak else "key", NUMBERS * is_leak)
    if has_linkage_fields and raw.name == "persons" and find_name_part(column, dictionary):
        return ColumnChoice(raw.name, column, "encode")
    rules = dictionary.codes("refused_columns")
    reason = _find_refusal(column, raw.cells.column(column), rules)
    if not reason and _is_own(table, column) and _holds_parts(raw, table, column, rules, today):
        reason = NUMBER_PART
    if reason:
        return ColumnChoice(raw.name, column, "refuse", reason)
    return ColumnChoice(raw.name, column, "keep" if _is_own(table, column) else "drop", "unknown")


def _holds_parts(
    raw: RawTable, table: Table, column: str, rules: pd.DataFrame, today: dt.date
) -> bool:
    people = {field.name for field in table.fields if field.identifies == "person"}
    numbers = [raw.cells.column(name) for name in raw.cells.column_names if name in people]
    (least_share,) = rules.loc[rules["code"].eq(NUMBER_PART), "least_share"].astype(float)
    return holds_parts(raw.cells.column(column), numbers, today, least_share)


def find_name_part(column: str, dictionary: Dictionary) -> str | None:
    """Which part of a name a column holds (`given_name`, `family_name`), by its own name."""
    for code, pattern in dictionary.codes("linkage_columns")[["code", "name_pattern"]].values:
        if re.search(pattern, column):
            return str(code)
    return None


def _is_own(table: Table, column: str) -> bool:
    extra = table.extra_columns
    return bool(extra and extra.prefix and column.startswith(extra.prefix))


def _find_refusal(column: str, cells: pa.ChunkedArray, rules: pd.DataFrame) -> str:
    """The first rule that the column's name or enough of its cells fall under; else empty."""
    texts = _texts(cells)
    names = dict(zip(rules["code"], rules["name_pattern"], strict=True))
    for code, pattern in names.items():
        if re.search(pattern, column):
            return str(code)
    columns = (rules["code"], rules["content_pattern"], rules["least_share"].astype(float))
    for code, pattern, least_share in zip(*columns, strict=True):
        if pattern and len(texts) and _share(texts, pattern) > least_share:
            return str(code)
    return ""


def _texts(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells that hold something, as text; none of a column of decimals or truths."""
    if pa.types.is_floating(cells.type) or pa.types.is_boolean(cells.type):
        return pa.chunked_array([], pa.string())
    texts = pc.utf8_trim_whitespace(pc.cast(cells, pa.string()))
    return texts.filter(pc.fill_null(pc.not_equal(texts, ""), False))


def _share(texts: pa.ChunkedArray, pattern: str) -> float:
    return float(pc.mean(pc.cast(pc.match_substring_regex(texts, pattern), pa.float64())).as_py())


def _holds_numbers(cells: pa.ChunkedArray, today: dt.date) -> bool:
    texts = _texts(cells)
    if not len(texts):
        return False
    found = parse_numbers(texts.combine_chunks(), today)
    return bool(found["status"].isin(PERSON).mean() >= LEAST_SHARE_OF_KEYS)


def _check_excluded(excluded: Collection[str], choices: Collection[ColumnChoice]) -> None:
    there = {
        name for choice in choices for name in (choice.column, f"{choice.table}.{choice.column}")
    }
    missing = sorted(set(excluded) - there)
    if missing:
        raise UsageError(
            f"--exclude: {', '.join(missing)} finns inte i någon tabell. / No table has it."
        )


def _describe_refused(refused: list[ColumnChoice], dictionary: Dictionary) -> str:
    lines = [
        "Inget skrevs: uttaget har kolumner som kan peka ut människor. Lämna bort dem vid källan, "
        "eller med --exclude TABELL.KOLUMN.",
        "Nothing was written: the extract has columns that may tell who people are. Leave them out "
        "at the source, or by --exclude TABLE.COLUMN.",
    ]
    for one in refused:
        sv, en = (dictionary.label("refused_columns", one.reason, x) for x in ("sv", "en"))
        lines.append(f"  {one.shown}: ser ut som {sv} / looks like {en}")
    return "\n".join(lines)
