"""Question 2, the main comparison: had everyone started a measure within its grace time, or no one.

One target trial a measure (Hernan & Robins 2016), by clones, censoring and weights
(`estimators.target_trial`). A number stands with status `ok` only where the study's gates hold;
else it is `withheld`, with the gate that failed as its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found
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
from revictimisation.estimators.target_trial.balance import measure_shares
from revictimisation.estimators.target_trial.bootstrap import Replicates, bootstrap_arms
from revictimisation.estimators.target_trial.calibrated_weights import calibrate_weights
from revictimisation.estimators.target_trial.clone_weights import (
    WeightedTrial,
    cap_weights,
    weigh_clones,
)
from revictimisation.estimators.target_trial.cross_check import cross_check
from revictimisation.estimators.target_trial.diagnostics import (
    ARMS,
    describe_at_risk,
    describe_covariates,
    describe_replicates,
    diagnose_trial,
    make_check,
    stack_checks,
)
from revictimisation.estimators.target_trial.estimates import (
    estimate_curves,
    estimate_risks,
    estimate_strategies,
)
from revictimisation.estimators.target_trial.gates import (
    holds_all,
    judge,
    withhold_failed,
    withhold_few,
)
from revictimisation.estimators.target_trial.standardised_risk import ESTIMATORS
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.plan import StudyPlan
from revictimisation.plan.parts import Weights

ESTIMATOR = "clone_censor_weight"
SAME = {"question": "q2", "estimator": ESTIMATOR}
INFLUENCE, TRUNCATED, CURVE = "influence_interval", "weights_truncated", "curve"
CALIBRATED, FITTED, OVERLAP = "calibrated_weights", "fitted_weights", "overlap_population"
# Checks that fail where too few in an arm are like the cohort's people.
UNLIKE = ("share_outside_support", "effective_sample_size", "largest_standardised_difference")
FEWEST_REPLICATES = 2


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
    Analysis `calibrated_weights`: the outcome's risks with weights that balance the covariates,
    under gates of their own, by influence, also where the study makes these the main ones and
    `fitted_weights` shows the others so. Analysis `overlap_population`, where the main answer fails
    for want of people alike: the risks of those in whom both strategies occur.
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
    choices = data.plan.weights
    fitted = weigh_clones(trial, grace_law=choices.grace_law)
    weighted, beside = _choose_weights(fitted, choices)
    table = estimate_strategies(weighted, days)
    curve_days = list(data.plan.curve_days) if has_curves else []
    others, compared, scores = _check_otherwise(data, fitted, table, keys)
    gates, named = data.plan.gates, {"analysis": ESTIMATOR, "measure": keys["measure"]}
    checks = stack_checks(
        diagnose_trial(weighted, days, table),
        describe_at_risk(weighted, days),
        describe_covariates(weighted),
        _describe_shares(data, weighted, keys["measure"]),
        compared,
    )
    judged = judge(checks, gates, named, trial.grace_days)
    main, curve = table, estimate_curves(weighted, curve_days)
    # Calibration fits a replicate's few starters too well: its spread is too small, by a quarter.
    is_drawn = weighted.tilt is None and data.plan.bootstrap.replicates >= FEWEST_REPLICATES
    if is_drawn and not holds_all(table, judged, gates):
        main, curve, resampled = _estimate_resampled(data.plan, weighted, days, curve_days)
        judged = judge(stack_checks(checks, resampled), gates, named, trial.grace_days)
    parts = [
        _name_rows(data, main, keys),
        _name_rows(data, table, keys).assign(analysis=INFLUENCE),
        *others,
    ]
    if choices.truncate_at is not None:
        capped = cap_weights(fitted, cap_quantile=choices.truncate_at)
        truncated = _name_rows(data, estimate_strategies(capped, days), keys)
        parts.insert(2, truncated.assign(analysis=TRUNCATED))
    held = [withhold_few(withhold_failed(part, judged, gates), gates) for part in parts]
    if curve_days:
        drawn = _name_rows(data, curve, keys).assign(analysis=CURVE)
        held.insert(2, withhold_failed(drawn, _spread_to_curve(judged, curve_days), gates))
    if choices.overlap and fitted.is_natural and trial.names and _is_unlike(judged):
        beside[OVERLAP] = replace(fitted, population="overlap")
    tables = [judged]
    for name, other in beside.items():
        rows, own = estimate_beside(data, other, days, keys, name)
        held.append(rows)
        tables.append(own)
    told = pd.concat([one[list(DIAGNOSTIC_COLUMNS)] for one in tables], ignore_index=True)
    return Found(combine(held), told, scores)


def _choose_weights(
    fitted: WeightedTrial, choices: Weights
) -> tuple[WeightedTrial, dict[str, WeightedTrial]]:
    """The weights of the main answer, and those shown beside it by analysis."""
    if choices.calibration == "none" or not fitted.trial.names:
        return fitted, {}
    calibrated = calibrate_weights(
        fitted, tolerance=choices.balance_tolerance, ridge=choices.balance_ridge
    )
    if choices.calibration == "main":
        return calibrated, {FITTED: fitted}
    return fitted, {CALIBRATED: calibrated}


def _is_unlike(judged: pd.DataFrame) -> bool:
    """Whether a check of `UNLIKE` fails."""
    return bool((judged["gate"].isin(UNLIKE) & judged["status"].eq("failed")).any())


def estimate_beside(
    data: StudyData, weighted: WeightedTrial, days: list[int], keys: dict[str, str], analysis: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The outcome's risks with other weights, by influence and under gates of their own.

    Of another population also who they are (`share_weighted` without an arm).
    """
    table, gates = estimate_risks(weighted, days), data.plan.gates
    is_other = weighted.population != "everyone"
    checks = stack_checks(
        diagnose_trial(weighted, days, table),
        describe_covariates(weighted),
        _describe_population(data, weighted, keys["measure"]) if is_other else pd.DataFrame(),
    )
    named = {"analysis": analysis, "measure": keys["measure"]}
    judged = judge(checks, gates, named, weighted.trial.grace_days)
    rows = _name_rows(data, table, keys).assign(analysis=analysis)
    return withhold_few(withhold_failed(rows, judged, gates), gates), judged


