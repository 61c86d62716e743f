"""The Cox model's input, checked and brought into the shape that the compiled loops want."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Codes, Flags, Floats, Whole
from revictimisation.estimators.design import Block, Design, standardise
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.risk_slots import Slots, place_episodes

Cells = tuple[Whole, npt.NDArray[np.int32], Floats]


@dataclass(frozen=True, eq=False)
class Episodes:
    """Episodes (start, stop] as columns; `strata` and `cluster` as whole numbers or None."""

    start: Codes
    stop: Codes
    is_event: Flags
    weights: Floats
    strata: Codes | None
    cluster: Codes | None

    def take(self, chosen: Flags) -> Episodes:
        """The chosen ones."""
        return Episodes(
            self.start[chosen],
            self.stop[chosen],
            self.is_event[chosen],
            self.weights[chosen],
            None if self.strata is None else self.strata[chosen],
            None if self.cluster is None else self.cluster[chosen],
        )


@dataclass(frozen=True, eq=False)
class CoxData:
    """What the likelihood needs: episodes of positive weight, numbers centred and scaled.

    Attributes:
        base, own: cells of the design's blocks (pointers, columns, values).
        n_base: columns of `base`; those of `own` come after them.
        scale: what each column was divided by.
        rows: for each episode its row in `base`.
    """

    names: tuple[str, ...]
    base: Cells
    own: Cells
    n_base: int
    scale: Floats
    rows: npt.NDArray[np.int32]
    episodes: Episodes
    slots: Slots

    @property
    def is_event(self) -> Flags:
        """Whether each episode ends in an event."""
        return self.episodes.is_event

    @property
    def weights(self) -> Floats:
        """Case weights."""
        return self.episodes.weights

    @property
    def cluster(self) -> Codes | None:
        """Clusters, or None."""
        return self.episodes.cluster


def check_episodes(
    n: int,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    is_event: npt.ArrayLike,
    strata: npt.ArrayLike | None,
    weights: npt.ArrayLike | None,
    cluster: npt.ArrayLike | None,
) -> Episodes:
    """Check the columns of `n` episodes.

    Raises:
        ValueError: arrays of another length, days that are not whole, a stop not after its start,
            negative or missing weights, missing strata or clusters.
    """
    weight = np.ones(n) if weights is None else _column(weights, "weights", n).astype(np.float64)
    episodes = Episodes(
        _days(start, "start", n),
        _days(stop, "stop", n),
        _plain(_column(is_event, "is_event", n).astype(np.bool_, copy=False)),
        _plain(weight),
        None if strata is None else _codes(strata, "strata", n),
        None if cluster is None else _plain(_codes(cluster, "cluster", n)),
    )
    n_wrong = int((episodes.start >= episodes.stop).sum())
    if n_wrong:
        raise ValueError(f"{n_wrong} episodes do not end after their start")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("weights must be numbers of 0 or more")
    return episodes


def prepare_data(design: Design, episodes: Episodes) -> CoxData:
    """Leave out episodes of weight 0, place the others among the event days, scale the numbers.

    Raises:
        NotEstimableError: no episodes of positive weight, or no events.
    """
    rows, own, is_used = design.rows, design.own, episodes.weights > 0
    if not is_used.any():
        raise NotEstimableError("no episodes: a hazard ratio can't be estimated")
    if not is_used.all():
        rows, own, episodes = rows[is_used], _take_rows(own, is_used), episodes.take(is_used)
    base_values, _, base_scale = standardise(design.base)
    own_values, _, own_scale = standardise(own)
    return CoxData(
        names=design.names,
        base=(design.base.indptr, design.base.indices, base_values),
        own=(own.indptr, own.indices, own_values),
        n_base=len(design.base.names),
        scale=np.concatenate([base_scale, own_scale]),
        rows=rows,
        episodes=episodes,
        slots=place_episodes(
            episodes.start, episodes.stop, episodes.is_event, episodes.weights, episodes.strata
        ),
    )


def take_sample(data: CoxData, every: int, run: int = 64) -> CoxData | None:
    """One in `every` of the episodes, in short runs from all over; None if none is an event.

    Without chance, so that the same data give the same sample.
    """
    chosen = (np.arange(len(data.rows)) // run) % every == 0
    episodes = data.episodes.take(chosen)
    if not episodes.is_event.any():
        return None
    own = _take_rows(Block(data.names[data.n_base :], *data.own), chosen)
    slots = place_episodes(
        episodes.start, episodes.stop, episodes.is_event, episodes.weights, episodes.strata
    )
    return replace(
        data,
        own=(own.indptr, own.indices, own.values),
        rows=data.rows[chosen],
        episodes=episodes,
        slots=slots,
    )


def _days(values: npt.ArrayLike, name: str, n: int) -> Whole:
    column = _column(values, name, n)
    if column.dtype.kind in "iu":
        return column.astype(np.int64, copy=False)
    numbers = column.astype(np.float64)
    if not (numbers == np.round(numbers)).all():
        raise ValueError(f"{name} must hold whole days")
    return numbers.astype(np.int64)


def _column(values: npt.ArrayLike, name: str, n: int) -> npt.NDArray[np.generic]:
    column = np.asarray(values)
    if column.shape != (n,):
        raise ValueError(f"{name} has {column.size} values for {n} episodes")
    return column


def _plain(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The column in one piece and writable: any other kind makes the compiler start again."""
    return np.require(column, requirements=["C", "W"])


def _codes(values: npt.ArrayLike, name: str, n: int) -> Whole:
    """Labels as small whole numbers; such are kept as they are, gaps do no harm."""
    column = _column(values, name, n)
    if column.dtype.kind in "iu" and n and column.min() >= 0 and column.max() < 2 * n:
        return column.astype(np.int64, copy=False)
    codes, _ = pd.factorize(column)
    if (codes < 0).any():
        raise ValueError(f"{name} has missing labels")
    return codes.astype(np.int64, copy=False)


def _take_rows(block: Block, used: Flags) -> Block:
    lengths = np.diff(block.indptr)
    cells = np.repeat(used, lengths)
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[used])])
    return replace(block, indptr=indptr, indices=block.indices[cells], values=block.values[cells])
