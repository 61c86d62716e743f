"""A measure's target trial from a study's tables: what several analyses of it are given alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.cohort_data import StudyData
from revictimisation.estimators.target_trial.changes import Changes, count_changes, spell_changes
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial

Whole = npt.NDArray[np.int64]


def build_trial(
    data: StudyData,
    measure: str,
    stop_day: npt.ArrayLike,
    cause: npt.ArrayLike,
    more_changes: Mapping[str, Changes] | None = None,
    cut_days: Sequence[int] | None = None,
) -> Trial:
    """Lay out the target trial of a measure with the study's grace time and covariates.

    Args:
        stop_day, cause: by entry of the whole cohort, as in `prepare_trial`. Entries in whom the
            measure ran before day 0 are left out here.
        more_changes: covariates that change, beside other measures in force, by place among the
            entries that are left (`eligible_ids`).
        cut_days: as in `prepare_trial`, for models of another trial.

    Raises:
        NotEstimableError: nobody, nobody started, or everybody did.
    """
    starts = data.starts_of(measure)
    is_in = ~starts["is_running_before"].to_numpy()
    changes = list_other_measures(data, measure, eligible_ids(data, measure))
    return prepare_trial(
        np.asarray(stop_day)[is_in],
        np.asarray(cause)[is_in],
        starts["first_start_day"].to_numpy()[is_in],
        data.design(chosen=is_in),
        grace_days=data.plan.measures[measure].grace_days,
        cluster=data.entries["cluster_id"].to_numpy()[is_in],
        changes={**changes, **(more_changes or {})},
        cut_days=cut_days,
    )


def eligible_ids(data: StudyData, measure: str) -> Whole:
    """`entry_id` of those in whom the measure did not run before day 0, in order."""
    is_in = ~data.starts_of(measure)["is_running_before"].to_numpy()
    return data.entries["entry_id"].to_numpy(np.int64)[is_in]


def list_other_measures(data: StudyData, measure: str, entry_id: Whole) -> dict[str, Changes]:
    """What else is in force on each day of the grace time: it may lead to a start.

    Joint measures are left out: they are made of the others' starts, this measure's among them.
    """
    if not data.plan.adjust_for or data.plan.is_joint(measure):
        return {}
    changes = {}
    for other in data.plan.measure_names:
        if other == measure or data.plan.is_joint(other):
            continue
        at, spells = _place_rows(data.spells[data.spells["measure"] == other], entry_id)
        if len(at):
            days = spells[["start_day", "stop_day"]].to_numpy(dtype=np.int64)
            changes[other] = spell_changes(at, days[:, 0], days[:, 1])
    return changes


def count_outcomes(data: StudyData, entry_id: Whole) -> Changes:
    """How many outcomes an entry has had before each day, to `earlier_reports_cap`."""
    at, days = list_outcomes(data, entry_id)
    return count_changes(at, days, data.plan.earlier_reports_cap)


def list_outcomes(data: StudyData, entry_id: Whole) -> tuple[Whole, Whole]:
    """All outcomes of these entries, past the first: the place of the entry among them, the day."""
    events = data.episodes[data.episodes["is_event"].to_numpy(bool)]
    at, rows = _place_rows(events, entry_id)
    return at, rows["stop_day"].to_numpy(np.int64)


def _place_rows(rows: pd.DataFrame, entry_id: Whole) -> tuple[Whole, pd.DataFrame]:
    """The rows of these entries, and the place of each one's entry among them."""
    place = pd.Series(np.arange(len(entry_id)), index=entry_id)
    at = place.reindex(rows["entry_id"]).to_numpy(dtype=float)
    is_in = ~np.isnan(at)
    return at[is_in].astype(np.int64), rows[is_in]
