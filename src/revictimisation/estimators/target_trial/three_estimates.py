"""The numbers of the three strategies for two agencies, and what stands behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.packing import pack_contrast, unpack_contrast
from revictimisation.estimators.intervals import (
    NO_ERROR,
    bound_difference,
    error_of_limits,
    loglog_interval,
    normal_quantile,
)
from revictimisation.estimators.target_trial.balance import count_effective, standardise_gaps
from revictimisation.estimators.target_trial.bootstrap import Replicates
from revictimisation.estimators.target_trial.diagnostics import DETECTABLE_ERRORS
from revictimisation.estimators.target_trial.three_strategies import (
    N_ARMS,
    STRATEGIES,
    ThreeTrial,
    read_three,
)
from revictimisation.estimators.target_trial.trial_data import N_CAUSES

Floats = npt.NDArray[np.float64]
CONTRASTS = (("both", "none"), ("one", "none"), ("both", "one"))


def estimate_three(
    trial: ThreeTrial, at_days: Sequence[int], replicates: Replicates | None = None
) -> pd.DataFrame:
    """The risk under each strategy and the differences between them.

    Returns:
        A row per cause (1 outcome, 2 death, 3 emigration), level and day (`is_followed`: somebody
        of each strategy is at risk on it): estimand
        `cumulative_incidence` with level both, one, none; for the outcome `risk_difference` with
        level both_less_none, one_less_none, both_less_one. n_people: clones never censored
        artificially, n_events: events up to the day of those; of a difference the smaller of its
        two strategies' each. Errors are the replicates' standard deviations, intervals normal (for
        risks log-log; where a risk is 0 or 1 exact for its people); without replicates there are
        none. A strategy that nobody follows to the end of the grace time: no estimate.
    """
    answers = read_three(trial, at_days)
    draws = None if replicates is None else replicates.answers
    people, events = _count(trial, at_days)
    parts = []
    limits = np.empty((2, *answers[:, :N_CAUSES].shape))
    for cause in range(N_CAUSES):
        for arm, name in enumerate(STRATEGIES):
            risk = answers[arm, cause]
            spread = _spread(None if draws is None else draws[:, arm, cause], len(risk))
            low, high = limits[:, arm, cause] = _limits(risk, spread, float(people[arm]))
            se = np.where((risk <= 0) | (risk >= 1), error_of_limits(low, high), spread)
            parts.append(_rows(cause, "cumulative_incidence", name, at_days, (risk, se, low, high))
                         .assign(n_people=people[arm], n_events=events[arm, cause]))  # fmt: skip
    for over, under in CONTRASTS:
        a, b = STRATEGIES.index(over), STRATEGIES.index(under)
        gap = answers[a, 0] - answers[b, 0]
        spread = _spread(None if draws is None else draws[:, a, 0] - draws[:, b, 0], len(gap))
        pair = (answers[[a, b], 0], limits[0, [a, b], 0], limits[1, [a, b], 0])
        numbers = (gap, *bound_difference(*pair, spread, normal_quantile()))
        parts.append(_rows(0, "risk_difference", pack_contrast(over, under), at_days, numbers)
                     .assign(n_people=min(people[a], people[b]),
                             n_events=np.minimum(events[a, 0], events[b, 0])))  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    return table.assign(is_followed=_find_followed(trial, table))


def _find_followed(trial: ThreeTrial, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Rows on whose day somebody of each strategy is at risk, or the risk has reached 1."""
    stop, followed = trial.police.people.stop, trial.is_followed
    last = {name: int(stop[followed[:, arm]].max(initial=0))
            for arm, name in enumerate(STRATEGIES)}  # fmt: skip
    ends = table["level"].map(
        lambda level: min(last[name] for name in unpack_contrast(level) or (level,))
    )
    is_over = table["estimand"].eq("cumulative_incidence") & table["estimate"].ge(1)
    return (table["time_days"].le(ends) | is_over).to_numpy(bool)


def _rows(
    cause: int, estimand: str, level: str, at_days: Sequence[int], numbers: tuple[Floats, ...]
) -> pd.DataFrame:
    columns = dict(zip(("estimate", "se", "ci_low", "ci_high"), numbers, strict=True))
    rows = pd.DataFrame({**columns, "time_days": np.asarray(at_days)})
    return rows.assign(cause=cause + 1, estimand=estimand, level=level)


