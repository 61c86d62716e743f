"""Risks, mean counts and shares in states, counted day by day; errors by differentiation.

Every number here is a function of a weight for each person. What a victim moves it is its
derivative in the weight of the victim's entries, taken with a complex step (Squire & Trapp 1998:
f(1 + ih) has the derivative in its imaginary part, to the last digit), so an error needs no formula
of its own: it is the root of the sum of squares (infinitesimal jackknife).

Weights are rows x columns, a column for each cluster that is moved (`perturb`), or a function of
the day that gives them (weights that change in time). All curves are columns wide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

STEP = 1e-30
NOTHING = 1e-12  # a weight at risk below this is nobody
Weights = np.ndarray | Callable[[float], np.ndarray]


def perturb(cluster: np.ndarray) -> np.ndarray:
    """Weights of 1, rows x clusters: in column c the rows of cluster c are a step off."""
    labels = np.unique(cluster, return_inverse=True)[1]
    return 1.0 + 1j * STEP * np.eye(labels.max() + 1)[labels]


def read(curve: np.ndarray) -> tuple[float, float]:
    """A number and its standard error, from its value at perturbed weights."""
    return float(np.real(curve[0])), float(np.sqrt(np.sum((np.imag(curve) / STEP) ** 2)))


def risks(stop: np.ndarray, cause: np.ndarray, weights: Weights, days: Sequence) -> np.ndarray:
    """Aalen-Johansen's risks of causes 1..3 by some days: days x causes x columns.

    The events of a day come first, then the censored leave.
    """
    event_days = np.unique(stop[cause > 0])
    is_now = stop == event_days[:, None]
    kinds = [stop >= event_days[:, None], *(is_now & (cause == one) for one in (1, 2, 3))]
    at_risk, *events = _sum(weights, kinds, event_days)
    ends = np.stack(events, axis=1) / _at_least(at_risk)[:, None]
    total = np.zeros((3, at_risk.shape[1]), complex)
    free, steps = 1.0, [total]
    for gone in ends:
        total = total + free * gone
        free = free * (1 - gone.sum(axis=0))
        steps.append(total)
    return np.array(steps)[np.searchsorted(event_days, days, side="right")]


def mean_counts(entries: Sequence, weights: Weights, days: Sequence) -> np.ndarray:
    """Outcomes a person has had by some days, death and emigration ending them: days x columns.

    Cook & Lawless (1997). On a day outcomes come before death.
    """
    end = np.array([one.end_day for one in entries])
    left = np.array([one.end_cause > 0 for one in entries])
    change_days = np.array(sorted({d for one in entries for d in one.outcomes} | set(end[left])))
    change_days = change_days.astype(int)
    happened = [[day in one.outcomes for one in entries] for day in change_days]
    happened = np.array(happened, bool).reshape(len(change_days), len(end))
    is_left = (end == change_days[:, None]) & left
    kinds = [end >= change_days[:, None], happened, is_left]
    at_risk, outcomes, deaths = _sum(weights, kinds, change_days)
    outcomes, deaths = outcomes / _at_least(at_risk), deaths / _at_least(at_risk)
    total = np.zeros(at_risk.shape[1], complex)
    alive, steps = 1.0, [total]
    for outcome, death in zip(outcomes, deaths, strict=True):
        total = total + alive * outcome
        alive = alive * (1 - death)
        steps.append(total)
    return np.array(steps)[np.searchsorted(change_days, days, side="right")]


def _sum(weights: Weights, kinds: Sequence[np.ndarray], days: np.ndarray) -> list[np.ndarray]:
    """The weight of who is chosen (of each kind: days x rows) on each day: days x columns."""
    chosen = np.stack(kinds).astype(complex)
    if not callable(weights):
        return list(chosen @ weights)
    rows = [chosen[:, place] @ weights(day) for place, day in enumerate(days)]
    shape = (len(days), len(kinds), weights(1).shape[1])
    return list(np.array(rows).reshape(shape).swapaxes(0, 1))


def state_shares(paths: Sequence, end: np.ndarray, weights: np.ndarray, days: Sequence):
    """Aalen-Johansen's share in each state by some days: {state: days x columns}.

    A path is [(day, state), ...] of a person, its first the state at the end of day 0.
    """
    names = sorted({state for path in paths for _, state in path})
    whole = weights.sum(axis=0)
    shares = {
        name: weights[[path[0][1] == name for path in paths]].sum(axis=0) / whole for name in names
    }
    known, steps = [0.0], [dict(shares)]
    for when in sorted({day for path in paths for day, _ in path[1:]}):
        before = np.array([state_on(path, when - 1) for path in paths])
        after = np.array([state_on(path, when) for path in paths])
        followed = end >= when
        flows = []
        for origin, target in sorted(set(zip(before[followed], after[followed], strict=True))):
            if origin != target:
                moved = weights[followed & (before == origin) & (after == target)].sum(axis=0)
                at_risk = weights[followed & (before == origin)].sum(axis=0)
                flows.append((origin, target, shares[origin] * moved / at_risk))
        for origin, target, flow in flows:
            shares[origin], shares[target] = shares[origin] - flow, shares[target] + flow
        known.append(when)
        steps.append(dict(shares))
    places = np.searchsorted(known, days, side="right") - 1
    return {name: np.array([steps[one][name] for one in places]) for name in names}


def state_on(path: Sequence, day: float) -> str:
    """The state at the end of a day."""
    return [state for when, state in path if when <= max(day, 0)][-1]


def _at_least(at_risk: np.ndarray) -> np.ndarray:
    return np.where(np.real(at_risk) > NOTHING, at_risk, 1.0)
