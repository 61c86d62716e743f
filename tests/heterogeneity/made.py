"""A made study with starts at random and, if asked for, an effect in men alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.plan import read_plan

STUDY = """
name: explored
measures: {help: {codes: [help], grace_days: 10}, rare: {codes: [rare], grace_days: 10}}
horizon_days: 100
report_at_days: [40, 100, 200]
adjust_for: [sex, relation, n_earlier_reports]
subgroups: [sex, risk_level]
exploration: {splits: 3}
"""


def make_study(n: int = 900, seed: int = 1, *, effect: float = 0.0) -> StudyData:
    """`n` entries; among men `help` multiplies the hazard by exp(effect), among women by 1."""
    rng = np.random.default_rng(seed)
    covariates = pd.DataFrame({
        "sex": rng.choice(["female", "male"], n),
        "relation": rng.choice(["partner", "parent", "sibling"], n),
        "n_earlier_reports": rng.integers(0, 4, n).astype(float),
        "risk_level": rng.choice(["high", "low", "missing"], n),
    })  # fmt: skip
    helped = np.where(rng.random(n) < 0.5, rng.integers(0, 4, n), 999)
    rare = np.where(np.arange(n) % 90 == 5, 3, 999)
    is_man = covariates["sex"].eq("male").to_numpy()
    hazard = 0.01 * np.exp(np.where(is_man & (helped < 999), effect, 0.0))
    stop = np.minimum(4 + np.ceil(rng.exponential(1 / hazard)), 100).astype(int)
    entries = pd.DataFrame({
        "entry_id": range(n), "cluster_id": np.sort(rng.integers(0, max(int(n * 0.85), 1), n)),
        "stop_day": stop, "end_day": stop, "cause": (stop < 100).astype(int),
        "end_cause": 0, "other_day": np.nan, "control_day": np.nan,
    })  # fmt: skip
    starts = pd.concat([
        pd.DataFrame({"entry_id": range(n), "measure": name,
                      "first_start_day": np.where(day < 999, day, np.nan),
                      "is_running_before": np.arange(n) % 50 == 7})
        for name, day in (("help", helped), ("rare", rare))
    ])  # fmt: skip
    nothing = pd.DataFrame({"entry_id": [], "day": [], "risk_level": []})
    spells = pd.DataFrame({"entry_id": [], "measure": [], "start_day": [], "stop_day": []})
    return StudyData(
        plan=read_plan(STUDY), entries=entries, covariates=covariates, starts=starts,
        spells=spells, episodes=nothing, decisions=nothing, assessments=nothing, renewals=nothing,
    )  # fmt: skip
