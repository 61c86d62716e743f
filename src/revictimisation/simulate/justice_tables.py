"""What the police, prosecutors and courts do with a report and its suspect."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

from revictimisation.simulate.course import (
    NO_DATE,
    Course,
    blank_unless,
    finish_table,
    make_ids,
)
from revictimisation.simulate.courts import ASSAULT_ON_MEN, Court
from revictimisation.simulate.in_force import list_spells
from revictimisation.simulate.population import add_terms
from revictimisation.simulate.randoms import (
    Floats,
    Integers,
    draw_category,
    draw_chance,
    draw_days,
    draw_exponential,
)
from revictimisation.simulate.report_tables import name_suspects
from revictimisation.simulate.scenarios import Numbers

CLEARED_KINDS = ("prosecuted", "summary_penalty", "prosecution_waived")
CLEARED_KIND_SHARES = (0.86, 0.10, 0.04)
CONVICTED_SHARE = 0.80
PRISON_SHARE = 0.25
CLOSING = ("no_evidence", "victim_withdrew", "suspect_unknown", "not_a_crime", "limited", "other")
CLOSING_SHARES = (0.52, 0.24, 0.0, 0.12, 0.06, 0.06)
BLANK_SHARE = 0.06
EVIDENCE_COLUMNS = (
    "has_witness",
    "has_documented_injury",
    "has_victim_participation",
    "has_admission",
)
RARE_INTERVENTIONS = MappingProxyType({  # share of reports, wait and length in days
    "arrest": (0.20, 0, 2), "remand": (0.07, 3, 30), "treatment_programme": (0.05, 60, 180),
    "support_talks_perpetrator": (0.06, 40, 120),
})  # fmt: skip


def date_cases(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row per report and known suspect with the days on which its steps would be taken.

    Columns opened_on, closed_on (the first decision), judged_on beside those of `rows`; nothing but
    chance moves them.
    """
    cases = rows[rows["suspect"] >= 0].drop_duplicates(["filing", "suspect"]).copy()
    cases = cases.reset_index(drop=True)
    cases["case"] = cases["filing"] * 4 + cases["suspect"] % 4
    numbers = cases["case"].to_numpy()
    on = cases["reported_on"].to_numpy().astype("datetime64[D]")
    cases["opened_on"] = on + _days(draw_days(seed, numbers, "opened", 0, 5))
    wait = np.floor(draw_exponential(seed, numbers, "closed", 90)).astype(np.int64)
    cases["closed_on"] = cases["opened_on"].to_numpy() + _days(wait + 10)
    court = np.floor(draw_exponential(seed, numbers, "court", 120)).astype(np.int64)
    cases["judged_on"] = cases["closed_on"].to_numpy() + _days(court + 20)
    return cases


def describe_victims(course: Course, rows: pd.DataFrame) -> pd.DataFrame:
    """Add what else of the victim a case hangs on; bystanders are of no known risk."""
    victims = course.setting.victims
    known = rows["victim"].notna().to_numpy()
    place = rows["victim"].fillna(0).to_numpy(np.int64)
    out = rows.copy()
    for name, unknown in (("risk_level", "missing"), ("n_earlier_reports", 0)):
        out[name] = np.where(known, victims[name].to_numpy()[place], unknown)
    out["n_earlier_reports"] = out["n_earlier_reports"].astype(np.int64)
    return out


def mark_started(course: Course, cases: pd.DataFrame) -> pd.DataFrame:
    """Say for each case which study measures count in it: a column of truth values a measure.

    A measure counts that is in force at some time from the day of the report on, and had started by
    the end of its grace time from that day and before the first decision: what comes after a
    decision does nothing to it.
    """
    wait = (cases["closed_on"] - cases["reported_on"]).dt.days.to_numpy()
    day = cases["day"].to_numpy(float)
    place = {}
    for number, measure in enumerate(course.scenario.measures):
        latest = np.minimum(day + measure.grace_days, day + wait - 1)
        spells = list_spells(course.setting.given.running, course.events, number)
        rows = pd.DataFrame({"victim": cases["victim"], "day": day, "latest": latest})
        joined = rows.reset_index(names="row").merge(spells, on="victim")
        counts = (joined["start_day"] <= joined["latest"]) & (joined["end_day"] > joined["day"])
        found = np.zeros(len(cases), dtype=bool)
        found[joined.loc[counts, "row"].to_numpy()] = True
        place[measure.name] = found
    return pd.DataFrame(place, index=cases.index)


