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
from typing import Protocol

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Floats
from revictimisation.estimators.influence import ROUNDING
from revictimisation.estimators.target_trial.trial_data import N_CAUSES, People

N_NUMBERS = N_CAUSES + 1  # the risks, and days lost to the outcome


# So many entries at a time: their weights stay in the cache.
BLOCK = 512
# So near to 1 a hazard is 1: the rest is rounding.
ALL = 1 - 1e-12


class Strategies(Protocol):
    """Entries under strategies of any number (arms), each with a weight in each by day."""

    @property
    def people(self) -> People:
        """The entries."""

    @property
    def weights(self) -> Floats:
        """Weights of all entries, kept."""

    def weigh(self, who: npt.NDArray[np.int64]) -> Floats:
        """Weights of some entries: entries x arms x places (`WeightedTrial.weigh`)."""


@dataclass(frozen=True, eq=False)
class Arms:
    """Weighted curves of the arms by day 0..last day of follow-up.

    `at_risk` arms x days; `events` and `risk` arms x causes x days.
    """

    at_risk: Floats
    events: Floats
    risk: Floats

    def read(self, at_days: Sequence[int]) -> Floats:
        """Arms x (risk of causes 1..3, days lost to the outcome) x days.

        Past the last follow-up a curve stays where it was.
        """
        days, last = np.asarray(at_days, dtype=np.int64), self.risk.shape[2] - 1
        risks = self.risk[:, :, np.minimum(days, last)]
        lost = np.cumsum(self.risk[:, 0], axis=1) - self.risk[:, 0]
        beyond = np.maximum(days - last, 0) * self.risk[:, 0, -1:]
        answers = np.append(risks, (lost[:, np.minimum(days, last)] + beyond)[:, None], axis=1)
        risks = answers[:, :N_CAUSES]
        risks[risks > 1 - ROUNDING] = 1.0
        return answers


@np.errstate(all="ignore")
def fill_arms(strategies: Strategies, case_weights: Floats | None = None) -> Arms:
    """The weighted curves of all arms, each entry with a case weight (1 if none are given)."""
    people = strategies.people
    n_days = int(people.stop.max()) + 1
    if case_weights is None:
        case_weights = np.ones(len(people.stop))
    counted = np.flatnonzero(case_weights)
    sums, last, own = zip(
        *(
            _sum_block(people, who, case_weights[who], strategies.weigh(who))
            for who in np.split(counted, range(BLOCK, len(counted), BLOCK))
        ),
        strict=True,
    )
    early = np.sum(sums, axis=0)[:, :-1]
    n_arms, grace = early.shape
    at_risk = np.zeros((n_arms, n_days))
    at_risk[:, 1 : 1 + grace] = early[:, : n_days - 1]
    stop, cause = people.stop[counted], people.cause[counted].astype(np.int64)
    ends = _count_days(stop, last, n_days)
    at_risk[:, grace + 1 :] = np.cumsum(ends[:, ::-1], axis=1)[:, ::-1][:, grace + 1 :]
    happened = _count_days(cause * n_days + stop, own, (1 + N_CAUSES) * n_days)
    events = happened.reshape(n_arms, 1 + N_CAUSES, n_days)[:, 1:]
    return Arms(at_risk, events, find_risks(at_risk, events))


def _sum_block(
    people: People, who: npt.NDArray[np.int64], case_weights: Floats, weights: Floats
) -> tuple[Floats, Floats, Floats]:
    """Weights of a block of entries: summed by arm and place; each one's at the last place (0 of
    who is not followed so long); and at its own end (entries x arms)."""
    grace = weights.shape[2] - 1
    at_end = weights[np.arange(len(who)), :, np.minimum(people.stop[who] - 1, grace)]
    own = case_weights[:, None]
    return np.moveaxis(weights, 0, 2) @ case_weights, weights[:, :, grace] * own, at_end * own


def _count_days(day: npt.NDArray[np.integer], amounts: Sequence[Floats], n_days: int) -> Floats:
    """Amounts (entries x arms, in blocks) summed by day: arms x days."""
    by_arm = np.concatenate(amounts).T
    return np.array([np.bincount(day, amount, n_days) for amount in by_arm], np.float64)


def find_risks(at_risk: Floats, events: Floats) -> Floats:
    """Aalen-Johansen of each arm: arms x causes x days. Rounding leaves no sliver at risk."""
    # Of clones of next to no weight rounding may leave less at risk than have an event.
    most = np.maximum(at_risk[:, None], events)
    hazard = np.divide(events, most, out=np.zeros_like(events), where=events > 0)
    gone = hazard.sum(axis=1)
    free = np.cumprod(np.where(gone > ALL, 0.0, 1 - gone), axis=1)
    before = np.concatenate([np.ones((len(free), 1)), free[:, :-1]], axis=1)
    risk: Floats = np.cumsum(before[:, None] * hazard, axis=2)
    return risk


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
        cause = number if number < N_CAUSES else 0
        events = arms.events[arm]
        curve = (arms.at_risk[arm], events.sum(axis=0), events[cause], arms.risk[arm, cause])
        for day in at_days:
            counted = _days_counted(number, day, n_days)
            by_risk, by_end, by_event = differentiate_curve(*curve, counted)
            risk_slopes.append(by_risk)
            event_slopes.append(np.tile(by_end, (len(events), 1)))
            event_slopes[-1][cause] += by_event
    nothing = np.empty((len(risk_slopes), 0))
    return Slopes(np.array(risk_slopes), np.array(event_slopes), nothing)


def _days_counted(number: int, day: int, n_days: int) -> Floats:
    """c(t): on which days the curve is read; past its end it is read there."""
    read = np.arange(day) if number == N_CAUSES else np.array([day])
    return np.bincount(np.minimum(read, n_days - 1), minlength=n_days).astype(np.float64)


def differentiate_curve(
    at_risk: Floats, ended: Floats, amount: Floats, curve: Floats, weights: Floats
) -> tuple[Floats, Floats, Floats]:
    """Derivatives, by day, of the sum of c(t) = `weights` times the curve of `amount` while free.

    In what is at risk, in what ends being free, in the amount; on days on which something happens.
    """
    happens = (ended > 0) | (amount > 0)
    per_risk = np.divide(1.0, at_risk, out=np.zeros_like(at_risk), where=happens)
    gone = ended * per_risk
    stays = np.where(gone > ALL, 0.0, 1 - gone)
    before = np.append(1.0, np.cumprod(stays)[:-1])
    counted = np.cumsum(weights[::-1])[::-1]
    beyond = np.cumsum((weights * curve)[::-1])[::-1] - counted * curve
    fall = np.divide(beyond * per_risk, stays, out=np.zeros_like(stays), where=stays > 0)
    by_amount = counted * before * per_risk
    return fall * gone - by_amount * amount * per_risk, -fall, by_amount
