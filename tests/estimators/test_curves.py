"""Risk curves: by definition, errors as derivatives, ties, and the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revictimisation.estimators.contrasts import compare_risks
from revictimisation.estimators.curves import aalen_johansen, kaplan_meier
from revictimisation.estimators.faults import NotEstimableError
from tests.cases import for_each

DAYS = [0, 1, 3, 6, 8, 20]


def make_people(seed: int, n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    entry = rng.integers(-1, 3, n)
    frame = pd.DataFrame({"start": entry, "stop": entry + rng.integers(1, 9, n)})
    frame["cause"] = rng.integers(0, 3, n)
    frame["weight"] = rng.uniform(0.2, 3, n)
    frame["family"] = rng.integers(0, n // 2, n)
    frame["is_started"] = rng.random(n) < 0.5
    return frame


def curve_of(frame: pd.DataFrame, **options) -> pd.DataFrame:
    columns = {"weights": "weight", "cluster": "family", "start": "start"} | options
    given = {key: frame[name] for key, name in columns.items() if name}
    return aalen_johansen(frame["stop"], frame["cause"], at_days=DAYS, n_causes=2, **given)


def naive_risks(frame: pd.DataFrame, cause: int) -> list[float]:
    """Day by day: who is at risk, who has the event, who stays."""
    risks, free, risk = {}, 1.0, 0.0
    for day in range(-5, 21):
        at_risk = frame["weight"][(frame["start"] < day) & (day <= frame["stop"])].sum()
        today = frame[(frame["stop"] == day) & (frame["cause"] > 0)]
        if at_risk > 0:
            risk += free * today["weight"][today["cause"] == cause].sum() / at_risk
            free *= 1 - today["weight"].sum() / at_risk
        risks[day] = risk
    return [risks[day] for day in DAYS]


def derivatives(frame: pd.DataFrame, estimate, step: float = 1e-5) -> np.ndarray:
    """Of the estimates in the logarithm of each family's weight, by central differences."""
    rows = []
    for family in frame["family"].unique():
        factor = np.where(frame["family"] == family, step, 0)
        up, down = (frame.assign(weight=frame["weight"] * (1 + s * factor)) for s in (1, -1))
        rows.append((estimate(up) - estimate(down)) / (2 * step))
    return np.array(rows)


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000))
def test_estimate_is_the_definition(seed):
    frame = make_people(seed)
    curve = curve_of(frame)
    for cause in (1, 2):
        ours = curve.loc[curve["cause"] == cause, "estimate"]
        np.testing.assert_allclose(ours, naive_risks(frame, cause), atol=1e-12)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_error_is_the_derivative_in_the_weights(seed):
    """With late entry, ties, weights and clusters of several rows."""
    frame = make_people(seed)
    slopes = derivatives(frame, lambda t: curve_of(t)["estimate"].to_numpy())
    expected = np.sqrt((slopes**2).sum(axis=0))
    assert_errors(curve_of(frame), expected)


def test_error_where_a_persons_weight_changes():
    """Pieces of one person with different weights: their influences add up."""
    frame = make_people(5, 60).assign(family=range(60))
    first = frame[frame["stop"] > 3].assign(stop=3, cause=0).query("start < 3")
    later = frame[(frame["stop"] > 3) & (frame["start"] < 3)].assign(start=3)
    later["weight"] *= 1.7
    whole = frame[(frame["stop"] <= 3) | (frame["start"] >= 3)]
    pieces = pd.concat([first, later, whole], ignore_index=True)
    slopes = derivatives(pieces, lambda t: curve_of(t)["estimate"].to_numpy())
    expected = np.sqrt((slopes**2).sum(axis=0))
    assert_errors(curve_of(pieces), expected)


