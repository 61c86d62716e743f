"""Texts of released tables: known words alone, and nothing that a spreadsheet would run."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from revictimisation.core.codes import MISSING, OTHER
from revictimisation.core.packing import LESS, pack_day
from revictimisation.core.spreadsheets import neutralise_text
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import StudyPlan

# Between the words that a level is made of: an order of measures, a difference, a range.
BETWEEN = re.compile(rf" > |{LESS}|[ :+]")
NUMBER = re.compile(r"\d{1,4}(-\d{1,4})?")  # a year, an age, days; no longer one


def neutralise(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with control characters out of its texts, and no text that is a formula.

    >>> neutralise(pd.DataFrame({"level": ["=1+1", "a\\tb", "65+"]}))["level"].tolist()
    ["'=1+1", 'a b', '65+']
    """
    out = frame.copy()
    for name in frame.columns:
        if frame[name].dtype == object or pd.api.types.is_string_dtype(frame[name]):
            told = {cell: neutralise_text(cell) for cell in frame[name].dropna().unique()}
            if any(cell != safe for cell, safe in told.items()):
                seen = [told.get(cell, cell) for cell in frame[name]]
                out[name] = pd.Series(seen, frame.index, dtype=frame[name].dtype)
    return out


def list_words(plan: StudyPlan) -> set[str]:
    """Every word that a released level or measure may be made of: codes, names of the study."""
    dictionary = load_dictionary()
    words = {MISSING, OTHER, ""}
    for rows in dictionary.lists.values():
        words |= {str(row[0]) for row in rows.select(rows.columns[0])}
    for measure in plan.measures.values():
        words |= {*measure.codes}
    for levels in plan.subgroup_levels.values():
        words |= {*levels}
    words |= {pack_day(day) for day in plan.sequential.landmarks}
    return words | {*plan.measures, *plan.for_whom.combined, *plan.subgroups}


def find_unknown(texts: pd.Series, words: Collection[str]) -> pd.Series:
    """Which texts are not made of known words and numbers: one of the extract's own, say.

    >>> find_unknown(pd.Series(["a", "b > a", "0-12", "Anna Ek"]), {"a", "b"}).tolist()
    [False, False, False, True]
    """
    known = {
        text: text in words
        or all(not part or part in words or NUMBER.fullmatch(part) for part in BETWEEN.split(text))
        for text in texts.unique()
    }
    return ~texts.map(known).astype(bool)
