"""Linkage error added at a known rate to people with a known effect: the correction undoes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.analyses.sensitivity import linkage_error
from revictimisation.analyses.sensitivity.linkage_error import (
    add_links,
    drop_links,
    estimate_linkage_error,
)
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import make_estimates
from revictimisation.estimators.simulation_extrapolation import extrapolate
from revictimisation.plan import read_plan

STUDY = """
name: made
horizon_days: 365
report_at_days: [365]
measures: {support_talks: {grace_days: 0}, safety_talk: {grace_days: 0}}
adjust_for: []
subgroups: []
bootstrap: {replicates: 0}
linkage: {LINKAGE}
"""
DAYS = [365]


def make_data(told: str = "", n_people: int = 4000, rates: dict[str, float] | None = None):
    """Half get support talks on day 0, which take the risk within a year from 60 % to 20 %."""
    rng = np.random.default_rng(5)
    ids = np.arange(n_people)
    has_talks = rng.random(n_people) < 0.5
    has_event = rng.random(n_people) < np.where(has_talks, 0.2, 0.6)
    stop = np.where(has_event, rng.integers(1, 366, n_people), 365)
    entries = pd.DataFrame({
        "entry_id": ids, "cluster_id": ids, "stop_day": stop, "end_day": 365,
        "cause": np.where(has_event, 1, 0), "end_cause": 0, "control_day": np.nan,
        "other_day": np.nan,
    })  # fmt: skip
    starts = pd.DataFrame({
        "entry_id": ids[has_talks], "measure": "support_talks", "first_start_day": 0.0,
        "is_running_before": False,
    })  # fmt: skip
    spells = starts[["entry_id", "measure"]].assign(start_day=0, stop_day=100)
    decisions = pd.DataFrame({
        "source": ["social_interventions", "police_measures"],
        "code": ["support_talks", "safety_talk"],
    })  # fmt: skip
    nothing = pd.DataFrame()
    return StudyData(
        plan=read_plan(STUDY.replace("LINKAGE", told or "is_on: false")),
        entries=entries, covariates=pd.DataFrame({"entry_id": ids}), starts=starts, spells=spells,
        episodes=nothing, decisions=decisions, assessments=nothing, renewals=nothing,
        linkage=rates or {},
    )  # fmt: skip


def make_main(data: StudyData, status: str = "ok") -> pd.DataFrame:
    value, error = linkage_error._difference(data, "support_talks", DAYS)
    row = {
        "question": "q2", "measure": "support_talks", "outcome": "same_suspect",
        "estimator": "clone_censor_weight", "estimand": "risk_difference", "time_days": 365,
        "estimate": value[0], "se": error[0], "ci_low": value[0] - 2 * error[0],
        "ci_high": value[0] + 2 * error[0], "n_people": 4000, "n_events": 1600, "status": status,
        "reason": "" if status == "ok" else "positivity",
    }  # fmt: skip
    return make_estimates([row])


TRUE = float(linkage_error._difference(make_data(), "support_talks", DAYS)[0][0])


def correct(data: StudyData) -> tuple[float, pd.Series]:
    main = make_main(data)
    rows = estimate_linkage_error(data, Found(main, no_checks()))
    assert len(rows) == 1 and rows.loc[0, "analysis"] == "linkage_error"
    return float(main.loc[0, "estimate"]), rows.loc[0]


def test_the_made_effect_is_what_was_made():
    assert pytest.approx(-0.4, abs=0.04) == TRUE


def test_missed_links_are_undone():
    lost = drop_links(make_data("missed_link_rate: 0.25"), ["support_talks"], 0.25,
                      np.random.default_rng(8))  # fmt: skip
    naive, row = correct(lost)
    assert abs(naive - TRUE) > 0.06
    assert abs(row["estimate"] - TRUE) < abs(naive - TRUE) / 3
    assert row["ci_low"] < TRUE < row["ci_high"]
    assert row["se"] > make_main(lost).loc[0, "se"]


def test_false_links_are_undone():
    wrong = add_links(make_data("false_link_rate: 0.2"), ["support_talks"], 0.25,
                      np.random.default_rng(9))  # fmt: skip
    naive, row = correct(wrong)
    assert naive > TRUE + 0.04
    assert abs(row["estimate"] - TRUE) < abs(naive - TRUE) / 2


def test_copies_are_the_mean_of_drawing_who_errs():
    """Forty draws of every second link against the two copies, within the draws' own error."""
    data, names = make_data(n_people=1000), ["support_talks"]
    mixed = linkage_error.mix([data, drop_links(data, names)])
    found = linkage_error._difference(mixed, "support_talks", DAYS, 2)[0][0]
    drawn = [
        linkage_error._difference(
            drop_links(data, names, 0.5, np.random.default_rng(seed)), "support_talks", DAYS
        )[0][0]
        for seed in range(100, 140)
    ]
    error = np.std(drawn, ddof=1) / np.sqrt(len(drawn))
    assert error < 0.005 and abs(found - np.mean(drawn)) < 3 * error


