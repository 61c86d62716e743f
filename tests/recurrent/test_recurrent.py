"""Episodes for the two PWP models, against a loop over people written from the definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import build_design
from revictimisation.estimators.recurrent import (
    make_pwp_gap_time,
    make_pwp_total_time,
    mark_terminal,
)
from tests.cases import for_each

SEEDS = st.integers(0, 10_000)


def make_episodes(seed: int, n: int = 25) -> pd.DataFrame:
    """Sorted episodes with late entry, gaps, and a measure that changes between outcomes."""
    rng = np.random.default_rng(seed)
    rows = []
    for entry in range(n):
        day = int(rng.integers(0, 3))
        for _ in range(int(rng.integers(1, 7))):
            start = day + int(rng.integers(0, 3) == 0)
            day = start + int(rng.integers(1, 8))
            rows.append((entry, start, day, bool(rng.random() < 0.5), int(rng.integers(0, 2))))
    columns = ["entry_id", "start_day", "stop_day", "is_event", "measure"]
    return pd.DataFrame(rows, columns=columns)


def naive_clocks(episodes: pd.DataFrame) -> list[tuple[int, int]]:
    """For each episode the number of the outcome waited for, and the day its clock began."""
    clocks, entry, number, clock = [], None, 1, 0
    for row in episodes.itertuples():
        if row.entry_id != entry:
            entry, number, clock = row.entry_id, 1, 0
        clocks.append((number, clock))
        if row.is_event:
            number, clock = number + 1, row.stop_day
    return clocks


@settings(max_examples=40)
@given(seed=SEEDS)
def test_numbers_and_clocks_are_the_definition(seed):
    episodes = make_episodes(seed)
    numbers, clocks = map(list, zip(*naive_clocks(episodes), strict=True))
    total, gap = make_pwp_total_time(episodes), make_pwp_gap_time(episodes)
    assert total["event_number"].tolist() == total["stratum"].tolist() == numbers
    pd.testing.assert_frame_equal(total[episodes.columns], episodes)
    assert gap["start_day"].tolist() == (episodes["start_day"] - clocks).tolist()
    assert gap["stop_day"].tolist() == (episodes["stop_day"] - clocks).tolist()
    assert (gap["start_day"] >= 0).all()
    assert gap["measure"].tolist() == episodes["measure"].tolist()


@settings(max_examples=25)
@given(seed=SEEDS, min_events=st.integers(0, 30))
def test_late_strata_are_put_together(seed, min_events):
    episodes = make_episodes(seed)
    made = make_pwp_total_time(episodes, min_events=min_events)
    counts = made[made["is_event"]]["event_number"].value_counts()
    enough = [k for k in range(1, 20) if counts.get(k, 0) >= min_events]
    last = max(enough, default=1)
    assert made["stratum"].tolist() == np.minimum(made["event_number"], last).tolist()
    said = make_pwp_gap_time(episodes, min_events=99, last_stratum=2)
    assert said["stratum"].tolist() == np.minimum(made["event_number"], 2).tolist()


def test_few_outcomes_leave_one_stratum_which_is_andersen_gill():
    episodes = make_episodes(5, 60)
    made = make_pwp_total_time(episodes, min_events=10_000)
    assert (made["stratum"] == 1).all()
    design = build_design(episodes, [], measures=episodes[["measure"]])
    days = (made["start_day"], made["stop_day"], made["is_event"])
    pwp = fit_cox(design, *days, strata=made["stratum"], cluster=made["entry_id"])
    plain = fit_cox(design, *days, cluster=made["entry_id"])
    assert pwp.coef == pytest.approx(plain.coef)
    assert pwp.se_robust == pytest.approx(plain.se_robust)


def test_nobody_is_at_risk_of_an_outcome_before_the_one_before():
    """Total time: in stratum 2 on day 5 only who had the first by day 4."""
    episodes = pd.DataFrame(
        {
            "entry_id": [0, 0, 1, 1],
            "start_day": [0, 4, 0, 6],
            "stop_day": [4, 9, 6, 9],
            "is_event": [1, 0, 1, 1],
        }
    )
    total = make_pwp_total_time(episodes)
    second = total[total["stratum"] == 2]
    at_risk = second[(second["start_day"] < 5) & (second["stop_day"] >= 5)]
    assert at_risk["entry_id"].tolist() == [0]


def test_no_episodes_are_legal():
    empty = make_episodes(0).head(0)
    assert make_pwp_gap_time(empty, min_events=5).empty
    assert mark_terminal([], []).tolist() == []


def test_index_labels_do_not_matter():
    episodes = make_episodes(3)
    shifted = episodes.set_axis(range(1000, 1000 + len(episodes)), axis=0)
    made = make_pwp_gap_time(shifted)
    assert made.index.tolist() == shifted.index.tolist()
    assert made["stratum"].tolist() == make_pwp_gap_time(episodes)["stratum"].tolist()


@for_each(
    ("spoil", "word"),
    [
        (lambda t: t.iloc[::-1], "out of order"),
        (lambda t: t.assign(start_day=0), "overlap"),
        (lambda t: t.drop(columns="is_event"), "is_event"),
        (lambda t: t.assign(stratum=1), "stratum"),
        (lambda t: t.assign(stop_day=t["stop_day"] + 0.5), "whole"),
    ],
)
def test_wrong_episodes_are_refused(spoil, word):
    with pytest.raises(ValueError, match=word):
        make_pwp_gap_time(spoil(make_episodes(1)))


@for_each("rule", [{"min_events": -1}, {"last_stratum": 0}])
def test_impossible_rules_are_refused(rule):
    with pytest.raises(ValueError, match="min_events must be 0"):
        make_pwp_total_time(make_episodes(1), **rule)


def test_terminal_events_stand_on_the_last_episode():
    marks = mark_terminal([0, 0, 2, 2, 3], [True, True, False, True])
    assert marks.tolist() == [False, True, False, False, True]
    with pytest.raises(ValueError, match="mark for each entry"):
        mark_terminal([0, 4], [True, False])
    with pytest.raises(ValueError, match="sorted"):
        mark_terminal([1, 0], [True, False])
