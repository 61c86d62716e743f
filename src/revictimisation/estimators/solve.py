"""Solving with an information matrix that may be singular.

Small matrices, by LAPACK: a column that can't be told from those before it is left out, and the
others are factored anew.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri

from revictimisation.core.arrays import Flags, Floats


def factor_cholesky(info: Floats, scale: Floats, tolerance: float) -> tuple[Floats, Flags]:
    """Lower Cholesky factor of `info`, leaving out columns that depend on earlier ones.

    Column k is left out when what remains of its diagonal is at most `tolerance * scale[k]`: the
    test is relative to the column's own size, so it doesn't depend on units. Left-out columns have
    a zero row and column in the factor. Returns the factor and which columns were kept.

    Example:
        >>> factor_cholesky(np.array([[4.0, 2.0], [2.0, 1.0]]), np.array([4.0, 1.0]), 1e-9)[1]
        array([ True, False])
    """
    least = tolerance * scale
    at = np.flatnonzero(np.diag(info) > least)  # what remains of a diagonal only shrinks
    lower = np.zeros((0, 0))
    while len(at):
        some = info if len(at) == len(info) else info[np.ix_(at, at)]
        lower, fault = dpotrf(some, lower=1, clean=1)
        told = fault - 1 if fault else len(at)
        is_small = ~(np.diag(lower)[:told] ** 2 > least[at[:told]])
        first = int(is_small.argmax()) if is_small.any() else told
        if first == len(at):
            break
        at = np.delete(at, first)
    kept = np.zeros(len(info), dtype=np.bool_)
    kept[at] = True
    if kept.all():
        return lower, kept
    factor = np.zeros_like(info)
    factor[np.ix_(at, at)] = lower
    return factor, kept


def invert_cholesky(factor: Floats, kept: Flags) -> Floats:
    """Inverse of the matrix that `factor` stands for over the kept columns; zero elsewhere.

    Example:
        >>> factor, kept = factor_cholesky(np.array([[4.0, 0.0], [0.0, 9.0]]), np.ones(2), 1e-9)
        >>> invert_cholesky(factor, kept)
        array([[0.25      , 0.        ],
               [0.        , 0.11111111]])
    """
    if kept.all() and len(kept):
        lower, _ = dtrtri(factor, lower=1)
        whole: Floats = lower.T @ lower
        return whole
    inverse = np.zeros_like(factor)
    if kept.any():
        # columns left out have no part in the others' rows
        lower, _ = dtrtri(factor[np.ix_(kept, kept)], lower=1)
        inverse[np.ix_(kept, kept)] = lower.T @ lower
    return inverse
