"""Covariates that change within the grace time, as change points; what was known when it counted.

A value holds from the beginning of `day` until the entry's next change: it may explain starts on
`day` and later. What happens on a day is therefore a change on the day after it: a measure that
starts on day 3 is in force at the beginning of day 4, and is not a reason for a start on day 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Days, Floats

# Codes of rows are numbered anew past it, so that those of further columns fit.
FEW_CODES = 1 << 32


@dataclass(frozen=True, eq=False)
class Changes:
    """Change points of one covariate: from the beginning of `day` on it has `value` in `entry`.

    Before an entry's first change the value is 0. Days at or before 0 give the value at day 0. Of
    several changes on the same day the last one counts.
    """

    entry: Days
    day: Days
    value: Floats


@dataclass(frozen=True, eq=False)
class Segments:
    """Stretches of days in which no changing covariate changes.

    `first` (entries + 1) points at each entry's segments; `day` is the day a segment begins (the
    first always 0), `pattern` its row in `values` (patterns x covariates).
    """

    first: Days
    day: npt.NDArray[np.int32]
    pattern: npt.NDArray[np.int32]
    values: Floats


def spell_changes(
    entry: npt.ArrayLike, start_day: npt.ArrayLike, stop_day: npt.ArrayLike
) -> Changes:
    """Change points of 'in force at the beginning of the day' from spells in force (start, stop].

    Spells of an entry may overlap; a spell that stops on or before its start is none.

    Example:
        >>> points = spell_changes([0, 0], [-5, 3], [2, 9])
        >>> points.day.tolist(), points.value.tolist()
        ([-4, 3, 4, 10], [1.0, 0.0, 1.0, 0.0])
    """
    who, begin, end = (np.asarray(x, dtype=np.int64) for x in (entry, start_day, stop_day))
    is_real = end > begin
    who, begin, end = who[is_real], begin[is_real], end[is_real]
    people = np.concatenate([who, who])
    days = np.concatenate([begin + 1, end + 1])
    steps = np.concatenate([np.ones(len(who)), -np.ones(len(who))])
    people, days, level = _running_sums(people, days, steps)
    return Changes(people, days, (level > 0).astype(np.float64))


def count_changes(entry: npt.ArrayLike, day: npt.ArrayLike, cap: int | None = None) -> Changes:
    """Change points of 'events so far': an event on a day counts from the next day on.

    Example:
        >>> count_changes([0, 0, 1], [2, 2, 7], cap=1).value.tolist()
        [1.0, 1.0]
    """
    who, when = np.asarray(entry, dtype=np.int64), np.asarray(day, dtype=np.int64)
    people, days, level = _running_sums(who, when + 1, np.ones(len(who)))
    return Changes(people, days, level if cap is None else np.minimum(level, cap))


def _running_sums(entry: Days, day: Days, step: Floats) -> tuple[Days, Days, Floats]:
    """Sums of steps up to each entry's day, one row per entry and day."""
    order = np.lexsort((day, entry))
    entry, day, step = entry[order], day[order], step[order]
    if not len(entry):
        return entry, day, step
    total = np.cumsum(step)
    is_first = np.append(True, entry[1:] != entry[:-1])
    before = (total - step)[is_first]
    level = total - np.repeat(before, np.diff(np.append(np.flatnonzero(is_first), len(entry))))
    is_last = np.append((entry[1:] != entry[:-1]) | (day[1:] != day[:-1]), True)
    return entry[is_last], day[is_last], level[is_last]


def build_segments(
    changes: Mapping[str, Changes] | None, n_entries: int, grace_days: int
) -> Segments:
    """Cut each entry's days 0..grace_days where one of its changing covariates changes.

    Raises:
        ValueError: an entry outside 0..n_entries-1, lengths that differ, missing values.
    """
    points = [_clip(one, name, n_entries, grace_days) for name, one in (changes or {}).items()]
    size = grace_days + 1
    own = np.arange(n_entries, dtype=np.int64) * size
    keys = np.unique(np.concatenate([own, *(key for key, _ in points)]))
    columns = [_fill_forward(keys, key, value, size) for key, value in points]
    values = np.column_stack([*columns, np.empty((len(keys), 0))])
    patterns, place = _number_rows(values)
    is_new = (keys % size == 0) | np.append(True, place[1:] != place[:-1])
    keys, place = keys[is_new], place[is_new]
    first = np.searchsorted(keys, np.append(own, n_entries * size)).astype(np.int64)
    return Segments(first, (keys % size).astype(np.int32), place.astype(np.int32), patterns)


def _clip(one: Changes, name: str, n_entries: int, grace_days: int) -> tuple[Days, Floats]:
    entry, day = np.asarray(one.entry, np.int64), np.asarray(one.day, np.int64)
    value = np.asarray(one.value, np.float64)
    if not len(entry) == len(day) == len(value):
        raise ValueError(f"changes of {name}: entry, day and value differ in length")
    if len(entry) and (entry.min() < 0 or entry.max() >= n_entries):
        raise ValueError(f"changes of {name} name an entry outside 0..{n_entries - 1}")
    if not np.isfinite(value).all():
        raise ValueError(f"changes of {name} hold missing values")
    order = np.lexsort((day, entry))
    entry, day, value = entry[order], day[order], value[order]
    keys = entry * (grace_days + 1) + np.maximum(day, 0)
    is_kept = (day <= grace_days) & np.append(keys[1:] != keys[:-1], True)[: len(keys)]
    return keys[is_kept], value[is_kept]


def _fill_forward(keys: Days, points: Days, values: Floats, size: int) -> Floats:
    """The value at each key: the entry's last change at or before it, else 0."""
    place = np.searchsorted(points, keys, side="right") - 1
    is_known = place >= 0
    is_known[is_known] = points[place[is_known]] // size == keys[is_known] // size
    filled = np.zeros(len(keys))
    filled[is_known] = values[place[is_known]]
    return filled


def _number_rows(values: Floats) -> tuple[Floats, Days]:
    """The rows that occur, ascending, and which one each row is."""
    code, n_codes = np.zeros(len(values), dtype=np.int64), 1
    for column in values.T:
        levels, place = np.unique(column, return_inverse=True)
        code, n_codes = code * len(levels) + place, n_codes * len(levels)
        if n_codes > FEW_CODES:
            code = np.unique(code, return_inverse=True)[1]
            n_codes = int(code.max()) + 1
    _, first, place = np.unique(code, return_index=True, return_inverse=True)
    return values[first], place.reshape(-1).astype(np.int64)
