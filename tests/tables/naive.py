"""What the contract says of one entry, read naively: plain Python over rows, no table stage."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from .cases import OFFENCES, SmallDictionary

RISKS = ("low", "moderate", "high")
AGES = [(0, 12), (13, 17), (18, 26), (27, 44), (45, 64)]
RELATION_GROUPS = {"former_partner": "partner", "parent": "kin"}
LAST = "￿"  # what is missing is compared last


def find_group(code: str, on: dt.date) -> str:
    """The offence group of a code on a day."""
    group = None
    for listed, since, name in OFFENCES:
        if listed == code and (group is None or since <= on.isoformat()):
            group = name
    return group or "other"


def find_gravest(rows: list[dict], dictionary: SmallDictionary) -> dict:
    """The report row that speaks for the day."""
    gravity = dict(dictionary.codes("offence_groups")[["code", "gravity"]].to_numpy())
    known = {code for code, _, _ in OFFENCES}

    def rank(row: dict) -> tuple:
        code = row["offence_code"]
        weight = int(gravity[find_group(code, row["reported_on"])]) if code in known else 0
        said = (row[name] or LAST for name in ("relation", "police_district", "municipality_code"))
        return (-weight, code, *said)

    return min(rows, key=rank)


def describe_entry(
    rows: dict[str, list[dict]], victim: str, suspect: str, on: dt.date, dictionary: SmallDictionary
) -> dict[str, object]:
    """The baseline covariates of one entry."""
    person = next(row for row in rows["persons"] if row["person_id"] == victim)
    mine = [row for row in rows["reports"] if row["victim_id"] == victim]
    today = [row for row in mine if row["suspect_id"] == suspect and row["reported_on"] == on]
    said = find_gravest(today, dictionary)
    honour = {row["is_honour"] for row in today}
    age = None if person["birth_year"] is None else on.year - person["birth_year"]
    district = said["police_district"]
    return {
        "sex": person["sex"] or "missing",
        "protected_identity": person["protected_identity"] or "missing",
        "age": age,
        "age_group": find_age_group(age),
        "relation": said["relation"],
        "relation_group": RELATION_GROUPS.get(said["relation"], "other"),
        "is_honour": "true" if True in honour else "false" if False in honour else "missing",
        "risk_level": find_risk(rows["risk_assessments"], victim, on),
        "n_earlier_reports": min(5, len({r["reported_on"] for r in mine if r["reported_on"] < on})),
        "offence_group": find_group(said["offence_code"], on),
        "index_year": on.year,
        "police_district": "other" if district == "atlantis" else district or "missing",
        "municipality_code": said["municipality_code"] or "missing",
        "municipality_group": find_place(rows, said["municipality_code"], on.year, dictionary),
    }


def find_age_group(age: int | None) -> str:
    if age is None or age > 120:
        return "missing"
    return next((f"{low}-{high}" for low, high in AGES if low <= age <= high), "65+")


def find_risk(assessments: list[dict], victim: str, on: dt.date) -> str:
    """The highest of the latest day's assessments, day 7 included."""
    best = (dt.date.min, -1)
    for row in assessments:
        if row["victim_id"] == victim and row["assessed_on"] <= on + dt.timedelta(days=7):
            best = max(best, (row["assessed_on"], RISKS.index(row["risk_level"])))
    return RISKS[best[1]] if best[1] >= 0 else "missing"


def find_place(rows: dict, code: str | None, year: int, dictionary: SmallDictionary) -> str:
    if code is None:
        return "missing"
    for row in rows["municipality_years"]:
        if (row["municipality_code"], row["year"]) == (code, year) and row["skr_group"]:
            return row["skr_group"]
    for row in dictionary.codes("skr_groups").itertuples():
        last = row.valid_to_on if isinstance(row.valid_to_on, str) and row.valid_to_on else "9999"
        if row.municipality_code == code and row.valid_from_on[:4] <= str(year) <= last[:4]:
            return row.skr_group
    return "other"


def to_days(row: dict, index_on: dt.date) -> tuple[int, int]:
    stop = (row["end_on"] - index_on).days if row["end_on"] else 200_000
    return (row["start_on"] - index_on).days, stop


def find_spells(rows: dict[str, list[dict]], entries: pd.DataFrame) -> set[tuple]:
    """Every spell of `cases.STUDY`: (entry_id, measure, start_day, stop_day)."""
    spells = set()
    for entry in entries.itertuples():
        on = entry.index_on
        for row in rows["suspect_interventions"]:
            is_mine = row["suspect_id"] == entry.suspect_id and row["start_on"]
            if is_mine and row["intervention"] == "treatment_programme":
                spells.add((entry.entry_id, "programme", *to_days(row, on)))
        police = [
            row
            for row in rows["police_measures"]
            if row["victim_id"] == entry.victim_id and row["start_on"]
        ]
        social = [
            row
            for row in rows["social_interventions"]
            if row["person_id"] == entry.victim_id and row["start_on"]
        ]
        for row in police:
            if row["measure"] != "safety_talk":
                spells.add((entry.entry_id, "order", *to_days(row, on)))
            for other in social:
                (start, stop), (begin, end) = to_days(row, on), to_days(other, on)
                if abs(start - begin) <= 5:
                    later = max(start, begin)
                    spells.add((entry.entry_id, "joint", later, max(later, min(stop, end))))
    return spells


def count_measures(rows: list[dict], key: str, entries: pd.DataFrame) -> tuple[int, int]:
    """Of decisions on measures: those of somebody in the cohort, and those within follow-up."""
    of_cohort = within = 0
    for row in rows:
        mine = entries[entries["suspect_id" if key == "suspect_id" else "victim_id"] == row[key]]
        of_cohort += len(mine) > 0
        within += any(is_within(row, entry) for entry in mine.itertuples())
    return of_cohort, within


def is_within(row: dict, entry) -> bool:
    if 0 <= (row["decided_on"] - entry.index_on).days <= entry.end_day:
        return True
    if row["start_on"] is None:
        return False
    start, stop = to_days(row, entry.index_on)
    return start < entry.end_day and stop > 0
