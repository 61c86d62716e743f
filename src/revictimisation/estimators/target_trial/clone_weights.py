"""The weights of the two clones of each entry: what they are, and how they are capped.

Let h_k be the fitted hazard of a start on day k (`start_model`), g the last day of the grace time.

**No start.** The clone is censored on its start day s <= g (the day itself still counts: a start
comes after what else happens on it; s = 0 leaves nothing). Its weight on (t, t + 1] is
prod 1 / (1 - h_k) over k = 0..min(t, g) (Robins & Finkelstein 2000).

**Start**, censored at the end of day g if not started and event-free. Two laws for the grace time:

`censor_at_end`: weight 1 up to day g; from then on 1 / P(started by g | covariates, event-free at
g), by a logistic model among those event-free at g (Maringe et al. 2020). Up to day g this arm is
the natural course, in which many have not started: what the measure does within the grace time is
not seen, and who starts afterwards comes from survivors of that course.

`natural_law`: the risk had everyone started within the grace time, on a day from the natural law of
start days within it of people with the same baseline covariates (clones for each start day that
the law allows, Cain et al. 2010; a stochastic strategy, Young et al. 2011; on grace periods Wanis
et al. 2023). With l_k the hazard of a start on day k given the baseline covariates alone and
R_k = P(start on k..g | none before) under it, the strategy's hazard is l_k / R_k, and as
R_k - l_k = (1 - l_k) R_(k+1) the likelihood ratios to what was observed multiply to

    not started by t:   R_(t+1) / R_0  x  prod over k <= t of (1 - l_k) / (1 - h_k)
    started on s:             1 / R_0  x  prod over k < s of (1 - l_k) / (1 - h_k)  x  l_s / h_s

Only h must be right for the weights to be; l merely says which law is meant. Without changing
covariates l = h: one over the probability of a start within the grace time for who started, less
than 1 and at last 0 for who still has not. For g = 0 both laws are inverse-probability weighting.

**Stabilised** weights are divided by what the same model without covariates gives the same clone.
For clone-arm curves a factor that depends on the day alone cancels, so they serve for looking at
weights and for capping: a cap on stabilised weights holds back those far from their arm's ordinary.
A cap is a number found once, in the whole sample, and held in every replicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.target_trial.pooled_logistic import Odds, refit
from revictimisation.estimators.target_trial.start_kernels import NO_START, START, fill_weights
from revictimisation.estimators.target_trial.start_model import (
    StartModel,
    crude_hazards,
    fit_end_model,
    fit_law_model,
    fit_start_model,
)
from revictimisation.estimators.target_trial.tilting import Tilt, solve_tilt
from revictimisation.estimators.target_trial.trial_data import People, Trial

GraceLaw = Literal["censor_at_end", "natural_law"]
Population = Literal["everyone", "overlap"]
LAST = -1


@dataclass(frozen=True, eq=False)
class WeightedTrial:
    """A trial with its fitted weights.

    Attributes:
        daily: model of a start on each day. other: the start clone's: `fit_law_model` (the same as
            `daily` where nothing changes) or `fit_end_model`.
        cap_start: largest weight of a start clone that has started. cap_no_start: largest weight
            of a no-start clone by place 0..grace_days; infinite = not capped.
        population: whom the risks are of. `overlap`: people counted by e (1 - e), e their chance of
            a start within the grace time given the baseline columns, so those in whom both happen
            (Li, Morgan & Zaslavsky 2018): the weights of both arms are multiplied by it.
        tilt: what calibrates the weights; none: they are as fitted.
        is_small_sample: errors and intervals of numbers made of them are held to few people
            (`estimates`).
    """

    trial: Trial
    grace_law: GraceLaw
    daily: StartModel
    other: StartModel
    cap_start: float
    cap_no_start: Floats
    population: Population = "everyone"
    tilt: Tilt | None = None
    is_small_sample: bool = False

    @property
    def is_natural(self) -> bool:
        """Start days by their natural law within the grace time."""
        return self.grace_law == "natural_law"

    @property
    def is_converged(self) -> bool:
        """All models settled, and the equations of calibration."""
        is_tilted = self.tilt is None or self.tilt.is_settled
        return self.daily.is_converged and self.other.is_converged and is_tilted

    @property
    def people(self) -> People:
        """The trial's."""
        return self.trial.people

    @property
    def n_clusters(self) -> int:
        """Victims."""
        return self.trial.n_clusters

    @property
    def models(self) -> tuple[StartModel, ...]:
        """Those that were fitted, each once."""
        return (self.daily,) if self.other is self.daily else (self.daily, self.other)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The entries as each of the models sees them."""
        return (self.trial,) * len(self.models)

    def find_told(self, case_weights: Floats, _arms: object) -> Flags:
        """Arms that these case weights tell something of: some start, some do not.

        A model that could not begin (NaN) tells nothing; the law bears on the start clones alone.
        """
        is_started = self.trial.is_started
        has_both = case_weights[is_started].any() and case_weights[~is_started].any()
        is_known = has_both and not np.isnan(self.daily.theta).any()
        return np.array([is_known and not np.isnan(self.other.theta).any(), is_known])

    def weigh(self, who: Whole) -> Floats:
        """Weights of these entries: entries x arms x places 0..grace_days.

        On (t, t + 1] at place t, the last one also on every later day of follow-up.
        """
        weights = self._weigh((self.daily.odds, self.other.odds), self.caps, who)
        if self.population == "overlap":
            weights *= self.find_overlap(who)[:, None, None]
        if self.tilt is not None:
            weights *= self.tilt.find_tilts(self.trial, who)
        return weights

    def find_overlap(self, who: Whole) -> Floats:
        """e (1 - e) of these entries, e the law's chance of a start within the grace time."""
        odds, interval = self.other.odds, self.trial.interval
        rows = odds.rows[self.trial.people.row[who]]
        n_days = np.bincount(interval)
        stays = -np.log1p(rows[:, None] * odds.cells[: len(n_days)]) @ n_days
        overlap: Floats = -np.expm1(stays) * np.exp(stays)
        return overlap

    def _weigh(self, odds: tuple[Odds, Odds], caps: tuple[float, Floats], who: Whole) -> Floats:
        people, interval = self.trial.people, self.trial.interval
        weights = np.empty((len(who), 2, len(interval)))
        fill_weights(
            who, people.stop, people.start, people.row, people.first_segment, people.segment_day,
            people.segment_pattern, interval, *odds[0], *odds[1], self.is_natural, *caps,
            np.empty(len(interval) + 1), weights,
        )  # fmt: skip
        return weights

    @property
    def caps(self) -> tuple[float, Floats]:
        """The largest weights of start clones that have started, and of no-start clones."""
        return self.cap_start, self.cap_no_start

    @cached_property
    def weights(self) -> Floats:
        """Those of all entries, as `weigh` gives them."""
        return self.weigh(np.arange(self.trial.n_entries))

    def refit(
        self, case_weights: Floats, inverses: Sequence[Floats]
    ) -> list[tuple[WeightedTrial, bool]]:
        """The same with models fitted anew, and whether they settled, for each replicate.

        case_weights: entries x replicates. inverses: the inverse information of `models`. Where the
        natural law has a model of its own that starts from where the replicate has moved the model
        of starts. Calibration is repeated.
        """
        moved = self._refit_models(case_weights, inverses)
        if self.tilt is None:
            return moved
        found = [one.calibrate(own) for (one, _), own in zip(moved, case_weights.T, strict=True)]
        return [
            (one, is_settled and one.is_converged)
            for one, (_, is_settled) in zip(found, moved, strict=True)
        ]

    def calibrate(self, case_weights: Floats) -> WeightedTrial:
        """The same with its equations of calibration solved anew."""
        assert self.tilt is not None
        plain = replace(self, tilt=None).weights
        return replace(self, tilt=solve_tilt(self.trial, self.tilt, plain, case_weights))

    def _refit_models(
        self, case_weights: Floats, inverses: Sequence[Floats]
    ) -> list[tuple[WeightedTrial, bool]]:
        trial, daily = self.trial, self.daily
        starts = refit(trial, daily.pooled, case_weights, daily.theta, inverses[0])
        moved = [daily.move(found) for found in starts]
        if len(self.models) == 1:
            return [(replace(self, daily=one, other=one), one.is_converged) for one in moved]
        near, n_effects = self.other.theta, daily.pooled.effects.shape[1]
        if self.is_natural:
            n_days = self.other.pooled.effects.shape[1]
            shift = np.stack([found.theta - daily.theta for found in starts], axis=1)
            near = near[:, None] + np.concatenate([shift[:n_days], shift[n_effects:]])
        ends = refit(trial, self.other.pooled, case_weights, near, inverses[1])
        others = [self.other.move(found) for found in ends]
        return [
            (replace(self, daily=one, other=other), one.is_converged and other.is_converged)
            for one, other in zip(moved, others, strict=True)
        ]

    def take(self, chosen: Flags) -> WeightedTrial:
        """The chosen entries with the weights they have; victims keep their numbers."""
        people, at = self.trial.people, np.flatnonzero(chosen)
        first = people.first_segment[at]
        lengths = people.first_segment[at + 1] - first
        pointers = np.append(0, np.cumsum(lengths)).astype(np.int64)
        segments = np.repeat(first - pointers[:-1], lengths) + np.arange(pointers[-1])
        own = {name: getattr(people, name)[at]
               for name in ("stop", "cause", "start", "cluster", "row")}  # fmt: skip
        few = people._replace(
            **own,
            first_segment=pointers,
            segment_day=people.segment_day[segments],
            segment_pattern=people.segment_pattern[segments],
        )
        return replace(self, trial=replace(self.trial, people=few))

    def weights_on(self, day: int = LAST, *, is_stabilised: bool = False) -> Floats:
        """Weights (entries x 2: start, no start) on (day, day + 1]; 0 where not in the arm then.

        `LAST`: on the last day of each clone's own follow-up (grace time and after; a clone that
        was censored has 0).
        """
        weights = self._read(self.weights, day)
        if not is_stabilised:
            return weights
        crude = self._read(self._crude, day)
        return np.divide(weights, crude, out=np.zeros_like(weights), where=crude > 0)

    def weights_by(self, day: int) -> Floats:
        """Weights (entries x 2) on the last day of follow-up that is not after this one.

        Expected to have the whole cohort's means, whatever happened until then (`tilting`).
        """
        place = np.minimum(self.trial.people.stop - 1, min(day, self.trial.grace_days))
        return self.weights[np.arange(len(place)), :, place]

    @cached_property
    def population_weights(self) -> Floats:
        """How much each entry counts in the population that is asked about."""
        if self.population == "overlap":
            return self.find_overlap(np.arange(self.trial.n_entries))
        return np.ones(self.trial.n_entries)

    def _read(self, weights: Floats, day: int) -> Floats:
        """Weights on a day of all that there are by entry, arm and place."""
        stop, grace = self.trial.people.stop, self.trial.grace_days
        if day == LAST:
            return weights[np.arange(len(stop)), :, np.minimum(stop - 1, grace)]
        return np.where((stop > day)[:, None], weights[:, :, min(day, grace)], 0.0)

    @cached_property
    def _crude(self) -> Floats:
        """The weights from models without covariates."""
        trial = self.trial
        hazards = crude_hazards(trial.pooled, len(trial.cut_days))
        share, n_patterns = _share_started(trial), len(trial.segments.values)
        with np.errstate(divide="ignore"):
            by_interval = hazards / (1 - hazards)
            ends = np.full(n_patterns, np.divide(share, 1 - share))
        rows = np.ones(len(trial.columns.pointers) - 1)
        daily = Odds(rows, np.tile(by_interval, n_patterns))
        other = Odds(rows, by_interval if self.is_natural else ends)
        free = np.full(trial.grace_days + 1, np.inf)
        return self._weigh((daily, other), (np.inf, free), np.arange(trial.n_entries))


