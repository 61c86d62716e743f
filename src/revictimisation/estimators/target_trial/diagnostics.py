"""What stands behind an estimate: weights, censoring, events, and what could be seen at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Flags, Floats
from revictimisation.estimators.contrasts import COUNTS, RISKS
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import DETECTABLE_ERRORS
from revictimisation.estimators.target_trial.balance import (
    count_effective,
    measure_balance,
    read_weights_at,
    summarise_positivity,
)
from revictimisation.estimators.target_trial.bootstrap import Replicates
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.estimates import estimate_strategies, mark_uncensored

Check = dict[str, object]
# A clone that weighs less has had its event on the last days it could have gone without a start.
NEXT_TO_NOTHING = 1e-9
OUTSIDE = "share_outside_support"
ARMS = ("start", "no_start")
DETECTABLE = "minimum_detectable_difference"


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
        its gate. Of the population in whom both strategies occur nothing is said of
        support.

    Raises:
        NotEstimableError: nobody of that population is in one of the arms.
    """
    rows = estimate_strategies(weighted, at_days) if estimates is None else estimates
    outcome = rows[rows["cause"] == 1]
    return stack_checks(
        _weights(weighted),
        _describe_numbers(weighted, outcome, RISKS[:3], DETECTABLE),
        _balance(weighted, at_days),
        _support(weighted) if weighted.population == "everyone" else pd.DataFrame(),
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
        _describe_numbers(weighted, estimates, COUNTS, "minimum_detectable_count_difference"),
        _balance(weighted, at_days),
        _support(weighted),
    )


def describe_covariates(weighted: WeightedTrial) -> pd.DataFrame:
    """The check `standardised_difference` of each covariate (`group`), arm against cohort.

    The largest of the covariate's columns, after weighting, when the grace time ends. Before
    weighting it would tell how many starters a covariate's rarer level has, so it is not made.
    """
    day, rows = weighted.trial.grace_days, []
    table = measure_balance(weighted, []) if weighted.trial.names else pd.DataFrame()
    for arm in ARMS if len(table) else ():
        mine = table[table["comparison"].eq(arm) & table["time_days"].eq(day)]
        terms = mine["column"].str.split("[=:]", n=1, regex=True).str[0]
        largest = mine["weighted"].abs().groupby(terms, sort=False).max()
        rows += [
            {**make_check("standardised_difference", float(gap), arm, day), "group": str(term)}
            for term, gap in largest.items()
        ]
    return pd.DataFrame(rows)


def describe_at_risk(weighted: WeightedTrial, at_days: Sequence[int]) -> pd.DataFrame:
    """The check `n_at_risk`: clones followed and in their arm when each day begins."""
    weights = read_weights_at(weighted, at_days)
    return pd.DataFrame([
        make_check("n_at_risk", float(count), arm, day)
        for day, one in zip(at_days, weights, strict=True)
        for arm, count in zip(ARMS, (one > 0).sum(axis=0), strict=True)
    ])  # fmt: skip


def describe_replicates(drawn: Replicates) -> pd.DataFrame:
    """The check `share_failed_replicates`: of the bootstrap's, those without a settled answer."""
    share = drawn.n_unsettled / len(drawn.answers)
    return stack_checks(pd.DataFrame([make_check("share_failed_replicates", share)]))


def stack_checks(*parts: pd.DataFrame) -> pd.DataFrame:
    """Tables of checks below each other, those without rows left out."""
    kinds = {"time_days": "Int64", "value": "float64"}
    rows = pd.concat([part.astype(kinds) for part in parts if len(part)], ignore_index=True)
    of_levels = [name for name in ("group", "level") if name in rows]
    return rows.fillna(dict.fromkeys(of_levels, ""))


def make_check(check: str, value: float, arm: str = "", day: int | None = None) -> Check:
    """A row of checks."""
    return {"check": check, "arm": arm, "time_days": day, "value": float(value)}


def describe_weights(arm: str, is_in: Flags, weights: Floats) -> list[Check]:
    """How many clones of an arm (`is_in`, by entry) are never censored, and their effective number.

    weights: theirs.
    """
    return [
        make_check("effective_sample_size", float(count_effective(weights)), arm),
        make_check("n_uncensored", int(is_in.sum()), arm),
        make_check("share_censored", float(1 - is_in.mean()), arm),
    ]


def describe_events(rows: pd.DataFrame, arm: str) -> list[Check]:
    """Events by day behind an arm's rows of results."""
    days = zip(rows["n_events"], rows["time_days"], strict=True)
    return [make_check("n_events", count, arm, int(day)) for count, day in days]


def describe_detectable(rows: pd.DataFrame, arm: str = "", check: str = DETECTABLE) -> list[Check]:
    """The smallest differences that the errors of these would let be seen, by day."""
    known = rows[rows["se"].notna()]
    days = zip(known["se"], known["time_days"], strict=True)
    return [make_check(check, DETECTABLE_ERRORS * se, arm, int(day)) for se, day in days]


def _describe_numbers(
    weighted: WeightedTrial, estimates: pd.DataFrame, names: Sequence[str], check: str
) -> pd.DataFrame:
    """Checks of the arms' and the difference's rows, by the names of their estimands."""
    rows = {name: estimates[estimates["estimand"] == name] for name in names}
    *arms, gap = rows.values()
    events = [row for mine, arm in zip(arms, ARMS, strict=True)
              for row in describe_events(mine, arm)]  # fmt: skip
    return pd.DataFrame([
        *events,
        *describe_detectable(gap, check=check),
        make_check("share_same_day_starts", weighted.trial.same_day_share),
        make_check("is_converged", weighted.is_converged),
    ])  # fmt: skip


def _weights(weighted: WeightedTrial) -> pd.DataFrame:
    rows = []
    stabilised, used = weighted.weights_on(is_stabilised=True), weighted.weights_on()
    is_in = mark_uncensored(weighted)
    for arm, name in enumerate(ARMS):
        own = used[is_in[:, arm], arm]
        # Who had an event at the end of the grace time without a start weighs nothing there.
        mine = stabilised[is_in[:, arm], arm][own > NEXT_TO_NOTHING]
        if not len(mine):
            raise NotEstimableError(OUTSIDE)
        rows += [
            make_check("weight_mean", mine.mean(), name),
            make_check("weight_max", mine.max(), name),
            *describe_weights(name, is_in[:, arm], own),
        ]
    n_victims = len(np.unique(weighted.trial.people.cluster[weighted.trial.is_started]))
    return pd.DataFrame([*rows, make_check("n_exposed_victims", n_victims, ARMS[0])])


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
                rows.append(make_check(check, float(gaps.max()), arm, int(str(day))))
    return pd.DataFrame(rows)


def is_balanced(weighted: WeightedTrial, limit: float) -> bool:
    """Whether no column's arm differs from the cohort by more than `limit` in the grace time."""
    checks = _balance(weighted, [])
    if checks.empty:
        return True
    is_asked = checks["check"].eq("largest_standardised_difference")
    is_asked &= checks["time_days"].le(weighted.trial.grace_days)
    return bool(checks.loc[is_asked, "value"].le(limit).all())


def _support(weighted: WeightedTrial) -> pd.DataFrame:
    everybody = summarise_positivity(weighted).iloc[0]
    return pd.DataFrame([
        make_check(OUTSIDE, float(everybody["share_outside"])),
        make_check("least_chance", float(everybody["least"])),
        make_check("largest_chance", float(everybody["largest"])),
    ])  # fmt: skip
