"""E-values: how strong an unmeasured confounder would have to be to explain a result away.

VanderWeele TJ, Ding P (2017). Sensitivity analysis in observational research: introducing the
E-value. Annals of Internal Medicine 167(4), 268-274.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Floats


def find_e_value(risk_ratio: npt.ArrayLike) -> Floats:
    """The E-value of risk ratios: R + sqrt(R (R - 1)), with 1 / R in place of an R below 1.

    An unmeasured trait that goes with the start of the measure by a risk ratio of this much, and
    with the outcome by as much, beyond what is adjusted for, could explain all of the result; a
    weaker one could not. 1: nothing is needed. A ratio of 0 or infinity gives infinity.

    Raises:
        ValueError: a negative ratio.

    Example:
        >>> find_e_value([3.9, 1 / 3.9, 1.0]).round(2)
        array([7.26, 7.26, 1.  ])
    """
    ratio = np.asarray(risk_ratio, dtype=np.float64)
    if (ratio < 0).any():
        raise ValueError("a risk ratio is not negative")
    with np.errstate(divide="ignore"):
        away = np.where(ratio < 1, 1 / ratio, ratio)
    value: Floats = away + np.sqrt(away * (away - 1))
    return value


def find_e_value_limit(ci_low: npt.ArrayLike, ci_high: npt.ArrayLike) -> Floats:
    """The E-value of the interval: of its limit nearer 1, and 1 where the interval holds 1.

    Example:
        >>> find_e_value_limit([1.8, 0.8], [8.7, 1.1]).round(2)
        array([3., 1.])
    """
    low, high = np.asarray(ci_low, dtype=np.float64), np.asarray(ci_high, dtype=np.float64)
    holds_1 = (low <= 1) & (high >= 1)
    nearer = np.where(low > 1, low, high)
    return find_e_value(np.where(holds_1, 1.0, nearer))


def approximate_risk_ratio(hazard_ratio: npt.ArrayLike) -> Floats:
    """The risk ratio that a hazard ratio of a common outcome stands for, nearly.

    (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1 / HR)): VanderWeele & Ding 2017, Table 2, for an outcome in
    more than 15 % by the end of follow-up; of a rarer one the hazard ratio is nearly the risk ratio
    itself. For limits of an interval alike.

    Example:
        >>> approximate_risk_ratio([0.5, 1.0, 2.0]).round(4)
        array([0.6201, 1.    , 1.6125])
    """
    root = np.sqrt(np.asarray(hazard_ratio, dtype=np.float64))
    with np.errstate(divide="ignore"):
        ratio: Floats = -np.expm1(np.log(0.5) * root) / -np.expm1(np.log(0.5) / root)
    return ratio
