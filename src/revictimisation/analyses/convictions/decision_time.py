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
import numpy.typing as npt
import pandas as pd

from revictimisation.analyses.convictions.case_states import REACHED, Paths
from revictimisation.analyses.convictions.landmark import build_facts
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import EVIDENCE
from revictimisation.core.results import combine, make_estimates
from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.hazard_rows import (
    count_exposed,
    describe_hazard,
    describe_no_answer,
)

OUTCOMES = ("decided", "cleared", "discontinued")
SAME = {"question": "q4", "estimator": "cox_time_varying", "analysis": "main"}
Whole = npt.NDArray[np.int64]


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
    cluster = data.entries["cluster_id"].to_numpy()[entry]
    parts = []
    for outcome in OUTCOMES:
        happened = paths.first_day_in(REACHED[outcome]) == decided
        is_event = is_last & happened[entry]
        rows = []
        exposed = {m: count_exposed(entry, cluster, is_event, episodes[m] == 1) for m in measures}
        days = (episodes["start_day"].to_numpy(), episodes["stop_day"].to_numpy())
        fit = fit_cox(design, *days, is_event, cluster=cluster) if is_event.any() else None
        for name in measures:
            found = (
                [describe_no_answer("no_decisions", exposed[name].counts)]
                if fit is None
                else describe_hazard(fit, name, exposed[name], data.plan.gates)
            )
            rows += [{"measure": name, **row} for row in found]
        parts.append(make_estimates(rows, outcome=outcome, **SAME))
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


def _find_begun(data: StudyData, measure: str) -> npt.NDArray[np.float64]:
    """The day on which each entry's measure began; 0 if it ran before, NaN if it never did."""
    starts = data.starts_of(measure)
    first: npt.NDArray[np.float64] = starts["first_start_day"].to_numpy(np.float64)
    return np.where(starts["is_running_before"].to_numpy(), 0.0, first)
