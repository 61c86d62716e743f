"""The g-formula and a doubly robust estimator of the risks that the clones' weights estimate.

Both are of *start* with start days by their natural law within the grace time and of *no start*
(`clone_weights`, `natural_law`), with leaving (death, emigration) competing.

**g-formula** (Robins 1986): the model's risk (`outcome_model`) under each strategy from day 0 on,
averaged over everyone's baseline: under *start* over the start days of the law given the baseline
too, an event on the day before a start that day. Right if the outcome model is right and the
baseline holds everything that leads both to a start and to the outcome.

**doubly robust** (Robins, Rotnitzky & Zhao 1994; sequentially Bang & Robins 2005; for cumulative
incidence Zhang & Schaubel 2012; for stochastic strategies Kennedy 2019): with Q_k an entry's risk
predicted at the beginning of step k, given that it is free and whether it has started,

    mean of  Q_0 + sum over k of W_k / G (Q_(k+1) - U_k)

where U_k is Q_k after the day's decision, W_k the clone's weight (0 once censored) and Q after an
outcome 1, after leaving 0. What the law decides at random brings no term, as in the estimand it is
known. G is the chance of being followed so far (Kaplan-Meier of administrative ends, as if these
were at random; 1 while follow-up is complete); a step counts if it is seen to its end or to an
event. Expectations of the increments are 0 if the outcome model is right; if the weights are right
all but the truth cancels: consistent if either holds. The law `l` merely says what is estimated.

**Errors** are those of an M-estimator (Newey & McFadden 1994, section 6): an entry's value less the
mean, plus the gradients in the coefficients of all models times their influence, summed by victim.
The gradients are exact; so for the g-formula this is the delta method with the coefficients'
sandwich covariance and the empirical standardisation. G counts as known, which is exact if the
outcome model is right and conservative else. In the tables each starter's own augmentation counts
with the factor of `leverage`, without which errors are too small where starts are few.

**Calibrated weights** may be given as well (`calibrated_weights`): what the outcome model leaves of
the baseline's imbalance is then balanced by construction, with smaller weights; consistent as
before, for if the models of starts are right the tilt is next to nothing, and if the outcome model
is, increments have the expectation 0 with any weights of who is followed. A victim's influence
holds the part through the equations of calibration too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.target_trial.clone_influence import add_scores, sum_by_victim
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.estimates import estimate_outcome
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel
from revictimisation.estimators.target_trial.potential_risks import (
    find_follow_chances,
    find_scores,
)
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial

G_FORMULA, DOUBLY_ROBUST = "g_formula", "doubly_robust"
ESTIMATORS = (G_FORMULA, DOUBLY_ROBUST)
N_OF_OUTCOME = 2  # numbers: the risk, and days lost


@dataclass(frozen=True, eq=False)
class StandardisedRisks:
    """Both estimators' numbers.

    Attributes:
        value: estimators (g-formula, doubly robust) x arms (start, no start) x numbers (risk, days
            lost) x days. influence: of each victim, clusters x the same.
        scores: each entry's own term of the doubly robust risks, entries x arms x days.
    """

    value: Floats
    influence: Floats
    scores: Floats


def standardise_risks(
    weighted: WeightedTrial,
    model: OutcomeModel,
    at_days: Sequence[int],
    *,
    is_widened: bool = False,
) -> StandardisedRisks:
    """Both estimators' numbers and what each victim contributes to them.

    Args:
        weighted: from `weigh_clones` with the natural law, not capped. model: from
            `fit_outcome_model` on the same trial. Models that were given count as known.
            at_days: days to report, 1 or more. Past the last follow-up a risk stays what it is.
        is_widened: for errors, as if no entry held its own augmentation back (`leverage`).

    Raises:
        ValueError: another law, capped weights, a day before day 1.
    """
    if not weighted.is_natural or np.isfinite(weighted.cap_start):
        raise ValueError("the weights must be those of the natural law, not capped")
    if min(at_days) < 1:
        raise ValueError("days to report begin with 1")
    trial = weighted.trial
    days = np.asarray(at_days, dtype=np.int64)
    values, beside, gradients = find_scores(
        weighted, model, days, 1 / find_follow_chances(trial), is_widened=is_widened
    )
    flat = values.reshape(trial.n_entries, -1)
    mean = flat.mean(axis=0)
    moved = values.copy()
    moved[:, 1] += beside
    influence = (moved.reshape(flat.shape) - mean) / trial.n_entries
    for one, by in ((weighted.daily, gradients.starts), (weighted.other, gradients.law)):
        _add_model(trial, one, by.cells, by.base, influence)
    for by_hazard, models in (
        (gradients.outcome, model.periods), (gradients.leaving, (model.leaving,)),
    ):  # fmt: skip
        for one, base in zip(models, by_hazard.base, strict=True):
            _add_model(trial, one, by_hazard.cells, base, influence)
    shape = (2, 2, N_OF_OUTCOME, len(days))
    influence = sum_by_victim(trial, influence).reshape(-1, *shape)
    scores = values[:, 1, :].reshape(trial.n_entries, *shape[1:])[:, :, 0]
    return StandardisedRisks(mean.reshape(shape), influence, scores)


def estimate_standardised_risks(
    weighted: WeightedTrial, model: OutcomeModel, at_days: Sequence[int]
) -> dict[str, pd.DataFrame]:
    """Tables of the g-formula and of the doubly robust estimator, by estimator.

    Returns:
        A row per day and estimand as from `estimate_strategies`, for the outcome alone and without
        the number needed to treat. A doubly robust risk outside 0..1 is given as 0 or 1.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.clone_weights import weigh_clones
        >>> from revictimisation.estimators.target_trial.outcome_model import fit_outcome_model
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 6, [])
        >>> start = [0, 0, 0, None, None, None]
        >>> trial = prepare_trial([5, 9, 9, 4, 5, 9], [1, 0, 0, 1, 1, 0], start, none, grace_days=0)
        >>> weighted = weigh_clones(trial, grace_law="natural_law")
        >>> tables = estimate_standardised_risks(weighted, fit_outcome_model(trial), [9])
        >>> tables["doubly_robust"][["estimand", "estimate"]].head(2).round(4)
                estimand  estimate
        0     risk_start    0.3333
        1  risk_no_start    0.6667
    """
    standardised = standardise_risks(weighted, model, at_days, is_widened=True)
    return tabulate_risks(weighted, standardised, at_days)


def tabulate_risks(
    weighted: WeightedTrial, standardised: StandardisedRisks, at_days: Sequence[int]
) -> dict[str, pd.DataFrame]:
    """The tables of `estimate_standardised_risks` from its numbers, which are to be widened."""
    value, influence = standardised.value, standardised.influence
    return {
        name: estimate_outcome(weighted, at_days, Estimate(value[k], influence[:, k]))
        for k, name in enumerate(ESTIMATORS)
    }


def _add_model(
    trial: Trial, model: StartModel, cells: Floats, base: Floats, influence: Floats
) -> None:
    """Add what moves through the estimation of a model's coefficients."""
    by_cell = cells.reshape(len(cells), -1)
    by_effect = np.einsum("ck,cj->jk", model.pooled.effects, by_cell)
    gradient = np.hstack([by_effect, base.reshape(-1, by_cell.shape[1]).T]) / trial.n_entries
    moves = np.einsum("jk,km->jm", gradient, model.covariance)
    if moves.any():
        add_scores(trial, model, moves, influence)
