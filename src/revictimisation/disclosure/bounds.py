"""How narrowly numbers that are not shown follow from those that are: intervals, by propagation.

A system holds variables (whole numbers, at least 0) and constraints: signed sums of them that are
0, or at most 0. From the interval that each variable has by itself (a rounded count: what rounds to
it; a hidden one: anything) each constraint narrows those of its variables, again and again until
nothing moves. Where constraints share no more than one variable, as subgroups of one total do, the
intervals are those of linear programming; elsewhere they may be wider (the tests hold them against
linear programmes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
MOST_ROUNDS = 50


@dataclass(frozen=True)
class Constraints:
    """Signed sums: `sign` times variable `of`, in the constraint `of_row`; entries sorted by row.

    `is_equal` a constraint each: its sum is 0, else at most 0.
    """

    of_row: Ints
    of: Ints
    sign: Floats
    is_equal: Flags

    def find_implied(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """What each entry's constraint says of its variable, given the others' intervals."""
        least = np.where(self.sign > 0, low[self.of], -high[self.of])
        most = np.where(self.sign > 0, high[self.of], -low[self.of])
        n_rows = len(self.is_equal)
        # infinities are counted apart: their difference is no number
        rest_least = _sum_others(least, self.of_row, n_rows, -np.inf)
        rest_most = _sum_others(most, self.of_row, n_rows, np.inf)
        upper = -rest_least
        lower = np.where(self.is_equal[self.of_row], -rest_most, -np.inf)
        is_plus = self.sign > 0
        return np.where(is_plus, lower, -upper), np.where(is_plus, upper, -lower)

    def narrow(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """The intervals that all constraints together leave of those given.

        After the first round only constraints of which a variable has moved can say more.
        """
        low, high, active = low.copy(), high.copy(), self
        for _ in range(MOST_ROUNDS):
            below, above = active.find_implied(low, high)
            new_low, new_high = low.copy(), high.copy()
            np.maximum.at(new_low, active.of, below)
            np.minimum.at(new_high, active.of, above)
            has_moved = (new_low != low) | (new_high != high)
            if not has_moved.any():
                break
            low, high, active = new_low, new_high, self._choose(has_moved)
        return low, high

    def _choose(self, variables: Flags) -> Constraints:
        """The constraints that hold any of these variables."""
        kept = np.zeros(len(self.is_equal), np.bool_)
        kept[self.of_row[variables[self.of]]] = True
        inside, number = kept[self.of_row], np.cumsum(kept) - 1
        return Constraints(
            number[self.of_row[inside]], self.of[inside], self.sign[inside], self.is_equal[kept]
        )


def _sum_others(value: Floats, row: Ints, n_rows: int, endless: float) -> Floats:
    """The sum of a constraint's other entries, for each entry."""
    is_endless = np.isinf(value)
    finite = np.where(is_endless, 0.0, value)
    total = np.bincount(row, finite, n_rows)[row] - finite
    n_endless = np.bincount(row, is_endless, n_rows)[row] - is_endless
    return np.where(n_endless > 0.5, endless, total)
