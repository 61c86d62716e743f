"""Curves by day, and how much each row moves them: Aalen-Johansen's risks and mean counts.

Let Y(s) be the weight at risk on day s, dN(s) the weight of the events that are counted, dE(s) the
weight of those after which nothing is, dR = dN / Y, dL = dE / Y, and S(s-) the share that none of
the latter has befallen before day s, the product of 1 - dL over the days before. The mean number of
counted events by day t is

    F(t) = sum over s <= t of S(s-) dR(s)

If every event ends follow-up and those of one cause are counted this is the risk of that cause
(Aalen & Johansen 1978); if outcomes recur and terminal events (death, emigration) end, the mean
cumulative count (Cook & Lawless 1997; Ghosh & Lin 2000, eq. 2). With

    B(t) = sum over s <= t of dL(s) / (Y(s) (1 - dL(s)))
    G(t) = sum over s <= t of S(s-) B(s-) dR(s)
    H(t) = sum over s <= t of S(s-) dR(s) / Y(s)

the derivative of F(t) in the weight of a row (start, stop] is, if start < t and u = min(t, stop),
the sum of

    while at risk     G(u) - G(start) - B(start) (F(u) - F(start)) - H(u) + H(start)
    its own event     S(stop-) / Y(stop), if it is counted and stop <= t
    ever after        -A (F(t) - F(stop)), if stop < t, where
                      A = [it ends] / (Y(stop) (1 - dL(stop))) - B(stop) + B(start)

All of it is looked up in tables by day, so a row costs the same whatever the number of days. A row
that goes on in another one leaves at `stop` and comes back there, so the pieces of a person add up,
also with other weights. The infinitesimal jackknife variance is the sum over clusters of the
squared sum of weight times influence (in R: `survfit(..., id = , influence = TRUE)`, its influence
summed by cluster; for counts Ghosh & Lin's, section 2, exact with ties: `tests/golden/recurrent`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Days, Flags, Floats
from revictimisation.estimators.faults import NotEstimableError

# A risk this near to 1 is 1, a share left this near to 0 is 0: the rest is rounding.
ROUNDING = 1e-12
# Kinds of rows of recurrent outcomes: 1 an outcome, 2 a terminal event, 3 the two on one day.
OUTCOME, TERMINAL = 1, 2
OUTCOMES, ENDS = (OUTCOME, OUTCOME + TERMINAL), (TERMINAL, OUTCOME + TERMINAL)


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
    """Sums by day, from the origin, and of events by cause.

    `at_risk` (weight), `n_at_risk` (rows), `n_effective` (Kish's effective number, (sum w)^2 / sum
    w^2; without weights the number itself); `n_events`, `events`, `squares` (days x causes): rows,
    weights and squared weights of the events on the day.
    """

    at_risk: Floats
    n_at_risk: Days
    n_effective: Floats
    n_events: Days
    events: Floats
    squares: Floats


@dataclass(frozen=True, eq=False)
class Curve:
    """The mean number of counted events by the end of each day from the origin, F.

    Attributes:
        value: F. free: share that nothing has ended by the day. is_risk: every counted event ends.
        n_events: counted events up to the day, unweighted. effective_events: Kish's number of them.
        is_counted, is_ending: by cause, 0 included. own_event, own_exit, b, g, h: see the module.
    """

    value: Floats
    free: Floats
    is_risk: bool
    n_at_risk: Days
    n_effective: Floats
    n_events: Days
    effective_events: Floats
    is_counted: Flags
    is_ending: Flags
    own_event: Floats
    own_exit: Floats
    b: Floats
    g: Floats
    h: Floats
    origin: int

    def places(self, days: npt.ArrayLike) -> Days:
        """Days as positions in the tables; those outside the follow-up at its ends."""
        return np.clip(np.asarray(days, np.int64) - self.origin, 0, len(self.value) - 1)

    def is_within(self, days: npt.ArrayLike) -> Flags:
        """Days up to the last of follow-up."""
        return np.asarray(days, np.int64) - self.origin < len(self.value)

    def is_followed(self, days: npt.ArrayLike) -> Flags:
        """Days of which something is known: somebody is at risk on them, or nobody is left to be.

        Once all have had an ending event the curve stays where it is for ever; before the first day
        at risk nothing can have happened.
        """
        places = self.places(days)
        is_before = places < np.argmax(self.n_at_risk > 0)
        is_there = self.is_within(days) & (is_before | (self.n_at_risk[places] > 0))
        return np.asarray((self.free[places] <= ROUNDING) | is_there)


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


def check_count_rows(
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    is_event: npt.ArrayLike,
    is_terminal: npt.ArrayLike,
    weights: npt.ArrayLike | None,
) -> Rows:
    """Check rows in which outcomes recur; `Rows.cause` is their kind (`OUTCOMES`, `ENDS`).

    Raises:
        NotEstimableError: nobody of positive weight.
        ValueError: as `check_rows`; marks that are not 0 or 1.
    """
    kind = _marks(is_event, "is_event") + TERMINAL * _marks(is_terminal, "is_terminal")
    return check_rows(stop, kind, weights, start, OUTCOME + TERMINAL)


def tabulate(rows: Rows) -> Tables:
    """Sum by day over those who enter, leave and have events. Cost: rows plus days."""
    n_days, used = int(rows.stop.max()) + 1, rows.weight > 0
    n_at_risk = np.rint(_at_risk(rows, used.astype(np.float64), n_days)).astype(np.int64)
    at_risk, squares = (
        np.where(n_at_risk > 0, _at_risk(rows, rows.weight**power, n_days), 0.0) for power in (1, 2)
    )
    happened = [(rows.cause == k + 1) & used for k in range(rows.n_causes)]
    counted, events, squared = (
        np.column_stack([sum_at(rows.stop[mine], rows.weight[mine] ** power, n_days)
                         for mine in happened])
        for power in (0, 1, 2)
    )  # fmt: skip
    effective = _ratio(at_risk**2, squares)
    return Tables(at_risk, n_at_risk, effective, counted.astype(np.int64), events, squared)


def build_curve(
    rows: Rows, tables: Tables, counted: Sequence[int], ending: Sequence[int] | None = None
) -> Curve:
    """Cumulate the events of the causes `counted`; those of `ending` (None: all) end it."""
    n_causes, at_risk = rows.n_causes, tables.at_risk
    causes = [np.asarray(counted), np.arange(1, n_causes + 1) if ending is None else ending]
    is_counted, is_ending = (np.isin(np.arange(n_causes + 1), one) for one in causes)
    of, over = is_counted[1:], is_ending[1:]
    hazard = _ratio(tables.events[:, of].sum(axis=1), at_risk)
    ends = _ratio(tables.events[:, over].sum(axis=1), at_risk)
    # Rounding must not leave a sliver of survival where all at risk had the event.
    stays = np.where(np.abs(1 - ends) < ROUNDING, 0.0, 1 - ends)
    free = np.cumprod(stays, dtype=np.float64)
    before = np.append(1.0, free[:-1])
    b = np.cumsum(_ratio(ends, at_risk * stays))
    is_risk = bool((is_ending | ~is_counted).all())
    value = np.cumsum(before * hazard)
    total, squares = (
        np.cumsum(part[:, of].sum(axis=1)) for part in (tables.events, tables.squares)
    )
    return Curve(
        value=np.where(value > 1 - ROUNDING, 1.0, value) if is_risk else value,
        free=free,
        is_risk=is_risk,
        n_at_risk=tables.n_at_risk,
        n_effective=tables.n_effective,
        n_events=np.cumsum(tables.n_events[:, of].sum(axis=1)),
        effective_events=_ratio(total**2, squares),
        is_counted=is_counted,
        is_ending=is_ending,
        own_event=_ratio(before, at_risk),
        own_exit=_ratio(np.ones_like(at_risk), at_risk * stays),
        b=b,
        g=np.cumsum(before * np.append(0.0, b[:-1]) * hazard),
        h=np.cumsum(_ratio(before, at_risk) * hazard),
        origin=rows.origin,
    )


def influence_on(rows: Rows, curve: Curve, place: int) -> Floats:
    """Derivative of the curve at a position in its tables in each row's weight."""
    f, b, g, h = curve.value, curve.b, curve.g, curve.h
    begin, until = np.minimum(rows.start, place), np.minimum(rows.stop, place)
    moved = g[until] - g[begin] - b[begin] * (f[until] - f[begin]) - (h[until] - h[begin])
    own = (rows.stop <= place) & curve.is_counted[rows.cause]
    moved += np.where(own, curve.own_event[rows.stop], 0.0)
    exits = np.where(curve.is_ending[rows.cause], curve.own_exit[rows.stop], 0.0)
    exits += b[rows.start] - b[rows.stop]
    moved -= np.where(rows.stop < place, exits * (f[place] - f[until]), 0.0)
    return moved


