"""Question 2, the main comparison: had everyone started a measure within its grace time, or no one.

One target trial a measure (Hernan & Robins 2016), by clones, censoring and weights
(`estimators.target_trial`). A number stands with status `ok` only where the study's gates hold;
else it is `withheld`, with the gate that failed as its reason.
"""

from __future__ import annotations

import pandas as pd

from revictimisation.codes import CAUSES
from revictimisation.cohort_data import StudyData
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.cross_check import cross_check
from revictimisation.estimators.target_trial.diagnostics import diagnose_trial
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.gates import judge, withhold
from revictimisation.estimators.target_trial.standardised_risk import ESTIMATORS
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.results import (
    DIAGNOSTIC_COLUMNS,
    combine,
    make_estimates,
    not_estimable,
)
from revictimisation.trial_inputs import build_trial

ESTIMATOR = "clone_censor_weight"
TRUNCATED = "weights_truncated"


def estimate_target_trials(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate every measure's target trial at `report_at_days`; also the diagnostics.

    Estimator `clone_censor_weight`: risk_start, risk_no_start, risk_difference, risk_ratio,
    rmst_difference_days, number_needed_to_treat; outcomes the study's, death and emigration.
    Intervals by the influence of each victim, the fitting of the weights included. Analysis
    `weights_truncated` shows the same with the largest weights capped. Estimators `g_formula` and
    `doubly_robust`: the same risks otherwise, under the same gates. Entries in whom the measure
    ran before day 0 are not eligible.
    """
    parts, notes = [make_estimates([])], [pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS))]
    for measure in data.plan.measure_names:
        estimates, diagnostics = _estimate_one(data, measure)
        parts.append(estimates)
        notes.append(diagnostics)
    return combine(parts), pd.concat([one for one in notes if len(one)] or notes[:1])


def _estimate_one(data: StudyData, measure: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    keys = {"question": "q2", "measure": measure, "estimator": ESTIMATOR}
    days = [day for day in data.plan.report_at_days if day <= data.plan.horizon_days]
    starts = data.starts_of(measure)
    is_eligible = ~starts["is_running_before"].to_numpy()
    entries = data.entries[is_eligible]
    start = starts["first_start_day"].to_numpy()[is_eligible]
    grace = data.plan.measures[measure].grace_days
    is_started = (start <= grace) & (start < entries["stop_day"].to_numpy())
    same = {**keys, "outcome": data.plan.outcome.who, "estimand": "risk_difference"}
    if not is_started.any() or is_started.all() or not days:
        reason = "nobody_started" if not is_started.any() else "everybody_started"
        rows = [not_estimable(reason, time_days=day, **same) for day in data.plan.report_at_days]
        return combine(rows), pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS))
    every = data.entries
    trial = build_trial(data, measure, every["stop_day"].to_numpy(), every["cause"].to_numpy())
    estimates, diagnostics = _weigh_and_estimate(data, trial, days, keys)
    beyond = [
        not_estimable("beyond_horizon", time_days=day, **same)
        for day in data.plan.report_at_days
        if day > data.plan.horizon_days
    ]
    return combine([estimates, *beyond]), diagnostics


def _weigh_and_estimate(
    data: StudyData, trial: Trial, days: list[int], keys: dict[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    choices = data.plan.weights
    weighted = weigh_clones(trial, grace_law=choices.grace_law)
    table = estimate_strategies(weighted, days)
    checks = diagnose_trial(weighted, days, table)
    named = {"analysis": ESTIMATOR, "measure": keys["measure"]}
    judged = judge(checks, data.plan.gates, named, trial.grace_days)
    parts = [withhold(_name_rows(data, table, keys), judged)]
    if choices.truncate_at is not None:
        capped = weigh_clones(trial, grace_law=choices.grace_law, cap_quantile=choices.truncate_at)
        truncated = _name_rows(data, estimate_strategies(capped, days), keys)
        parts.append(withhold(truncated.assign(analysis=TRUNCATED), judged))
    others, told = _check_otherwise(data, weighted, table, judged, keys)
    return combine([*parts, *others]), pd.concat([judged, told]).drop(columns="time_days")


def _check_otherwise(
    data: StudyData,
    weighted: WeightedTrial,
    table: pd.DataFrame,
    judged: pd.DataFrame,
    keys: dict[str, str],
) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """The same risks by g-formula and doubly robust, held to the same gates; their diagnostics.

    `table`: the clones' own numbers. Another law for the grace time is another question, which
    neither of the two answers.
    """
    days = sorted({int(day) for day in table["time_days"]})
    if not weighted.is_natural:
        same = {**keys, "outcome": data.plan.outcome.who, "estimand": "risk_difference"}
        return [
            not_estimable("other_grace_law", time_days=day, **same).assign(estimator=name)
            for name in ESTIMATORS
            for day in days
        ], judged.iloc[:0]
    rows, checks = cross_check(weighted, days, table)
    named = {"analysis": ESTIMATOR, "measure": keys["measure"]}
    told = judge(checks, data.plan.gates, named, weighted.trial.grace_days)
    gates = pd.concat([judged, told], ignore_index=True)
    return [
        withhold(
            _name_rows(data, mine.drop(columns="estimator"), {**keys, "estimator": str(name)}),
            gates,
        )
        for name, mine in rows.groupby("estimator", sort=False)
    ], told


def _name_rows(data: StudyData, table: pd.DataFrame, keys: dict[str, str]) -> pd.DataFrame:
    outcomes = dict(enumerate((data.plan.outcome.who, *CAUSES[1:]), start=1))
    named = table.assign(outcome=table["cause"].map(outcomes)).drop(columns="cause")
    return make_estimates(named, **keys)
