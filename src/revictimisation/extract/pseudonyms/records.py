"""Case numbers and other identifiers of rows to keyed ones, the same in every table.

Who may look up a case number would else find the person behind a pseudonym.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from revictimisation.extract.pseudonyms.keys import StudyKey
from revictimisation.extract.sources.staging import write_numbers

RECORD_PREFIX = "i"


def key_records(cells: pa.Table, columns: Collection[str], key: StudyKey, source: str) -> pa.Table:
    """Replace every filled cell of `columns` by a keyed one; an empty cell stays empty.

    Columns of one name (`report_id`) are one kind of identifier: the same text becomes the same in
    all tables, so that references hold. Other kinds, and other agencies (`source`), have keys of
    their own: running numbers of two agencies never meet.
    """
    for column in columns:
        texts = as_text(cells.column(column))
        distinct = pc.unique(texts).drop_null()
        purpose = f"record\x1f{column}\x1f{source}"
        made = pa.array(key.make_pseudonyms(purpose, distinct.to_pylist(), RECORD_PREFIX))
        places = pc.index_in(texts, value_set=distinct).combine_chunks()
        at = cells.column_names.index(column)
        cells = cells.set_column(at, column, made.cast(pa.string()).take(places))
    return cells


def as_text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as trimmed text; an empty one is null. A whole decimal number is a whole number."""
    if pa.types.is_floating(cells.type):
        return write_numbers(cells)
    text = pc.utf8_trim_whitespace(pc.cast(cells, pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
