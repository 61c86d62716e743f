"""From days to slots: each stratum's event days numbered, and where each episode is at risk."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.faults import NotEstimableError


@dataclass(frozen=True, eq=False)
class Slots:
    """Where episodes are at risk: slots `low < slot <= high` (see `kernels`).

    Attributes:
        first: the empty first slot of each stratum, and the number of slots at the end.
        low, high: per episode; equal where no event happens while it is at risk.
        n_tied, weight_tied: number of events and sum of their weights per slot.
        is_empty: per slot, the first of its stratum.
    """

    first: Whole
    low: npt.NDArray[np.int32]
    high: npt.NDArray[np.int32]
    n_tied: Whole
    weight_tied: Floats
    is_empty: Flags

    @property
    def n_slots(self) -> int:
        """All slots, the empty ones included."""
        return len(self.is_empty)

    def sum_backwards(self, amount: Floats) -> Floats:
        """What comes and goes in each slot, as sums over those at risk, by stratum (in place)."""
        for begin, end in pairwise(self.first):
            mine = amount[begin + 1 : end][::-1]
            np.cumsum(mine, axis=0, out=mine)
        return amount

    def sum_forwards(self, amount: Floats) -> Floats:
        """Cumulated sums down the slots of each stratum, zero in its empty first slot."""
        total = np.zeros_like(amount)
        for begin, end in pairwise(self.first):
            np.cumsum(amount[begin + 1 : end], axis=0, out=total[begin + 1 : end])
        return total

    def tabulate(self, s0: Floats, d0: Floats) -> tuple[Floats, float]:
        """Per slot h, rho, q0, q1, q2 (columns; see `kernels`), the hazard's part of the log
        likelihood; where nobody is left at risk nothing, and minus infinity.
        """
        n, n_slots = self.n_tied, self.n_slots
        slot, table = np.repeat(np.arange(n_slots), n), np.zeros((n_slots, 5))
        part = (np.arange(len(slot)) - np.repeat(np.cumsum(n) - n, n)) / n[slot]
        left = s0[slot] - part * d0[slot]
        if not (left > 0.0).all():
            return table, -np.inf
        share = self.weight_tied[slot] / n[slot]
        hazard = share / left
        each = (hazard, part * hazard, hazard / left, part * hazard / left, part**2 * hazard / left)
        for k, one in enumerate(each):
            table[:, k] = np.bincount(slot, one, n_slots)
        return table, -float((share * np.log(left)).sum())


def place_episodes(
    start: Whole,
    stop: Whole,
    is_event: Flags,
    weights: Floats,
    strata: Whole | None,
) -> Slots:
    """Number the event days of each stratum and place each episode (start, stop] among them.

    An episode is at risk on day t if start < t <= stop; so one that ends on an event day is at risk
    there, and one that starts on it is not.

    Raises:
        NotEstimableError: no episode ends in an event.
    """
    if not is_event.any():
        raise NotEstimableError("no events: a hazard ratio can't be estimated")
    origin = int(start.min())
    n_days = int(stop.max()) - origin + 1
    if strata is None:
        counted = np.bincount(stop[is_event] - origin, minlength=n_days) > 0
        rank = np.cumsum(counted, dtype=np.int32)
        low, high = rank[start - origin], rank[stop - origin]
        first = np.array([0, int(rank[-1]) + 1], dtype=np.int64)
    else:
        keys = np.unique(strata[is_event] * n_days + stop[is_event] - origin)
        low = _rank_in_strata(keys, strata, start - origin, n_days)
        high = _rank_in_strata(keys, strata, stop - origin, n_days)
        n_strata = int(strata.max()) + 1
        before = np.searchsorted(keys, np.arange(n_strata + 1) * n_days)
        first = (before + np.arange(n_strata + 1)).astype(np.int64)
    n_slots = int(first[-1])
    is_empty = np.zeros(n_slots, dtype=np.bool_)
    is_empty[first[:-1]] = True
    n_tied = np.bincount(high[is_event], minlength=n_slots)
    weight_tied = np.zeros(n_slots)
    np.add.at(weight_tied, high[is_event], weights[is_event])
    return Slots(first, low, high, n_tied, weight_tied, is_empty)


def _rank_in_strata(
    keys: Whole,
    strata: Whole,
    days: Whole,
    n_days: int,
) -> npt.NDArray[np.int32]:
    rank = np.searchsorted(keys, strata * n_days + days, side="right") + strata
    return rank.astype(np.int32)
