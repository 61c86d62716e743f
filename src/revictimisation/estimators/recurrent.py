"""Outcomes that recur, as data for the Cox model: Prentice, Williams & Peterson's two time scales.

`fit_cox` on all episodes is Andersen & Gill's model: every outcome is like the first. In the models
of Prentice, Williams & Peterson (1981) each outcome has a baseline hazard of its own: a person is
at risk of the k-th only after the (k-1)-th. *Total time* counts days from the index report (late
entry into the stratum on the day of the outcome before), *gap time* from the outcome before. Who
reaches a late stratum is no random choice: the hazard ratios compare people who have had equally
many outcomes, not strategies from day 0 on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Flags, Whole

NEEDED = ("entry_id", "start_day", "stop_day", "is_event")
MADE = ("event_number", "stratum")


def make_pwp_total_time(
    episodes: pd.DataFrame, *, min_events: int = 0, last_stratum: int | None = None
) -> pd.DataFrame:
    """Episodes for the PWP total time model: days since the index report, a stratum per outcome.

    Give to `fit_cox` the columns start_day, stop_day and is_event, `strata=` stratum and `cluster=`
    the victim of entry_id.

    Late strata with few outcomes are put together: `stratum` is the smaller of `event_number` and
    the last stratum. Unless `last_stratum` says it, that is the largest k with at least
    `min_events` k-th outcomes (1 if there is none); `min_events` 0 puts nothing together. In the
    last stratum a person stays at risk after an outcome.

    Args:
        episodes: a row per episode (start_day, stop_day], sorted by entry_id and start_day: those
            columns, is_event (an outcome on stop_day), and any others (measures), which are kept.
        min_events: outcomes that a stratum of its own needs.
        last_stratum: 1 or more; the number from which on outcomes share a stratum.

    Returns:
        The same rows in the same order with two columns more: event_number (1, 2 ...: the outcome
        that the person is at risk of in the episode) and stratum.

    Raises:
        ValueError: a column is missing or would be overwritten, rows out of order or overlapping,
            days that are not whole, negative `min_events`, `last_stratum` below 1.

    Example:
        >>> episodes = pd.DataFrame({
        ...     "entry_id": [0, 0, 0, 1], "start_day": [0, 5, 9, 0], "stop_day": [5, 9, 12, 7],
        ...     "is_event": [1, 0, 1, 0], "contact_person": [0, 0, 1, 0]})
        >>> total = make_pwp_total_time(episodes)
        >>> total[["start_day", "stop_day", "is_event", "contact_person", "stratum"]]
           start_day  stop_day  is_event  contact_person  stratum
        0          0         5         1               0        1
        1          5         9         0               0        2
        2          9        12         1               1        2
        3          0         7         0               0        1
    """
    checked = _check_episodes(episodes)
    number = _number_episodes(checked)
    stratum = _choose_strata(number, checked.is_event, min_events, last_stratum)
    return episodes.assign(event_number=number, stratum=stratum)


def make_pwp_gap_time(
    episodes: pd.DataFrame, *, min_events: int = 0, last_stratum: int | None = None
) -> pd.DataFrame:
    """Episodes for the PWP gap time model: the clock starts again at each outcome.

    As `make_pwp_total_time`, but start_day and stop_day count from the person's outcome before,
    the first ones from the index report (day 0).

    Example:
        >>> episodes = pd.DataFrame({
        ...     "entry_id": [0, 0, 0, 1], "start_day": [0, 5, 9, 0], "stop_day": [5, 9, 12, 7],
        ...     "is_event": [1, 0, 1, 0]})
        >>> make_pwp_gap_time(episodes)[["start_day", "stop_day", "stratum"]]
           start_day  stop_day  stratum
        0          0         5        1
        1          0         4        2
        2          4         7        2
        3          0         7        1
    """
    total = make_pwp_total_time(episodes, min_events=min_events, last_stratum=last_stratum)
    checked = _check_episodes(episodes)
    origin = _find_clock_starts(checked)
    return total.assign(start_day=checked.start - origin, stop_day=checked.stop - origin)


def mark_terminal(entry_id: npt.ArrayLike, is_terminal: npt.ArrayLike) -> Flags:
    """Mark the last episode of each entry whose follow-up ends in a terminal event.

    Args:
        entry_id: of each episode, sorted; whole numbers from 0.
        is_terminal: for each entry, by its number, whether death or emigration ended follow-up.

    Raises:
        ValueError: rows out of order, an entry without a mark.

    Example:
        >>> mark_terminal([0, 0, 1, 2], [True, False, True]).tolist()
        [False, True, False, True]
    """
    entry = np.asarray(entry_id).astype(np.int64)
    marks = np.asarray(is_terminal).astype(np.bool_)
    if entry.size and (entry.min() < 0 or entry.max() >= len(marks)):
        raise ValueError("is_terminal must have a mark for each entry")
    if (entry[1:] < entry[:-1]).any():
        raise ValueError("the episodes must be sorted by entry_id")
    is_last = np.append(entry[1:] != entry[:-1], True)[: len(entry)]
    return is_last & marks[entry]


@dataclass(frozen=True, eq=False)
class _Episodes:
    start: Whole
    stop: Whole
    is_event: Flags
    is_first: Flags


def _check_episodes(episodes: pd.DataFrame) -> _Episodes:
    missing = [name for name in NEEDED if name not in episodes.columns]
    if missing:
        raise ValueError(f"the episodes have no column {', '.join(missing)}")
    doubled = [name for name in MADE if name in episodes.columns]
    if doubled:
        raise ValueError(f"the episodes already have a column {', '.join(doubled)}")
    entry = episodes["entry_id"].to_numpy()
    start, stop = (_whole_days(episodes[name], name) for name in ("start_day", "stop_day"))
    is_first = np.append(True, entry[1:] != entry[:-1])[: len(entry)]
    is_late = is_first[1:] | (start[1:] >= stop[:-1])
    n_wrong = int((entry[1:] < entry[:-1]).sum() + (~is_late).sum())
    if n_wrong:
        raise ValueError(
            f"{n_wrong} episodes are out of order or overlap the one before: sort by entry_id and"
            " start_day"
        )
    return _Episodes(start, stop, episodes["is_event"].to_numpy().astype(np.bool_), is_first)


def _whole_days(column: pd.Series, name: str) -> Whole:
    days = column.to_numpy()
    if days.dtype.kind not in "iu" and not (days == np.round(days)).all():
        raise ValueError(f"{name} must hold whole days")
    return days.astype(np.int64)


def _number_episodes(episodes: _Episodes) -> Whole:
    """For each episode 1 + the outcomes that its entry had before it."""
    is_event = episodes.is_event.astype(np.int64)
    before = np.cumsum(is_event) - is_event
    entry = np.cumsum(episodes.is_first.astype(np.int64)) - 1
    number: Whole = 1 + before - before[episodes.is_first][entry]
    return number


def _choose_strata(
    number: Whole, is_event: Flags, min_events: int, last_stratum: int | None
) -> Whole:
    if min_events < 0 or (last_stratum is not None and last_stratum < 1):
        raise ValueError("min_events must be 0 or more, last_stratum 1 or more")
    if last_stratum is None:
        n_events = np.bincount(number[is_event], minlength=int(number.max(initial=1)) + 1)[1:]
        enough = np.flatnonzero(n_events >= min_events)
        last_stratum = int(enough[-1]) + 1 if len(enough) else 1
    return np.minimum(number, last_stratum)


def _find_clock_starts(episodes: _Episodes) -> Whole:
    """For each episode the day of its entry's latest outcome before it; 0 before the first."""
    after_event = np.append(False, episodes.is_event[:-1])[: len(episodes.stop)]
    is_reset = episodes.is_first | after_event
    latest = np.maximum.accumulate(np.where(is_reset, np.arange(len(is_reset)), 0))
    day_before = np.append(0, episodes.stop[:-1])[: len(episodes.stop)]
    return np.where(episodes.is_first[latest], 0, day_before[latest]).astype(np.int64)
