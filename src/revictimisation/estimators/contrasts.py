"""Two groups side by side: risks or mean cumulative counts, their difference and their ratio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Whole
from revictimisation.estimators.inference import Estimate, compare_arms, sum_clusters
from revictimisation.estimators.influence import (
    ENDS,
    OUTCOMES,
    Rows,
    build_curve,
    check_count_rows,
    check_rows,
    count_behind,
    influence_on,
    label_clusters,
    tabulate,
    take_rows,
)

RISKS = ("risk_start", "risk_no_start", "risk_difference", "risk_ratio")
COUNTS = ("mean_count_start", "mean_count_no_start", "mean_count_difference")


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
    the error of its logarithm, which is what `se` holds in that row (`inference`; a victim who is
    in both groups counts once). Where a risk is 0 or 1 its limits are exact, and those of
    difference and ratio put together from the groups'; a ratio with a risk of 0 is not estimable.

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
    codes = label_clusters(cluster, len(rows.stop))
    return _compare(rows, is_started, codes, np.arange(len(codes)), at_days, ([of_cause], None))


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

    A victim with rows in both groups (two suspects, or a clone in either strategy) counts once in
    the difference's error (`inference`). Where a group's error is 0 (no outcomes) the difference's
    interval is put together from the groups' limits (Zou & Donner 2008).

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
    entries = label_clusters(entry_id, len(rows.stop))
    codes = entries if cluster is None else label_clusters(cluster, len(rows.stop))
    return _compare(rows, is_started, codes, entries, at_days, (OUTCOMES, ENDS))


def _compare(
    rows: Rows, is_started: npt.ArrayLike, codes: Whole, entries: Whole, at_days: Sequence[int],
    events: tuple[Sequence[int], Sequence[int] | None],
) -> pd.DataFrame:  # fmt: skip
    """Rows of both groups and their contrasts by day; `events`: as `build_curve` takes them."""
    is_in = np.asarray(is_started).astype(np.bool_)
    days = np.asarray(at_days, dtype=np.int64)
    curves, values, moves, behind, people = [], [], [], [], []
    for chosen in (is_in, ~is_in):
        mine, own = take_rows(rows, chosen), codes[chosen]
        curve = build_curve(mine, tabulate(mine), *events)
        places = curve.places(days)
        moved = [mine.weight * influence_on(mine, curve, int(place)) for place in places]
        curves.append(curve)
        values.append(curve.value[places])
        moves.append(sum_clusters(np.column_stack(moved), own, int(codes.max()) + 1))
        behind.append(count_behind(mine, curve, own, places))
        people.append(len(np.unique(entries[chosen][mine.weight > 0])))
    happened = [curve.n_events[curve.places(days)] for curve in curves]
    arms = Estimate(np.stack(values), np.stack(moves, axis=1))
    is_risk = curves[0].is_risk
    table = compare_arms(
        arms,
        arms.interval("log-log" if is_risk else "log", np.stack(behind)),
        RISKS if is_risk else COUNTS,
        {"time_days": days},
        n_people=(*people, sum(people)),
        n_events=np.stack([*happened, sum(happened)]),
        is_followed=np.stack([curve.is_followed(days) for curve in curves]),
    )
    return table.sort_values("time_days", kind="stable", ignore_index=True)
