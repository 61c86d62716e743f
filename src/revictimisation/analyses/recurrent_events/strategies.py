"""How many new reports a person would have: had everyone started a measure in time, or no one."""

from __future__ import annotations

from revictimisation.analyses.analysis import Found
from revictimisation.analyses.by_measure import estimate_each
from revictimisation.analyses.recurrent_events.counts import ESTIMATOR
from revictimisation.analyses.trial_inputs import build_trial, eligible_ids, list_outcomes
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    make_estimates,
    mark_endless,
)
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.diagnostics import diagnose_counts
from revictimisation.estimators.target_trial.gates import judge, withhold_failed
from revictimisation.estimators.target_trial.weighted_count import (
    build_outcomes,
    estimate_counts,
    outcome_changes,
)


def estimate_strategy_counts(data: StudyData) -> Found:
    """Estimate every measure's mean counts under both strategies at `report_at_days`; the checks.

    Estimator `mean_cumulative_count`: mean_count_start, mean_count_no_start, mean_count_difference.
    The target trial of the measure with everybody followed past the first outcome to death,
    emigration or the end; a start counts as within the grace time whatever outcomes came before it.
    What else is in force and the outcomes so far may explain a start (unless the study adjusts for
    nothing). Intervals by the influence of each victim, the fitting of the weights included; held
    to the study's gates by checks of its own (analysis `mean_cumulative_count`).
    """
    same = {"question": "q2", "estimator": ESTIMATOR}
    return estimate_each(
        data,
        data.plan.measure_names,
        lambda measure, days: _estimate_one(data, measure, days, same),
        "mean_count_difference",
        **same,
    )


def _estimate_one(data: StudyData, measure: str, days: list[int], same: dict[str, str]) -> Found:
    plan = data.plan
    entry, day = list_outcomes(data, eligible_ids(data, measure))
    changes = outcome_changes(
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
        changes if plan.adjust_for else None,
    )
    weighted = weigh_clones(trial, grace_law=plan.weights.grace_law)
    table = estimate_counts(weighted, build_outcomes(trial, entry, day), days)
    checks = diagnose_counts(weighted, days, table)
    named = {"analysis": ESTIMATOR, "measure": measure}
    judged = judge(checks, plan.gates, named, trial.grace_days)
    rows = make_estimates(mark_endless(table), measure=measure, outcome=plan.outcome.who, **same)
    return Found(withhold_failed(rows, judged, plan.gates), judged[list(DIAGNOSTIC_COLUMNS)])
