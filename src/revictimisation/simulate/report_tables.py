"""The tables ``reports`` and ``persons``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.simulate.bystanders import file_bystanders
from revictimisation.simulate.course import (
    NO_DATE,
    Course,
    date_days,
    finish_table,
    make_ids,
    name_victims,
)
from revictimisation.simulate.geography import find_district
from revictimisation.simulate.offences import (
    BREACH_GROUP,
    MINOR_GROUPS,
    draw_codes,
    name_recipients,
    read_gravity,
)
from revictimisation.simulate.randoms import (
    Integers,
    draw_category,
    draw_chance,
    draw_days,
    draw_exponential,
)

SECOND_OFFENCE_SHARE = 0.22
DOUBLE_REPORT_SHARE = 0.03
BLANK_PERSON_SHARE = 0.02  # suspects who are in no population register
AGE_GAPS = {  # suspect's age less the victim's: mean, spread
    "current_partner": (2, 5), "former_partner": (2, 5), "parent": (29, 5), "sibling": (2, 5),
    "child": (-27, 5), "other_relative": (8, 12), "acquaintance": (3, 9), "stranger": (2, 12),
}  # fmt: skip
MALE_SUSPECT_SHARES = {"parent": 0.72, "child": 0.80, "sibling": 0.85, "other_relative": 0.80}


def date_filings(course: Course, filings: pd.DataFrame) -> pd.DataFrame:
    """Add date, names, home and recipient to the reports of the index victims."""
    victims = course.setting.victims
    index, days = filings["victim"].to_numpy(), filings["day"].to_numpy()
    rows = filings.assign(reported_on=date_days(course, index, days))
    rows["victim_id"] = name_victims(course, index, days)
    for name in ("municipality_code", "police_district", "sex", "birth_year", "is_honour"):
        rows[name] = victims[name].to_numpy()[index]
    is_outside = rows["source"].isin(["other"]) | (rows["relation"] == "unknown")
    rows["is_honour"] = np.where(is_outside, "false", rows["is_honour"])
    return rows


def date_bystanders(bystanders: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The reports of the bystanders in the shape that ``date_filings`` gives."""
    rows = file_bystanders(bystanders, seed)
    rows["victim_id"] = make_ids("p", seed, rows["unit"].to_numpy())
    return rows.assign(is_honour="false")


