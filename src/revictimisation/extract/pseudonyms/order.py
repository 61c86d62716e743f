"""Rows in the order of their pseudonyms: that of the source may tell who stands in them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revictimisation.dictionary import Dictionary
from revictimisation.extract.pseudonyms.records import as_text


def sort_cells(cells: pa.Table, table: str, dictionary: Dictionary) -> pa.Table:
    """A table's rows by the pseudonyms of people, then of records, then all else; empty last."""
    order = rank_columns(cells.column_names, table, dictionary)
    if not order or not cells.num_rows:
        return cells
    texts = pa.table([as_text(cells.column(name)) for name in order], names=order)
    places = pc.sort_indices(texts, [(name, "ascending") for name in order])
    return cells.take(places).combine_chunks()


def sort_rows(rows: pd.DataFrame, table: str, dictionary: Dictionary) -> pd.DataFrame:
    """The same for a table of texts."""
    return rows.sort_values(rank_columns(rows.columns, table, dictionary), ignore_index=True)


def rank_columns(names: Iterable[str], table: str, dictionary: Dictionary) -> list[str]:
    """The columns that rows are sorted by, first those that identify people, then other ids."""
    fields = {field.name: field for field in dictionary.tables[table].fields}

    def rank(name: str) -> int:
        field = fields.get(name)
        if field is None:
            return 2
        return 0 if field.identifies == "person" else 1 if field.sensitivity == "identifier" else 2

    return sorted(names, key=rank)
