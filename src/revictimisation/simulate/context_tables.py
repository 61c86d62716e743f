"""The tables ``centre_contacts`` and ``municipality_years``: what stands around the reports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revictimisation.dictionary import load_dictionary
from revictimisation.simulate.course import Course, blank_unless, finish_table, make_ids
from revictimisation.simulate.geography import draw_municipality
from revictimisation.simulate.randoms import (
    count_share,
    draw_category,
    draw_chance,
    draw_days,
    draw_uniform,
)

CENTRE_FROM_ON = np.datetime64("2013-09-01")
CONTACTS_PER_VICTIM = 0.25
FIRST_CONTACT_UNIT = 2**41
KINDS, KIND_SHARES = ("young_person", "professional", "outreach"), (0.45, 0.45, 0.10)
REASONS = ("forced_marriage", "control", "violence", "threat", "genital_mutilation",
           "forced_travel", "other")  # fmt: skip
REASON_SHARES = (0.16, 0.36, 0.22, 0.13, 0.02, 0.05, 0.06)
FILE_SHARE = 0.5  # of young people in contact; the others leave no file
GROWTH_PER_YEAR = 0.016
AGREEMENT_SHARE = 0.24  # of municipalities with a written agreement with the police, published
HONOUR_SERVICE_SHARE = 19 / 26  # of the county's municipalities with such a service, published
PERPETRATOR_SHARE = 0.5  # about half offer talks to perpetrators, published


def make_centre_contacts(course: Course) -> pd.DataFrame:
    """Write the contract's table ``centre_contacts``: ages 13-26, mean about 19, many nameless."""
    seed, end_on = course.seed, np.datetime64(course.scenario.data_end_on)
    n_people, first = len(course.setting.victims), course.first_unit
    units = FIRST_CONTACT_UNIT + count_share(n_people, CONTACTS_PER_VICTIM, first)
    rows = pd.DataFrame({"unit": units})
    kind = draw_category(seed, units, "contact_kind", KIND_SHARES)
    rows["contact_kind"] = np.array(KINDS)[kind]
    n_days = int((end_on - CENTRE_FROM_ON).astype(int))
    on = CENTRE_FROM_ON + draw_days(seed, units, "contacted", 0, n_days).astype("timedelta64[D]")
    rows["contacted_on"] = on
    halves = draw_uniform(seed, units, "c_age_a") + draw_uniform(seed, units, "c_age_b")
    is_young = kind == 0
    rows["age"] = pd.Series(np.floor(13 + 13.9 * (halves / 2) ** 1.2), dtype="Int64").where(
        is_young
    )
    sex = np.where(draw_chance(seed, units, "c_sex", 0.12), "male", "female")
    rows["sex"] = blank_unless(is_young, sex)
    rows["municipality_code"] = draw_municipality(seed, units, "c_home")
    reason = np.array(REASONS, dtype=object)[draw_category(seed, units, "reason", REASON_SHARES)]
    rows["reason"] = blank_unless(is_young, reason)
    rows["person_id"] = _draw_known(course, rows, is_young)
    rows["contact_id"] = make_ids("c", seed, units)
    return finish_table(rows, "centre_contacts")


def _draw_known(course: Course, rows: pd.DataFrame, is_young: np.ndarray) -> np.ndarray:
    """Link some contacts to young victims in honour cases, in touch after their index report."""
    victims, seed = course.setting.victims, course.seed
    fits = victims["kind"].eq(2) & victims["age"].between(13, 24)
    names = np.full(len(rows), None, dtype=object)
    pool = np.flatnonzero(fits)
    if not pool.size:
        return names
    units = rows["unit"].to_numpy()
    chosen = pool[draw_days(seed, units, "c_who", 0, len(pool) - 1)]
    index_on = victims["index_on"].to_numpy().astype("datetime64[D]")[chosen]
    since = (rows["contacted_on"].to_numpy().astype("datetime64[D]") - index_on).astype(np.int64)
    is_linked = is_young & draw_chance(seed, units, "c_file", FILE_SHARE)
    limit = np.minimum(course.setting.last_day, course.new_identity_day)[chosen]
    is_linked &= (since >= 0) & (since < np.minimum(limit, 500))
    names[is_linked] = make_ids("p", seed, victims["unit"].to_numpy()[chosen[is_linked]])
    rows.loc[is_linked, "sex"] = victims["sex"].to_numpy()[chosen[is_linked]]
    ages = rows["contacted_on"].dt.year - victims["birth_year"].to_numpy()[chosen]
    rows.loc[is_linked, "age"] = ages[is_linked].clip(13, 26).astype("Int64")
    homes = victims["municipality_code"].to_numpy()[chosen]
    rows.loc[is_linked, "municipality_code"] = homes[is_linked]
    return names


def make_municipality_years(course: Course, sizes: Mapping[str, float]) -> pd.DataFrame:
    """Write the contract's table ``municipality_years``: a row per municipality and year.

    ``sizes`` are the municipalities, each with its thousands of people: rough ones, that grow
    evenly; services are invented round published shares.
    """
    first = int(course.scenario.accrual_from_on[:4]) - 1
    years = np.arange(first, int(course.scenario.data_end_on[:4]) + 1)
    rows = pd.DataFrame({
        "municipality_code": np.repeat(list(sizes), len(years)), "year": np.tile(years, len(sizes)),
    })  # fmt: skip
    thousands = rows["municipality_code"].map(sizes)
    growth = (1 + GROWTH_PER_YEAR) ** (rows["year"] - 2013)
    rows["population"] = np.round(thousands * 1000 * growth).astype("int64")
    rows["skr_group"] = _find_skr_groups(rows)
    units = rows["municipality_code"].astype("int64").to_numpy()
    joined = np.floor(draw_uniform(course.seed, units, "agreement") / AGREEMENT_SHARE * 8)
    has = rows["year"] >= first + joined  # spreads over the years to the published share
    rows["has_cooperation_agreement"] = has.astype("boolean")
    size = np.ceil(thousands.to_numpy() / 60).astype(np.int64)
    rows["n_services_intimate"] = size + draw_days(course.seed, units, "n_intimate", 0, 3)
    rows["n_services_honour"] = draw_chance(
        course.seed, units, "n_honour", HONOUR_SERVICE_SHARE
    ).astype("int64")
    rows["n_services_perpetrator"] = draw_chance(
        course.seed, units, "n_perpetrator", PERPETRATOR_SHARE
    ).astype("int64")
    return finish_table(rows, "municipality_years")


def _find_skr_groups(rows: pd.DataFrame) -> np.ndarray:
    """Look up the group in force on 1 January of each year in the dictionary's dated list."""
    groups = load_dictionary().codes("skr_groups")
    groups = groups.fillna("").assign(until=groups["valid_to_on"].replace("", "9999"))
    joined = rows.reset_index(names="row").merge(groups, on="municipality_code")
    day = joined["year"].astype(str) + "-01-01"
    is_valid = (joined["valid_from_on"].fillna("") <= day) & (day <= joined["until"].fillna("9999"))
    found = joined[is_valid].drop_duplicates("row").set_index("row")["skr_group"]
    return found.reindex(rows.index).to_numpy()
