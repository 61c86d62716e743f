"""Aalen-Johansen from one state, and how much each row moves it.

Let Y(s) be the weight at risk on day s, dN_k(s) the weight of events of cause k, L_k and L the
hazards of cause k and of all causes, S(s-) the share still free before day s. Then F_k(t) is the
sum over s <= t of S(s-) dN_k(s) / Y(s) (Aalen & Johansen 1978). With

    B(t)   = sum over s <= t of dL(s) / (Y(s) (1 - dL(s)))
    G_k(t) = sum over s <= t of S(s-) B(s-) dL_k(s)
    H_k(t) = sum over s <= t of S(s-) dL_k(s) / Y(s)

the derivative of F_k(t) in the weight of a row (start, stop] with cause c (0 = censored) is, if
start < t and u = min(t, stop), the sum of

    while at risk     G_k(u) - G_k(start) - B(start) (F_k(u) - F_k(start)) - H_k(u) + H_k(start)
    its own event     S(stop-) / Y(stop), if c = k and stop <= t
    ever after        -A (F_k(t) - F_k(stop)), if stop < t, where
                      A = [c > 0] / (Y(stop) (1 - dL(stop))) - B(stop) + B(start)

All of it is looked up in tables by day, so a row costs the same whatever the number of days. The
infinitesimal jackknife variance is the sum over clusters of the squared sum of weight times
influence (in R: `survfit(..., id = , influence = TRUE)`, its influence summed by cluster).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.estimators.faults import NotEstimableError

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Checked rows of follow-up: (start, stop], cause 0 = censored, 1.. = the event on day stop.

    Days count from `origin`, the day before the first that anyone is at risk: `start`, `stop` are
    shifted by it.
    """

    start: Days
    stop: Days
    cause: Days
    weight: Floats
    origin: int
    n_causes: int


@dataclass(frozen=True, eq=False)
class Tables:
    """Sums by day (first axis, from the origin) and cause (second axis).

    `n_effective`: of those at risk, `effective_events`: of those with the event so far, Kish's
    effective number (sum w)^2 / sum w^2; without weights the number itself.
    """

    risk: Floats
    at_risk: Floats
    n_at_risk: npt.NDArray[np.int64]
    n_effective: Floats
    n_events: npt.NDArray[np.int64]
    effective_events: Floats
    own_event: Floats
    own_exit: Floats
    b: Floats
    g: Floats
    h: Floats


def check_rows(
    stop: npt.ArrayLike,
    cause: npt.ArrayLike,
    weights: npt.ArrayLike | None,
    start: npt.ArrayLike | None,
    n_causes: int | None,
) -> Rows:
    """Check the input and count days from the first.

    Without `start` everyone is at risk from the first day on, day 0 included. Rows of weight 0
    stay: they count nowhere but keep their place.

    Raises:
        NotEstimableError: nobody of positive weight.
        ValueError: unequal lengths, days or causes that are not whole or negative, a stop not
            after its start, negative or missing weights.
    """
    end, kind = _whole(stop, "stop"), _whole(cause, "cause")
    weight = np.ones(len(end)) if weights is None else np.asarray(weights, dtype=np.float64)
    begin = None if start is None else _whole(start, "start")
    if not len(end) == len(kind) == len(weight) == len(end if begin is None else begin):
        raise ValueError("stop, cause, weights and start must have the same length")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("weights must be numbers of 0 or more")
    if not (weight > 0).any():
        raise NotEstimableError("no people: a risk can't be estimated")
    if begin is None:
        begin = np.full(len(end), min(int(end.min()), 0) - 1)
    if kind.min() < 0 or not (begin < end).all():
        raise ValueError("causes must be 0 or more and each stop after its start")
    origin = int(begin.min())
    largest = max(int(kind.max()), 1)
    return Rows(begin - origin, end - origin, kind, weight, origin, max(n_causes or 1, largest))


