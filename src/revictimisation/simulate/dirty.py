"""The scenario ``dirty``: the calibrated county after it has gone through real systems.

What happens to people is that of ``calibrated``; what is written down is not. The truth of the
effects is the clean county's; ``truth_links`` says which pseudonyms are one person, and
``truth_faults`` how many rows each fault befell.
"""

from __future__ import annotations

import pandas as pd

from revictimisation.simulate.clients import draw_clients, list_links, rename_clients
from revictimisation.simulate.course import Course, make_ids
from revictimisation.simulate.faults import DIRTY_RATES, FaultRates
from revictimisation.simulate.faulty_rows import Tally, spoil_rows, write_dates
from revictimisation.simulate.raw_files import (
    identify,
    list_clients,
    list_police_people,
    write_raw,
)

Tables = dict[str, pd.DataFrame]
LINK_COLUMNS = ["social_id", "person_id", "number", "link", "social_record", "police_record"]


def soil_county(course: Course, clean: Tables, rates: FaultRates = DIRTY_RATES) -> Tables:
    """Spoil a county's tables: the extract, ``truth_links``, ``truth_faults`` and the raw files.

    Raw files are named by their path (``raw/police/persons``).
    """
    seed, tally = course.seed, Tally()
    clients = draw_clients(clean, rates, seed)
    joined = rename_clients(clean, clients, seed)
    for kind in ("missing", "reserve", "mistyped"):
        tally.add(f"{kind}_number", "social_interventions", (clients["number"] == kind).sum())
    dirty = spoil_rows(joined, rates, seed, tally)
    dirty = {name: write_dates(table) for name, table in dirty.items()}
    police, files = _identify_both(clean["persons"], dirty["persons"], clients, rates, seed)
    links = list_links(clients, find_new_names(course))
    records = {
        "social_record": links["social_id"].map(files.set_index("social_id")["record"]),
        "police_record": links["person_id"].map(police.set_index("person_id")["record"]),
    }
    return {
        **dirty, "truth_links": links.assign(**records)[LINK_COLUMNS],
        "truth_faults": tally.frame(), **write_raw(dirty, police, files),
    }  # fmt: skip


def find_new_names(course: Course) -> dict[str, str]:
    """The pseudonym of each victim with a new identity, and the one before it."""
    units = course.setting.victims["unit"].to_numpy()[course.new_identity_day < 10**6]
    new, old = (make_ids("p", course.seed, units, stream) for stream in ("new", ""))
    return dict(zip(new.tolist(), old.tolist(), strict=True))


def _identify_both(
    clean: pd.DataFrame, dirty: pd.DataFrame, clients: pd.DataFrame, rates: FaultRates, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both agencies' person files, with numbers and names; the police's has whom ``dirty`` has."""
    alone = clients[clients["person_id"].isna()].assign(person_id=lambda rows: rows["social_id"])
    columns = ["person_id", "birth_year", "sex"]
    who = identify(pd.concat([clean[columns], alone[columns]], ignore_index=True), seed)
    mine = dirty[dirty["person_id"].isin(clean["person_id"])].reset_index(drop=True)
    return list_police_people(mine, who, seed), list_clients(clients, who, rates, seed)
