"""Joint measures as three strategies in a run: who is eligible, gates, what is released."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.joint_strategies import (
    estimate_joint_strategies,
    find_eligible,
    find_first_starts,
)
from revictimisation.analyses.running import withhold_near_in_time
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import make_estimates
from revictimisation.disclosure import disclose_estimates
from revictimisation.plan import read_plan

from .conftest import read_estimates

POLICE, SOCIAL = "police_measures", "social_interventions"
STUDY = """
name: joint
measures: {joint: {joint_within_days: 10, grace_days: 20}}
horizon_days: 100
report_at_days: [50, 100, 200]
adjust_for: []
subgroups: []
bootstrap: {replicates: 20, seed: 1}
gates: {events_per_arm: 3, effective_sample_size: 10, minimum_detectable_difference: 0.6}
"""


def study_data(decisions: list[tuple], n: int, seed: int = 1) -> StudyData:
    """`n` entries; decisions: (entry_id, source, start_day, stop_day)."""
    rng = np.random.default_rng(seed)
    stop = np.minimum(np.ceil(rng.exponential(80, n)), 100).astype(int)
    entries = pd.DataFrame({"entry_id": range(n), "cluster_id": range(n), "stop_day": stop})
    entries["cause"] = (stop < 100).astype(int)
    columns = ["entry_id", "source", "start_day", "stop_day"]
    nothing = pd.DataFrame()
    return StudyData(
        plan=read_plan(STUDY),
        entries=entries,
        covariates=pd.DataFrame({"sex": ["female"] * n}),
        starts=nothing,
        spells=nothing,
        episodes=nothing,
        decisions=pd.DataFrame(decisions, columns=columns),
        assessments=nothing,
        renewals=nothing,
    )


def test_nothing_is_told_of_starts_near_in_time_but_the_control_and_hazards():
    measures = "{joint: {joint_within_days: 10}, talk: {codes: [safety_talk]}}"
    plan = read_plan(f"name: a\nmeasures: {measures}")
    rows = [{"measure": measure, "estimator": estimator, "estimand": "risk_difference",
             "estimate": 0.1, "question": "q2"}
            for measure in ("joint", "talk")
            for estimator in ("clone_censor_weight", "g_formula", "cox_time_varying")]  # fmt: skip
    rows.append({**rows[1], "status": "withheld", "reason": "few_events"})
    held = withhold_near_in_time(make_estimates(rows), plan)
    silent = held[held["status"].eq("withheld")]
    told = silent[["measure", "estimator", "reason"]].to_numpy().tolist()
    assert told == [["joint", "clone_censor_weight", "fails_known_truth"],
                    ["joint", "g_formula", "fails_known_truth"],
                    ["joint", "g_formula", "few_events"]]  # fmt: skip


def test_who_is_eligible_and_what_counts_as_a_first_start():
    data = study_data(
        [
            (0, POLICE, -40, 5),  # in force on day 0
            (1, POLICE, -40, 0),  # over by day 0, long before it
            (2, SOCIAL, -10, -5),  # within the window before day 0
            (3, SOCIAL, -11, -5),  # before the window
            (4, "suspect_interventions", -5, 50),  # of neither agency
            (5, POLICE, 7, 9),
            (5, POLICE, 3, 3),
            (5, SOCIAL, 30, 40),
            (6, POLICE, None, None),  # never carried out
        ],
        7,
    )
    assert find_eligible(data, 10).tolist() == [False, True, False, True, True, True, True]
    police, social = find_first_starts(data, POLICE), find_first_starts(data, SOCIAL)
    np.testing.assert_array_equal(police, [np.nan] * 5 + [3, np.nan])
    np.testing.assert_array_equal(social, [np.nan] * 5 + [30, np.nan])


def test_a_study_can_be_handed_on_while_it_is_worked_on():
    """Another thread pickles it for a process: found with a hundred measures."""

    class Worked:
        def __reduce__(self) -> tuple:
            data.starts_of("joint")
            return str, ()

    starts = pd.DataFrame(columns=["entry_id", "measure", "first_start_day", "is_running_before"])
    data = replace(study_data([], 3), starts=starts, linkage={"rate": Worked()})
    handed = pickle.loads(pickle.dumps(data))
    assert "_starts" in vars(data) and "_starts" not in vars(handed)
    assert len(handed.entries) == 3


def draw_decisions(n: int) -> list[tuple]:
    rng = np.random.default_rng(4)
    police = [(i, POLICE, int(rng.integers(0, 40)), 99) for i in range(n) if rng.random() < 0.6]
    social = [(i, SOCIAL, int(rng.integers(0, 40)), 99) for i in range(n) if rng.random() < 0.6]
    return police + social


def test_rows_and_what_a_gate_withholds():
    data = study_data(draw_decisions(400), 400)
    rows, checks = estimate_joint_strategies(data)
    assert set(rows["analysis"]) == {"three_strategies"}
    told = rows[(rows["outcome"] == "same_suspect") & (rows["time_days"] == 100)]
    assert set(told["level"]) == {
        *("both", "one", "none", "both_less_none", "one_less_none", "both_less_one")
    }
    assert set(told["status"]) == {"ok"}
    risk = told.set_index("level")["estimate"]
    assert risk["both_less_one"] == pytest.approx(risk["both"] - risk["one"])
    assert set(rows.loc[rows["time_days"] == 200, "reason"]) == {"beyond_horizon"}
    held = checks.set_index("check")["value"]["effective_sample_size:both"]
    strict = read_plan(
        STUDY.replace("effective_sample_size: 10", f"effective_sample_size: {held + 1}")
    )
    parts = {name: getattr(data, name) for name in StudyData.__dataclass_fields__}
    again, _ = estimate_joint_strategies(StudyData(**{**parts, "plan": strict}))
    again = again[(again["outcome"] == "same_suspect") & (again["time_days"] == 100)]
    withheld = set(again.loc[again["status"] == "withheld", "level"])
    assert {"both", "both_less_none", "both_less_one"} <= withheld
    assert set(again.loc[again["status"] == "withheld", "reason"]) == {"effective_sample_size"}
    assert "share_failed_replicates" in set(checks["check"]) and told["se"].notna().all()
    none = read_plan(STUDY.replace("effective_sample_size: 10", "effective_sample_size: 9999"))
    rows, checks = estimate_joint_strategies(StudyData(**{**parts, "plan": none}))
    assert set(rows["status"]) == {"withheld", "not_estimable"}
    assert rows.loc[rows["outcome"].eq("same_suspect"), "se"].isna().all()
    assert "share_failed_replicates" not in set(checks["check"])


def test_an_agency_that_never_starts_leaves_nothing_to_compare():
    rows, checks = estimate_joint_strategies(study_data([(1, POLICE, 3, 9)], 30))
    assert set(rows["reason"]) == {"nobody_started"}
    assert checks.empty


def test_a_difference_is_released_with_both_of_its_strategies_or_not_at_all():
    rows, _ = estimate_joint_strategies(study_data(draw_decisions(400), 400))
    plan = read_plan(STUDY)
    few = rows.copy()
    few.loc[few["level"] == "one", "n_events"] = 3
    for table, hidden in ((rows, set()), (few, {"one", "one_less_none", "both_less_one"})):
        out = disclose_estimates(table, plan.disclosure, {})
        out = out[(out["outcome"] == "same_suspect") & (out["time_days"] == 100)]
        shown = out[out["status"] == "ok"].set_index("level")["estimate"]
        assert not hidden & set(shown.index)
        for level in shown.index[shown.index.str.contains("_less_")]:
            over, under = level.split("_less_")
            assert shown[level] == pytest.approx(shown[over] - shown[under], abs=1e-6)
        assert len(shown) >= 1


def test_a_county_has_the_three_strategies_of_its_joint_measure(county):
    _, out = county("calibrated")
    rows = read_estimates(out)
    rows = rows[(rows["analysis"] == "three_strategies") & (rows["outcome"] == "same_suspect")]
    gap = rows[(rows["level"] == "both_less_one") & (rows["time_days"] == 1461)].iloc[0]
    assert (gap["status"], gap["reason"]) == ("withheld", "fails_known_truth")
    assert abs(gap["estimate"]) < 0.15
    # hardly anybody in great danger gets nothing: the data cannot tell of it
    assert (rows.loc[rows["level"] == "none", "status"] == "withheld").all()
