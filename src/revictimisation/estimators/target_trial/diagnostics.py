"""What stands behind an estimate: weights, censoring, events, and what could be seen at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from revictimisation.estimators.target_trial.balance import (
    count_effective,
    measure_balance,
    summarise_positivity,
)
from revictimisation.estimators.target_trial.bootstrap import Replicates
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.estimates import estimate_strategies, mark_uncensored

# A clone that weighs less has had its event on the last days it could have gone without a start.
NEXT_TO_NOTHING = 1e-9
ARMS = ("start", "no_start")
# Two-sided 5 % and a power of 80 %: 1.96 + 0.84 standard errors.
DETECTABLE_ERRORS = 2.8


def diagnose_trial(
    weighted: WeightedTrial, at_days: Sequence[int], estimates: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The numbers that say whether to believe a target trial; no limits, those are the study's.

    Args:
        weighted: from `weigh_clones`. at_days: days to report. estimates: from
            `estimate_strategies` on these days (else found here, by influence).

    Returns:
        A row per check, arm and day (arm empty: both or neither; time_days missing: none): check,
        arm, time_days, value. Weights are stabilised, of the clones never censored, on each one's
        last day: weight_mean, weight_max, effective_sample_size ((sum w)^2 / sum w^2 of the
        weights as used), n_uncensored, share_censored (clones censored artificially),
        n_exposed_victims (who started, by arm `start`), n_events
        (outcomes up to the day of those clones); largest_standardised_difference (of a column,
        against the cohort, after weighting; on day 0, at the end of the grace time, on each day),
        largest_standardised_difference_unweighted, share_outside_support, least_chance,
        largest_chance (fitted, of a start within the grace time), minimum_detectable_difference
        (2.8 standard errors: power 80 % at 5 %), share_same_day_starts, is_converged. Where a
        weight has no end (a model that could not be fitted) what rests on it is null, and fails
        its gate.
    """
    rows = estimate_strategies(weighted, at_days) if estimates is None else estimates
    outcome = rows[rows["cause"] == 1]
    return stack_checks(
        _weights(weighted),
        _events(outcome, "risk"),
        _balance(weighted, at_days),
        _support(weighted),
        _detectable(outcome, "risk_difference", "minimum_detectable_difference"),
        _whole_trial(weighted),
    )


def diagnose_counts(
    weighted: WeightedTrial, at_days: Sequence[int], estimates: pd.DataFrame
) -> pd.DataFrame:
    """The same for mean counts (`estimates` from `weighted_count.estimate_counts`).

    n_events are all outcomes of the clones, of which a person may have many; what difference could
    be seen is minimum_detectable_count_difference, in outcomes per person.
    """
    return stack_checks(
        _weights(weighted),
        _events(estimates, "mean_count"),
        _balance(weighted, at_days),
        _support(weighted),
        _detectable(estimates, "mean_count_difference", "minimum_detectable_count_difference"),
        _whole_trial(weighted),
    )


def describe_replicates(drawn: Replicates) -> pd.DataFrame:
    """The check `share_failed_replicates`: of the bootstrap's, those without a settled answer."""
    share = drawn.n_unsettled / len(drawn.answers)
    return stack_checks(pd.DataFrame([_row("share_failed_replicates", share)]))


def stack_checks(*parts: pd.DataFrame) -> pd.DataFrame:
    """Tables of checks below each other, those without rows left out."""
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return table.astype({"time_days": "Int64", "value": "float64"})


def _row(check: str, value: float, arm: str = "", day: int | None = None) -> dict[str, object]:
    return {"check": check, "arm": arm, "time_days": day, "value": value}


def _whole_trial(weighted: WeightedTrial) -> pd.DataFrame:
    return pd.DataFrame([
        _row("share_same_day_starts", weighted.trial.same_day_share),
        _row("is_converged", float(weighted.is_converged)),
    ])  # fmt: skip


def _weights(weighted: WeightedTrial) -> pd.DataFrame:
    rows = []
    stabilised, used = weighted.weights_on(is_stabilised=True), weighted.weights_on()
    is_in = mark_uncensored(weighted)
    for arm, name in enumerate(ARMS):
        own = used[is_in[:, arm], arm]
        # Who had an event at the end of the grace time without a start weighs nothing there.
        mine = stabilised[is_in[:, arm], arm][own > NEXT_TO_NOTHING]
        rows += [
            _row("weight_mean", float(mine.mean()), name),
            _row("weight_max", float(mine.max()), name),
            _row("effective_sample_size", count_effective(own), name),
            _row("n_uncensored", int(is_in[:, arm].sum()), name),
            _row("share_censored", float(1 - is_in[:, arm].mean()), name),
        ]
    n_victims = len(np.unique(weighted.trial.people.cluster[weighted.trial.is_started]))
    return pd.DataFrame([*rows, _row("n_exposed_victims", n_victims, ARMS[0])])


def _events(estimates: pd.DataFrame, estimand: str) -> pd.DataFrame:
    rows = []
    for arm in ARMS:
        mine = estimates[estimates["estimand"] == f"{estimand}_{arm}"]
        for day, count in zip(mine["time_days"], mine["n_events"], strict=True):
            rows.append(_row("n_events", float(count), arm, int(day)))
    return pd.DataFrame(rows)


def _balance(weighted: WeightedTrial, at_days: Sequence[int]) -> pd.DataFrame:
    if not weighted.trial.names:
        return pd.DataFrame()
    table = measure_balance(weighted, at_days)
    rows = []
    name = "largest_standardised_difference"
    for arm in ARMS:
        for day, mine in table[table["comparison"] == arm].groupby("time_days"):
            for kind, check in (("weighted", name), ("unweighted", f"{name}_unweighted")):
                gaps = np.abs(mine[kind].to_numpy())
                rows.append(_row(check, float(gaps.max()), arm, int(str(day))))
    return pd.DataFrame(rows)


def _support(weighted: WeightedTrial) -> pd.DataFrame:
    everybody = summarise_positivity(weighted).iloc[0]
    return pd.DataFrame([
        _row("share_outside_support", float(everybody["share_outside"])),
        _row("least_chance", float(everybody["least"])),
        _row("largest_chance", float(everybody["largest"])),
    ])  # fmt: skip


def _detectable(estimates: pd.DataFrame, estimand: str, check: str) -> pd.DataFrame:
    gaps = estimates[(estimates["estimand"] == estimand) & estimates["se"].notna()]
    return pd.DataFrame([
        _row(check, DETECTABLE_ERRORS * float(se), "", int(day))
        for se, day in zip(gaps["se"], gaps["time_days"], strict=True)
    ])  # fmt: skip
