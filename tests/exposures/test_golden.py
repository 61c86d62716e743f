"""Against R: tmerge and coxph on the same spells (tests/golden/exposures/make_golden.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.exposure_variants import estimate_exposure_variants
from revictimisation.cohort.person_time import build_episodes
from revictimisation.cohort.study_data import StudyData
from revictimisation.plan import read_plan

GOLDEN = Path(__file__).parents[1] / "golden" / "exposures"
STUDY = """
name: golden
measures: {help: {codes: [support_talks]}}
adjust_for: [sex]
subgroups: []
"""


@pytest.fixture(scope="module")
def estimates() -> pd.DataFrame:
    import ibis

    people = pd.read_csv(GOLDEN / "people.csv").sort_values("entry_id")
    spells = pd.read_csv(GOLDEN / "spells.csv").assign(measure="help")
    happened = people.loc[people["is_event"] == 1, ["entry_id", "stop_day"]]
    episodes = build_episodes(
        ibis.memtable(people[["entry_id", "stop_day"]]),
        ibis.memtable(happened.rename(columns={"stop_day": "day"})),
        ibis.memtable(spells),
        ["help"],
    )
    nothing = pd.DataFrame()
    data = StudyData(
        plan=read_plan(STUDY),
        entries=people.assign(cluster_id=people["victim"], end_day=people["stop_day"]),
        covariates=people[["sex"]],
        starts=nothing,
        spells=spells,
        episodes=episodes,
        decisions=nothing,
        assessments=nothing,
        renewals=nothing,
    )
    return estimate_exposure_variants(data)[0]


def test_every_level_has_the_coefficient_and_the_robust_error_of_r(estimates):
    golden = pd.read_csv(GOLDEN / "coefficients.csv")
    logs = estimates[estimates["estimand"] == "log_hazard_ratio"].set_index(["subgroup", "level"])
    told = golden[~((golden["subgroup"] == "days_lasted") & (golden["level"] == "in_force"))]
    assert len(told) == len(logs) == 12
    ours = logs.loc[list(zip(told["subgroup"], told["level"], strict=True))]
    np.testing.assert_allclose(ours["estimate"], told["coef"], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ours["se"], told["se"], rtol=1e-6)


def test_counts_are_of_entries_and_events_in_the_band(estimates):
    people = pd.read_csv(GOLDEN / "people.csv").set_index("entry_id")
    spells = pd.read_csv(GOLDEN / "spells.csv")
    stop = people["stop_day"].loc[spells["entry_id"]].to_numpy()
    is_event = people["is_event"].loc[spells["entry_id"]].to_numpy() == 1
    in_band = (spells["start_day"] + 30 > 0) & (stop > spells["start_day"].clip(lower=0))
    in_band &= spells["stop_day"] > 0
    ends = (stop > spells["start_day"]) & (stop <= spells[["stop_day"]].min(axis=1))
    ends &= stop <= spells["start_day"] + 30
    row = estimates[
        (estimates["level"] == "0_30") & (estimates["estimand"] == "log_hazard_ratio")
    ].iloc[0]
    assert row["n_people"] == spells.loc[in_band, "entry_id"].nunique()
    assert row["n_events"] == (ends & is_event).sum()
