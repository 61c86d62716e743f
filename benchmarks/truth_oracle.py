"""The oracle of the truth study: models of a very large county, taken as known in a small one."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from truth_counties import prepare_county

from revictimisation.analyses.trial_inputs import build_trial, list_modifiers
from revictimisation.cohort.study_data import StudyData
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel, fit_outcome_model
from revictimisation.estimators.target_trial.standardised_risk import (
    DOUBLY_ROBUST,
    estimate_standardised_risks,
)
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.plan import StudyPlan
from revictimisation.simulate.scenarios import Scenario

PEOPLE, SEED = 100_000, 20261123


@dataclass(frozen=True)
class Oracle:
    """One measure's models of starts, of their law and of outcomes, and the starts' intervals."""

    weighted: WeightedTrial
    outcome: OutcomeModel
    cut_days: tuple[int, ...]


def fit_oracles(scenario: Scenario, plan: StudyPlan, target: Path) -> None:
    """Fit every measure's models in a county of 100,000 people and keep them."""
    data = prepare_county(scenario, PEOPLE, SEED, plan)
    stop, cause = (data.entries[name].to_numpy() for name in ("stop_day", "cause"))
    oracles = {}
    for measure in plan.measure_names:
        trial = build_trial(data, measure, stop, cause)
        weighted = weigh_clones(trial, grace_law="natural_law")
        outcome = fit_outcome_model(trial, modifiers=list_modifiers(trial, plan))
        few: Any = None  # the people themselves are not kept
        oracles[measure] = Oracle(
            replace(weighted, trial=few, daily=_strip(weighted.daily),
                    other=_strip(weighted.other)),
            replace(outcome, periods=tuple(_strip(one) for one in outcome.periods),
                    leaving=_strip(outcome.leaving)),
            trial.cut_days,
        )  # fmt: skip
    target.write_bytes(pickle.dumps(oracles))


def _strip(model: StartModel) -> StartModel:
    nothing = model.pooled._replace(
        first=np.zeros(1, np.int64), cell=model.pooled.cell[:0], days=model.pooled.days[:0],
        is_start=model.pooled.is_start[:0],
    )  # fmt: skip
    return replace(model, pooled=nothing, odds=model.odds._replace(rows=model.odds.rows[:0]))


def estimate_oracle(data: StudyData, oracles: dict[str, Oracle]) -> pd.DataFrame:
    """The doubly robust numbers with the oracle's models: a row per measure, day and estimand.

    A county in which a level of a covariate does not occur cannot take the models over; it has no
    rows for the measure.
    """
    stop, cause = (data.entries[name].to_numpy() for name in ("stop_day", "cause"))
    days, parts = list(data.plan.report_at_days), [pd.DataFrame()]
    for measure in data.plan.measure_names:
        known = oracles[measure]
        trial = build_trial(data, measure, stop, cause, cut_days=known.cut_days)
        try:
            weighted = weigh_clones(trial, grace_law="natural_law", given=known.weighted)
            outcome = fit_outcome_model(trial, given=known.outcome)
        except ValueError:
            continue
        rows = estimate_standardised_risks(weighted, outcome, days)[DOUBLY_ROBUST]
        parts.append(rows.assign(measure=measure, estimator="oracle", analysis="main"))
    return pd.concat(parts, ignore_index=True)
