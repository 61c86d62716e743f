"""What the cohort and its extract are like, so that another can be held against them (`compare`).

`describe_profile` (question 2, analysis `profile`): the share with a new report by the first report
day in each level of every covariate that is adjusted for, and of the offence groups in each year
too: how many people each level has is the case mix, and their shares its baseline risk. Beside it,
outcome `other_suspect`, the share with a report against somebody else (the negative control), which
measures do not move and the propensity to report does. `describe_volumes` (question 1, analysis
`volumes`; `measure` is the table): the rows of each table by calendar quarter.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, frame_checks, tell_checks
from revictimisation.analyses.sensitivity.negative_controls import OTHER_SUSPECT, follow_controls
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import ANY_SUSPECT, CAUSES, OUTCOME
from revictimisation.core.packing import YEAR, pack_check, pack_within
from revictimisation.core.results import combine, hold_to_follow_up, make_estimates
from revictimisation.estimators.curves import aalen_johansen

PROFILE, VOLUMES = "profile", "volumes"
CALENDAR = "calendar_quarter"
OFFENCES = "offence_group"
FOLLOWED, FILLED = "share_followed", "share_filled"
SAME = {"question": "q2", "analysis": PROFILE, "estimator": "aalen_johansen",
        "estimand": "cumulative_incidence"}  # fmt: skip


def describe_profile(data: StudyData) -> Found:
    """Describe the case mix, its risks and the control outcome; the shares followed and filled.

    The levels are those that may be shown (`StudyData.subgroup`); the extract's own columns are
    left out. Checks: `share_followed` to each report day, of those who are followed at all, were
    there no event; `share_filled` of the rows of each column of the extract.
    """
    plan, entries = data.plan, data.entries
    days = plan.days_within_horizon
    if entries.empty or not days:
        return Found(make_estimates([]), frame_checks([]))
    first = min(days)
    parts = [_share(entries, first, plan.outcome.who)]
    for name, levels in _list_groupings(data):
        for level in sorted(levels.unique()):
            mine = entries[levels.eq(level).to_numpy()]
            parts.append(_share(mine, first, plan.outcome.who, subgroup=name, level=level))
    if plan.outcome.who != ANY_SUSPECT:
        stop, cause = follow_controls(data, "control_day")
        others = entries.assign(stop_day=stop, cause=cause)
        parts += [_share(others, day, OTHER_SUSPECT) for day in days]
    followed = {
        pack_check(FOLLOWED, day): float(entries["data_end_day"].ge(day).mean()) for day in days
    }
    filled = {}
    if len(data.filled):
        told = data.filled[data.filled["n_rows"].gt(0)]
        names = [pack_check(FILLED, *of) for of in zip(told["table"], told["column"], strict=True)]
        filled = dict(zip(names, (told["n_filled"] / told["n_rows"]).tolist(), strict=True))
    return Found(combine(parts), frame_checks(tell_checks(followed | filled, PROFILE)))


def _list_groupings(data: StudyData) -> Iterator[tuple[str, pd.Series]]:
    for name in data.plan.adjust_for:
        levels = None if name.startswith("x_") else data.subgroup(name)
        if levels is None:
            continue
        yield name, levels
        if name == OFFENCES:
            year = pd.to_datetime(data.entries["index_on"]).dt.year.astype(str)
            both = [pack_within(one, other) for one, other in zip(levels, year, strict=True)]
            yield pack_within(name, YEAR), pd.Series(both, index=levels.index)


def _share(entries: pd.DataFrame, day: int, outcome: str, **keys: str) -> pd.DataFrame:
    """The share with the outcome by a day among some: one row."""
    curve = aalen_johansen(
        entries["stop_day"].to_numpy(), entries["cause"].to_numpy(), at_days=[day],
        cluster=entries["cluster_id"].to_numpy(), n_causes=len(CAUSES), causes=[OUTCOME],
    )  # fmt: skip
    mine = curve.assign(n_people=len(entries))
    row = hold_to_follow_up(mine.drop(columns=["cause", "n_at_risk"]))
    return make_estimates(row, outcome=outcome, **SAME, **keys)


def describe_volumes(data: StudyData) -> pd.DataFrame:
    """The rows of each table of the extract by calendar quarter."""
    if data.volumes.empty:
        return make_estimates([])
    counted = data.volumes["n_rows"].to_numpy(np.int64)
    rows = pd.DataFrame(
        {"measure": data.volumes["table"], "level": data.volumes["quarter"],
         "estimate": counted, "n_events": counted}
    )  # fmt: skip
    return make_estimates(
        rows, question="q1", analysis=VOLUMES, subgroup=CALENDAR, estimator="description",
        estimand="count",
    )  # fmt: skip
