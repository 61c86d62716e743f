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
import pandas as pd

from revictimisation.analyses.by_measure import name_outcomes
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Whole
from revictimisation.core.results import FEW_EVENTS, WITHHELD, make_estimates
from revictimisation.estimators.design import Design
from revictimisation.estimators.fine_gray import fit_cause_specific, fit_fine_gray
from revictimisation.estimators.hazard_rows import (
    Exposure,
    describe_hazard,
    describe_no_answer,
)
from revictimisation.plan import Gates

HAZARDS = {"cause_specific_hazard": fit_cause_specific, "fine_gray": fit_fine_gray}
EITHER = "death_or_emigration"
Row = dict[str, Any]


def estimate_competing_hazards(data: StudyData) -> pd.DataFrame:
    """Estimate both hazard ratios of each event for each measure: started by the landmark or not.

    Estimators `cause_specific_hazard` and `fine_gray`; `outcome` is the study's, death or
    emigration. Adjusted for the study's `adjust_for` at the index report and, if it adjusts for
    anything, for which other measures had started by the landmark; errors clustered by victim.
    Entries in whom the measure ran before day 0 are not eligible. `n_people` and `n_events` are of
    those who started. An event that either group has more rarely than the study's gate
    (`events_per_arm`) is not modelled but withheld (`few_events`); where that befalls death or
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
    is_started: Flags
    design: Design | None
    reason: str


def _compare_groups(data: StudyData, measure: str) -> list[Row]:
    landmark = _gather(data, measure)
    rows: list[Row] = []
    is_few = False
    single = {name: (number,) for number, name in name_outcomes(data.plan).items()}
    for outcome, causes in {**single, EITHER: (2, 3)}.items():
        if outcome == EITHER and not is_few:
            break
        found = _fit_both(landmark, causes, measure, data.plan.gates)
        is_few |= len(causes) == 1 and found[0].get("reason") == FEW_EVENTS and causes != (1,)
        rows += [row | {"measure": measure, "outcome": outcome} for row in found]
    return rows


def _gather(data: StudyData, measure: str) -> _Landmark:
    landmark = data.plan.measures[measure].landmark_day
    starts = data.starts_of(measure)
    is_in = (
        ~starts["is_running_before"].to_numpy() & (data.entries["stop_day"] > landmark).to_numpy()
    )
    entries = data.entries[is_in]
    is_started = data.has_started(measure, landmark)[is_in]
    reason = "" if is_started.any() else "nobody_started"
    if len(entries) and is_started.all():
        reason = "everybody_started"
    design = None
    if not reason:
        others = data.mark_started_by(landmark, measure) if data.plan.adjust_for else {}
        started = {measure: is_started, **{name: mark[is_in] for name, mark in others.items()}}
        design = data.design(np.arange(len(entries)), started, chosen=is_in)
    days, cause, cluster = (
        entries[name].to_numpy() for name in ("stop_day", "cause", "cluster_id")
    )
    return _Landmark(days - landmark, cause, cluster, is_started, design, reason)


def _fit_both(
    landmark: _Landmark, causes: tuple[int, ...], measure: str, gates: Gates
) -> list[Row]:
    """Rows of both hazards of the events of `causes`, the other events competing."""
    is_mine = np.isin(landmark.cause, causes)
    is_started = landmark.is_started
    exposure = Exposure(
        n_people=int(is_started.sum()),
        n_victims=len(np.unique(landmark.cluster[is_started])),
        n_events=int((is_mine & is_started).sum()),
        n_other_events=int((is_mine & ~is_started).sum()),
    )
    # an event that a group hardly has is not modelled at all
    is_few = min(exposure.n_events, exposure.n_other_events) < max(gates.events_per_arm, 1)
    cause = np.where(is_mine, 1, np.where(landmark.cause > 0, 2, 0))
    rows = []
    for name, fit in HAZARDS.items():
        if landmark.design is None:
            found = [describe_no_answer(landmark.reason, exposure.counts)]
        elif is_few:
            found = [describe_no_answer(FEW_EVENTS, exposure.counts) | {"status": WITHHELD}]
        else:
            fitted = fit(landmark.design, landmark.stop, cause, cluster=landmark.cluster)
            found = describe_hazard(fitted, measure, exposure, gates)
        rows += [row | {"estimator": name} for row in found]
    return rows