def assert_errors(curve, expected):
    """Errors are as expected; at 0 and 1, where nothing moves, those of the exact limits."""
    is_edge = curve["estimate"].isin([0, 1])
    width = (curve["ci_high"] - curve["ci_low"]) / (2 * 1.959964)
    np.testing.assert_allclose(curve["se"], width.where(is_edge, expected), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(expected[is_edge], 0, atol=1e-8)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_splitting_and_order_change_nothing(seed):
    frame = make_people(seed).assign(family=range(30))
    long = frame["stop"] - frame["start"] > 1
    first = frame[long].assign(stop=frame["start"] + 1, cause=0)
    rest = frame.assign(start=frame["start"].where(~long, frame["start"] + 1))
    split = pd.concat([rest, first]).sample(frac=1, random_state=seed)
    columns = ["estimate", "se", "ci_low", "ci_high", "n_events", "n_at_risk"]
    pd.testing.assert_frame_equal(curve_of(split)[columns], curve_of(frame)[columns], atol=1e-9)


def test_events_come_before_those_censored_on_the_day():
    curve = kaplan_meier([5, 5, 9], [1, 0, 1], at_days=[4, 5])
    assert curve["estimate"].tolist() == [0, pytest.approx(1 / 3)]
    assert curve["n_at_risk"].tolist() == [3, 3]
    assert curve["n_events"].tolist() == [0, 1]


def test_many_ties_stay_where_they_are():
    """Two in three have the event on the last day, the third is censored there: 2/3, no more."""
    curve = aalen_johansen(np.full(30_000, 7), np.arange(30_000) % 3, at_days=[6, 7, 8])
    last = curve[curve["time_days"] >= 7]
    np.testing.assert_allclose(last["estimate"], 1 / 3, rtol=1e-12)
    assert (curve.loc[curve["time_days"] == 6, "estimate"] == 0).all()


def test_without_start_day_zero_counts():
    curve = kaplan_meier([0, 4], [1, 1], at_days=[0])
    assert curve.loc[0, "estimate"] == 0.5
    assert curve.loc[0, "n_at_risk"] == 2


def test_past_the_last_day_the_curve_stays():
    curve = kaplan_meier([2, 3, 4], [1, 0, 0], at_days=[4, 5, 900])
    assert curve["estimate"].tolist() == pytest.approx([1 / 3] * 3)
    assert curve["n_at_risk"].tolist() == [1, 0, 0]


@settings(max_examples=40)
@given(
    people=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 2)), min_size=1, max_size=8),
    is_clustered=st.booleans(),
)
def test_nothing_is_missing_and_intervals_hold_the_estimate(people, is_clustered):
    stop, cause = zip(*people, strict=True)
    cluster = [1] * len(people) if is_clustered else None
    curve = aalen_johansen(stop, cause, at_days=[0, 2, 5, 9], cluster=cluster, n_causes=2)
    assert not curve.isna().any().any()
    assert (curve["ci_low"] <= curve["estimate"]).all()
    assert (curve["ci_high"] >= curve["estimate"]).all()
    assert curve[["ci_low", "ci_high", "estimate"]].stack().between(0, 1).all()


def test_intervals_at_none_and_all_are_exact():
    none = kaplan_meier([9] * 20, [0] * 20, at_days=[5]).loc[0]
    assert (none["ci_low"], none["ci_high"]) == (0, pytest.approx(1 - 0.025 ** (1 / 20)))
    everyone = kaplan_meier([4] * 20, [1] * 20, at_days=[5]).loc[0]
    assert (everyone["ci_low"], everyone["ci_high"]) == (pytest.approx(0.025 ** (1 / 20)), 1)
    # one who enters later doesn't take the twenty away
    late = kaplan_meier([4] * 20 + [8], [1] * 20 + [0], start=[0] * 20 + [6], at_days=[7]).loc[0]
    assert late["ci_low"] == pytest.approx(0.025 ** (1 / 20))


def test_rows_of_weight_zero_count_nowhere():
    frame = make_people(3)
    out = frame.index % 4 == 0
    zero = curve_of(frame.assign(weight=frame["weight"].where(~out, 0)))
    pd.testing.assert_frame_equal(zero, curve_of(frame[~out]), atol=1e-12)