def draw_evidence(
    cases: pd.DataFrame, started: pd.DataFrame, court: Court, seed: int
) -> pd.DataFrame:
    """Draw what evidence each case has, and whether the victim takes part."""
    numbers = cases["case"].to_numpy()
    push = {
        "has_documented_injury": add_terms(cases, court.injury),
        "has_victim_participation": add_terms(cases, court.takes_part)
        + _sum_measures(started, court.measures_part),
    }
    found = {}
    for name, share in court.evidence.items():
        odds = np.exp(np.log(share / (1 - share)) + push.get(name, np.zeros(len(cases))))
        found[name] = draw_chance(seed, numbers, name, odds / (1 + odds))
    return pd.DataFrame(found, index=cases.index)


def find_cleared_chance(
    cases: pd.DataFrame, started: pd.DataFrame, evidence: pd.DataFrame, court: Court
) -> Floats:
    """Chance that the suspect is prosecuted, fined or waived."""
    line = add_terms(cases, court.strength) + _sum_measures(started, court.measures_cleared)
    for name, weight in court.weight.items():
        line = line + weight * evidence[name].to_numpy()
    is_man = (cases["offence_group"] == "assault") & (cases["sex"] == "male")
    group = cases["offence_group"].mask(is_man, ASSAULT_ON_MEN)
    line = line + group.map(court.base).fillna(-np.inf).to_numpy(float)
    return 1.0 / (1.0 + np.exp(-line))


def _sum_measures(started: pd.DataFrame, log_odds: Numbers) -> Floats:
    total = np.zeros(len(started))
    for name, value in log_odds.items():
        total = total + value * started[name].to_numpy()
    return total


