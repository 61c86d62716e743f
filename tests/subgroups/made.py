"""A small made study for question 3: some victims twice, one level without starts, one tiny."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.plan import read_plan

STUDY = """
name: groups
measures: {help: {codes: [help], grace_days: 10}, rare: {codes: [rare], grace_days: 10}}
horizon_days: 100
report_at_days: [40, 100, 200]
adjust_for: [sex, relation]
subgroups: [sex, relation_group, is_honour, risk_level]
for_whom:
  least_events: 5
  combined:
    men_over_18: {levels: {sex: [male], age_group: [18-26, 27-44]}}
    honour: {levels: {is_honour: ["true"]}}
gates: {events_per_arm: 5, effective_sample_size: 20, minimum_detectable_difference: 0.4,
        share_outside_support: 0.3}
"""
GROUP = {"partner": "partner", "parent": "kin", "sibling": "kin"}


def make_study(n: int = 600, seed: int = 1, *, absent: frozenset[str] = frozenset()) -> StudyData:
    """`n` entries; `help` started by many but never at risk level low, `rare` by seven."""
    rng = np.random.default_rng(seed)
    covariates = pd.DataFrame({
        "sex": rng.choice(["female", "male"], n, p=[0.7, 0.3]),
        "relation": rng.choice(["partner", "parent", "sibling"], n),
        "is_honour": rng.choice(["false", "true", "missing"], n, p=[0.3, 0.3, 0.4]),
        "risk_level": rng.choice(["high", "low", "moderate"], n, p=[0.5, 0.1, 0.4]),
        "age_group": rng.choice(["13-17", "18-26", "27-44", "missing"], n),
    })  # fmt: skip
    covariates["relation_group"] = covariates["relation"].map(GROUP)
    is_low = covariates["risk_level"].eq("low").to_numpy()
    helped = np.where((rng.random(n) < 0.4) & ~is_low, rng.integers(0, 15, n), 999)
    rare = np.where(np.arange(n) % 90 == 5, rng.integers(0, 10, n), 999)
    hazard = 0.012 * np.where(covariates["sex"] == "male", 1.4, 1.0)
    stop = np.minimum(np.ceil(rng.exponential(1 / hazard)), 100).astype(int)
    entries = pd.DataFrame({
        "entry_id": range(n), "cluster_id": np.sort(rng.integers(0, int(n * 0.85), n)),
        "stop_day": stop, "end_day": stop, "cause": (stop < 100).astype(int),
        "end_cause": 0, "other_day": np.nan, "control_day": np.nan,
    })  # fmt: skip
    days = {"help": helped, "rare": rare}
    starts = pd.concat([
        pd.DataFrame({"entry_id": range(n), "measure": name, "first_start_day":
                      np.where(day < 999, day, np.nan), "is_running_before":
                      np.arange(n) % 50 == (7 if name == "help" else 8)})
        for name, day in days.items()
    ])  # fmt: skip
    spells = pd.concat([
        pd.DataFrame({"entry_id": np.flatnonzero(day < 999), "measure": name,
                      "start_day": day[day < 999], "stop_day": day[day < 999] + 60})
        for name, day in days.items()
    ])  # fmt: skip
    nothing = pd.DataFrame({"entry_id": [], "day": [], "risk_level": []})
    return StudyData(
        plan=read_plan(STUDY), entries=entries, covariates=covariates, starts=starts,
        spells=spells, episodes=_cut(entries, days), decisions=nothing, assessments=nothing,
        renewals=nothing, absent=absent,
    )  # fmt: skip


def _cut(entries: pd.DataFrame, days: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = []
    for one in entries.itertuples():
        ends = [(name, day[one.entry_id], day[one.entry_id] + 60) for name, day in days.items()]
        cuts = sorted({0, one.stop_day, *(d for e in ends for d in e[1:] if 0 < d < one.stop_day)})
        for begin, end in pairwise(cuts):
            on = {name: int(first <= begin < last) for name, first, last in ends}
            rows.append({"entry_id": one.entry_id, "start_day": begin, "stop_day": end,
                         "is_event": one.cause == 1 and end == one.stop_day, **on})  # fmt: skip
    return pd.DataFrame(rows)
