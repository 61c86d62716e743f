"""Question 2, starts near in time (`joint`): both agencies within some days, one, or none.

For each joint measure of the study three strategies, by clones and weights
(`estimators.target_trial.three_strategies`, where they are defined to the day). What counts is any
start of anything by the police and by social services, as for the joint measure itself; here each
agency's *first* start, so that somebody for whom both began far apart and later again side by side
has the joint measure and follows none of the three.

Not eligible: who had anything of either agency in force on day 0 that began before it, or a start
within the joint window before it, as a pair may not straddle day 0.

Estimator `clone_censor_weight`, analysis `three_strategies`, subgroup `strategy`: estimand
`cumulative_incidence` with level both, one, none (outcome, death, emigration), and
`risk_difference` with level both_less_none, one_less_none, both_less_one (the study's outcome).
Errors by the study's bootstrap (with fewer than 2 replicates there are none, nor where a gate fails
for every number without them). A number is `withheld` where a gate of the study fails for one of
its strategies.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.analyses.by_measure import estimate_each, name_outcomes
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Floats
from revictimisation.core.packing import STRATEGIES, STRATEGY, unpack_check, unpack_contrast
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    OK,
    combine,
    make_estimates,
    mark_endless,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.bootstrap import Replicates, bootstrap_arms
from revictimisation.estimators.target_trial.diagnostics import describe_replicates, stack_checks
from revictimisation.estimators.target_trial.gates import judge, withhold_failed
from revictimisation.estimators.target_trial.judged_trial import FEWEST_REPLICATES
from revictimisation.estimators.target_trial.three_estimates import diagnose_three, estimate_three
from revictimisation.estimators.target_trial.three_strategies import (
    ThreeTrial,
    weigh_three,
)
from revictimisation.plan import Gates

ESTIMATOR = "clone_censor_weight"
SAME = {"question": "q2", "analysis": STRATEGIES, "estimator": ESTIMATOR, "subgroup": STRATEGY}
POLICE, SOCIAL = "police_measures", "social_interventions"


def estimate_joint_strategies(data: StudyData, measures: Iterable[str] | None = None) -> Found:
    """Estimate the three strategies of the joint ones of measures (all); also the diagnostics."""
    asked = data.plan.measure_names if measures is None else measures
    return estimate_each(
        data,
        filter(data.plan.is_joint, asked),
        lambda measure, days: _estimate_one(data, measure, days),
        "risk_difference",
        **SAME,
        level="both_less_none",
    )


def _estimate_one(data: StudyData, measure: str, days: list[int]) -> Found:
    plan, trial = data.plan, build_three_strategies(data, measure)
    rule, found = plan.bootstrap, _judge(data, trial, measure, days)
    if rule.replicates < FEWEST_REPLICATES or not found.estimates["status"].eq(OK).any():
        return found
    drawn = bootstrap_arms(trial, days, n_replicates=rule.replicates, seed=rule.seed)
    return _judge(data, trial, measure, days, drawn)


def _judge(
    data: StudyData,
    trial: ThreeTrial,
    measure: str,
    days: list[int],
    drawn: Replicates | None = None,
) -> Found:
    """The numbers, with errors where there are replicates, and what the gates make of them."""
    plan, table = data.plan, estimate_three(trial, days, drawn)
    resampled = no_checks() if drawn is None else describe_replicates(drawn)
    checks = stack_checks(diagnose_three(trial, table), resampled)
    named = {"analysis": STRATEGIES, "measure": measure}
    judged = judge(checks, plan.gates, named, trial.grace_days)
    told = table.assign(outcome=table["cause"].map(name_outcomes(plan))).drop(columns="cause")
    rows = make_estimates(mark_endless(told), measure=measure, **SAME)
    held = _withhold(rows, judged, plan.gates)
    return Found(held, judged[list(DIAGNOSTIC_COLUMNS)])


def build_three_strategies(data: StudyData, measure: str) -> ThreeTrial:
    """Lay out and weigh the three strategies of a joint measure among the eligible entries.

    Raises:
        NotEstimableError: nobody is eligible, or an agency starts with nobody or with everybody.
    """
    rule = data.plan.measures[measure]
    within = int(rule.joint_within_days or 0)
    is_in = find_eligible(data, within)
    entries = data.entries[is_in]
    if entries.empty:
        raise NotEstimableError("no_people")
    police, social = (find_first_starts(data, source)[is_in] for source in (POLICE, SOCIAL))
    return weigh_three(
        entries["stop_day"].to_numpy(),
        entries["cause"].to_numpy(),
        police,
        social,
        data.design(chosen=is_in),
        grace_days=rule.grace_days,
        within_days=within,
        cluster=entries["cluster_id"].to_numpy(),
        flexibility=data.plan.models.flexibility,
    )


def _carried_out(data: StudyData, source: str) -> pd.DataFrame:
    rows = data.decisions[data.decisions["source"].eq(source)]
    return rows[rows["start_day"].notna()]


def find_first_starts(data: StudyData, source: str) -> Floats:
    """Each entry's first start of anything in a table of measures on or after day 0; NaN: none."""
    rows = _carried_out(data, source)
    first = rows[rows["start_day"] >= 0].groupby("entry_id")["start_day"].min()
    days: Floats = first.reindex(data.entries["entry_id"]).to_numpy(np.float64)
    return days


def find_eligible(data: StudyData, within_days: int) -> Flags:
    """Entries in whom nothing of either agency runs on day 0 from before it, or began just before.

    Just before: on one of the `within_days` days before day 0.
    """
    is_in = np.ones(len(data.entries), dtype=np.bool_)
    for source in (POLICE, SOCIAL):
        rows = _carried_out(data, source)
        start, stop = rows["start_day"], rows["stop_day"]
        before = rows[(start < 0) & ((stop > 0) | (start >= -within_days))]
        is_in &= ~data.entries["entry_id"].isin(set(before["entry_id"])).to_numpy()
    return is_in


def _withhold(estimates: pd.DataFrame, judged: pd.DataFrame, gates: Gates) -> pd.DataFrame:
    """Withhold what a failed check concerns: its strategy or contrast, on its day or every day."""
    parts, arms = [], judged["check"].map(lambda check: unpack_check(check).arm)
    for level, rows in estimates.groupby("level", sort=False):
        own = (str(level), *(unpack_contrast(str(level)) or ()))
        mine = judged[arms.isin([*own, ""])]
        parts.append(withhold_failed(rows, mine, gates))
    return combine(parts)
