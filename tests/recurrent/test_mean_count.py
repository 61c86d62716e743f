"""Mean cumulative counts: by definition, beside the curves they must equal, errors, and edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revictimisation.estimators.contrasts import compare_counts
from revictimisation.estimators.curves import aalen_johansen
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import count_interval
from revictimisation.estimators.mean_count import mean_cumulative_count
from tests.cases import for_each
from tests.recurrent.count_oracle import DAYS, derivatives, make_follow_up, naive_mean_count

SEEDS = st.integers(0, 10_000)
NUMBERS = ["estimate", "se", "ci_low", "ci_high", "n_at_risk", "n_events"]


def curve_of(frame: pd.DataFrame, *, at_days=DAYS, weights="weight", cluster="family"):
    return mean_cumulative_count(
        frame["start"],
        frame["stop"],
        frame["event"],
        frame["terminal"],
        at_days=at_days,
        weights=frame[weights] if weights else None,
        cluster=frame[cluster] if cluster else None,
    )


def difference_of(frame: pd.DataFrame, *, at_days=DAYS, cluster="family"):
    return compare_counts(
        frame["start"],
        frame["stop"],
        frame["event"],
        frame["terminal"],
        frame["is_started"],
        at_days=at_days,
        weights=frame["weight"],
        cluster=frame[cluster] if cluster else None,
        entry_id=frame["person"],
    )


@settings(max_examples=40)
@given(seed=SEEDS)
def test_estimate_is_the_definition(seed):
    frame = make_follow_up(seed)
    np.testing.assert_allclose(curve_of(frame)["estimate"], naive_mean_count(frame), atol=1e-12)


@settings(max_examples=12)
@given(seed=SEEDS)
def test_error_is_the_derivative_in_the_weights(seed):
    """With late entry, ties, and weights that change from piece to piece of a person."""
    frame = make_follow_up(seed)
    slopes = derivatives(frame, lambda t: curve_of(t)["estimate"].to_numpy())
    expected = np.sqrt((slopes**2).sum(axis=0))
    assert_errors(curve_of(frame), expected)


def assert_errors(rows: pd.DataFrame, expected: np.ndarray) -> None:
    """As expected; where nothing moves a number (0, nan), the errors of its limits."""
    width = (rows["ci_high"] - rows["ci_low"]).to_numpy() / (2 * 1.959964)
    wanted = np.where(expected > 1e-8, expected, width)
    is_told = rows["estimate"].notna().to_numpy()
    np.testing.assert_allclose(rows["se"][is_told], wanted[is_told], rtol=1e-5, atol=1e-8)


@settings(max_examples=8)
@given(seed=SEEDS)
def test_error_of_the_difference_is_the_derivative_with_clusters_in_both_groups(seed):
    frame = make_follow_up(seed)
    assert (frame.groupby("family")["is_started"].nunique() > 1).any()

    def gap(table: pd.DataFrame) -> pd.DataFrame:
        rows = difference_of(table)
        return rows[rows["estimand"] == "mean_count_difference"]

    slopes = derivatives(frame, lambda t: gap(t)["estimate"].to_numpy())
    expected = np.sqrt((slopes**2).sum(axis=0))
    assert_errors(gap(frame), expected)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_without_terminal_events_it_is_nelson_aalen(seed):
    frame = make_follow_up(seed).assign(terminal=0)
    total, expected = 0.0, []
    for day in range(-2, max(DAYS) + 1):
        at_risk = frame["weight"][(frame["start"] < day) & (day <= frame["stop"])].sum()
        events = frame["weight"][(frame["stop"] == day) & (frame["event"] == 1)].sum()
        total += events / at_risk if at_risk > 0 else 0.0
        expected += [total] if day in DAYS else []
    np.testing.assert_allclose(curve_of(frame)["estimate"], expected, rtol=1e-12)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_an_outcome_that_ends_follow_up_gives_aalen_johansen(seed):
    """Estimate and error: the outcome is then terminal itself, death competes."""
    frame = make_follow_up(seed).groupby("person").head(1)
    cause = np.where(frame["event"] == 1, 1, 2 * frame["terminal"])
    risks = aalen_johansen(
        frame["stop"],
        cause,
        at_days=DAYS,
        start=frame["start"],
        weights=frame["weight"],
        cluster=frame["family"],
        n_causes=2,
    )
    risks = risks[risks["cause"] == 1]
    counts = curve_of(frame.assign(terminal=(cause > 0).astype(int)))
    np.testing.assert_allclose(counts["estimate"], risks["estimate"], atol=1e-12)
    is_inside = risks["estimate"].between(0, 1, inclusive="neither").to_numpy()
    np.testing.assert_allclose(counts["se"][is_inside], risks["se"][is_inside], atol=1e-12)


def test_one_possible_outcome_without_censoring_gives_the_risk():
    """People stay after their only outcome until death; nobody is censored before day 20."""
    rng = np.random.default_rng(4)
    death, first = rng.integers(3, 25, 200), rng.integers(1, 40, 200)
    end = np.minimum(death, 20)
    has_outcome = first < end
    start = np.concatenate([np.zeros(200), first[has_outcome]])
    stop = np.concatenate([np.where(has_outcome, first, end), end[has_outcome]])
    event = np.concatenate([has_outcome, np.zeros(has_outcome.sum(), bool)])
    terminal = np.concatenate([~has_outcome & (death <= 20), (death <= 20)[has_outcome]])
    person = np.concatenate([np.arange(200), np.flatnonzero(has_outcome)])
    curve = mean_cumulative_count(start, stop, event, terminal, at_days=[5, 19], cluster=person)
    cause = np.where(has_outcome, 1, np.where(death <= 20, 2, 0))
    risks = aalen_johansen(np.where(has_outcome, first, end), cause, at_days=[5, 19])
    risks = risks[risks["cause"] == 1]
    np.testing.assert_allclose(curve["estimate"], risks["estimate"], rtol=1e-12)
    np.testing.assert_allclose(curve["se"], risks["se"], rtol=1e-10)


@settings(max_examples=10)
@given(seed=SEEDS)
def test_weight_two_is_two_rows(seed):
    frame = make_follow_up(seed).assign(weight=1.0)
    twice = (frame["person"] % 2 == 0).to_numpy()
    weighted = curve_of(frame.assign(weight=np.where(twice, 2.0, 1.0)))
    doubled = curve_of(pd.concat([frame, frame[twice]]))
    np.testing.assert_allclose(weighted["estimate"], doubled["estimate"])
    moves = (weighted["estimate"] > 0).to_numpy()  # the limits of 0 count people, not rows
    np.testing.assert_allclose(weighted["se"][moves], doubled["se"][moves])


@settings(max_examples=10)
@given(seed=SEEDS)
def test_order_and_splitting_change_nothing(seed):
    frame = make_follow_up(seed)
    is_long = frame["stop"] - frame["start"] > 1
    first = frame[is_long].assign(stop=frame["start"] + 1, event=0, terminal=0)
    rest = frame.assign(start=frame["start"].where(~is_long, frame["start"] + 1))
    split = pd.concat([rest, first]).sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(curve_of(split)[NUMBERS], curve_of(frame)[NUMBERS], atol=1e-9)
    columns = [*NUMBERS[:4], "n_people", "n_events"]
    pd.testing.assert_frame_equal(
        difference_of(split)[columns], difference_of(frame)[columns], atol=1e-9
    )


@settings(max_examples=10)
@given(seed=SEEDS)
def test_scaling_all_weights_changes_nothing(seed):
    frame = make_follow_up(seed)
    scaled = curve_of(frame.assign(weight=frame["weight"] * 7.3))
    pd.testing.assert_frame_equal(scaled, curve_of(frame), atol=1e-12)


def test_on_a_day_outcomes_come_before_death_and_death_before_censoring():
    """Three at risk on day 5: an outcome with death, a death, a censoring; then one outcome."""
    curve = mean_cumulative_count(
        [0, 0, 0, 0], [5, 5, 5, 9], [1, 0, 0, 1], [1, 1, 0, 0], at_days=[5, 9]
    )
    # 1/4 on day 5; half of all survive it, and all of those still there have one on day 9
    assert curve["estimate"].tolist() == [0.25, 0.75]
    assert curve["n_at_risk"].tolist() == [4, 1]
    assert curve["n_events"].tolist() == [1, 2]


def test_counting_the_dead_as_censored_overstates():
    frame = make_follow_up(3, 200)
    as_terminal = curve_of(frame, at_days=[12]).loc[0, "estimate"]
    as_censored = curve_of(frame.assign(terminal=0), at_days=[12]).loc[0, "estimate"]
    assert as_censored > as_terminal + 0.2


def test_past_the_last_day_the_curve_stays():
    curve = mean_cumulative_count([0, 0], [2, 4], [1, 0], [0, 0], at_days=[4, 5, 900])
    assert curve["estimate"].tolist() == [0.5, 0.5, 0.5]
    assert curve["n_at_risk"].tolist() == [1, 0, 0]


def test_intervals_without_outcomes_are_poissons():
    curve = mean_cumulative_count([0] * 20, [9] * 20, [0] * 20, [0] * 20, at_days=[0, 5, 30])
    assert curve["estimate"].tolist() == [0, 0, 0]
    assert curve["is_followed"].tolist() == [True, True, False]
    assert curve["ci_low"].tolist() == [0, 0, 0]
    assert curve["ci_high"].tolist() == pytest.approx([-np.log(0.025) / 20] * 3)


def test_an_interval_without_measured_spread_is_not_a_point():
    """One cluster, or everyone with as many outcomes: Garwood's limits for 20 of 20, 1 of 1."""
    everyone = mean_cumulative_count([0] * 20, [9] * 20, [1] * 20, [0] * 20, at_days=[9]).loc[0]
    assert everyone["se"] == pytest.approx((1.5444 - 0.6108) / (2 * 1.96), abs=1e-4)
    assert (everyone["ci_low"], everyone["ci_high"]) == pytest.approx((0.6108, 1.5444), abs=1e-4)
    single = mean_cumulative_count(
        [0] * 20, [9] * 20, [1] * 20, [0] * 20, at_days=[9], cluster=[1] * 20
    ).loc[0]
    assert (single["ci_low"], single["ci_high"]) == pytest.approx((0.0253, 5.5716), abs=1e-4)


