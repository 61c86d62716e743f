"""What sensitivity analyses do alike: the main difference of each measure again, otherwise made."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from revictimisation.analyses.analysis import Found
from revictimisation.core.codes import OUTCOME
from revictimisation.core.results import (
    KEYS,
    OK,
    choose,
    combine,
    make_estimates,
    mark_endless,
    not_estimable,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.diagnostics import diagnose_trial
from revictimisation.estimators.target_trial.estimates import estimate_risks
from revictimisation.estimators.target_trial.gates import judge, withhold_failed
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.plan import StudyPlan

TRIAL, DIFFERENCE = "clone_censor_weight", "risk_difference"
SHOWN = ("risk_start", "risk_no_start", DIFFERENCE)
WHY = [*KEYS, "status", "reason"]


def choose_main(plan: StudyPlan, trials: Found) -> pd.DataFrame:
    """The main risk differences of everybody, gates applied: a row per measure and report day."""
    keys = {"analysis": "main", "estimator": TRIAL, "estimand": DIFFERENCE, "subgroup": ""}
    return choose(trials.estimates, **keys, outcome=plan.outcome.who)


def estimate_beside(
    plan: StudyPlan,
    trials: Found,
    analysis: str,
    estimate: Callable[[str, list[int]], pd.DataFrame],
) -> pd.DataFrame:
    """Each measure's risks and difference on the days on which the main difference is told.

    `estimate`: from a measure and these days to rows of `SHOWN`, gates applied. On other days a row
    says why the main difference is not told, and holds no number; nothing is computed of them.
    """
    parts = []
    for measure, rows in choose_main(plan, trials).groupby("measure", sort=False):
        is_told = rows["status"].eq(OK)
        silent = rows.loc[~is_told, WHY].assign(analysis=analysis)
        if len(silent):
            parts.append(make_estimates(silent))
        days = [int(day) for day in rows.loc[is_told, "time_days"]]
        if not days:
            continue
        keys = {name: rows[name].iloc[0] for name in ("question", "estimator", "outcome")}
        keys |= {"measure": str(measure), "analysis": analysis}
        try:
            parts.append(make_estimates(mark_endless(estimate(str(measure), days)), **keys))
        except NotEstimableError as fault:
            same = {**keys, "estimand": DIFFERENCE}
            parts += [not_estimable(str(fault), time_days=day, **same) for day in days]
    return combine(parts)


def weigh_and_check(
    plan: StudyPlan, trial: Trial, days: list[int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both risks and their difference of a trial, intervals by influence; and its checks."""
    weighted = weigh_clones(
        trial,
        grace_law=plan.weights.grace_law,
        is_small_sample=plan.inference.small_sample,
    )
    found = estimate_risks(weighted, days)
    checks = diagnose_trial(weighted, days, found.assign(cause=OUTCOME))
    shown = found[found["estimand"].isin(SHOWN)].reset_index(drop=True)
    return shown.drop(columns="cause", errors="ignore"), checks


def hold(plan: StudyPlan, measure: str, rows: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """Withhold what the gates of the main comparison hold back by these checks."""
    judged = judge(checks, plan.gates, {}, plan.measures[measure].grace_days)
    return withhold_failed(rows, judged, plan.gates)
