"""Question 4, the ladder: what has become of the index reports by each day.

Aalen-Johansen over the states of `case_states` (`estimators.multi_state`), errors clustered by
victim. Two readings of one fit: where the cases stand (estimand `share`, subgroup `case_state`, the
levels add up to 1) and how many have come to a rung (`cumulative_incidence`, a row per outcome of
`REACHED`), of which the reasons for discontinuation are a part. The rungs are three different
things with names of their own: `cleared` (a suspect is bound to the crime: prosecution, summary
penalty or waiver), `sanctioned` (conviction, summary penalty or waiver) and `convicted`.

A row is an index report against a suspect. The suspect is named from day 0 (reports without one are
in the attrition); that nobody could be held to be the suspect is a reason for discontinuation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.analyses.convictions.case_states import REACHED, STATES, Paths
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Whole
from revictimisation.core.results import (
    BEYOND_FOLLOW_UP,
    combine,
    make_estimates,
    mark_not_estimable,
    not_estimable,
)
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.multi_state import StateShares, follow_states

INCIDENCE = "cumulative_incidence"
SUBGROUPS = ("offence_group", "relation_group", "is_honour")


def estimate_ladder(
    data: StudyData, paths: Paths, reasons: npt.NDArray[np.object_]
) -> pd.DataFrame:
    """Estimate the ladder: for all, by group and reason, and along the curve (`ladder_curve`)."""
    same = {"question": "q4", "estimator": "aalen_johansen", "analysis": "ladder"}
    days = data.plan.days_within_horizon
    cluster = data.entries["cluster_id"].to_numpy()
    shares = follow_paths(paths, cluster, days)
    curve_days = list(data.plan.curve_days)
    curve = follow_paths(paths, cluster, curve_days)
    parts = [
        build_reached(paths, shares, REACHED, same),
        _build_standing(paths, shares, same),
        _build_standing(paths, curve, {**same, "analysis": "ladder_curve"}),
        _build_reasons(data, paths, reasons, days, same),
    ]
    for name in SUBGROUPS:
        parts += _build_groups(data, paths, data.covariates[name].astype(str), name, days, same)
    parts += [
        not_estimable("beyond_horizon", estimand="cumulative_incidence", time_days=day,
                      outcome="convicted", **same)
        for day in data.plan.days_beyond_horizon
    ]  # fmt: skip
    return hide_absent(combine(parts), data.absent)


def follow_paths(paths: Paths, cluster: Whole, days: Sequence[int]) -> StateShares:
    """Where cases stand on some days, by Aalen-Johansen; `cluster` (the victim) by case."""
    return follow_states(
        paths.first_state, paths.end_day, paths.person, paths.day, paths.state,
        at_days=days, n_states=len(STATES), cluster=cluster,
    )  # fmt: skip


def _build_groups(
    data: StudyData, paths: Paths, levels: pd.Series, name: str, days: Sequence[int],
    same: Mapping[str, str],
) -> list[pd.DataFrame]:  # fmt: skip
    """The rungs within each level of a grouping."""
    parts = []
    cluster = data.entries["cluster_id"].to_numpy()
    for level in sorted(levels.unique()):
        chosen = (levels == level).to_numpy()
        mine = paths.take(chosen)
        keys = {**same, "subgroup": name, "level": str(level)}
        parts.append(build_reached(mine, follow_paths(mine, cluster[chosen], days), REACHED, keys))
    return parts


def build_reached(
    paths: Paths, shares: StateShares, reached: Mapping[str, Sequence[str]], keys: Mapping[str, str]
) -> pd.DataFrame:
    """How many have come to each rung by each day: rows of `estimates`.

    `n_events` counts the cases seen there; a day that nobody is followed to is not estimable.
    """
    found = [shares.total([STATES.index(state) for state in states]) for states in reached.values()]
    first = [paths.first_day_in(states) for states in reached.values()]
    counts = [[int((one <= day).sum()) for day in shares.days] for one in first]
    table = build_shares(paths, shares.days, found, counts, INCIDENCE, "outcome", list(reached))
    return make_estimates(table, **keys)


def _build_standing(paths: Paths, shares: StateShares, keys: Mapping[str, str]) -> pd.DataFrame:
    """Where the cases stand on each day: a share per state."""
    found = [shares.total([place]) for place in range(len(STATES))]
    counts = np.zeros((len(STATES), len(shares.days)), dtype=np.int64)
    for column, day in enumerate(shares.days):
        state = paths.state_on(day)[paths.end_day >= day]
        counts[:, column] = np.bincount(state, minlength=len(STATES))
    table = build_shares(paths, shares.days, found, counts, "share", "level", STATES)
    return make_estimates(table, outcome="case_state", subgroup="case_state", **keys)


def _build_reasons(
    data: StudyData, paths: Paths, reasons: npt.NDArray[np.object_], days: Sequence[int],
    same: Mapping[str, str],
) -> pd.DataFrame:  # fmt: skip
    """How many have been discontinued by each day, by reason: a state for each reason."""
    keys = {**same, "subgroup": "closing_reason"}
    names = sorted(set(reasons))
    stopped = [STATES.index(one) for one in REACHED["discontinued"]]
    own = {name: len(STATES) + place for place, name in enumerate(names)}
    code = np.array([own[reason] for reason in reasons], dtype=np.int64)
    split = Paths(
        np.where(np.isin(paths.first_state, stopped), code, paths.first_state),
        paths.end_day,
        paths.person,
        paths.day,
        np.where(np.isin(paths.state, stopped), code[paths.person], paths.state),
    )
    shares = follow_states(
        split.first_state, split.end_day, split.person, split.day, split.state,
        at_days=days, n_states=len(STATES) + len(names),
        cluster=data.entries["cluster_id"].to_numpy(),
    )  # fmt: skip
    stopped_day = paths.first_day_in(REACHED["discontinued"])
    used = [name for name in names if not np.isnan(stopped_day[reasons == name]).all()]
    if not used:
        return make_estimates([])
    found = [shares.total([own[name]]) for name in used]
    counts = [[int((stopped_day[reasons == name] <= day).sum()) for day in days] for name in used]
    table = build_shares(paths, shares.days, found, counts, INCIDENCE, "level", used)
    return make_estimates(table, outcome="discontinued", **keys)


def build_shares(
    paths: Paths, days: Whole, found: Sequence[Estimate], counts: npt.ArrayLike,
    estimand: str, key: str, names: Sequence[str],
) -> pd.DataFrame:  # fmt: skip
    """Shares on each day with log-log intervals: a row per name and day.

    `found` holds estimates by day, `counts` the cases seen, for each of the `names`, which stand
    in column `key`. A day that nobody is followed to is not estimable.
    """
    followed = np.array([(paths.end_day >= day).sum() for day in days], dtype=np.float64)
    reason = np.where(followed > 0, "", BEYOND_FOLLOW_UP)
    return pd.concat([
        share.interval("log-log", followed).to_rows(
            estimand, reason, time_days=days, n_people=len(paths.end_day),
            n_events=n_events, **{key: name},
        )
        for share, n_events, name in zip(found, np.asarray(counts), names, strict=True)
    ], ignore_index=True)  # fmt: skip


def hide_absent(estimates: pd.DataFrame, absent: frozenset[str]) -> pd.DataFrame:
    """Mark what an absent table or an empty column leaves untold; the other rungs stand."""
    out, untold = estimates, pd.Series(False, index=estimates.index)
    if "case_decisions" in absent:
        untold |= ~out["outcome"].isin(["investigated"])
    if "investigations" in absent:
        untold |= out["outcome"].eq("investigated") | out["subgroup"].eq("closing_reason")
        untold |= out["subgroup"].eq("case_state")
    out = mark_not_estimable(out, untold, "table_absent")
    if "investigations.opened_on" in absent:
        unopened = out["outcome"].eq("investigated") | out["subgroup"].eq("case_state")
        out = mark_not_estimable(out, unopened & ~untold, "not_registered")
    return out
