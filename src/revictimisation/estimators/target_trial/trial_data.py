"""A target trial's data, checked and laid out for the compiled loops.

Day 0 is the index report. An entry is followed on (0, stop_day]; on a day outcome, death and
emigration come before a start, so who is to start on `stop_day` has not started. An entry is at
risk of a start on day k of 0..grace_days if stop_day > k and it has not started before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from revictimisation.core.arrays import Days, Floats
from revictimisation.estimators.design import Design, standardise
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.flexibility import USUAL, Flexibility
from revictimisation.estimators.influence import label_clusters
from revictimisation.estimators.target_trial.changes import Changes, Segments, build_segments

N_CAUSES = 3
NOT_STARTED = -1


class People(NamedTuple):
    """A place per entry: end of follow-up, its cause, start day within the grace time (or -1).

    `row`: row in the base columns; `cluster`: number of the victim; segments as in `Segments`.
    """

    stop: npt.NDArray[np.int32]
    cause: npt.NDArray[np.int8]
    start: npt.NDArray[np.int32]
    cluster: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    first_segment: Days
    segment_day: npt.NDArray[np.int32]
    segment_pattern: npt.NDArray[np.int32]


class Outcomes(NamedTuple):
    """Outcomes that do not end follow-up: `first` (entries + 1) points at each entry's `day`s."""

    first: Days
    day: npt.NDArray[np.int32]


class Columns(NamedTuple):
    """The base columns as compressed sparse rows, standardised (`design.standardise`)."""

    pointers: Days
    indices: npt.NDArray[np.int32]
    values: Floats


class Pooled(NamedTuple):
    """Rows of a pooled logistic model: an entry's days in one cell, together.

    `first` (entries + 1) points at each entry's rows: `days` days in `cell`; `is_start`: the last
    day of the last row is a start. `effects` (cells x effects): what a cell's columns are (an
    indicator per interval of days, then the changing covariates).
    """

    first: Days
    cell: npt.NDArray[np.int32]
    days: npt.NDArray[np.int32]
    is_start: npt.NDArray[np.bool_]
    effects: Floats


@dataclass(frozen=True, eq=False)
class Trial:
    """What the estimators of a target trial are given; see `prepare_trial`.

    Attributes:
        people: arrays by entry. columns: base design, numbers less `centre`, divided by `scale`.
        names: of the base columns. changing_names: of the changing covariates.
        interval: for each day of the grace time its interval of days.
        cut_days: first day of each interval.
        pooled: rows of the model for starts by day. law: of the same model without the changing
            covariates. at_end: of that for having started by the end of the grace time, among those
            still event-free then.
        flexibility: how finely the models may follow time.
        same_day_share: share of the starts that fall on another measure's start and are not told
            apart from it (`same_day`); 0 where nothing is known of others.
    """

    people: People
    columns: Columns
    names: tuple[str, ...]
    centre: Floats
    scale: Floats
    changing_names: tuple[str, ...]
    segments: Segments
    grace_days: int
    cut_days: tuple[int, ...]
    interval: npt.NDArray[np.int32]
    pooled: Pooled
    law: Pooled
    at_end: Pooled
    n_clusters: int
    flexibility: Flexibility
    same_day_share: float = 0.0

    @property
    def n_entries(self) -> int:
        """Entries: two clones each."""
        return len(self.people.stop)

    @property
    def is_started(self) -> npt.NDArray[np.bool_]:
        """Started within the grace time and before the end of follow-up."""
        return self.people.start >= 0

    @property
    def last_day(self) -> int:
        """The last day anyone is followed."""
        return int(self.people.stop.max())

    @cached_property
    def matrix(self) -> csr_array:
        """The base columns, rows x columns."""
        columns = self.columns
        shape = (len(columns.pointers) - 1, len(self.names))
        return csr_array((columns.values, columns.indices, columns.pointers), shape=shape)

    @cached_property
    def transposed(self) -> csr_array:
        """The base columns, columns x rows."""
        return self.matrix.T.tocsr()


