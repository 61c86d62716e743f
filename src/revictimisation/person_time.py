"""Person-time: each entry's follow-up cut into episodes within which nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

COUNT = "int32"


def build_episodes(
    follow_up: ir.Table, event_days: ir.Table, spells: ir.Table, measures: Sequence[str]
) -> ir.Table:
    """Cut follow-up where a measure begins or ends or an event happens.

    Takes `follow_up` (entry_id, stop_day: the end of follow-up), `event_days` (entry_id, day) and
    `spells` (entry_id, measure, start_day, stop_day). Gives a row per episode `(start_day,
    stop_day]`: entry_id, start_day, stop_day, is_event (an event on stop_day), and for each
    measure 1 while in force, else 0. Overlapping spells of a measure are one. An event on the day
    a measure starts lies before it, one on the day it ends within it.

    Each change is one row of steps (+1, -1); summing them in the order of days gives the state.
    The cost is that of one sort.
    """
    within = spells.join(follow_up.select("entry_id", end_day=follow_up.stop_day), "entry_id")
    within = within.select(
        "entry_id",
        "measure",
        start_day=ibis.greatest(within.start_day, 0),
        stop_day=ibis.least(within.stop_day, within.end_day),
    ).filter(lambda t: t.start_day < t.stop_day)
    begins = _changes(within, within.start_day, measures, sign=1)
    ends = _changes(within, within.stop_day, measures, sign=-1)
    zero = ibis.literal(0).cast(COUNT)
    idle = {name: zero for name in measures}
    start = follow_up.select("entry_id", day=zero, is_event=zero, **idle)
    stop = follow_up.select("entry_id", day=follow_up.stop_day.cast(COUNT), is_event=zero, **idle)
    event = event_days.select(
        "entry_id", day=event_days.day.cast(COUNT), is_event=(zero + 1).cast(COUNT), **idle
    )
    changes = ibis.union(begins, ends, start, stop, event)
    points = changes.group_by(["entry_id", "day"]).aggregate(
        is_event=changes.is_event.max(),
        **{name: changes[name].sum().cast(COUNT) for name in measures},
    )
    past = ibis.cumulative_window(group_by="entry_id", order_by="day")
    order = ibis.window(group_by="entry_id", order_by="day")
    states = points.mutate(
        start_day=points.day.lag().over(order),
        **{name: points[name].sum().over(past) - points[name] for name in measures},
    )
    return (
        states.filter(states.start_day.notnull())
        .select(
            "entry_id",
            "start_day",
            stop_day=ibis._.day,
            is_event=(ibis._.is_event > 0),
            **{name: (states[name] > 0).cast("int8") for name in measures},
        )
        .order_by(["entry_id", "start_day"])
    )


def _changes(
    spells: ir.Table, day: ir.IntegerValue, measures: Sequence[str], sign: int
) -> ir.Table:
    """One row a spell: on `day` its measure goes up or down by one."""
    steps = {
        name: ((spells.measure == name).cast(COUNT) * sign).cast(COUNT) for name in measures
    }
    zero = ibis.literal(0).cast(COUNT)
    return spells.select("entry_id", day=day.cast(COUNT), is_event=zero, **steps)
