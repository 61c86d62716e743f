"""Question 2, the main comparison: had everyone started a measure within its grace time, or no one.

One target trial a measure (Hernan & Robins 2016), by clones, censoring and weights
(`estimators.target_trial`). A number stands with status `ok` only where the study's gates hold;
else it is `withheld`, with the gate that failed as its reason.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from revictimisation.codes import CAUSES
from revictimisation.cohort_data import StudyData
from revictimisation.estimators.target_trial.bootstrap import Replicates, bootstrap_arms
from revictimisation.estimators.target_trial.clone_weights import (
    WeightedTrial,
    cap_weights,
    weigh_clones,
)
from revictimisation.estimators.target_trial.cross_check import cross_check
from revictimisation.estimators.target_trial.diagnostics import diagnose_trial
from revictimisation.estimators.target_trial.estimates import (
    Intervals,
    estimate_curves,
    estimate_strategies,
)
from revictimisation.estimators.target_trial.gates import judge, withhold
from revictimisation.estimators.target_trial.standardised_risk import ESTIMATORS
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.plan import StudyPlan
from revictimisation.results import (
    DIAGNOSTIC_COLUMNS,
    combine,
    make_estimates,
    mark_endless,
    not_estimable,
)
from revictimisation.trial_inputs import build_trial, list_modifiers

ESTIMATOR = "clone_censor_weight"
INFLUENCE, TRUNCATED, CURVE = "influence_interval", "weights_truncated", "curve"
# How the replicates become an interval: see `estimators.target_trial.estimates`.
BOOTSTRAP_INTERVAL: Intervals = "bootstrap_normal"
FEWEST_REPLICATES = 2


def estimate_target_trials(
    data: StudyData, *, has_curves: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate every measure's target trial at `report_at_days`; also the diagnostics.

    Estimator `clone_censor_weight`: risk_start, risk_no_start, risk_difference, risk_ratio,
    rmst_difference_days, number_needed_to_treat; outcomes the study's, death and emigration.
    Intervals by the study's bootstrap over victims, the weights refitted in each replicate; by the
    influence of each victim where it asks for fewer than two replicates. Analysis
    `influence_interval` shows the same numbers with the influence's intervals, `weights_truncated`
    with the largest weights capped, `curve` both risks at `curve_days`. Estimators `g_formula` and
    `doubly_robust`: the same risks otherwise, under the same gates, with the influence's intervals.
    Entries in whom the measure ran before day 0 are not eligible. Without `has_curves` no curve is
    drawn (truth studies).
    """
    parts, notes = [make_estimates([])], [pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS))]
    for measure in data.plan.measure_names:
        estimates, diagnostics = _estimate_one(data, measure, has_curves)
        parts.append(estimates)
        notes.append(diagnostics)
    return combine(parts), pd.concat([one for one in notes if len(one)] or notes[:1])


def _estimate_one(
    data: StudyData, measure: str, has_curves: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    estimates, diagnostics = _weigh_and_estimate(data, trial, days, keys, has_curves)
    beyond = [
        not_estimable("beyond_horizon", time_days=day, **same)
        for day in data.plan.report_at_days
        if day > data.plan.horizon_days
    ]
    return combine([estimates, *beyond]), diagnostics


def _weigh_and_estimate(
    data: StudyData, trial: Trial, days: list[int], keys: dict[str, str], has_curves: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    choices = data.plan.weights
    weighted = weigh_clones(trial, grace_law=choices.grace_law)
    table = estimate_strategies(weighted, days)
    checks = diagnose_trial(weighted, days, table)
    named = {"analysis": ESTIMATOR, "measure": keys["measure"]}
    judged = judge(checks, data.plan.gates, named, trial.grace_days)
    curve_days = list(data.plan.curve_days) if has_curves else []
    main, curve = _estimate_resampled(data.plan, weighted, days, curve_days, table)
    parts = [
        withhold(_name_rows(data, main, keys), judged),
        withhold(_name_rows(data, table, keys).assign(analysis=INFLUENCE), judged),
    ]
    if curve_days:
        drawn = _name_rows(data, curve, keys).assign(analysis=CURVE)
        parts.append(withhold(drawn, _spread_to_curve(judged, curve_days)))
    if choices.truncate_at is not None:
        capped = cap_weights(weighted, cap_quantile=choices.truncate_at)
        truncated = _name_rows(data, estimate_strategies(capped, days), keys)
        parts.append(withhold(truncated.assign(analysis=TRUNCATED), judged))
    others, told = _check_otherwise(data, weighted, table, judged, keys)
    return combine([*parts, *others]), pd.concat([judged, told]).drop(columns="time_days")


def _estimate_resampled(
    plan: StudyPlan,
    weighted: WeightedTrial,
    days: list[int],
    curve_days: list[int],
    table: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The numbers at `days` and both risks along the curve, with the study's intervals.

    `table`: the numbers at `days` with the influence's intervals, which stand where the study asks
    for fewer than two replicates.
    """
    asked = plan.bootstrap
    if asked.replicates < FEWEST_REPLICATES:
        return table, estimate_curves(weighted, curve_days)
    every = sorted({*days, *curve_days})
    drawn = bootstrap_arms(weighted, every, n_replicates=asked.replicates, seed=asked.seed)
    main, curve = (_pick_days(drawn, every, one) for one in (days, curve_days))
    return (
        estimate_strategies(weighted, days, replicates=main, intervals=BOOTSTRAP_INTERVAL),
        estimate_curves(weighted, curve_days, replicates=curve),
    )


def _pick_days(drawn: Replicates, every: list[int], days: list[int]) -> Replicates:
    return replace(drawn, answers=drawn.answers[..., np.searchsorted(every, days)])


def _spread_to_curve(judged: pd.DataFrame, curve_days: list[int]) -> pd.DataFrame:
    """A gate that fails on a report day holds back the curve from the report day before it on."""
    by_day = judged[judged["time_days"].notna()]
    reported = np.sort(by_day["time_days"].astype(int).unique())
    if not len(reported):
        return judged
    place = np.minimum(np.searchsorted(reported, curve_days), len(reported) - 1)
    own = pd.DataFrame({"time_days": reported[place], "curve_day": curve_days})
    spread = by_day.astype({"time_days": int}).merge(own, on="time_days")
    spread["time_days"] = spread.pop("curve_day")
    return pd.concat([judged[judged["time_days"].isna()], spread], ignore_index=True)


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
    modifiers = list_modifiers(weighted.trial, data.plan)
    rows, checks = cross_check(weighted, days, table, modifiers)
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
    return make_estimates(mark_endless(named), **keys)
