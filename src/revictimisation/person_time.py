"""Person-time: each entry's follow-up cut into episodes within which nothing changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

# One 64-bit number holds how many spells of up to 7 measures are in force, a byte each: sums of
# numbers are sums of all their bytes, so the engine sorts and sums one column, not seven.
BITS, PER_WORD = 8, 7


def build_episodes(
    follow_up: ir.Table, event_days: ir.Table, spells: ir.Table, measures: Sequence[str]
) -> ir.Table:
    """Cut follow-up where a measure begins or ends or an event happens.

    Takes `follow_up` (entry_id, stop_day: the end of follow-up), `event_days` (entry_id, day) and
    `spells` (entry_id, measure, start_day, stop_day). Gives a row per episode `(start_day,
    stop_day]`: entry_id, start_day, stop_day, is_event (an event on stop_day), and for each
    measure 1 while in force, else 0. Overlapping spells of a measure are one. An event on the day
    a measure starts lies before it, one on the day it ends within it.

    Each change is one row of steps (up, down); summing them in the order of days gives the state.
    The cost is that of one sort. At most 255 spells of one measure may overlap in one entry.
    """
    words = range(max(1, math.ceil(len(measures) / PER_WORD)))
    within = spells.join(follow_up.select("entry_id", end_day=follow_up.stop_day), "entry_id")
    within = within.select(
        "entry_id",
        "measure",
        start_day=ibis.greatest(within.start_day, 0),
        stop_day=ibis.least(within.stop_day, within.end_day),
    ).filter(lambda t: t.start_day < t.stop_day)
    edges = [(follow_up, 0), (follow_up, follow_up.stop_day)]
    changes = ibis.union(
        _changes(within, within.start_day, _steps(within, measures, words, sign=1)),
        _changes(within, within.stop_day, _steps(within, measures, words, sign=-1)),
        *[_changes(table, day, {_word(n): 0 for n in words}) for table, day in edges],
        _changes(event_days, event_days.day, {_word(n): 0 for n in words}, is_event=1),
    )
    points = changes.group_by(["entry_id", "day"]).aggregate(
        is_event=changes.is_event.max(),
        **{_word(n): changes[_word(n)].sum().cast("int64") for n in words},
    )
    past = ibis.cumulative_window(group_by="entry_id", order_by="day")
    order = ibis.window(group_by="entry_id", order_by="day")
    states = points.mutate(
        start_day=points.day.lag().over(order),
        # The state within (start_day, day] is the one before the changes of `day`.
        **{_word(n): points[_word(n)].sum().over(past) - points[_word(n)] for n in words},
    )
    states = states.filter(states.start_day.notnull())
    return states.select(
        "entry_id",
        "start_day",
        stop_day=states.day,
        is_event=states.is_event > 0,
        **{name: _is_in_force(states, at) for at, name in enumerate(measures)},
    ).order_by(["entry_id", "start_day"])


def _word(number: int) -> str:
    return f"word_{number}"


def _steps(
    spells: ir.Table, measures: Sequence[str], words: range, sign: int
) -> dict[str, ir.IntegerValue]:
    """What each spell adds to each word on the day it begins (sign 1) or ends (-1)."""
    steps = {}
    for number in words:
        mine = measures[number * PER_WORD : (number + 1) * PER_WORD]
        amounts = {name: sign * (1 << (BITS * at)) for at, name in enumerate(mine)}
        cases = [(spells.measure == name, amount) for name, amount in amounts.items()]
        steps[_word(number)] = ibis.cases(*cases, else_=0) if cases else ibis.literal(0)
    return steps


def _changes(table: ir.Table, day: object, steps: dict, is_event: int = 0) -> ir.Table:
    """A row per row of `table`: on `day` the words change by `steps`."""
    number = {"day": day, "is_event": is_event}
    narrow = {name: ibis.literal(n) if isinstance(n, int) else n for name, n in number.items()}
    wide = {name: ibis.literal(n) if isinstance(n, int) else n for name, n in steps.items()}
    return table.select(
        "entry_id",
        **{name: value.cast("int32") for name, value in narrow.items()},
        **{name: value.cast("int64") for name, value in wide.items()},
    )


def _is_in_force(states: ir.Table, at: int) -> ir.IntegerValue:
    word = states[_word(at // PER_WORD)].cast("int64")
    count = (word >> (BITS * (at % PER_WORD))) & ((1 << BITS) - 1)
    return (count > 0).cast("int8")
