"""Small trials for the tests."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.estimators.design import build_design, design_from_array
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.pooled_logistic import maximise
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial

MDVE = Path(__file__).parents[1] / "real" / "mdve" / "extract"


def random_trial(
    n: int, seed: int, *, grace_days: int = 12, n_victims: int | None = None, n_rare: int = 0
) -> Trial:
    """Confounded starts and outcomes, three causes, a covariate that changes, shared victims.

    n_rare: so many groups of eight, in each of which one starts, adjusted for as well.
    """
    rng = np.random.default_rng(seed)
    risk, earlier = rng.integers(0, 3, n), rng.poisson(0.8, n).astype(float)
    other = Changes(np.arange(n // 2), rng.integers(0, grace_days, n // 2), np.ones(n // 2))
    is_on = np.zeros((n, grace_days + 1))
    for i, day in enumerate(other.day):
        is_on[i, day:] = 1
    logit = -4 + 0.5 * risk + 0.2 * earlier + 0.8 * (np.arange(grace_days + 1) == 0)[:, None]
    chance = 1 / (1 + np.exp(-(logit.T + 0.7 * is_on)))
    hits = rng.random(chance.shape) < chance
    start = np.where(hits.any(axis=1), hits.argmax(axis=1), np.nan)
    stop = np.minimum(np.ceil(rng.exponential(120 * np.exp(-0.3 * risk), n)), 90)
    cause = np.where(stop == 90, 0, rng.choice([0, 1, 1, 1, 2, 3], n))
    people = pd.DataFrame({"risk": risk.astype(str), "earlier": earlier})
    if n_rare:
        people["group"] = _draw_groups(~np.isnan(start), n_rare)
    return prepare_trial(
        stop,
        cause,
        start,
        build_design(people, list(people)),
        grace_days=grace_days,
        cluster=None if n_victims is None else rng.integers(0, n_victims, n),
        changes={"other": other},
    )


def _draw_groups(is_started: np.ndarray, n_groups: int) -> np.ndarray:
    """Names of groups, "" for the rest: a starter each and seven others, in the order they come."""
    group = np.full(len(is_started), "", dtype=object)
    starters, others = np.flatnonzero(is_started), np.flatnonzero(~is_started)
    for at in range(n_groups):
        group[[starters[at], *others[7 * at : 7 * at + 7]]] = f"group {at}"
    return group


def read_mdve() -> Trial:
    """The Minneapolis experiment from its extract: arrest on day 0, a new report by day 182."""
    read = {}
    for name in ("reports", "social_interventions"):
        with open(MDVE / f"{name}.csv", encoding="utf-8") as file:
            read[name] = list(csv.DictReader(file))
    reports = pd.DataFrame(read["reports"])
    reports["on"] = pd.to_datetime(reports["reported_on"])
    first = reports.groupby("victim_id", sort=True)["on"].min()
    later = reports.merge(first.rename("index_on"), left_on="victim_id", right_index=True)
    later["day"] = (later["on"] - later["index_on"]).dt.days
    outcome = later[later["day"] > 0].groupby("victim_id")["day"].min().reindex(first.index)
    measures = pd.DataFrame(read["social_interventions"])
    arrested = first.index.isin(measures["person_id"])
    stop = np.minimum(outcome.fillna(182).to_numpy(), 182)
    none = design_from_array(np.zeros((len(first), 0)), [])
    cause = (outcome.to_numpy() <= 182).astype(int)
    return prepare_trial(stop, cause, np.where(arrested, 0.0, np.nan), none, grace_days=0)


def refit_model(trial: Trial, model: StartModel, case_weights: np.ndarray) -> StartModel:
    """The model with case weights, followed to the last digit."""
    found = maximise(trial, model.pooled, case_weights, model.theta, tolerance=1e-20, most=60)
    return replace(model, theta=found.theta, odds=found.odds)


def refit_all(weighted: WeightedTrial, case_weights: np.ndarray) -> WeightedTrial:
    """Both models of the weights with case weights."""
    models = (
        refit_model(weighted.trial, m, case_weights) for m in (weighted.daily, weighted.other)
    )
    daily, other = models
    return replace(weighted, daily=daily, other=other)
