"""Question 4, three denominators: of the reports, of the prosecuted, of the tried.

"The share convicted" is three different numbers. Analysis `of_reports`: of all index reports, by
days from the report. `of_prosecuted`: of those prosecuted, by days from the prosecution, with
acquittal and a prosecution dropped competing. `of_tried`: of those judged by the end of the data,
no time. Cases still open at the end of the data are censored in the first two and not yet among
the tried in the third.

Each is also shown apart (subgroup `definition_period`) for before and from the day on which the
official definitions of clearance changed (`convictions.definitions_change_on` of the study): by the
day of the report, of the prosecution, of the first judgment. What is counted here is the same
before and after; only what it may be held against differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from revictimisation.analyses.convictions.case_states import REACHED, STATES, Paths
from revictimisation.analyses.convictions.ladder import build_reached, follow_paths, hide_absent
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Floats
from revictimisation.core.results import combine, make_estimates, not_estimable
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.influence import label_clusters

OF_REPORTS = {name: REACHED[name] for name in ("cleared", "sanctioned", "convicted")}
OF_PROSECUTED = {name: REACHED[name] for name in ("convicted", "acquitted")}
BEFORE, FROM = "before_change", "from_change"
Keys = Mapping[str, str]


def estimate_denominators(data: StudyData, paths: Paths) -> pd.DataFrame:
    """Estimate the share convicted over each of the three denominators, and by period."""
    same = {"question": "q4"}
    change = data.cases["change_day"].to_numpy(float)
    prosecuted, tried = (paths.first_day_in(REACHED[one]) for one in ("prosecuted", "tried"))
    parts = []
    for keys, chosen in _list_periods(np.zeros(len(change)), change):
        parts.append(_of_reports(data, paths, chosen, {**same, **keys, "analysis": "of_reports"}))
    for keys, chosen in _list_periods(prosecuted, change):
        mine = {**same, **keys, "analysis": "of_prosecuted"}
        parts.append(_of_prosecuted(data, paths, chosen, mine))
    for keys, chosen in _list_periods(tried, change):
        parts.append(_of_tried(data, paths, chosen, {**same, **keys, "analysis": "of_tried"}))
    return hide_absent(combine(parts), data.absent - {"investigations"})


def _list_periods(day: Floats, change: Floats) -> Iterator[tuple[dict[str, str], Flags]]:
    """All who have the day, then by whether it lies before the change of definitions."""
    has = ~np.isnan(day)
    yield {}, has
    for level, chosen in ((BEFORE, day < change), (FROM, day >= change)):
        yield {"subgroup": "definition_period", "level": level}, has & chosen


def _days(data: StudyData) -> list[int]:
    return data.plan.days_within_horizon


def _of_reports(data: StudyData, paths: Paths, chosen: Flags, keys: Keys) -> pd.DataFrame:
    same = {**keys, "estimator": "aalen_johansen"}
    if not chosen.any():
        return not_estimable(
            "no_people", outcome="convicted", estimand="cumulative_incidence", **same
        )
    mine = paths.take(chosen)
    shares = follow_paths(mine, data.entries["cluster_id"].to_numpy()[chosen], _days(data))
    return build_reached(mine, shares, OF_REPORTS, same)


def _of_prosecuted(data: StudyData, paths: Paths, chosen: Flags, keys: Keys) -> pd.DataFrame:
    """By days from the prosecution; who is judged the same day is judged on day 0."""
    same = {**keys, "estimator": "aalen_johansen"}
    if not chosen.any():
        return not_estimable(
            "nobody_prosecuted", outcome="convicted", estimand="cumulative_incidence", **same
        )
    began = paths.first_day_in(REACHED["prosecuted"])[chosen].astype(np.int64)
    mine = paths.take(chosen).count_from(began)
    shares = follow_paths(mine, data.entries["cluster_id"].to_numpy()[chosen], _days(data))
    return build_reached(mine, shares, OF_PROSECUTED, same)


def _of_tried(data: StudyData, paths: Paths, chosen: Flags, keys: Keys) -> pd.DataFrame:
    """Of those judged by the end of the data, the share whose latest judgment convicts."""
    same = {**keys, "estimator": "description", "estimand": "share", "outcome": "convicted"}
    if not chosen.any():
        return not_estimable("nobody_tried", **same)
    state = paths.state_on(paths.end_day)[chosen]
    is_convicted = (state == STATES.index("convicted")).astype(np.float64)
    n = len(is_convicted)
    groups = label_clusters(data.entries["cluster_id"].to_numpy()[chosen], n)
    share = Estimate(is_convicted.mean(), (is_convicted - is_convicted.mean()) / n)
    limits = share.by_cluster(groups)[None].interval("log-log", np.array([float(n)]))
    row = {**limits.row(), "n_people": n, "n_events": int(is_convicted.sum())}
    return make_estimates([row], **same)