def weigh_clones(
    trial: Trial,
    *,
    grace_law: GraceLaw = "censor_at_end",
    cap_quantile: float | None = None,
    cap_at: float | None = None,
    given: WeightedTrial | None = None,
    is_small_sample: bool = False,
) -> WeightedTrial:
    """Fit the models and the weights.

    Args:
        trial: from `prepare_trial`. grace_law: see above.
        cap_quantile: in each arm, stabilised weights are capped at this quantile of those of the
            clones that were not censored. cap_at: at this number instead. Neither: not capped.
        given: another trial's weights under the natural law; its models are taken over as known
            (`fit_pooled`). is_small_sample: as in `WeightedTrial`.

    Raises:
        ValueError: both caps, an unknown law, a quantile outside 0..1, a cap not above 0.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 4, [])
        >>> trial = prepare_trial([9, 5, 9, 9], [0, 1, 1, 0], [0, None, 0, 0], none, grace_days=0)
        >>> weigh_clones(trial).weights_on(0).round(4).tolist()
        [[1.3333, 0.0], [0.0, 4.0], [1.3333, 0.0], [1.3333, 0.0]]
    """
    if grace_law not in ("censor_at_end", "natural_law"):
        raise ValueError(f"grace_law is censor_at_end or natural_law, not {grace_law}")
    if cap_quantile is not None and cap_at is not None:
        raise ValueError("give cap_quantile or cap_at, not both")
    if given is not None and not (given.is_natural and grace_law == "natural_law"):
        raise ValueError("models can be given for the natural law only")
    daily = fit_start_model(trial, None if given is None else given.daily)
    if grace_law == "censor_at_end":
        other = fit_end_model(trial)
    elif given is not None:
        other = fit_law_model(trial, given.other)
    else:
        other = fit_law_model(trial) if trial.changing_names else daily
    free = np.full(trial.grace_days + 1, np.inf)
    weighted = WeightedTrial(
        trial, grace_law, daily, other, np.inf, free, is_small_sample=is_small_sample
    )
    if cap_quantile is None and cap_at is None:
        return weighted
    return cap_weights(weighted, cap_quantile=cap_quantile, cap_at=cap_at)


