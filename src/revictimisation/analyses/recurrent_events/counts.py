"""How many new reports a person has had by each day, death and emigration ending the count."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import (
    combine,
    hold_to_follow_up,
    make_estimates,
    not_estimable,
)
from revictimisation.estimators.mean_count import mean_cumulative_count
from revictimisation.estimators.recurrent import mark_terminal

ESTIMATOR, ESTIMAND = "mean_cumulative_count", "mean_count"


def estimate_mean_counts(data: StudyData) -> pd.DataFrame:
    """Estimate the mean cumulative count of outcomes (Ghosh-Lin), measure empty.

    At the study's `report_at_days` (analysis `main`), for everybody and for each level of each
    subgroup, and along the curve (`curve`) for everybody. `n_people` are entries, `n_events` their
    outcomes up to the day, the first and all later ones.
    """
    plan = data.plan
    same = {"question": "q2", "estimator": ESTIMATOR, "estimand": ESTIMAND}
    same |= {"outcome": plan.outcome.who}
    if data.entries.empty:
        return not_estimable("empty_cohort", **same)
    days = tuple(plan.days_within_horizon)
    parts = [
        not_estimable("beyond_horizon", time_days=day, **same) for day in plan.days_beyond_horizon
    ]
    everybody = np.ones(len(data.entries), np.bool_)
    tables = [_count(data, everybody, plan.curve_days).assign(analysis="curve")]
    if days:
        tables.append(_count(data, everybody, days))
        for name in plan.subgroups:
            levels = data.subgroup(name)
            if levels is None:
                parts.append(not_estimable("table_absent", subgroup=name, **same))
                continue
            tables += [
                _count(data, (levels == level).to_numpy(), days).assign(subgroup=name, level=level)
                for level in sorted(levels.unique())
            ]
    return combine([*parts, make_estimates(pd.concat(tables, ignore_index=True), **same)])


def _count(data: StudyData, chosen: np.ndarray, days: tuple[int, ...]) -> pd.DataFrame:
    """The mean count of the chosen entries, a row per day."""
    episodes = data.episodes
    entry = episodes["entry_id"].to_numpy()
    is_left = mark_terminal(entry, data.entries["end_cause"].to_numpy() > 0)
    is_in = chosen[entry]
    curve = mean_cumulative_count(
        episodes["start_day"].to_numpy()[is_in],
        episodes["stop_day"].to_numpy()[is_in],
        episodes["is_event"].to_numpy()[is_in],
        is_left[is_in],
        at_days=days,
        cluster=data.entries["cluster_id"].to_numpy()[entry[is_in]],
    )
    return hold_to_follow_up(curve.drop(columns="n_at_risk")).assign(n_people=int(chosen.sum()))
