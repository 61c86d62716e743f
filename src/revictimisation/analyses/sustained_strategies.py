"""Question 2, how long a measure lasts: kept for so many days, or ended before.

Two comparisons by clones and weights of the measure's end (`end_trials`). Level `kept`: from the
first start, the measure is kept for at least `sequential.keep_days` days, against ended within them
on a day as by chance (the natural law of its end given the background: a stochastic strategy, as
nobody decides on one day for all). Level `continued`: from the day on which it has been in force
for `sequential.quiet_days` days without a new report, kept for as many days more against ended
within them: stopping when violence stops, against going on. What happens to the measure later is
left to its course. Joint measures are left out: their end is made of others'.

Estimator `clone_censor_weight`, analysis `sustained_strategies`, subgroup `trial_start`: risk_start
(kept), risk_no_start (ended), risk_difference, risk_ratio of the study's outcome by days since day
0, with the influence's intervals. Everybody could have ended and could have kept it is an
assumption that the gates hold to: where few ended or few kept it a number is `not_estimable`, where
they are not alike `withheld`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.analyses.end_trials import build_end_trial, list_kept
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.packing import CONTINUED, KEPT, SUSTAINED, TRIAL_START
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    combine,
    make_estimates,
    mark_endless,
    not_estimable,
)
from revictimisation.estimators.contrasts import RISKS
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.balance import ARMS
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.diagnostics import (
    diagnose_trial,
    make_check,
    stack_checks,
)
from revictimisation.estimators.target_trial.estimates import estimate_risks, swap_arms
from revictimisation.estimators.target_trial.gates import judge, withhold_failed, withhold_few
from revictimisation.estimators.target_trial.trial_data import Trial

SAME = {"question": "q2", "analysis": SUSTAINED, "estimator": "clone_censor_weight",
        "subgroup": TRIAL_START}  # fmt: skip
SWAPPED = dict(zip(ARMS, ARMS[::-1], strict=True))


def estimate_sustained(data: StudyData, measures: Iterable[str] | None = None) -> Found:
    """Estimate keeping against ending the measures asked about (`list_kept`); also diagnostics."""
    plan = data.plan
    asked = plan.sequential
    days = [day for day in asked.at_days if day <= plan.horizon_days]
    rows, checks = [make_estimates([])], [no_checks()]
    for measure in list_kept(data, measures) if days else ():
        for level, after_days in ((KEPT, 0), (CONTINUED, asked.quiet_days)):
            keys = {**SAME, "measure": measure, "level": level, "outcome": plan.outcome.who}
            try:
                trial = build_end_trial(data, measure, after_days=after_days)
            except NotEstimableError as fault:
                rows += [
                    not_estimable(str(fault), estimand=RISKS[2], time_days=day, **keys)
                    for day in days
                ]
                continue
            found = _estimate_one(data, trial, days, keys)
            rows.append(found.estimates)
            checks.append(found.diagnostics)
    kept = [part for part in checks if len(part)]
    return Found(combine(rows), pd.concat(kept or checks[:1], ignore_index=True))


def _estimate_one(data: StudyData, trial: Trial, days: list[int], keys: dict[str, str]) -> Found:
    gates, level = data.plan.gates, keys["level"]
    weighted = weigh_clones(trial, grace_law="natural_law")
    table = estimate_risks(weighted, days)
    n_kept = len(np.unique(trial.people.cluster[~trial.is_started]))
    checks = stack_checks(
        diagnose_trial(weighted, days, table),
        pd.DataFrame([make_check("n_exposed_victims", n_kept, ARMS[1])]),
    )
    # in the trial of the end *start* is the end: here keeping is named first
    checks["arm"] = checks["arm"].replace(SWAPPED)
    checks = checks.assign(group=TRIAL_START, level=level)
    named = {"analysis": SUSTAINED, "measure": keys["measure"]}
    judged = judge(checks, gates, named, trial.grace_days)
    told = mark_endless(swap_arms(table)).assign(level=level)
    held = withhold_few(withhold_failed(told, judged, gates), gates).drop(columns="cause")
    return Found(make_estimates(held, **keys), judged[list(DIAGNOSTIC_COLUMNS)])
