"""A doubly robust score of each entry's two risks, from models that never saw its victim.

The score (Robins, Rotnitzky & Zhao 1994; as an outcome to learn effects from, Kennedy 2023) is an
entry's own term of the doubly robust estimator (`standardised_risk`): what the model of outcomes
predicts for it, plus its weighted residuals, 0 where the clone is censored. Its mean over people
with the same baseline is their risk under the strategy, if either the weights or the model of
outcomes is right; so the difference of both scores is an unbiased, noisy pseudo-outcome.

Models are fitted to all folds of victims but one and read in that one (cross-fitting,
Chernozhukov et al. 2018). A starter unlike all starters of the other folds would get a weight
without end: weights are capped at a multiple of what they are without covariates, so people who
hardly ever start count for little, and what is said of them leans on the model of outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from revictimisation.core.arrays import Codes, Flags, Floats
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.clone_weights import (
    WeightedTrial,
    cap_weights,
    weigh_clones,
)
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel, fit_outcome_model
from revictimisation.estimators.target_trial.pooled_logistic import (
    find_information,
    invert_information,
    refit,
)
from revictimisation.estimators.target_trial.potential_risks import (
    find_doubly_robust,
    find_follow_chances,
)
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """`value`: entries x (start, no start), scores of the risk by the day asked for.

    `share_capped`: of the starters' weights. `is_converged`: every model settled in every fold.
    """

    value: Floats
    share_capped: float
    is_converged: bool

    @property
    def effect(self) -> Floats:
        """Score of the risk difference of each entry: start less no start."""
        difference: Floats = self.value[:, 0] - self.value[:, 1]
        return difference


def score_held_out(
    trial: Trial, day: int, fold: Codes, *, largest_weight: float = np.inf
) -> HeldOutScores:
    """Score the risks by a day, each fold with the models of the others.

    Args:
        trial: from `prepare_trial`. day: 1 or more. fold: of each entry, 0 and on; the entries of a
            victim must share theirs. largest_weight: times the weight without covariates.

    Raises:
        NotEstimableError: without one of the folds nobody started, everybody did, or nobody had the
            outcome.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 8, [])
        >>> trial = prepare_trial([5, 5, 9, 9] * 2, [1, 1, 0, 0] * 2, [0, None] * 4, none,
        ...                       grace_days=0)
        >>> score_held_out(trial, 5, np.repeat([0, 1], 4)).value.round(3)[:4].tolist()
        [[1.69, 0.31], [0.31, 1.69], [-0.31, 0.31], [0.31, -0.31]]
    """
    weighted = weigh_clones(trial, grace_law="natural_law")
    if np.isfinite(largest_weight):
        weighted = cap_weights(weighted, cap_at=largest_weight)
    is_out = [fold == one for one in np.unique(fold)]
    for held in is_out:
        _check_training(trial, ~held)
    scores = np.full((trial.n_entries, 2, 2), np.nan)
    settled, capped = [], np.zeros(trial.n_entries, np.bool_)
    every = _leave_out(weighted, fit_outcome_model(trial), [~held for held in is_out])
    for held, (mine, standardised, is_settled) in zip(is_out, every, strict=True):
        scores[held] = find_doubly_robust(
            mine.take(held), standardised, np.array([day]), 1 / find_follow_chances(trial)
        )
        settled.append(is_settled)
        if np.isfinite(largest_weight):
            capped |= held & (mine.weights_on()[:, 0] >= mine.cap_start)
    starters = trial.is_started
    return HeldOutScores(scores[:, :, 0], float(capped[starters].mean()), all(settled))


def _check_training(trial: Trial, is_in: Flags) -> None:
    started = trial.is_started[is_in]
    if not started.any() or started.all():
        raise NotEstimableError("everybody_started" if started.any() else "nobody_started")
    if not (trial.people.cause[is_in] == 1).any():
        raise NotEstimableError("no_events")


def _leave_out(
    weighted: WeightedTrial, model: OutcomeModel, is_in: list[Flags]
) -> list[tuple[WeightedTrial, OutcomeModel, bool]]:
    """All models fitted to each of these sets of entries alone; whether all settled."""
    trial, is_same = weighted.trial, weighted.other is weighted.daily
    starts = [weighted.daily] if is_same else [weighted.daily, weighted.other]
    fitted = [_refit(trial, one, is_in) for one in (*starts, model.leaving, *model.periods)]
    found = []
    for daily, *others in zip(*fitted, strict=True):
        law = daily if is_same else others.pop(0)
        leaving, *periods = others
        every = (daily, law, leaving, *periods)
        found.append((
            replace(weighted, daily=daily, other=law),
            replace(model, periods=tuple(periods), leaving=leaving),
            all(one.is_converged for one in every),
        ))  # fmt: skip
    return found


def _refit(trial: Trial, model: StartModel, is_in: list[Flags]) -> list[StartModel]:
    """The model of each set of entries, found from the whole sample's coefficients."""
    ones = np.ones(trial.n_entries)
    inverse, _ = invert_information(find_information(trial, model.pooled, ones, model.odds))
    weight = np.stack(is_in, axis=1).astype(np.float64)
    unknown = replace(model, covariance=np.zeros_like(model.covariance))
    return [unknown.move(best) for best in refit(trial, model.pooled, weight, model.theta, inverse)]
