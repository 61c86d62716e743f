"""Weights for outcomes by a day that some are not followed to.

Of those seen to have the event or another end by the day, or followed through it, the outcome is
known. Each of them stands for those alike who were censored earlier: weight 1 / G(T-), G the
Kaplan-Meier curve of remaining uncensored and T the day on which the outcome was known (Scheike,
Zhang & Gerds 2008; Blanche, Holt & Scheike 2023, "On logistic regression with right censored data,
with or without competing risks, and its use for estimating treatment effects", Lifetime Data
Analysis 29:441). It supposes that censoring (here: the end of the data) has nothing to do with the
outcome; on a day events come first, then the censored leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.faults import NotEstimableError


@dataclass(frozen=True, eq=False)
class CensoringWeights:
    """Weights by person, and what it takes to allow for their being estimated.

    Attributes:
        weight: 0 where the outcome by the day is not known.
        day: the day on which the outcome was known or the person censored, the day asked for at
            most.
        censor_days, hazard, at_risk: days with a censoring before the day, the hazard of it, and
            how many were at risk of it.
        is_censored: censored before the day.
    """

    weight: Floats
    day: Whole
    censor_days: Whole
    hazard: Floats
    at_risk: Floats
    is_censored: Flags

    def correct_scores(self, scores: Floats) -> Floats:
        """What each person adds to the sum of `scores` (people x columns) through the weights.

        Scores are already weighted. A person moves the curve G of all who are known later: by
        being at risk of censoring (weights fall) and by being censored (they rise).
        """
        if not len(self.censor_days):
            return np.zeros_like(scores)
        order = np.argsort(self.day, kind="stable")
        total = np.cumsum(scores[order][::-1], axis=0)[::-1]
        total = np.vstack([total, np.zeros((1, scores.shape[1]))])
        # the scores of those known after each censoring day
        later = total[np.searchsorted(self.day[order], self.censor_days, side="right")]
        left = np.maximum(1.0 - self.hazard, 1e-12)
        pull = later / (self.at_risk * left)[:, None]
        drift = np.vstack([np.zeros(scores.shape[1]), np.cumsum(pull * self.hazard[:, None], 0)])
        # who has an event on a day is not at risk of being censored on it
        side = np.where(self.is_censored, 1, 0)
        last = np.searchsorted(self.censor_days, self.day + side, side="left")
        moved = -drift[last]
        own = np.flatnonzero(self.is_censored)
        moved[own] += pull[np.searchsorted(self.censor_days, self.day[own])]
        return moved


def weigh_known(stop: npt.ArrayLike, cause: npt.ArrayLike, until: int) -> CensoringWeights:
    """Weigh the people whose outcome by day `until` is known.

    Args:
        stop, cause: day of the end of follow-up, and 0 where that is a censoring.

    Raises:
        NotEstimableError: nobody is followed to the day and not all have ended before
            (`beyond_follow_up`).

    Example:
        >>> weigh_known([2, 5, 9, 9], [1, 0, 1, 0], 9).weight
        array([1. , 0. , 1.5, 1.5])
    """
    end, kind = np.asarray(stop, np.int64), np.asarray(cause, np.int64)
    is_censored = (kind == 0) & (end < until)
    day = np.minimum(end, until)
    censor_days, counts = np.unique(end[is_censored], return_counts=True)
    begun = len(end) - np.searchsorted(np.sort(end), censor_days, side="left")
    ended = np.array([((end == one) & (kind > 0)).sum() for one in censor_days])
    at_risk = (begun - ended).astype(np.float64)
    hazard = counts / at_risk if len(counts) else np.zeros(0)
    curve = np.concatenate([[1.0], np.cumprod(1.0 - hazard)])
    stays = curve[np.searchsorted(censor_days, day, side="left")]
    known = ~is_censored
    if len(end) and curve[-1] <= 1e-12:
        raise NotEstimableError("beyond_follow_up")
    weight = np.divide(1.0, stays, out=np.zeros(len(end)), where=known)
    return CensoringWeights(weight, day, censor_days, hazard, at_risk, is_censored)