@settings(max_examples=40)
@given(
    people=st.lists(
        st.tuples(st.integers(1, 5), st.booleans(), st.booleans()), min_size=1, max_size=8
    ),
    is_clustered=st.booleans(),
)
def test_nothing_is_missing_and_intervals_hold_the_estimate(people, is_clustered):
    stop, event, terminal = zip(*people, strict=True)
    curve = mean_cumulative_count(
        [0] * len(people),
        stop,
        event,
        terminal,
        at_days=[0, 2, 5, 9],
        cluster=[1] * len(people) if is_clustered else None,
    )
    assert np.isfinite(curve.to_numpy(dtype=float)).all()
    assert (curve["ci_low"] <= curve["estimate"]).all()
    assert (curve["ci_high"] >= curve["estimate"]).all()
    assert curve["estimate"].is_monotonic_increasing


def test_a_group_without_outcomes_leaves_room_in_the_difference():
    rows = compare_counts(
        [0] * 40,
        [9] * 40,
        [1] * 10 + [0] * 30,
        [0] * 40,
        [True] * 20 + [False] * 20,
        at_days=[9],
    ).set_index("estimand")
    gap, none = rows.loc["mean_count_difference"], rows.loc["mean_count_no_start"]
    start = rows.loc["mean_count_start"]
    assert (gap["estimate"], none["estimate"]) == (0.5, 0)
    room = np.hypot(start["estimate"] - start["ci_low"], none["ci_high"])
    assert gap["ci_low"] == pytest.approx(0.5 - room)
    assert gap["ci_high"] == pytest.approx(0.5 + start["ci_high"] - start["estimate"])
    assert rows["n_people"].tolist() == [20, 20, 40]


