"""Question 2, the main comparison: had everyone started a measure within its grace time, or no one.

One target trial a measure (Hernan & Robins 2016), by clones, censoring and weights
(`estimators.target_trial`). A number stands with status `ok` only where the study's gates hold;
else it is `withheld`, with the gate that failed as its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.analyses.by_measure import estimate_each, name_outcomes
from revictimisation.analyses.subgroup_effects.groupings import list_groupings
from revictimisation.analyses.trial_inputs import build_trial, eligible_ids, list_modifiers
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Floats
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    combine,
    make_estimates,
    mark_endless,
    not_estimable,
)
from revictimisation.estimators.contrasts import RISKS
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.balance import measure_shares
from revictimisation.estimators.target_trial.calibrated_weights import calibrate_weights
from revictimisation.estimators.target_trial.clone_weights import (
    WeightedTrial,
    cap_weights,
    weigh_clones,
)
from revictimisation.estimators.target_trial.diagnostics import (
    ARMS,
    describe_at_risk,
    describe_covariates,
    diagnose_trial,
    is_balanced,
    make_check,
    stack_checks,
)
from revictimisation.estimators.target_trial.estimates import estimate_risks, estimate_strategies
from revictimisation.estimators.target_trial.gates import (
    N_DECISIONS,
    judge,
    withhold_failed,
    withhold_few,
)
from revictimisation.estimators.target_trial.judged_trial import JudgedTrial, judge_trial
from revictimisation.estimators.target_trial.outcome_model import fit_outcome_model
from revictimisation.estimators.target_trial.standardised_risk import ESTIMATORS
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.plan import StudyPlan

ESTIMATOR = "clone_censor_weight"
SAME = {"question": "q2", "estimator": ESTIMATOR}
INFLUENCE, TRUNCATED, CURVE = "influence_interval", "weights_truncated", "curve"
OTHER_LAW = "other_grace_law"
CALIBRATED, FITTED, OVERLAP = "calibrated_weights", "fitted_weights", "overlap_population"
# Checks that fail where too few in an arm are like the cohort's people.
UNLIKE = ("share_outside_support", "effective_sample_size", "largest_standardised_difference")


def estimate_target_trials(
    data: StudyData, measures: Iterable[str] | None = None, *, has_curves: bool = True
) -> Found:
    """Estimate the target trial of measures (all) at `report_at_days`; also the diagnostics.

    Estimator `clone_censor_weight`: risk_start, risk_no_start, risk_difference, risk_ratio,
    rmst_difference_days, number_needed_to_treat; outcomes the study's, death and emigration.
    Intervals by the study's bootstrap over victims, the weights refitted in each replicate; by the
    influence of each victim where it asks for fewer than two replicates, or where the gates hold
    back every day whatever replicates would say. Analysis
    `influence_interval` shows the same numbers with the influence's intervals, `weights_truncated`
    with the largest weights capped, `curve` both risks at `curve_days`. Estimators `g_formula` and
    `doubly_robust`: the same risks otherwise, under the same gates, with the influence's intervals.
    Where the fitted weights fail the gate on balance the main ones are calibrated, by influence,
    and `fitted_weights` shows the others under gates of their own; elsewhere
    `calibrated_weights` shows the calibrated ones so (key `weights.calibration`). Analysis
    `overlap_population`, where the main answer fails for want of people alike: the risks of those
    in whom both strategies occur.
    Entries in whom the measure ran before day 0 are not eligible. Without `has_curves` no curve is
    drawn (truth studies).
    """

    def estimate(measure: str, days: list[int]) -> Found:
        every = data.entries
        ends = every["stop_day"].to_numpy(), every["cause"].to_numpy()
        trial = build_trial(data, measure, *ends)
        return _weigh_and_estimate(data, trial, days, {**SAME, "measure": measure}, has_curves)

    asked = data.plan.measure_names if measures is None else measures
    return estimate_each(data, asked, estimate, "risk_difference", **SAME)


def _weigh_and_estimate(
    data: StudyData,
    trial: Trial,
    days: list[int],
    keys: dict[str, str],
    has_curves: bool,
) -> Found:
    plan, measure = data.plan, keys["measure"]
    curve_days = list(plan.curve_days) if has_curves else []
    fitted = weigh_clones(
        trial,
        grace_law=plan.weights.grace_law,
        is_small_sample=plan.inference.small_sample,
    )
    weighted, correcting, beside = choose_weights(fitted, plan)
    found = judge_study_trial(data, weighted, days, measure, curve_days, correcting=correcting)
    held = {"main": found.hold(found.main), INFLUENCE: found.hold(found.influence)}
    if curve_days:
        by_curve = _spread_to_curve(found.judged, curve_days)
        held[CURVE] = withhold_failed(mark_endless(found.curve), by_curve, plan.gates)
    if plan.weights.truncate_at is not None:
        capped = cap_weights(fitted, cap_quantile=plan.weights.truncate_at)
        if weighted is fitted:
            held[TRUNCATED] = found.hold(estimate_strategies(capped, days))
        else:
            beside[TRUNCATED] = capped
    parts = [_name_rows(data, rows, {**keys, "analysis": name}) for name, rows in held.items()]
    parts += [_name_rows(data, found.hold(rows), {**keys, "estimator": name})
              for name, rows in found.others.items()]  # fmt: skip
    if not weighted.is_natural:
        same = {**keys, "outcome": plan.outcome.who, "estimand": "risk_difference"}
        parts += [not_estimable(OTHER_LAW, time_days=day, **{**same, "estimator": name})
                  for name in ESTIMATORS for day in days]  # fmt: skip
    if plan.weights.overlap and fitted.is_natural and trial.names and _is_unlike(found.judged):
        beside[OVERLAP] = replace(fitted, population="overlap")
    tables = [found.judged]
    for name, other in beside.items():
        rows, own = estimate_beside(data, other, days, keys, name)
        parts.append(rows)
        tables += [own] if len(own) else []
    told = pd.concat([one[list(DIAGNOSTIC_COLUMNS)] for one in tables], ignore_index=True)
    return Found(combine(parts), told, _name_scores(data, found.scores, days, measure))


class ChosenWeights(NamedTuple):
    """Of the main answer, of the doubly robust estimator, and those shown beside by analysis."""

    main: WeightedTrial
    correcting: WeightedTrial
    beside: dict[str, WeightedTrial]


def choose_weights(fitted: WeightedTrial, plan: StudyPlan) -> ChosenWeights:
    """Which weights a study uses for what (keys under `weights`)."""
    choices = plan.weights
    trial = fitted.trial
    enough = choices.starters_per_covariate * len(trial.names)
    is_few = trial.is_started.sum() < enough
    if choices.calibration == "none" or not trial.names or is_few:
        return ChosenWeights(fitted, fitted, {})
    calibrated = calibrate_weights(
        fitted, tolerance=choices.balance_tolerance, ridge=choices.balance_ridge
    )
    is_needed = choices.calibration == "where_needed" and not is_balanced(
        fitted, plan.gates.largest_standardised_difference
    )
    correcting = calibrated if choices.doubly_robust == "calibrated" else fitted
    if is_needed or choices.calibration == "main":
        return ChosenWeights(calibrated, correcting, {FITTED: fitted})
    return ChosenWeights(fitted, correcting, {CALIBRATED: calibrated})


def _is_unlike(judged: pd.DataFrame) -> bool:
    """Whether a check of `UNLIKE` fails."""
    return bool((judged["gate"].isin(UNLIKE) & judged["status"].eq("failed")).any())


def estimate_beside(
    data: StudyData, weighted: WeightedTrial, days: list[int], keys: dict[str, str], analysis: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The outcome's risks with other weights, by influence and under gates of their own.

    Of another population also who they are (`share_weighted` without an arm). Of one in which
    nobody is in one of the arms there is no answer.
    """
    table, gates = estimate_risks(weighted, days), data.plan.gates
    is_other = weighted.population != "everyone"
    try:
        own = diagnose_trial(weighted, days, table)
    except NotEstimableError as fault:
        same = {**keys, "analysis": analysis, "outcome": data.plan.outcome.who}
        rows = [not_estimable(str(fault), estimand=RISKS[2], time_days=day, **same)
                for day in days]  # fmt: skip
        return combine(rows), no_checks()
    checks = stack_checks(
        own,
        describe_covariates(weighted),
        _describe_population(data, weighted, keys["measure"]) if is_other else pd.DataFrame(),
    )
    named = {"analysis": analysis, "measure": keys["measure"]}
    judged = judge(checks, gates, named, weighted.trial.grace_days)
    held = withhold_few(withhold_failed(table, judged, gates), gates)
    return _name_rows(data, held, {**keys, "analysis": analysis}), judged


