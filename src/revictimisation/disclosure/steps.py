"""Curves in steps that hold enough people: which days of a curve may be told.

Between two days that are told, and before the first, as many events as the threshold must lie, so
that no event is dated to a month by its curve. Days are tried in an order that does not depend on
the numbers (those of the study's report first, then halving what lies between), so that what is
left out tells only that a step would have held too few.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Sequence

import numpy as np

from revictimisation.disclosure.bounds import Flags
from revictimisation.disclosure.tables import SITE, Cells

COURSE = ["analysis", "estimator", "estimand"]  # what one curve of a site is known by
SAME_COURSE = {"curve": "main", "ladder_curve": "ladder"}


def order_days(days: Sequence[int], first: Collection[int] = ()) -> list[int]:
    """Days in the order in which they are tried: those of `first`, the last of all days, halves.

    >>> order_days([0, 30, 60, 90, 120], first=[60])
    [60, 120, 30, 0, 90]
    """
    ordered = [day for day in sorted(first, reverse=True) if day in set(days)]
    rest = [day for day in sorted(days) if day not in first]
    ordered += rest[-1:]
    ranges = [(0, len(rest) - 1)]
    while ranges:
        low, high = ranges.pop(0)
        if low < high:
            middle = (low + high) // 2
            ordered.append(rest[middle])
            ranges += [(low, middle), (middle + 1, high)]
    return ordered


def choose_days(counts: dict[int, Sequence[float]], ordered: Sequence[int], least: int) -> set[int]:
    """The days that may be told: no count changes by less than `least` between two of them.

    `counts`: of each day, what is told of it (one curve or several that are hidden together; NaN
    where one says nothing of the day).

    >>> sorted(choose_days({0: [5], 30: [7], 60: [10], 90: [16]}, [90, 60, 30, 0], 5))
    [0, 60, 90]
    """
    chosen: list[int] = []
    for day in ordered:
        place = bisect_left(chosen, day)
        beside = chosen[max(place - 1, 0) : place + 1]
        if not any(
            abs(one - other) < least
            for near in beside
            for one, other in zip(counts[day], counts[near], strict=True)
        ):
            insort(chosen, day)
    return {*chosen}


def find_short_steps(
    cells: Cells, may_show: Flags, is_curve: Flags, kept: Flags, least: int
) -> Flags:
    """The sites of curves that would make a step of fewer than `least` events.

    `may_show`: rows that would be shown; `is_curve`: rows of curves, the others are of report days;
    `kept`: rows whose report days are told whatever the step.
    """
    hidden = np.zeros(cells.n_sites, bool)
    used = may_show & (cells.events >= 0) & cells.rows["time_days"].ge(0).to_numpy()
    keys = [*SITE, *COURSE]
    rows = cells.rows[used].assign(site=cells.site[used], is_curve=is_curve[used], kept=kept[used])
    rows["analysis"] = rows["analysis"].replace(SAME_COURSE)
    rows = rows.drop_duplicates([*keys, "is_curve"])
    # what is told of everybody's course is a curve, also where it is told of report days alone
    curve = rows.groupby(SITE[:-1], sort=False)["is_curve"].transform("any") | rows["measure"].eq(
        ""
    )
    rows = rows[curve]
    at, kinds, every_day, events, sites, on_report, is_kept = (
        rows.groupby(SITE[:-1], sort=False).ngroup().to_numpy(),
        rows.groupby(COURSE, sort=False).ngroup().to_numpy(),
        *(rows[name].to_numpy() for name in ("time_days", "n_events", "site")),
        ~rows["is_curve"].to_numpy(),
        rows["kept"].to_numpy(),
    )
    order = np.argsort(at, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(at[order])) + 1) if len(rows) else ():
        days, place = np.unique(every_day[mine], return_inverse=True)
        courses, course = np.unique(kinds[mine], return_inverse=True)
        counts = np.full((len(days), len(courses)), np.nan)
        counts[place, course] = events[mine]
        reported = mine[on_report[mine]]
        ordered = order_days(days.tolist(), {*every_day[reported].tolist()})
        told = choose_days(dict(zip(days.tolist(), counts.tolist(), strict=True)), ordered, least)
        told |= {*every_day[reported[is_kept[reported]]].tolist()}
        hidden[sites[mine[~np.isin(every_day[mine], [*told])]]] = True
    return hidden
