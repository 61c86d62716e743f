"""Measures and conviction: who is compared, what is no exposure, what is said when it can't be."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.convictions import estimate_convictions
from revictimisation.analyses.convictions.case_states import build_paths
from revictimisation.analyses.convictions.decision_time import cut_at_starts
from revictimisation.analyses.convictions.landmark import build_landmark
from revictimisation.cohort.study_data import StudyData
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.logistic import build_columns
from revictimisation.estimators.standardised_odds import fit_model, standardise, sum_by_cluster
from revictimisation.plan import read_plan
from tests.cases import for_each

STUDY = """
name: court
measures: {help: {codes: [support_talks], grace_days: 30}, talk: {codes: [safety_talk]}}
horizon_days: 400
report_at_days: [20, 200, 390, 500]
adjust_for: [sex]
subgroups: []
convictions: {least_events: 5, firth_below_events: 5}
"""
END = 400


def study_data(people: list[dict], study: str = STUDY) -> StudyData:
    """People: start (of help), talk, running, steps, end, left (day of death), and covariates."""
    n = len(people)
    starts, steps = [], []
    for entry, one in enumerate(people):
        for measure, key in (("help", "start"), ("talk", "talk")):
            if one.get(key) is not None or (measure == "help" and one.get("running")):
                day = one.get(key)
                starts.append((entry, measure, np.nan if day is None else day,
                               measure == "help" and bool(one.get("running"))))  # fmt: skip
        steps += [(entry, day, step, None) for day, step in one.get("steps", [])]
    end = [one.get("end", END) for one in people]
    left = [one.get("left") for one in people]
    cases = {name: [one.get(name, "false") for one in people]
             for name in ("has_witness", "has_documented_injury", "has_admission",
                          "has_victim_participation")}  # fmt: skip
    nothing = pd.DataFrame()
    return StudyData(
        plan=read_plan(study),
        entries=pd.DataFrame({
            "entry_id": range(n),
            "cluster_id": [one.get("victim", i) for i, one in enumerate(people)],
            "data_end_day": end, "stop_day": end,
            "end_day": [e if x is None else x for e, x in zip(end, left, strict=True)],
            "end_cause": [0 if x is None else 2 for x in left],
        }),
        covariates=pd.DataFrame({
            "sex": [one.get("sex", "female") for one in people], "offence_group": "assault",
            "relation_group": "kin", "is_honour": "false",
        }),
        starts=pd.DataFrame(
            starts, columns=["entry_id", "measure", "first_start_day", "is_running_before"]
        ),
        spells=nothing, decisions=nothing, assessments=nothing, renewals=nothing,
        episodes=pd.DataFrame({"entry_id": range(n), "start_day": 0, "stop_day": end,
                               "is_event": False}),
        cases=pd.DataFrame({"entry_id": range(n), "change_day": 0, "n_suspect_reports": 0,
                            "n_suspect_convictions": 0, **cases}),
        case_steps=pd.DataFrame(steps, columns=["entry_id", "day", "step", "reason"]),
    )  # fmt: skip


CONVICTED = [(100, "prosecuted"), (150, "convicted")]
# who is compared for a measure with grace time 30, and whether as one who started
WHO = {
    "started on day 0": ({"start": 0}, True),
    "started on the last day of the grace time": ({"start": 30}, True),
    "started a day late": ({"start": 31}, False),
    "never": ({}, False),
    "ran before": ({"running": True}, None),
    "decided on the landmark": ({"start": 5, "steps": [(30, "discontinued")]}, None),
    "decided the day after": ({"start": 5, "steps": [(31, "discontinued")]}, True),
    # the measure came after the decision: no exposure, and no comparison either
    "decided before the start": ({"start": 25, "steps": [(20, "prosecuted")]}, None),
    "started after the judgment": ({"start": 200, "steps": CONVICTED}, False),
    "died by the landmark": ({"left": 30}, None),
    "died after it": ({"left": 31}, False),
    "data end on the landmark": ({"end": 30}, None),
}


@for_each("who", WHO)
def test_who_is_compared(who):
    one, expected = WHO[who]
    data = study_data([{"start": 3}, {}, one])
    mark = build_landmark(data, build_paths(data.case_steps, data.entries["data_end_day"]), "help")
    assert mark.is_in.tolist() == [True, True, expected is not None]
    if expected is not None:
        assert mark.is_started.tolist() == [True, False, expected]


def test_how_cases_end():
    data = study_data([
        {"start": 3, "steps": CONVICTED},
        {"steps": [(50, "prosecuted"), (90, "acquitted")]},
        {"steps": [(50, "prosecuted")], "end": 380},
        # closed, taken up again, convicted after all
        {"steps": [(40, "discontinued"), (60, "prosecuted"), (99, "convicted")]},
    ])  # fmt: skip
    mark = build_landmark(data, build_paths(data.case_steps, data.entries["data_end_day"]), "help")
    assert mark.cause.tolist() == [1, 2, 0, 1]
    assert mark.stop.tolist() == [150, 90, 380, 99]


@for_each(
    ("people", "reason"),
    [
        ([{"steps": [(1, "discontinued")], "start": 0}], "no_open_cases"),
        ([{}, {}], "nobody_started"),
        ([{"start": 1}, {"start": 2}], "everybody_started"),
    ],
)
def test_when_there_is_nobody_to_compare(people, reason):
    data = study_data(people)
    paths = build_paths(data.case_steps, data.entries["data_end_day"])
    with pytest.raises(NotEstimableError, match=reason):
        build_landmark(data, paths, "help")
    rows, _ = estimate_convictions(data)
    mine = rows[(rows["measure"] == "help") & (rows["estimand"] == "risk_difference")]
    assert set(mine["reason"]) == {reason}


def draw_people(n: int, seed: int, *, effect: float = 0.0) -> list[dict]:
    """A randomised measure that raises participation, which raises conviction."""
    rng = np.random.default_rng(seed)
    people = []
    for i in range(n):
        has = rng.random() < 0.4
        part = rng.random() < (0.3 + 0.4 * has)
        convicted = rng.random() < 0.15 + 0.3 * part + effect * has
        day = int(31 + rng.exponential(60))
        steps = [(day, "prosecuted"), (day + 40, "convicted")] if convicted else [
            (day, "discontinued")]  # fmt: skip
        people.append({
            "start": int(rng.integers(0, 31)) if has else None, "steps": steps,
            "sex": "male" if rng.random() < 0.3 else "female", "victim": i - i % 2,
            "has_victim_participation": str(part).lower(), "end": int(rng.integers(250, END + 1)),
            "talk": int(rng.integers(0, 99)),
            "has_witness": str(rng.random() < 0.3).lower(),
        })  # fmt: skip
    return people


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    return estimate_convictions(study_data(draw_people(4000, seed=2, effect=0.05)))[0]


def find(rows, day=200, **keys):
    keys = {"measure": "help", "estimand": "risk_difference", "outcome": "convicted", **keys}
    for name, value in keys.items():
        rows = rows[rows[name] == value]
    rows = rows[rows["time_days"] == day]
    assert len(rows) == 1
    return rows.iloc[0]


def test_what_is_built_in_is_found_and_split(drawn):
    """By day 200 nearly all are judged; 12 points through participation and 5 beside it."""
    total = find(drawn, day=390, analysis="main")
    assert abs(total["estimate"] - 0.17) < 3.5 * total["se"]
    through, other = (find(drawn, day=390, analysis="mediation", level=one)
                      for one in ("through_participation", "other_ways"))  # fmt: skip
    assert abs(through["estimate"] - 0.12) < 3.5 * through["se"]
    assert abs(other["estimate"] - 0.05) < 3.5 * other["se"]
    whole = through["estimate"] + other["estimate"]
    assert whole == pytest.approx(total["estimate"], abs=0.01)
    assert through["se"] < 0.01
    equal = find(drawn, day=390, analysis="with_participation")
    assert abs(equal["estimate"] - 0.05) < 3.5 * equal["se"]


def test_rows_of_one_comparison_agree(drawn):
    risks = [find(drawn, analysis="main", estimand=one) for one in ("risk_start", "risk_no_start")]
    gap = find(drawn, analysis="main")
    assert gap["estimate"] == pytest.approx(risks[0]["estimate"] - risks[1]["estimate"])
    odds = [one["estimate"] / (1 - one["estimate"]) for one in risks]
    ratio = find(drawn, analysis="main", estimand="odds_ratio")
    assert ratio["estimate"] == pytest.approx(odds[0] / odds[1])
    assert ratio["ci_low"] < ratio["estimate"] < ratio["ci_high"]
    assert gap["n_people"] == risks[0]["n_people"] + risks[1]["n_people"]
    assert find(drawn, analysis="unadjusted")["estimator"] == "crude"
    assert gap["estimator"] == "standardised_logistic"
    reasons = drawn[(drawn["measure"] == "help") & (drawn["status"] != "ok")]
    assert set(reasons["reason"]) == {"before_landmark", "beyond_horizon"}


def test_measures_are_tested_one_by_one_and_together(drawn):
    """Holm by hand: the smallest of k times k, the next times k - 1, never falling, at most 1."""
    for analysis in ("unadjusted", "main", "with_participation"):
        told = drawn[drawn["analysis"].eq(analysis) & drawn["time_days"].eq(200)]
        told = told[told["outcome"].eq("convicted") & told["status"].eq("ok")]
        gaps = told[told["estimand"] == "risk_difference"].set_index("measure")
        raw = told[told["estimand"] == "p_value"].set_index("measure")["estimate"]
        adjusted = told[told["estimand"] == "p_value_holm"].set_index("measure")["estimate"]
        assert set(raw.index) == set(adjusted.index) == set(gaps.index) and len(raw) >= 2
        for measure, one in gaps.iterrows():
            z = abs(one["estimate"] / one["se"])
            assert raw[measure] == pytest.approx(2 * (1 - NormalDist().cdf(z)), abs=1e-9)
            assert (raw[measure] < 0.05) == (one["ci_low"] > 0 or one["ci_high"] < 0)
        running = 0.0
        for place, measure in enumerate(raw.sort_values().index):
            running = max(running, min(1.0, raw[measure] * (len(raw) - place)))
            assert adjusted[measure] == pytest.approx(running)


def test_time_to_decision_is_not_changed_by_what_does_not_change_it(drawn):
    rows = drawn[(drawn["estimator"] == "cox_time_varying") & (drawn["outcome"] == "decided")]
    rows = rows[rows["estimand"] == "log_hazard_ratio"].set_index("measure")
    # nothing is decided before day 31 here: help has begun, and what it does not do shows
    for measure in ("help", "talk"):
        one = rows.loc[measure]
        assert one["status"] == "ok"
        assert abs(one["estimate"]) < 3.5 * one["se"]


def test_few_convictions_are_firths_and_too_few_nobodys():
    people = draw_people(300, seed=4)
    kept = [one for one in people
            if one["start"] is None or one["steps"][-1][1] == "discontinued"]  # fmt: skip
    few = next(one for one in people if one["start"] and one["steps"][-1][1] == "convicted")
    # a gate of their number would withhold them
    open_gates = STUDY + "gates: {events_per_arm: 2}\n"
    rows, _ = estimate_convictions(study_data([*kept, few, few], open_gates))
    one = find(rows, analysis="main")
    assert one["estimator"] == "firth_logistic"
    assert np.isfinite(one["se"]) and one["status"] == "ok"
    strict = STUDY.replace("least_events: 5", "least_events: 200")
    rows, _ = estimate_convictions(study_data(people, strict))
    assert find(rows)["reason"] == "few_convictions"


def test_a_group_is_followed_until_all_that_are_left_have_ended():
    guilty, free = [(50, "prosecuted"), (150, "convicted")], [(150, "discontinued")]
    people = [{"start": at % 2 or None, "steps": (guilty, free)[at % 3 > 0]} for at in range(90)]
    for last, reason in ((120, "minimum_detectable_difference"), (300, "beyond_follow_up")):
        rows, _ = estimate_convictions(study_data([*people, {"end": last}]))
        assert find(rows, day=390, analysis="main")["reason"] == reason


def test_where_hardly_anybody_is_not_convicted_it_is_firths():
    guilty, free = [(100, "prosecuted"), (150, "convicted")], [(150, "discontinued")]
    people = [{"start": 3, "steps": guilty} for _ in range(28)]
    people += [{"start": None, "steps": guilty if at < 24 else free} for at in range(28)]
    rows, _ = estimate_convictions(study_data(people))
    # all who started were convicted: Firth's 28.5/29 against 24.5/29, with the mean seen (FLIC)
    for analysis in ("unadjusted", "main"):
        odds = find(rows, analysis=analysis, estimand="odds_ratio")["estimate"]
        assert odds == pytest.approx(28.5 / 0.5 / (24.5 / 4.5), rel=0.02)


def test_a_difference_that_could_not_be_seen_is_withheld():
    strict = STUDY + "gates: {minimum_detectable_difference: 0.001}\n"
    rows, _ = estimate_convictions(study_data(draw_people(400, seed=4), strict))
    one = find(rows, analysis="main")
    assert (one["status"], one["reason"]) == ("withheld", "minimum_detectable_difference")


def test_time_is_cut_where_measures_start():
    data = study_data([
        {"start": 4, "talk": 9}, {"running": True, "talk": 0}, {"start": 10},
        {"start": 0, "talk": 4}, {},
    ])  # fmt: skip
    pieces = cut_at_starts(data, np.array([10, 10, 10, 0, 5]))
    expected = [
        (0, 0, 4, 0, 0), (0, 4, 9, 1, 0), (0, 9, 10, 1, 1),
        (1, 0, 10, 1, 1),
        (2, 0, 10, 0, 0),  # starts on the day of the decision: after it
        (4, 0, 5, 0, 0),  # entry 3 was decided on day 0
    ]  # fmt: skip
    columns = ["entry_id", "start_day", "stop_day", "help", "talk"]
    assert list(pieces[columns].itertuples(index=False, name=None)) == expected


def test_an_absent_table_is_said_for_every_measure():
    data = replace(study_data(draw_people(50, 1)), absent=frozenset({"investigations"}))
    rows, _ = estimate_convictions(data)
    mine = rows[rows["measure"] != ""]
    assert mine[["measure", "reason"]].values.tolist() == [
        ["help", "table_absent"], ["talk", "table_absent"],
    ]  # fmt: skip


def test_errors_lose_no_digits_to_a_unit_or_a_zero_far_away():
    rng = np.random.default_rng(3)
    x, treated = rng.normal(size=300), rng.integers(0, 2, 300)
    event = rng.random(300) < 1 / (1 + np.exp(1 - x - 0.5 * treated))
    errors = []
    for shift, unit in ((0.0, 1.0), (1e6, 1e-2), (-3e5, 1e4)):
        columns = build_columns(np.column_stack([treated, shift + unit * x]))
        found = standardise(fit_model(columns, event, None, is_firth=False), 1)[:1]
        errors.append([sum_by_cluster(found, np.arange(300)).se[0], found.value[0]])
    np.testing.assert_allclose(errors, [errors[0]] * 3, rtol=1e-8)