def prepare_trial(
    stop_day: npt.ArrayLike,
    cause: npt.ArrayLike,
    start_day: npt.ArrayLike,
    design: Design,
    *,
    grace_days: int,
    cluster: npt.ArrayLike | None = None,
    changes: Mapping[str, Changes] | None = None,
    cut_days: Sequence[int] | None = None,
    flexibility: Flexibility = USUAL,
) -> Trial:
    """Check the input of a target trial and lay it out.

    Args:
        stop_day: last day of follow-up, 1 or more. cause: 0 administrative end, 1 outcome, 2
            death, 3 emigration.
        start_day: first start on or after day 0; NaN = none. Later than `grace_days`, or not
            before `stop_day`, is the same as none.
        design: baseline columns, a row per entry (`build_design`); none is legal.
        grace_days: g; a start on day 0 or on day g is within the grace time.
        cluster: labels of the victims; None = each entry by itself.
        changes: covariates that change within the grace time, by name.
        cut_days: first days of the intervals that share an intercept, the first 0; None =
            `choose_cuts`; every day its own: `range(grace_days + 1)`.
        flexibility: how many events the models of starts and outcomes ask for.

    Raises:
        NotEstimableError: nobody, nobody started, or everybody did.
        ValueError: lengths that differ, days that are not whole, a stop before day 1, a cause
            outside 0..3, a negative start, a design with columns by episode, cuts not ascending
            from 0.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> none = design_from_array([[]] * 4, [])
        >>> trial = prepare_trial([9, 5, 9, 3], [0, 1, 1, 0], [0, 2, None, 3], none, grace_days=3)
        >>> trial.people.start.tolist()
        [0, 2, -1, -1]
    """
    stop = _whole(stop_day, "stop_day")
    kind = _whole(cause, "cause")
    begin = np.asarray(start_day, dtype=np.float64)
    _check(stop, kind, begin, design, grace_days)
    is_started = (begin <= grace_days) & (begin < stop)  # NaN compares as false
    start = np.where(is_started, begin, NOT_STARTED).astype(np.int32)
    if not is_started.any() or is_started.all():
        raise NotEstimableError("nobody_started" if not is_started.any() else "everybody_started")
    people = People(
        stop.astype(np.int32), kind.astype(np.int8), start,
        label_clusters(cluster, len(stop)).astype(np.int64), design.rows.astype(np.int32),
        *_build_nothing(len(stop)),
    )  # fmt: skip
    segments = build_segments(changes, len(stop), grace_days)
    if cut_days is None:
        cut_days = choose_cuts(start[is_started], grace_days, flexibility)
    cuts, names = tuple(cut_days), tuple(changes or ())
    return _build(people, design, segments, names, cuts, grace_days, flexibility)


def _build(
    people: People,
    design: Design,
    segments: Segments,
    changing_names: tuple[str, ...],
    cuts: tuple[int, ...],
    grace_days: int,
    flexibility: Flexibility,
) -> Trial:
    interval = number_days(cuts, grace_days, first=0)
    values, centre, scale = standardise(design.base)
    pointers, indices = design.base.indptr.astype(np.int64), design.base.indices.astype(np.int32)
    law = _pool_days(people, interval, np.zeros((1, 0)))
    people = people._replace(
        first_segment=segments.first, segment_day=segments.day, segment_pattern=segments.pattern
    )
    return Trial(
        people=people,
        columns=Columns(pointers, indices, values),
        names=design.base.names,
        centre=centre,
        scale=scale,
        changing_names=changing_names,
        segments=segments,
        grace_days=grace_days,
        cut_days=cuts,
        interval=interval,
        pooled=_pool_days(people, interval, segments.values),
        law=law,
        at_end=_pool_end(people, grace_days, segments.values),
        n_clusters=int(people.cluster.max()) + 1,
        flexibility=flexibility,
    )


def choose_cuts(
    start_days: npt.ArrayLike, grace_days: int, asked: Flexibility = USUAL
) -> tuple[int, ...]:
    """First days of the intervals that share an intercept: narrow where starts are many.

    Day 0 is an interval by itself if it has at least `starts_on_day_0` starts. From there on an
    interval is closed after the day on which it holds `starts_per_interval`, or its share of all
    starts where that is more; the last one ends with the grace time. So the hazard of a start may
    take any shape that the data can tell, and no intercept rests on nothing while others follow.

    Example:
        >>> choose_cuts([0] * 9 + [1] * 25 + [2] * 4 + [3] * 30 + [9], 10)
        (0, 1, 2, 4)
    """
    counts = np.bincount(np.asarray(start_days, dtype=np.int64), minlength=grace_days + 1)
    target = max(asked.starts_per_interval, int(np.ceil(counts.sum() / asked.start_intervals)))
    cuts, held = [0], 0
    for day in range(grace_days):
        held += int(counts[day])
        if held >= target or (day == 0 and held >= asked.starts_on_day_0):
            cuts.append(day + 1)
            held = 0
    return tuple(cuts)


