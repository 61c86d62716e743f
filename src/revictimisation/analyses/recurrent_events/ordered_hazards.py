"""Prentice, Williams and Peterson's hazard ratios: every new report with a baseline of its own."""

from __future__ import annotations

import pandas as pd

from revictimisation.analyses.analysis import frame_checks, tell_checks
from revictimisation.analyses.in_force import fit_in_force
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Whole
from revictimisation.core.results import combine, make_estimates
from revictimisation.estimators.design import Design
from revictimisation.estimators.recurrent import make_pwp_gap_time, make_pwp_total_time

CLOCKS = {"pwp_total_time": make_pwp_total_time, "pwp_gap_time": make_pwp_gap_time}


def estimate_ordered_hazards(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate hazard ratios of all measures together while in force, by number of outcome.

    A person is at risk of the k-th outcome only after the one before; from the plan's
    `last_event_stratum` on outcomes share a stratum. Estimator `pwp_total_time` counts days from
    the index report, `pwp_gap_time` from the outcome before. Analysis `main` adjusts for the
    study's `adjust_for`, `unadjusted` for nothing (the measures are still held together); errors
    are clustered by victim. `n_people` are entries ever exposed, `n_events` outcomes while exposed.
    """
    parts: list[pd.DataFrame] = []
    notes: list[dict[str, object]] = []
    measures = list(data.plan.measure_names)
    for estimator, make in CLOCKS.items():
        clocked = make(data.episodes, last_stratum=data.plan.definitions.last_event_stratum)
        for analysis, is_adjusted in (("main", True), ("unadjusted", False)):

            def design(
                entry: Whole, clocked: pd.DataFrame = clocked, is_adjusted: bool = is_adjusted
            ) -> Design:
                return data.design(entry, clocked[measures], is_adjusted=is_adjusted)

            found = fit_in_force(data, clocked, design, strata=clocked["stratum"].to_numpy())
            keys = {"question": "q2", "outcome": data.plan.outcome.who, "estimator": estimator}
            parts.append(make_estimates(found.rows, analysis=analysis, **keys))
            notes += tell_checks(found.checks, f"{estimator}_{analysis}")
    return combine(parts), frame_checks(notes)
