"""What a number would be without an error, from how it moves when more of that error is added.

Source: Cook and Stefanski, JASA 89 (1994), 1314-1328; standard errors: Stefanski and Cook, JASA 90
(1995), 1247-1256 (the mean variance less the variance between replicates, extrapolated likewise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Floats


@dataclass(frozen=True)
class Extrapolated:
    """`move`: what to add to the number found; `variance`: what to add to its variance, without
    the noise of the simulation, which is `noise` (a variance).
    """

    move: float
    variance: float
    noise: float


def extrapolate(
    added: npt.ArrayLike, target: float, numbers: npt.ArrayLike, errors: npt.ArrayLike
) -> Extrapolated:
    """Extrapolate a number to the amount of error at which there is none.

    Args:
        added: how much error was added, ascending, the first 0 (nothing: the number as found).
        target: the amount, below 0, that stands for no error at all.
        numbers, errors: replicates x amounts, the number and its standard error; all rows alike at
            amount 0.

    A parabola through what was found is fitted to the means by least squares; a line where there
    are fewer than three amounts. A mean variance that the extrapolation makes smaller is kept.

    >>> found = extrapolate([0, 0.2, 0.4], -0.25, [[1.0, 0.8, 0.6]] * 2, [[0.1, 0.1, 0.1]] * 2)
    >>> round(found.move, 6), found.noise
    (0.25, 0.0)
    """
    amounts = np.asarray(added, dtype=float)
    values, spread = np.asarray(numbers, dtype=float), np.asarray(errors, dtype=float)
    weights = _reach(amounts, target)
    means = values.mean(axis=0)
    between = values.var(axis=0, ddof=1) if len(values) > 1 else np.zeros(len(amounts))
    within = (spread**2).mean(axis=0) - between
    return Extrapolated(
        move=float(weights @ (means[1:] - means[0])),
        variance=max(0.0, float(weights @ (within[1:] - within[0]))),
        noise=float((weights**2) @ between[1:] / len(values)),
    )


def _reach(amounts: Floats, target: float) -> Floats:
    """How the moves at the amounts added make up the move at the target: a linear sum."""
    degree = 2 if len(amounts) > 2 else 1
    powers = np.arange(1, degree + 1)
    design = amounts[1:, None] ** powers
    at_target: Floats = target**powers @ np.linalg.pinv(design)
    return at_target