@for_each(
    ("arguments", "message"),
    [
        ({"stop": [1.5], "cause": [1]}, "stop must hold whole"),
        ({"stop": [1], "cause": [-1]}, "causes must be 0 or more"),
        ({"stop": [1], "cause": [1], "start": [1]}, "each stop after its start"),
        ({"stop": [1], "cause": [1], "weights": [-1]}, "weights"),
        ({"stop": [1, 2], "cause": [1]}, "same length"),
        ({"stop": [1, 2], "cause": [1, 1], "cluster": [1, None]}, "a label for each row"),
    ],
)
def test_wrong_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        aalen_johansen(**arguments, at_days=[1])


def test_nobody_is_not_estimable():
    with pytest.raises(NotEstimableError, match="no people"):
        aalen_johansen([], [], at_days=[1])
    with pytest.raises(NotEstimableError, match="in a group"):
        compare_risks([1, 2], [1, 1], [True, True], at_days=[1])


def contrast(frame: pd.DataFrame) -> pd.DataFrame:
    return compare_risks(
        frame["stop"],
        frame["cause"],
        frame["is_started"],
        at_days=[3, 6],
        weights=frame["weight"],
        cluster=frame["family"],
        start=frame["start"],
    ).set_index(["estimand", "time_days"])


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_difference_and_ratio_with_victims_in_both_groups(seed):
    """Errors are derivatives in a family's weight, whichever group its rows are in."""
    frame = make_people(seed, 40)
    rows = contrast(frame)
    risks = [rows.loc[name, "estimate"] for name in ("risk_start", "risk_no_start")]
    np.testing.assert_allclose(rows.loc["risk_difference", "estimate"], risks[0] - risks[1])
    scales = {"risk_difference": np.asarray, "risk_ratio": np.log}
    told = {
        name: scale for name, scale in scales.items() if rows.loc[name, "status"].eq("ok").all()
    }

    def both(table: pd.DataFrame) -> np.ndarray:
        found = contrast(table)
        return np.array([scale(found.loc[name, "estimate"]) for name, scale in told.items()])

    expected = np.sqrt((derivatives(frame, both) ** 2).sum(axis=0))
    for name, error in zip(told, expected, strict=True):
        np.testing.assert_allclose(rows.loc[name, "se"], error, rtol=1e-5, atol=1e-8)


def test_groups_are_curves_of_their_own():
    frame = make_people(7, 60)
    rows = contrast(frame)
    mine = frame[frame["is_started"]]
    alone = aalen_johansen(
        mine["stop"],
        mine["cause"],
        at_days=[3, 6],
        weights=mine["weight"],
        cluster=mine["family"],
        start=mine["start"],
    ).query("cause == 1")
    columns = ["estimate", "se", "ci_low", "ci_high", "n_events"]
    np.testing.assert_allclose(rows.loc["risk_start", columns].astype(float), alone[columns])
    assert (rows.loc["risk_start", "n_people"] == len(mine)).all()
    assert (rows.loc["risk_difference", "n_people"] == len(frame)).all()


def test_a_group_without_events_has_a_difference_but_no_ratio():
    stop, started = [5] * 30, [True] * 10 + [False] * 20
    cause = [0] * 10 + [1] * 8 + [0] * 12
    rows = compare_risks(stop, cause, started, at_days=[5]).set_index("estimand")
    difference, ratio = rows.loc["risk_difference"], rows.loc["risk_ratio"]
    assert difference["estimate"] == pytest.approx(-0.4)
    highest = 1 - 0.025 ** (1 / 10)
    no_start = rows.loc["risk_no_start"]
    high = -0.4 + np.hypot(highest, 0.4 - no_start["ci_low"])
    assert difference["ci_high"] == pytest.approx(high)
    assert difference["ci_low"] < -0.4 < difference["ci_high"] < 0.2
    assert (ratio["status"], ratio["reason"]) == ("not_estimable", "no_events_in_a_group")
    assert rows.drop("risk_ratio").notna().all().all()