def _estimate_resampled(
    plan: StudyPlan, weighted: WeightedTrial, days: list[int], curve_days: list[int]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The numbers at `days` and both risks along the curve, with the bootstrap's intervals.

    And the check: which share of the replicates had no settled answer.
    """
    asked = plan.bootstrap
    every = sorted({*days, *curve_days})
    drawn = bootstrap_arms(weighted, every, n_replicates=asked.replicates, seed=asked.seed)
    main, curve = (_pick_days(drawn, every, one) for one in (days, curve_days))
    return (
        estimate_strategies(weighted, days, replicates=main),
        estimate_curves(weighted, curve_days, replicates=curve),
        describe_replicates(drawn),
    )


def _pick_days(drawn: Replicates, every: list[int], days: list[int]) -> Replicates:
    return replace(drawn, answers=drawn.answers[..., np.searchsorted(every, days)])


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


def _check_otherwise(
    data: StudyData,
    weighted: WeightedTrial,
    table: pd.DataFrame,
    keys: dict[str, str],
) -> tuple[list[pd.DataFrame], pd.DataFrame, pd.DataFrame | None]:
    """The same risks by g-formula and doubly robust, and how far they are apart.

    Also each entry's own terms of the doubly robust risks on the day that question 3 tests.

    `table`: the clones' own numbers. Another law for the grace time is another question, which
    neither of the two answers.
    """
    days = sorted({int(day) for day in table["time_days"]})
    if not weighted.is_natural:
        same = {**keys, "outcome": data.plan.outcome.who, "estimand": "risk_difference"}
        return (
            [
                not_estimable("other_grace_law", time_days=day, **same).assign(estimator=name)
                for name in ESTIMATORS
                for day in days
            ],
            pd.DataFrame(),
            None,
        )
    modifiers = list_modifiers(weighted.trial, data.plan)
    tolerated = data.plan.gates.tolerated_disagreement
    rows, checks, scores = cross_check(weighted, days, table, modifiers, tolerated)
    return (
        [
            _name_rows(data, mine.drop(columns="estimator"), {**keys, "estimator": str(name)})
            for name, mine in rows.groupby("estimator", sort=False)
        ],
        checks,
        _name_scores(data, scores, days, keys["measure"]),
    )


def _name_scores(
    data: StudyData, scores: Floats, days: list[int], measure: str
) -> pd.DataFrame | None:
    """A row per eligible entry: entry_id, measure, time_days, start, no_start."""
    day = data.plan.for_whom.choose_day(days)
    if day is None:
        return None
    start, no_start = scores[:, :, days.index(day)].T
    return pd.DataFrame({
        "entry_id": eligible_ids(data, measure), "measure": measure, "time_days": day,
        "start": start, "no_start": no_start,
    })  # fmt: skip


def _name_rows(data: StudyData, table: pd.DataFrame, keys: dict[str, str]) -> pd.DataFrame:
    outcomes = table["cause"].map(name_outcomes(data.plan))
    named = table.assign(outcome=outcomes).drop(columns="cause")
    return make_estimates(mark_endless(named), **keys)
