"""Exposure histories against a naive reading, one person and one day at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from revictimisation.estimators.exposure_bands import (
    band_after_end,
    band_by_length,
    band_since_start,
    count_days_so_far,
    cut_episodes,
    merge_spells,
)
from tests.cases import for_each

SINCE, AFTER, LASTED, PER = (3, 8), (4, 9), (3, 7), 4
N, LAST = 40, 45


def draw(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Spells (overlapping, touching, empty, before day 0, open), episodes, last days."""
    rng = np.random.default_rng(seed)
    n_spells = 3 * N
    start = rng.integers(-20, LAST + 5, n_spells)
    length = rng.choice([0, 1, 3, 7, 12, 200_000], n_spells, p=[0.1, 0.2, 0.3, 0.2, 0.15, 0.05])
    spells = pd.DataFrame(
        {"entry_id": rng.integers(0, N, n_spells), "start_day": start, "stop_day": start + length}
    )
    last = rng.integers(1, LAST, N)
    rows = []
    for entry in range(N):  # episodes cut by something else
        cuts = sorted({0, int(last[entry]), *rng.integers(1, last[entry] + 1, 2).tolist()})
        rows += [(entry, a, b) for a, b in itertools.pairwise(cuts)]
    episodes = pd.DataFrame(rows, columns=["entry_id", "start_day", "stop_day"])
    episodes["is_event"] = rng.random(len(episodes)) < 0.4
    episodes["other"] = rng.integers(0, 2, len(episodes))
    return spells, episodes, last


class Person:
    """One person's spells, read day by day from long before day 0."""

    def __init__(self, spells: pd.DataFrame, entry: int) -> None:
        mine = spells[spells["entry_id"] == entry]
        pairs = list(zip(mine["start_day"], mine["stop_day"], strict=True))
        days = range(-60, LAST + 1)
        self.on = {day: any(a < day <= b for a, b in pairs) for day in days}

    def tell(self, day: int) -> dict[str, float]:
        """What holds on a day: how long it has run or been over, days in force before it."""
        run = over = total = 0
        for one in range(-60, day + 1):
            run = run + 1 if self.on[one] else 0
            over = 0 if self.on[one] or not (total or over) else over + 1
            total += self.on[one] and one < day
        return {"run": run, "over": over, "total": total}


def expect(kind: str, told: dict[str, float]) -> dict[str, float]:
    run, over, total = told["run"], told["over"], told["total"]
    if kind == "since":
        return {"0_3": 1 <= run <= 3, "4_8": 4 <= run <= 8, "9_plus": run >= 9}
    in_force = {"in_force": run > 0}
    if kind == "after":
        bands = {"1_4": 1 <= over <= 4, "5_9": 5 <= over <= 9, "10_plus": over >= 10}
        return in_force | bands
    if kind == "lasted":
        is_over = over > 0
        return in_force | {
            "0_2": is_over and total < 3,
            "3_6": is_over and 3 <= total < 7,
            "7_plus": is_over and total >= 7,
        }
    return in_force | {
        "ended": over > 0,
        "in_force_days": total // PER if run else 0,
        "ended_days": total / PER if over else 0,
    }


LAY = {
    "since": lambda stretches: band_since_start(stretches, SINCE),
    "after": lambda stretches: band_after_end(stretches, AFTER),
    "lasted": lambda stretches: band_by_length(stretches, LASTED),
    "dose": lambda stretches: count_days_so_far(stretches, PER),
}


@for_each("seed", range(6))
@for_each("kind", LAY)
def test_every_day_of_every_person(kind, seed):
    spells, episodes, last = draw(seed)
    pieces, held = cut_episodes(episodes, LAY[kind](merge_spells(spells, last)))
    whole = {
        (row.entry_id, day): row
        for row in episodes.itertuples()
        for day in range(row.start_day + 1, row.stop_day + 1)
    }
    people = {entry: Person(spells, entry) for entry in range(N)}
    n_seen = 0
    for row, values in zip(pieces.itertuples(), held.to_dict("records"), strict=True):
        for day in range(row.start_day + 1, row.stop_day + 1):
            of = whole.pop((row.entry_id, day))
            assert values == expect(kind, people[row.entry_id].tell(day)), (row, day)
            assert row.other == of.other
            if day == row.stop_day:
                assert row.is_event == (of.is_event and day == of.stop_day)
            n_seen += any(values.values())
    assert not whole
    assert n_seen > 100
    is_same = pieces["entry_id"].to_numpy()[1:] == pieces["entry_id"].to_numpy()[:-1]
    assert (pieces["start_day"].to_numpy()[1:] >= pieces["stop_day"].to_numpy()[:-1])[is_same].all()


def test_nothing_in_force_leaves_episodes_as_they_are():
    spells, episodes, last = draw(1)
    pieces, held = cut_episodes(episodes, band_after_end(merge_spells(spells[:0], last), AFTER))
    pd.testing.assert_frame_equal(pieces, episodes, check_dtype=False)
    assert list(held) == ["in_force", "1_4", "5_9", "10_plus"]
    assert not held.to_numpy().any()
