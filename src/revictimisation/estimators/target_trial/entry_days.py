"""What a day of the grace time does to an entry's weights: derivatives in each day's log odds.

A weight is a product over days (`clone_weights`), so its logarithm has a derivative in the log odds
of each day that depends on the day alone, times what rests on it from that day on. All arrays have
the day first, then the entry (of a block), then the target: a number whose derivatives are asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.start_kernels import TINY
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.integer]
# So many numbers at a time: a block's arrays stay in the cache.
BLOCK = 1 << 17


class Law(NamedTuple):
    """The natural law by day and entry: its hazards l, R_k and (1 - R_k) / R_k."""

    hazards: Floats
    tail: Floats
    leverage: Floats


@dataclass(frozen=True, eq=False)
class EntryDays:
    """A block of entries by day of the grace time.

    Attributes:
        here: the entries. weights: days x entries x arms. cells, hazards: of a start, by day.
        is_free: followed and not started by the end of the day. is_start: the day of the start.
    """

    here: slice
    weights: Floats
    cells: Cells
    hazards: Floats
    is_free: Flags
    is_start: Flags
    law: Law


def cut_blocks(n_entries: int, size: int) -> list[slice]:
    """Blocks of entries, so that arrays of `size` numbers an entry stay small."""
    step = max(BLOCK // max(size, 1), 64)
    return [slice(first, min(first + step, n_entries)) for first in range(0, n_entries, step)]


@np.errstate(all="ignore")
def build_days(weighted: WeightedTrial, here: slice) -> EntryDays:
    """A block of entries by day."""
    trial, people = weighted.trial, weighted.trial.people
    interval, rows = trial.interval, people.row[here]
    days = np.arange(len(interval))[:, None]
    cells = _spread_segments(trial, here) * (int(interval[-1]) + 1) + interval[:, None]
    start, stop = people.start[here], people.stop[here]
    is_followed = days < stop
    odds = weighted.daily.odds
    return EntryDays(
        here=here,
        weights=np.moveaxis(weighted.weights[here], 2, 0),
        cells=cells,
        hazards=_chance(odds.rows[rows] * odds.cells[cells]),
        is_free=is_followed & ((start < 0) | (days < start)),
        is_start=is_followed & (days == start),
        law=find_law(weighted, rows) if weighted.is_natural else _no_law(cells.shape),
    )


def _spread_segments(trial: Trial, here: slice) -> Cells:
    """The pattern of the changing covariates, days x entries."""
    people, size = trial.people, trial.grace_days + 1
    first, last = people.first_segment[here.start], people.first_segment[here.stop]
    begin, pattern = people.segment_day[first:last], people.segment_pattern[first:last]
    end = np.append(begin[1:], 0)
    lengths = np.where(end == 0, size, end) - begin
    return np.repeat(pattern, lengths).reshape(-1, size).T.astype(np.int64)


@np.errstate(all="ignore")
def find_law(weighted: WeightedTrial, rows: npt.NDArray[np.integer]) -> Law:
    """The natural law of entries with these rows of the base columns, by day."""
    odds, interval = weighted.other.odds, weighted.trial.interval
    hazards = _chance(odds.rows[rows] * odds.cells[interval][:, None])
    tail = np.zeros_like(hazards)
    later = np.zeros(len(rows))
    for day in range(len(interval) - 1, -1, -1):
        later = hazards[day] + (1 - hazards[day]) * later + TINY
        tail[day] = later
    return Law(hazards, tail, (1 - tail) / tail)


def _no_law(shape: tuple[int, ...]) -> Law:
    return Law(np.empty(shape), np.empty(shape), np.empty(shape))


def _chance(odds: Floats) -> Floats:
    chance: Floats = odds / (1 + odds)
    return chance


def move_hazards(days: EntryDays, amounts: Floats, *, has_start: bool) -> Floats:
    """Derivatives of sums of amounts[t] x log weight in the log odds of each day's start.

    Of the factors 1 / (1 - h) for days without a start (both clones) and 1 / h for the day of the
    start (`has_start`: the start clone under the natural law). amounts must be 0 where the clone is
    censored or its weight capped.
    """
    factor = np.where(days.is_free, days.hazards, 0.0)
    if has_start:
        factor = np.where(days.is_start, days.hazards - 1.0, factor)
    moved = _sum_ahead(amounts)
    moved *= factor[:, :, None]
    return moved


def move_law(days: EntryDays, amounts: Floats) -> Floats:
    """The same in the log odds of the natural law.

    The weight holds (1 - l) for days without a start, l for the day of the start, 1 / R_0, and
    R_(t+1) while not started; log R_k has the derivative l_j (1 - R_k) / R_k in the log odds of day
    j >= k, so a running sum over k gives all j.
    """
    law, ahead = days.law, _sum_ahead(amounts)
    own = np.where(days.is_free, -law.hazards, np.where(days.is_start, 1 - law.hazards, 0.0))
    leverage = np.where(days.is_free[:-1], law.leverage[1:], 0.0)
    running = -ahead[0] * law.leverage[0][:, None]
    for day in range(len(amounts)):
        ahead[day] *= own[day][:, None]
        ahead[day] += running * law.hazards[day][:, None]
        if day + 1 < len(amounts):
            running += amounts[day] * leverage[day][:, None]
    return ahead


def _sum_ahead(amounts: Floats) -> Floats:
    """Sums over the days from each on; row by row, which is faster than `cumsum`."""
    ahead = amounts.copy()
    for day in range(len(amounts) - 2, -1, -1):
        ahead[day] += ahead[day + 1]
    return ahead


@dataclass(eq=False)
class Gradient:
    """Sums of derivatives in a model's cells' log odds and in its base columns, by target."""

    cells: Floats
    base: Floats

    @classmethod
    def of(cls, model: StartModel, n_base: int, n_targets: int) -> Gradient:
        """Nothing yet."""
        return cls(np.zeros((len(model.odds.cells), n_targets)), np.zeros((n_base, n_targets)))

    def add(
        self, trial: Trial, here: slice, cells: Cells, moved: Floats, at: slice = slice(None)
    ) -> None:
        """Add derivatives (days x entries x targets) in the log odds of these cells.

        at: the targets.
        """
        ones, ends = np.ones(cells.size), np.arange(cells.size + 1)
        places = csr_array((ones, cells.reshape(-1), ends), shape=(cells.size, len(self.cells)))
        self.cells[:, at] += places.T @ moved.reshape(cells.size, -1)
        self.base[:, at] += trial.matrix[trial.people.row[here]].T @ moved.sum(axis=0)

    def by_coefficient(self, effects: Floats) -> Floats:
        """Targets x coefficients."""
        return np.concatenate([np.einsum("ck,cj->kj", effects, self.cells), self.base]).T


__all__ = [
    "EntryDays",
    "Gradient",
    "Law",
    "build_days",
    "cut_blocks",
    "find_law",
    "move_hazards",
    "move_law"
]  # fmt: skip
