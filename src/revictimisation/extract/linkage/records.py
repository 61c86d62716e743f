"""What one agency knows of each person that may be shared for linkage; a row per person."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from revictimisation.dictionary import Dictionary

FIELDS = ("birth_year", "sex", "municipality_code")
CODES = ("given_name_code", "family_name_code")
SUSPECT = "suspect_id"
NEW_IDENTITY = "new_identity"
NUMBER_PREFIX, FAULTY_PREFIX = "p", "w"

Frames = Mapping[str, pd.DataFrame]


def make_records(tables: Frames, dictionary: Dictionary) -> pd.DataFrame:
    """The people helped by an agency, from its pseudonymised tables of text; suspects are not.

    A row per person, sorted: `unique_id` (pseudonym), `FIELDS`, `CODES` (missing ones None),
    `contact_days` (days since 1970-01-01 of its reports, decisions and assessments, sorted),
    `has_number` (the pseudonym was made of a valid number), `is_hidden` (a new identity, which must
    not be linked) and `is_listed` (in the agency's `persons`).
    """
    contacts = list_contacts(tables, dictionary)
    people = tables["persons"].drop_duplicates("person_id").set_index("person_id")
    ids = pd.Index(sorted(set(contacts.index) - {""}), name="unique_id")
    known = people.reindex(ids)
    records = pd.DataFrame(index=ids)
    year = known.get("birth_year", pd.Series(None, index=ids, dtype=object))
    records["birth_year"] = pd.to_numeric(year, errors="coerce").round().astype("Int64")
    for name in FIELDS[1:]:
        text = known[name].str.strip().str.lower() if name in known else None
        records[name] = _without_blanks(text, ids)
    codes = tables.get("linkage_fields", pd.DataFrame(columns=["person_id", *CODES]))
    codes = codes.drop_duplicates("person_id").set_index("person_id").reindex(ids)
    for name in CODES:
        records[name] = _without_blanks(codes[name], ids)
    records["contact_days"] = contacts.reindex(ids)
    records["has_number"] = ids.str.startswith(NUMBER_PREFIX)
    protected = known.get("protected_identity", pd.Series("", index=ids))
    records["is_hidden"] = protected.fillna("").str.strip().str.lower().eq(NEW_IDENTITY)
    records["is_listed"] = ids.isin(people.index)
    return records.reset_index()


def _without_blanks(text: pd.Series | None, index: pd.Index) -> pd.Series:
    if text is None:
        return pd.Series(None, index=index, dtype=object)
    is_told = text.notna() & ~text.isin(["", "unknown"])
    kept = [one if told else None for one, told in zip(text, is_told, strict=True)]
    return pd.Series(kept, index=index, dtype=object)


def list_contacts(tables: Frames, dictionary: Dictionary) -> pd.Series:
    """The days of contact of each person helped, as sorted lists, by person; may be empty.

    The day is the first date column of each table: reported, assessed, decided, contacted.
    """
    parts = []
    for name, frame in tables.items():
        table = dictionary.tables[name]
        people = [field.name for field in table.fields
                  if field.identifies == "person" and field.name != SUSPECT]  # fmt: skip
        days = [field.name for field in table.fields if field.type == "date"]
        if name == "persons" or not people or people[0] not in frame:
            continue
        day = frame[days[0]] if days[0] in frame else pd.Series("", index=frame.index)
        parts.append(pd.DataFrame({"person_id": frame[people[0]], "day": count_days(day)}))
    if not parts:
        return pd.Series(dtype=object)
    whole = pd.concat(parts, ignore_index=True).drop_duplicates()
    by_person = whole.sort_values("day").groupby("person_id")["day"]
    return by_person.agg(lambda days: [int(day) for day in days.dropna()])


def count_days(texts: pd.Series) -> pd.Series:
    """Days since 1970-01-01 of texts as 2013-04-27 or 20130427; missing where they are neither."""
    compact = texts.astype("string").str.strip().str.slice(0, 10).str.replace("-", "", regex=False)
    found = pd.to_datetime(compact, format="%Y%m%d", errors="coerce")
    return (found - pd.Timestamp(1970, 1, 1)).dt.days
