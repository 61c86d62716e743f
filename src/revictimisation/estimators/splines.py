"""Restricted (natural) cubic splines: smooth curves of a number, straight beyond outer knots."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Floats

# Quantiles at which knots stand, by their number (Harrell 2015, Regression Modeling Strategies,
# 2nd edition, table 2.3).
KNOT_QUANTILES = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.50, 0.6583, 0.8167, 0.975),
}
LEAST_KNOTS = 3


def place_knots(values: npt.ArrayLike, n_knots: int) -> Floats:
    """Knots at the quantiles of the values, missing ones aside; those that coincide are one.

    With fewer than 3 different knots there is nothing to bend: none.

    Raises:
        ValueError: a number of knots outside 3..7.

    Example:
        >>> place_knots(range(101), 4).tolist()
        [5.0, 35.0, 65.0, 95.0]
        >>> place_knots([0, 0, 0, 1], 3).tolist()
        []
    """
    if n_knots not in KNOT_QUANTILES:
        raise ValueError(f"a spline has 3 to 7 knots, not {n_knots}")
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return known
    knots = np.unique(np.quantile(known, KNOT_QUANTILES[n_knots]))
    return knots if len(knots) >= LEAST_KNOTS else knots[:0]


def bend(values: npt.ArrayLike, knots: npt.ArrayLike) -> Floats:
    """The columns that bend a line at the knots, to stand beside the number itself.

    With knots t_1 < ... < t_k column j of k - 2 is, u+ being u where positive and else 0,

        ((x - t_j)+^3 - (x - t_(k-1))+^3 (t_k - t_j) / (t_k - t_(k-1))
          + (x - t_k)+^3 (t_(k-1) - t_j) / (t_k - t_(k-1))) / (t_k - t_1)^2

    (Devlin & Weeks 1986, as Harrell scales it): 0 before the first knot, straight after the last.

    Example:
        >>> bend([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0]).ravel().tolist()
        [0.0, 0.25, 1.5, 3.0]
    """
    x, t = np.asarray(values, dtype=np.float64), np.asarray(knots, dtype=np.float64)
    if len(t) < LEAST_KNOTS:
        return np.empty((len(x), 0))
    last, outer = t[-2], t[-1]

    def cubed(knot: float) -> Floats:
        return np.maximum(x - knot, 0.0) ** 3

    columns = [
        cubed(one)
        - cubed(last) * (outer - one) / (outer - last)
        + cubed(outer) * (last - one) / (outer - last)
        for one in t[:-2]
    ]
    return np.column_stack(columns) / (outer - t[0]) ** 2
