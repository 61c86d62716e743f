"""What the two agencies would hand over themselves: their person files and tables, unjoined.

One folder each, with identity numbers as their systems write them, under Swedish column names: what
there is to map, pseudonymise and link. Numbers and names are made (see ``identities``). A row of
an agency's table names its person by identity number, or by the agency's own record number where
it has no number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.simulate.faults import FaultRates
from revictimisation.simulate.identities import (
    misspell,
    mistype,
    name_people,
    number_people,
    reserve,
    write_numbers,
)
from revictimisation.simulate.randoms import draw_chance

Tables = dict[str, pd.DataFrame]
POLICE, MUNICIPALITY = "raw/police", "raw/municipality"
PERSON_NAMES = {
    "record": "post_id", "number": "personnummer", "first_name": "fornamn",
    "last_name": "efternamn", "birth_year": "fodelsear", "sex": "kon",
    "municipality_code": "kommunkod", "first_on": "forsta_kontakt", "last_on": "senaste_kontakt",
}  # fmt: skip
REGISTER_NAMES = {
    "died_on": "avliden_datum", "emigrated_on": "utflyttad_datum",
    "protected_identity": "skyddad_identitet",
}  # fmt: skip
COLUMN_NAMES = {
    "person_id": "personnummer", "victim_id": "personnummer_utsatt",
    "suspect_id": "personnummer_misstankt", "report_id": "diarienummer",
    "measure_id": "beslut_id", "intervention_id": "beslut_id", "assessment_id": "bedomning_id",
    "reported_on": "anmald_datum", "offence_from_on": "brott_fran", "offence_code": "brottskod",
    "is_honour": "heder", "police_district": "polisdistrikt", "municipality_code": "kommunkod",
    "measure": "atgard", "intervention": "insats", "decided_on": "beslutsdatum",
    "decision": "beslut", "start_on": "fran_datum", "end_on": "till_datum",
    "end_reason": "slutorsak", "legal_basis": "lagrum", "agency": "myndighet",
    "instrument": "instrument", "assessed_on": "bedomd_datum", "risk_level": "riskniva",
    "shared_on": "delad_datum",
}  # fmt: skip
POLICE_TABLES = ("reports", "police_measures", "suspect_interventions", "investigations",
                 "case_decisions")  # fmt: skip
PERSON, CLIENT = "person_id", "social_id"  # whose name is whose
PERSON_COLUMNS = ("person_id", "victim_id", "suspect_id")


@dataclass(frozen=True)
class Identities:
    """Everybody's number and names as they truly are, by the police's pseudonym (or their own)."""

    numbers: dict[str, str]
    first_names: dict[str, str]
    last_names: dict[str, str]


def identify(everybody: pd.DataFrame, seed: int) -> Identities:
    """Give each person (person_id, birth_year, sex) a number and names."""
    people = everybody.sort_values("person_id", ignore_index=True)
    units = np.arange(len(people), dtype=np.int64)
    first, last = name_people(seed, units, people["sex"].eq("male").to_numpy())
    ids = people["person_id"]
    numbers = number_people(people)
    return Identities(*(dict(zip(ids, part, strict=True)) for part in (numbers, first, last)))


def list_police_people(persons: pd.DataFrame, who: Identities, seed: int) -> pd.DataFrame:
    """The police's person file before its columns get Swedish names: a row per person."""
    units = np.arange(len(persons), dtype=np.int64)
    ids = persons["person_id"]
    numbers = ids.map(who.numbers).to_numpy()
    return persons.assign(
        record=[f"K{place + 100_000}" for place in range(len(persons))],
        number=write_numbers(seed, units, numbers, "police"),
        first_name=ids.map(who.first_names), last_name=ids.map(who.last_names),
    )  # fmt: skip


