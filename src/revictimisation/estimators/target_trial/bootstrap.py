"""The bootstrap over victims: replicates in any order, on any number of threads the same.

A victim's Poisson(1) weight in a replicate follows from seed, replicate and victim alone (a
counter-based generator). Models are refitted for a batch of replicates at once, each by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Floats
from revictimisation.estimators.target_trial.pooled_logistic import (
    find_information,
    invert_information,
)
from revictimisation.estimators.target_trial.start_model import StartModel
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.estimators.target_trial.weighted_risk import Arms, Strategies, fill_arms

Answer = tuple[Floats, bool]
Share = Callable[[Callable[[int], list[Answer]], Iterable[int]], Iterable[list[Answer]]]
# Replicates fitted together, always so many: one's digits do not depend on how many are asked for.
BATCH = 20
# P(weight <= k) for Poisson(1)
POISSON = np.cumsum(np.exp(-1) / np.array([1.0, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880]))


class RefittedStrategies(Strategies, Protocol):
    """Strategies whose weights can be had anew from models fitted with case weights."""

    @property
    def n_clusters(self) -> int:
        """Victims."""

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The entries as each of the models sees them."""

    @property
    def models(self) -> tuple[StartModel, ...]:
        """Models that the weights come from."""

    def refit(self, case_weights: Floats, inverses: Sequence[Floats]) -> list[tuple[Self, bool]]:
        """The same with models fitted anew, and whether they settled, for each replicate.

        case_weights: entries x replicates.
        """

    def find_told(self, case_weights: Floats, arms: Arms) -> npt.NDArray[np.bool_]:
        """Arms that these case weights tell something of."""


@dataclass(frozen=True, eq=False)
class Replicates:
    """`answers`: replicates x arms x (risks of causes 1..3, days lost) x days, as `Arms.read`.

    An arm that has no answer in a replicate is NaN. `n_unsettled`: replicates in which nobody (or
    everybody) starts, and those whose models did not settle (their answers are kept).
    """

    answers: Floats
    n_unsettled: int


def bootstrap_arms(
    strategies: RefittedStrategies,
    at_days: Sequence[int],
    *,
    n_replicates: int,
    seed: int,
    share: Share = map,
) -> Replicates:
    """Refit weights and curves in replicates with a Poisson(1) case weight per victim.

    The weight of a victim depends on seed, replicate and the victim's place alone. Caps stay what
    they are in the whole sample (`clone_weights`). `share` does replicates, several at a time if
    the caller has threads for them (`Workers.map`).

    Raises:
        ValueError: fewer than 2 replicates, a negative seed.
    """
    if n_replicates < 2 or seed < 0:
        raise ValueError("the bootstrap needs 2 replicates or more, and a seed of 0 or more")
    ones = np.ones(len(strategies.people.stop))
    inverses = [
        invert_information(find_information(trial, model.pooled, ones, model.odds))[0]
        for trial, model in zip(strategies.trials, strategies.models, strict=True)
    ]

    def run(first: int) -> list[Answer]:
        batch = range(first, first + BATCH)
        drawn = [draw_weights(seed, replicate, strategies.n_clusters) for replicate in batch]
        case_weights = np.stack(drawn, axis=1)[strategies.people.cluster]
        return [
            _read(moved, own, at_days, is_settled)
            for (moved, is_settled), own in zip(
                strategies.refit(case_weights, inverses), case_weights.T.copy(), strict=True
            )
        ]

    found = [answer for batch in share(run, range(0, n_replicates, BATCH)) for answer in batch]
    answers, is_settled = zip(*found[:n_replicates], strict=True)
    return Replicates(np.stack(answers), n_replicates - sum(is_settled))


@np.errstate(all="ignore")
def _read(
    moved: RefittedStrategies, case_weights: Floats, at_days: Sequence[int], is_settled: bool
) -> Answer:
    """The numbers of one replicate, and whether it has any and its models settled."""
    arms = fill_arms(moved, case_weights)
    answers, is_told = arms.read(at_days), moved.find_told(case_weights, arms)
    answers[~is_told] = np.nan
    return answers, is_settled and bool(is_told.any())


def draw_weights(seed: int, replicate: int, n_clusters: int) -> Floats:
    """Poisson(1) weights of the victims in a replicate."""
    key = _mix(_mix(np.array([seed], np.uint64)) ^ np.uint64(replicate))
    bits = _mix(key ^ _mix(np.arange(n_clusters, dtype=np.uint64))) >> np.uint64(11)
    uniform = bits * (1.0 / 9007199254740992.0)
    weights = np.zeros(n_clusters, np.uint8)
    for limit in POISSON:
        weights += uniform >= limit
    return weights.astype(np.float64)


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Splitmix64 (Steele, Lea & Flood 2014); it wraps around."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
