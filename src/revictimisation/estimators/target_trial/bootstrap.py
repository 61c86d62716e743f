"""The bootstrap over victims: replicates shared among threads, the same on any number of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.estimators.target_trial.bootstrap_kernels import run_replicates
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.weighted_risk import N_NUMBERS

Floats = npt.NDArray[np.float64]
# Small, so that threads end together; more would not matter.
REPLICATES_A_TURN = 4


@dataclass(frozen=True, eq=False)
class Replicates:
    """`answers`: replicates x arms x (risks of causes 1..3, days lost) x days, as `Arms.read`.

    A replicate in which nobody (or everybody) starts has no answer (NaN). `n_unsettled`: those, and
    those whose start model did not settle (their answers are kept).
    """

    answers: Floats
    n_unsettled: int


def bootstrap_arms(
    weighted: WeightedTrial,
    at_days: Sequence[int],
    *,
    n_replicates: int,
    seed: int,
    n_jobs: int | None = None,
) -> Replicates:
    """Refit weights and curves in replicates with a Poisson(1) case weight per victim.

    The weight of a victim depends on seed, replicate and the victim's place alone; threads share
    nothing but their inputs. Caps stay what they are in the whole sample (`clone_weights`).

    Raises:
        ValueError: fewer than 2 replicates, a negative seed.
    """
    if n_replicates < 2 or seed < 0:
        raise ValueError("the bootstrap needs 2 replicates or more, and a seed of 0 or more")
    days = np.asarray(at_days, dtype=np.int64)
    answers = np.empty((n_replicates, 2, N_NUMBERS, len(days)))
    is_settled = np.zeros(n_replicates, dtype=np.bool_)
    trial, daily, other = weighted.trial, weighted.daily, weighted.other

    def run(first: int) -> None:
        last = min(first + REPLICATES_A_TURN, n_replicates)
        run_replicates(
            first, last, seed, trial.people, trial.interval, trial.columns, trial.pooled,
            daily.theta, other.pooled, other.theta, other is daily, trial.n_clusters,
            weighted.is_natural,
            weighted.cap_start, weighted.cap_no_start, days, answers, is_settled,
        )  # fmt: skip

    with ThreadPoolExecutor(n_jobs or os.cpu_count() or 1) as pool:
        list(pool.map(run, range(0, n_replicates, REPLICATES_A_TURN)))
    return Replicates(answers, int((~is_settled).sum()))
