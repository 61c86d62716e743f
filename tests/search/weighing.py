"""A target trial's weights by hand: where nothing is adjusted for, or all is decided on day 0.

Weights as functions of a weight for each person (see `counting`), so that errors allow for their
being estimated.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from tests.search.fitting import fit_logistic

Arm = Callable[[float], np.ndarray]
NEVER = 10**6


def weigh_by_covariates(x: np.ndarray, is_started: np.ndarray, weights: np.ndarray):
    """Grace of 0 days: one over the chance of what was chosen, by a logistic model."""
    columns = np.column_stack([np.ones(len(x)), x])
    chance = 1 / (1 + np.exp(-(columns @ fit_logistic(columns, is_started, weights))))
    start = np.where(is_started[:, None], weights / chance, 0.0)
    others = np.where(is_started[:, None], 0.0, weights / (1 - chance))
    return (lambda day: start), (lambda day: others)


def weigh_by_day(
    stop: np.ndarray, start: np.ndarray, grace: int, weights: np.ndarray
) -> tuple[Arm, Arm]:
    """Nothing adjusted: hazards of a start by interval of days, the natural law of start days.

    `start`: within the grace time, `NEVER` otherwise. With h_k the hazard of a start on day k and
    R_k = 1 less the product of (1 - h_j) over j = k..grace: on (t, t + 1] who has not started
    counts R_(t+1) / R_0 in the start arm, who has 1 / R_0; in the other arm who has not started
    counts 1 over the product of (1 - h_k), k = 0..min(t, grace), and is censored on the start day.
    """
    hazard = _hazards(stop, start, grace, weights)
    stays = np.cumprod(1 - hazard, axis=0)
    later = np.array([1 - np.prod(1 - hazard[k:], axis=0) for k in range(grace + 2)])

    def start_arm(when: float) -> np.ndarray:
        waiting = later[min(int(when), grace + 1)] / later[0]
        return np.where((start < when)[:, None], weights / later[0], weights * waiting)

    def other_arm(when: float) -> np.ndarray:
        kept = weights / stays[min(int(when) - 1, grace)]
        return np.where((start < when)[:, None], 0.0, kept)

    return start_arm, other_arm


def _hazards(stop, start, grace: int, weights) -> np.ndarray:
    """Starts over days at risk of one, by interval; an interval without a start has hazard 0."""
    rows = np.zeros((grace + 1, weights.shape[1]), complex)
    cuts = [*_cut_grace_time(start, grace), grace + 1]
    for first, last in itertools.pairwise(cuts):
        days = range(first, last)
        at_risk = sum(weights[(stop > k) & (start >= k)].sum(axis=0) for k in days)
        starts = weights[(start >= first) & (start < last)].sum(axis=0)
        rows[first:last] = starts / np.where(np.real(at_risk) > 0, at_risk, 1.0)
    return rows


def _cut_grace_time(start, grace: int) -> list[int]:
    """Intervals as the method has them: day 0 alone with 5 starts, then 20 (or a 15th) in each."""
    n_starts = int((start <= grace).sum())
    enough, held, cuts = max(20, -(-n_starts // 15)), 0, [0]
    for day in range(grace):
        held += int((start == day).sum())
        if held >= enough or (day == 0 and held >= 5):
            cuts.append(day + 1)
            held = 0
    return cuts