def test_clones_in_both_groups_leave_no_difference_and_no_error():
    """Everyone in either group, in one cluster: the difference is 0 and can't be otherwise."""
    frame = make_follow_up(9)
    both = pd.concat([frame.assign(is_started=True), frame.assign(is_started=False)])
    rows = difference_of(both, cluster="person", at_days=[3, 9])
    gap = rows[rows["estimand"] == "mean_count_difference"]
    assert gap["estimate"].abs().max() < 1e-12
    assert gap["se"].max() < 1e-12


def test_without_clusters_the_entries_are_the_clusters():
    frame = make_follow_up(2)
    by_person = difference_of(frame, cluster="person")
    pd.testing.assert_frame_equal(difference_of(frame, cluster=None), by_person)


@for_each(
    ("change", "word"),
    [
        ({"stop": [0, 4]}, "stop after its start"),
        ({"stop": [2.5, 4]}, "whole"),
        ({"is_event": [2, 0]}, "is_event"),
        ({"is_terminal": [0, np.nan]}, "is_terminal"),
        ({"weights": [-1, 1]}, "weights"),
        ({"weights": [1, 1, 1]}, "same length"),
        ({"cluster": ["a", None]}, "cluster"),
    ],
)
def test_wrong_input_is_refused(change, word):
    given = {"start": [0, 0], "stop": [3, 4], "is_event": [1, 0], "is_terminal": [0, 1]}
    with pytest.raises(ValueError, match=word):
        mean_cumulative_count(**(given | change), at_days=[3])


def test_nobody_is_not_estimable():
    with pytest.raises(NotEstimableError):
        mean_cumulative_count([], [], [], [], at_days=[3])
    with pytest.raises(NotEstimableError):
        compare_counts([0, 0], [3, 4], [1, 0], [0, 1], [True, True], at_days=[3])


def test_interval_is_the_published_one():
    low, high = count_interval(np.array([2.0]), np.array([0.5]), np.array([50]))
    assert low[0] == pytest.approx(2 * np.exp(-1.959964 * 0.25))
    assert high[0] == pytest.approx(2 * np.exp(1.959964 * 0.25))
