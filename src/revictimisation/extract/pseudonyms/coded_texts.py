"""Cells with blanks in columns of codes: a note or a name may stand there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow.compute as pc

from revictimisation.dictionary import Dictionary
from revictimisation.extract.pseudonyms.reading import RawTable
from revictimisation.extract.pseudonyms.records import as_text
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD


def find_coded_texts(
    tables: Mapping[str, RawTable], dictionary: Dictionary
) -> Iterator[dict[str, Any]]:
    """Columns of codes with cells that hold a blank: `column`, `n_cells`, and the first `rows`.

    No code of the dictionary has one. Rows are numbered as in the file; values are never told.
    """
    for name, raw in tables.items():
        known = dictionary.tables.get(name)
        for field in known.fields if known else ():
            if not field.codes or field.name not in raw.cells.column_names:
                continue
            texts = as_text(raw.cells.column(field.name))
            has_blank = pc.fill_null(pc.match_substring_regex(texts, r"\S\s+\S"), False)
            (places,) = np.nonzero(has_blank.to_numpy())
            if len(places):
                rows = (places[:MAX_ROWS_TOLD] + raw.first_row).tolist()
                yield {"column": f"{name}.{field.name}", "n_cells": len(places), "rows": rows}
