"""Several estimates of one thing pooled: with one truth for all, and with a truth for each.

Study i tells y_i with standard error s_i (known). **Fixed effect**: all have one truth; weights
1/s_i^2, normal limits. **Random effects**: truths are drawn from N(mu, tau^2); weights
1 / (s_i^2 + tau^2). tau^2 by restricted likelihood (REML) or by Paule & Mandel (1982); its limits
by Q-profile (Viechtbauer 2007). Limits of mu by Hartung & Knapp (2001) and Sidik & Jonkman (2002):
Student's t of k - 1 degrees of freedom, and an error scaled by the root of

    scale = sum w_i (y_i - mu)^2 / (k - 1)

Where studies happen to lie closer than their own errors let expect, the scale is below 1 and the
interval would be narrower than without any correction: it is then held at 1 (the ad hoc rule of
Knapp & Hartung 2003; Rover, Knapp & Friede 2015), and `is_widened` says so.

**Prediction interval**, where the truth of a further study lies: t of k - 2 degrees of freedom
times sqrt(tau^2 + se^2) (Higgins, Thompson & Spiegelhalter 2009) with the error above (Partlett &
Riley 2017); none with fewer than three studies. With few studies of unequal size it holds that
truth in about 90 of 100, not 95 (the test counts): tau^2 is then hardly known. **I^2** is tau^2
over tau^2 and the typical variance within studies (Higgins & Thompson 2002), of the tau^2 used.

Studies without an estimate or an error of more than 0 are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, stdtrit

from revictimisation.core.arrays import Flags, Floats
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import LEVEL, normal_quantile, t_quantile

Method = Literal["reml", "paule_mandel"]
# Where the restricted likelihood is looked at before its peaks are sought: it may have several.
N_POINTS = 200
FEWEST_TO_PREDICT = 3
ROUNDING = 1e-9  # a scale this near to 1 is 1
OF_OTHERS = ("estimate", "se", "ci_low", "ci_high", "tau2", "i2", "q_p", "shift")


@dataclass(frozen=True)
class Pooled:
    """An answer of all studies; NaN where there is none."""

    estimate: float
    se: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """What several studies say together.

    Attributes:
        is_used: by study given, whether it has an estimate and an error.
        fixed, random: the pooled answers; with one study both are its own, and `random` has no
            limits: nothing tells how studies differ.
        tau2, tau2_low, tau2_high: variance of truths, with 95 % limits; NaN with one study.
        i2: share of the spread that is of truths, 0..1.
        q, q_df, q_p: Cochran's test that all have one truth.
        prediction_low, prediction_high: 95 % limits of the truth of a further study.
        scale: Hartung and Knapp's, as found; `is_widened`: it was below 1 and held at 1.
        weight: by study given, its share of the random-effects answer (0..1; NaN if left out).
    """

    is_used: Flags
    fixed: Pooled
    random: Pooled
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    q: float
    q_df: int
    q_p: float
    prediction_low: float
    prediction_high: float
    scale: float
    is_widened: bool
    weight: Floats

    @property
    def n_studies(self) -> int:
        """The studies that are pooled."""
        return int(self.is_used.sum())


def pool_estimates(
    estimate: npt.ArrayLike, se: npt.ArrayLike, method: Method = "reml"
) -> RandomEffects:
    """Pool estimates with their standard errors, on the scale on which they are normal.

    Raises:
        NotEstimableError: no study has both an estimate and an error.

    Example: the trials of BCG vaccine (Colditz et al. 1994), log risk ratios, the first four.
        >>> found = pool_estimates([-0.889, -1.585, -1.348, -1.442], [0.571, 0.441, 0.645, 0.141])
        >>> round(found.random.estimate, 3), round(found.random.ci_low, 3), found.is_widened
        (-1.423, -1.83, True)
    """
    values, errors = np.asarray(estimate, np.float64), np.asarray(se, np.float64)
    if values.shape != errors.shape or values.ndim != 1:
        raise ValueError("estimates and errors must be as many")
    with np.errstate(invalid="ignore"):
        is_used = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    if not is_used.any():
        raise NotEstimableError("no_studies")
    y, v = values[is_used], errors[is_used] ** 2
    freedom = len(y) - 1
    mean, error = _average(y, 1 / v)
    quantile = normal_quantile()
    fixed = Pooled(mean, error, mean - quantile * error, mean + quantile * error)
    weight = np.full(len(values), np.nan)
    if not freedom:
        weight[is_used] = 1.0
        nothing = (np.nan,) * 4
        alone = Pooled(mean, error, np.nan, np.nan)
        return RandomEffects(
            is_used, fixed, alone, *nothing, 0.0, 0, np.nan, np.nan, np.nan, np.nan, False, weight
        )
    q = _disperse(y, v, 0.0)
    tau2 = find_tau2_reml(y, v) if method == "reml" else find_tau2_paule_mandel(y, v)
    low, high = find_tau2_limits(y, v)
    w = 1 / (v + tau2)
    weight[is_used] = w / w.sum()
    mu, plain = _average(y, w)
    scale = _disperse(y, v, tau2) / freedom
    se_mu = plain * max(scale, 1.0) ** 0.5
    half = float(t_quantile(freedom)) * se_mu
    predicted = float("nan")
    if len(y) >= FEWEST_TO_PREDICT:
        wide = float(stdtrit(len(y) - 2, 0.5 + LEVEL / 2))
        predicted = wide * (tau2 + se_mu**2) ** 0.5
    return RandomEffects(
        is_used=is_used,
        fixed=fixed,
        random=Pooled(mu, se_mu, mu - half, mu + half),
        tau2=tau2,
        tau2_low=low,
        tau2_high=high,
        i2=tau2 / (tau2 + _typical_variance(v)),
        q=q,
        q_df=freedom,
        q_p=float(chdtrc(freedom, q)),
        prediction_low=mu - predicted,
        prediction_high=mu + predicted,
        scale=scale,
        is_widened=scale < 1 - ROUNDING,
        weight=weight,
    )


def leave_one_out(
    estimate: npt.ArrayLike, se: npt.ArrayLike, method: Method = "reml"
) -> pd.DataFrame:
    """The random-effects answer without each study in turn: who drives it.

    A row per study given, in order: `is_used`, `weight` (its share of the answer of all);
    `estimate`, `se`, `ci_low`, `ci_high`, `tau2`, `i2`, `q_p` of the others; `shift`: the answer of
    all less that of the others. NaN for a study that is left out anyway, or alone.

    Example:
        >>> leave_one_out([0.1, 0.2, 2.0], [0.1, 0.1, 0.1])["shift"].round(2).tolist()
        [-0.33, -0.28, 0.62]
    """
    values, errors = np.asarray(estimate, np.float64), np.asarray(se, np.float64)
    whole = pool_estimates(values, errors, method)
    rows = []
    for place in range(len(values)):
        row: dict[str, object] = {
            "is_used": bool(whole.is_used[place]), "weight": float(whole.weight[place])
        }  # fmt: skip
        if whole.is_used[place] and whole.n_studies > 1:
            rest = pool_estimates(np.delete(values, place), np.delete(errors, place), method)
            row |= {
                **vars(rest.random),
                "tau2": rest.tau2,
                "i2": rest.i2,
                "q_p": rest.q_p,
                "shift": whole.random.estimate - rest.random.estimate,
            }
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=["is_used", "weight", *OF_OTHERS])


def find_tau2_reml(y: Floats, v: Floats) -> float:
    """The tau^2 of the highest restricted likelihood, 0 or more; of several peaks the highest.

    Example:
        >>> round(find_tau2_reml(np.array([0.0, 1.0, 2.0]), np.full(3, 0.25)), 6)
        0.75
    """
    middle = len(v) / np.sum(1 / v)
    widest = middle + np.ptp(y) ** 2
    grid = np.append(0.0, widest * np.geomspace(1e-8, 2.0, N_POINTS))
    slopes = np.array([_slope_of_likelihood(y, v, tau2) for tau2 in grid])
    peaks = [0.0]
    for place in np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0)):
        peaks.append(_root(lambda t: _slope_of_likelihood(y, v, t), grid[place], grid[place + 1]))
    return max(peaks, key=lambda tau2: _restricted_likelihood(y, v, tau2))


def find_tau2_paule_mandel(y: Floats, v: Floats) -> float:
    """The tau^2 at which the weighted squares are what is expected, k - 1; 0 if they never are.

    Example:
        >>> round(find_tau2_paule_mandel(np.array([0.0, 1.0, 2.0]), np.full(3, 0.25)), 6)
        0.75
    """
    return _find_dispersion(y, v, len(y) - 1.0)


def find_tau2_limits(y: Floats, v: Floats) -> tuple[float, float]:
    """95 % limits of tau^2: where the weighted squares are the quantiles of chi-squared."""
    tail, freedom = (1 - LEVEL) / 2, len(y) - 1
    return (
        _find_dispersion(y, v, float(chdtri(freedom, tail))),
        _find_dispersion(y, v, float(chdtri(freedom, 1 - tail))),
    )


def _find_dispersion(y: Floats, v: Floats, wanted: float) -> float:
    """The tau^2 at which the weighted squares, which fall with it, are `wanted`."""
    if _disperse(y, v, 0.0) <= wanted:
        return 0.0
    high = float(np.ptp(y) ** 2)
    while _disperse(y, v, high) > wanted:
        high *= 4
    return _root(lambda tau2: _disperse(y, v, tau2) - wanted, 0.0, high)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    found: float = brentq(function, low, high, xtol=1e-300, rtol=4 * np.finfo(np.float64).eps)
    return found


def _average(y: Floats, w: Floats) -> tuple[float, float]:
    """The weighted mean and its error, weights being inverse variances."""
    return float(np.sum(w * y) / w.sum()), float(1 / np.sqrt(w.sum()))


def _disperse(y: Floats, v: Floats, tau2: float) -> float:
    """The weighted squares about the weighted mean: Cochran's Q at tau^2 = 0."""
    w = 1 / (v + tau2)
    return float(np.sum(w * (y - _average(y, w)[0]) ** 2))


def _typical_variance(v: Floats) -> float:
    """The variance within a typical study (Higgins & Thompson 2002, eq. 9)."""
    w = 1 / v
    return float((len(v) - 1) * w.sum() / (w.sum() ** 2 - np.sum(w**2)))


def _restricted_likelihood(y: Floats, v: Floats, tau2: float) -> float:
    w = 1 / (v + tau2)
    return float((np.log(w).sum() - np.log(w.sum()) - _disperse(y, v, tau2)) / 2)


def _slope_of_likelihood(y: Floats, v: Floats, tau2: float) -> float:
    w = 1 / (v + tau2)
    gap = y - _average(y, w)[0]
    return float((np.sum(w**2 * gap**2) - w.sum() + np.sum(w**2) / w.sum()) / 2)
