"""Person-time: each entry's follow-up cut into episodes within which nothing changes."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd


def build_episodes(
    follow_up: ir.Table, event_days: ir.Table, spells: ir.Table, measures: Sequence[str]
) -> pd.DataFrame:
    """Cut follow-up where a measure begins or ends or an event happens.

    Takes `follow_up` (entry_id, stop_day: the end of follow-up), `event_days` (entry_id, day) and
    `spells` (entry_id, measure, start_day, stop_day). Gives a row per episode `(start_day,
    stop_day]`, by entry and day: entry_id, start_day, stop_day, is_event (an event on stop_day),
    and for each measure 1 while in force, else 0. Overlapping spells of a measure are one. An event
    on the day a measure starts lies before it, one on the day it ends within it.

    The engine gathers what changes, a row per change; one sort puts the rows in order, and the
    running sum of a measure's ups and downs is how many of its spells are in force. All entries
    share that sum, as each entry's own ups and downs cancel out.
    """
    entry_id, turn, kind = _sort_changes(
        _gather_changes(follow_up, event_days, spells, measures).to_pandas()
    )
    day = turn >> 1
    # A row on a later day than the one before it closes an episode; the sums before it hold there.
    closes = np.flatnonzero((entry_id[1:] == entry_id[:-1]) & (day[1:] > day[:-1])) + 1
    episodes = {
        "entry_id": entry_id[closes],
        "start_day": day[closes - 1],
        "stop_day": day[closes],
        "is_event": turn[closes] & 1 == 0,
    }
    for number, name in enumerate(measures):
        begins, ends = (kind == _kind(number, step) for step in (1, -1))
        n_in_force = np.cumsum(begins.view(np.int8) - ends.view(np.int8), dtype=np.int32)
        episodes[name] = (n_in_force[closes - 1] > 0).astype(np.int8)
    return pd.DataFrame(episodes)


def _sort_changes(changes: pd.DataFrame) -> list[np.ndarray]:
    """The columns in their order, as 32-bit numbers; each row is sorted as one 64-bit number."""
    columns = [changes[name].to_numpy(np.int64) for name in ("entry_id", "turn", "kind")]
    n_bits = [int(column.max(initial=0)).bit_length() for column in columns]
    if sum(n_bits) > 63:
        raise OverflowError("too many entries, days and measures to sort at once")
    shifts = [n_bits[1] + n_bits[2], n_bits[2], 0]
    packed = np.sort(sum(column << shift for column, shift in zip(columns, shifts, strict=True)))
    return [
        (packed >> shift & (1 << n) - 1).astype(np.int32)
        for shift, n in zip(shifts, n_bits, strict=True)
    ]


def _gather_changes(
    follow_up: ir.Table, event_days: ir.Table, spells: ir.Table, measures: Sequence[str]
) -> ir.Table:
    """A row per beginning or end of a spell or of follow-up, and per event.

    Columns: entry_id, turn (twice the day, and 1 but for an event, so that the event comes first
    of what happens on its day: it closes the episode), kind (what changes; 0: no measure).
    """
    within = spells.join(follow_up.select("entry_id", end_day=follow_up.stop_day), "entry_id")
    within = within.select(
        "entry_id",
        "measure",
        start_day=ibis.greatest(within.start_day, 0),
        stop_day=ibis.least(within.stop_day, within.end_day),
    ).filter(lambda t: t.start_day < t.stop_day)

    def kind(step: int) -> ir.IntegerValue:
        kinds = [(within.measure == name, _kind(at, step)) for at, name in enumerate(measures)]
        return ibis.cases((within.measure.isnull(), 0), *kinds, else_=0)

    return ibis.union(
        _changes(within, within.start_day, kind(step=1)),
        _changes(within, within.stop_day, kind(step=-1)),
        _changes(follow_up, ibis.literal(0)),
        _changes(follow_up, follow_up.stop_day),
        _changes(event_days, event_days.day, is_event=True),
    )


def _kind(measure: int, step: int) -> int:
    """The number, from 1, of a change: the beginning (step 1) or end (-1) of a spell."""
    return 2 * measure + (1 if step > 0 else 2)


def _changes(
    table: ir.Table,
    day: ir.IntegerValue,
    kind: ir.IntegerValue | None = None,
    is_event: bool = False,
) -> ir.Table:
    return table.select(
        "entry_id",
        turn=(day.cast("int32") * 2 + int(not is_event)).cast("int32"),
        kind=(ibis.literal(0) if kind is None else kind).cast("int16"),
    )
