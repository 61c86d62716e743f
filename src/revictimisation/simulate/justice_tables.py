"""What the police, prosecutors and courts do with a report and its suspect."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

from revictimisation.simulate.course import NO_DATE, blank_unless, finish_table, make_ids
from revictimisation.simulate.randoms import (
    Floats,
    Integers,
    draw_category,
    draw_chance,
    draw_days,
    draw_exponential,
)
from revictimisation.simulate.report_tables import name_suspects

INVESTIGATION_COLUMNS = [
    "report_id", "suspect_id", "opened_on", "closed_on", "closing_reason", "has_witness",
    "has_documented_injury", "has_victim_participation", "has_admission",
]  # fmt: skip
DECISION_COLUMNS = [
    "report_id", "suspect_id", "decided_on", "decision", "custody_from_on", "custody_to_on",
]  # fmt: skip
SUSPECT_COLUMNS = [
    "intervention_id", "suspect_id", "intervention", "decided_on", "start_on", "end_on",
    "is_completed",
]  # fmt: skip
# persons lagforda of reports, published by type of offence; the logit is solved for them
CLEARED_SHARES = MappingProxyType({
    "assault": 0.16, "gross_violation_of_integrity": 0.23, "threat": 0.17,
    "unlawful_persecution": 0.40, "breach_of_order": 0.31, "rape_sexual": 0.12,
    "molestation": 0.10, "damage": 0.08, "homicide_attempt": 0.30,
})  # fmt: skip
CLEARED_MALE_VICTIM = MappingProxyType({"assault": 0.08})
EVIDENCE = MappingProxyType({  # share, log odds of prosecution
    "has_witness": (0.30, 0.6), "has_documented_injury": (0.28, 0.7),
    "has_victim_participation": (0.50, 1.1), "has_admission": (0.08, 1.8),
})  # fmt: skip
SUPPORT_LOG_ODDS = 0.6  # support talks in force raise participation: a mediator
CLEARED_KINDS = ("prosecuted", "summary_penalty", "prosecution_waived")
CLEARED_KIND_SHARES = (0.86, 0.10, 0.04)
CONVICTED_SHARE = 0.80
PRISON_SHARE = 0.25
CLOSING = ("no_evidence", "victim_withdrew", "suspect_unknown", "not_a_crime", "limited", "other")
CLOSING_SHARES = (0.52, 0.24, 0.0, 0.12, 0.06, 0.06)
BLANK_SHARE = 0.06
RARE_INTERVENTIONS = MappingProxyType({  # share of reports, wait and length in days
    "arrest": (0.20, 0, 2), "remand": (0.07, 3, 30), "treatment_programme": (0.05, 60, 180),
    "support_talks_perpetrator": (0.06, 40, 120),
})  # fmt: skip


def draw_evidence(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw what evidence each case has; support talks in force raise the victim's participation."""
    numbers = rows["case"].to_numpy()
    evidence = pd.DataFrame(index=rows.index)
    for name, (share, _) in EVIDENCE.items():
        chance = np.full(len(rows), share)
        if name == "has_victim_participation":
            odds = np.exp(np.log(share / (1 - share)) + SUPPORT_LOG_ODDS * rows["has_support"])
            chance = (odds / (1 + odds)).to_numpy()
        evidence[name] = draw_chance(seed, numbers, name, chance)
    return evidence


def solve_intercept(log_odds: Floats, share: float) -> float:
    """Find the intercept at which the mean chance is the given share (bisection)."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = float(np.mean(1.0 / (1.0 + np.exp(-(middle + log_odds)))))
        low, high = (middle, high) if mean < share else (low, middle)
    return (low + high) / 2


def find_cleared_chance(rows: pd.DataFrame, evidence: pd.DataFrame) -> Floats:
    """Chance that the suspect is prosecuted, fined or waived, by offence group and evidence."""
    push = sum(evidence[name].to_numpy() * odds for name, (_, odds) in EVIDENCE.items())
    log_odds = np.asarray(push, dtype=np.float64)
    chance = np.zeros(len(rows))
    is_male = (rows["sex"] == "male").to_numpy()
    for group, share in CLEARED_SHARES.items():
        for male, target in ((False, share), (True, CLEARED_MALE_VICTIM.get(group, share))):
            mine = (rows["offence_group"] == group).to_numpy() & (is_male == male)
            if mine.any():
                # the expected mix of evidence, not this county's, so that counties vary freely
                base = solve_intercept(_expected_log_odds(), target)
                chance[mine] = 1.0 / (1.0 + np.exp(-(base + log_odds[mine])))
    return chance


def _expected_log_odds() -> Floats:
    """Log odds over a fine grid of the evidence's expected mix."""
    rng_units = np.arange(4000, dtype=np.int64)
    parts = [draw_chance(0, rng_units, f"mix_{name}", share) * odds
             for name, (share, odds) in EVIDENCE.items()]  # fmt: skip
    return np.sum(parts, axis=0)


