"""Negative controls on tables made by hand: the gate, who is a control, what is suppressed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.sensitivity.hidden_bias import describe_hidden_bias
from revictimisation.analyses.sensitivity.negative_controls import (
    estimate_negative_controls,
    withhold_biased,
)
from revictimisation.analyses.trial_inputs import count_outcomes
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.errors import StudyError
from revictimisation.core.results import combine, make_estimates
from revictimisation.disclosure import disclose_estimates
from revictimisation.plan import Disclosure, read_plan

MEASURES = ("a", "b", "c", "talk")
STUDY = """
name: made
report_at_days: [100]
horizon_days: 100
measures: {a: , b: , c: , talk: }
adjust_for: []
subgroups: []
negative_controls: {measures: [talk], least_for_calibration: LEAST}
gates: {negative_control_bias: 0.05, events_per_arm: 10}
"""
TRIAL = "clone_censor_weight"


def make_plan(least: int = 5):
    return read_plan(STUDY.replace("LEAST", str(least)))


def compare(measure: str, ratio: float, n: int = 400, **keys) -> pd.DataFrame:
    """A comparison's rows with plain errors: risk 0.3 without the measure."""
    risks = {"risk_start": 0.3 * ratio, "risk_no_start": 0.3}
    errors = {name: np.sqrt(risk * (1 - risk) / n) for name, risk in risks.items()}
    rows = [
        {"estimand": name, "estimate": risk, "se": errors[name], "n_people": n,
         "n_events": round(risk * n)}
        for name, risk in risks.items()
    ]  # fmt: skip
    se = np.hypot(*(errors[name] / risk for name, risk in risks.items()))
    both = {"n_people": 2 * n, "n_events": round(sum(risks.values()) * n)}
    half = {"ci_low": ratio * np.exp(-2 * se), "ci_high": ratio * np.exp(2 * se)}
    rows.append({"estimand": "risk_ratio", "estimate": ratio, "se": se, **half, **both})
    same = {"question": "q2", "measure": measure, "estimator": TRIAL, "time_days": 100}
    return make_estimates(rows, **same, **keys)


def compare_all(ratios, **keys):
    return combine(
        compare(name, ratio, **keys) for name, ratio in zip(MEASURES, ratios, strict=True)
    )


def main_and_controls(n: int = 400):
    main = compare_all([0.8, 0.9, 1.0, 1.2], outcome="same_suspect", n=n)
    keys = {"outcome": "other_suspect", "analysis": "negative_control_outcome", "n": n}
    return main, compare_all([1.1, 1.2, 1.3, 1.2], **keys)


def test_a_placebos_result_is_a_control_and_is_not_calibrated():
    rows, notes = describe_hidden_bias(make_plan(), *main_and_controls())
    found = notes.set_index("check")["value"]
    assert found["n_negative_controls:100"] == 5
    # all controls have nearly one error, so their mean log ratio is nearly the plain one
    plain = np.log([1.1, 1.2, 1.3, 1.2, 1.2]).mean()
    assert found["systematic_error_mean:100"] == pytest.approx(plain, abs=0.01)
    made = rows[rows["analysis"] == "calibrated"]
    assert set(made["measure"]) == {"a", "b", "c"}
    a = made[(made["measure"] == "a") & (made["estimand"] == "risk_ratio")]["estimate"].item()
    assert a == pytest.approx(0.8 * np.exp(-found["systematic_error_mean:100"]))


@pytest.mark.parametrize(("least", "n"), [(6, 400), (5, 30)])
def test_too_few_controls_or_events_calibrate_nothing(least, n):
    rows, notes = describe_hidden_bias(make_plan(least), *main_and_controls(n))
    assert notes.empty
    assert set(rows["estimand"]) == {"e_value", "e_value_limit"}


