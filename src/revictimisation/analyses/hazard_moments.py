"""What a study can tell others of its time-varying Cox model, so that it can be pooled."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.estimators.cox_moments import Moments, find_moments, profile_out
from revictimisation.estimators.faults import NotEstimableError


def tabulate_moments(data: StudyData, at: Mapping[str, float] | None = None) -> pd.DataFrame:
    """The moments of the study's measures in the model of `cox_time_varying`, main analysis.

    A row per number (`Moments.to_frame`); none where there is no event. What the study adjusts for
    is at its best and profiled out. `at`: measures and the log hazard ratios they are held at.
    """
    episodes, measures = data.first_episodes, list(data.plan.measure_names)
    entry = episodes["entry_id"].to_numpy()
    design = data.design(entry, episodes[measures], without=data.plan.strata)
    try:
        found = find_moments(
            design,
            episodes["start_day"].to_numpy(),
            episodes["stop_day"].to_numpy(),
            episodes["is_event"].to_numpy(bool),
            cluster=data.entries["cluster_id"].to_numpy()[entry],
            strata=data.strata(entry),
            at=at,
        )
    except NotEstimableError:
        return no_moments()
    return profile_out(found, {*found.names} - {*measures}).to_frame()


def no_moments() -> pd.DataFrame:
    """The table of a study that tells nothing of its model."""
    return Moments.empty().to_frame()
