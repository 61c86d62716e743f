"""A slow, independent reading of the contract: one person and one day at a time, in plain Python.

It shares no code with the table stages. `random_extract` makes small extracts in which everything
that can collide does: many reports a day, measures that start on the day of a report, of a death,
of the end of follow-up.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import numpy as np
import pandas as pd

FIRST_ON = dt.date(2013, 1, 1)
DAYS = 60
SUSPECTS = ("s0", "s1", "s2")
OFFENCES = ["9353", "0412", "9999"]


def random_extract(seed: int, n_victims: int = 25) -> dict[str, pd.DataFrame]:
    """A small, dense extract: everything happens within `DAYS` days of `FIRST_ON`."""
    rng = np.random.default_rng(seed)

    def day(low: int = 0, high: int = DAYS) -> dt.date:
        return FIRST_ON + dt.timedelta(days=int(rng.integers(low, high)))

    def maybe(value: object, share: float) -> object:
        return value if rng.random() < share else None

    victims = [f"v{i}" for i in range(n_victims)]
    suspects = [*SUSPECTS, None]
    persons = [
        {
            "person_id": victim,
            "birth_year": maybe(int(rng.integers(1940, 2010)), 0.9),
            "sex": str(rng.choice(["female", "male"])),
            "died_on": maybe(day(30), 0.2),
            "emigrated_on": maybe(day(), 0.2),
        }
        for victim in victims
    ]
    reports = [
        {
            "report_id": f"r{i}",
            "victim_id": str(rng.choice(victims)),
            "suspect_id": suspects[int(rng.integers(0, 4))],
            "reported_on": day(),
            "offence_code": str(rng.choice(OFFENCES)),
            "relation": str(rng.choice(["former_partner", "parent", "stranger"])),
            "is_honour": [True, False, None][int(rng.integers(0, 3))] if i % 4 == 0 else False,
            "police_district": str(rng.choice(["city", "norrort"])),
        }
        for i in range(6 * n_victims)
    ]
    measures = []
    for _ in range(4 * n_victims):
        start = maybe(day(-10), 0.9)
        length = dt.timedelta(days=int(rng.integers(0, 25)))
        measures.append(
            {
                "victim_id": str(rng.choice(victims)),
                "code": str(rng.choice(["non_contact_order", "safety_talk", "support_talks"])),
                "start_on": start,
                "end_on": maybe(start + length, 0.8) if start else None,
            }
        )
    return {
        "persons": pd.DataFrame(persons),
        "reports": pd.DataFrame(reports),
        "measures": pd.DataFrame(measures),
    }


def _rows(frame: pd.DataFrame) -> list[dict]:
    cleaned = frame.astype(object).where(frame.notna(), None)
    return cleaned.to_dict("records")


def _by_victim(frame: pd.DataFrame) -> dict[str, list[dict]]:
    found = defaultdict(list)
    for row in _rows(frame):
        found[row["victim_id"]].append(row)
    return found


class Oracle:
    """Answers about one extract under one plan, by brute force."""

    def __init__(self, extract: dict[str, pd.DataFrame], plan, breach_codes: set[str]) -> None:
        self.plan = plan
        self.breach_codes = breach_codes
        self.persons = {row["person_id"]: row for row in _rows(extract["persons"])}
        self.reports = _by_victim(extract["reports"])
        self.measures = _by_victim(extract["measures"])

    def reports_on(self, victim: str, suspect: str | None, on: dt.date, anyone: bool) -> list[dict]:
        return [
            row
            for row in self.reports[victim]
            if row["reported_on"] == on and (anyone or row["suspect_id"] == suspect)
        ]

    def index_on(self, victim: str, suspect: str) -> dt.date | None:
        """The first eligible report, going through the accrual time day by day."""
        plan = self.plan
        on = plan.accrual.from_on
        while on <= plan.accrual.to_on:
            rows = self.reports_on(victim, suspect, on, anyone=False)
            if rows and self.is_eligible(victim, suspect, on, rows):
                return on
            on += dt.timedelta(days=1)
        return None

    def is_eligible(self, victim: str, suspect: str, on: dt.date, rows: list[dict]) -> bool:
        plan = self.plan
        relations = {self.gravest(rows)["relation"]}
        if not relations & set(plan.eligibility.relations):
            return False
        if plan.eligibility.honour == "only" and not any(row["is_honour"] for row in rows):
            return False
        birth_year = self.persons[victim]["birth_year"]
        if birth_year is None:
            if plan.eligibility.min_age > 0 or plan.eligibility.max_age < 120:
                return False
        elif not plan.eligibility.min_age <= on.year - birth_year <= plan.eligibility.max_age:
            return False
        for back in range(1, plan.eligibility.washout_days + 1):
            if self.reports_on(victim, suspect, on - dt.timedelta(days=back), anyone=False):
                return False
        return True

    def gravest(self, rows: list[dict]) -> dict:
        gravity = {"0412": 2, "9353": 1, "9999": 0}
        return sorted(
            rows,
            key=lambda row: (
                -gravity[row["offence_code"]],
                row["offence_code"],
                row["relation"],
                row["police_district"],
            ),
        )[0]

    def follow(self, victim: str, suspect: str) -> dict | None:
        """One entry followed day by day: where it stops, why, and every outcome day."""
        start = self.index_on(victim, suspect)
        if start is None:
            return None
        plan, person = self.plan, self.persons[victim]
        anyone = plan.outcome.who != "same_suspect"
        first, outcomes, end = None, [], None
        if person["died_on"] == start or person["emigrated_on"] == start:
            return None
        for day in range(1, plan.horizon_days + 1):
            on = start + dt.timedelta(days=day)
            if on > plan.data_end_on:
                break
            end = day
            rows = self.reports_on(victim, suspect, on, anyone)
            if plan.outcome.who == "any_kin":
                rows = [row for row in rows
                        if row["suspect_id"] == suspect or self.is_kin(victim, row)]  # fmt: skip
            counts = bool(rows) and day > plan.outcome.lag_days
            if plan.outcome.drop_breach_only and rows:
                counts = counts and any(
                    row["offence_code"] not in self.breach_codes for row in rows
                )
            if counts:
                outcomes.append(day)
                first = first or day
            if person["died_on"] == on or person["emigrated_on"] == on:
                break
        if end is None or (person["died_on"] and person["died_on"] < start):
            return None
        last = start + dt.timedelta(days=end)
        cause = 1 if first else 2 if person["died_on"] == last else 0
        if not cause and person["emigrated_on"] == last:
            cause = 3
        return {
            "index_on": start,
            "stop_day": first or end,
            "end_day": end,
            "cause": cause,
            "end_cause": 2 if person["died_on"] == last else 3 * (person["emigrated_on"] == last),
            "outcomes": outcomes,
        }

    def is_kin(self, victim: str, row: dict) -> bool:
        """Whether the victim ever calls a report's suspect kin; one unknown: in this report."""
        mine = [row] if row["suspect_id"] is None else [
            one for one in self.reports[victim] if one["suspect_id"] == row["suspect_id"]
        ]  # fmt: skip
        kin = ("parent", "sibling", "child", "other_relative")
        return any(one["relation"] in kin for one in mine)

    def is_outsider(self, victim: str, suspect: str) -> bool:
        """Whether all that the victim ever says of the suspect is acquaintance or stranger."""
        mine = [row for row in self.reports[victim] if row["suspect_id"] == suspect]
        return all(row["relation"] in ("acquaintance", "stranger") for row in mine)

    def control_day(
        self, victim: str, entry: dict, index: dict[str, dt.date], kind: str
    ) -> int | None:
        """The first day of a report against somebody known who is no index suspect of the victim.

        A day on which an index suspect is reported too is none. Goes on past the first outcome.
        `index`: the victim's index suspects and days. `kind`: other_day counts all, control_day no
        honour-related report and in honour cases only outsiders, outsider_day only these.
        """
        plan = self.plan
        in_honour = any(
            row["is_honour"]
            for suspect, on in index.items()
            for row in self.reports_on(victim, suspect, on, anyone=False)
        )
        for day in range(plan.outcome.lag_days + 1, entry["end_day"] + 1):
            on = entry["index_on"] + dt.timedelta(days=day)
            rows = self.reports_on(victim, None, on, anyone=True)
            if any(row["suspect_id"] in index for row in rows):
                continue
            for other in {row["suspect_id"] for row in rows} - {None}:
                mine = [row for row in rows if row["suspect_id"] == other]
                if plan.outcome.drop_breach_only and all(
                    row["offence_code"] in self.breach_codes for row in mine
                ):
                    continue
                needs_outsider = kind == "outsider_day" or (kind == "control_day" and in_honour)
                if plan.outcome.who == "any_kin" and any(
                    self.is_kin(victim, row)
                    for row in self.reports[victim]
                    if row["suspect_id"] == other
                ):
                    continue
                if needs_outsider and not self.is_outsider(victim, other):
                    continue
                if kind != "other_day" and any(row["is_honour"] for row in mine):
                    continue
                return day
        return None

    def is_in_force(self, victim: str, codes: tuple[str, ...], on: dt.date) -> bool:
        """Whether a measure acts on a day: it started before it and had not ended before it."""
        return any(
            row["code"] in codes
            and row["start_on"] is not None
            and row["start_on"] < on
            and (row["end_on"] is None or on <= row["end_on"])
            for row in self.measures[victim]
        )

    def starts(self, victim: str, codes: tuple[str, ...], index_on: dt.date) -> dict:
        """First start on or after day 0, and whether the measure ran before and still runs."""
        mine = [row for row in self.measures[victim] if row["code"] in codes and row["start_on"]]
        days = sorted((row["start_on"] - index_on).days for row in mine)
        return {
            "first_start_day": next((day for day in days if day >= 0), None),
            "is_running_before": any(
                row["start_on"] < index_on and (row["end_on"] is None or row["end_on"] > index_on)
                for row in mine
            ),
        }