def test_what_is_withheld_or_suppressed_stays_so_in_what_follows_from_it():
    main, controls = main_and_controls()
    main.loc[main["measure"] == "a", ["status", "reason"]] = ["withheld", "n_events"]
    main.loc[(main["measure"] == "b") & (main["estimand"] == "risk_start"), "n_events"] = 3
    rows, _ = describe_hidden_bias(make_plan(), main, controls)
    assert set(rows.loc[rows["measure"] == "a", "status"]) == {"withheld"}
    released = disclose_estimates(combine([main, rows]), Disclosure(), {})
    follows = released[released["estimand"].isin(["e_value", "p_value"])]
    shown = follows.groupby("measure")["estimate"].count()
    assert shown["a"] == shown["b"] == 0
    assert shown["c"] == 2
    assert set(follows.loc[follows["measure"] == "b", "status"]) == {"suppressed"}


def make_checks(failed: str) -> pd.DataFrame:
    rows = [
        {"analysis": "negative_control_outcome", "measure": name, "value": 0.1, "limit": 0.05,
         "check": "negative_control_difference", "status": "failed" if name == failed else "ok"}
        for name in MEASURES
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_failing_control_withholds_its_measures_results_only():
    main, controls = main_and_controls()
    main.loc[(main["measure"] == "b") & (main["estimand"] == "risk_start"), "status"] = "suppressed"
    cox = main.assign(estimator="cox_time_varying")
    doubly = main.assign(estimator="doubly_robust")
    both = combine([main, controls, cox, doubly])
    out = withhold_biased(both, make_checks("b"))
    changed = out[out["status"] != both["status"]]
    assert set(changed["measure"]) == {"b"}
    assert set(changed["estimator"]) == {TRIAL, "doubly_robust"}
    assert set(changed["analysis"]) == {"main"}
    assert set(changed["reason"]) == {"negative_control_difference"}
    assert len(changed) == 4
    assert withhold_biased(both, make_checks("none")).equals(both)


def make_data(n: int, share_start: float, share_no_start: float) -> StudyData:
    """Half start `a` on day 0; these shares of either half have a control on day 50."""
    plan = make_plan().model_copy(update={"measures": {"a": make_plan().measures["a"]}})
    entry = np.arange(n)
    is_started = entry < n // 2
    turn = entry % (n // 2) / (n // 2)
    has_control = turn < np.where(is_started, share_start, share_no_start)
    entries = pd.DataFrame(
        {"entry_id": entry, "cluster_id": entry, "stop_day": 20, "end_day": 100, "cause": 1,
         "end_cause": 0, "control_day": np.where(has_control, 50.0, np.nan)}
    )  # fmt: skip
    # every other of these reports is against a relative
    outsider = entries["control_day"].where(entry % 2 == 0)
    entries = entries.assign(other_day=entries["control_day"], outsider_day=outsider)
    started = pd.DataFrame({"entry_id": entry[is_started], "measure": "a"})
    days = pd.DataFrame({"start_day": [0, 20], "stop_day": [20, 100], "is_event": [True, False]})
    episodes = entries[["entry_id"]].merge(days, how="cross")
    episodes["a"] = (episodes["entry_id"] < n // 2).astype("int8")
    return StudyData(
        plan=plan,
        entries=entries,
        covariates=entries[["entry_id"]],
        starts=started.assign(first_start_day=0, is_running_before=False),
        spells=started.assign(start_day=0, stop_day=100),
        episodes=episodes,
        decisions=pd.DataFrame(),
        assessments=pd.DataFrame(),
        renewals=pd.DataFrame(),
    )


@pytest.mark.parametrize(
    ("n", "shares", "status"),
    [
        (2000, (0.30, 0.20), "failed"),
        (2000, (0.24, 0.20), "ok"),  # shown beyond chance, but within the limit
        (200, (0.30, 0.22), "ok"),  # beyond the limit, but perhaps by chance
        (60, (0.60, 0.10), "ok"),  # too few events in an arm to tell
    ],
)
def test_the_gate_fails_beyond_the_limit_and_beyond_chance(n, shares, status):
    rows, checks = estimate_negative_controls(make_data(n, *shares))
    check = checks.set_index("check").loc["negative_control_difference"]
    assert check["status"] == status
    assert check["value"] == pytest.approx(shares[0] - shares[1])
    # past the study's outcome on day 20, which everybody has
    risks = rows[rows["estimator"] == TRIAL].set_index("estimand")["estimate"]
    assert risks[["risk_start", "risk_no_start"]].tolist() == pytest.approx(shares)
    has_few = checks.set_index("check").loc["effective_events", "status"] == "warning"
    assert has_few == (n == 60)


def test_the_cox_model_of_the_control_counts_events_while_in_force():
    rows, _ = estimate_negative_controls(make_data(2000, 0.3, 0.2))
    ratio = rows[rows["estimand"] == "hazard_ratio"].iloc[0]
    assert (ratio["n_people"], ratio["n_events"]) == (1000, 300)
    # all controls on one day, Efron's ties: between the ratio of risks and that of odds
    assert 1.5 < ratio["estimate"] < (0.3 / 0.7) / (0.2 / 0.8)


def test_outcomes_so_far_count_from_their_own_day_and_to_the_cap():
    data = make_data(4, 0.3, 0.2)
    days = pd.DataFrame({"start_day": range(8), "stop_day": range(1, 9), "is_event": True})
    episodes = days.assign(entry_id=2, is_event=days["stop_day"].ne(3))
    data = dataclasses.replace(data, episodes=episodes)
    changes = count_outcomes(data, np.array([1, 2]))
    assert changes.entry.tolist() == [1] * 7  # the place among the entries asked for
    assert changes.day.tolist() == [1, 2, 4, 5, 6, 7, 8]
    assert changes.value.tolist() == [1, 2, 3, 4, 5, 5, 5]
    assert not len(count_outcomes(data, np.array([0, 1])).day)


def test_no_control_outcome_no_rows():
    data = make_data(200, 0.3, 0.2)
    none = data.plan.negative_controls.model_copy(update={"outcomes": ()})
    # reports against others are part of the outcome itself
    anyone = data.plan.outcome.model_copy(update={"who": "any_suspect"})
    for update in ({"negative_controls": none}, {"outcome": anyone}):
        plan = data.plan.model_copy(update=update)
        rows, checks = estimate_negative_controls(dataclasses.replace(data, plan=plan))
        assert rows.empty
        assert checks.empty


def test_relatives_leave_the_control_of_a_measure_aimed_at_a_family():
    data = make_data(2000, 0.3, 0.2)
    family = data.plan.negative_controls.model_copy(update={"against_family": ("a",)})
    plan = data.plan.model_copy(update={"negative_controls": family})
    rows, _ = estimate_negative_controls(dataclasses.replace(data, plan=plan))
    risks = rows[rows["estimator"] == TRIAL].set_index("estimand")["estimate"]
    assert risks[["risk_start", "risk_no_start"]].tolist() == pytest.approx([0.15, 0.1])
    ratio = rows[rows["estimand"] == "hazard_ratio"].iloc[0]
    assert (ratio["n_people"], ratio["n_events"]) == (1000, 150)


def test_nobody_started_is_said():
    data = make_data(200, 0.3, 0.2)
    data = dataclasses.replace(data, starts=data.starts.iloc[:0], spells=data.spells.iloc[:0])
    data = dataclasses.replace(data, episodes=data.episodes.assign(a=0))
    rows, checks = estimate_negative_controls(data)
    assert checks.empty
    assert set(rows["status"]) == {"not_estimable"}
    assert set(rows["reason"]) == {"nobody_started", "nobody_exposed"}


def test_a_placebo_must_be_a_measure_of_the_study():
    for key in ("measures", "against_family"):
        text = STUDY.replace("LEAST", "5").replace("measures: [talk]", f"{key}: [tolk]")
        with pytest.raises(StudyError, match=rf"negative_controls.{key}: .*'tolk'.* talk"):
            read_plan(text)