def decide_cases(
    cases: pd.DataFrame, started: pd.DataFrame, court: Court, seed: int,
    started_for_part: pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Draw what comes of each case: evidence, is_cleared, first_decision, is_convicted.

    `started_for_part`: what participation hangs on, where it is to be another than `started`.
    """
    numbers = cases["case"].to_numpy()
    own = started if started_for_part is None else started_for_part
    evidence = draw_evidence(cases, own, court, seed)
    chance = find_cleared_chance(cases, started, evidence, court)
    is_cleared = draw_chance(seed, numbers, "cleared", chance)
    kind = np.array(CLEARED_KINDS)[draw_category(seed, numbers, "kind", CLEARED_KIND_SHARES)]
    kind = np.where(is_cleared, kind, "discontinued")
    is_convicted = draw_chance(seed, numbers, "convicted", CONVICTED_SHARE)
    is_convicted &= kind == "prosecuted"
    return evidence.assign(is_cleared=is_cleared, first_decision=kind, is_convicted=is_convicted)


def draw_cases(rows: pd.DataFrame, course: Course, court: Court, data_end_on: str) -> pd.DataFrame:
    """A row per report and known suspect, with all that comes of it; later dates are blank."""
    seed = course.seed
    cases = date_cases(rows, seed)
    cases = cases.join(decide_cases(cases, mark_started(course, cases), court, seed))
    cases["report_id"] = make_ids("r", seed, cases["filing"].to_numpy())
    cases["suspect_id"] = name_suspects(cases["suspect"].to_numpy(), seed)
    end = np.datetime64(data_end_on)
    for name in ("closed_on", "judged_on"):
        cases[name] = cases[name].where(cases[name] <= end)
    return cases[cases["opened_on"] <= end].reset_index(drop=True)


def _days(days: Integers) -> np.ndarray:
    return days.astype("timedelta64[D]")


def make_investigations(cases: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Write the contract's table ``investigations``: a row per report x suspect."""
    frame, numbers = cases.copy(), cases["case"].to_numpy()
    reason = np.array(CLOSING, dtype=object)[
        draw_category(seed, numbers, "closing", CLOSING_SHARES)
    ]
    has_reason = cases["closed_on"].notna() & ~cases["is_cleared"]
    frame["closing_reason"] = blank_unless(has_reason, reason)
    for name in EVIDENCE_COLUMNS:
        is_blank = draw_chance(seed, numbers, f"blank_{name}", BLANK_SHARE)
        frame[name] = cases[name].astype("boolean").mask(is_blank)
    return finish_table(frame, "investigations")


def make_case_decisions(cases: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Write the contract's table ``case_decisions``: a row per step of a case."""
    first = cases[["report_id", "suspect_id", "case"]].assign(
        decided_on=cases["closed_on"], decision=cases["first_decision"]
    )
    is_tried = (first["decision"] == "prosecuted") & cases["judged_on"].notna()
    second = first[is_tried].assign(decided_on=cases.loc[is_tried, "judged_on"])
    tried = second["case"].to_numpy()
    is_convicted = cases.loc[is_tried, "is_convicted"].to_numpy()
    second["decision"] = np.where(is_convicted, "convicted", "acquitted")
    is_prison = is_convicted & draw_chance(seed, tried, "prison", PRISON_SHARE)
    from_on = second["decided_on"].to_numpy().astype("datetime64[D]")
    from_on = from_on + _days(draw_days(seed, tried, "prison_wait", 0, 60))
    months = 30 + np.floor(draw_exponential(seed, tried, "prison_days", 150)).astype(np.int64)
    steps = pd.concat([first, second], ignore_index=True)
    none = np.full(len(first), NO_DATE)
    steps["custody_from_on"] = np.append(none, np.where(is_prison, from_on, NO_DATE))
    steps["custody_to_on"] = np.append(none, np.where(is_prison, from_on + _days(months), NO_DATE))
    steps = steps.dropna(subset="decided_on")
    return finish_table(steps, "case_decisions")


def make_suspect_interventions(
    cases: pd.DataFrame, decisions: pd.DataFrame, seed: int, data_end_on: str
) -> pd.DataFrame:
    """Write the contract's table ``suspect_interventions``: a row per measure at the suspect."""
    parts = []
    for turn, (name, (share, wait, length)) in enumerate(RARE_INTERVENTIONS.items()):
        mine = cases[draw_chance(seed, cases["case"].to_numpy(), name, share)]
        numbers = mine["case"].to_numpy() * 8 + turn
        start = np.floor(draw_exponential(seed, numbers, "s_start", wait)).astype(np.int64)
        days = 1 + np.floor(draw_exponential(seed, numbers, "s_days", length)).astype(np.int64)
        start_on = mine["opened_on"].to_numpy().astype("datetime64[D]") + _days(start)
        parts.append(pd.DataFrame({
            "number": numbers, "suspect_id": mine["suspect_id"], "intervention": name,
            "decided_on": start_on, "start_on": start_on, "end_on": start_on + _days(days),
        }))  # fmt: skip
    parts.append(_collect_prison(decisions, seed))
    rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
    end = np.datetime64(data_end_on)
    rows = rows[rows["start_on"] <= end].reset_index(drop=True)
    rows["end_on"] = rows["end_on"].where(rows["end_on"] <= end)
    numbers = rows["number"].to_numpy()
    is_done = pd.Series(draw_chance(seed, numbers, "s_done", 0.6)).astype("boolean")
    has_end = rows["intervention"].isin(["treatment_programme", "prison_programme"])
    rows["is_completed"] = is_done.where(has_end & rows["end_on"].notna())
    rows["intervention_id"] = make_ids("u", seed, numbers)
    return finish_table(rows, "suspect_interventions")


def _collect_prison(decisions: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Programmes in prison, a share of those in custody after a conviction."""
    served = decisions[decisions["custody_from_on"].notna()].reset_index(drop=True)
    hashed = pd.util.hash_pandas_object(served["report_id"], index=False).to_numpy()
    turn = served.groupby("report_id").cumcount()  # a report may have two suspects in prison
    served["number"] = (hashed >> np.uint64(4)).astype(np.int64) + turn.to_numpy()
    mine = served[draw_chance(seed, served["number"].to_numpy(), "prison_programme", 0.3)]
    return pd.DataFrame({
        "number": mine["number"], "suspect_id": mine["suspect_id"],
        "intervention": "prison_programme", "decided_on": mine["custody_from_on"],
        "start_on": mine["custody_from_on"], "end_on": mine["custody_to_on"],
    })  # fmt: skip