def list_clients(
    clients: pd.DataFrame, who: Identities, rates: FaultRates, seed: int
) -> pd.DataFrame:
    """The municipality's person file before its columns get Swedish names: a row per client.

    Names differ from the police's at known rates; numbers are lacking, reserve or mistyped as
    ``number`` of the client says.
    """
    units = clients["unit"].to_numpy()
    ids = clients["person_id"].fillna(clients["social_id"])
    right = ids.map(who.numbers).to_numpy()
    kinds = [clients["number"] == kind for kind in ("missing", "reserve", "mistyped")]
    spoilt = [
        np.full(len(ids), "", dtype=object), reserve(seed, units, clients["birth_year"].to_numpy()),
        mistype(seed, units, right),
    ]  # fmt: skip
    numbers = np.select(kinds, spoilt, right)
    first, last = ids.map(who.first_names).to_numpy(), ids.map(who.last_names).to_numpy()
    _, others = name_people(seed + 1, units, np.zeros(len(units), bool))
    last = np.where(draw_chance(seed, units, "surname", rates["name_changed"]), others, last)
    is_wrong = draw_chance(seed, units, "misspelt", rates["name_misspelt"])
    is_first = draw_chance(seed, units, "misspelt_first", 0.5)
    first = np.where(is_wrong & is_first, misspell(seed, units, first), first)
    last = np.where(is_wrong & ~is_first, misspell(seed, units, last), last)
    return clients.assign(
        record=[f"S{place + 500_000}" for place in range(len(clients))],
        number=write_numbers(seed, units, numbers, "social"), first_name=first, last_name=last,
    )  # fmt: skip


def write_raw(tables: Tables, police: pd.DataFrame, clients: pd.DataFrame) -> Tables:
    """Lay out both agencies' folders: tables by path."""
    shown = {PERSON: _call_police(police), CLIENT: _call_clients(clients)}
    is_social = tables["risk_assessments"]["agency"].eq("social_services")
    theirs = {"social_interventions": tables["social_interventions"],
              "risk_assessments": tables["risk_assessments"][is_social]}  # fmt: skip
    mine = {name: tables[name] for name in POLICE_TABLES}
    mine["risk_assessments"] = tables["risk_assessments"][~is_social]
    folders = (
        (POLICE, mine, shown[PERSON], police),
        (MUNICIPALITY, theirs, shown[CLIENT], clients),
    )
    raw = {}
    for folder, own, names, people in folders:
        made = {name: _rename(table, names) for name, table in own.items()}
        raw[f"{folder}/persons"] = _list_people(people, own, folder == POLICE)
        raw.update({f"{folder}/{name}": table for name, table in made.items()})
    return raw


def _call_police(police: pd.DataFrame) -> dict[str, str]:
    return dict(zip(police["person_id"], police["number"], strict=True))


def _call_clients(clients: pd.DataFrame) -> dict[str, str]:
    called = np.where(clients["number"] == "", clients["record"], clients["number"])
    return dict(zip(clients["social_id"], called, strict=True))


def _rename(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """People by number in place of pseudonym, columns by Swedish name.

    A person whom the agency's person file lacks keeps a name of the system's own.
    """
    people = {
        name: table[name].map(names).fillna("X" + table[name].str.upper())
        for name in PERSON_COLUMNS
        if name in table.columns
    }
    return table.assign(**people).rename(columns=COLUMN_NAMES).reset_index(drop=True)


def _list_people(people: pd.DataFrame, own: Tables, is_police: bool) -> pd.DataFrame:
    """An agency's person file: with first and last contact, the days of its own tables."""
    key = PERSON if is_police else CLIENT
    days = {"reports": "reported_on", "risk_assessments": "assessed_on"}
    parts = []
    for name, table in own.items():
        on = days.get(name, "decided_on")
        if on in table.columns:
            parts += [table[[who, on]].set_axis(["who", "on"], axis=1)
                      for who in PERSON_COLUMNS if who in table.columns]  # fmt: skip
    seen = pd.concat(parts).dropna().groupby("who")["on"].agg(first_on="min", last_on="max")
    file = people.join(seen, on=key)
    columns = {**PERSON_NAMES, **(REGISTER_NAMES if is_police else {})}
    return file[list(columns)].rename(columns=columns).sort_values("post_id", ignore_index=True)