def tabulate(rows: Rows) -> Tables:
    """Sum by day over those who enter and leave, and cumulate."""
    n_days, used = int(rows.stop.max()) + 1, rows.weight > 0
    at_risk = _at_risk(rows, rows.weight, n_days)
    squares = _at_risk(rows, rows.weight**2, n_days)
    n_at_risk = np.rint(_at_risk(rows, used.astype(np.float64), n_days)).astype(np.int64)
    at_risk = np.where(n_at_risk > 0, at_risk, 0.0)
    happened = [(rows.cause == k + 1) & used for k in range(rows.n_causes)]
    counted, events, squared = (
        np.column_stack([sum_at(rows.stop[mine], rows.weight[mine] ** power, n_days)
                         for mine in happened])
        for power in (0, 1, 2)
    )  # fmt: skip
    n_events = np.cumsum(counted, axis=0).astype(np.int64)
    effective = _ratio(np.cumsum(events, axis=0) ** 2, np.cumsum(squared, axis=0))
    n_effective = _ratio(at_risk**2, np.where(n_at_risk > 0, squares, 0.0))
    return _cumulate(at_risk, events, n_at_risk, n_effective, n_events, effective)


def _cumulate(
    at_risk: Floats,
    events: Floats,
    n_at_risk: npt.NDArray[np.int64],
    n_effective: Floats,
    n_events: npt.NDArray[np.int64],
    effective_events: Floats,
) -> Tables:
    hazards = _ratio(events, at_risk[:, None])
    total = _ratio(events.sum(axis=1), at_risk)
    # Rounding must not leave a sliver of survival where all at risk had the event.
    stays = np.where(np.abs(1 - total) < 1e-12, 0.0, 1 - total)
    before = np.concatenate([[1.0], np.cumprod(stays)[:-1]])
    b = np.cumsum(_ratio(total, at_risk * stays))
    b_before = np.concatenate([[0.0], b[:-1]])
    return Tables(
        risk=np.cumsum(before[:, None] * hazards, axis=0),
        at_risk=at_risk,
        n_at_risk=n_at_risk,
        n_effective=n_effective,
        n_events=n_events,
        effective_events=effective_events,
        own_event=_ratio(before, at_risk),
        own_exit=_ratio(np.ones_like(at_risk), at_risk * stays),
        b=b,
        g=np.cumsum((before * b_before)[:, None] * hazards, axis=0),
        h=np.cumsum(_ratio(before, at_risk)[:, None] * hazards, axis=0),
    )


def influence_on_risk(rows: Rows, tables: Tables, day: int, cause: int) -> Floats:
    """Derivative of the risk of `cause` by `day` (counted from the origin) in each row's weight."""
    k = cause - 1
    day = min(day, len(tables.risk) - 1)
    f, g, h = tables.risk[:, k], tables.g[:, k], tables.h[:, k]
    begin, until = np.minimum(rows.start, day), np.minimum(rows.stop, day)
    b = tables.b
    moved = g[until] - g[begin] - b[begin] * (f[until] - f[begin]) - (h[until] - h[begin])
    own = (rows.stop <= day) & (rows.cause == cause)
    moved += np.where(own, tables.own_event[rows.stop], 0.0)
    exits = np.where(rows.cause > 0, tables.own_exit[rows.stop], 0.0) - b[rows.stop] + b[rows.start]
    moved -= np.where(rows.stop < day, exits * (f[day] - f[until]), 0.0)
    return moved


