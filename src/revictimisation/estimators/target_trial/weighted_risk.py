"""Weighted Aalen-Johansen curves of the two arms, and what moves the numbers read off them.

With Y(s) the weight at risk on day s, dN_j(s) the weight of events of cause j, dL(s) = sum of
dN_j(s) / Y(s), S(s-) the share free before: F_k(t) = sum over s <= t of S(s-) dN_k(s) / Y(s). For a
number sum over t of c(t) F_k(t) (a risk: c = 1 on its day; days lost up to a day: c = 1 on all days
before it), with C(s) the sum of c(t) and M(s) that of c(t) (F_k(t) - F_k(s)) over t >= s, the
derivatives are

    in dN_j(s):  [j = k] C(s) S(s-) / Y(s)  -  M(s) / ((1 - dL(s)) Y(s))
    in Y(s):     -C(s) S(s-) dN_k(s) / Y(s)^2  +  M(s) dL(s) / ((1 - dL(s)) Y(s))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.estimators.risks import ROUNDING
from revictimisation.estimators.target_trial.clone_kernels import (
    fill_risks,
    read_targets,
    sum_arms,
)
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.trial_data import N_CAUSES

Floats = npt.NDArray[np.float64]
N_NUMBERS = N_CAUSES + 1  # the risks, and days lost to the outcome


@dataclass(frozen=True, eq=False)
class Arms:
    """Curves of both arms (0 start, 1 no start) by day 0..last day of follow-up.

    `at_risk` arms x days; `events` and `risk` arms x causes x days. Weighted.
    """

    at_risk: Floats
    events: Floats
    risk: Floats

    def read(self, at_days: Sequence[int]) -> Floats:
        """Arms x (risk of causes 1..3, days lost to the outcome) x days.

        Past the last follow-up a curve stays where it was.
        """
        days = np.asarray(at_days, dtype=np.int64)
        answers = np.empty((2, N_NUMBERS, len(days)))
        read_targets(self.risk, days, answers)
        risks = answers[:, :N_CAUSES]
        risks[risks > 1 - ROUNDING] = 1.0
        return answers


def fill_arms(weighted: WeightedTrial) -> Arms:
    """The weighted curves of both arms."""
    trial = weighted.trial
    at_risk = np.empty((2, trial.last_day + 1))
    events = np.empty((2, N_CAUSES, trial.last_day + 1))
    sum_arms(
        trial.people, trial.interval, np.ones(trial.n_entries), weighted.daily.row_odds,
        weighted.daily.cell_odds, weighted.other.row_odds, weighted.other.cell_odds,
        weighted.is_natural, weighted.cap_start, weighted.cap_no_start, at_risk, events,
    )  # fmt: skip
    risk = np.zeros_like(events)
    fill_risks(at_risk, events, risk)
    return Arms(at_risk, events, risk)


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of targets: `at_risk` targets x days, `events` targets x causes x days.

    `outcomes` targets x days: in outcomes that do not end follow-up (no days: there are none).
    """

    at_risk: Floats
    events: Floats
    outcomes: Floats


def find_slopes(arms: Arms, arm: int, at_days: Sequence[int], n_numbers: int = N_NUMBERS) -> Slopes:
    """Derivatives of the first numbers `Arms.read` gives for an arm, in its order."""
    n_days = arms.at_risk.shape[1]
    risk_slopes, event_slopes = [], []
    for number in range(n_numbers):
        for day in at_days:
            weights = _days_counted(number, day, n_days)
            by_risk, by_event = _find_slope(arms, arm, number if number < N_CAUSES else 0, weights)
            risk_slopes.append(by_risk)
            event_slopes.append(by_event)
    nothing = np.empty((len(risk_slopes), 0))
    return Slopes(np.array(risk_slopes), np.array(event_slopes), nothing)


def _days_counted(number: int, day: int, n_days: int) -> Floats:
    """c(t): on which days the curve is read; past its end it is read there."""
    read = np.arange(day) if number == N_CAUSES else np.array([day])
    return np.bincount(np.minimum(read, n_days - 1), minlength=n_days).astype(np.float64)


def _find_slope(arms: Arms, arm: int, cause: int, weights: Floats) -> tuple[Floats, Floats]:
    at_risk, events, risk = arms.at_risk[arm], arms.events[arm], arms.risk[arm]
    is_event_day = events.sum(axis=0) > 0
    per_risk = np.divide(1.0, at_risk, out=np.zeros_like(at_risk), where=is_event_day)
    gone = events.sum(axis=0) * per_risk
    stays = np.where(gone > 1 - 1e-12, 0.0, 1 - gone)
    before = np.append(1.0, np.cumprod(stays)[:-1])
    counted = np.cumsum(weights[::-1])[::-1]
    beyond = np.cumsum((weights * risk[cause])[::-1])[::-1] - counted * risk[cause]
    fall = np.divide(beyond * per_risk, stays, out=np.zeros_like(stays), where=stays > 0)
    by_event = np.tile(-fall, (len(events), 1))
    by_event[cause] += counted * before * per_risk
    by_risk = fall * gone - counted * before * events[cause] * per_risk**2
    return by_risk, np.where(is_event_day, by_event, 0.0)
