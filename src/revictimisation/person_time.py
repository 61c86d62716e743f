"""Person-time: each entry's follow-up cut into episodes within which nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import ibis.expr.types as ir


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
    changes = _sort_changes(_gather_changes(follow_up, event_days, spells, measures).to_pandas())
    entry_id, day = changes["entry_id"].to_numpy(), changes["day"].to_numpy()
    # A row on a later day than the one before it closes an episode; the sums before it hold there.
    closes = np.flatnonzero((entry_id[1:] == entry_id[:-1]) & (day[1:] > day[:-1])) + 1
    episodes = {
        "entry_id": entry_id[closes],
        "start_day": day[closes - 1],
        "stop_day": day[closes],
        "is_event": changes["is_event"].to_numpy()[closes],
    }
    measure, step = changes["measure"].to_numpy(), changes["step"].to_numpy()
    for number, name in enumerate(measures):
        n_in_force = np.cumsum(np.where(measure == number, step, 0), dtype=np.int32)
        episodes[name] = (n_in_force[closes - 1] > 0).astype(np.int8)
    return pd.DataFrame(episodes)


def _sort_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """Order by entry, day and, of one day's changes, the event first: it closes the episode."""
    turn = 2 * changes["day"].to_numpy(np.int64) + ~changes["is_event"].to_numpy()
    key = changes["entry_id"].to_numpy(np.int64) * (turn.max(initial=0) + 1) + turn
    return changes.take(np.argsort(key))


def _gather_changes(
    follow_up: ir.Table, event_days: ir.Table, spells: ir.Table, measures: Sequence[str]
) -> ir.Table:
    """A row per beginning or end of a spell or of follow-up, and per event.

    Columns: entry_id, day, is_event, measure (its number; -1: none), step (1, -1 or 0).
    """
    within = spells.join(follow_up.select("entry_id", end_day=follow_up.stop_day), "entry_id")
    numbers = [(within.measure == name, at) for at, name in enumerate(measures)]
    number = ibis.cases((within.measure.isnull(), -1), *numbers, else_=-1)
    within = within.select(
        "entry_id",
        measure=number,
        start_day=ibis.greatest(within.start_day, 0),
        stop_day=ibis.least(within.stop_day, within.end_day),
    ).filter(lambda t: t.start_day < t.stop_day)
    return ibis.union(
        _changes(within, within.start_day, within.measure, step=1),
        _changes(within, within.stop_day, within.measure, step=-1),
        _changes(follow_up, ibis.literal(0)),
        _changes(follow_up, follow_up.stop_day),
        _changes(event_days, event_days.day, is_event=True),
    )


def _changes(
    table: ir.Table,
    day: ir.IntegerValue,
    measure: ir.IntegerValue | None = None,
    step: int = 0,
    is_event: bool = False,
) -> ir.Table:
    return table.select(
        "entry_id",
        day=day.cast("int32"),
        is_event=ibis.literal(is_event),
        measure=(ibis.literal(-1) if measure is None else measure).cast("int16"),
        step=ibis.literal(step).cast("int8"),
    )
