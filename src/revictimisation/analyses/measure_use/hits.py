"""Who was offered, granted, denied, declined what, and who got it."""

from __future__ import annotations

import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import POLICE, SOCIAL_SERVICES

DECISIONS = ("granted", "denied", "declined")
OUTCOMES = ("offered", *DECISIONS, "carried_out")
SUSPECTS = "suspect_interventions"
AGENCY_OF = {"police_measures": POLICE, "social_interventions": SOCIAL_SERVICES}


def find_hits(data: StudyData) -> pd.DataFrame:
    """Find who was offered, granted ... what: a row per analysis, measure, outcome and entry.

    `analysis` is `by_code` (each code by itself), `main` (the study's measures) or `by_agency`
    (any measure of police, of social services). `day` is the first such day.
    """
    decisions = data.decisions
    end_day = data.entries["end_day"].to_numpy()[decisions["entry_id"].to_numpy(dtype=int)]
    decided = decisions["decided_day"].fillna(decisions["start_day"]).astype(float)
    start = decisions["start_day"].astype(float)
    is_decided = (decided >= 0) & (decided <= end_day)
    is_carried_out = (start >= 0) & (start < end_day)
    found = [("offered", is_decided, decided)]
    found += [(name, is_decided & (decisions["decision"] == name), decided) for name in DECISIONS]
    found += [("carried_out", is_carried_out, start)]
    named = decisions[["entry_id", "code", "source"]]
    long = pd.concat([named[is_it].assign(outcome=name, day=day) for name, is_it, day in found])
    parts = [long.assign(analysis="by_code", measure=long["code"])]
    agency = long["source"].map(AGENCY_OF)
    parts.append(
        long[agency.notna()].assign(analysis="by_agency", measure="any_" + agency.dropna())
    )
    for name, measure in data.plan.measures.items():
        if not measure.is_composed:
            chosen = long[long["code"].isin(measure.codes)]
            parts.append(chosen.assign(analysis="main", measure=name))
    keys = ["analysis", "measure", "outcome", "entry_id"]
    hits = pd.concat(parts).groupby(keys, sort=True)["day"].min().reset_index()
    return pd.concat([hits, _composed_hits(data)], ignore_index=True)


def _composed_hits(data: StudyData) -> pd.DataFrame:
    """First starts of the study's measures that no single decision makes."""
    composed = [name for name, one in data.plan.measures.items() if one.is_composed]
    starts = data.starts[data.starts["measure"].isin(composed)]
    end_day = data.entries["end_day"].to_numpy()[starts["entry_id"].to_numpy(dtype=int)]
    day = starts["first_start_day"].astype(float)
    found = starts[(day < end_day).to_numpy()]
    named = found[["measure", "entry_id"]].assign(day=found["first_start_day"].astype(float))
    return named.assign(analysis="main", outcome="carried_out")