def _spread(draws: Floats | None, n_days: int) -> Floats:
    """Standard deviation over the replicates that have an answer; NaN with fewer than two."""
    if draws is None:
        return np.full(n_days, np.nan)
    known = draws[~np.isnan(draws).any(axis=1)]
    return np.std(known, axis=0, ddof=1) if len(known) > 1 else np.full(n_days, np.nan)


def _limits(risk: Floats, se: Floats, n_people: float) -> tuple[Floats, Floats]:
    if np.isnan(risk).any() or np.isnan(se).any():
        return np.full_like(risk, np.nan), np.full_like(risk, np.nan)
    return loglog_interval(risk, np.where(se > NO_ERROR, se, 0.0), np.full(len(risk), n_people))


def _count(
    trial: ThreeTrial, at_days: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Clones never censored by strategy; events strategies x causes x days, unweighted."""
    people = trial.police.people
    causes = np.arange(1, N_CAUSES + 1)[:, None, None]
    happened = (people.cause == causes) & (people.stop <= np.asarray(at_days)[None, :, None])
    followed = trial.is_followed
    events = np.stack([(happened & followed[:, arm]).sum(axis=2) for arm in range(N_ARMS)])
    return followed.sum(axis=0), events


def diagnose_three(trial: ThreeTrial, estimates: pd.DataFrame) -> pd.DataFrame:
    """What stands behind the three strategies; no limits, those are the study's.

    `estimates`: from `estimate_three`. A row per check, arm and day (as `diagnose_trial`): check,
    arm, time_days, value. n_uncensored, share_censored, n_events; weight_mean, weight_max (of the
    clones never censored on their last day, over their mean), effective_sample_size,
    n_exposed_victims (who follow the strategy);
    largest_standardised_difference (of a baseline column, against the cohort, among those followed
    past the end of the grace time); least_chance (fitted, of following the strategy);
    minimum_detectable_difference by contrast (2.8 standard errors); n_apart (both agencies started,
    more than n days apart); is_converged.
    """
    rows = [_row("is_converged", float(trial.is_converged)), _row("n_apart", _count_apart(trial))]
    stop, grace = trial.police.people.stop, trial.grace_days
    last = np.minimum(stop - 1, grace)
    final = trial.weights[np.arange(len(stop)), :, last]
    is_past = stop > grace
    for arm, name in enumerate(STRATEGIES):
        mine = final[final[:, arm] > 0, arm]
        if not len(mine):
            continue
        rows += [
            _row("n_uncensored", float(len(mine)), name),
            _row("share_censored", 1 - len(mine) / len(stop), name),
            _row("n_exposed_victims", _count_victims(trial, arm), name),
            _row("weight_max", float(mine.max() / mine.mean()), name),
            _row("effective_sample_size", count_effective(mine), name),
            _row("least_chance", float(trial.chance[:, arm].min()), name),
        ]
        weights = np.where(is_past, trial.weights[:, arm, grace], 0.0)
        if trial.police.names and weights.any():
            gaps = standardise_gaps(trial.police, weights, is_past.astype(np.float64))
            largest = float(np.abs(gaps).max())
            rows.append(_row("largest_standardised_difference", largest, name, grace))
    outcome = estimates[estimates["cause"] == 1]
    for row in outcome.to_dict("records"):
        day, level = int(row["time_days"]), str(row["level"])
        if row["estimand"] == "cumulative_incidence":
            rows.append(_row("n_events", float(row["n_events"]), level, day))
        elif not pd.isna(row["se"]):
            detectable = DETECTABLE_ERRORS * float(row["se"])
            rows.append(_row("minimum_detectable_difference", detectable, level, day))
    return pd.DataFrame(rows).astype({"time_days": "Int64", "value": "float64"})


def _row(check: str, value: float, arm: str = "", day: int | None = None) -> dict[str, object]:
    return {"check": check, "arm": arm, "time_days": day, "value": value}


def _count_victims(trial: ThreeTrial, arm: int) -> float:
    people = trial.police.people
    return float(len(np.unique(people.cluster[trial.is_followed[:, arm]])))


def _count_apart(trial: ThreeTrial) -> float:
    police, social = trial.police.people.start, trial.social.people.start
    gap = np.abs(police.astype(np.int64) - social)
    return float(((police >= 0) & (social >= 0) & (gap > trial.within_days)).sum())
