"""The g-formula and a doubly robust estimator of the risks that the clones' weights estimate.

Both are of *start* with start days by their natural law within the grace time and of *no start*
(`clone_weights`, `natural_law`), with leaving (death, emigration) competing.

**g-formula** (Robins 1986): the model's risk (`outcome_model`) under each strategy from day 0 on,
averaged over everyone's baseline: under *start* over the start days of the law given the baseline
too, an event on the day before a start that day. Right if the outcome model is right and the
baseline holds everything that leads both to a start and to the outcome.

**doubly robust** (Robins, Rotnitzky & Zhao 1994; sequentially Bang & Robins 2005; for cumulative
incidence Zhang & Schaubel 2012; for stochastic strategies Kennedy 2019): with Q_k an entry's risk
foretold at the beginning of step k, given that it is free and whether it has started,

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
with the factor of `own_weight`, without which errors are too small where starts are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.estimators.target_trial.augmented_kernels import make_room, sum_courses
from revictimisation.estimators.target_trial.clone_influence import add_scores, sum_clusters
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.estimates import lay_outcome
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel, number_days
from revictimisation.estimators.target_trial.own_weight import find_own_factors
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]

G_FORMULA, DOUBLY_ROBUST = "g_formula", "doubly_robust"
ESTIMATORS = (G_FORMULA, DOUBLY_ROBUST)
N_OF_OUTCOME = 2  # numbers: the risk, and days lost


class Steps(NamedTuple):
    """Runs of days (begin, begin + days] with constant hazards, their intervals and periods."""

    begin: Days
    days: Days
    outcome: npt.NDArray[np.int32]
    leaving: npt.NDArray[np.int32]
    period: npt.NDArray[np.int64]


class Hazards(NamedTuple):
    """A model of hazards for the loops, and sums over entries of what moves with it.

    `row_odds` periods x rows and `cell_odds` as in `outcome_kernels`, `group` by row; `period` of
    each interval. Derivatives (estimators x arms x ...): `cell_sum` cells x targets in the cells'
    log odds, `base_sum` periods x columns x targets in the base coefficients.
    """

    row_odds: Floats
    cell_odds: Floats
    cell_sum: Floats
    base_sum: Floats
    group: npt.NDArray[np.int32]
    period: Days


class Targets(NamedTuple):
    """Numbers: the risks by each `day`, then the days lost up to each.

    An outcome on the day j = 0.. of a step counts `lead` - j `fall` (steps x targets).
    """

    day: Days
    lead: Floats
    fall: Floats


@dataclass(frozen=True, eq=False)
class Courses:
    """Both estimators' numbers.

    Attributes:
        value: estimators (g-formula, doubly robust) x arms (start, no start) x numbers (risk, days
            lost) x days. influence: of each victim, clusters x the same.
        augmentation: of each entry's start clone, entries x numbers x days.
    """

    value: Floats
    influence: Floats
    augmentation: Floats


def find_courses(weighted: WeightedTrial, model: OutcomeModel, at_days: Sequence[int]) -> Courses:
    """Both estimators' numbers and what each victim contributes to them.

    Args:
        weighted: from `weigh_clones` with the natural law, not capped. model: from
            `fit_outcome_model` on the same trial. Models that were given count as known.
            at_days: days to report, 1 or more. Past the last follow-up a risk stays what it is.

    Raises:
        ValueError: another law, capped weights, a day before day 1.
    """
    if not weighted.is_natural or np.isfinite(weighted.cap_start):
        raise ValueError("the weights must be those of the natural law, not capped")
    if min(at_days) < 1:
        raise ValueError("days to report begin with 1")
    trial = weighted.trial
    days = np.asarray(at_days, dtype=np.int64)
    steps = cut_steps(trial, model, days)
    targets = list_targets(steps, days)
    n_targets, n_columns = len(targets.day), len(trial.names)
    starts = [_make_sums(one, n_targets, n_columns) for one in (weighted.daily, weighted.other)]
    alone = np.zeros_like(model.group)
    outcome = make_hazards(model.periods, model.interval_periods, model.group, n_targets, n_columns)
    never = np.zeros(len(model.leaving_cut_days), np.int64)
    leaving = make_hazards((model.leaving,), never, alone, n_targets, n_columns)
    values = np.empty((trial.n_entries, 2, 2, n_targets))
    room = make_room(
        trial.grace_days, len(steps.begin), n_targets, len(outcome.period), len(leaving.period)
    )
    sum_courses(
        trial.people, trial.interval, steps, targets, 1 / follow_chances(trial), starts[0],
        starts[1], outcome, leaving, trial.columns, room, values,
    )  # fmt: skip
    flat = values.reshape(trial.n_entries, -1)
    mean = flat.mean(axis=0)
    influence = (flat - mean) / trial.n_entries
    for one, (_, _, cell_sum, base_sum) in zip((weighted.daily, weighted.other), starts,
                                               strict=True):  # fmt: skip
        _add_model(trial, one, cell_sum, base_sum, influence)
    for k, one in enumerate(model.periods):
        _add_model(trial, one, outcome.cell_sum, outcome.base_sum[:, :, k], influence)
    _add_model(trial, model.leaving, leaving.cell_sum, leaving.base_sum[:, :, 0], influence)
    shape = (2, 2, N_OF_OUTCOME, len(days))
    augmentation = (values[:, 1, 0] - values[:, 0, 0]).reshape(-1, *shape[2:])
    influence = sum_clusters(trial, influence).reshape(-1, *shape)
    return Courses(mean.reshape(shape), influence, augmentation)


def estimate_courses(
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
        >>> tables = estimate_courses(weighted, fit_outcome_model(trial), [9])
        >>> tables["doubly_robust"][["estimand", "estimate"]].head(2).round(4)
                estimand  estimate
        0     risk_start    0.3333
        1  risk_no_start    0.6667
    """
    courses = find_courses(weighted, model, at_days)
    influence = widen_influence(weighted, courses)
    return {
        name: lay_outcome(weighted, at_days, courses.value[k], influence[:, k])
        for k, name in enumerate(ESTIMATORS)
    }