def _count_decisions(plan: StudyPlan, measure: str) -> pd.DataFrame:
    """The check that starts near in time fail: they are two decisions (`analyses.running`)."""
    return pd.DataFrame([make_check(N_DECISIONS, 2)] if plan.is_joint(measure) else [])


def judge_study_trial(
    data: StudyData,
    weighted: WeightedTrial,
    days: Sequence[int],
    measure: str,
    curve_days: Sequence[int] = (),
    *,
    correcting: WeightedTrial | None = None,
) -> JudgedTrial:
    """A measure's trial by every estimator under the study's gates, bootstrap and subgroups.

    Under another law than the natural one the g-formula and the doubly robust estimator, which are
    of another question, are left out.
    """
    plan, trial = data.plan, weighted.trial
    model = None
    if weighted.is_natural:
        model = fit_outcome_model(trial, modifiers=list_modifiers(trial, plan))
    return judge_trial(
        weighted,
        days,
        plan.gates,
        model,
        n_replicates=plan.bootstrap.replicates,
        seed=plan.bootstrap.seed,
        curve_days=curve_days,
        correcting=correcting,
        more_checks=stack_checks(
            describe_at_risk(weighted, days),
            describe_covariates(weighted),
            _describe_shares(data, weighted, measure),
            _count_decisions(plan, measure),
        ),
        named={"analysis": ESTIMATOR, "measure": measure},
    )


