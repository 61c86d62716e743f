"""Errors of coefficients that few clusters carry: the jackknife's, and how uncertain they are.

A sandwich sums squared residuals by cluster. Each cluster has drawn the fit towards itself by its
leverage, its share of what is known of the estimate, so with few exposed victims residuals are too
small and the error with them; and the error is itself uncertain, so that the normal quantile is too
small. Both are mended as in linear regression with clusters. With influence u_g and leverage h_g
(adding to 1) of cluster g on one coefficient, the other columns partialled out (partial leverage:
MacKinnon, Nielsen & Webb 2023, Stata J 23:942),

    V = sum of (u_g / (1 - h_g))^2

is the jackknife's (CR3: Bell & McCaffrey 2002, Survey Methodology 28:169; HC3 where clusters are of
one row), and Satterthwaite's degrees of freedom (ibid.; Pustejovsky & Tipton 2018, J Bus Econ Stat
36:672), were clusters to vary as the model says, are (trace B)^2 / trace(B^2),

    B = D (H - h h') D,      D, H diagonal, of 1 / (1 - h) and h.

With k exposed victims among many others they are about k. With many both do nothing.
"""

from __future__ import annotations

import numpy as np

from revictimisation.core.arrays import Floats

# So much of what is known a cluster is taken to bring at most.
MOST_LEVERAGE = 0.9


def correct_error(influence: Floats, leverage: Floats) -> tuple[float, float]:
    """The standard error and its degrees of freedom; arguments by cluster, leverages add to 1.

    Example: four clusters that bring as much.
        >>> se, freedom = correct_error(np.array([1.0, -1.0, 2.0, -2.0]), np.full(4, 0.25))
        >>> round(se, 4), round(freedom, 4)
        (4.2164, 3.0)
    """
    held = np.minimum(leverage, MOST_LEVERAGE)
    se = np.sqrt(((influence / (1 - held)) ** 2).sum())
    odds = held / (1 - held)
    squares = odds**2
    trace = squares.sum() + squares.sum() ** 2 - (squares**2).sum()
    return float(se), float(odds.sum() ** 2 / trace) if trace > 0 else np.inf
