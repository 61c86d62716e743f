"""The compiled layout of days by state for the models of outcomes and exits.

State 0: not started within the grace time by the day before; state 1: started by then (a start on
day s acts from s + 1 on). Within an entry, a state and an interval of days, days are alike. Cells:
state 0 by interval, then state 1 by group and interval (`group`: by row of the base columns).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from revictimisation.core.compiled import kernel


@kernel
def count_state_runs(
    people: Any, interval: Any, n_intervals: Any, group: Any, first_cause: Any
) -> Any:
    """Pointers to each entry's rows; arguments as in `lay_state_runs`."""
    first = np.zeros(people.stop.size + 1, np.int64)
    nothing = np.empty(0, np.int32)
    for i in range(people.stop.size):
        n_runs = _lay_entry(
            i, people, interval, n_intervals, group, first_cause, first[i], nothing, nothing
        )
        first[i + 1] = first[i] + n_runs
    return first


@kernel
def lay_state_runs(
    people: Any, interval: Any, n_intervals: Any, group: Any, first_cause: Any, first: Any,
    cell: Any, days: Any,
) -> None:  # fmt: skip
    """Fill cell and number of days of each run.

    `interval` is by day from 0 (not used) to the last; negative: not in the model. An outcome comes
    before other exits: with first_cause 2 (exits) the day of an outcome is not at risk.
    """
    for i in range(people.stop.size):
        _lay_entry(i, people, interval, n_intervals, group, first_cause, first[i], cell, days)


@kernel
def _lay_entry(
    i: Any, people: Any, interval: Any, n_intervals: Any, group: Any, first_cause: Any, at: Any,
    cell: Any, days: Any,
) -> Any:  # fmt: skip
    last = people.stop[i]
    if 0 < people.cause[i] < first_cause:
        last -= 1
    n_runs, previous = 0, -1
    for state in range(2):
        begin = 0 if state == 0 else people.start[i]
        end = last if state == 1 or people.start[i] < 0 else min(people.start[i], last)
        if state == 1 and people.start[i] < 0:
            continue
        for day in range(begin + 1, end + 1):
            if interval[day] < 0:
                continue
            here = interval[day]
            if state == 1:
                here += n_intervals * (1 + group[people.row[i]])
            if here != previous:
                n_runs += 1
                previous = here
                if cell.size:
                    cell[at + n_runs - 1] = here
                    days[at + n_runs - 1] = 0
            if cell.size:
                days[at + n_runs - 1] += 1
    return n_runs