def add_offences(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give each report its offences, a row each: the gravest drawn first, some with a lesser."""
    filings = rows["filing"].to_numpy()
    lesser = np.array(MINOR_GROUPS)[draw_category(seed, filings, "second_group", (1, 1, 1))]
    gravity = read_gravity()
    is_lesser = pd.Series(lesser).map(gravity).to_numpy() < rows["offence_group"].map(gravity)
    is_second = draw_chance(seed, filings, "second_offence", SECOND_OFFENCE_SHARE) & is_lesser
    is_second &= rows["offence_group"] != BREACH_GROUP
    second = rows.assign(offence_group=lesser).loc[is_second]
    both = pd.concat([rows.assign(turn=0), second.assign(turn=1)], ignore_index=True)
    on = both["reported_on"].to_numpy().astype("datetime64[s]")
    ages = both["reported_on"].dt.year.to_numpy() - both["birth_year"].to_numpy()
    recipients = name_recipients(both["sex"].to_numpy(), ages)
    units = both["filing"].to_numpy() * 2 + both["turn"].to_numpy()
    groups = both["offence_group"].to_numpy()
    both["offence_code"] = draw_codes(seed, units, "code", groups, recipients, on)
    return both


def add_doubles(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Write some reports twice on the same day under two numbers: one event for the study."""
    filings = rows["filing"].to_numpy()
    rows = rows.assign(report_id=make_ids("r", seed, filings))
    twice = rows[draw_chance(seed, filings, "double", DOUBLE_REPORT_SHARE)].copy()
    twice["report_id"] = make_ids("r", seed, twice["filing"].to_numpy(), "double")
    return pd.concat([rows, twice], ignore_index=True)


def make_reports(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Write the contract's table ``reports``: a row per report x victim x suspect x offence."""
    rows = add_doubles(add_offences(rows, seed), seed)
    filings = rows["filing"].to_numpy()
    on = rows["reported_on"].to_numpy().astype("datetime64[D]")
    is_older = draw_chance(seed, filings, "older_offence", 0.45)
    back = 1 + np.floor(draw_exponential(seed, filings, "offence_back", 60)).astype(np.int64)
    is_blank = draw_chance(seed, filings, "offence_blank", 0.2)
    from_on = np.where(is_older, on - back.astype("timedelta64[D]"), on)
    rows["offence_from_on"] = np.where(is_blank, NO_DATE, from_on)
    rows["suspect_id"] = name_suspects(rows["suspect"].to_numpy(), seed)
    homes = rows["municipality_code"].to_numpy()
    rows["police_district"] = find_district(on, homes, rows["police_district"].to_numpy())
    honour = rows["is_honour"].map({"true": True, "false": False})
    rows["is_honour"] = honour.astype("boolean")
    rows = rows.drop_duplicates(["report_id", "suspect_id", "offence_code"])
    return finish_table(rows, "reports")


def name_suspects(suspects: Integers, seed: int) -> np.ndarray:
    """Name the suspects; None where nobody is suspected."""
    names = make_ids("s", seed, suspects)
    names[suspects < 0] = None
    return names


def make_victims(course: Course) -> pd.DataFrame:
    """The index victims' rows of ``persons``, with the second row of those with a new identity."""
    victims, exits, seed = course.setting.victims, course.setting.exits, course.seed
    units, index = victims["unit"].to_numpy(), np.arange(len(victims))
    frame = victims[["birth_year", "sex", "municipality_code"]].copy()
    frame["person_id"] = make_ids("p", seed, units)
    frame["died_on"] = date_days(course, index, exits["died_day"].to_numpy())
    frame["emigrated_on"] = date_days(course, index, exits["emigrated_day"].to_numpy())
    kinds = np.array(["none", "confidentiality_mark", "protected_registration"])
    is_high = (victims["risk_level"] == "high").to_numpy()
    shares = np.where(is_high[:, None], (0.82, 0.13, 0.05), (0.96, 0.03, 0.01))
    frame["protected_identity"] = kinds[draw_category(seed, units, "protection", shares)]
    is_new = course.new_identity_day < 10**6
    renamed = frame[is_new].assign(
        person_id=make_ids("p", seed, units[is_new], "new"), protected_identity="new_identity"
    )
    frame.loc[is_new, ["died_on", "emigrated_on"]] = NO_DATE  # the old number lives on, unseen
    return pd.concat([frame, renamed], ignore_index=True)


def make_suspects(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The suspects' rows of ``persons``; a share is missing, as in real registers."""
    known = rows[rows["suspect"] >= 0].drop_duplicates("suspect")
    suspects = known["suspect"].to_numpy()
    gaps = known["relation"].map(AGE_GAPS)
    spread = gaps.map(lambda pair: pair[1]).to_numpy()
    shift = draw_days(seed, suspects, "s_gap", -1000, 1000) / 1000 * spread * 1.7
    years = known["birth_year"].to_numpy() - gaps.map(lambda pair: pair[0]).to_numpy() - shift
    year_on = known["reported_on"].dt.year.to_numpy()
    male = known["relation"].map(MALE_SUSPECT_SHARES).fillna(0.88).to_numpy()
    is_partner = known["relation"].isin(["current_partner", "former_partner"]).to_numpy()
    male = np.where(is_partner & (known["sex"] == "male").to_numpy(), 0.25, male)
    male = np.where(is_partner & (known["sex"] == "female").to_numpy(), 0.97, male)
    frame = pd.DataFrame({
        "person_id": name_suspects(suspects, seed),
        "birth_year": np.clip(np.round(years), year_on - 90, year_on - 12).astype(np.int64),
        "sex": np.where(draw_chance(seed, suspects, "s_sex", male), "male", "female"),
        "municipality_code": known["municipality_code"].to_numpy(),
        "died_on": NO_DATE, "emigrated_on": NO_DATE, "protected_identity": "none",
    })  # fmt: skip
    return frame[~draw_chance(seed, suspects, "s_blank", BLANK_PERSON_SHARE)]


def make_persons(course: Course, rows: pd.DataFrame, bystanders: pd.DataFrame) -> pd.DataFrame:
    """Write the contract's table ``persons``: a row per person, victim or suspect."""
    others = bystanders[["birth_year", "sex", "municipality_code"]].assign(
        person_id=make_ids("p", course.seed, bystanders["unit"].to_numpy()),
        died_on=NO_DATE, emigrated_on=NO_DATE, protected_identity="none",
    )  # fmt: skip
    parts = [make_victims(course), others, make_suspects(rows, course.seed)]
    dated = [part.astype({"died_on": "datetime64[ns]", "emigrated_on": "datetime64[ns]"})
             for part in parts]  # fmt: skip
    persons = pd.concat(dated, ignore_index=True).astype({"birth_year": "int64"})
    return finish_table(persons, "persons")
