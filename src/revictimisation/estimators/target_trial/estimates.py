"""The numbers of a target trial, with intervals from the influence function or the bootstrap.

**Few people.** Weights that are asked to allow for it (`WeightedTrial.is_small_sample`) have errors
by influence with each starter's own part in the fit given back (`leverage`); limits of each arm
reach as many of them as Student's t, its degrees of freedom one less than the arm's effective
number of victims, (sum W)^2 / sum W^2 of a victim's summed weights (Carter, Schnepel & Steigerwald
2017, Rev Econ Stat 99:698); and contrasts are put together from both arms' limits (`inference`).
`benchmarks/exposed_victims.py` compares their coverage; with many it changes next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.results import OK
from revictimisation.estimators.contrasts import RISKS
from revictimisation.estimators.inference import Estimate, Interval, compare_arms, sum_clusters
from revictimisation.estimators.influence import ROUNDING
from revictimisation.estimators.intervals import t_quantile
from revictimisation.estimators.target_trial.balance import count_effective, count_effective_at
from revictimisation.estimators.target_trial.bootstrap import Replicates
from revictimisation.estimators.target_trial.clone_influence import find_influence
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.number_needed import NAME, invert_difference
from revictimisation.estimators.target_trial.trial_data import N_CAUSES, People
from revictimisation.estimators.target_trial.weighted_risk import N_NUMBERS, Arms, fill_arms

FREE_DAYS = ("rmst_start_days", "rmst_no_start_days", "rmst_difference_days")
COLUMNS = [
    "cause", "estimand", "time_days", "estimate", "ci_low", "ci_high", "se", "n_people",
    "n_events", "status", "reason",
]  # fmt: skip


def estimate_strategies(
    weighted: WeightedTrial, at_days: Sequence[int], *, replicates: Replicates | None = None
) -> pd.DataFrame:
    """The risks under both strategies, their contrasts and their intervals.

    Args:
        weighted: from `weigh_clones`. at_days: days to report, ascending or not.
        replicates: from `bootstrap_arms` on the same days; errors are their standard deviations.
            Without them errors are those of the influence function.

    Returns:
        A row per cause, day and estimand: cause (1 outcome, 2 death, 3 emigration), risk_start,
        risk_no_start, risk_difference, risk_ratio (its se is that of its logarithm); for the
        outcome also rmst_start_days, rmst_no_start_days (event-free days; who dies or leaves
        without a new report is free to the end), rmst_difference_days (those gained) and
        number_needed_to_treat (`invert_difference`). Intervals: risks log-log, all others normal
        (`inference`). n_people: clones never censored artificially, for contrasts entries;
        n_events: events up to the day of those clones (start clones before their start included),
        for contrasts of all entries, each once. Where a risk is 0 or 1 its own interval is exact
        for the effective number at risk, the difference's is put together from both, a ratio with a
        risk of 0 is `not_estimable`.

    Raises:
        ValueError: replicates for other days.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.clone_weights import weigh_clones
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 4, [])
        >>> start = [0, 0, None, None]
        >>> trial = prepare_trial([5, 9, 4, 8], [1, 0, 1, 1], start, none, grace_days=0)
        >>> rows = estimate_strategies(weigh_clones(trial), [6])
        >>> rows.loc[rows["cause"] == 1, ["estimand", "estimate"]].head(3)
                  estimand  estimate
        0       risk_start       0.5
        1    risk_no_start       0.5
        2  risk_difference       0.0
    """
    arms = fill_arms(weighted)
    answers, behind = (
        find_answers(weighted, arms, at_days, replicates),
        _Behind(weighted, arms, at_days),
    )
    parts = [behind.compare_risks(answers[:, cause - 1], cause) for cause in range(1, N_CAUSES + 1)]
    parts += [behind.compare_free_days(answers[:, -1]), _find_needed(parts[0])]
    table = pd.concat(parts, ignore_index=True)[COLUMNS]
    return table.sort_values(["cause", "time_days"], kind="stable", ignore_index=True)


def estimate_risks(
    weighted: WeightedTrial, at_days: Sequence[int], *, replicates: Replicates | None = None
) -> pd.DataFrame:
    """The outcome's risks and their contrasts alone: as `estimate_strategies`, at less cost."""
    arms = fill_arms(weighted)
    answers = find_answers(weighted, arms, at_days, replicates, n_numbers=1)
    return _Behind(weighted, arms, at_days).compare_risks(answers[:, 0], 1)[COLUMNS]


