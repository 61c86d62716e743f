"""Number needed to treat, with an interval that says what it can (Altman 1998).

The number is -1 / difference: positive where the measure helps (so many must start for one fewer
with a new report), negative where it harms. A difference of 0 is a number of infinity; so where
the difference's interval holds 0, the number's runs from the helping limit up through infinity to
the harming limit, and has no other order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.estimators.intervals import NO_ERROR

NAME = "number_needed_to_treat"
OK, NOT_ESTIMABLE = "ok", "not_estimable"
THROUGH_INFINITY = "interval_through_infinity"
NO_DIFFERENCE = "no_difference"


def invert_difference(
    difference: npt.ArrayLike, se: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
) -> pd.DataFrame:
    """Numbers needed to treat from risk differences (start less no start) and their intervals.

    Returns:
        A row per difference: estimate, ci_low, ci_high, se (delta method), status, reason. Where
        the difference's interval holds 0, ci_low is the harming limit (negative), ci_high the
        helping one (positive), the interval is everything *outside* them, and reason is
        `interval_through_infinity`. A limit of 0 gives infinity. A difference of 0 (to rounding) is
        `not_estimable`, reason `no_difference`, its limits kept.

    Example:
        >>> rows = invert_difference([-0.1, -0.1], [0.02, 0.1], [-0.14, -0.3], [-0.06, 0.1])
        >>> rows[["estimate", "ci_low", "ci_high", "reason"]].round(2)
           estimate  ci_low  ci_high                     reason
        0      10.0    7.14    16.67
        1      10.0  -10.00     3.33  interval_through_infinity
    """
    gap, error, low, high = (np.asarray(x, np.float64) for x in (difference, se, low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        number, spread = -1 / gap, error / gap**2
        of_low, of_high = -1 / low, -1 / high
    is_zero, is_high_zero = np.abs(low) <= NO_ERROR, np.abs(high) <= NO_ERROR
    holds_0 = (low < 0) & (high > 0) & ~is_zero & ~is_high_zero
    # a limit of 0 is infinity on the side of the other limit
    of_low = np.where(is_zero, -np.inf, of_low)
    of_high = np.where(is_high_zero, np.inf, of_high)
    is_known = np.abs(gap) > NO_ERROR  # what is left below is rounding
    return pd.DataFrame(
        {
            "estimate": np.where(is_known, number, np.nan),
            "ci_low": np.where(holds_0, of_high, of_low),
            "ci_high": np.where(holds_0, of_low, of_high),
            "se": np.where(is_known, spread, np.nan),
            "status": np.where(is_known, OK, NOT_ESTIMABLE),
            "reason": np.where(is_known, np.where(holds_0, THROUGH_INFINITY, ""), NO_DIFFERENCE),
        }
    )


def describe_interval(rows: pd.DataFrame) -> list[str]:
    """The interval of each row in words; empty where there is none.

    rows: estimand, ci_low, ci_high. A number needed to treat is told as Altman (1998) has it: to
    benefit (NNTB) where it is positive, to harm (NNTH) where it is negative, through infinity where
    its limits are of both kinds.

    Example:
        >>> needed = {"estimand": "number_needed_to_treat", "ci_low": [-10.0, 7.1, -9.0]}
        >>> describe_interval(pd.DataFrame({**needed, "ci_high": [3.33, np.inf, -4.0]}))
        ['NNTB 3.33 to infinity to NNTH 10', 'NNTB 7.1 to infinity', 'NNTH 4 to 9']
    """
    told = []
    for name, *ends in rows[["estimand", "ci_low", "ci_high"]].itertuples(index=False):
        low, high = (float(end) for end in ends)
        if np.isnan(low) or np.isnan(high):
            told.append("")
        elif name != NAME:
            told.append(f"{_write(low)} to {_write(high)}")
        elif low < 0 < high:
            told.append(f"NNTB {_write(high)} to infinity to NNTH {_write(-low)}")
        else:
            near, far = sorted((abs(low), abs(high)))
            told.append(f"NNT{'B' if high > 0 else 'H'} {_write(near)} to {_write(far)}")
    return told


def _write(number: float) -> str:
    return f"{number:.3g}" if np.isfinite(number) else "infinity"
