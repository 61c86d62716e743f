"""Two groups side by side: mean cumulative counts and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.results import hold_to_follow_up
from revictimisation.estimators.count_influence import (
    check_count_rows,
    influence_on_count,
    tabulate_counts,
)
from revictimisation.estimators.count_intervals import (
    count_interval,
    find_followed,
    find_people_behind,
    places_of_days,
)
from revictimisation.estimators.influence import Rows, label_clusters, sum_at, take_rows
from revictimisation.estimators.intervals import NO_ERROR, error_of_limits, normal_quantile

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CountGroup:
    """A group's counts at the days wanted; `influence` is clusters x days."""

    n_people: int
    n_events: Whole
    count: Floats
    se: Floats
    low: Floats
    high: Floats
    influence: Floats
    is_followed: Flags


def describe_group(
    count: Floats,
    influence: Floats,
    n_behind: Floats,
    n_people: int,
    n_events: Whole,
    is_followed: Flags,
) -> CountGroup:
    """A group from its counts, the influence of each cluster, and how many speak for a count of 0.

    Without outcomes nothing moves a count: its error is 0, its interval Poisson's for `n_behind`.
    `is_followed`: by day, whether somebody of the group is at risk, or all have left for good.
    """
    moved = np.where(count > 0, influence, 0.0)
    se = np.sqrt(np.sum(moved**2, axis=0))
    low, high = count_interval(count, se, n_behind)
    return CountGroup(n_people, n_events, count, se, low, high, moved, is_followed)


def compare_counts(
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    is_event: npt.ArrayLike,
    is_terminal: npt.ArrayLike,
    is_started: npt.ArrayLike,
    *,
    at_days: Sequence[int],
    weights: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    entry_id: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Mean cumulative counts of two groups and their difference.

    The difference's error comes from the influence of each cluster summed over both groups: a
    victim with rows in both (two suspects, or a clone in either strategy) counts once. Where a
    group's error is 0 (no outcomes) the difference's interval is put together from the groups'
    limits (Zou & Donner 2008).

    Args:
        start, stop, is_event, is_terminal, at_days, weights: as in `mean_cumulative_count`.
        is_started: which group a row belongs to.
        cluster: labels (the victim); None = the entries.
        entry_id: whose rows belong together, for `n_people`; None = each row by itself.

    Returns:
        A row per day and estimand (mean_count_start, mean_count_no_start, mean_count_difference =
        started less not started): estimand, time_days, estimate, ci_low, ci_high, se, n_people
        (entries of positive weight), n_events (up to the day, unweighted), status, reason.

    Raises:
        NotEstimableError: a group without people. ValueError: see `mean_cumulative_count`.

    Example:
        >>> rows = compare_counts(
        ...     [0, 4, 0, 0], [4, 9, 9, 9], [1, 1, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0],
        ...     at_days=[9], entry_id=[1, 1, 2, 3],
        ... )
        >>> rows[["estimand", "estimate", "n_people", "n_events"]]
                        estimand  estimate  n_people  n_events
        0       mean_count_start       2.0         1         2
        1    mean_count_no_start       0.5         2         1
        2  mean_count_difference       1.5         3         3
    """
    rows = check_count_rows(start, stop, is_event, is_terminal, weights)
    is_in = np.asarray(is_started).astype(np.bool_)
    entries = label_clusters(entry_id, len(rows.stop))
    codes = entries if cluster is None else label_clusters(cluster, len(rows.stop))
    days = np.asarray(at_days, dtype=np.int64)
    started, others = (_follow(rows, chosen, codes, entries, days) for chosen in (is_in, ~is_in))
    return contrast_groups(started, others, days)


def contrast_groups(started: CountGroup, others: CountGroup, days: Whole) -> pd.DataFrame:
    """Rows of both groups and of their difference by day, as `compare_counts` gives them."""
    groups = {
        "mean_count_start": _alone(started),
        "mean_count_no_start": _alone(others),
        "mean_count_difference": _difference(started, others),
    }
    tables = [
        hold_to_follow_up(pd.DataFrame({"estimand": name, "time_days": days, **numbers}))
        for name, numbers in groups.items()
    ]
    together = pd.concat(tables, ignore_index=True)
    return together.sort_values("time_days", kind="stable", ignore_index=True)


def _follow(rows: Rows, chosen: Flags, codes: Whole, entries: Whole, days: Whole) -> CountGroup:
    mine = take_rows(rows, chosen)
    tables = tabulate_counts(mine)
    places = places_of_days(mine, tables, days)
    count = tables.count[places]
    influence = np.empty((int(codes.max()) + 1, len(places)))
    for column, place in enumerate(places):
        moved = mine.weight * influence_on_count(mine, tables, int(place))
        influence[:, column] = sum_at(codes[chosen], moved, len(influence))
    behind = find_people_behind(mine, tables, codes[chosen], places)
    n_people = len(np.unique(entries[chosen][mine.weight > 0]))
    is_within = days - mine.origin < len(tables.count)
    followed = find_followed(tables, places, is_within)
    return describe_group(count, influence, behind, n_people, tables.n_events[places], followed)


def _alone(group: CountGroup) -> dict[str, object]:
    return {
        "estimate": group.count,
        "ci_low": group.low,
        "ci_high": group.high,
        "se": np.where(group.se > NO_ERROR, group.se, error_of_limits(group.low, group.high)),
        "n_people": group.n_people,
        "n_events": group.n_events,
        "is_followed": group.is_followed,
    }


def _difference(started: CountGroup, others: CountGroup) -> dict[str, object]:
    gap = started.count - others.count
    se = np.sqrt(np.sum((started.influence - others.influence) ** 2, axis=0))
    half = normal_quantile() * se
    below = np.hypot(started.count - started.low, others.high - others.count)
    above = np.hypot(started.high - started.count, others.count - others.low)
    is_edge = np.minimum(np.minimum(started.se, others.se), se) <= NO_ERROR
    low = np.where(is_edge, gap - below, gap - half)
    high = np.where(is_edge, gap + above, gap + half)
    return {
        "estimate": gap,
        "ci_low": low,
        "ci_high": high,
        "se": np.where(
            np.maximum(started.se, others.se) > NO_ERROR, se, error_of_limits(low, high)
        ),
        "is_followed": started.is_followed & others.is_followed,
        "n_people": started.n_people + others.n_people,
        "n_events": started.n_events + others.n_events,
    }
