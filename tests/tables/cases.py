"""Random extracts of whole, typed tables, small and dense: most of what can collide does."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pyarrow as pa

from revictimisation.dictionary import load_dictionary

FIRST_ON = dt.date(2013, 12, 1)  # the days run into the next year
DAYS = 60
KINDS = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
# Code, first day, group; 1001 changes its group, 7777 is in no list.
OFFENCES = [
    ("1001", "2000-01-01", "threat"),
    ("1001", "2013-12-20", "assault"),
    ("1002", "", "molestation"),
    ("1003", "2014-01-10", "breach_of_order"),
]
RELATIONS = ["former_partner", "parent", "stranger", "unknown"]
STUDY = """
name: cases
accrual: {from_on: 2013-12-10, to_on: 2014-01-25}
data_end_on: 2014-02-05
eligibility: {relations: [former_partner, parent, stranger, unknown], washout_days: 3}
horizon_days: 40
report_at_days: [10, 40]
measures:
  order: {codes: [non_contact_order, alarm_package]}
  programme: {codes: [treatment_programme]}
  joint: {joint_within_days: 5}
adjust_for: []
subgroups: []
"""
_numbers = itertools.count()


class SmallDictionary:
    """The project's dictionary with an offence list of the tests' own."""

    def __init__(self) -> None:
        self.real = load_dictionary()
        columns = ["code", "valid_from_on", "offence_group"]
        self.own = {"offences": pd.DataFrame(OFFENCES, columns=columns)}

    def codes(self, name: str) -> pd.DataFrame:
        return self.own[name] if name in self.own else self.real.codes(name)


def random_rows(seed: int, n_victims: int = 60) -> dict[str, list[dict]]:
    """Rows by table. `v10` sorts before `v2`; `s2` is one victim's alone."""
    rng = np.random.default_rng(seed)

    def pick(*values):
        return values[int(rng.integers(len(values)))]

    def day(low: int = 0, high: int = DAYS) -> dt.date:
        return FIRST_ON + dt.timedelta(days=int(rng.integers(low, high)))

    def spell(index: int) -> dict:
        start = pick(day(-5), day(), None)
        days = dt.timedelta(days=int(rng.integers(0, 20)))
        end = pick(start + days, None) if start else None
        return {"decided_on": day(), "start_on": start, "end_on": end, "decision": "granted"}

    victims = [f"v{i}" for i in range(n_victims)]
    ids = itertools.count()
    rows = {
        "persons": [
            {
                "person_id": victim,
                "birth_year": pick(1890, 1950, 1996, 2001, 2002, None),
                "sex": pick("female", "male", "unknown", None),
                "municipality_code": "0180",
                "protected_identity": pick("none", "new_identity", None),
                "died_on": pick(None, None, None, day()),
                "emigrated_on": pick(None, None, None, day()),
            }
            for victim in victims
        ],
        "reports": [
            {
                "report_id": f"r{next(ids)}",
                "victim_id": pick(*victims),
                "suspect_id": pick("s0", "s1", None),
                "reported_on": day(),
                "offence_code": pick("1001", "1002", "1003", "7777"),
                "relation": pick(*RELATIONS),
                "is_honour": pick(True, False, None),
                "police_district": pick("city", "norrort", "atlantis", None),
                "municipality_code": pick("0180", "0114", "9999", None),
            }
            for _ in range(5 * n_victims)
        ],
        "risk_assessments": [
            {
                "assessment_id": f"a{next(ids)}",
                "victim_id": pick(*victims, "elsewhere"),
                "agency": "police",
                "instrument": "other",
                "assessed_on": day(),
                "risk_level": pick("low", "moderate", "high"),
            }
            for _ in range(6 * n_victims)
        ],
        "police_measures": [
            {
                "measure_id": f"m{next(ids)}",
                "victim_id": pick(*victims, "elsewhere"),
                "measure": pick("non_contact_order", "alarm_package", "safety_talk"),
                **spell(i),
            }
            for i in range(4 * n_victims)
        ],
        "social_interventions": [
            {
                "intervention_id": f"i{next(ids)}",
                "person_id": pick(*victims, "elsewhere"),
                "intervention": pick("support_talks", "contact_person"),
                **spell(i),
            }
            for i in range(3 * n_victims)
        ],
        "suspect_interventions": [
            {
                "intervention_id": f"p{next(ids)}",
                "suspect_id": pick("s0", "s1", "s9"),
                "intervention": pick("treatment_programme", "arrest"),
                **spell(i),
            }
            for i in range(n_victims)
        ],
        "municipality_years": [
            {"municipality_code": "0180", "year": 2014, "skr_group": "of_the_extract"},
            {"municipality_code": "0114", "year": 2013, "skr_group": None},
        ],
        "centre_contacts": [
            {"contact_id": "c0", "contacted_on": day(), "contact_kind": "outreach"}
        ],
    }
    same = ("victim_id", "suspect_id", "reported_on")
    reports = rows["reports"]
    for row in reports[2 * n_victims :]:  # of the later, most say more about an earlier's day
        if rng.random() < 0.7:
            earlier = pick(*reports[: 2 * n_victims])
            row.update({name: earlier[name] for name in same})
    return rows


def make_tables(con, rows: dict[str, list[dict]]) -> dict:
    """Every table an extract may hold, typed by the dictionary, in the engine."""
    tables = {}
    for name, table in load_dictionary().tables.items():
        if table.direction != "in":
            continue
        numbered = [
            {"row_number": number, **row} for number, row in enumerate(rows.get(name, []), start=2)
        ]
        fields = [("row_number", pa.int64())]
        fields += [(field.name, KINDS[field.type]) for field in table.fields]
        made = pa.Table.from_pylist(numbered, schema=pa.schema(fields))
        tables[name] = con.backend.create_table(f"case_{next(_numbers)}", made, temp=True)
    return tables
