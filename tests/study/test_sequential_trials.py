"""When help comes, in a study: who is in which trial, phases, gates, what follows shelter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.after_shelter import (
    build_shelter_trial,
    estimate_after_shelter,
    find_stay_ends,
)
from revictimisation.analyses.sequential_trials import (
    build_study_trials,
    estimate_sequential_trials,
    list_levels,
)
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.packing import find_wholes
from revictimisation.disclosure import disclose_estimates
from revictimisation.disclosure.rules import disclose_diagnostics
from revictimisation.plan import read_plan

STUDY = """
name: later
measures: {support_talks: {grace_days: 20}, safety_talk: {grace_days: 20}}
horizon_days: 200
report_at_days: [100]
adjust_for: [sex]
subgroups: []
models: {people_per_change: 5, people_per_same_day: 5}
sequential:
  every_days: 7
  until_day: 28
  phase_ends: [20, 60]
  landmarks: [40]
  landmark_window_days: 14
  at_days: [50, 100]
gates: {events_per_arm: 3, effective_sample_size: 10, minimum_detectable_difference: 0.6,
        largest_standardised_difference: 0.5, share_outside_support: 0.5, exposed_victims: 5}
"""
SHELTER, SUPPORT = "sheltered_housing", "contact_person"


def make_data(n: int, study: str = STUDY, seed: int = 3, **tables: pd.DataFrame) -> StudyData:
    """`n` entries; support talks twice as common after a safety talk; sex tells of the outcome."""
    rng = np.random.default_rng(seed)
    is_male = rng.integers(0, 2, n)
    stop = np.minimum(np.ceil(rng.exponential(150 - 60 * is_male)), 200).astype(int)
    safety = np.floor(rng.exponential(60, n))
    starts = {"safety_talk": safety, "support_talks": np.floor(rng.exponential(90, n))}
    frames = [
        pd.DataFrame({
            "entry_id": np.arange(n), "measure": name, "first_start_day": day,
            "is_running_before": np.arange(n) % 10 == 9,
        })
        for name, day in starts.items()
    ]  # fmt: skip
    entries = pd.DataFrame({
        "entry_id": np.arange(n), "cluster_id": np.arange(n) // 2, "stop_day": stop,
        "cause": (stop < 200).astype(int), "other_day": np.nan,
    })  # fmt: skip
    spells = pd.DataFrame({"entry_id": np.arange(n), "measure": "safety_talk",
                           "start_day": safety, "stop_day": safety + 30})  # fmt: skip
    nothing = pd.DataFrame()
    given = {
        "entries": entries,
        "covariates": pd.DataFrame({"sex": np.where(is_male, "male", "female")}),
        "starts": pd.concat(frames),
        "spells": spells,
        "decisions": pd.DataFrame(columns=["entry_id", "code", "start_day", "stop_day"]),
        "renewals": pd.DataFrame(columns=["entry_id", "day", "risk_level"]),
        **tables,
    }
    return StudyData(plan=read_plan(study), episodes=nothing, assessments=nothing, **given)


def test_who_is_in_which_trial():
    data = make_data(200)
    trials = build_study_trials(data, "support_talks")
    spans, starts = trials.spans, data.starts_of("support_talks")
    is_in = ~starts["is_running_before"].to_numpy()
    day, stop = starts["first_start_day"].to_numpy()[is_in], data.entries["stop_day"][is_in]
    # a trial begins on each day up to 100 before the outcome and up to the first start
    last = np.minimum(np.minimum(day, stop - 1), 100)
    own = np.bincount(spans.entry, spans.n_other + spans.is_start, is_in.sum())
    assert (own <= last + 1).all() and own.sum() > 0.9 * (last + 1).sum()
    np.testing.assert_array_equal(
        np.sort(spans.entry[spans.is_start]), np.flatnonzero((day <= 100) & (day < stop))
    )
    assert "safety_talk" in trials.trial.changing_names
    assert [tuple(level)[1:] for level in list_levels(data.plan)] == [
        ("acute", 0, 20), ("intermediate", 21, 60), ("long_term", 61, 100), ("all", 0, 100),
        ("day_40", 40, 53),
    ]  # fmt: skip


def test_rows_gates_and_what_is_released():
    data = make_data(600)
    rows, checks = estimate_sequential_trials(data, ["support_talks"])
    assert set(rows["status"]) == {"ok"} and set(rows["time_days"]) == {50, 100}
    told = rows[rows["estimand"].eq("risk_difference") & rows["time_days"].eq(50)]
    gap = told.set_index("level")["estimate"]
    assert gap["long_term_less_acute"] == pytest.approx(gap["long_term"] - gap["acute"])
    assert set(told["subgroup"]) == {"trial_start", "landmark"}
    starts = rows[rows["estimand"].eq("risk_start") & rows["time_days"].eq(50)]
    n_started = starts.set_index("level")["n_people"]
    assert n_started["all"] == n_started[["acute", "intermediate", "long_term"]].sum()
    assert find_wholes("trial_start", "acute") == find_wholes("landmark", "day_40")

    strict = STUDY.replace("exposed_victims: 5", "exposed_victims: 60")
    held, _ = estimate_sequential_trials(make_data(600, strict), ["support_talks"])
    reasons = held.set_index("level")["reason"]
    assert set(reasons["day_40"]) == {"few_exposed_victims"} and set(reasons["all"]) == {""}
    later = n_started["long_term"] < 60
    assert later and set(reasons["long_term_less_acute"]) == {"few_exposed_victims"}

    released = disclose_estimates(rows, data.plan.disclosure, {})
    shown = released[released["status"].eq("ok")]
    assert len(shown) and (shown["n_people"] % 5 == 0).all()
    notes = disclose_diagnostics(checks, data.plan.disclosure, rows, released)
    assert notes["value"].notna().any()


def test_intervals_by_bootstrap_and_reasons():
    study = STUDY.replace("every_days: 7", "every_days: 7\n  replicates: 30")
    rows, checks = estimate_sequential_trials(make_data(300, study), ["support_talks"])
    plain, _ = estimate_sequential_trials(make_data(300), ["support_talks"])
    one, other = (
        part[part["level"].eq("all") & part["estimand"].eq("risk_difference")]["se"].to_numpy()
        for part in (rows, plain)
    )
    assert (one != other).all() and np.abs(one / other - 1).max() < 0.5
    assert checks["check"].str.startswith("share_failed_replicates").sum() == 5
    short = STUDY.replace("horizon_days: 200", "horizon_days: 40").replace("[100]", "[40]")
    told, _ = estimate_sequential_trials(make_data(50, short), ["support_talks"])
    assert set(told["reason"]) == {"beyond_horizon"}
    off = STUDY.replace("sequential:", "sequential:\n  is_on: false")
    assert estimate_sequential_trials(make_data(50, off)).estimates.empty


def test_a_stay_ends_and_what_is_in_force_or_begins_then():
    spells = [
        (0, SHELTER, -5, 10), (0, SHELTER, 10, 20), (0, SUPPORT, 3, 40),  # one stay, continued
        (1, SHELTER, 2, 9), (1, SUPPORT, 12, 40),  # begun 3 days later
        (2, SHELTER, 2, 9), (2, SUPPORT, 1, 9),  # ended with the stay: none
        (3, SHELTER, -9, -2),  # before day 0: no stay
        (4, SHELTER, 1, 200_000),  # not ended
        (5, SHELTER, 1, 30),  # the outcome comes first
    ]  # fmt: skip
    columns = ["entry_id", "code", "start_day", "stop_day"]
    data = make_data(6, decisions=pd.DataFrame(spells, columns=columns))
    stop = pd.Series([90, 90, 90, 90, 90, 25])
    data.entries["stop_day"] = stop
    ends = find_stay_ends(data)
    np.testing.assert_array_equal(ends, [20, 9, 9, np.nan, np.nan, np.nan])
    loose = STUDY.replace("exposed_victims: 5", "exposed_victims: 2")
    again = make_data(6, loose, decisions=data.decisions)
    again.entries["stop_day"], again.entries["cluster_id"] = stop, range(6)
    trial = build_shelter_trial(again, SUPPORT, ends)
    assert trial.people.start.tolist() == [0, 3, -1]
    assert trial.people.stop.tolist() == [70, 81, 81]
    rows, _ = estimate_after_shelter(data)
    assert set(rows["reason"]) == {"few_exposed_victims"}