def cap_weights(
    weighted: WeightedTrial, *, cap_quantile: float | None = None, cap_at: float | None = None
) -> WeightedTrial:
    """The same trial and models with capped weights; arguments as of `weigh_clones`.

    Raises:
        ValueError: as `weigh_clones`.
    """
    limits = _find_limits(weighted, cap_quantile, cap_at)
    crude_start, crude_no_start = _crude_weights(weighted.trial, weighted.is_natural)
    return replace(
        weighted,
        cap_start=limits[START] * crude_start,
        cap_no_start=limits[NO_START] * crude_no_start,
    )


def _find_limits(
    weighted: WeightedTrial, quantile: float | None, number: float | None
) -> tuple[float, float]:
    if number is not None:
        if not number > 0:
            raise ValueError("cap_at must be above 0")
        return number, number
    if quantile is None or not 0 < quantile <= 1:
        raise ValueError("cap_quantile must be between 0 and 1")
    is_started = weighted.trial.is_started
    stabilised = weighted.weights_on(is_stabilised=True)
    start = stabilised[is_started & (stabilised[:, START] > 0), START]
    return (
        float(np.quantile(start, quantile)) if len(start) else np.inf,
        float(np.quantile(stabilised[~is_started, NO_START], quantile)),
    )


def _crude_stays(trial: Trial) -> Floats:
    """P(not started by each day) without covariates."""
    hazards = crude_hazards(trial.pooled, len(trial.cut_days))
    stays: Floats = np.cumprod(1 - hazards[trial.interval], dtype=np.float64)
    return stays


def _crude_weights(trial: Trial, is_natural: bool) -> tuple[float, Floats]:
    """Weights without covariates: of who started (at the end), and of who has not by place."""
    stays = _crude_stays(trial)
    share = 1 - stays[-1] if is_natural else _share_started(trial)
    with np.errstate(divide="ignore"):
        return float(1 / share) if share > 0 else np.inf, 1 / stays


def _share_started(trial: Trial) -> float:
    is_in = trial.people.stop > trial.grace_days
    return float(trial.is_started[is_in].mean()) if is_in.any() else 0.0
