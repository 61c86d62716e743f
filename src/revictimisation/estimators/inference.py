"""Estimates with what moves them, and what is made of them: contrasts, intervals, rows of results.

**Errors.** The influence of a cluster (a victim) on an estimate is the estimate's derivative in the
cluster's case weight. The variance is the sum over clusters of the squared influence (infinitesimal
jackknife: Jaeckel 1972; Efron 1982, chapter 6). What is made of estimates moves by the chain rule,
derivative times influence, which is the delta method with every covariance in it (van der Vaart
1998, chapter 3): a victim who moves both arms moves their difference once. Where there are
replicates of a bootstrap, whatever is made of estimates is made of each, and errors are standard
deviations over those that have an answer.

**Intervals** are normal on the scale named: plain; log (counts); log-log, of 1 - F (risks: R's
`conf.type = "log-log"`); logit. At an edge (a risk of 0 or 1, a count of 0) nothing measures the
error; exact limits stand in for as many people as are behind the number, and half their width over
1.96 as the error. A difference or ratio with a number at an edge is put together from both
intervals (Newcombe 1998, method 10; Donner & Zou 2012, Stat Methods Med Res 21:347). Where people
are few on one side, so that an error goes with its number and neither is normal, all may be put
together so, with the correlation of both (`is_joined`; Zou & Donner 2008, Stat Med 27:1693).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.results import BEYOND_FOLLOW_UP, NOT_ESTIMABLE, NUMBERS, OK
from revictimisation.estimators.intervals import (
    MOST_LOG_RATIO,
    NO_ERROR,
    count_interval,
    difference_interval,
    error_of_limits,
    find_freedom,
    loglog_interval,
    normal_quantile,
)

Scale = Literal["plain", "log", "log-log", "logit"]
NO_EVENTS = "no_events_in_a_group"


@dataclass(frozen=True, eq=False)
class Estimate:
    """Numbers of any shape with what moves them.

    Attributes:
        value: the numbers; NaN where there is none.
        influence: clusters x the shape of value; None: not known.
        draws: replicates x the shape of value, NaN without an answer. Errors are theirs if given.

    Example:
        >>> risk = Estimate(np.array([0.4, 0.2]), np.array([[0.03, 0.0], [0.0, 0.04]]))
        >>> gap, ratio = risk[0] - risk[1], risk[0].log() - risk[1].log()
        >>> gap.value.round(3), gap.se.round(3), ratio.se.round(4)
        (np.float64(0.2), np.float64(0.05), np.float64(0.2136))
    """

    value: Floats
    influence: Floats | None = None
    draws: Floats | None = None
    __array_ufunc__ = None  # an array less an estimate is an estimate

    @classmethod
    def with_error(cls, value: npt.ArrayLike, se: npt.ArrayLike) -> Self:
        """Numbers of which the errors alone are known: each as if one cluster moved it so far."""
        return cls(np.asarray(value, np.float64), np.asarray(se, np.float64)[None])

    @classmethod
    def with_covariance(cls, value: Floats, covariance: Floats) -> Self:
        """Numbers of which the covariance is known: its root stands for the influence."""
        size, directions = np.linalg.eigh(covariance)
        return cls(value, np.sqrt(np.maximum(size, 0.0))[:, None] * directions.T)

    def __getitem__(self, place: Any) -> Estimate:
        """Some of the numbers, chosen as in an array."""
        places = place if isinstance(place, tuple) else (place,)
        return self._each(lambda part: part[(slice(None), *places)], self.value[place])

    def __neg__(self) -> Estimate:
        """The numbers with the other sign."""
        return self._each(np.negative, -self.value)

    def __add__(self, other: Estimate | npt.ArrayLike) -> Estimate:
        """Sums; what is no estimate moves with nobody."""
        if not isinstance(other, Estimate):
            more = np.asarray(other, np.float64)
            draws = None if self.draws is None else self.draws + more
            return Estimate(self.value + more, self.influence, draws)
        pairs = ((self.influence, other.influence), (self.draws, other.draws))
        parts = (None if a is None or b is None else a + b for a, b in pairs)
        return Estimate(self.value + other.value, *parts)

    def __sub__(self, other: Estimate | npt.ArrayLike) -> Estimate:
        """Differences."""
        return self + (-other if isinstance(other, Estimate) else -np.asarray(other, np.float64))

    def __rsub__(self, other: npt.ArrayLike) -> Estimate:
        """What is no estimate less the numbers."""
        return -self + other

    def transform(self, function: Callable[[Floats], Floats], derivative: Floats) -> Estimate:
        """A function of each number; `derivative`: at the values."""
        moved = None if self.influence is None else derivative * self.influence
        draws = None if self.draws is None else function(self.draws)
        return Estimate(function(self.value), moved, draws)

    def log(self) -> Estimate:
        """Logarithms; NaN of what is not above 0."""
        return self.transform(_log, 1 / np.where(self.value > 0, self.value, np.nan))

    def logit(self) -> Estimate:
        """Logarithms of odds."""
        return self.transform(lambda p: _log(p / (1 - p)), 1 / (self.value * (1 - self.value)))

    def reshape(self, *shape: int) -> Estimate:
        """The numbers in another shape."""
        return self._each(lambda part: part.reshape(len(part), *shape), self.value.reshape(shape))

    def by_cluster(self, groups: Whole) -> Estimate:
        """With the influence summed by cluster; `groups`: from 0, of each row of the influence."""
        assert self.influence is not None
        return Estimate(self.value, sum_clusters(self.influence, groups), self.draws)

    @cached_property
    def se(self) -> Floats:
        """Standard errors; NaN where neither influence nor two replicates tell."""
        if self.draws is not None:
            return _spread(self.draws)
        if self.influence is None:
            return np.full(np.shape(self.value), np.nan)
        return np.asarray(np.sqrt(np.sum(self.influence**2, axis=0)))

    @cached_property
    def covariance(self) -> Floats:
        """Of a column of numbers, by influence."""
        assert self.influence is not None
        # einsum adds in order: the result must not hang on a linear algebra library's threads
        return np.einsum("ci,cj->ij", self.influence, self.influence)

    @cached_property
    def freedom(self) -> Floats:
        """Degrees of freedom of the errors (`find_freedom`)."""
        assert self.influence is not None
        return find_freedom(self.influence)

    def interval(
        self,
        scale: Scale = "plain",
        behind: Floats | None = None,
        quantile: Floats | float | None = None,
    ) -> Interval:
        """The numbers with their errors and limits.

        behind: how many people speak for a number at an edge (log, log-log). quantile: errors that
        a plain or log-log interval reaches, 1.96 if not given.
        """
        value, se = self.value, self.se
        if scale == "plain":
            half = (normal_quantile() if quantile is None else quantile) * se
            return Interval(value, se, value - half, value + half, np.zeros(value.shape, np.bool_))
        if scale == "logit":
            odds = self.logit().interval()
            low, high = (1 / (1 + np.exp(-end)) for end in (odds.low, odds.high))
            return Interval(value, se, low, high, np.zeros(value.shape, np.bool_), 1.0)
        assert behind is not None
        if scale == "log":
            is_edge, reach = np.asarray(~(se > NO_ERROR)), np.inf
            low, high = count_interval(value, se, behind)
        else:
            is_edge, reach = np.asarray((value <= 0) | (value >= 1)), 1.0
            low, high = loglog_interval(value, np.where(is_edge, 0.0, se), behind, quantile)
        se = np.where(is_edge, error_of_limits(low, high), se)
        is_known = ~np.isnan(value + se)
        low, high = np.where(is_known, low, np.nan), np.where(is_known, high, np.nan)
        return Interval(value, se, low, high, is_edge, reach)

    def _each(self, take: Callable[[Floats], Floats], value: Floats) -> Estimate:
        """The same done to the influence and to the replicates."""
        parts = (None if part is None else take(part) for part in (self.influence, self.draws))
        return Estimate(value, *parts)


@dataclass(frozen=True, eq=False)
class Interval:
    """Numbers with standard errors and the limits of their 95 % intervals.

    Attributes:
        is_edge: nothing measures the error; it is that of the exact limits.
        reach: no difference of two such numbers is larger.
    """

    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    is_edge: Flags
    reach: float = np.inf

    def __getitem__(self, place: Any) -> Interval:
        """Some of the numbers, chosen as in an array."""
        estimate, low, high, se = (part[place] for part in self.numbers.values())
        return Interval(estimate, se, low, high, self.is_edge[place], self.reach)

    def exp(self) -> Interval:
        """Ratios from their logarithms; errors by the delta method.

        >>> Estimate.with_error([0.0], [0.1]).interval().exp().high.round(4)
        array([1.2165])
        """
        with np.errstate(over="ignore", invalid="ignore"):
            ratio, low, high = (np.exp(part) for part in (self.estimate, self.low, self.high))
            return Interval(ratio, ratio * self.se, low, high, self.is_edge)

    @property
    def numbers(self) -> dict[str, Floats]:
        """By the names that they have in a row of results."""
        return dict(zip(NUMBERS, (self.estimate, self.low, self.high, self.se), strict=True))

    def row(self, place: Any = 0) -> dict[str, float]:
        """One of the numbers by these names."""
        return {name: float(part[place]) for name, part in self.numbers.items()}

    def to_rows(self, estimand: str, reason: npt.ArrayLike = "", **columns: Any) -> pd.DataFrame:
        """A row per number with further columns; where a reason stands it is `not_estimable`."""
        why = np.broadcast_to(np.asarray(reason, dtype=object), self.estimate.shape)
        is_known = why == ""
        numbers = {name: np.where(is_known, part, np.nan) for name, part in self.numbers.items()}
        status = np.where(is_known, OK, NOT_ESTIMABLE)
        return pd.DataFrame(
            {"estimand": estimand, **numbers, **columns, "status": status, "reason": why}
        )


def stack(estimates: Sequence[Estimate]) -> Estimate:
    """Estimates with influence, below each other."""
    influence = [one.influence for one in estimates if one.influence is not None]
    return Estimate(np.stack([one.value for one in estimates]), np.stack(influence, axis=1))


def find_difference(
    pair: Estimate,
    limits: Interval,
    quantile: Floats | float | None = None,
    *,
    is_joined: bool = False,
) -> Interval:
    """The first less the second; `limits`: of both, by `Estimate.interval`.

    By its error, in `quantile` of it (1.96); put together from both where one is at an edge or no
    error is left, or everywhere (`is_joined`). With both at an edge the error is that of the
    limits; a single one that is not measured stays 0.
    """
    gap = pair[0] - pair[1]
    wald = gap.interval(quantile=quantile)
    is_alone = limits.is_edge.any(axis=0) | (gap.se <= NO_ERROR)
    together = np.where(is_alone, 0.0, _find_correlation(pair, gap)) if is_joined else 0.0
    low, high = _join(limits[0], limits[1], together)
    is_put = is_alone | is_joined
    low = np.maximum(np.where(is_put, low, wald.low), -limits.reach)
    high = np.minimum(np.where(is_put, high, wald.high), limits.reach)
    is_edge = np.asarray(limits.is_edge.all(axis=0))
    se = np.where(is_edge, error_of_limits(low, high), gap.se)
    return Interval(gap.value, se, low, high, is_edge)


def find_ratio(
    pair: Estimate,
    limits: Interval,
    quantile: Floats | float | None = None,
    *,
    is_joined: bool = False,
) -> Interval:
    """The first over the second, as `find_difference` on the scale of logarithms.

    The error is that of the logarithm. NaN where one of the two is not above 0.

    Example:
        >>> both = Estimate.with_error([[1.0], [1.0]], np.zeros((2, 1)))
        >>> ratio = find_ratio(both, both.interval("log-log", np.full((2, 1), 120.0)))
        >>> ratio.se.round(4), ratio.low.round(4), ratio.high.round(4)
        (array([0.0157]), array([0.9697]), array([1.0312]))
    """
    least = np.exp(-MOST_LOG_RATIO)
    low, high = (np.log(np.maximum(part, least)) for part in (limits.low, limits.high))
    logs = pair.log()
    whole = Interval(logs.value, limits.se, low, high, limits.is_edge, MOST_LOG_RATIO)
    found = find_difference(logs, whole, quantile, is_joined=is_joined)
    low, high = np.exp(found.low), np.exp(found.high)
    is_known = np.all(pair.value > 0, axis=0)
    ratio = pair.value[0] / np.where(is_known, pair.value[1], np.nan)
    return Interval(ratio, found.se, low, high, found.is_edge)


def compare_arms(
    arms: Estimate,
    limits: Interval,
    names: Sequence[str],
    at: Mapping[str, npt.ArrayLike],
    *,
    n_people: Sequence[Any] | Whole,
    n_events: npt.NDArray[Any],
    is_followed: Flags,
    quantile: Floats | float | None = None,
    is_joined: bool = False,
) -> pd.DataFrame:
    """Rows of two arms, their difference and, with a fourth name, their ratio, below each other.

    Args:
        arms: 2 x numbers, `limits` theirs. names: of the estimands. at: further columns.
        n_people, n_events: of either arm and of both (who is in both counts once), the events
            3 x numbers. is_followed: 2 x numbers.

    Returns:
        A row per estimand and number; `not_estimable` with reason `beyond_follow_up` where nobody
        of the arm (of either, for both) is followed, `no_events_in_a_group` a ratio with a risk of
        0.
    """
    reasons = np.where(is_followed, "", BEYOND_FOLLOW_UP)
    both = np.where(is_followed.all(axis=0), "", BEYOND_FOLLOW_UP)
    found = [
        limits[arm].to_rows(
            names[arm], reasons[arm], **at, n_people=n_people[arm], n_events=n_events[arm]
        )
        for arm in range(2)
    ]
    counts = {"n_people": n_people[2], "n_events": n_events[2]}
    gap = find_difference(arms, limits, quantile, is_joined=is_joined)
    found.append(gap.to_rows(names[2], both, **at, **counts))
    if len(names) > len(found):
        ratio = find_ratio(arms, limits, quantile, is_joined=is_joined)
        why = np.where((both == "") & ~(arms.value > 0).all(axis=0), NO_EVENTS, both)
        found.append(ratio.to_rows(names[3], why, **at, **counts))
    return pd.concat(found, ignore_index=True)


def sum_clusters(influence: Floats, groups: Whole, n_groups: int = 0) -> Floats:
    """The influence of clusters (0 to the largest, or `n_groups`) from that of their rows.

    >>> sum_clusters(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0])).tolist()
    [[5.0], [2.0]]
    """
    columns = influence.reshape(len(influence), -1).T
    summed = [np.bincount(groups, column, n_groups).astype(np.float64) for column in columns]
    return np.column_stack(summed).reshape(-1, *influence.shape[1:])


def _join(one: Interval, other: Interval, correlation: Floats | float) -> tuple[Floats, Floats]:
    others = other.estimate, other.low, other.high
    return difference_interval(one.estimate, one.low, one.high, others, correlation)


def _find_correlation(pair: Estimate, gap: Estimate) -> Floats:
    """Of the errors of two numbers, from that of their difference; 0 where one has none."""
    one, other = pair.se
    shared, size = (one**2 + other**2 - gap.se**2) / 2, one * other
    found = np.divide(shared, size, out=np.zeros(gap.value.shape), where=size > NO_ERROR**2)
    return np.clip(found, -1.0, 1.0)


def _log(value: Floats) -> Floats:
    given = np.asarray(value)
    return np.log(given, out=np.full(given.shape, np.nan), where=given > 0)


def _spread(draws: Floats) -> Floats:
    """Standard deviations over the replicates that have a number; NaN where fewer than two have."""
    is_known = np.isfinite(draws)
    count = is_known.sum(axis=0)
    mean = np.where(is_known, draws, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.square(np.where(is_known, draws - mean, 0.0)).sum(axis=0)
    spread: Floats = np.sqrt(squares / np.maximum(count - 1, 1))
    return np.where(count > 1, spread, np.nan)
