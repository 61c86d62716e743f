"""Measures that start on the same day: each is the other's confounder on that day.

What is in force at the beginning of a day may explain a start on it; what starts on the day itself
is not in force yet. Where two measures are decided together, who starts the one is then compared
with people most of whom did not start the other, and what the other does passes for an effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Floats
from revictimisation.estimators.target_trial.changes import Changes


@dataclass(frozen=True, eq=False)
class SameDay:
    """How the starts of two measures fall together.

    Attributes:
        share: of the starts of the one, those on the day of the other's, less the share expected
            had the other started on those days as often as among those at risk who did not start.
        n_together, n_other_alone: by day, starts of both; of the other alone, at risk of the one.
    """

    share: float
    n_together: npt.NDArray[np.int64]
    n_other_alone: npt.NDArray[np.int64]

    def can_be_told_apart(self, least: int) -> bool:
        """Both together and the other alone occur so often at least, enough for a coefficient."""
        fewer = min(self.n_together.sum(), self.n_other_alone.sum())
        return bool(fewer >= least)

    def can_be_told_apart_on_day_0(self, least: int) -> bool:
        """The same of day 0 alone."""
        fewer = min(self.n_together[0], self.n_other_alone[0])
        return bool(fewer >= least)


def compare_start_days(
    stop_day: npt.ArrayLike, start_day: npt.ArrayLike, other_day: npt.ArrayLike, grace_days: int
) -> SameDay:
    """Count how often two measures start on the same day of the grace time.

    Args:
        stop_day: last day of follow-up. start_day, other_day: first start on or after day 0 of the
            measure and of the other (NaN: none). A start counts up to `grace_days` and before
            `stop_day`, the other's while the measure has not started before.

    Example:
        >>> found = compare_start_days([9] * 6, [0, 0, 0, None, None, None],
        ...                            [0, 0, None, 0, None, None], 2)
        >>> round(found.share, 3), found.n_together.tolist(), found.n_other_alone.tolist()
        (0.333, [2, 0, 0], [1, 0, 0])
    """
    stop, start, other = (np.asarray(x, np.float64) for x in (stop_day, start_day, other_day))
    last = np.minimum(stop - 1, grace_days)
    is_start = start <= last  # NaN compares as false
    last = np.where(is_start, start, last)
    size = grace_days + 1

    def count(days: Floats, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return np.bincount(days[chosen].astype(np.int64), minlength=size)

    n_start = count(start, is_start)
    n_together = count(start, is_start & (other == start))
    n_alone = count(other, (other <= last) & (other != start))
    at_risk = np.cumsum(count(last, last >= 0)[::-1])[::-1] - n_start
    rate = np.divide(n_alone, at_risk, out=np.zeros(size), where=at_risk > 0)
    total = n_start.sum()
    excess = float(n_together.sum() - (n_start * rate).sum()) / total if total else 0.0
    return SameDay(float(max(excess, 0.0)), n_together, n_alone)


def mark_start_day(other_day: npt.ArrayLike) -> Changes:
    """1 on the day the other measure starts, 0 again from the next day on."""
    day = np.asarray(other_day, np.float64)
    who = np.flatnonzero(~np.isnan(day))
    begin = day[who].astype(np.int64)
    ones = np.ones(len(who))
    return Changes(np.concatenate([who, who]), np.concatenate([begin, begin + 1]),
                   np.concatenate([ones, 0 * ones]))  # fmt: skip