def _whole(values: npt.ArrayLike, name: str) -> Days:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or not (column == np.round(column)).all():
        raise ValueError(f"{name} must be a column of whole numbers")
    return column.astype(np.int64)


def _check(stop: Days, kind: Days, begin: Floats, design: Design, grace_days: int) -> None:
    if not len(stop) == len(kind) == len(begin) == design.n_rows:
        raise ValueError("stop_day, cause, start_day and the design differ in length")
    if not len(stop):
        raise NotEstimableError("no_people")
    if grace_days < 0 or stop.min() < 1 or kind.min() < 0 or kind.max() > N_CAUSES:
        raise ValueError("follow-up must last to day 1 at least, causes be 0..3, grace_days 0 up")
    known = begin[~np.isnan(begin)]
    if (known < 0).any() or not (known == np.round(known)).all():
        raise ValueError("start_day must hold whole days of 0 or more")
    if design.own.names:
        raise ValueError("give what changes as changes, not as columns by episode")


def number_days(cuts: Sequence[int], last_day: int, first: int = 1) -> npt.NDArray[np.int32]:
    """The interval of each day 0..last_day (days before the first count with it).

    Raises:
        ValueError: days not ascending from the first.
    """
    ascending = np.asarray(cuts, dtype=np.int64)
    if not len(ascending) or ascending[0] != first or not (np.diff(ascending) > 0).all():
        raise ValueError(f"cut_days must ascend from {first}")
    days = np.maximum(np.arange(last_day + 1), first)
    return (np.searchsorted(ascending, days, side="right") - 1).astype(np.int32)


def _build_nothing(n_people: int) -> tuple[Days, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Segments of people in whom nothing changes."""
    nothing = np.zeros(n_people, np.int32)
    return np.arange(n_people + 1, dtype=np.int64), nothing, nothing


def _pool_days(people: People, interval: npt.NDArray[np.int32], values: Floats) -> Pooled:
    """Runs of days at risk of a start: cut where an interval or a segment begins."""
    grace, n_intervals = len(interval) - 1, int(interval.max()) + 1
    last = np.minimum(people.stop - 1, grace).astype(np.int64)
    last = np.where(people.start >= 0, np.minimum(last, people.start), last)
    cuts = np.flatnonzero(np.diff(interval, prepend=-1))
    counts = np.diff(people.first_segment)
    owner, begin = np.repeat(np.arange(len(last)), counts), people.segment_day.astype(np.int64)
    # a segment on day 0 is the first one of its entry, which begins with the first interval
    is_cut = interval[begin] != interval[np.maximum(begin - 1, 0)]
    extra = (begin > 0) & ~is_cut
    key = (np.arange(len(last))[:, None] * (grace + 1) + cuts).reshape(-1)
    if extra.any():
        key = np.sort(np.append(key, owner[extra] * (grace + 1) + begin[extra]))
    who, day = np.divmod(key, grace + 1)
    segment = np.searchsorted(owner * (grace + 1) + begin, key, side="right") - 1
    days = np.minimum(np.append(day[1:], grace + 1) - 1, last[who])
    is_end = np.append(who[1:] != who[:-1], True)
    days = np.where(is_end, last[who], days) - day + 1
    is_in = day <= last[who]
    first = np.append(0, np.cumsum(np.bincount(who[is_in], minlength=len(last))))
    cell = people.segment_pattern[segment] * n_intervals + interval[day]
    marks = np.tile(np.eye(n_intervals), (len(values), 1))
    effects = np.hstack([marks, np.repeat(values, n_intervals, axis=0)])
    return Pooled(
        first.astype(np.int64), cell[is_in].astype(np.int32), days[is_in].astype(np.int32),
        people.start >= 0, np.ascontiguousarray(effects),
    )  # fmt: skip


def _pool_end(people: People, grace_days: int, values: Floats) -> Pooled:
    """A row for who is event-free at the end of the grace time, with what holds on its last day."""
    is_in = people.stop > grace_days
    first = np.append(0, np.cumsum(is_in)).astype(np.int64)
    cell = people.segment_pattern[people.first_segment[1:] - 1][is_in]
    effects = np.hstack([np.ones((len(values), 1)), values])
    is_start = (people.start >= 0) & is_in
    return Pooled(first, cell, np.ones(len(cell), np.int32), is_start, effects)
