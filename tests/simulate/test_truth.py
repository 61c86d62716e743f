"""The kept truth is that of the scenario as it stands, and comes out again when computed anew."""

import json
from importlib.resources import files
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from benchmarks.county_truth import compute_truth, draw_start_days, fingerprint, list_built_in
from benchmarks.joint_truth import find_followed
from benchmarks.simulator_page import make_page
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.kernel import draw_thresholds
from revictimisation.simulate.process import prepare_setting, run_setting
from revictimisation.simulate.truth import read_truth
from tests.cases import for_each

KEYS = ["measure", "subgroup", "level", "estimand", "time_days"]
RISKS = ["risk_start", "risk_no_start", "risk_difference", "rmst_difference_days",
         "cumulative_incidence"]  # fmt: skip
KEPT = [name for name, scenario in SCENARIOS.items() if not scenario.truth_of]
N_AGAIN = 15_000


@pytest.fixture(scope="module")
def computed():
    """The truth computed anew, on other people than the kept one."""
    return compute_truth(SCENARIOS["calibrated"], N_AGAIN, seed=404)


def kept(name):
    return read_truth(SCENARIOS[name], with_error=True)


@for_each("name", KEPT)
def test_the_kept_truth_was_made_for_the_scenario_as_it_stands(name):
    folder = files("revictimisation.simulate").joinpath("truth_data")
    facts = json.loads(folder.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    assert facts["fingerprint"] == fingerprint(SCENARIOS[name]), (
        f"parameters of {name!r} changed: run {facts['command']}"
    )
    assert facts["n_people"] >= 200_000


def test_computed_anew_it_agrees_within_monte_carlo_error(computed):
    both = computed.merge(kept("calibrated"), on=KEYS, suffixes=("", "_kept"))
    both = both[both["estimand"].isin(RISKS)]
    assert len(both) > 1500
    error = np.hypot(both["mc_error"], both["mc_error_kept"]) * 1.15  # several pairs of one victim
    far = (both["value"] - both["value_kept"]).abs() / error.clip(lower=1e-4)
    # thousands of numbers, many of them of small groups: none far out, few outside
    assert far.max() < 6
    assert (far > 2.576).mean() < 0.03


def test_built_in_numbers_are_those_of_the_scenario():
    for name in KEPT:
        built_in = list_built_in(SCENARIOS[name])
        both = built_in.merge(kept(name), on=KEYS[:4], suffixes=("", "_kept"))
        assert len(both) == len(built_in)
        assert both["value"].round(6).equals(both["value_kept"])


def test_in_the_null_county_nothing_does_anything():
    truth = kept("null")
    effects = truth[truth["estimand"].isin(["risk_difference", "rmst_difference_days"])]
    assert len(effects) > 500
    assert (effects["value"] == 0).all()
    ratios = truth[truth["estimand"] == "log_hazard_ratio"]
    assert set(ratios["measure"]) == {
        *(m.name for m in SCENARIOS["null"].measures), "joint"
    }  # fmt: skip
    assert (ratios["value"] == 0).all()


def test_the_placebo_does_exactly_nothing():
    truth = kept("calibrated")
    mine = truth[(truth["measure"] == "safety_talk") & (truth["subgroup"] == "")]
    mine = mine[mine["estimand"].isin(["risk_difference", "log_hazard_ratio"])]
    assert len(mine) == 5
    assert (mine["value"] == 0).all()


def test_the_order_helps_at_high_risk_and_does_harm_at_low():
    truth = kept("calibrated").set_index(KEYS)["value"]
    place = ("non_contact_order", "risk_level")
    assert truth[(*place, "high", "risk_difference", 365)] < -0.05
    assert truth[(*place, "low", "risk_difference", 365)] > 0.02
    assert truth[("contact_person", "is_honour", "false", "risk_difference", 365)] == 0
    assert truth[("contact_person", "is_honour", "true", "risk_difference", 365)] < -0.05


def test_who_follows_which_strategy_of_two_agencies():
    starts = [(0, 3, True), (0, 33, False), (1, 3, True), (1, 40, False), (1, 20, True),
              (2, 5, False), (3, 0, True), (3, 31, False)]  # fmt: skip
    days = pd.DataFrame(starts, columns=["victim", "day", "is_police"])
    found = find_followed(days, 5)
    followed = {name: np.flatnonzero(who).tolist() for name, who in found.items()}
    assert followed == {
        "both": [0], "one": [2], "none": [4],
        "start": [0, 1],  # near in time, though the first starts of 1 are 37 days apart
        "no_start": [2, 3, 4],
    }  # fmt: skip


def test_together_the_agencies_do_more_than_either_and_no_more_than_what_they_do():
    truth = kept("calibrated").set_index(KEYS)["value"]
    both, one, more = (
        truth[("joint", "strategy", name, "risk_difference", 365)]
        for name in ("both_less_none", "one_less_none", "both_less_one")
    )
    assert both < one < 0 and more < 0
    near = truth[("joint", "", "", "risk_difference", 1461)]
    gap = (
        truth[("joint", "", "", "risk_start", 1461)]
        - truth[("joint", "", "", "risk_no_start", 1461)]
    )
    assert near == pytest.approx(gap, abs=2e-6) and -0.03 < near < -0.01


def test_small_shares_the_truth_of_calibrated():
    pd.testing.assert_frame_equal(kept("small"), kept("calibrated"))


def test_a_natural_start_within_the_grace_time_is_kept():
    scenario, grace = SCENARIOS["calibrated"], 30
    setting = prepare_setting(scenario, 4000, 9)
    days = draw_start_days(setting, scenario, 0, grace, seed=9)
    assert days.min() >= 0
    assert days.max() <= grace
    events, _ = run_setting(setting, scenario, is_clock_reset=False)
    mine = events[(events["kind"] == 1) & (events["index"] == 0)]
    natural = mine.groupby("victim")["day"].min()
    running = setting.given.running[natural.index, 0] > 0
    inside = natural[(natural <= grace) & ~running]
    assert len(inside) > 500
    assert (days[inside.index] == inside).all()


def test_drawn_starts_come_from_the_natural_distribution_of_start_days():
    """Who would not have started is like who did in when: the same law, cut at the grace time."""
    scenario, grace = SCENARIOS["calibrated"], 30
    setting = prepare_setting(scenario, 30_000, 9)
    days = draw_start_days(setting, scenario, 0, grace, seed=9)
    threshold = draw_thresholds(setting.given.keys, 0)
    drawn = threshold > np.quantile(threshold, 0.75)  # surely no natural start for most of these
    is_low = (setting.victims["risk_level"] == "low").to_numpy()
    a, b = days[drawn & is_low], days[~drawn & is_low]
    assert abs(a.mean() - b.mean()) < 4 * np.sqrt(a.var() / len(a) + b.var() / len(b))


def test_the_page_says_what_is_built_in(repo_root):
    folder = files("revictimisation.simulate").joinpath("truth_data")
    facts = json.loads(folder.joinpath("calibrated.json").read_text(encoding="utf-8"))
    figures, naive = (
        pd.read_csv(StringIO(folder.joinpath(f"{name}.csv").read_text(encoding="utf-8")))
        for name in ("figures", "naive")
    )
    truths = {name: read_truth(scenario) for name, scenario in SCENARIOS.items()}
    page = make_page(SCENARIOS, truths, figures, naive, facts)
    kept_page = (repo_root / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert page == kept_page, "run: python benchmarks/simulate_truth.py --page"
