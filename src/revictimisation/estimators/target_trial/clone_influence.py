"""How much each victim moves the two arms' numbers, the estimation of the weights included.

The estimator solves a stack of estimating equations: the scores of the start model and the weighted
curves. A victim's influence is the derivative of the number in the victim's case weight (the
infinitesimal jackknife): directly through the curves with weights as they are, plus through the
coefficients, gradient' x inverse information x the victim's score (Newey & McFadden 1994, section
6; for weights Lunceford & Davidian 2004). All derivatives are exact. The variance is the sum over
victims of the squared influence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from revictimisation.estimators.target_trial.clone_kernels import project_scores, sum_influence
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Outcomes, Trial
from revictimisation.estimators.target_trial.weighted_risk import (
    N_NUMBERS,
    Arms,
    Slopes,
    fill_arms,
    find_slopes,
)

Floats = npt.NDArray[np.float64]


def find_influence(
    weighted: WeightedTrial,
    at_days: Sequence[int],
    arms: Arms | None = None,
    n_numbers: int = N_NUMBERS,
) -> Floats:
    """Influence of each victim: clusters x arms x (risks of causes 1..3, days lost) x days.

    `n_numbers`: only so many of the four (1: the outcome's risk).
    """
    arms = fill_arms(weighted) if arms is None else arms
    shape = (weighted.trial.n_clusters, n_numbers, len(at_days))
    parts = [
        find_arm_influence(weighted, arm, find_slopes(arms, arm, at_days, n_numbers)).reshape(shape)
        for arm in range(2)
    ]
    return np.stack(parts, axis=1)


def find_arm_influence(
    weighted: WeightedTrial, arm: int, slopes: Slopes, outcomes: Outcomes | None = None
) -> Floats:
    """Influence of each victim (clusters x targets) on numbers read off one arm (0 start).

    `outcomes`: those that do not end follow-up, where the numbers are made of them as well.
    """
    influence, gradients = find_direct_influence(weighted, arm, slopes, outcomes)
    add_model_scores(weighted, gradients, influence)
    return sum_clusters(weighted.trial, influence)


def find_direct_influence(
    weighted: WeightedTrial, arm: int, slopes: Slopes, outcomes: Outcomes | None = None
) -> tuple[Floats, tuple[Floats, Floats]]:
    """Influence of each entry with the weights as they are (entries x targets), and the gradients.

    Gradients (targets x coefficients) of the numbers in the model of starts and in the other model.
    """
    trial, daily, other = weighted.trial, weighted.daily, weighted.other
    n_targets = len(slopes.at_risk)
    none = Outcomes(np.zeros(trial.n_entries + 1, np.int64), np.empty(0, np.int32))
    influence = np.empty((trial.n_entries, n_targets))
    at_risk = np.ascontiguousarray(slopes.at_risk.T)
    gradients = (
        np.empty((n_targets, len(daily.theta))),
        np.empty((n_targets, len(other.theta))),
    )
    sum_influence(
        trial.people, trial.interval, trial.columns, daily.pooled.effects, daily.row_odds,
        daily.cell_odds, other.row_odds, other.cell_odds, other.pooled.effects, arm,
        weighted.is_natural, weighted.cap_start, weighted.cap_no_start, at_risk,
        np.cumsum(at_risk, axis=0), np.ascontiguousarray(np.moveaxis(slopes.events, 0, 2)),
        none if outcomes is None else outcomes, np.ascontiguousarray(slopes.outcomes.T), influence,
        *gradients,
    )  # fmt: skip
    return influence, gradients


def add_model_scores(
    weighted: WeightedTrial, gradients: tuple[Floats, Floats], influence: Floats
) -> None:
    """Add to influence (entries x targets) what each entry does through both fitted models."""
    for model, gradient in zip((weighted.daily, weighted.other), gradients, strict=True):
        if gradient.any():
            add_scores(weighted.trial, model, gradient @ model.covariance, influence)


def add_scores(trial: Trial, model: StartModel, moves: Floats, influence: Floats) -> None:
    """Add to influence (entries x targets) each entry's score of the model times `moves`."""
    n_effects = model.pooled.effects.shape[1]
    columns = trial.columns
    base = csr_array(
        (columns.values, columns.indices, columns.pointers),
        shape=(len(columns.pointers) - 1, moves.shape[1] - n_effects),
    )
    row_moves = base @ np.ascontiguousarray(moves[:, n_effects:].T)
    cell_moves = model.pooled.effects @ np.ascontiguousarray(moves[:, :n_effects].T)
    project_scores(
        trial.people.row, model.pooled, model.row_odds, model.cell_odds, row_moves, cell_moves,
        influence,
    )  # fmt: skip


def sum_clusters(trial: Trial, influence: Floats) -> Floats:
    """Influence of victims from that of entries."""
    if trial.n_clusters == trial.n_entries:
        return influence
    return np.column_stack([
        np.bincount(trial.people.cluster, column, minlength=trial.n_clusters)
        for column in influence.T
    ])  # fmt: skip