def draw_cases(rows: pd.DataFrame, seed: int, data_end_on: str) -> pd.DataFrame:
    """A row per report and known suspect, with all that comes of it; later dates are blank."""
    cases = rows[rows["suspect"] >= 0].drop_duplicates(["filing", "suspect"]).copy()
    cases = cases.reset_index(drop=True)
    cases["case"] = cases["filing"] * 4 + cases["suspect"] % 4
    numbers = cases["case"].to_numpy()
    evidence = draw_evidence(cases, seed)
    cases = cases.join(evidence)
    cases["is_cleared"] = draw_chance(
        seed, numbers, "cleared", find_cleared_chance(cases, evidence)
    )
    cases["report_id"] = make_ids("r", seed, cases["filing"].to_numpy())
    cases["suspect_id"] = name_suspects(cases["suspect"].to_numpy(), seed)
    on = cases["reported_on"].to_numpy().astype("datetime64[D]")
    cases["opened_on"] = on + _days(draw_days(seed, numbers, "opened", 0, 5))
    wait = np.floor(draw_exponential(seed, numbers, "closed", 90)).astype(np.int64)
    cases["closed_on"] = cases["opened_on"].to_numpy() + _days(wait + 10)
    court = np.floor(draw_exponential(seed, numbers, "court", 120)).astype(np.int64)
    cases["judged_on"] = cases["closed_on"].to_numpy() + _days(court + 20)
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
    for name in EVIDENCE:
        is_blank = draw_chance(seed, numbers, f"blank_{name}", BLANK_SHARE)
        frame[name] = cases[name].astype("boolean").mask(is_blank)
    return finish_table(frame, INVESTIGATION_COLUMNS, ["report_id", "suspect_id"])


def make_case_decisions(cases: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Write the contract's table ``case_decisions``: a row per step of a case."""
    numbers = cases["case"].to_numpy()
    kind = np.array(CLEARED_KINDS)[draw_category(seed, numbers, "kind", CLEARED_KIND_SHARES)]
    first = cases[["report_id", "suspect_id", "case"]].assign(
        decided_on=cases["closed_on"],
        decision=np.where(cases["is_cleared"], kind, "discontinued"),
    )
    is_tried = (first["decision"] == "prosecuted") & cases["judged_on"].notna()
    second = first[is_tried].assign(decided_on=cases.loc[is_tried, "judged_on"])
    tried = second["case"].to_numpy()
    is_convicted = draw_chance(seed, tried, "convicted", CONVICTED_SHARE)
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
    return finish_table(steps, DECISION_COLUMNS, ["report_id", "suspect_id", "decided_on"])


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
    return finish_table(rows, SUSPECT_COLUMNS, ["intervention_id"])


def _collect_prison(decisions: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Programmes in prison, a share of those in custody after a conviction."""
    served = decisions[decisions["custody_from_on"].notna()].reset_index(drop=True)
    hashed = pd.util.hash_pandas_object(served["report_id"], index=False).to_numpy()
    served["number"] = (hashed >> np.uint64(4)).astype(np.int64)
    mine = served[draw_chance(seed, served["number"].to_numpy(), "prison_programme", 0.3)]
    return pd.DataFrame({
        "number": mine["number"], "suspect_id": mine["suspect_id"],
        "intervention": "prison_programme", "decided_on": mine["custody_from_on"],
        "start_on": mine["custody_from_on"], "end_on": mine["custody_to_on"],
    })  # fmt: skip
