"""Solving with an information matrix that may be singular.

Small matrices: by LAPACK where each column can be told from those before it, else one by one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrf, dtrtri

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def factor_cholesky(info: Floats, scale: Floats, tolerance: float) -> tuple[Floats, Flags]:
    """Lower Cholesky factor of `info`, leaving out columns that depend on earlier ones.

    Column k is left out when what remains of its diagonal is at most `tolerance * scale[k]`: the
    test is relative to the column's own size, so it doesn't depend on units. Left-out columns have
    a zero row and column in the factor. Returns the factor and which columns were kept.

    Example:
        >>> factor_cholesky(np.array([[4.0, 2.0], [2.0, 1.0]]), np.array([4.0, 1.0]), 1e-9)[1]
        array([ True, False])
    """
    n = len(info)
    if n and np.isfinite(info).all():
        lower, fault = dpotrf(info, lower=1, clean=1)
        if fault == 0 and (np.diag(lower) ** 2 > tolerance * scale).all():
            return lower, np.ones(n, dtype=np.bool_)
    factor, kept = np.zeros((n, n)), np.zeros(n, dtype=np.bool_)
    for k in range(n):
        pivot = info[k, k] - np.sum(factor[k, :k] ** 2)
        if not pivot > tolerance * scale[k]:
            factor[k] = 0.0
            continue
        kept[k] = True
        factor[k, k] = np.sqrt(pivot)
        below = info[k + 1 :, k] - np.sum(factor[k + 1 :, :k] * factor[k, :k], axis=1)
        factor[k + 1 :, k] = below / factor[k, k]
    return factor, kept


def invert_cholesky(factor: Floats, kept: Flags) -> Floats:
    """Inverse of the matrix that `factor` stands for over the kept columns; zero elsewhere.

    Example:
        >>> factor, kept = factor_cholesky(np.array([[4.0, 0.0], [0.0, 9.0]]), np.ones(2), 1e-9)
        >>> invert_cholesky(factor, kept)
        array([[0.25      , 0.        ],
               [0.        , 0.11111111]])
    """
    inverse = np.zeros_like(factor)
    if kept.any():
        # columns left out have no part in the others' rows
        lower, _ = dtrtri(factor[np.ix_(kept, kept)], lower=1)
        inverse[np.ix_(kept, kept)] = lower.T @ lower
    return inverse
