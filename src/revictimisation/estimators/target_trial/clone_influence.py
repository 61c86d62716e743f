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

from revictimisation.core.arrays import Floats
from revictimisation.estimators.inference import sum_clusters
from revictimisation.estimators.target_trial.calibrated_weights import (
    hold_balance,
    respond,
    sum_answers,
)
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.entry_days import (
    EntryDays,
    Gradient,
    build_days,
    cut_blocks,
    move_law,
    move_overlap,
)
from revictimisation.estimators.target_trial.leverage import find_leverage_factors
from revictimisation.estimators.target_trial.pooled_logistic import find_residuals
from revictimisation.estimators.target_trial.start_kernels import NO_START, START
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Outcomes, Trial
from revictimisation.estimators.target_trial.weighted_risk import (
    N_NUMBERS,
    Arms,
    Slopes,
    fill_arms,
    find_slopes,
)


def find_influence(
    weighted: WeightedTrial,
    at_days: Sequence[int],
    arms: Arms | None = None,
    n_numbers: int = N_NUMBERS,
    *,
    is_widened: bool = False,
) -> Floats:
    """Influence of each victim: clusters x arms x (risks of causes 1..3, days lost) x days.

    `n_numbers`: only so many of the four (1: the outcome's risk). `is_widened`: for errors, where
    weights are calibrated or people few: as if no entry held its own residual back (`leverage`).
    """
    arms = fill_arms(weighted) if arms is None else arms
    shape = (weighted.trial.n_clusters, n_numbers, len(at_days))
    parts = [
        find_arm_influence(
            weighted, arm, find_slopes(arms, arm, at_days, n_numbers), is_widened=is_widened
        ).reshape(shape)
        for arm in range(2)
    ]
    return np.stack(parts, axis=1)


def find_arm_influence(
    weighted: WeightedTrial, arm: int, slopes: Slopes, outcomes: Outcomes | None = None, *,
    is_widened: bool = False,
) -> Floats:  # fmt: skip
    """Influence of each victim (clusters x targets) on numbers read off one arm (0 start).

    `outcomes`: those that do not end follow-up, where the numbers are made of them as well.
    """
    influence, gradients = find_direct_influence(
        weighted, arm, slopes, outcomes, is_widened=is_widened
    )
    add_model_scores(weighted, gradients, influence)
    return sum_by_victim(weighted.trial, influence)


@np.errstate(all="ignore")
def find_direct_influence(
    weighted: WeightedTrial, arm: int, slopes: Slopes, outcomes: Outcomes | None = None, *,
    is_widened: bool = False,
) -> tuple[Floats, tuple[Floats, Floats]]:  # fmt: skip
    """Influence of each entry with the weights as they are (entries x targets), and the gradients.

    Gradients (targets x coefficients) of the numbers in the model of starts and in the other model.
    """
    trial, n_targets = weighted.trial, len(slopes.at_risk)
    models = (weighted.daily, weighted.other)
    gradients = [Gradient.of(model, len(trial.names), n_targets) for model in models]
    influence = np.empty((trial.n_entries, n_targets))
    late = np.cumsum(slopes.at_risk, axis=1).T
    blocks = cut_blocks(trial.n_entries, len(trial.interval) * n_targets)
    response, factors = None, None
    if weighted.tilt is None and is_widened and arm == START:
        factors = find_leverage_factors(weighted)[:, None]
    if weighted.tilt is not None:
        answers = [
            sum_answers(
                weighted, here, arm,
                weigh_slopes(trial, here, weighted.weights[here, arm], slopes, late, outcomes),
            )
            for here in blocks
        ]  # fmt: skip
        response = respond(weighted, arm, np.sum(answers, axis=0), is_widened=is_widened)
    for here in blocks:
        days = build_days(weighted, here)
        profile = weighted.weights[here, arm]
        amounts = weigh_slopes(trial, here, profile, slopes, late, outcomes)
        if response is None:
            own = amounts.sum(axis=0).T
            influence[here] = own if factors is None else own * factors[here]
        else:
            influence[here] = hold_balance(weighted, here, arm, response, amounts)
        _drop_capped(weighted, days, arm, amounts)
        if arm == NO_START or weighted.is_natural:
            gradients[0].add_hazards(days, amounts, has_start=arm == START)
        if arm == START and weighted.is_natural:
            gradients[1].add_days(days, trial.interval, move_law(days, amounts))
        elif arm == START:
            odds, rows = weighted.other.odds, trial.people.row[here]
            ends = trial.people.segment_pattern[trial.people.first_segment[1:][here] - 1]
            factor = -1 / (1 + odds.rows[rows] * odds.cells[ends])
            gradients[1].add(days, amounts[-1:], factor[None], ends[None].astype(np.int64))
        if weighted.population == "overlap":
            gradients[1].add_days(days, trial.interval, move_overlap(days, amounts))
    daily, other = (
        gradient.by_coefficient(model.pooled.effects)
        for gradient, model in zip(gradients, models, strict=True)
    )
    return influence, (daily, other)


