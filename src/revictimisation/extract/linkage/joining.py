"""Joins two agencies' tables to one extract, each linked person under one pseudonym."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from revictimisation.dictionary import Dictionary
from revictimisation.extract.linkage.records import Frames

PEOPLE = "persons"


def join_tables(
    police: Frames, social: Frames, renamed: Mapping[str, str], dictionary: Dictionary
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Put the tables below each other, the social services' people under the police's pseudonyms.

    `renamed` holds the links by probability: social pseudonym to the police's. People with the same
    number have the same pseudonym already. `persons` has one row for each person in both: the
    police's, its empty cells filled from the other. All other rows are kept as they are.

    Returns the tables in the dictionary's order, and how the rows of `persons` became one for each
    person, as the first lines of its attrition (see `attrition.add_joined`).
    """
    theirs = {name: _rename(frame, name, renamed, dictionary) for name, frame in social.items()}
    joined = {}
    for table in dictionary.tables_by_direction("in"):
        parts = [one[table.name] for one in (police, theirs) if table.name in one]
        if parts:
            joined[table.name] = pd.concat(parts, ignore_index=True).fillna("")
    joined[PEOPLE], lines = _merge_people(
        police[PEOPLE], social[PEOPLE], theirs[PEOPLE], set(joined[PEOPLE].columns)
    )
    return joined, lines


def _rename(
    frame: pd.DataFrame, name: str, renamed: Mapping[str, str], dictionary: Dictionary
) -> pd.DataFrame:
    of_people = [
        field.name for field in dictionary.tables[name].fields if field.identifies == "person"
    ]
    new = {column: frame[column].replace(renamed) for column in of_people if column in frame}
    return frame.assign(**new) if renamed else frame


def _merge_people(
    police: pd.DataFrame, before: pd.DataFrame, social: pd.DataFrame, columns: set[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    mine = set(police["person_id"])
    is_same, was_same = social["person_id"].isin(mine), before["person_id"].isin(mine)
    other = social[is_same].drop_duplicates("person_id").set_index("person_id")
    filled = police.copy()
    for name in [column for column in other.columns if column in filled]:
        found = filled["person_id"].map(other[name]).fillna("")
        filled[name] = filled[name].where(filled[name].str.strip().ne(""), found)
    people = pd.concat([filled, social[~is_same]], ignore_index=True).fillna("")
    n_number = int(was_same.sum())
    left = [
        ("in_extract", len(police) + len(social)),
        ("same_person_by_number", len(police) + len(social) - n_number),
        ("same_person_by_linkage", len(people)),
    ]
    lines = pd.DataFrame(left, columns=["reason", "n_reports"])
    dropped = -lines["n_reports"].diff().fillna(0).astype("int64")
    lines = lines.assign(step=PEOPLE, n_people=lines["n_reports"], n_dropped=dropped)
    order = ["step", "reason", "n_people", "n_reports", "n_dropped"]
    return people[[column for column in [*police.columns, *social.columns] if column in columns]
                  ].loc[:, lambda frame: ~frame.columns.duplicated()], lines[order]  # fmt: skip
