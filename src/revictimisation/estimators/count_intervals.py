"""Intervals for mean counts, defined without outcomes as well."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from revictimisation.estimators.count_influence import CountTables
from revictimisation.estimators.influence import Rows
from revictimisation.estimators.intervals import LEVEL, NO_ERROR, normal_quantile

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def count_interval(
    count: Floats, se: Floats, n_people: Floats, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Interval for a mean count by the normal approximation of its logarithm (Ghosh & Lin 2000).

    Where the error is 0 (no outcomes, or everyone had as many) nothing measures the spread; there
    the exact Poisson limits (Garwood 1936) for `count` times `n_people` outcomes among `n_people`
    are given: without outcomes from 0 to -log(alpha/2) / n_people.

    Example:
        >>> low, high = count_interval(np.array([0.5, 0]), np.array([0.1, 0]), np.array([20, 20]))
        >>> low.round(4), high.round(4)
        (array([0.3379, 0.    ]), array([0.74  , 0.1844]))
    """
    tail = (1 - level) / 2
    is_moved = (count > 0) & (se > NO_ERROR * count)
    half = normal_quantile(level) * np.divide(se, count, out=np.zeros_like(se), where=is_moved)
    events = count * n_people
    below = np.where(events > 0, gammaincinv(np.maximum(events, NO_ERROR), tail), 0.0)
    above = gammaincinv(events + 1, 1 - tail)
    low = np.where(is_moved, count * np.exp(-half), below / n_people)
    high = np.where(is_moved, count * np.exp(half), above / n_people)
    return low, high


def places_of_days(rows: Rows, tables: CountTables, days: Whole) -> Whole:
    """Positions of `days` in the tables; days outside the follow-up at its ends."""
    return np.clip(days - rows.origin, 0, len(tables.count) - 1)


def find_followed(
    tables: CountTables, places: Whole, is_within: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Days of which something is known: somebody is at risk, or all have had a terminal event.

    Before the first day at risk nothing can have happened, which is known too. `is_within`: the day
    lies within the tables.
    """
    is_over = tables.survival[places] <= NO_ERROR
    is_before = places < np.argmax(tables.n_at_risk > 0)
    return is_over | (is_within & (is_before | (tables.n_at_risk[places] > 0)))


def find_people_behind(rows: Rows, tables: CountTables, codes: Whole, places: Whole) -> Floats:
    """How many people a count without measured spread speaks for.

    The effective number at risk on the day, at most the number of clusters; with nobody at risk,
    that of the nearest day before, else of the first.
    """
    is_there = tables.n_at_risk > 0
    latest = np.maximum.accumulate(np.where(is_there, np.arange(len(is_there)), -1))
    day = np.where(latest[places] >= 0, latest[places], np.argmax(is_there))
    n_clusters = len(np.unique(codes[rows.weight > 0]))
    return np.minimum(tables.n_effective[day], n_clusters)
