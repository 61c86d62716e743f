"""Question 4, time to decision: the rate at which cases are decided, before and after a measure.

Cause-specific Cox models from day 0 to the first decision, all cases in them (also those that the
landmark of `association` leaves out), open ones censored at the end of the data. Measures count
from the day after they start, 0 before: time without a measure is time without it, whoever gets it
later. Once started a measure stays started; what starts on the day of the decision comes after it.
Outcomes: `decided` (any first decision), `cleared` (prosecution, summary penalty or waiver),
`discontinued`; a hazard ratio above 1 of the first means earlier decisions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.analyses.convictions.case_states import REACHED, Paths
from revictimisation.analyses.convictions.landmark import build_facts
from revictimisation.analyses.in_force import fit_in_force
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Floats, Whole
from revictimisation.core.codes import EVIDENCE
from revictimisation.core.results import combine, make_estimates

OUTCOMES = ("decided", "cleared", "discontinued")
SAME = {"question": "q4", "estimator": "cox_time_varying", "analysis": "main"}


def estimate_decision_time(data: StudyData, paths: Paths) -> pd.DataFrame:
    """Estimate hazard ratios of the first decision, of all measures together, adjusted."""
    decided = paths.first_day_in(REACHED["decided"])
    stop = np.where(np.isnan(decided), paths.end_day, decided).astype(np.int64)
    episodes = cut_at_starts(data, stop)
    entry = episodes["entry_id"].to_numpy()
    measures = data.plan.measure_names
    facts = {name: value[entry] for name, value in build_facts(data, EVIDENCE).items()}
    columns = facts | {name: episodes[name].to_numpy(np.float64) for name in measures}
    design = data.design(entry, columns)
    is_last = episodes["stop_day"].to_numpy() == stop[entry]
    parts = []
    for outcome in OUTCOMES:
        happened = paths.first_day_in(REACHED[outcome]) == decided
        mine = episodes.assign(is_event=is_last & happened[entry])
        found = fit_in_force(data, mine, lambda _: design, no_events="no_decisions")
        parts.append(make_estimates(found.rows, outcome=outcome, **SAME))
    out = combine(parts)
    # of a decision, not of a new report
    out["reason"] = out["reason"].replace("no_events_while_exposed", "no_decisions")
    return out


def cut_at_starts(data: StudyData, stop: Whole) -> pd.DataFrame:
    """Cut each entry's time up to `stop` at the starts of measures.

    A row per piece (start_day, stop_day]: entry_id and a column 0/1 per measure, 1 once it has
    started. Entries decided on day 0 have none.

    Returns:
        pieces in order of entry and day.
    """
    n = len(stop)
    begun = {name: _find_begun(data, name) for name in data.plan.measure_names}
    cuts = np.column_stack([np.zeros(n), *begun.values()])
    entry, column = np.nonzero((cuts < stop[:, None]) & ~np.isnan(cuts))
    pieces = pd.DataFrame({"entry_id": entry, "start_day": cuts[entry, column].astype(np.int64)})
    pieces = pieces.drop_duplicates().sort_values(["entry_id", "start_day"], ignore_index=True)
    following = pieces.groupby("entry_id")["start_day"].shift(-1)
    last = pd.Series(stop[pieces["entry_id"].to_numpy()], index=pieces.index)
    pieces["stop_day"] = following.fillna(last).astype("int64")
    for name, day in begun.items():
        on = day[pieces["entry_id"].to_numpy()] <= pieces["start_day"].to_numpy()
        pieces[name] = on.astype(np.int64)
    return pieces


def _find_begun(data: StudyData, measure: str) -> Floats:
    """The day on which each entry's measure began; 0 if it ran before, NaN if it never did."""
    starts = data.starts_of(measure)
    first: Floats = starts["first_start_day"].to_numpy(np.float64)
    return np.where(starts["is_running_before"].to_numpy(), 0.0, first)
