"""Cause-specific and subdistribution hazards side by side, from the end of the grace time on.

A description beside the target trial, not another answer to its question: a landmark analysis.
Those still free of every event at the end of a measure's grace time are compared by whether it had
started by then; the clock starts there. What the measure does within the grace time is not in it,
nor who had an event meanwhile. Fine and Gray's model needs covariates that stand fixed from its day
0 on (after a competing event nobody knows those that change), and so takes no measure while in
force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.codes import CAUSES
from revictimisation.cohort_data import StudyData
from revictimisation.estimators.design import Design
from revictimisation.estimators.fine_gray import fit_cause_specific, fit_fine_gray
from revictimisation.estimators.hazard_rows import lay_hazard_rows, lay_no_answer
from revictimisation.results import WITHHELD, make_estimates

HAZARDS = {"cause_specific_hazard": fit_cause_specific, "fine_gray": fit_fine_gray}
EITHER = "death_or_emigration"
FEW = "n_events"  # the gate's name
Row = dict[str, Any]
Whole = npt.NDArray[np.int64]


def estimate_competing_hazards(data: StudyData) -> pd.DataFrame:
    """Estimate both hazard ratios of each event for each measure: started by the landmark or not.

    Estimators `cause_specific_hazard` and `fine_gray`; `outcome` is the study's, death or
    emigration. Adjusted for the study's `adjust_for` at the index report, errors clustered by
    victim. Entries in whom the measure ran before day 0 are not eligible. `n_people` and `n_events`
    are of those who started. An event that either group has more rarely than the study's gate
    (`events_per_arm`) is not modelled but withheld (`n_events`); where that befalls death or
    emigration the two stand together as well (`death_or_emigration`).
    """
    rows = [row for measure in data.plan.measure_names for row in _compare_groups(data, measure)]
    return make_estimates(rows, question="q2")


@dataclass(frozen=True, eq=False)
class _Landmark:
    """Those event-free at the end of the grace time, a place per entry; `stop` counts from there.

    `design`: None where there are not two groups, for which `reason` stands.
    """

    stop: Whole
    cause: Whole
    cluster: Whole
    is_started: npt.NDArray[np.bool_]
    design: Design | None
    reason: str


def _compare_groups(data: StudyData, measure: str) -> list[Row]:
    landmark = _gather(data, measure)
    rows: list[Row] = []
    is_few = False
    names = (data.plan.outcome.who, *CAUSES[1:])
    single = {name: (number,) for number, name in enumerate(names, start=1)}
    for outcome, causes in {**single, EITHER: (2, 3)}.items():
        if outcome == EITHER and not is_few:
            break
        found = _fit_both(landmark, causes, measure, data.plan.gates.events_per_arm)
        is_few |= len(causes) == 1 and found[0].get("reason") == FEW and causes != (1,)
        rows += [row | {"measure": measure, "outcome": outcome} for row in found]
    return rows


def _gather(data: StudyData, measure: str) -> _Landmark:
    grace = data.plan.measures[measure].grace_days
    starts = data.starts_of(measure)
    is_in = ~starts["is_running_before"].to_numpy() & (data.entries["stop_day"] > grace).to_numpy()
    entries = data.entries[is_in]
    is_started = (starts["first_start_day"].to_numpy() <= grace)[is_in]
    reason = "" if is_started.any() else "nobody_started"
    if len(entries) and is_started.all():
        reason = "everybody_started"
    design = None
    if not reason:
        started = {measure: is_started.astype(np.int64)}
        design = data.design(np.arange(len(entries)), started, chosen=is_in)
    days, cause, cluster = (
        entries[name].to_numpy() for name in ("stop_day", "cause", "cluster_id")
    )
    return _Landmark(days - grace, cause, cluster, is_started, design, reason)


def _fit_both(
    landmark: _Landmark, causes: tuple[int, ...], measure: str, least: float
) -> list[Row]:
    """Rows of both hazards of the events of `causes`, the other events competing."""
    is_mine = np.isin(landmark.cause, causes)
    n_started = int((is_mine & landmark.is_started).sum())
    counts = {"n_people": int(landmark.is_started.sum()), "n_events": n_started}
    cause = np.where(is_mine, 1, np.where(landmark.cause > 0, 2, 0))
    rows = []
    for name, fit in HAZARDS.items():
        if landmark.design is None:
            found = [lay_no_answer(landmark.reason, counts)]
        elif min(n_started, int(is_mine.sum()) - n_started) < max(least, 1):
            found = [lay_no_answer(FEW, counts) | {"status": WITHHELD}]
        else:
            fitted = fit(landmark.design, landmark.stop, cause, cluster=landmark.cluster)
            found = lay_hazard_rows(fitted, measure, counts)
        rows += [row | {"estimator": name} for row in found]
    return rows
