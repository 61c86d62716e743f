"""Empirical Bayes: many estimates of the same kind, each drawn towards the mean of its own family.

Estimate y_i with variance v_i of family f (a measure within one grouping) is of a truth drawn
from N(mu_f, tau^2), tau^2 the same in all families. tau^2 is that of Paule and Mandel (1982;
DerSimonian & Kacker 2007) with a mean a family: where the sum of (y_i - m_f)^2 / (v_i + tau^2) is
the number of estimates less that of families, or 0 where the sum is smaller at 0. With
B_i = v_i / (v_i + tau^2), Morris (1983):

    pooled    m_f + (1 - B_i) (y_i - m_f)
    variance  (1 - B_i) v_i + B_i^2 var(m_f) + 2 / (k - p - 2) B_i^2 (y_i - m_f)^2

for k estimates of p families; the last term is for tau^2 being estimated (left out for
k - p of 2 or less). The estimates are taken as independent, which levels of one grouping nearly
are; those of several groupings hold the same people, so tau^2 rests on less than it seems to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MOST_STEPS = 200
TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Pooled:
    """By estimate: drawn towards its family's mean, its error, and the share B it was drawn."""

    estimate: Floats
    se: Floats
    share_drawn: Floats
    between_variance: float


def _weigh(
    estimate: Floats, variance: Floats, family: Codes, between: float
) -> tuple[Floats, Floats, float]:
    """Each family's mean by estimate, that mean's variance, and the sum of squares around it."""
    weight = 1 / (variance + between)
    total = np.bincount(family, weight)[family]
    mean = np.bincount(family, weight * estimate)[family] / total
    return mean, 1 / total, float((weight * (estimate - mean) ** 2).sum())


def find_between_variance(estimate: Floats, variance: Floats, family: Codes) -> float:
    """Paule and Mandel's variance of truths around the means of their families.

    Example:
        >>> known = np.array([0.5, -0.5, 0.1]), np.array([0.01, 0.01, 0.04])
        >>> round(find_between_variance(*known, np.array([0, 0, 1])), 6)
        0.49
    """
    freedom = len(estimate) - len(np.unique(family))
    if freedom < 1 or _weigh(estimate, variance, family, 0.0)[2] <= freedom:
        return 0.0
    low, high = 0.0, float(variance.max())
    while _weigh(estimate, variance, family, high)[2] > freedom:
        low, high = high, 2 * high
    for _ in range(MOST_STEPS):
        middle = (low + high) / 2
        is_more = _weigh(estimate, variance, family, middle)[2] > freedom
        low, high = (middle, high) if is_more else (low, middle)
        if high - low <= TOLERANCE * high:
            break
    return (low + high) / 2


def pool_partially(estimate: Floats, variance: Floats, family: Codes) -> Pooled:
    """Draw estimates towards the means of their families; `family` as numbers from 0.

    An estimate alone in its family stays as it is.

    Example:
        >>> found = pool_partially(np.array([0.5, -0.5]), np.array([0.1, 0.1]), np.array([0, 0]))
        >>> found.estimate.round(3).tolist(), found.se.round(3).tolist()
        ([0.4, -0.4], [0.3, 0.3])
    """
    between = find_between_variance(estimate, variance, family)
    mean, mean_variance, _ = _weigh(estimate, variance, family, between)
    drawn = variance / (variance + between)
    freedom = len(estimate) - len(np.unique(family))
    uncertain = 2 / (freedom - 2) if freedom > 2 else 0.0
    own = (1 - drawn) * variance + drawn**2 * mean_variance
    own += uncertain * drawn**2 * (estimate - mean) ** 2
    return Pooled(mean + (1 - drawn) * (estimate - mean), np.sqrt(own), drawn, between)
