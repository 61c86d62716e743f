"""Two agencies together, one of them alone, or none: three strategies, by clones and weights.

Day 0 is the index report; n is `within_days`, g the last day of the grace time. What counts is each
agency's first start of anything on or after day 0; a start comes after what else happens on its
day, and later than day g it is none within the grace time.

*Both*: the two first starts are at most n days apart, the later one on day g at the latest.
*One*: exactly one agency starts within the grace time. *None*: neither does. Where both start
within the grace time but more than n days apart no strategy is followed; a second start of the
agency that came first brings the other one no nearer.

Each entry is cloned three times, and a clone is censored on the day on which it leaves its
strategy: *none* at the first start; *one* at the second agency's start, and at the end of day g
where nothing started; *both* at the end of the n-th day after the first agency's start (or of day
g) without the other's, and at the end of day g where nothing started.

**The law of the start days** is the natural law: the risk had everyone followed the strategy, with
start days as people with the same baseline covariates have them who follow it (a stochastic
strategy: Cain et al. 2010; Young et al. 2011). A clone's weight on (t, t + 1] is therefore

    P(strategy followed | starts up to day t, covariates) / P(strategy followed | covariates)

and 0 once it is left; from the end of the grace time on one over the probability of following the
strategy, for *none* the inverse probability of remaining uncensored. With g = 0 it is
inverse-probability weighting of what starts on day 0, without covariates the crude comparison.

**The probabilities** come from two pooled logistic models, one an agency: its first start on each
day of the grace time among those event-free, by intervals of days, the baseline covariates, and
whether the other agency has started on an earlier day; for social services also whether police
start something this very day (so what starts on one day may go together in any way). They are
multiplied over days and both agencies, and summed over all pairs of start days, backwards from g:
with q the hazard of the other agency's start where one has started,

    both(k) = P(both start on k) + P(none starts on k) both(k + 1)
              + P(one starts on k) (1 - product of (1 - q) over k + 1..min(k + n, g))

and alike for the others. Exchangeability, positivity and right models are assumed given what is in
the models; nothing that changes after day 0 is, but for the starts themselves.

Weighted Aalen-Johansen curves as in `weighted_risk`; errors by the bootstrap over victims, both
models fitted anew in every replicate. Source of the design: Hernan 2018; Maringe et al. 2020.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.estimators.design import Design
from revictimisation.estimators.target_trial.bootstrap import REPLICATES_A_TURN, Replicates
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.clone_kernels import fill_risks, read_targets
from revictimisation.estimators.target_trial.start_model import StartModel, fit_start_model
from revictimisation.estimators.target_trial.three_kernels import (
    N_ARMS,
    fill_day_odds,
    fill_weights,
    run_three_replicates,
    sum_three_arms,
)
from revictimisation.estimators.target_trial.trial_data import N_CAUSES, Trial, prepare_trial

Floats = npt.NDArray[np.float64]
STRATEGIES = ("both", "one", "none")


@dataclass(frozen=True, eq=False)
class ThreeTrial:
    """Entries under three strategies, with what their weights come from.

    Attributes:
        police, social: the entries as the trial of each agency's first start.
        within_days: n. models: of the start of police, of social services.
        weights: entries x strategies x days 0..g, each on (t, t + 1], the last one ever after.
        chance: entries x strategies, fitted, of following each within the grace time.
    """

    police: Trial
    social: Trial
    within_days: int
    models: tuple[StartModel, StartModel]
    weights: Floats
    chance: Floats

    @property
    def grace_days(self) -> int:
        """The last day of the grace time."""
        return self.police.grace_days

    @property
    def is_converged(self) -> bool:
        """Both models settled."""
        return all(model.is_converged for model in self.models)

    @property
    def is_followed(self) -> npt.NDArray[np.bool_]:
        """Entries x strategies: the clone is never censored artificially."""
        last = np.minimum(self.police.people.stop - 1, self.grace_days)
        return self.weights[np.arange(len(last)), :, last] > 0


def weigh_three(
    stop_day: npt.ArrayLike,
    cause: npt.ArrayLike,
    police_day: npt.ArrayLike,
    social_day: npt.ArrayLike,
    design: Design,
    *,
    grace_days: int,
    within_days: int,
    cluster: npt.ArrayLike | None = None,
    cut_days: Sequence[int] | None = None,
) -> ThreeTrial:
    """Check the input, fit both models and weigh the three clones of each entry.

    Args:
        stop_day, cause, design, grace_days, cluster, cut_days: as in `prepare_trial`.
        police_day, social_day: the agency's first start on or after day 0, NaN = none.
        within_days: n, 0 or more.

    Raises:
        NotEstimableError: nobody, or an agency that starts with nobody or with everybody.
        ValueError: see `prepare_trial`; a negative n.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> none = design_from_array([[]] * 5, [])
        >>> police, social = [0, 0, None, None, 0], [0, None, 0, None, None]
        >>> trial = weigh_three(
        ...     [9, 8, 7, 6, 5], [1, 0, 1, 1, 0], police, social, none, grace_days=0, within_days=0
        ... )
        >>> trial.weights[:, :, 0].round(3).tolist()[:3]
        [[5.0, 0.0, 0.0], [0.0, 1.667, 0.0], [0.0, 1.667, 0.0]]
    """
    if within_days < 0:
        raise ValueError("within_days must be 0 or more")
    stop = np.asarray(stop_day, dtype=np.float64)
    days = [_keep_within(day, stop, grace_days) for day in (police_day, social_day)]
    changes = (
        {"social_started": _mark(days[1], after=1)},
        {"police_started": _mark(days[0], after=1), "police_same_day": _mark_day(days[0])},
    )
    trials = [
        prepare_trial(
            stop_day, cause, day, design, grace_days=grace_days, cluster=cluster, changes=change,
            cut_days=cut_days,
        )
        for day, change in zip(days, changes, strict=True)
    ]  # fmt: skip
    models = (fit_start_model(trials[0]), fit_start_model(trials[1]))
    police, social = trials
    weights = np.empty((police.n_entries, N_ARMS, grace_days + 1))
    chance = np.empty((police.n_entries, N_ARMS))
    rows, odds = _read_odds(police, social, models)
    fill_weights(police.people, social.people.start, rows, *odds, within_days, weights, chance)
    return ThreeTrial(police, social, within_days, models, weights, chance)


def _keep_within(day: npt.ArrayLike, stop: Floats, grace_days: int) -> Floats:
    start = np.asarray(day, dtype=np.float64)
    return np.where((start <= grace_days) & (start < stop), start, np.nan)


def _mark(day: Floats, after: int) -> Changes:
    """1 from some days after the day on."""
    who = np.flatnonzero(~np.isnan(day))
    return Changes(who, day[who].astype(np.int64) + after, np.ones(len(who)))


def _mark_day(day: Floats) -> Changes:
    """1 on the day itself."""
    begin, end = _mark(day, after=0), _mark(day, after=1)
    return Changes(
        np.concatenate([begin.entry, end.entry]),
        np.concatenate([begin.day, end.day]),
        np.concatenate([begin.value, 0 * end.value]),
    )


def _read_odds(
    police: Trial, social: Trial, models: tuple[StartModel, StartModel]
) -> tuple[Floats, tuple[Floats, Floats]]:
    """Odds by row of the baseline columns (agencies x rows), and by state and day of each."""
    odds = (np.empty((2, police.grace_days + 1)), np.empty((3, police.grace_days + 1)))
    for trial, model, states in zip((police, social), models, odds, strict=True):
        fill_day_odds(model.theta, trial.interval, len(states), states)
    return np.stack([model.row_odds for model in models]), odds


def read_three(trial: ThreeTrial, at_days: Sequence[int]) -> Floats:
    """Strategies x (risk of causes 1..3, days lost to the outcome) x days; NaN: nobody is left."""
    police, n_days = trial.police, trial.police.last_day + 1
    at_risk, events = np.empty((N_ARMS, n_days)), np.empty((N_ARMS, N_CAUSES, n_days))
    rows, odds = _read_odds(police, trial.social, trial.models)
    sum_three_arms(
        police.people, trial.social.people.start, np.ones(police.n_entries), rows, *odds,
        trial.within_days, at_risk, events,
    )  # fmt: skip
    risk = np.zeros_like(events)
    fill_risks(at_risk, events, risk)
    answers = np.empty((N_ARMS, N_CAUSES + 1, len(at_days)))
    read_targets(risk, np.asarray(at_days, dtype=np.int64), answers)
    answers[~(trial.is_followed & (police.people.stop > trial.grace_days)[:, None]).any(axis=0)] = (
        np.nan
    )
    return answers


def bootstrap_three(
    trial: ThreeTrial,
    at_days: Sequence[int],
    *,
    n_replicates: int,
    seed: int,
    n_jobs: int | None = None,
) -> Replicates:
    """Refit both models and the curves in replicates with a Poisson(1) case weight per victim.

    As `bootstrap_arms`: the same numbers on any number of threads. A strategy that nobody follows
    to the end of the grace time has no answer (NaN) in that replicate.

    Raises:
        ValueError: fewer than 2 replicates, a negative seed.
    """
    if n_replicates < 2 or seed < 0:
        raise ValueError("the bootstrap needs 2 replicates or more, and a seed of 0 or more")
    police, social = trial.police, trial.social
    days = np.asarray(at_days, dtype=np.int64)
    answers = np.empty((n_replicates, N_ARMS, N_CAUSES + 1, len(days)))
    is_settled = np.zeros(n_replicates, dtype=np.bool_)

    def run(first: int) -> None:
        run_three_replicates(
            first, min(first + REPLICATES_A_TURN, n_replicates), seed, police.people,
            social.people.start, police.columns, (police.interval, social.interval),
            (police.pooled, social.pooled), tuple(model.theta for model in trial.models),
            trial.within_days, police.n_clusters, days, answers, is_settled,
        )  # fmt: skip

    with ThreadPoolExecutor(n_jobs or os.cpu_count() or 1) as pool:
        list(pool.map(run, range(0, n_replicates, REPLICATES_A_TURN)))
    return Replicates(answers, int((~is_settled).sum()))


__all__ = ["N_ARMS", "STRATEGIES", "ThreeTrial", "bootstrap_three", "read_three", "weigh_three"]