def _describe_shares(data: StudyData, weighted: WeightedTrial, measure: str) -> pd.DataFrame:
    """The check `share_weighted`: of each arm's weights, the share of each level of the subgroups.

    When the grace time ends, where anything is adjusted for. What the shares were before weighting
    follows from `treatment_share`.
    """
    if not weighted.trial.names:
        return pd.DataFrame()
    weights = weighted.weights_on(weighted.trial.grace_days)
    return _share_out(data, weights, ARMS, measure)


def _describe_population(data: StudyData, weighted: WeightedTrial, measure: str) -> pd.DataFrame:
    """The check `share_weighted` without an arm: of the population that is asked about."""
    return _share_out(data, weighted.population_weights[:, None], ("",), measure)


def _share_out(data: StudyData, weights: Floats, arms: Sequence[str], measure: str) -> pd.DataFrame:
    """Checks `share_weighted` by arm (a column of weights each), grouping and level."""
    is_in = data.entries["entry_id"].isin(eligible_ids(data, measure)).to_numpy()
    return pd.DataFrame([
        {**make_check("share_weighted", share, arm), "group": grouping.name, "level": level}
        for grouping in list_groupings(data)
        for arm, shares in zip(
            arms, measure_shares(weights, grouping.codes[is_in], len(grouping.levels)), strict=True
        )
        for level, share in zip(grouping.levels, shares, strict=True)
    ])  # fmt: skip


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


def _name_scores(
    data: StudyData, scores: Floats | None, days: list[int], measure: str
) -> pd.DataFrame | None:
    """A row per eligible entry: entry_id, measure, time_days, start, no_start."""
    day = data.plan.for_whom.choose_day(days)
    if day is None or scores is None:
        return None
    start, no_start = scores[:, :, days.index(day)].T
    return pd.DataFrame({
        "entry_id": eligible_ids(data, measure), "measure": measure, "time_days": day,
        "start": start, "no_start": no_start,
    })  # fmt: skip


def _name_rows(data: StudyData, table: pd.DataFrame, keys: dict[str, str]) -> pd.DataFrame:
    outcomes = table["cause"].map(name_outcomes(data.plan))
    named = table.assign(outcome=outcomes).drop(columns="cause")
    return make_estimates(named, **keys)
