"""The municipality's clients in ``dirty``: who is there under another pseudonym, and who else.

A client with a valid identity number has the police's pseudonym. One whose number was lacking, a
reserve number or mistyped has another: one person, two pseudonyms, until they are linked by what
is shared. Some clients the police do not know at all.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.simulate.course import NO_DATE, make_ids
from revictimisation.simulate.faults import FaultRates
from revictimisation.simulate.geography import CODES, draw_municipality
from revictimisation.simulate.randoms import (
    draw_category,
    draw_chance,
    draw_days,
    draw_exponential,
)

Tables = dict[str, pd.DataFrame]
KINDS = ("valid", "missing", "reserve", "mistyped")
OTHER_CODES = ("support_talks", "financial_assistance", "contact_person")
FIRST_OTHER_UNIT = 2**42  # numbers of clients whom the police do not know


def draw_clients(tables: Tables, rates: FaultRates, seed: int) -> pd.DataFrame:
    """Draw the municipality's clients, a row each: those of the county's tables, and others.

    Columns: social_id (pseudonym in the social services' tables), person_id (the police's; None:
    unknown to them), number (kind of identity number), birth_year, sex, municipality_code as the
    municipality has them, and unit, which all draws of the client hang on.
    """
    assessed = tables["risk_assessments"]
    mine = assessed.loc[assessed["agency"] == "social_services", "victim_id"]
    ids = np.unique(np.concatenate([tables["social_interventions"]["person_id"], mine]))
    known = pd.DataFrame({"person_id": ids}).merge(tables["persons"], how="left", on="person_id")
    known["unit"] = np.arange(len(known))
    people = pd.concat([_differ(known, rates, seed), _draw_others(known, rates, seed)])
    people = people.reset_index(drop=True)
    shares = (rates["missing_number"], rates["reserve_number"], rates["mistyped_number"])
    units = people["unit"].to_numpy()
    drawn = draw_category(seed, units, "number_kind", (1 - sum(shares), *shares))
    people["number"] = np.array(KINDS, dtype=object)[drawn]
    own = make_ids("p", seed, units, "social")
    is_shared = people["number"].eq("valid") & people["person_id"].notna()
    people["social_id"] = np.where(is_shared, people["person_id"], own)
    return people


def _differ(known: pd.DataFrame, rates: FaultRates, seed: int) -> pd.DataFrame:
    """What the municipality has otherwise than the police: year of birth, home."""
    units = known["unit"].to_numpy()
    shift = np.where(draw_chance(seed, units, "birth_shift", 0.5), 1, -1)
    is_other = draw_chance(seed, units, "other_birth", rates["other_birth_year"])
    years = known["birth_year"].to_numpy() + np.where(is_other, shift, 0)
    is_moved = draw_chance(seed, units, "moved", rates["other_municipality"])
    homes = np.array(CODES, dtype=object)[draw_days(seed, units, "moved_to", 0, len(CODES) - 1)]
    homes = np.where(is_moved, homes, known["municipality_code"])
    return known[["unit", "person_id", "sex"]].assign(birth_year=years, municipality_code=homes)


def _draw_others(known: pd.DataFrame, rates: FaultRates, seed: int) -> pd.DataFrame:
    """Clients of the same ages and sexes whom the police do not know."""
    n_others = round(rates["other_clients"] * len(known))
    units = FIRST_OTHER_UNIT + np.arange(n_others, dtype=np.int64)
    like = known.iloc[draw_days(seed, units, "client_like", 0, max(len(known) - 1, 0))]
    years = like["birth_year"].to_numpy() + draw_days(seed, units, "client_year", -3, 3)
    return pd.DataFrame({
        "unit": units, "person_id": None, "sex": like["sex"].to_numpy(),
        "birth_year": np.clip(years, 1915, 2013),
        "municipality_code": draw_municipality(seed, units, "client_home"),
    })  # fmt: skip


def rename_clients(tables: Tables, people: pd.DataFrame, seed: int) -> Tables:
    """Put the municipality's pseudonyms into its tables, and its clients into ``persons``."""
    known = people[people["person_id"].notna()]
    names = known.set_index("person_id")["social_id"]
    social = tables["social_interventions"]
    social = social.assign(person_id=social["person_id"].map(names))
    assessed = tables["risk_assessments"]
    is_social = assessed["agency"].eq("social_services")
    theirs = assessed["victim_id"].map(names)
    assessed = assessed.assign(victim_id=assessed["victim_id"].where(~is_social, theirs))
    others = people[people["person_id"].isna()]
    social = pd.concat([social, _make_interventions(others, seed)], ignore_index=True)
    persons = pd.concat([tables["persons"], _make_persons(people)], ignore_index=True)
    return {
        **tables, "persons": persons, "social_interventions": social, "risk_assessments": assessed,
    }  # fmt: skip


def _make_persons(people: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``persons`` for those whom the police know under another pseudonym or not at all."""
    mine = people[people["social_id"] != people["person_id"]]
    columns = ["birth_year", "sex", "municipality_code"]
    return mine[columns].assign(
        person_id=mine["social_id"], died_on=NO_DATE, emigrated_on=NO_DATE,
        protected_identity="none",
    ).astype({"died_on": "datetime64[ns]", "emigrated_on": "datetime64[ns]"})  # fmt: skip


def _make_interventions(others: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One granted intervention for each client whom the police do not know."""
    units = others["unit"].to_numpy().astype(np.int64)
    first_on = np.datetime64("2011-01-01")
    decided = first_on + draw_days(seed, units, "client_decided", 0, 2500).astype("timedelta64[D]")
    start = decided + draw_days(seed, units, "client_wait", 0, 20).astype("timedelta64[D]")
    length = 1 + np.floor(draw_exponential(seed, units, "client_length", 120)).clip(max=300)
    codes = np.array(OTHER_CODES, dtype=object)[draw_category(seed, units, "client", (5, 3, 1))]
    return pd.DataFrame({
        "intervention_id": make_ids("i", seed, units, "other"),
        "person_id": others["social_id"].to_numpy(), "intervention": codes,
        "decided_on": decided, "decision": "granted", "start_on": start,
        "end_on": start + length.astype("timedelta64[D]"), "end_reason": "completed",
        "legal_basis": "sol", "municipality_code": others["municipality_code"].to_numpy(),
    }).astype(dict.fromkeys(("decided_on", "start_on", "end_on"), "datetime64[ns]"))  # fmt: skip


def list_links(people: pd.DataFrame, new_names: dict[str, str]) -> pd.DataFrame:
    """List who is who: a row per client and pseudonym of the police for the same person.

    ``link``: ``number`` (the same pseudonym), ``shared`` (only by year of birth, sex, municipality,
    name, dates), ``never`` (the person has got a new identity: the police's older pseudonym), or
    ``none`` (the police do not know the client; person_id is empty). ``new_names``: a new
    pseudonym and the one before it.
    """
    same = people["social_id"] == people["person_id"]
    link = np.select([people["person_id"].isna(), same], ["none", "number"], "shared")
    links = people[["social_id", "person_id", "number"]].assign(link=link)
    renamed = people[people["person_id"].isin(list(new_names))]
    before = renamed["person_id"].map(new_names)
    older = renamed[["social_id", "number"]].assign(person_id=before, link="never")
    columns = ["social_id", "person_id", "number", "link"]
    both = pd.concat([links, older], ignore_index=True)[columns]
    return both.sort_values(["social_id", "link"], ignore_index=True)