def estimate_curves(
    weighted: WeightedTrial, at_days: Sequence[int], *, replicates: Replicates | None = None
) -> pd.DataFrame:
    """Both risks of the outcome along many days: a row per arm and day, as `estimate_strategies`.

    No days, no rows.
    """
    if not at_days:
        return pd.DataFrame(columns=COLUMNS)
    table = estimate_risks(weighted, at_days, replicates=replicates)
    return table[table["estimand"].isin(RISKS[:2])]


def estimate_outcome(
    weighted: WeightedTrial, at_days: Sequence[int], answers: Estimate
) -> pd.DataFrame:
    """The outcome's rows from another estimator of the same risks, as `estimate_strategies`.

    answers: arms x (risk, days lost) x days. Without the number needed to treat; risks outside 0..1
    are held at 0 and 1.
    """
    behind, risk = _Behind(weighted, fill_arms(weighted), at_days), answers[:, 0]
    held = replace(risk, value=np.clip(risk.value, 0.0, 1.0))
    parts = [behind.compare_risks(held, 1), behind.compare_free_days(answers[:, 1])]
    table = pd.concat(parts, ignore_index=True)[COLUMNS]
    return table.sort_values("time_days", kind="stable", ignore_index=True)


def swap_arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of risks and their contrasts the other way round: the arm *no start* named first.

    >>> rows = pd.DataFrame({"estimand": RISKS[:3], "estimate": [0.3, 0.2, 0.1],
    ...                      "ci_low": [0.2, 0.1, -0.1], "ci_high": [0.4, 0.3, 0.3]})
    >>> swap_arms(rows)[["estimand", "estimate", "ci_low"]].values.tolist()
    [['risk_no_start', 0.3, 0.2], ['risk_start', 0.2, 0.1], ['risk_difference', -0.1, -0.3]]
    """
    out = rows.copy()
    out["estimand"] = rows["estimand"].replace(dict(zip(RISKS[:2], RISKS[1::-1], strict=True)))
    numbers, turned = ["estimate", "ci_low", "ci_high"], ["estimate", "ci_high", "ci_low"]
    is_gap, is_ratio = (rows["estimand"].eq(name).to_numpy() for name in RISKS[2:])
    values = rows[turned].to_numpy(np.float64)
    with np.errstate(divide="ignore"):
        swapped = np.where(is_gap[:, None], -values, 1 / values)
    is_turned = is_gap | is_ratio
    out.loc[is_turned, numbers] = swapped[is_turned]
    return out


def find_answers(
    weighted: WeightedTrial,
    arms: Arms,
    at_days: Sequence[int],
    replicates: Replicates | None = None,
    n_numbers: int = N_NUMBERS,
) -> Estimate:
    """Arms x (risks of causes 1..3, days lost) x days, or the first so many of these numbers.

    Raises:
        ValueError: replicates for other days.
    """
    value = arms.read(at_days)[:, :n_numbers]
    if replicates is None:
        influence = find_influence(
            weighted, at_days, arms, n_numbers,
            is_widened=weighted.tilt is not None or weighted.is_small_sample,
        )  # fmt: skip
        return Estimate(value, influence)
    if replicates.answers.shape[3] != len(at_days):
        raise ValueError("the replicates are of other days")
    return Estimate(value, draws=replicates.answers[:, :, :n_numbers])


@dataclass(frozen=True, eq=False)
class _Behind:
    """What stands behind a trial's numbers on some days, and the rows made with it."""

    weighted: WeightedTrial
    arms: Arms
    at_days: Sequence[int]

    @cached_property
    def at_risk(self) -> Floats:
        """Effective number of clones at risk, (sum w)^2 / sum w^2: arms x days."""
        return count_effective_at(self.weighted, self.at_days)

    @cached_property
    def is_followed(self) -> Flags:
        """Arms x days on which a clone is at risk, or none is left to be: the risks add up to 1."""
        risks = self.arms.read(self.at_days)[:, :N_CAUSES]
        # a weight without an end (null) is somebody's; its gate fails by itself
        return np.asarray(~(self.at_risk <= 0) | (risks.sum(axis=1) > 1 - ROUNDING))

    @cached_property
    def reach(self) -> Floats | None:
        """How many errors the limits of either arm reach (arms x 1); None: as the normal ones."""
        if not self.weighted.is_small_sample:
            return None
        of_victims = sum_clusters(
            self.weighted.weights_on(), self.weighted.people.cluster, self.weighted.n_clusters
        )
        effective = [count_effective(one) for one in of_victims.T]
        return t_quantile(np.maximum(np.nan_to_num(effective) - 1, 1.0))[:, None]

    def compare_risks(self, risk: Estimate, cause: int) -> pd.DataFrame:
        """Rows of the risks of a cause (arms x days) and of their contrasts."""
        behind = self._count_effective(risk.value, cause)
        limits = risk.interval("log-log", behind, self.reach)
        return self._compare(risk, limits, RISKS, cause)

    def compare_free_days(self, lost: Estimate) -> pd.DataFrame:
        """Event-free days in each arm, and start less no start: positive = the measure helps."""
        free = np.asarray(self.at_days) - lost
        return self._compare(free, free.interval(quantile=self.reach), FREE_DAYS, 1)

    def _compare(
        self, numbers: Estimate, limits: Interval, names: Sequence[str], cause: int
    ) -> pd.DataFrame:
        is_in = mark_uncensored(self.weighted)
        return compare_arms(
            numbers, limits, names, {"time_days": np.asarray(self.at_days)},
            n_people=(*is_in.sum(axis=0), len(is_in)),
            n_events=count_events(self.weighted.people, is_in, self.at_days, cause),
            is_followed=self.is_followed,
            is_joined=self.weighted.is_small_sample,
        ).assign(cause=cause)  # fmt: skip

    def _count_effective(self, value: Floats, cause: int) -> Floats:
        """Effective number at risk; where the risk has reached 1 those with the event by then."""
        found, people, weights = self.at_risk.copy(), self.weighted.people, None
        for arm, place in np.argwhere(value >= 1):
            weights = self.weighted.weights_on() if weights is None else weights
            happened = (people.cause == cause) & (people.stop <= self.at_days[place])
            found[arm, place] = np.nan_to_num(count_effective(weights[happened, arm]))
        return found


def _find_needed(rows: pd.DataFrame) -> pd.DataFrame:
    """Numbers needed to treat from the rows of risk differences, with what is said of these."""
    gap = rows[rows["estimand"] == RISKS[2]].reset_index(drop=True)
    needed = invert_difference(gap["estimate"], gap["se"], gap["ci_low"], gap["ci_high"])
    needed = needed.where(gap["status"].eq(OK), gap[list(needed)])
    return gap.assign(**needed, estimand=NAME)


def count_events(people: People, is_in: Flags, at_days: Sequence[int], cause: int) -> Whole:
    """Events of a cause up to each day in each arm (entries x arms) and in any of them, unweighted.

    Arms + 1 x days.
    """
    happened = (people.cause == cause) & (people.stop <= np.asarray(at_days)[:, None])
    return np.asarray([(happened & mine).sum(axis=1) for mine in (*is_in.T, is_in.any(axis=1))])


def mark_uncensored(weighted: WeightedTrial) -> Flags:
    """Entries x (start, no start): the clone is never censored artificially."""
    trial = weighted.trial
    is_over = trial.people.stop <= trial.grace_days
    return np.column_stack([trial.is_started | is_over, ~trial.is_started])
