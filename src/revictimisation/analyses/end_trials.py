"""How long a measure lasts, as a trial of its end: what keeping it is weighed by.

Day 0 is an entry's first start of the measure, or so many days in force after it; the measure may
end on a later day, after what else happens on it. *Ended*: within `sequential.keep_days` days, on a
day as people with the same background have it. *Kept*: not within them. Spells with a break of at
most `sequential.gap_days` days between them are one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from revictimisation.analyses.trial_inputs import eligible_ids, list_changes
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.results import FEW_ENDED, FEW_KEPT
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial


def list_kept(data: StudyData, measures: Iterable[str] | None) -> list[str]:
    """Of these measures (all) those of which the study asks how long they last; no joint ones."""
    plan = data.plan
    asked = plan.measure_names if measures is None else measures
    is_on = plan.sequential.is_on
    return [one for one in asked
            if is_on and one in plan.sequential.keep and not plan.is_joint(one)]  # fmt: skip


def find_durations(data: StudyData, measure: str) -> Floats:
    """Days in force from each entry's first start on day 0 or later; infinite: to the end of data.

    NaN: never started, or in force before day 0.
    """
    spells = data.spells[data.spells["measure"].eq(measure) & data.spells["start_day"].ge(0)]
    entry, start, stop = spells[["entry_id", "start_day", "stop_day"]].to_numpy(np.int64).T
    order = np.lexsort((stop, start, entry))
    entry, start, stop = entry[order], start[order], stop[order]
    is_first = np.append(True, entry[1:] != entry[:-1])[: len(entry)]
    # each entry's days lie beyond those of the one before, so that one running maximum serves all
    apart = (np.cumsum(is_first) - 1) * (stop.max(initial=0) + 1)
    reach = np.maximum.accumulate(stop + apart) - apart
    is_broken = ~is_first & (start > np.append(0, reach[:-1]) + data.plan.sequential.gap_days)
    breaks = np.cumsum(is_broken)
    goes_on = breaks == np.repeat(breaks[is_first], np.diff(np.append(np.flatnonzero(is_first),
                                                                       len(entry))))  # fmt: skip
    end = pd.Series(stop[goes_on]).groupby(entry[goes_on]).max()
    starts = data.starts_of(measure)
    names = data.entries["entry_id"]
    lasted = end.reindex(names).to_numpy(np.float64) - starts["first_start_day"].to_numpy()
    lasted[starts["is_running_before"].to_numpy()] = np.nan
    return lasted


def build_end_trial(
    data: StudyData, measure: str, *, after_days: int = 0, chosen: Flags | None = None
) -> Trial:
    """Lay out the trial of a measure's end among the entries event-free when it started.

    Given the baseline, the day on which it started, what else is in force, and what has changed
    since. `after_days`: among those event-free so many days later with it in force. `chosen`:
    entries of the cohort, all of them starters.

    Raises:
        NotEstimableError: fewer victims than the gate asks ended the measure, or kept it.
    """
    plan, keep = data.plan, data.plan.sequential.keep_days
    first, lasted = data.starts_of(measure)["first_start_day"], find_durations(data, measure)
    begin = first.to_numpy() + after_days
    if chosen is None:
        chosen = (begin < data.entries["stop_day"].to_numpy()) & ~np.isnan(lasted)
        chosen &= (lasted > after_days) | (after_days == 0)
    entries, begin, end = data.entries[chosen], begin[chosen], lasted[chosen] - after_days
    stop = entries["stop_day"].to_numpy() - begin
    is_ended = (end < keep) & (end < stop)
    for is_mine, reason in ((is_ended, FEW_ENDED), (~is_ended & (stop >= keep), FEW_KEPT)):
        if entries["cluster_id"][is_mine].nunique() < plan.gates.exposed_victims:
            raise NotEstimableError(reason)
    return prepare_trial(
        stop,
        entries["cause"].to_numpy(),
        np.where(is_ended, end, np.nan),
        data.design(chosen=chosen, marks={"started_on": begin} if plan.adjust_for else {}),
        grace_days=keep - 1,
        cluster=entries["cluster_id"].to_numpy(),
        changes=_list_changes(data, measure, entries["entry_id"].to_numpy(np.int64), begin,
                              np.fmin(end, stop - 1)),
        flexibility=plan.models.flexibility,
    )  # fmt: skip


def _list_changes(
    data: StudyData, measure: str, names: Whole, begin: Floats, last: Floats
) -> dict[str, Changes]:
    """What changes while the measure is in force, in days from its start."""
    keep = data.plan.sequential.keep_days
    ends = begin + np.minimum(last, keep - 1)
    found = list_changes(data, measure, names, ends, until_day=int(ends.max()))
    return {
        name: Changes(one.entry, one.day - begin[one.entry].astype(np.int64), one.value)
        for name, one in found.items()
    }


def place_eligible(data: StudyData, measure: str, places: Whole) -> Flags:
    """Entries of the cohort from places among those of `eligible_ids`."""
    names = eligible_ids(data, measure)[places]
    return data.entries["entry_id"].isin(names).to_numpy()


__all__ = ["build_end_trial", "find_durations", "list_kept", "place_eligible"]
