"""Who is linked and who is missing, by agency, year, municipality group, age, sex and honour."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revictimisation.core.places import pool_single_places
from revictimisation.dictionary import Dictionary
from revictimisation.extract.linkage.linking import PROBABLE, Links
from revictimisation.extract.linkage.records import Frames

AGENCIES = ("police", "social_services")
# What became of a person of the agency: each has one of these statuses.
BY_NUMBER, BY_PROBABILITY, UNLINKED, NO_NUMBER = STATUSES = (
    "linked_by_number",
    "linked_by_probability",
    "unlinked_with_number",
    "no_number_unlinked",
)
STATUS, LINKED = "link_status", "linked"
SUBGROUPS = ("index_year", "municipality_group", "municipality_code", "age_group", "sex",
             "is_honour")  # fmt: skip
COUNTS = ("agency", "subgroup", "level", "outcome", "n_people", "n_events")


def count_link_status(
    records: Mapping[str, pd.DataFrame], tables: Mapping[str, Frames], links: Links,
    dictionary: Dictionary,
) -> pd.DataFrame:  # fmt: skip
    """How many of each agency's people (`n_people`) were linked and were not (`n_events`).

    A row per agency and status (`subgroup` `link_status`, `level` one of `STATUSES`), and per level
    of each of `SUBGROUPS` for those linked at all (`outcome` `linked`) and those neither linked nor
    with a valid number (`no_number_unlinked`), who may be known to the other agency. The others who
    are not linked have a number that the other agency does not know: mostly no fault.
    """
    sides = dict(zip(AGENCIES, ("police_id", "social_id"), strict=True))
    rows: list[tuple[object, ...]] = []
    for agency, side in sides.items():
        people = group_people(records[agency], tables[agency], dictionary)
        kinds = links.table.drop_duplicates(side).set_index(side)["kind"]
        link_status = find_link_status(people, kinds)
        n_all = len(people)
        rows += [
            (agency, STATUS, one, "", n_all, int(link_status.eq(one).sum())) for one in STATUSES
        ]
        told = {
            LINKED: link_status.isin((BY_NUMBER, BY_PROBABILITY)),
            NO_NUMBER: link_status.eq(NO_NUMBER),
        }
        for subgroup in SUBGROUPS:
            for level, group in people.groupby(subgroup):
                rows += [
                    (agency, subgroup, str(level), name, len(group), int(is_it[group.index].sum()))
                    for name, is_it in told.items()
                ]
    return pd.DataFrame(rows, columns=list(COUNTS))


def find_link_status(people: pd.DataFrame, kinds: pd.Series) -> pd.Series:
    """What became of each person; `kinds`: the kind of link by the agency's pseudonym."""
    kind = people["unique_id"].map(kinds)
    choices = [kind.eq(PROBABLE), kind.notna(), people["has_number"]]
    link_status = np.select(choices, [BY_PROBABILITY, BY_NUMBER, UNLINKED], NO_NUMBER)
    return pd.Series(link_status, index=people.index)


def group_people(records: pd.DataFrame, tables: Frames, dictionary: Dictionary) -> pd.DataFrame:
    """The records with the groups they belong to; `missing` where a group is not known.

    `index_year` is the year of the first contact, from which age and municipality group are told.
    """
    first = records["contact_days"].map(
        lambda days: min(days) if isinstance(days, list) and days else None
    )
    day = pd.to_datetime(pd.to_numeric(first), unit="D")
    year = day.dt.year
    groups = _municipality_groups(records["municipality_code"], day, dictionary)
    out = records.assign(
        index_year=year.map(lambda one: str(int(one)), na_action="ignore").fillna("missing"),
        age_group=_age_groups(year - records["birth_year"].astype("Float64"), dictionary),
        municipality_group=pool_single_places(groups, records["municipality_code"]),
        municipality_code=_municipalities(records["municipality_code"], dictionary),
        sex=records["sex"].fillna("missing"),
        is_honour=_honour(records["unique_id"], tables),
    )
    return out


def _age_groups(ages: pd.Series, dictionary: Dictionary) -> pd.Series:
    groups = dictionary.codes("age_group")
    firsts = groups["from_age"].astype(int).to_numpy()
    numbers = ages.astype("float64").to_numpy()
    places = np.searchsorted(firsts, np.nan_to_num(numbers, nan=0.0), side="right") - 1
    named = groups["code"].to_numpy()[np.maximum(places, 0)]
    return pd.Series(np.where(np.isnan(numbers), "missing", named), index=ages.index)


def _municipalities(codes: pd.Series, dictionary: Dictionary) -> pd.Series:
    known = codes.isna() | codes.isin(dictionary.codes("municipalities")["code"])
    return codes.where(known, "other").fillna("missing")


def _municipality_groups(codes: pd.Series, days: pd.Series, dictionary: Dictionary) -> pd.Series:
    groups = dictionary.codes("skr_groups")
    starts = pd.to_datetime(groups["valid_from_on"].replace("", None)).fillna(pd.Timestamp.min)
    groups = groups.assign(start=starts.astype("datetime64[ns]"))
    asked = pd.DataFrame({"municipality_code": codes, "day": days.astype("datetime64[ns]")})
    known = asked.dropna().reset_index().sort_values("day")
    found = pd.merge_asof(
        known, groups.sort_values("start"), left_on="day", right_on="start", by="municipality_code"
    )
    named = found.set_index("index")["skr_group"]
    return named.reindex(codes.index).fillna("missing")


def _honour(people: pd.Series, tables: Frames) -> pd.Series:
    """True if any report of the victim is honour-related, false if one says it is not."""
    reports = tables.get("reports")
    if reports is None or "is_honour" not in reports:
        return pd.Series("missing", index=people.index)
    told = (
        reports["is_honour"]
        .str.strip()
        .str.lower()
        .map({"true": "true", "1": "true", "false": "false", "0": "false"})
    )
    by_victim = told.dropna().groupby(reports["victim_id"]).max()
    return people.map(by_victim).fillna("missing")
