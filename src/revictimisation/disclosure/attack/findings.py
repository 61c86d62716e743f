"""What an attack recovered: a row per thing that follows from what was released."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

# `place`: a file or table; `row`: what of it; `what`: how it is determined, a key of `texts.yaml`.
# `low`, `high`: the range left of a number, for checks against the truth; never printed.
COLUMNS = ("kind", "what", "place", "row", "column", "low", "high")


def make_findings(rows: Iterable[Mapping[str, Any]] | pd.DataFrame, **same: Any) -> pd.DataFrame:
    """Findings from rows that name some of the columns; `same` is put on every row."""
    given = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    frame = given.assign(**same) if len(given) else pd.DataFrame(columns=list(COLUMNS))
    for name in COLUMNS:
        if name not in frame:
            frame[name] = float("nan") if name in ("low", "high") else ""
    return frame[list(COLUMNS)].astype({"low": float, "high": float}).reset_index(drop=True)


def name_rows(frame: pd.DataFrame, keys: Iterable[str]) -> pd.Series:
    """The keys of each row in one text: what is empty is left out."""
    parts = frame[list(keys)].astype(str).replace({"<NA>": "", "nan": ""}).to_numpy()
    texts = [" · ".join(part for part in row if part) for row in parts.tolist()]
    return pd.Series(texts, index=frame.index, dtype=object)