def widen_influence(weighted: WeightedTrial, courses: Courses) -> Floats:
    """Influence with each starter's own augmentation as if the own weight were not held back."""
    more = find_own_factors(weighted) - 1
    shape = courses.augmentation.shape
    added = (more[:, None] * courses.augmentation.reshape(shape[0], -1)) / shape[0]
    influence = courses.influence.copy()
    influence[:, 1, 0] += sum_clusters(weighted.trial, added).reshape(-1, *shape[1:])
    return influence


def follow_chances(trial: Trial) -> Floats:
    """P(not ended administratively before the day) by day 0..last day; who has an event that day
    is no longer at risk of it (Kaplan-Meier).
    """
    stop, is_end = trial.people.stop, trial.people.cause == 0
    n_days = trial.last_day + 1
    ends = np.bincount(stop[is_end], minlength=n_days)
    events = np.bincount(stop[~is_end], minlength=n_days)
    gone = np.cumsum(ends + events)
    at_risk = len(stop) - gone + ends
    hazard = np.divide(ends, at_risk, out=np.zeros(n_days), where=at_risk > 0)
    chances: Floats = np.append(1.0, np.cumprod(1 - hazard)[:-1])
    return chances


def cut_steps(trial: Trial, model: OutcomeModel, days: Days) -> Steps:
    """Runs of days with constant hazards, ending where a day is reported or the grace time ends."""
    end = min(int(days.max()), trial.last_day)
    places = [np.arange(trial.grace_days + 1), days, np.array([end])]
    places += [np.asarray(cuts) - 1 for cuts in (model.cut_days, model.leaving_cut_days)]
    bounds = np.unique(np.concatenate(places)).astype(np.int64)
    bounds = bounds[bounds <= end]
    by_day = [number_days(cuts, end) for cuts in (model.cut_days, model.leaving_cut_days)]
    begin = bounds[:-1]
    outcome, leaving = (one[begin + 1] for one in by_day)
    return Steps(begin, np.diff(bounds), outcome, leaving, model.interval_periods[outcome])


def list_targets(steps: Steps, days: Days) -> Targets:
    """The risks by each of the days, and the days lost up to each."""
    is_counted = (steps.begin + steps.days)[:, None] <= days
    left = np.where(is_counted, days - steps.begin[:, None] - 1, 0)
    lead = np.hstack([is_counted, left]).astype(np.float64)
    fall = np.hstack([np.zeros_like(left), is_counted]).astype(np.float64)
    return Targets(np.tile(days, 2), np.ascontiguousarray(lead), np.ascontiguousarray(fall))


def _make_sums(
    model: StartModel, n_targets: int, n_columns: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Odds of a model, and room for sums by cell and by column."""
    cell_sum = np.zeros((2, 2, len(model.cell_odds), n_targets))
    return model.row_odds, model.cell_odds, cell_sum, np.zeros((2, 2, n_columns, n_targets))


def make_hazards(
    models: Sequence[StartModel],
    period: Days,
    group: npt.NDArray[np.int32],
    n_targets: int,
    n_columns: int,
) -> Hazards:
    """Odds of the periods' models, each in its own cells, and room for sums."""
    n_cells = len(models[0].cell_odds)
    of_cell = np.resize(period, n_cells)
    return Hazards(
        row_odds=np.array([one.row_odds for one in models]),
        cell_odds=np.choose(of_cell, [one.cell_odds for one in models]),
        cell_sum=np.zeros((2, 2, n_cells, n_targets)),
        base_sum=np.zeros((2, 2, len(models), n_columns, n_targets)),
        group=group,
        period=period,
    )


def _add_model(
    trial: Trial, model: StartModel, cell_sum: Floats, base_sum: Floats, influence: Floats
) -> None:
    """Add what moves through the estimation of a model's coefficients."""
    cells, base = (
        np.swapaxes(one, 2, 3).reshape(influence.shape[1], -1) for one in (cell_sum, base_sum)
    )
    gradient = np.hstack([cells @ model.pooled.effects, base]) / trial.n_entries
    moves = gradient @ model.covariance
    if moves.any():
        add_scores(trial, model, moves, influence)


__all__ = [
    "DOUBLY_ROBUST", "ESTIMATORS", "G_FORMULA", "Courses", "cut_steps", "estimate_courses",
    "find_courses", "follow_chances", "list_targets", "make_hazards", "widen_influence",
]  # fmt: skip