def weigh_slopes(
    trial: Trial, here: slice, weights: Floats, slopes: Slopes, late: Floats,
    outcomes: Outcomes | None,
) -> Floats:  # fmt: skip
    """Weight at each place x what a unit of weight there moves: days x targets x entries.

    weights: the arm's, entries x places. late: the slopes at risk summed up to each day, days x
    targets. `here`: the entries.
    """
    grace = trial.grace_days
    stop, cause = trial.people.stop[here], trial.people.cause[here]
    at_risk = slopes.at_risk.T
    amounts = np.zeros((grace + 1, at_risk.shape[1], len(stop)))
    early = at_risk[1 : grace + 1]
    amounts[: len(early)] = early[:, :, None]
    is_late = stop > grace
    amounts[grace] = 0.0
    amounts[grace][:, is_late] = (late[stop[is_late]] - late[min(grace, len(late) - 1)]).T
    who = np.flatnonzero(cause > 0)
    happened = slopes.events[:, cause[who] - 1, stop[who]].T
    amounts[np.minimum(stop[who] - 1, grace), :, who] += happened
    if outcomes is not None:
        first = outcomes.first[here.start : here.stop + 1]
        when = outcomes.day[first[0] : first[-1]]
        owner = np.repeat(np.arange(len(stop)), np.diff(first))
        places = (np.minimum(when - 1, grace), owner)
        np.add.at(amounts.transpose(0, 2, 1), places, slopes.outcomes[:, when].T)
    amounts *= weights.T[:, None]
    return amounts


def _drop_capped(weighted: WeightedTrial, days: EntryDays, arm: int, amounts: Floats) -> None:
    """A capped weight does not move with the model."""
    profile, by_entry = days.weights[arm], amounts.transpose(0, 2, 1)
    if arm == NO_START:
        by_entry[profile >= weighted.cap_no_start[:, None]] = 0.0
    elif np.isfinite(weighted.cap_start):
        has_started = ~days.is_free & (np.cumsum(days.is_start, axis=0) > 0)
        by_entry[has_started & (profile >= weighted.cap_start)] = 0.0


def add_model_scores(
    weighted: WeightedTrial, gradients: tuple[Floats, Floats], influence: Floats
) -> None:
    """Add to influence (entries x targets) what each entry does through both fitted models."""
    for model, gradient in zip((weighted.daily, weighted.other), gradients, strict=True):
        if gradient.any():
            add_scores(weighted.trial, model, gradient @ model.covariance, influence)


@np.errstate(all="ignore")
def add_scores(trial: Trial, model: StartModel, moves: Floats, influence: Floats) -> None:
    """Add to influence (entries x targets) each entry's score of the model times `moves`."""
    n_effects = model.pooled.effects.shape[1]
    residuals = find_residuals(trial, model.pooled, model.odds)
    row_moves = trial.matrix @ np.ascontiguousarray(moves[:, n_effects:].T)
    cell_moves = np.einsum("ck,jk->cj", model.pooled.effects, moves[:, :n_effects])
    influence += residuals.sum(axis=1)[:, None] * row_moves[trial.people.row]
    influence += residuals @ cell_moves


def sum_by_victim(trial: Trial, influence: Floats) -> Floats:
    """Influence of victims from that of entries."""
    if trial.n_clusters == trial.n_entries:
        return influence
    return sum_clusters(influence, trial.people.cluster, trial.n_clusters)
