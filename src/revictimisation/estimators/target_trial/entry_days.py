"""What a day of the grace time does to an entry's weights: derivatives in each day's log odds.

A weight is a product over days (`clone_weights`), so its logarithm has a derivative in the log odds
of each day that depends on the day alone, times what rests on it from that day on. All arrays have
the day first, then the target (a number whose derivatives are asked), then the entry of a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from revictimisation.core.arrays import Flags, Floats
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.start_kernels import TINY, add_ahead
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial

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
        here: the entries. by_column: their base columns, columns x entries. weights: arms x days x
            entries. cells, hazards: of a start, by day.
        is_free: followed and not started by the end of the day. is_start: the day of the start.
    """

    here: slice
    by_column: csc_array
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
        by_column=trial.matrix[rows].T,
        weights=np.ascontiguousarray(weighted.weights[here].transpose(1, 2, 0)),
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
    by_entry = np.repeat(pattern, lengths).reshape(-1, size)
    return np.ascontiguousarray(by_entry.T, dtype=np.int64)


@np.errstate(all="ignore")
def find_law(weighted: WeightedTrial, rows: npt.NDArray[np.integer]) -> Law:
    """The natural law of entries with these rows of the base columns, by day."""
    odds, interval = weighted.other.odds, weighted.trial.interval
    hazards = _chance(odds.rows[rows] * odds.cells[: interval[-1] + 1, None])[interval]
    tail, stays, later = np.empty_like(hazards), 1 - hazards, np.zeros(len(rows))
    for day in range(len(interval) - 1, -1, -1):
        later = tail[day] = hazards[day] + stays[day] * later + TINY
    return Law(hazards, tail, (1 - tail) / tail)


def _no_law(shape: tuple[int, ...]) -> Law:
    return Law(np.empty(shape), np.empty(shape), np.empty(shape))


def _chance(odds: Floats) -> Floats:
    chance: Floats = odds / (1 + odds)
    return chance


def move_law(days: EntryDays, amounts: Floats) -> Floats:
    """Derivatives of sums of amounts[t] x log weight in the log odds of each day's natural law.

    The weight holds (1 - l) for days without a start, l for the day of the start, 1 / R_0, and
    R_(t+1) while not started; log R_k has the derivative l_j (1 - R_k) / R_k in the log odds of day
    j >= k, so a running sum over k gives all j. amounts: as for `Gradient.add_hazards`.
    """
    law, moved = days.law, amounts.copy()
    for day in range(len(amounts) - 2, -1, -1):
        moved[day] += moved[day + 1]
    running = np.empty_like(amounts)
    running[0] = -moved[0] * law.leverage[0]
    running[1:] = amounts[:-1] * np.where(days.is_free[:-1], law.leverage[1:], 0.0)[:, None]
    sum_behind(running)
    own = np.where(days.is_free, -law.hazards, np.where(days.is_start, 1 - law.hazards, 0.0))
    moved *= own[:, None]
    running *= law.hazards[:, None]
    moved += running
    return moved


def move_overlap(days: EntryDays, amounts: Floats) -> Floats:
    """Derivatives of sums of amounts x log e (1 - e), e = R_0, in each day's log odds of the law.

    log R_0 has l (1 - e) / e, log (1 - e) has -l: together l (1 - 2 e) / e.
    """
    law, chance = days.law, days.law.tail[0]
    moved: Floats = (law.hazards * (1 - 2 * chance) / chance)[:, None] * amounts.sum(axis=0)
    return moved


def sum_behind(amounts: Floats) -> None:
    """Sums up to each day, in place; row by row, which is faster than `cumsum`."""
    for day in range(1, len(amounts)):
        amounts[day] += amounts[day - 1]


@dataclass(eq=False)
class Gradient:
    """Sums of derivatives in a model's cells' log odds and in its base columns, by target."""

    cells: Floats
    base: Floats

    @classmethod
    def of(cls, model: StartModel, n_base: int, n_targets: int) -> Gradient:
        """Nothing yet."""
        return cls(np.zeros((len(model.odds.cells), n_targets)), np.zeros((n_base, n_targets)))

    def add_hazards(
        self, days: EntryDays, amounts: Floats, at: slice = slice(None), *, has_start: bool
    ) -> None:
        """Add derivatives of sums of amounts[t] x log weight in the log odds of each day's start.

        Of the factors 1 / (1 - h) for days without a start (both clones) and 1 / h for the day of
        the start (`has_start`: the start clone under the natural law). amounts (days x targets x
        entries) must be 0 where the clone is censored or its weight capped. at: the targets.
        """
        factor = np.where(days.is_free, days.hazards, 0.0)
        if has_start:
            factor = np.where(days.is_start, days.hazards - 1.0, factor)
        self.add(days, amounts, factor, days.cells, at)

    def add(
        self, days: EntryDays, amounts: Floats, factor: Floats, cells: Cells,
        at: slice = slice(None),
    ) -> None:  # fmt: skip
        """Add `factor` (days x entries) x the amounts from each day on, in these cells."""
        by_cell, by_entry = (
            np.zeros((amounts.shape[1], len(self.cells))),
            np.zeros(amounts.shape[1:]),
        )
        add_ahead(amounts, factor, cells, np.empty(amounts.shape[2]), by_cell, by_entry)
        self.cells[:, at] += by_cell.T
        self.base[:, at] += days.by_column @ by_entry.T

    def add_days(
        self, days: EntryDays, interval: Cells, moved: Floats, at: slice = slice(None)
    ) -> None:
        """Add derivatives (days x targets x entries) in the log odds of each day's interval."""
        np.add.at(self.cells[:, at], interval, moved.sum(axis=2))
        self.base[:, at] += days.by_column @ moved.sum(axis=0).T

    def by_coefficient(self, effects: Floats) -> Floats:
        """Targets x coefficients."""
        return np.concatenate([np.einsum("ck,cj->kj", effects, self.cells), self.base]).T
