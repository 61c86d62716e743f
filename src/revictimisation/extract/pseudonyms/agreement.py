"""Holds what `persons` says of a person against what the identity number says: sex, birth year."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from revictimisation.extract.pseudonyms.reading import RawTable
from revictimisation.extract.pseudonyms.records import as_text
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD

WOMAN, MAN = "female", "male"


def find_disagreements(people: RawTable, numbers: pd.Series) -> Iterator[dict[str, Any]]:
    """Rows whose sex or birth year is not that of their number, by column.

    `numbers`: twelve digits per row, empty where there is no valid one; such rows are not asked,
    nor those without a sex or year. Gives `column`, `n_rows`, `n_asked` and `rows`, the numbers of
    the first ten. The last but one digit is odd for men; reserve numbers tell no sex.
    """
    is_known = numbers.str.len().eq(12).to_numpy()
    told = {
        "sex": numbers.str[10].map(
            {digit: MAN if int(digit) % 2 else WOMAN for digit in "0123456789"}
        ),
        "birth_year": numbers.str[:4],
    }
    for column, expected in told.items():
        if column not in people.cells.column_names:
            continue
        given = as_text(people.cells.column(column)).to_pandas().str.lower()
        is_asked = is_known & (given.isin([WOMAN, MAN]) if column == "sex" else given.notna())
        rows = (is_asked & given.ne(expected)).to_numpy().nonzero()[0] + people.first_row
        if len(rows):
            yield {
                "column": f"{people.name}.{column}",
                "n_rows": len(rows),
                "n_asked": int(is_asked.sum()),
                "rows": rows[:MAX_ROWS_TOLD].tolist(),
            }
