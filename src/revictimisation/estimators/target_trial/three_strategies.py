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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.design import Design
from revictimisation.estimators.flexibility import USUAL, Flexibility
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.pooled_logistic import refit
from revictimisation.estimators.target_trial.start_kernels import fill_three
from revictimisation.estimators.target_trial.start_model import StartModel, fit_start_model
from revictimisation.estimators.target_trial.trial_data import People, Trial, prepare_trial
from revictimisation.estimators.target_trial.weighted_risk import Arms, fill_arms

STRATEGIES = ("both", "one", "none")
N_ARMS = 3


@dataclass(frozen=True, eq=False)
class ThreeTrial:
    """Entries under three strategies, with what their weights come from.

    Attributes:
        police, social: the entries as the trial of each agency's first start.
        within_days: n. models: of the start of police, of social services.
    """

    police: Trial
    social: Trial
    within_days: int
    models: tuple[StartModel, StartModel]

    @property
    def people(self) -> People:
        """The entries; `start` is that of police."""
        return self.police.people

    @property
    def n_clusters(self) -> int:
        """Victims."""
        return self.police.n_clusters

    @property
    def trials(self) -> tuple[Trial, Trial]:
        """The entries as each of the models sees them."""
        return self.police, self.social

    @property
    def grace_days(self) -> int:
        """The last day of the grace time."""
        return self.police.grace_days

    @property
    def is_converged(self) -> bool:
        """Both models settled."""
        return all(model.is_converged for model in self.models)

    @cached_property
    def weights(self) -> Floats:
        """Of all entries, as `weigh` gives them."""
        return self.weigh(np.arange(self.police.n_entries))

    @cached_property
    def chance(self) -> Floats:
        """Entries x strategies: fitted, of following each within the grace time."""
        return self._fill(np.arange(self.police.n_entries))[0]

    @property
    def is_followed(self) -> Flags:
        """Entries x strategies: the clone is never censored artificially."""
        last = np.minimum(self.people.stop - 1, self.grace_days)
        return np.asarray(self.weights[np.arange(len(last)), :, last] > 0)

    def refit(
        self, case_weights: Floats, inverses: Sequence[Floats]
    ) -> list[tuple[ThreeTrial, bool]]:
        """The same with models fitted anew, and whether they settled, for each replicate.

        case_weights: entries x replicates.
        """
        found = (
            refit(trial, model.pooled, case_weights, model.theta, inverse)
            for trial, model, inverse in zip(self.trials, self.models, inverses, strict=True)
        )
        police, social = self.models
        moved = [
            replace(self, models=(police.move(one), social.move(other)))
            for one, other in zip(*found, strict=True)
        ]
        return [(trial, trial.is_converged) for trial in moved]

    def find_told(self, _case_weights: Floats, arms: Arms) -> Flags:
        """Strategies that somebody follows past the grace time."""
        after = self.grace_days + 1
        is_known = not any(np.isnan(model.theta).any() for model in self.models)
        if not is_known or after >= arms.at_risk.shape[1]:
            return np.zeros(N_ARMS, np.bool_)
        return np.asarray(arms.at_risk[:, after] > 0)

    @np.errstate(all="ignore")
    def weigh(self, who: Whole) -> Floats:
        """Weights of these entries: entries x strategies x days 0..g.

        Each on (t, t + 1], the last one ever after; 0 once the strategy is left.
        """
        return self._fill(who)[1]

    def _fill(self, who: Whole) -> tuple[Floats, Floats]:
        """Of these entries the chance of following each strategy, and the weights."""
        n_days = self.grace_days + 1
        chances, weights = np.empty((len(who), N_ARMS)), np.empty((len(who), N_ARMS, n_days))
        rows = self.people.row[who]
        fill_three(
            self.people.stop[who],
            np.stack([trial.people.start[who] for trial in self.trials]),
            np.stack([model.odds.rows[rows] for model in self.models]),
            np.concatenate([
                _odds_by_day(trial, model, 2 + at)
                for at, (trial, model) in enumerate(zip(self.trials, self.models, strict=True))
            ]),
            self.within_days, np.empty((2 + N_ARMS, n_days + 1)), chances, weights,
        )  # fmt: skip
        return chances, weights


def _odds_by_day(trial: Trial, model: StartModel, n_states: int) -> Floats:
    """Odds of an agency's first start, states of the other x days.

    States: 0 nothing started, 1 started on an earlier day, 2 (social services alone) started this
    very day. Coefficients: intervals of days first, then one a state.
    """
    n_intervals = int(trial.interval[-1]) + 1
    states = np.append(0.0, model.theta[n_intervals : n_intervals + n_states - 1])
    odds: Floats = np.exp(model.theta[trial.interval] + states[:, None])
    return odds


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
    flexibility: Flexibility = USUAL,
) -> ThreeTrial:
    """Check the input, fit both models and weigh the three clones of each entry.

    Args:
        stop_day, cause, design, grace_days, cluster, cut_days, flexibility: as in `prepare_trial`.
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
            cut_days=cut_days, flexibility=flexibility,
        )
        for day, change in zip(days, changes, strict=True)
    ]  # fmt: skip
    models = (fit_start_model(trials[0]), fit_start_model(trials[1]))
    return ThreeTrial(trials[0], trials[1], within_days, models)


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


def read_three(trial: ThreeTrial, at_days: Sequence[int]) -> Floats:
    """Strategies x (risk of causes 1..3, days lost to the outcome) x days; NaN: nobody is left."""
    arms = fill_arms(trial)
    answers = arms.read(at_days)
    answers[~trial.find_told(np.ones(trial.police.n_entries), arms)] = np.nan
    return answers
