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
from revictimisation.analyses.end_trials import build_end_trial, find_durations
from revictimisation.analyses.sequential_trials import (
    build_study_trials,
    estimate_sequential_trials,
    list_levels,
)
from revictimisation.analyses.sustained_strategies import estimate_sustained
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.packing import find_wholes
from revictimisation.core.results import withhold
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
  keep: []
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


def lay_spells(n: int, seed: int = 3) -> pd.DataFrame:
    """Support talks of `make_data` that last longer the longer one waited, some with a break."""
    data = make_data(n, seed=seed)
    start = data.starts_of("support_talks")["first_start_day"].to_numpy()
    lasted = np.ceil(np.random.default_rng(4).exponential(40, n))
    talks = {"entry_id": np.arange(n), "measure": "support_talks"}
    first = pd.DataFrame({**talks, "start_day": start, "stop_day": start + lasted})
    again = pd.DataFrame({**talks, "start_day": start + lasted + 5, "stop_day": start + lasted + 9})
    return pd.concat([data.spells, first, again[:: n // 20]], ignore_index=True)


KEPT = STUDY.replace("keep: []", "keep: [support_talks]\n  keep_days: 30\n  quiet_days: 20")


def test_how_long_a_measure_lasts_in_days_in_force():
    spells = [
        (0, 3, 10), (0, 12, 20), (0, 40, 50),  # one with a short break, then another
        (1, -5, 2), (1, 8, 9),  # over before it began again: in force on day 0, in no trial
        (2, 4, 200_000),  # not ended
        (3, 6, 6),  # no day in force
        (4, 5, 30), (4, 7, 9), (4, 31, 40),  # within another, and going on
        (5, 2, 60), (6, 0, 25),
    ]  # fmt: skip
    frame = pd.DataFrame(spells, columns=["entry_id", "start_day", "stop_day"])
    frame = frame.assign(measure="support_talks")
    first = frame[frame["start_day"] >= 0].groupby("entry_id")["start_day"].min()
    starts = pd.DataFrame({
        "entry_id": range(7), "measure": "support_talks",
        "first_start_day": first.reindex(range(7)).to_numpy(),
        "is_running_before": [False, True, *[False] * 5],
    })  # fmt: skip
    data = make_data(7, KEPT, spells=frame, starts=starts)
    lasted = find_durations(data, "support_talks")
    np.testing.assert_array_equal(lasted, [17, np.nan, 200_000 - 4, 0, 35, 58, 25])
    loose = KEPT.replace("exposed_victims: 5", "exposed_victims: 2")
    again = make_data(7, loose, spells=frame, starts=starts)
    again.entries["stop_day"] = pd.Series([90, 90, 90, 90, 20, 90, 90])
    again.entries["cluster_id"] = range(7)
    trial = build_end_trial(again, "support_talks")
    assert trial.people.start.tolist() == [17, -1, 0, -1, -1, 25]
    assert trial.people.stop.tolist() == [87, 86, 84, 15, 88, 90] and trial.grace_days == 29
    later = build_end_trial(again, "support_talks", after_days=16)
    assert later.people.start.tolist() == [1, -1, -1, 9]
    assert later.people.stop.tolist() == [71, 70, 72, 74]


def test_kept_against_ended_and_trials_per_protocol():
    data = make_data(600, KEPT, spells=lay_spells(600))
    rows, checks = estimate_sustained(data, ["support_talks", "safety_talk"])
    assert set(rows["measure"]) == {"support_talks"} and set(rows["level"]) == {"kept", "continued"}
    assert set(rows["status"]) == {"ok"} and set(checks["status"]) == {"ok"}
    risks = rows[rows["level"].eq("kept") & rows["time_days"].eq(100)].set_index("estimand")
    gap = risks.loc["risk_start", "estimate"] - risks.loc["risk_no_start", "estimate"]
    assert risks.loc["risk_difference", "estimate"] == pytest.approx(gap)
    lasted = find_durations(data, "support_talks")
    day = data.starts_of("support_talks")["first_start_day"].to_numpy() + lasted
    ended = (lasted < 30) & (day < data.entries["stop_day"])
    assert risks.loc["risk_start", "n_people"] + ended.sum() == risks.loc["risk_ratio", "n_people"]

    both, notes = estimate_sequential_trials(data, ["support_talks"])
    kept = both[both["analysis"].eq("per_protocol")]
    assert set(kept["level"]) == {"acute", "intermediate", "long_term", "all"}
    assert set(kept["status"]) == {"ok"} and {"per_protocol"} < set(notes["analysis"])
    same = ["estimand", "level", "time_days"]
    pair = kept.merge(both[both["analysis"].eq("sequential_trials")], on=same)
    is_arm = pair["estimand"].eq("risk_no_start")
    assert (pair["estimate_x"] == pair["estimate_y"])[is_arm].all()
    mine = pair["estimand"].eq("risk_start")
    assert (pair["n_people_x"] < pair["n_people_y"])[mine].all()
    assert (pair["se_x"] > pair["se_y"])[mine].all()

    released = disclose_estimates(
        pd.concat([rows, both], ignore_index=True), data.plan.disclosure, {}
    )
    assert released.loc[released["analysis"].eq("sustained_strategies"), "status"].eq("ok").any()
    assert find_wholes("trial_start", "kept") == ()


def test_a_detectable_difference_is_told_of_its_own_analysis_alone():
    """What one holds back the other, of the same measure and level, does not tell the error of."""
    data = make_data(300, KEPT, spells=lay_spells(300))
    rows, checks = estimate_sequential_trials(data, ["support_talks"])
    is_kept = rows["analysis"].eq("per_protocol")
    rows = withhold(rows, is_kept, "few_events")
    released = disclose_estimates(rows, data.plan.disclosure, {})
    told = disclose_diagnostics(checks, data.plan.disclosure, rows, released)
    told = told[told["check"].str.startswith("minimum_detectable") & told["value"].notna()]
    assert set(told["analysis"]) == {"sequential_trials"}


def test_too_few_who_ended_or_kept_it_are_told_as_such():
    long = KEPT.replace("keep_days: 30", "keep_days: 190")
    data = make_data(300, long, spells=lay_spells(300))
    assert set(estimate_sustained(data).estimates["reason"]) == {"few_kept"}
    spells = lay_spells(300).assign(stop_day=200_000)
    short = make_data(300, KEPT, spells=spells)
    assert set(estimate_sustained(short).estimates["reason"]) == {"few_ended"}
    rows, _ = estimate_sequential_trials(short, ["support_talks"])
    assert set(rows.loc[rows["analysis"].eq("per_protocol"), "reason"]) == {"few_ended"}
    assert estimate_sustained(make_data(50)).estimates.empty


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
