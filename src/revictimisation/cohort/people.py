"""What a run keeps of its people, so that other cohorts can be held against them (`compare`)."""

from __future__ import annotations

import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.packing import pack_score

FOLLOW_UP = ("entry_id", "cluster_id", "stop_day", "cause")
ARMS = ("start", "no_start")
PLACE = "municipality_code"


def keep_people(data: StudyData, scores: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row per entry, in order: `FOLLOW_UP`, the study's covariates, and scores of its measures.

    The covariates of `adjust_for` and `subgroups`, levels as they may be shown
    (`StudyData.subgroup`), no municipality by itself. `scores`: entry_id, measure, start, no_start
    (`target_trials`); of a measure the columns `start:<measure>` and `no_start:<measure>`, null
    where an entry is not eligible, none where it has no answer.
    """
    names = dict.fromkeys((*data.plan.adjust_for, *data.plan.subgroups))
    kept = data.entries[list(FOLLOW_UP)].reset_index(drop=True)
    shown = data.shown_covariates[[name for name in names if name != PLACE]]
    parts = [kept, shown.reset_index(drop=True)]
    for measure, mine in scores.groupby("measure", sort=False) if scores is not None else ():
        by_entry = mine.set_index("entry_id")[list(ARMS)].reindex(data.entries["entry_id"])
        named = by_entry.rename(columns={arm: pack_score(arm, str(measure)) for arm in ARMS})
        parts.append(named.reset_index(drop=True))
    return pd.concat(parts, axis=1)
