"""Question 2, the main comparison: had everyone started a measure within its grace time, or no one.

One target trial a measure (Hernan & Robins 2016), by clones, censoring and weights
(`estimators.target_trial`). A number stands with status `ok` only where the study's gates hold;
else it is `withheld`, with the gate that failed as its reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from revictimisation.codes import CAUSES
from revictimisation.cohort_data import StudyData
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.cross_check import cross_check
from revictimisation.estimators.target_trial.diagnostics import diagnose_trial
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.standardised_risk import ESTIMATORS
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.plan import Gates
from revictimisation.results import (
    DIAGNOSTIC_COLUMNS,
    OK,
    WITHHELD,
    combine,
    make_estimates,
    not_estimable,
)
from revictimisation.trial_inputs import build_trial

ESTIMATOR = "clone_censor_weight"
TRUNCATED = "weights_truncated"


@dataclass(frozen=True)
class _Gate:
    """A check of `diagnose_trial` with its limit; `is_least`: the value must reach the limit."""

    check: str
    limit: float
    is_least: bool


def _list_gates(gates: Gates) -> list[_Gate]:
    return [
        _Gate("largest_standardised_difference", gates.largest_standardised_difference, False),
        _Gate("effective_sample_size", gates.effective_sample_size, True),
        _Gate("n_events", gates.events_per_arm, True),
        _Gate("share_outside_support", gates.share_outside_support, False),
        _Gate("minimum_detectable_difference", gates.minimum_detectable_difference, False),
        _Gate("is_converged", 1.0, True),
        _Gate("outcome_model_is_converged", 1.0, True),
    ]


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
    judged = _judge(checks, data.plan.gates, keys["measure"], trial.grace_days)
    parts = [_withhold(_name_rows(data, table, keys), judged)]
    if choices.truncate_at is not None:
        capped = weigh_clones(trial, grace_law=choices.grace_law, cap_quantile=choices.truncate_at)
        truncated = _name_rows(data, estimate_strategies(capped, days), keys)
        parts.append(_withhold(truncated.assign(analysis=TRUNCATED), judged))
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
    told = _judge(checks, data.plan.gates, keys["measure"], weighted.trial.grace_days)
    gates = pd.concat([judged, told], ignore_index=True)
    return [
        _withhold(
            _name_rows(data, mine.drop(columns="estimator"), {**keys, "estimator": str(name)}),
            gates,
        )
        for name, mine in rows.groupby("estimator", sort=False)
    ], told


def _name_rows(data: StudyData, table: pd.DataFrame, keys: dict[str, str]) -> pd.DataFrame:
    outcomes = dict(enumerate((data.plan.outcome.who, *CAUSES[1:]), start=1))
    named = table.assign(outcome=table["cause"].map(outcomes)).drop(columns="cause")
    return make_estimates(named, **keys)


def _judge(checks: pd.DataFrame, gates: Gates, measure: str, grace_days: int) -> pd.DataFrame:
    """Hold the checks against the gates: a row per check, status `ok` or `failed`.

    A check's name is followed by its arm and its day where it has them. Balance is held to its
    limit up to the end of the grace time; later the arms part again where a measure works. Also
    gives `time_days` (missing: the check concerns every day), which the caller drops.
    """
    limits = {gate.check: gate for gate in _list_gates(gates)}
    rows = []
    for one in checks.to_dict("records"):
        check, day, value = str(one["check"]), one["time_days"], float(one["value"])
        is_balance = check == "largest_standardised_difference"
        gate = None if is_balance and day > grace_days else limits.get(check)
        parts = [check, str(one["arm"]), "" if pd.isna(day) else str(int(day))]
        holds = gate is None or (value >= gate.limit if gate.is_least else value <= gate.limit)
        rows.append(
            {
                "analysis": ESTIMATOR,
                "measure": measure,
                "check": ":".join(part for part in parts if part),
                "value": value,
                "limit": None if gate is None else gate.limit,
                "status": OK if holds else "failed",
                "time_days": None if is_balance else day,
            }
        )
    return pd.DataFrame(rows, columns=[*DIAGNOSTIC_COLUMNS, "time_days"])


def _withhold(estimates: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """Withhold the numbers of the days on which a gate fails, with the first such gate."""
    failed = judged[judged["status"] == "failed"]
    out = estimates.copy()
    for one in failed.to_dict("records"):
        day = one["time_days"]
        chosen = out["status"].eq(OK)
        if not pd.isna(day):
            chosen &= out["time_days"].eq(int(day))
        out.loc[chosen, "reason"] = str(one["check"]).split(":")[0]
        out.loc[chosen, "status"] = WITHHELD
    return out
