"""Exposure histories: how long in force, how long since it ended, how many days in all.

A history is a table of *points*: from the end of `day` on, until the entry's next point, the
columns hold what the point says. It cuts episodes wherever it changes. A spell is in force on
(start_day, stop_day]; those that overlap or touch are one, as a measure that is prolonged has not
ended, and those with no day in force are none. Days before day 0 count as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Days

IN_FORCE, DAYS = "in_force", "days"
# Room for the days of one entry in a number that sorts entries and days at once.
DAYS_A_ENTRY = 1 << 20


def name_bands(bounds: Sequence[int], first: int) -> tuple[str, ...]:
    """Names of the bands that end on each bound, and of the one after the last.

    >>> name_bands([30, 90], first=0)
    ('0_30', '31_90', '91_plus')
    """
    lows = [first, *(bound + 1 for bound in bounds)]
    closed = [f"{low}_{high}" for low, high in zip(lows, bounds, strict=False)]
    return (*closed, f"{lows[-1]}_plus")


def merge_spells(spells: pd.DataFrame, end_day: npt.ArrayLike) -> pd.DataFrame:
    """Merge an entry's overlapping and touching spells; a row per stretch in force.

    Takes spells of one measure (entry_id, start_day, stop_day) and each entry's last day, beyond
    which nothing is wanted. Gives entry_id, start_day, stop_day, next_day (start of the entry's
    next stretch, or its last day) and days_before (in force in earlier stretches), by entry and
    day.

    >>> one = pd.DataFrame({"entry_id": 0, "start_day": [9, 0, 3], "stop_day": [12, 3, 5]})
    >>> merge_spells(one, [20]).to_numpy().tolist()
    [[0, 0, 5, 9, 0], [0, 9, 12, 20, 5]]
    """
    entry, start, stop = (
        spells[name].to_numpy(np.int64) for name in ("entry_id", "start_day", "stop_day")
    )
    last = np.asarray(end_day, dtype=np.int64)[entry]
    stop = np.minimum(stop, last)
    order = np.lexsort((stop, start, entry))
    order = order[(stop > start)[order]]
    entry, start, stop, last = entry[order], start[order], stop[order], last[order]
    reach = _running_maximum(entry, stop)
    is_first = np.ones(len(entry), dtype=bool)
    is_first[1:] = (entry[1:] != entry[:-1]) | (start[1:] > reach[:-1])
    is_last = np.append(is_first[1:], True)[: len(entry)]
    entry, start, stop, last = entry[is_first], start[is_first], reach[is_last], last[is_first]
    is_same = entry[1:] == entry[:-1]
    following = last.copy()
    following[:-1][is_same] = start[1:][is_same]
    days = np.cumsum(stop - start) - (stop - start)
    is_new = np.append(True, ~is_same)[: len(entry)]
    before = days - np.repeat(days[is_new], np.diff(np.append(np.flatnonzero(is_new), len(entry))))
    columns = {"entry_id": entry, "start_day": start, "stop_day": stop}
    return pd.DataFrame({**columns, "next_day": following, "days_before": before})


def _running_maximum(entry: Days, value: Days) -> Days:
    """The largest value so far within each entry (entries ascending)."""
    if not len(value):
        return value
    lift = entry * (int(value.max()) - int(value.min()) + 1)
    highest: Days = np.maximum.accumulate(value + lift) - lift
    return highest


def band_since_start(stretches: pd.DataFrame, bounds: Sequence[int]) -> pd.DataFrame:
    """Points of 'in force, by days since this stretch's start': one 0/1 column a band.

    On day t after a start on s it has lasted t - s days: with bounds 30, 90 the days s + 1..s + 30
    are the band `0_30`, s + 31..s + 90 `31_90`, all later `91_plus`.
    """
    names = name_bands(bounds, first=0)
    start, stop = stretches["start_day"], stretches["stop_day"]
    parts = [_mark(stretches, start + since, names, name, until=stop)
             for since, name in zip((0, *bounds), names, strict=True)]  # fmt: skip
    return _sort_points([*parts, _mark(stretches, stop, names, None)])


def band_after_end(stretches: pd.DataFrame, bounds: Sequence[int]) -> pd.DataFrame:
    """Points of 'in force' and 'not in force, by days since the last end': a 0/1 column each.

    On day t after an end on e it is t - e days since: with bounds 90, 180 the days e + 1..e + 90
    are the band `1_90`, and so on until the next start. Before any stretch all columns are 0.
    """
    bands = name_bands(bounds, first=1)
    names = (IN_FORCE, *bands)
    start, stop, following = (stretches[name] for name in ("start_day", "stop_day", "next_day"))
    parts = [_mark(stretches, start, names, IN_FORCE)]
    parts += [_mark(stretches, stop + since, names, name, until=following)
              for since, name in zip((0, *bounds), bands, strict=True)]  # fmt: skip
    return _sort_points(parts)


def band_by_length(stretches: pd.DataFrame, bounds: Sequence[int]) -> pd.DataFrame:
    """Points of 'in force' and 'ended, by days in force in all': one 0/1 column each.

    With bounds 30, 90: fewer than 30 days `0_29`, 30 to 89 `30_89`, 90 or more `90_plus`.
    """
    bands = name_bands([bound - 1 for bound in bounds], first=0)
    names = (IN_FORCE, *bands)
    total = stretches["days_before"] + stretches["stop_day"] - stretches["start_day"]
    group = np.searchsorted(np.asarray(bounds), total.to_numpy(), side="right")
    parts = [_mark(stretches, stretches["start_day"], names, IN_FORCE)]
    for number, name in enumerate(bands):
        mine = stretches[group == number]
        parts.append(_mark(mine, mine["stop_day"], names, name))
    return _sort_points(parts)


def count_days_so_far(stretches: pd.DataFrame, per_days: int) -> pd.DataFrame:
    """Points of the dose: `in_force`, `ended` (0/1) and the days so far of each, per `per_days`.

    `in_force_days`: whole periods of `per_days` that the measure has been in force so far, all
    stretches together, while it is in force. `ended_days`: days in force in all over `per_days`,
    not rounded, while it is not.
    """
    start, stop = stretches["start_day"].to_numpy(), stretches["stop_day"].to_numpy()
    before = stretches["days_before"].to_numpy()
    begun, done = before // per_days, (before + stop - start - 1) // per_days
    n_steps = done - begun + 1
    row = np.repeat(np.arange(len(start)), n_steps)
    step = np.arange(n_steps.sum()) - np.repeat(np.cumsum(n_steps) - n_steps, n_steps) + begun[row]
    entry = stretches["entry_id"].to_numpy()
    total = before + stop - start
    running = {
        "entry_id": entry[row],
        "day": np.maximum(start[row] + step * per_days - before[row], start[row]),
        "in_force": 1.0,
        "ended": 0.0,
        "in_force_days": step.astype(float),
        "ended_days": 0.0,
    }
    over = {"entry_id": entry, "day": stop, "in_force": 0.0, "ended": 1.0, "in_force_days": 0.0,
            "ended_days": total / per_days}  # fmt: skip
    return _sort_points([pd.DataFrame(running), pd.DataFrame(over)])


def _mark(
    stretches: pd.DataFrame,
    day: pd.Series,
    names: Sequence[str],
    name: str | None,
    until: pd.Series | None = None,
) -> pd.DataFrame:
    """Points on `day` from which the column `name` is 1 and the others 0; none from `until` on."""
    is_held = np.ones(len(day), bool) if until is None else (day < until).to_numpy()
    points = {"entry_id": stretches["entry_id"][is_held], "day": day[is_held]}
    return pd.DataFrame({**points, **{column: np.int8(column == name) for column in names}})


def _sort_points(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """By entry and day; an end that is the next start comes before it and is passed over."""
    points = pd.concat(parts, ignore_index=True)
    return points.sort_values(["entry_id", "day"], kind="stable", ignore_index=True)


def cut_episodes(episodes: pd.DataFrame, points: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut episodes at an exposure history: the pieces, and what holds in each.

    Takes episodes `(start_day, stop_day]` by entry and day with `is_event` and further columns,
    which their pieces keep; an event stays with the last piece. Gives the pieces in order, and
    for each the columns of `points` (0 before an entry's first point).

    >>> whole = pd.DataFrame({"entry_id": [0], "start_day": 0, "stop_day": 9, "is_event": True})
    >>> point = pd.DataFrame({"entry_id": [0], "day": [4], "on": [1]})
    >>> pieces, held = cut_episodes(whole, point)
    >>> pieces.to_numpy().tolist(), held["on"].tolist()
    ([[0, 0, 4, False], [0, 4, 9, True]], [0, 1])
    """
    entry = episodes["entry_id"].to_numpy(np.int64) * DAYS_A_ENTRY
    start, stop = (entry + episodes[name].to_numpy() for name in ("start_day", "stop_day"))
    point = points["entry_id"].to_numpy(np.int64) * DAYS_A_ENTRY
    point = point + np.clip(points["day"].to_numpy(), 0, DAYS_A_ENTRY - 1)
    parent = np.searchsorted(start, point, side="right") - 1
    is_inside = (parent >= 0) & (point < stop[parent]) & (point > start[parent])
    begin = np.union1d(start, point[is_inside])
    parent = np.searchsorted(start, begin, side="right") - 1
    is_last = np.append(parent[1:] != parent[:-1], True)[: len(begin)]
    end = np.where(is_last, stop[parent], np.append(begin[1:], 0))
    pieces = episodes.iloc[parent].reset_index(drop=True)
    pieces["start_day"], pieces["stop_day"] = begin - entry[parent], end - entry[parent]
    pieces["is_event"] = pieces["is_event"].to_numpy(bool) & is_last
    return pieces, _look_up(points, point, begin)


def _look_up(points: pd.DataFrame, point: Days, begin: Days) -> pd.DataFrame:
    """What holds from each beginning on: the entry's last point on or before it."""
    at = np.searchsorted(point, begin, side="right") - 1
    is_known = at >= 0
    is_known[is_known] = point[at[is_known]] // DAYS_A_ENTRY == begin[is_known] // DAYS_A_ENTRY
    held = {}
    for name in points.columns.drop(["entry_id", "day"]):
        values = points[name].to_numpy()
        held[name] = np.zeros(len(begin), dtype=values.dtype)
        held[name][is_known] = values[at[is_known]]
    return pd.DataFrame(held, index=range(len(begin)))
