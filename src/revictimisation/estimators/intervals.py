"""Limits of risks and counts, defined at 0 and 1 as well; how uncertain an error itself is."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, stdtrit

from revictimisation.core.arrays import Floats

LEVEL, POWER = 0.95, 0.8
# An error this small is rounding: nothing can move the estimate.
NO_ERROR = 1e-10
# An interval of a ratio wider than this says nothing; its limits stay finite.
MOST_LOG_RATIO = 500.0
# Half a width on the scale of log(-log(1 - F)) from which the error is so much larger than F that
# nothing is known (and exp of which a number can still hold).
WIDEST = 700.0


def normal_quantile(level: float = LEVEL) -> float:
    """The two-sided normal quantile: 1.96 for 95 %."""
    return NormalDist().inv_cdf(0.5 + level / 2)


# A difference of so many standard errors is found with this power by a test at this level: 2.80.
DETECTABLE_ERRORS = normal_quantile() + NormalDist().inv_cdf(POWER)


def find_freedom(influence: Floats) -> Floats:
    """Degrees of freedom that a variance from influences has: clusters x anything to anything.

    The variance V is the sum of squared influences; if few clusters carry it, it is itself
    uncertain, and the normal quantile too small. Satterthwaite's approximation with empirical
    moments (Lipsitz, Ibrahim & Parzen 1999): 2 V^2 / var(V), var(V) = sum of fourth powers less
    V^2 / n. Between 1 and n - 1 (at least 1); n - 1 where nothing moves.

    Example:
        >>> find_freedom(np.array([[1.0, 5.0], [-1.0, 0.1], [1.0, 0.1], [-1.0, 0.1]])).round(2)
        array([3.  , 2.68])
    """
    squares = influence**2
    variance, most = squares.sum(axis=0), max(len(influence) - 1.0, 1.0)
    doubt = (squares**2).sum(axis=0) - variance**2 / max(len(influence), 1)
    freedom = np.full(variance.shape, most)
    np.divide(2 * variance**2, doubt, out=freedom, where=doubt > 2 * variance**2 / most)
    return np.maximum(freedom, 1.0)


def t_quantile(freedom: npt.ArrayLike) -> Floats:
    """The two-sided 95 % quantile of Student's t: 2.228 for 10 degrees of freedom.

    Infinitely many give the normal quantile.

    Example:
        >>> t_quantile([10, np.inf]).round(3).tolist()
        [2.228, 1.96]
    """
    known = np.asarray(freedom, np.float64)
    found: Floats = stdtrit(np.minimum(known, 1e12), 0.5 + LEVEL / 2)
    return np.where(np.isinf(known), normal_quantile(), found)


def count_effective_events(risk: npt.ArrayLike, se: npt.ArrayLike) -> Floats:
    """How many events a risk with this error rests on: as many as a plain share of its error has.

    risk^2 (1 - risk) / se^2. With weights it is less than the events seen; with 0 of it (risk 0,
    or no error) nothing is known.

    Example:
        >>> risk, n_people = 0.1, 200
        >>> se = (risk * (1 - risk) / n_people) ** 0.5
        >>> count_effective_events([risk], [se]).round(6)
        array([20.])
    """
    share, error = np.asarray(risk, np.float64), np.asarray(se, np.float64)
    is_known = error > NO_ERROR
    found = np.zeros(np.broadcast(share, error).shape)
    np.divide(share**2 * (1 - share), error**2, out=found, where=is_known)
    return found


def loglog_interval(
    estimate: Floats, se: Floats, n_effective: Floats, quantile: Floats | float | None = None
) -> tuple[Floats, Floats]:
    """95 % interval for a risk F by the normal approximation of log(-log(1 - F)).

    For Kaplan-Meier this is R's `conf.type = "log-log"` for the survival 1 - F (Kalbfleisch &
    Prentice 2002, eq. 1.17); it stays inside 0..1. Where F is 0 or 1 the approximation has no
    spread; there the exact (Clopper-Pearson) limits for none or all of `n_effective` people are
    given: for F = 0 from 0 to 1 - (alpha/2)^(1/n), for F = 1 from (alpha/2)^(1/n) to 1, and 0 to 1
    if n is 0. At 0 these are the people still followed without the event, at 1 those seen to have
    it. A risk between 0 and 1 with error 0 (a single cluster) says nothing about spread:
    0 to 1. So does an error much larger than the distance to 0 or 1: a model's risk of 1e-9 with
    an error of 0.01 has the limits 0 and 1. `quantile`: errors it reaches, 1.96 if not given.

    Example:
        >>> risk, se, n_people = np.array([0.5, 0.0]), np.array([0.1, 0.0]), np.array([20, 10])
        >>> low, high = loglog_interval(risk, se, n_people)
        >>> low.round(4), high.round(4)
        (array([0.3255, 0.    ]), array([0.7048, 0.3085]))
    """
    low, high = np.zeros_like(estimate), np.ones_like(estimate)
    inside = (estimate > 0) & (estimate < 1) & (se > NO_ERROR)
    # log1p: 1 - F of a risk below 1e-16 is 1, its logarithm would be 0 and be divided by
    log_survival = np.log1p(-estimate[inside])
    slope = np.maximum(np.abs((1 - estimate[inside]) * log_survival), np.finfo(np.float64).tiny)
    reach = np.broadcast_to(normal_quantile() if quantile is None else quantile, estimate.shape)
    half = reach[inside] * se[inside] / slope
    known = half < WIDEST
    widen = np.exp(np.minimum(half, WIDEST))
    low[inside] = np.where(known, -np.expm1(log_survival / widen), 0.0)
    high[inside] = np.where(known, -np.expm1(log_survival * widen), 1.0)
    exact = np.zeros_like(estimate)
    some = n_effective > 0
    exact[some] = ((1 - LEVEL) / 2) ** (1 / n_effective[some])
    high = np.where(estimate <= 0, 1 - exact, high)
    low = np.where(estimate >= 1, exact, low)
    return low, high


def error_of_limits(low: Floats, high: Floats) -> Floats:
    """The standard error that these 95 % limits stand for: half their width over the quantile.

    For a number at an edge (nobody, or everybody), where nothing measures the spread and exact
    limits stand in: an error of 0 would say that it is certain.

    Example:
        >>> error_of_limits(np.array([0.0]), np.array([0.0303])).round(5)
        array([0.00773])
    """
    half: Floats = (high - low) / (2 * normal_quantile())
    return half


def count_interval(count: Floats, se: Floats, n_people: Floats) -> tuple[Floats, Floats]:
    """95 % interval for a mean count, normal on the logarithm (Ghosh & Lin 2000).

    Where the error is 0 (no outcomes, or everyone had as many) nothing measures the spread; there
    the exact Poisson limits (Garwood 1936) for `count` times `n_people` outcomes among `n_people`
    are given: without outcomes from 0 to -log(alpha/2) / n_people.

    Example:
        >>> low, high = count_interval(np.array([0.5, 0]), np.array([0.1, 0]), np.array([20, 20]))
        >>> low.round(4), high.round(4)
        (array([0.3379, 0.    ]), array([0.74  , 0.1844]))
    """
    tail = (1 - LEVEL) / 2
    is_moved = (count > 0) & (se > NO_ERROR * count)
    half = normal_quantile() * np.divide(se, count, out=np.zeros_like(se), where=is_moved)
    events = count * n_people
    below = np.where(events > 0, gammaincinv(np.maximum(events, NO_ERROR), tail), 0.0)
    above = gammaincinv(events + 1, 1 - tail)
    low = np.where(is_moved, count * np.exp(-half), below / n_people)
    high = np.where(is_moved, count * np.exp(half), above / n_people)
    return low, high


def wilson_interval(n_events: npt.ArrayLike, n_people: npt.ArrayLike) -> tuple[Floats, Floats]:
    """The 95 % interval of a share (Wilson 1927); within 0..1, also for 0 and all.

    >>> low, high = wilson_interval([0, 8], [10, 10])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.4902], [0.2775, 0.9433])
    """
    events, people = np.asarray(n_events, np.float64), np.asarray(n_people, np.float64)
    share, square = events / people, normal_quantile() ** 2
    centre = (share + square / (2 * people)) / (1 + square / people)
    inside = share * (1 - share) / people + square / (4 * people**2)
    half = normal_quantile() / (1 + square / people) * np.sqrt(inside)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def difference_interval(
    share: Floats,
    low: Floats,
    high: Floats,
    other: tuple[Floats, Floats, Floats],
    correlation: Floats | float = 0.0,
) -> tuple[Floats, Floats]:
    """The interval of shares less others, from the intervals of each (Newcombe 1998).

    `other`: the others with their limits. With Wilson's limits it is Newcombe's method 10, which
    has a width also where nobody or everybody has the event. The shares are of different people,
    or have this `correlation` (Zou & Donner 2008, Stat Med 27:1693).

    >>> one, two = (56 / 70, *wilson_interval(56, 70)), (48 / 80, *wilson_interval(48, 80))
    >>> low, high = difference_interval(*one, two)  # as in his table II
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    value, least, most = other
    gap = share - value
    return (
        gap - _add_distances(share - low, most - value, correlation),
        gap + _add_distances(high - share, value - least, correlation),
    )


def _add_distances(one: Floats, other: Floats, correlation: Floats | float) -> Floats:
    """The third side of a triangle: of independent distances the hypotenuse."""
    found: Floats = np.hypot(one - correlation * other, np.sqrt(1 - correlation**2) * other)
    return found
