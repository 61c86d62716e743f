"""How many new reports a person would have: had everyone started a measure in time, or no one."""

from __future__ import annotations

import pandas as pd

from revictimisation.analyses.recurrent_events.counts import ESTIMATOR
from revictimisation.analyses.trial_inputs import build_trial, eligible_ids, list_outcomes
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    combine,
    make_estimates,
    mark_endless,
    not_estimable,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.diagnostics import diagnose_counts
from revictimisation.estimators.target_trial.gates import judge, withhold_failed
from revictimisation.estimators.target_trial.weighted_count import (
    build_outcomes,
    estimate_counts,
    outcome_changes,
)


def estimate_strategy_counts(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate every measure's mean counts under both strategies at `report_at_days`; the checks.

    Estimator `mean_cumulative_count`: mean_count_start, mean_count_no_start, mean_count_difference.
    The target trial of the measure with everybody followed past the first outcome to death,
    emigration or the end; a start counts as within the grace time whatever outcomes came before it.
    What else is in force and the outcomes so far may explain a start (unless the study adjusts for
    nothing). Intervals by the influence of each victim, the fitting of the weights included; held
    to the study's gates by checks of its own (analysis `mean_cumulative_count`).
    """
    parts = [make_estimates([])]
    notes = [pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS))]
    days = data.plan.days_within_horizon
    for measure in data.plan.measure_names:
        same = {"question": "q2", "measure": measure, "estimator": ESTIMATOR}
        same |= {"outcome": data.plan.outcome.who}
        for day in data.plan.days_beyond_horizon:
            parts.append(_no_difference("beyond_horizon", day, same))
        try:
            estimates, checks = _estimate_one(data, measure, days, same)
        except NotEstimableError as fault:
            reason = "empty_cohort" if data.entries.empty else str(fault)
            parts += [_no_difference(reason, day, same) for day in days]
            continue
        parts.append(estimates)
        notes.append(checks)
    return combine(parts), pd.concat([note for note in notes if len(note)] or notes[:1])


def _no_difference(reason: str, day: int, same: dict[str, str]) -> pd.DataFrame:
    return not_estimable(reason, estimand="mean_count_difference", time_days=day, **same)


def _estimate_one(
    data: StudyData, measure: str, days: list[int], same: dict[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    plan = data.plan
    entry, day = list_outcomes(data, eligible_ids(data, measure))
    told = outcome_changes(
        entry,
        day,
        recent_days=plan.definitions.recent_report_days,
        cap=plan.definitions.earlier_reports_cap,
    )
    trial = build_trial(
        data,
        measure,
        data.entries["end_day"].to_numpy(),
        data.entries["end_cause"].to_numpy(),
        told if plan.adjust_for else None,
    )
    if not days:
        return make_estimates([]), pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS))
    weighted = weigh_clones(trial, grace_law=plan.weights.grace_law)
    table = estimate_counts(weighted, build_outcomes(trial, entry, day), days)
    checks = diagnose_counts(weighted, days, table)
    named = {"analysis": ESTIMATOR, "measure": measure}
    judged = judge(checks, plan.gates, named, trial.grace_days)
    held = withhold_failed(make_estimates(mark_endless(table), **same), judged, plan.gates)
    return held, judged[list(DIAGNOSTIC_COLUMNS)]
