"""Studies made by hand for releases: a table of people becomes the tables that a run leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.commands.folders import RELEASE, RESTRICTED
from revictimisation.commands.manifest import Run, hash_code
from revictimisation.core import files
from revictimisation.core.packing import pack_check
from revictimisation.core.results import make_estimates
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.control import disclose_tables
from revictimisation.disclosure.register import Earlier, make_entry, take_exact, take_rounded
from revictimisation.disclosure.release import Protected, Tables, protect
from revictimisation.plan import Disclosure, StudyPlan, read_plan

RULES = Disclosure(threshold=5, rounding=5)
_disclosed: dict[tuple[str, str], Any] = {}
GROUPS = ("sex", "age_group", "risk_level")
MEASURES = ("safety_talk", "support_talks", "alarm_package")
AGES = ("13-17", "18-26", "27-44", "45-64", "65+")
STUDY = "name: {name}\nmeasures: {{}}\nadjust_for: []\nsubgroups: [sex, age_group, risk_level]\n"


def draw_people(n_people: int, seed: int = 1) -> pd.DataFrame:
    """A row per victim: groups, measures they got, whether and when there was a new report."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame(
        {
            "sex": rng.choice(["female", "male"], n_people, p=[0.85, 0.15]),
            "age_group": rng.choice(AGES, n_people, p=[0.1, 0.25, 0.4, 0.2, 0.05]),
            "risk_level": rng.choice(["low", "moderate", "high"], n_people, p=[0.4, 0.4, 0.2]),
            "event_day": rng.integers(2, 1461, n_people).astype(float),
        }
    )
    people.loc[rng.random(n_people) > 0.4, "event_day"] = np.inf
    for name, share in zip(MEASURES, (0.4, 0.25, 0.08), strict=True):
        people[name] = rng.random(n_people) < share
    return people


def list_groups(people: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Everybody, then every level of every group: its names and its people."""
    levels = [(name, level) for name in GROUPS for level in sorted(people[name].unique())]
    parts = [(name, level, people[people[name] == level]) for name, level in levels]
    return [("", "", people), *parts]


def count_rows(people: pd.DataFrame) -> list[dict[str, object]]:
    """Counts and shares of every measure, risks of everybody, and a rate of each measure."""
    rows: list[dict[str, object]] = []
    for subgroup, level, part in list_groups(people):
        group = {"subgroup": subgroup, "level": level, "n_people": len(part)}
        for measure in MEASURES:
            got = int(part[measure].sum())
            same = {**group, "question": "q1", "measure": measure, "outcome": "granted",
                    "estimator": "description", "n_events": got}  # fmt: skip
            rows.append({**same, "estimand": "count", "estimate": got})
            rows.append({**same, "estimand": "share", "estimate": got / len(part)})
            again = int((part[measure] & np.isfinite(part["event_day"])).sum())
            ratio = {"question": "q2", "measure": measure, "estimator": "cox_time_varying",
                     "estimand": "hazard_ratio", "n_events": again, "se": 0.1}  # fmt: skip
            rows.append({**group, **ratio, "estimate": 1 + again / (1 + len(part))})
    for day in (365, 730, 1461):
        for subgroup, level, part in list_groups(people):
            n_events = int((part["event_day"] <= day).sum())
            rows.append({"question": "q2", "analysis": "curve", "subgroup": subgroup,
                         "level": level, "estimator": "aalen_johansen", "time_days": day,
                         "estimand": "cumulative_incidence", "n_people": len(part),
                         "n_events": n_events, "estimate": n_events / len(part)})  # fmt: skip
    return rows


def make_restricted(people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The exact tables of a study of these people."""
    n_people, n_events = len(people), int(np.isfinite(people["event_day"]).sum())
    steps = [("reports", "in_extract", n_people + 50, n_people + 90, 0),
             ("reports", "before_accrual", n_people, n_people, 90)]  # fmt: skip
    checks = [("main", "", "n_events", n_events)]
    checks += [("main", "safety_talk", pack_check("n_events", "start", group=name, level=level),
                int(np.isfinite(part["event_day"]).sum()))
               for name, level, part in list_groups(people)[1:]]  # fmt: skip
    columns = ["step", "reason", "n_people", "n_reports", "n_dropped"]
    named = pd.DataFrame(checks, columns=["analysis", "measure", "check", "value"])
    return {
        "estimates": make_estimates(count_rows(people)),
        "attrition": pd.DataFrame(steps, columns=columns).assign(status="ok"),
        "diagnostics": named.assign(value=named["value"].astype(float), limit=np.nan, status="ok"),
    }


def make_plan(rules: Disclosure) -> StudyPlan:
    plan = read_plan(STUDY.format(name="mini"))
    return plan.model_copy(update={"disclosure": rules})


def disclose(restricted: Tables, rules: Disclosure = RULES) -> dict[str, pd.DataFrame]:
    """What would be released if nothing had been before."""
    return disclose_tables(restricted, make_plan(rules), load_dictionary())


def remember(people: pd.DataFrame, rules: Disclosure = RULES, is_exact: bool = True) -> Earlier:
    """A release of these people as the register knows it, or by what left alone."""
    entry, released = _disclose_once(people, rules)
    return (
        take_exact("earlier", rules, entry)
        if is_exact
        else take_rounded("earlier", rules, released)
    )


def _disclose_once(people: pd.DataFrame, rules: Disclosure) -> Any:
    """The register's entry and the release of these people, made once for all tests."""
    key = people.to_csv(), rules.model_dump_json()
    if key not in _disclosed:
        restricted = make_restricted(people)
        released = disclose(restricted, rules)
        _disclosed[key] = make_entry(restricted, released), released
    return _disclosed[key]


def release(people: pd.DataFrame, *earlier: Earlier, rules: Disclosure = RULES) -> Protected:
    """Release these people beside earlier releases."""
    return protect(make_restricted(people), make_plan(rules), load_dictionary(), earlier)


def leave_run(out: Path, people: pd.DataFrame, name: str = "mini") -> Path:
    """A folder as `estimate` leaves it."""
    text = STUDY.format(name=name)
    data = out.parent / f"{out.name}_extract"
    files.write_text(data / "persons.csv", people.to_csv())
    run = Run(data, data, out, "revictimisation estimate", 1, read_plan(text), text,
              files.hash_files(data), files.stamp_files(data), hash_code())  # fmt: skip
    restricted = make_restricted(people)
    with run.finish("estimate", run.key("estimate")) as stage:
        for folder, tables in ((RESTRICTED, restricted), (RELEASE, disclose(restricted))):
            for table, frame in tables.items():
                files.write_table(frame, stage / folder, table, ("csv", "parquet"), run.about)
    return out