def test_copies_change_nothing_where_nobody_errs():
    data = make_data(n_people=1000)
    once = linkage_error._difference(data, "support_talks", DAYS)
    thrice = linkage_error._difference(linkage_error.mix([data] * 3), "support_talks", DAYS, 3)
    np.testing.assert_allclose(np.array(thrice), np.array(once), rtol=1e-9)


def test_with_a_file_its_risk_assessments_go():
    """Entry 0 was assessed by the social services alone, 1 by both, 2 by the police alone."""
    data = make_data(n_people=3)
    made = replace(
        data,
        covariates=data.covariates.assign(risk_level=["high", "high", "low"]),
        renewals=pd.DataFrame(
            {"entry_id": [0, 1, 1], "day": [9, 9, 20], "risk_level": ["low", "high", "low"]}
        ),
        police_levels=pd.DataFrame(
            {"entry_id": [0, 1, 2], "risk_level": ["missing", "moderate", "low"]}
        ),
        police_renewals=pd.DataFrame({"entry_id": [1], "day": [20], "risk_level": ["low"]}),
    )
    lost = drop_links(made, ["support_talks"])
    assert lost.covariates["risk_level"].tolist() == ["missing", "moderate", "low"]
    assert lost.renewals.values.tolist() == [[1, 20, "low"]]
    assert made.covariates["risk_level"].tolist() == ["high", "high", "low"]
    half = drop_links(made, ["support_talks"], 0.5, np.random.default_rng(2))
    is_lost = np.random.default_rng(2).random(3) < 0.5
    expected = np.where(is_lost, ["missing", "moderate", "low"], ["high", "high", "low"])
    assert 0 < is_lost.sum() < 3 and half.covariates["risk_level"].tolist() == expected.tolist()


def test_the_rates_of_the_linkage_hold_where_the_study_tells_none():
    rates = {"missed_link_rate": 0.25, "false_link_rate": 0.0}
    data = make_data(rates=rates)
    assert [one.value for one in linkage_error.find_rates(data)] == [0.25, 0.0]
    told = make_data("missed_link_rate: 0.1, false_link_rate: 0.02", rates=rates)
    assert [one.value for one in linkage_error.find_rates(told)] == [0.1, 0.02]


def test_rates_that_are_uncertain_widen_the_interval_and_move_nothing():
    """Limits twice as far apart add four times the variance: moves are linear over so little."""
    limits = [(0.05, 0.05), (0.04, 0.06), (0.03, 0.07)]
    rows = []
    for low, high in limits:
        rates = {"missed_link_rate": 0.05, "missed_link_rate_low": low}
        rows.append(correct(make_data(rates={**rates, "missed_link_rate_high": high}))[1])
    assert len({row["estimate"] for row in rows}) == 1
    sure, little, more = (row["se"] ** 2 for row in rows)
    assert (more - sure) / (little - sure) == pytest.approx(4, rel=0.05)


def test_without_rates_there_are_no_rows():
    data = make_data()
    assert estimate_linkage_error(data, Found(make_main(data), no_checks())).empty
    none = make_data(rates={"missed_link_rate": 0.0, "false_link_rate": 0.0})
    assert estimate_linkage_error(none, Found(make_main(none), no_checks())).empty


def test_what_the_gates_hold_back_stays_so():
    data = make_data("missed_link_rate: 0.2")
    main = make_main(data, status="withheld").assign(estimate=np.nan)
    row = estimate_linkage_error(data, Found(main, no_checks())).loc[0]
    assert (row["status"], row["reason"]) == ("withheld", "positivity")
    assert np.isnan(row["estimate"])


def test_measures_of_the_police_alone_are_not_touched():
    data = make_data("missed_link_rate: 0.2")
    assert linkage_error.list_affected(data) == ["support_talks"]
    main = make_main(data).assign(measure="safety_talk")
    assert estimate_linkage_error(data, Found(main, no_checks())).empty


def test_the_same_seed_gives_the_same_numbers():
    data = make_data("missed_link_rate: 0.2, false_link_rate: 0.01")
    main = make_main(data)
    pd.testing.assert_frame_equal(
        estimate_linkage_error(data, Found(main, no_checks())),
        estimate_linkage_error(data, Found(main, no_checks())),
    )


def test_a_parabola_is_extrapolated_exactly_and_noise_by_its_weights():
    """f = 2 + 3x - x^2, by hand at -0.5: move = -1.5 - 0.25; weights from solving two equations."""
    amounts = np.array([0.0, 0.25, 0.5])
    curve = 2 + 3 * amounts - amounts**2
    found = extrapolate(amounts, -0.5, [curve, curve], np.full((2, 3), 0.1))
    assert found.move == pytest.approx(-1.75)
    assert found.noise == pytest.approx(0) and found.variance == pytest.approx(0)
    # weights (w1, w2): .25 w1 + .5 w2 = -.5 and .0625 w1 + .25 w2 = .25, so w1 = -8, w2 = 3
    shift = np.array([0, 0.1, 0])
    noisy = np.array([curve + shift, curve - shift])
    assert extrapolate(amounts, -0.5, noisy, np.full((2, 3), 0.1)).noise == pytest.approx(
        64 * 0.02 / 2
    )
