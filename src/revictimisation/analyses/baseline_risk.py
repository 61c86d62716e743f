"""Question 2: who is at risk, by what is known on day 0 alone; a model for others to try.

Not what measures do: they are no part of it, and all follow the natural course. It is written down
in numbers that may leave, so that another cohort can be held against it (`compare`). By each of
`report_at_days` a model of its own (`estimators.risk_model`) of the study's outcome on `adjust_for`
less when and where (`StudyPlan.carried_covariates`). Rows of analysis `baseline_risk`:

- `log_odds`: of the outcome where all columns have their means; `log_odds_ratio`: subgroup and
  level a level against the commonest, or subgroup alone a number, per unit. Levels not told have
  few people and count as the commonest. People and events are those of the level;
- `covariate_mean`: of each number, without a day, as a level's mean is its people over all;
- `discrimination`, `calibration_intercept`, `calibration_slope`: of predictions for victims whom
  the model never saw (folds of victims): with the two of them together the risk is right there,
  as a model of many covariates tells people too far apart (Copas 1983; van Houwelingen & le Cessie
  1990, Stat Med 9:1303).

Withheld where the outcome, or its absence, is rarer than the study's gates ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import (
    FEW_EVENTS,
    FEW_VICTIMS,
    OK,
    WITHHELD,
    combine,
    make_estimates,
    not_estimable,
)
from revictimisation.estimators.calibration import discriminate, recalibrate
from revictimisation.estimators.effect_learner import assign_folds
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.outcome_by_day import OutcomeByDay, observe
from revictimisation.estimators.risk_model import (
    Column,
    RiskModel,
    fit_risk,
    predict_held_out,
    read_columns,
)
from revictimisation.estimators.standardised_odds import sum_by_cluster

ANALYSIS, ESTIMATOR = "baseline_risk", "direct_logistic"
FOLDING = 4  # what a random stream is for
Row = dict[str, Any]


def estimate_baseline_risk(data: StudyData) -> pd.DataFrame:
    """Write down the risk by each report day from what is known on day 0."""
    same = {"question": "q2", "analysis": ANALYSIS, "estimator": ESTIMATOR}
    same["outcome"] = data.plan.outcome.who
    silent = {**same, "estimand": "log_odds"}
    if data.entries.empty:
        return not_estimable("empty_cohort", **silent)
    parts = [
        not_estimable("beyond_horizon", time_days=day, **silent)
        for day in data.plan.days_beyond_horizon
    ]
    frame, means = data.shown_covariates, dict[str, Row]()
    for day in data.plan.days_within_horizon:
        try:
            model, rows = _estimate_day(data, frame, day)
        except NotEstimableError as fault:
            parts.append(not_estimable(str(fault), time_days=day, **silent))
            continue
        parts.append(make_estimates(rows, time_days=day, **same))
        means |= {row["subgroup"]: row for row in _describe_means(data, frame, model)}
    parts.append(make_estimates(means.values(), **same))
    return combine(parts)


def _estimate_day(data: StudyData, frame: pd.DataFrame, day: int) -> tuple[RiskModel, list[Row]]:
    entries, gates = data.entries, data.plan.gates
    cluster = entries["cluster_id"].to_numpy(np.int64)
    outcome = observe(entries["stop_day"], entries["cause"], day, cluster)
    least = max(gates.events_per_arm, data.plan.disclosure.threshold)
    model = fit_risk(frame, data.plan.carried_covariates, outcome, least)
    seed = [data.plan.bootstrap.seed, FOLDING]
    fold = assign_folds(cluster, data.plan.exploration.scoring_folds, seed)
    held = _find_reason(outcome, gates.events_per_arm, gates.exposed_victims)
    status = {"status": WITHHELD if held else OK, "reason": held}
    every = {"n_people": len(entries), "n_events": int(outcome.is_event.sum())}
    rows = [*_describe_model(frame, model, outcome)]
    for estimand, number in _try_held_out(frame, model, outcome, fold).items():
        rows.append({"estimand": estimand, **number.interval().row(), **every})
    return model, [{**row, **status} for row in rows]


def _find_reason(outcome: OutcomeByDay, least_events: float, least_victims: float) -> str:
    is_known = outcome.weight > 0
    n_events = int(outcome.is_event.sum())
    if min(n_events, int(is_known.sum()) - n_events) < least_events:
        return FEW_EVENTS
    few = len(np.unique(outcome.cluster)) < least_victims
    return FEW_VICTIMS if few else ""


def _describe_model(frame: pd.DataFrame, model: RiskModel, outcome: OutcomeByDay) -> Iterator[Row]:
    limits = model.coefficients.interval()
    marks = read_columns(frame, model.columns)
    for place, column in enumerate([Column(""), *model.columns]):
        mine = marks[:, place - 1] > 0 if column.level else np.ones(len(frame), bool)
        yield {
            "estimand": "log_odds_ratio" if column.term else "log_odds",
            "subgroup": column.term, "level": column.level, **limits.row(place),
            "n_people": int(mine.sum()), "n_events": int((mine & outcome.is_event).sum()),
        }  # fmt: skip


def _try_held_out(
    frame: pd.DataFrame, model: RiskModel, outcome: OutcomeByDay, fold: np.ndarray
) -> Mapping[str, Estimate]:
    """What the model is worth in people that it never saw; nothing where that can't be told."""
    try:
        people = predict_held_out(frame, model.columns, outcome, fold)
        line = recalibrate(people, has_slope=True).coefficients
    except NotEstimableError:
        return {}
    return {
        "discrimination": discriminate(people),
        "calibration_intercept": line[[0]],
        "calibration_slope": line[[1]],
    }


def _describe_means(data: StudyData, frame: pd.DataFrame, model: RiskModel) -> Iterator[Row]:
    """The mean of each number of the model over all who are followed."""
    cluster = data.entries["cluster_id"].to_numpy(np.int64)
    for column in model.columns:
        if column.level:
            continue
        value = read_columns(frame, [column])
        mean = Estimate(value.mean(axis=0), (value - value.mean(axis=0)) / len(value))
        yield {
            "estimand": "covariate_mean", "subgroup": column.term,
            **sum_by_cluster(mean, cluster).interval().row(), "n_people": len(value),
        }  # fmt: skip