def count_behind(rows: Rows, curve: Curve, codes: Days, places: Days) -> Floats:
    """How many people speak for a number at an edge, where nothing measures its error.

    Of a risk the effective number at risk, at 1 that of those who had the event. Of a count that at
    risk on the day, with nobody at risk on the nearest day before, else the first; at most the
    number of clusters (`codes`).
    """
    if curve.is_risk:
        is_all = curve.value[places] >= 1
        return np.where(is_all, curve.effective_events[places], curve.n_effective[places])
    is_there = curve.n_at_risk > 0
    latest = np.maximum.accumulate(np.where(is_there, np.arange(len(is_there)), -1))
    day = np.where(latest[places] >= 0, latest[places], np.argmax(is_there))
    n_clusters = len(np.unique(codes[rows.weight > 0]))
    return np.minimum(curve.n_effective[day], n_clusters)


@dataclass(frozen=True, eq=False)
class Spread:
    """Rows made ready for variances: alike rows once, and who shares a cluster.

    Attributes:
        alike: one row for each start, stop and cause that occurs.
        place: for each row its place in `alike`.
        squares: sum of squared weights over the rows that are a cluster by themselves, per `alike`.
        shared: rows that share a cluster; `groups` their clusters from 0, `weight` their weights.
        codes: for each row its cluster.
    """

    alike: Rows
    place: Days
    squares: Floats
    shared: Days
    groups: Days
    weight: Floats
    codes: Days

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
    return Spread(alike, place, squares, shared, groups, rows.weight[shared], codes)


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


def take_rows(rows: Rows, chosen: Flags) -> Rows:
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


def _marks(values: npt.ArrayLike, name: str) -> Days:
    marks = np.asarray(values)
    if not np.isin(marks, (0, 1)).all():
        raise ValueError(f"{name} must be true or false (1 or 0) in every row")
    return marks.astype(np.int64)
