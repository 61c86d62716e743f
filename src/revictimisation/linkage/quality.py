"""Who is linked and who is missing, by agency, year, municipality group, age, sex and honour."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revictimisation.dictionary import Dictionary
from revictimisation.linkage.linking import PROBABLE, Links
from revictimisation.linkage.records import Frames
from revictimisation.results import make_estimates

ANALYSIS = "linkage"
# What became of a person, told as shares of all people of the agency.
BY_NUMBER, BY_PROBABILITY, UNLINKED = (
    "linked_by_number",
    "linked_by_probability",
    "no_number_unlinked",
)
AGENCIES = ("police", "social_services")


def describe_links(
    records: Mapping[str, pd.DataFrame], tables: Mapping[str, Frames], links: Links,
    dictionary: Dictionary,
) -> pd.DataFrame:  # fmt: skip
    """Shares of each agency's people by what became of them, in the form of `estimates`.

    A row per agency (`measure`), fate (`outcome`) and level of a subgroup, empty for all. The share
    that the other agency does not know is no fault; `no_number_unlinked` may be known to it.
    """
    sides = dict(zip(AGENCIES, ("police_id", "social_id"), strict=True))
    parts = []
    for agency, side in sides.items():
        people = group_people(records[agency], tables[agency], dictionary)
        kind = links.table.drop_duplicates(side).set_index(side)["kind"]
        fate = people["unique_id"].map(kind)
        people = people.assign(**{
            BY_NUMBER: fate.notna() & fate.ne(PROBABLE),
            BY_PROBABILITY: fate.eq(PROBABLE),
            UNLINKED: fate.isna() & ~people["has_number"],
        })  # fmt: skip
        parts += [_tell(people, agency, subgroup) for subgroup in ("", *SUBGROUPS)]
    rows = pd.concat(parts, ignore_index=True)
    return make_estimates(
        rows, question="q1", analysis=ANALYSIS, estimator="description", estimand="share"
    )


SUBGROUPS = ("index_year", "municipality_group", "age_group", "sex", "is_honour")


def _tell(people: pd.DataFrame, agency: str, subgroup: str) -> pd.DataFrame:
    rows = []
    levels = people.assign(**{"": ""}).groupby(subgroup) if subgroup else [("", people)]
    for level, group in levels:
        for fate in (BY_NUMBER, BY_PROBABILITY, UNLINKED):
            share, n_people = float(group[fate].mean()), len(group)
            se = float(np.sqrt(share * (1 - share) / n_people))
            rows.append({
                "measure": agency, "subgroup": subgroup, "level": str(level), "outcome": fate,
                "estimate": share, "se": se, "n_people": n_people,
                "n_events": int(group[fate].sum()),
            })  # fmt: skip
    return pd.DataFrame(rows)


def group_people(records: pd.DataFrame, tables: Frames, dictionary: Dictionary) -> pd.DataFrame:
    """The records with the groups they belong to; `missing` where a group is not known.

    `index_year` is the year of the first contact, from which age and municipality group are told.
    """
    first = records["contact_days"].map(
        lambda days: min(days) if isinstance(days, list) and days else None
    )
    day = pd.to_datetime(pd.to_numeric(first), unit="D")
    year = day.dt.year
    out = records.assign(
        index_year=year.map(lambda one: str(int(one)), na_action="ignore").fillna("missing"),
        age_group=_age_groups(year - records["birth_year"].astype("Float64"), dictionary),
        municipality_group=_municipality_groups(records["municipality_code"], day, dictionary),
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


def tell_checks(rates: Mapping[str, float]) -> pd.DataFrame:
    """The rates of the linkage in the form of `diagnostics`; none has a limit of its own."""
    return pd.DataFrame(
        [
            {"analysis": ANALYSIS, "measure": "", "check": name, "value": float(value),
             "limit": np.nan, "status": "ok"}
            for name, value in rates.items()
        ]
    )  # fmt: skip
