"""How finely models follow time and covariates: as finely as so many events can tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flexibility:
    """What the nuisance models of a target trial ask of the data before they tell more apart.

    Attributes:
        starts_per_interval: an interval of the grace time has an intercept of its own in the model
            of starts once it holds so many, or a `start_intervals`-th of all where that is more.
        starts_on_day_0: so many make day 0, with decisions of its own kind, an interval by itself.
        events_per_interval: the same for outcomes, and for leaving, after the grace time; of all
            at most an `outcome_intervals`-th, a `leaving_intervals`-th.
        events_per_grace_interval: up to its end, finer: while people go from one strategy to the
            other a hazard that falls within an interval would pass for an effect.
        events_per_effect: outcomes among the started for an effect of its own in a stretch of time,
            of which there are `effects` at most; `events_per_group_effect` for a group.
        events_per_covariate: outcomes of a period with coefficients of its own, for each baseline
            column (Peduzzi et al. 1996); there are `periods` at most.
        people_per_change: a change within the grace time that fewer see while they can still start
            enters no model: it tells no coefficient and unsettles weights.
        people_per_same_day: with so many in whom two measures start together, and the other alone,
            the two are told apart by a coefficient (Peduzzi et al. 1996).
    """

    starts_per_interval: int = 20
    start_intervals: int = 15
    starts_on_day_0: int = 5
    events_per_interval: int = 20
    events_per_grace_interval: int = 10
    outcome_intervals: int = 10
    leaving_intervals: int = 4
    events_per_effect: int = 20
    events_per_group_effect: int = 10
    effects: int = 4
    events_per_covariate: int = 10
    periods: int = 3
    people_per_change: int = 50
    people_per_same_day: int = 10


USUAL = Flexibility()
