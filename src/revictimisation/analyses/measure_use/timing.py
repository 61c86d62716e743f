"""How soon a measure starts, and how long it lasts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine, hold_to_follow_up, make_estimates, not_estimable
from revictimisation.estimators.curves import aalen_johansen, find_median_day
from revictimisation.estimators.inference import Estimate

FIRST_START = {
    "question": "q1",
    "analysis": "first_start",
    "outcome": "measure_start",
    "estimator": "aalen_johansen",
    "estimand": "cumulative_incidence",
}


def estimate_first_start(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """Estimate time to the first measure, competing with a new report, death and emigration.

    Aalen-Johansen along the plan's `start_days`, outcome `measure_start`; for each study measure
    (entries in which it ran before day 0 left out) and for any measure of either agency, the latter
    also by risk level. On one day a new report comes before a start. A measure that nobody starts
    has no curve: whether the extract registers it can't be told.
    """
    carried_out = hits[hits["outcome"] == "carried_out"]
    any_start = carried_out[carried_out["analysis"] == "by_agency"]
    any_day = any_start.groupby("entry_id")["day"].min().reindex(data.entries["entry_id"])
    everyone = np.ones(len(data.entries), bool)
    parts = [_first_start_rows(data, any_day.to_numpy(), everyone, measure="any")]
    levels = data.subgroup("risk_level")
    if levels is not None:
        for level in sorted(levels.unique()):
            chosen = (levels == level).to_numpy()
            keys = {"measure": "any", "subgroup": "risk_level", "level": level}
            parts.append(_first_start_rows(data, any_day.to_numpy(), chosen, **keys))
    for measure in data.plan.measure_names:
        starts = data.starts_of(measure)
        is_eligible = ~starts["is_running_before"].to_numpy()
        day = starts["first_start_day"].to_numpy()
        if np.isnan(day).all():  # nobody got it, or nobody wrote down who did
            parts.append(not_estimable("nobody_started", measure=measure, **FIRST_START))
            continue
        parts.append(_first_start_rows(data, day, is_eligible, measure=measure))
    return combine(parts)


def _first_start_rows(
    data: StudyData, start_day: np.ndarray, chosen: np.ndarray, **keys: str
) -> pd.DataFrame:
    entries = data.entries[chosen]
    if entries.empty:
        return make_estimates([])
    start = start_day[chosen]
    is_start = start < entries["stop_day"].to_numpy()
    stop = np.where(is_start, start, entries["stop_day"].to_numpy()).astype(int)
    cause = np.where(is_start, 1, np.where(entries["cause"] > 0, 2, 0))
    curve = aalen_johansen(
        stop,
        cause,
        at_days=data.plan.start_days,
        cluster=entries["cluster_id"].to_numpy(),
        n_causes=2,
    )
    curve = curve[curve["cause"] == 1].drop(columns=["cause", "n_at_risk"])
    return make_estimates(
        hold_to_follow_up(curve).assign(n_people=len(entries)),
        **FIRST_START,
        **keys,
    )


def estimate_durations(data: StudyData) -> pd.DataFrame:
    """Estimate how long each code's measures last, in days, each measure counted once.

    `duration_mean_days` over measures that ended within the data, `duration_median_days` by
    Kaplan-Meier with those still in force censored at the end of the data.
    """
    decisions = data.decisions
    entries = data.entries.iloc[decisions["entry_id"].to_numpy(dtype=int)]
    start = decisions["start_day"].astype(float).to_numpy()
    is_in = (start >= 0) & (start < entries["end_day"].to_numpy())
    spells = decisions[is_in].assign(last_day=entries["data_end_day"].to_numpy()[is_in])
    spells = spells.drop_duplicates(["source", "row_number"])
    rows = []
    for code, one in spells.groupby("code", sort=True):
        began, ended, last = one[["start_day", "stop_day", "last_day"]].to_numpy(dtype=float).T
        is_ended = ended <= last
        length = np.maximum(np.minimum(ended, last) - began, 0).astype(int)
        rows += _duration_rows(str(code), length, is_ended)
    same = {"question": "q1", "analysis": "duration", "estimator": "description"}
    return make_estimates(rows, **same)


def _duration_rows(code: str, length: np.ndarray, is_ended: np.ndarray) -> list[dict[str, object]]:
    keys = {"measure": code, "outcome": "carried_out", "n_people": len(length)}
    keys["n_events"] = int(is_ended.sum())
    if not is_ended.any():
        why = {"status": "not_estimable", "reason": "none_ended"}
        return [{**keys, "estimand": "duration_mean_days", **why}]
    ended = length[is_ended]
    se = ended.std(ddof=1) / np.sqrt(len(ended)) if len(ended) > 1 else np.nan
    mean = Estimate.with_error([ended.mean()], [se]).interval()
    rows = [{**keys, "estimand": "duration_mean_days", **mean.row()}]
    median = find_median_day(length, is_ended)
    if median is not None:
        rows.append({**keys, "estimand": "duration_median_days", "estimate": float(median)})
    return rows
