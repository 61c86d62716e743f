"""The courts of a county: what a measure does to a case, and that its kept truth is so."""

import json
from importlib.resources import files

import numpy as np
import pytest

from benchmarks.court_truth import compute_court_truth, fingerprint_court, list_index_cases
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.justice_tables import mark_started
from revictimisation.simulate.kernel import KIND_MEASURE
from revictimisation.simulate.truth import read_truth
from tests.cases import for_each

KEYS = ["measure", "subgroup", "level", "estimand", "time_days"]
KEPT = [name for name, scenario in SCENARIOS.items() if not scenario.truth_of]
CALIBRATED = SCENARIOS["calibrated"]


def kept(name, *, with_error=False):
    truth = read_truth(SCENARIOS[name], with_error=with_error)
    return truth[truth["estimand"].str.startswith(("conviction_", "participation_"))]


@for_each("name", KEPT)
def test_the_kept_truth_was_made_for_the_courts_as_they_stand(name):
    folder = files("revictimisation.simulate").joinpath("truth_data")
    facts = json.loads(folder.joinpath(f"court_{name}.json").read_text(encoding="utf-8"))
    assert facts["fingerprint"] == fingerprint_court(SCENARIOS[name]), (
        f"parameters of {name!r} changed: run {facts['command']}"
    )
    assert len(kept(name)) == 150


def test_computed_anew_it_agrees_within_monte_carlo_error():
    again = compute_court_truth(CALIBRATED, 20_000, seed=404).astype({"time_days": "Int64"})
    both = again.merge(kept("calibrated", with_error=True), on=KEYS, suffixes=("", "_kept"))
    assert len(both) == 150
    error = np.hypot(both["mc_error"], both["mc_error_kept"]) * 1.15  # several cases of one victim
    far = (both["value"] - both["value_kept"]).abs() / error.clip(lower=1e-9)
    assert far.max() < 4.5


def test_in_the_null_county_no_measure_does_anything_in_court():
    truth = kept("null").set_index(KEYS)["value"]
    names = truth.index.get_level_values("estimand")
    gaps = truth[names.str.endswith("risk_difference")]
    assert len(gaps) > 70
    assert (gaps == 0).all()
    assert (truth[names == "conviction_odds_ratio"] == 1).all()


def test_each_measure_works_in_its_own_way():
    truth = kept("calibrated").set_index(KEYS)["value"]

    def gap(measure, subgroup="", level=""):
        return truth[measure, subgroup, level, "conviction_risk_difference", 1461]

    assert gap("non_contact_order") > 0.03
    assert gap("non_contact_order", "path", "through_participation") == 0
    assert gap("support_talks") > 0.015
    assert gap("support_talks", "path", "other_ways") == 0
    for measure in ("alarm_package", "safety_talk"):
        assert gap(measure) == 0
    for measure in (one.name for one in CALIBRATED.measures):
        parts = [gap(measure, "path", one) for one in ("through_participation", "other_ways")]
        assert sum(parts) == pytest.approx(gap(measure), abs=2e-6)


def test_a_measure_counts_in_a_case_if_it_starts_in_time_and_before_the_decision():
    course, cases = list_index_cases(CALIBRATED, 400, 5, 0)
    started = mark_started(course, cases)
    spells = course.events[course.events["kind"] == KIND_MEASURE]
    by_measure, none = dict(iter(spells.groupby(["victim", "index"]))), spells.iloc[:0]
    n_late = 0
    for row, case in cases.iterrows():
        wait = (case["closed_on"] - case["reported_on"]).days
        for place, measure in enumerate(CALIBRATED.measures):
            own = by_measure.get((case["victim"], place), none)
            latest = min(measure.grace_days, wait - 1)
            ran = course.setting.given.running[case["victim"], place] > 0
            expected = ran or ((own["day"] <= latest) & (own["end_day"] > 0)).any()
            assert started.loc[row, measure.name] == expected
            n_late += bool((own["day"] <= measure.grace_days).any() and not expected)
    assert n_late > 0  # some start in their grace time and yet after the decision
