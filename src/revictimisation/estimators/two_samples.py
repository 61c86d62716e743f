"""Two populations held against each other by counts alone: how unlike, and is it more than chance.

Counts that were rounded to multiples of a step have, beside chance, a variance of step^2 / 12 each,
which every test here allows for (`step`; 1: exact). Where people enter more than once, as victims
do who reported several suspects, `deff` is how many times the variance is larger for it (Kish
1965): with r entries a person on average, few of more than two, about (3r - 2) / r.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtr

from revictimisation.core.arrays import Floats
from revictimisation.estimators.intervals import normal_quantile


class Gap(NamedTuple):
    """A difference with its limits and the p-value of none; NaN where it cannot be had."""

    value: float
    ci_low: float
    ci_high: float
    p_value: float


NO_GAP = Gap(np.nan, np.nan, np.nan, np.nan)


def design_effect(n_entries: float, n_people: float) -> float:
    """How many times larger a variance is where people enter once or twice, at least 1.

    >>> round(design_effect(1100, 1000), 3), design_effect(10, 10)
    (1.182, 1.0)
    """
    if not (n_people > 0 and n_entries > n_people):
        return 1.0
    mean = n_entries / n_people
    return (3 * mean - 2) / mean


def to_gap(value: float, se: float) -> Gap:
    """A difference that is normal with this error, its 95 % limits and two-sided p-value."""
    if not (np.isfinite(value) and np.isfinite(se) and se > 0):
        return NO_GAP
    half = normal_quantile() * se
    return Gap(value, value - half, value + half, float(2 * ndtr(-abs(value) / se)))


def compare_shares(
    events: tuple[float, float], people: tuple[float, float], deff: float = 1.0, step: float = 1.0
) -> Gap:
    """The second share less the first.

    >>> gap = compare_shares((100, 150), (1000, 1000))
    >>> round(gap.value, 3), round(gap.p_value, 4)
    (0.05, 0.0007)
    """
    if min(people) <= 0:
        return NO_GAP
    share = [e / n for e, n in zip(events, people, strict=True)]
    variance = sum(
        _variance_of_count(p, n, deff, step) / n**2 for p, n in zip(share, people, strict=True)
    )
    return to_gap(share[1] - share[0], float(np.sqrt(variance)))


def compare_logs(
    events: tuple[float, float], people: tuple[float, float], deff: float = 1.0, step: float = 1.0
) -> Gap:
    """The log of the second share over the first; none where either has no events.

    >>> gap = compare_logs((100, 150), (1000, 1000))
    >>> round(float(np.exp(gap.value)), 3), round(gap.p_value, 4)
    (1.5, 0.0008)
    """
    if min(people) <= 0 or min(events) <= 0:
        return NO_GAP
    share = [e / n for e, n in zip(events, people, strict=True)]
    variance = sum(
        _variance_of_count(p, n, deff, step) / e**2
        for p, e, n in zip(share, events, people, strict=True)
    )
    return to_gap(float(np.log(share[1] / share[0])), float(np.sqrt(variance)))


def _variance_of_count(share: float, n: float, deff: float, step: float) -> float:
    return n * share * (1 - share) * deff + (step**2 - 1) / 12


def find_homogeneity(
    counts: npt.ArrayLike, deff: float = 1.0, step: float = 1.0
) -> tuple[float, int]:
    """Pearson's test that two populations (rows) have one distribution over levels (columns).

    Gives the p-value and the degrees of freedom; NaN and 0 with fewer than two levels. Levels that
    nobody has are left out. Each cell's variance is its expected count times `deff`, and that of
    rounding.

    >>> p_value, freedom = find_homogeneity([[30, 70], [50, 50]])
    >>> round(p_value, 4), freedom
    (0.0039, 1)
    """
    given = np.asarray(counts, np.float64)
    table = given[:, given.sum(axis=0) > 0]
    freedom = table.shape[1] - 1
    if freedom < 1 or (table.sum(axis=1) <= 0).any():
        return float("nan"), 0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    variance = expected * deff + (step**2 - 1) / 12
    return float(chdtrc(freedom, ((table - expected) ** 2 / variance).sum())), freedom


def find_interaction(
    counts: npt.ArrayLike, deff: float = 1.0, step: float = 1.0
) -> tuple[float, int]:
    """Is the log ratio of two populations' counts, less the level's mean, the same in all layers.

    `counts`: population (2) x layer x level. Within each layer the two distributions over levels
    are held against each other (Pearson); what all layers together differ by is taken off, so that
    what is left is how the difference changes from layer to layer (the likelihood ratio of the
    log-linear model without three-way interaction, in Pearson's form).

    >>> same = [[[30, 70], [60, 140]], [[50, 50], [50, 50]]]
    >>> round(find_interaction(same)[0], 3)
    1.0
    """
    table = np.asarray(counts, np.float64)
    table = table[:, :, (table.sum(axis=(0, 1)) > 0)]
    table = table[:, (table.sum(axis=(0, 2)) > 0), :]
    freedom = (table.shape[1] - 1) * (table.shape[2] - 1)
    if freedom < 1:
        return float("nan"), 0
    expected = fit_no_interaction(table)
    variance = expected * deff + (step**2 - 1) / 12
    is_told = variance > 0
    gaps = np.divide((table - expected) ** 2, variance, out=np.zeros_like(table), where=is_told)
    return float(chdtrc(freedom, gaps.sum())), freedom


def fit_no_interaction(table: Floats, n_rounds: int = 200) -> Floats:
    """Expected counts with the table's three two-way margins and no more (iterative fitting).

    Deming & Stephan 1940. Converges fast where no margin is empty.
    """
    fitted = np.full(table.shape, table.sum() / table.size)
    for _ in range(n_rounds):
        before = fitted
        for axis in range(3):
            margin, mine = table.sum(axis=axis), fitted.sum(axis=axis)
            ratio = np.divide(margin, mine, out=np.zeros_like(margin), where=mine > 0)
            fitted = fitted * np.expand_dims(ratio, axis)
        if np.abs(fitted - before).max() < 1e-9 * max(table.max(), 1.0):
            break
    return fitted


def standardised_difference(counts: npt.ArrayLike) -> float:
    """How far two distributions over levels (rows: the two populations) lie apart.

    The Mahalanobis distance between the shares of all levels but one, by the mean of the two
    covariances (Yang & Dalton 2012); with two levels it is the absolute difference over the pooled
    standard deviation. 0 with one level, NaN where either population is empty.

    >>> round(standardised_difference([[30, 70], [50, 50]]), 3)
    0.417
    """
    given = np.asarray(counts, np.float64)
    table = given[:, given.sum(axis=0) > 0]
    if (table.sum(axis=1) <= 0).any():
        return float("nan")
    if table.shape[1] < 2:
        return 0.0
    share = (table / table.sum(axis=1, keepdims=True))[:, 1:]
    spread = [np.diag(one) - np.outer(one, one) for one in share]
    gap = share[1] - share[0]
    middle = (spread[0] + spread[1]) / 2
    return float(np.sqrt(max(gap @ np.linalg.pinv(middle) @ gap, 0.0)))
