"""Two groups side by side: risks, their difference and their ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.results import BEYOND_FOLLOW_UP, NOT_ESTIMABLE, NUMBERS, OK
from revictimisation.estimators.influence import (
    Rows,
    Tables,
    check_rows,
    influence_on_risk,
    label_clusters,
    sum_at,
    tabulate,
    take_rows,
)
from revictimisation.estimators.intervals import (
    bound_difference,
    bound_ratio,
    error_of_limits,
    normal_quantile,
)
from revictimisation.estimators.risks import (
    find_followed,
    interval_at,
    places_of_days,
    risk_at,
)

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NO_EVENTS = "no_events_in_a_group"


@dataclass(frozen=True, eq=False)
class _Group:
    """A group's curve at the days wanted; `influence` is clusters (or rows) x days."""

    n_people: int
    n_events: npt.NDArray[np.int64]
    risk: Floats
    se: Floats
    low: Floats
    high: Floats
    influence: Floats
    is_followed: Flags


def compare_risks(
    stop: npt.ArrayLike,
    cause: npt.ArrayLike,
    is_started: npt.ArrayLike,
    *,
    at_days: Sequence[int],
    weights: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    start: npt.ArrayLike | None = None,
    of_cause: int = 1,
) -> pd.DataFrame:
    """Risks of two groups, their difference and ratio, by Aalen-Johansen.

    Intervals: risks log-log; the difference (started less not started) by its error; the ratio by
    the error of its logarithm, which is what `se` holds in that row. Both errors come from the
    influence of each cluster summed over both groups, so a victim who is in both counts once.
    Where a risk is 0 or 1 nothing measures its error: its limits are exact, and those of difference
    and ratio put together from the groups' (`bound_difference`, `bound_ratio`); a ratio with a risk
    of 0 is not estimable.

    Args:
        stop, cause, weights, cluster, start: as in `curves.aalen_johansen`.
        is_started: which group a row belongs to.
        at_days: days to report.
        of_cause: the cause whose risks are compared.

    Returns:
        A row per day and estimand (risk_start, risk_no_start, risk_difference, risk_ratio):
        estimand, time_days, estimate, ci_low, ci_high, se, n_people (rows of positive weight in the
        group, or in both), n_events (of `of_cause` up to the day, unweighted), status (ok or
        not_estimable, then with null numbers), reason (empty, `no_events_in_a_group`, or
        `beyond_follow_up`: nobody of a group is at risk on the day, and not all have had an event).

    Raises:
        NotEstimableError: a group without people. ValueError: see `influence.check_rows`.

    Example:
        >>> rows = compare_risks([5, 9, 4, 8], [1, 0, 1, 1], [1, 1, 0, 0], at_days=[6])
        >>> rows[["estimand", "estimate"]]
                  estimand  estimate
        0       risk_start       0.5
        1    risk_no_start       0.5
        2  risk_difference       0.0
        3       risk_ratio       1.0
    """
    rows = check_rows(stop, cause, weights, start, of_cause)
    is_in = np.asarray(is_started).astype(np.bool_)
    codes = label_clusters(cluster, len(rows.stop))
    started, others = (
        _follow(rows, chosen, codes, at_days, of_cause) for chosen in (is_in, ~is_in)
    )
    days = {"time_days": np.asarray(at_days, dtype=np.int64)}
    parts = [
        pd.DataFrame({"estimand": "risk_start", **days, **_risk(started)}),
        pd.DataFrame({"estimand": "risk_no_start", **days, **_risk(others)}),
        pd.DataFrame({"estimand": "risk_difference", **days, **_difference(started, others)}),
        pd.DataFrame({"estimand": "risk_ratio", **days, **_ratio(started, others)}),
    ]
    table = pd.concat(parts, ignore_index=True)
    is_told = table["reason"].eq("")
    table["status"] = np.where(is_told, OK, NOT_ESTIMABLE)
    table[list(NUMBERS)] = table[list(NUMBERS)].where(is_told)
    return table.sort_values("time_days", kind="stable", ignore_index=True)


def _follow(
    rows: Rows, chosen: Flags, codes: npt.NDArray[np.int64], at_days: Sequence[int], cause: int
) -> _Group:
    mine = take_rows(rows, chosen)
    tables = tabulate(mine)
    places = places_of_days(mine, tables, at_days)
    influence = _sum_influence(mine, tables, codes[chosen], int(codes.max()) + 1, places, cause)
    risk = risk_at(tables, places, cause)
    influence[:, (risk <= 0) | (risk >= 1)] = 0.0
    se = np.sqrt(np.sum(influence**2, axis=0))
    low, high = interval_at(tables, places, cause, se)
    return _Group(
        n_people=int((mine.weight > 0).sum()),
        n_events=tables.n_events[places, cause - 1],
        risk=risk,
        se=se,
        low=low,
        high=high,
        influence=influence,
        is_followed=find_followed(
            tables, places, np.asarray(at_days, np.int64) - mine.origin < len(tables.risk)
        ),
    )


def _sum_influence(
    rows: Rows,
    tables: Tables,
    codes: npt.NDArray[np.int64],
    n_clusters: int,
    places: npt.NDArray[np.int64],
    cause: int,
) -> Floats:
    total = np.empty((n_clusters, len(places)))
    for column, place in enumerate(places):
        moved = rows.weight * influence_on_risk(rows, tables, int(place), cause)
        total[:, column] = sum_at(codes, moved, n_clusters)
    return total


def _risk(group: _Group) -> dict[str, object]:
    is_inside = (group.risk > 0) & (group.risk < 1)
    return {
        "estimate": group.risk,
        "ci_low": group.low,
        "ci_high": group.high,
        "se": np.where(is_inside, group.se, error_of_limits(group.low, group.high)),
        "n_people": group.n_people,
        "n_events": group.n_events,
        "reason": np.where(group.is_followed, "", BEYOND_FOLLOW_UP),
    }


def _difference(started: _Group, others: _Group) -> dict[str, object]:
    se = np.sqrt(np.sum((started.influence - others.influence) ** 2, axis=0))
    error, low, high = bound_difference(*_pair(started, others), se, normal_quantile())
    return {
        "estimate": started.risk - others.risk,
        "ci_low": low,
        "ci_high": high,
        "se": error,
        **_counts(started, others),
        "reason": np.where(started.is_followed & others.is_followed, "", BEYOND_FOLLOW_UP),
    }


def _ratio(started: _Group, others: _Group) -> dict[str, object]:
    is_known = (started.risk > 0) & (others.risk > 0)
    top, bottom = np.where(is_known, started.risk, 1.0), np.where(is_known, others.risk, 1.0)
    se = np.sqrt(np.sum((started.influence / top - others.influence / bottom) ** 2, axis=0))
    error, low, high = bound_ratio(*_pair(started, others), se, normal_quantile())
    is_followed = started.is_followed & others.is_followed
    return {
        "estimate": top / bottom,
        "ci_low": low,
        "ci_high": high,
        "se": error,
        **_counts(started, others),
        "reason": np.where(~is_followed, BEYOND_FOLLOW_UP, np.where(is_known, "", NO_EVENTS)),
    }


def _pair(started: _Group, others: _Group) -> tuple[Floats, Floats, Floats]:
    """Risks and their limits, the started first."""
    return (
        np.stack([started.risk, others.risk]),
        np.stack([started.low, others.low]),
        np.stack([started.high, others.high]),
    )


def _counts(started: _Group, others: _Group) -> dict[str, object]:
    return {
        "n_people": started.n_people + others.n_people,
        "n_events": started.n_events + others.n_events,
    }
