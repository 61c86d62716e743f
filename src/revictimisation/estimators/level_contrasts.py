"""Do the levels of a grouping differ: contrasts against one of them, and one test for all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from revictimisation.core.arrays import Floats
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import NO_ERROR

# A direction in which the levels' differences have less than this share of the largest variance
# can't be told from the others.
RANK_TOLERANCE = 1e-10


def find_p_values(estimate: Estimate, freedom: npt.ArrayLike = np.inf) -> Floats:
    """Two-sided p-values of numbers that may be 0; nan where one, or its error, is not known.

    freedom: of each error, for Student's t; infinite: the normal distribution.

    Example:
        >>> levels = Estimate.with_covariance(np.array([0.1, 0.3]), np.diag([0.003, 0.001]))
        >>> find_p_values(levels[[1]] - levels[[0]]).round(4)
        array([0.0016])
    """
    value, se = estimate.value, estimate.se
    is_known = np.isfinite(value) & (se > NO_ERROR)
    size = np.divide(np.abs(value), se, out=np.zeros_like(se), where=is_known)
    tail = np.where(np.isinf(freedom), ndtr(-size), stdtr(freedom, -size))
    return np.where(is_known, 2 * tail, np.nan)


def compare_all(levels: Estimate, freedom: float = np.inf) -> tuple[float, int]:
    """Wald's test that all levels are equal: p-value and degrees of freedom.

    The statistic is d' V^-1 d over the differences d to the first level, the same whichever level
    they are taken to; chi-squared with as many degrees of freedom as the differences have
    directions, or, with a variance of finite `freedom`, F of the statistic over their number.
    Fewer than two levels, or no variance: nan and 0.

    Example:
        >>> levels = Estimate.with_covariance(np.array([0.1, 0.3]), np.diag([0.003, 0.001]))
        >>> p_value, freedom = compare_all(levels)
        >>> round(p_value, 4), freedom
        (0.0016, 1)
    """
    if len(levels.value) < 2:
        return np.nan, 0
    gaps = levels[1:] - levels[:1]
    size, directions = np.linalg.eigh(gaps.covariance)
    is_told = size > RANK_TOLERANCE * max(float(size.max()), 0.0)
    if not is_told.any() or size.max() <= NO_ERROR**2:
        return np.nan, 0
    along = directions[:, is_told].T @ gaps.value
    n_told, statistic = int(is_told.sum()), float((along**2 / size[is_told]).sum())
    if np.isinf(freedom):
        return float(chdtrc(n_told, statistic)), n_told
    return float(fdtrc(n_told, freedom, statistic / n_told)), n_told


def adjust_holm(p_value: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Floats:
    """Holm's (1979) adjusted p-values of a family; nan is no test and stays nan.

    weight: how much of the family's error each may spend, whatever they add up to; all alike
    without (Holm 1979, section 4). They must be settled before the p-values are seen.

    Example:
        >>> adjust_holm([0.01, 0.04, 0.03, np.nan]).round(3).tolist()
        [0.03, 0.06, 0.06, nan]
        >>> adjust_holm([0.01, 0.04], [3.0, 1.0]).round(4).tolist()
        [0.0133, 0.04]
    """
    given = np.asarray(p_value, dtype=np.float64)
    own = np.ones(len(given)) if weight is None else np.asarray(weight, dtype=np.float64)
    at = np.flatnonzero(~np.isnan(given))
    order = at[np.argsort(given[at] / own[at], kind="stable")]
    left = np.cumsum(own[order][::-1])[::-1]
    steps = given[order] / own[order] * left
    adjusted = np.full(len(given), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return adjusted
