"""A nation: the county's process over all municipalities, made in parts that fit in memory.

Ten million inhabitants and two million rows of ``reports`` over the ten years 2009-2018. What
happens is as in ``calibrated``, so that its truth holds: the process hangs on the kind of police
district, and districts keep the county's names; homes are drawn anew from all municipalities. Who
is in no report stands in ``persons`` too, as in the register of the population. A part is a
function of its number and the seed alone, whatever was made before it and wherever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from revictimisation.dictionary import load_dictionary
from revictimisation.simulate.calibrated import CALIBRATED
from revictimisation.simulate.context_tables import make_municipality_years
from revictimisation.simulate.county import make_tables
from revictimisation.simulate.course import NO_DATE, finish_table, make_ids, run_course
from revictimisation.simulate.randoms import (
    Integers,
    count_share,
    draw_category,
    draw_chance,
    draw_days,
    draw_uniform,
)
from revictimisation.simulate.scenarios import resize

NATION = resize(CALIBRATED, "national", 540_000)
INHABITANTS = 10_000_000
PART_SIZE = 20_000  # index victims of a part
FIRST_UNIT = 2**20  # so high that no suspect named by a report has the number of a victim's own
FIRST_INHABITANT = 2**42
IN_REPORTS_PER_VICTIM = 3.09  # rows of `persons` that a victim brings: own, suspects, bystanders
# Thousands of people in a municipality of each group, roughly; scaled to all inhabitants.
THOUSANDS = {
    "large_city": 600.0, "commuting_near_large_city": 42.0, "larger_city": 98.0,
    "commuting": 15.0, "commuting_near_larger_city": 15.0, "tourism": 12.0,
    "goods_producing": 18.0, "densely_populated_region": 24.0, "sparsely_populated": 8.0,
    "sparsely_populated_region": 16.0, "small_town": 30.0,
}  # fmt: skip
SPAN_ON = np.datetime64("2009-01-01")
SPAN_DAYS = 3651


@dataclass(frozen=True)
class Part:
    """Some of a nation's index victims, and those who stand beside them."""

    number: int
    first_unit: int
    n_people: int


def list_parts(n_people: int) -> list[Part]:
    """Deal a nation of ``n_people`` index victims into parts."""
    return [
        Part(number, FIRST_UNIT + before, min(PART_SIZE, n_people - before))
        for number, before in enumerate(range(0, n_people, PART_SIZE))
    ]


def simulate_part(part: Part, seed: int) -> dict[str, pd.DataFrame]:
    """Simulate one part: the contract's tables by name; what is of the whole nation with the first.

    >>> tables = simulate_part(*list_parts(20), seed=1)
    >>> len(tables["persons"]), tables["municipality_years"]["municipality_code"].nunique()
    (370, 290)
    """
    course = run_course(NATION, part.n_people, seed, part.first_unit)
    tables = _spread_homes(make_tables(course), seed)
    units = FIRST_INHABITANT + count_share(part.n_people, _others_per_victim(), part.first_unit)
    people = pd.concat([tables["persons"], _draw_inhabitants(units, seed)], ignore_index=True)
    tables["persons"] = finish_table(people, "persons")
    del tables["municipality_years"]
    if part.number == 0:
        tables["municipality_years"] = make_municipality_years(course, size_municipalities())
    return tables


def _others_per_victim() -> float:
    return INHABITANTS / NATION.default_people - IN_REPORTS_PER_VICTIM


@cache
def size_municipalities() -> Mapping[str, float]:
    """Thousands of people in each municipality: by its group alone, so they are no statistics."""
    groups = load_dictionary().codes("skr_groups").drop_duplicates("municipality_code")
    sizes = groups.set_index("municipality_code")["skr_group"].map(THOUSANDS)
    scaled = sizes / sizes.sum() * INHABITANTS / 1000
    return {str(code): float(size) for code, size in scaled.items()}


def _find_homes(ids: pd.Series, seed: int) -> np.ndarray:
    """The home of each pseudonym, by the pseudonym alone; empty for none."""
    sizes = size_municipalities()
    known = ids.notna().to_numpy()
    numbers = np.array([int(one[1:], 16) for one in ids[known]], dtype=np.int64)
    homes = np.full(len(ids), None, dtype=object)
    homes[known] = np.array(list(sizes), dtype=object)[
        _draw_places(seed, numbers, "national_home", np.fromiter(sizes.values(), float))
    ]
    return homes


def _draw_places(seed: int, units: Integers, stream: str, weights: np.ndarray) -> Integers:
    """As ``draw_category`` of one list of many shares, by a search instead of a table."""
    return np.searchsorted(
        np.cumsum(weights), draw_uniform(seed, units, stream) * weights.sum(), side="right"
    )


def _spread_homes(tables: dict[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """Give all a home in the nation: a report where the victim lives, a suspect as the victim."""
    reports = tables["reports"]
    reports = reports.assign(municipality_code=_find_homes(reports["victim_id"], seed))
    of_suspects = reports.dropna(subset="suspect_id").drop_duplicates("suspect_id")
    homes = of_suspects.set_index("suspect_id")["municipality_code"]
    persons, social = tables["persons"], tables["social_interventions"]
    own = _find_homes(persons["person_id"], seed)
    contacts = tables["centre_contacts"]
    seekers = contacts["person_id"].fillna(contacts["contact_id"])
    return {
        **tables,
        "reports": reports,
        "persons": persons.assign(municipality_code=persons["person_id"].map(homes).fillna(
            pd.Series(own, index=persons.index))),
        "social_interventions": social.assign(
            municipality_code=_find_homes(social["person_id"], seed)),
        "centre_contacts": contacts.assign(municipality_code=_find_homes(seekers, seed)),
    }  # fmt: skip


def _draw_inhabitants(units: Integers, seed: int) -> pd.DataFrame:
    """Rows of ``persons`` for those who are in no report."""
    ids = make_ids("p", seed, units)
    years = 1920 + draw_days(seed, units, "n_born", 0, 90)
    is_dead = draw_chance(seed, units, "n_died", np.where(years < 1950, 0.3, 0.01))
    died_on = SPAN_ON + draw_days(seed, units, "n_died_on", 730, SPAN_DAYS).astype("timedelta64[D]")
    kinds = np.array(["none", "confidentiality_mark", "protected_registration"], dtype=object)
    return pd.DataFrame({
        "person_id": ids, "birth_year": years,
        "sex": np.where(draw_chance(seed, units, "n_sex", 0.5), "male", "female"),
        "municipality_code": _find_homes(pd.Series(ids, dtype=object), seed),
        "died_on": np.where(is_dead, died_on, NO_DATE).astype("datetime64[ns]"),
        "emigrated_on": np.full(len(units), NO_DATE).astype("datetime64[ns]"),
        "protected_identity": kinds[draw_category(seed, units, "n_shield", (0.997, 0.002, 0.001))],
    })  # fmt: skip