@dataclass(frozen=True, eq=False)
class Spread:
    """Rows made ready for variances: alike rows once, and who shares a cluster.

    Attributes:
        alike: one row for each start, stop and cause that occurs.
        place: for each row its place in `alike`.
        squares: sum of squared weights over the rows that are a cluster by themselves, per `alike`.
        shared: rows that share a cluster; `groups` their clusters from 0, `weight` their weights.
    """

    alike: Rows
    place: Days
    squares: Floats
    shared: Days
    groups: Days
    weight: Floats

    def influence_by_cluster(self, influence: Floats) -> Floats:
        """Sums of weight times influence over the clusters of more than one row."""
        amounts = self.weight * influence[self.place[self.shared]]
        return sum_at(self.groups, amounts, 0)

    def variance(self, influence: Floats) -> float:
        """The infinitesimal jackknife variance, from the influence of the `alike` rows."""
        alone = float(np.sum(self.squares * influence**2))
        return alone + float(np.sum(self.influence_by_cluster(influence) ** 2))


def prepare_spread(rows: Rows, clusters: npt.ArrayLike | None) -> Spread:
    """Find alike rows, and the clusters with more than one row (None: there are none).

    Raises:
        ValueError: a row without a label.
    """
    n_days, n_kinds = int(rows.stop.max()) + 1, rows.n_causes + 1
    keys = (rows.start * n_days + rows.stop) * n_kinds + rows.cause
    unique, place = np.unique(keys, return_inverse=True)
    day, kind = np.divmod(unique, n_kinds)
    start, stop = np.divmod(day, n_days)
    alike = Rows(start, stop, kind, np.ones(len(unique)), rows.origin, rows.n_causes)
    codes = label_clusters(clusters, len(keys))
    is_shared = np.bincount(codes)[codes] > 1
    squares = sum_at(place[~is_shared], rows.weight[~is_shared] ** 2, len(unique))
    shared = np.flatnonzero(is_shared)
    groups = np.unique(codes[shared], return_inverse=True)[1]
    return Spread(alike, place, squares, shared, groups, rows.weight[shared])


def label_clusters(clusters: npt.ArrayLike | None, n_rows: int) -> Days:
    """Labels as numbers from 0; None: each row is a cluster.

    Raises:
        ValueError: not a label for each row.
    """
    if clusters is None:
        return np.arange(n_rows)
    codes, _ = pd.factorize(np.asarray(clusters))
    if len(codes) != n_rows or (codes < 0).any():
        raise ValueError("cluster must have a label for each row")
    return codes.astype(np.int64)


def take_rows(rows: Rows, chosen: npt.NDArray[np.bool_]) -> Rows:
    """The chosen rows; days still count from the same origin.

    Raises:
        NotEstimableError: none of positive weight among them.
    """
    if chosen.shape != rows.stop.shape:
        raise ValueError(f"{chosen.size} marks for {rows.stop.size} rows")
    if not (rows.weight[chosen] > 0).any():
        raise NotEstimableError("no people in a group: its risk can't be estimated")
    return Rows(
        rows.start[chosen],
        rows.stop[chosen],
        rows.cause[chosen],
        rows.weight[chosen],
        rows.origin,
        rows.n_causes,
    )


def _at_risk(rows: Rows, amounts: Floats, n_days: int) -> Floats:
    """Sum of `amounts` over the rows with start < day <= stop, for each day."""
    change = sum_at(rows.stop, amounts, n_days)
    change -= sum_at(rows.start, amounts, n_days)
    total: Floats = np.cumsum(change[::-1])[::-1]
    return total


def sum_at(places: Days, amounts: Floats, n_places: int) -> Floats:
    """Sums of `amounts` by place 0..n_places-1."""
    return np.bincount(places, amounts, minlength=n_places).astype(np.float64, copy=False)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """top / bottom, 0 where nothing is at risk (bottom 0)."""
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    return np.divide(top, bottom, out=np.zeros(shape), where=np.broadcast_to(bottom > 0, shape))


def _whole(values: npt.ArrayLike, name: str) -> Days:
    column = np.asarray(values)
    if column.ndim != 1:
        raise ValueError(f"{name} must be a single column")
    if column.dtype.kind not in "iub":
        numbers = column.astype(np.float64)
        if not (numbers == np.round(numbers)).all():
            raise ValueError(f"{name} must hold whole numbers")
        column = numbers
    return column.astype(np.int64)
