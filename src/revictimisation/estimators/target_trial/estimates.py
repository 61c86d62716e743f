"""The numbers of a target trial, with intervals from the influence function or the bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.results import hold_to_follow_up
from revictimisation.estimators.intervals import (
    bound_difference,
    bound_ratio,
    error_of_limits,
    loglog_interval,
    normal_quantile,
)
from revictimisation.estimators.risks import ROUNDING
from revictimisation.estimators.target_trial.bootstrap import Replicates
from revictimisation.estimators.target_trial.clone_influence import find_influence
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.number_needed import invert_difference
from revictimisation.estimators.target_trial.weighted_risk import N_NUMBERS, fill_arms

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Intervals = Literal["influence", "bootstrap_percentile", "bootstrap_normal"]

OK, NOT_ESTIMABLE = "ok", "not_estimable"
NO_EVENTS = "no_events_in_a_group"
RISKS = ("risk_start", "risk_no_start")
FREE_DAYS = ("rmst_start_days", "rmst_no_start_days", "rmst_difference_days")
COLUMNS = [
    "cause", "estimand", "time_days", "estimate", "ci_low", "ci_high", "se", "n_people",
    "n_events", "status", "reason",
]  # fmt: skip
DAYS_LOST = N_NUMBERS - 1


@dataclass(frozen=True, eq=False)
class _Answer:
    """One cause's numbers: arms x days, and errors of each arm, difference and log ratio.

    quantile: how many errors the intervals of difference and log ratio reach, where no draws are.
    """

    value: Floats
    se: Floats
    se_gap: Floats
    se_ratio: Floats
    draws: Floats | None
    quantile: Floats | float = field(default_factory=normal_quantile)


def estimate_strategies(
    weighted: WeightedTrial,
    at_days: Sequence[int],
    *,
    replicates: Replicates | None = None,
    intervals: Intervals = "influence",
) -> pd.DataFrame:
    """The risks under both strategies, their contrasts and their intervals.

    Args:
        weighted: from `weigh_clones`. at_days: days to report, ascending or not.
        replicates: from `bootstrap_arms` on the same days, for the bootstrap's intervals.
        intervals: `influence` (normal, for risks log-log), `bootstrap_normal` (the same with the
            replicates' standard deviation), `bootstrap_percentile`.

    Returns:
        A row per cause, day and estimand: cause (1 outcome, 2 death, 3 emigration), risk_start,
        risk_no_start, risk_difference, risk_ratio (its se is that of its logarithm); for the
        outcome also rmst_start_days, rmst_no_start_days (event-free days; who dies or leaves
        without a new report is free to the end), rmst_difference_days (those gained) and
        number_needed_to_treat (`invert_difference`). n_people:
        clones never censored artificially, for contrasts entries; n_events: events up to the day of
        those clones (start clones before their start included), for contrasts of both arms. Where a
        risk is 0 or 1 its own interval is exact for the effective number at risk, the difference's
        is put together from both (Newcombe 1998, method 10), a ratio with a risk of 0 is
        `not_estimable`.

    Raises:
        ValueError: bootstrap intervals without replicates, replicates for other days.

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
    if intervals != "influence" and replicates is None:
        raise ValueError(f"{intervals} needs replicates")
    if replicates is not None and replicates.answers.shape[3] != len(at_days):
        raise ValueError("the replicates are of other days")
    arms = fill_arms(weighted)
    draws = None if intervals == "influence" or replicates is None else replicates.answers
    moves = find_influence(weighted, at_days, arms) if draws is None else None
    numbers = [_answer(arms.read(at_days), moves, draws, number) for number in range(DAYS_LOST + 1)]
    return _build_table(weighted, at_days, numbers, intervals)


def estimate_curves(
    weighted: WeightedTrial,
    at_days: Sequence[int],
    *,
    replicates: Replicates | None = None,
) -> pd.DataFrame:
    """Both risks of the outcome along many days: a row per arm and day, as `estimate_strategies`.

    Intervals are normal on the log-log scale, by the replicates' standard deviation where they are
    given (`bootstrap_arms` on the same days), else by the influence function. No days, no rows.
    """
    if not at_days:
        return pd.DataFrame(columns=COLUMNS)
    arms = fill_arms(weighted)
    value = arms.read(at_days)[:, 0]
    if replicates is None:
        moves = find_influence(weighted, at_days, arms, n_numbers=1)[:, :, 0]
        se = _length(moves)
    else:
        se = _spread_of(replicates.answers[:, :, 0])
    answer = _Answer(value, se, np.zeros(len(at_days)), np.zeros(len(at_days)), None)
    people, events = count_clones(weighted, at_days)
    kind: Intervals = "influence" if replicates is None else "bootstrap_normal"
    effective = _effective_at(weighted, at_days, value, 1)
    rows = _risk_rows(answer, effective, people, events[:, 0], kind)[:2]
    found = [row.assign(cause=1, time_days=np.asarray(at_days)) for row in rows]
    followed = find_followed(weighted, arms.read(at_days)[:, :DAYS_LOST], at_days)
    return hold_arms_to_follow_up(pd.concat(found, ignore_index=True)[COLUMNS], followed, at_days)


def _build_table(
    weighted: WeightedTrial, at_days: Sequence[int], numbers: list[_Answer], intervals: Intervals
) -> pd.DataFrame:
    people, events = count_clones(weighted, at_days)
    parts = []
    for number in range(DAYS_LOST):
        effective = _effective_at(weighted, at_days, numbers[number].value, number + 1)
        rows = _risk_rows(numbers[number], effective, people, events[:, number], intervals)
        if number == 0:
            both = {name: rows[2][name] for name in ("n_people", "n_events")}
            rows += _free_days(numbers[DAYS_LOST], at_days, rows, intervals)
            rows.append(_needed(rows[2]).assign(**both))
        parts += [row.assign(cause=number + 1, time_days=np.asarray(at_days)) for row in rows]
    risks = np.stack([answer.value for answer in numbers[:DAYS_LOST]], axis=1)
    table = hold_arms_to_follow_up(
        pd.concat(parts, ignore_index=True)[COLUMNS],
        find_followed(weighted, risks, at_days),
        at_days,
    )
    return table.sort_values(["cause", "time_days"], kind="stable", ignore_index=True)


def build_outcome(
    weighted: WeightedTrial, at_days: Sequence[int], value: Floats, influence: Floats
) -> pd.DataFrame:
    """The outcome's rows from another estimator of the same risks.

    value: arms x (risk, days lost) x days; influence: clusters x the same. Risks, difference, ratio
    and event-free days with counts and intervals as in `estimate_strategies`; risks outside 0..1
    are held at 0 and 1.
    """
    held = value.copy()
    held[:, 0] = np.clip(value[:, 0], 0.0, 1.0)
    risk, lost = (_answer(held, influence, None, number) for number in range(2))
    people, events = count_clones(weighted, at_days)
    effective = _effective_at(weighted, at_days, held[:, 0], 1)
    rows = _risk_rows(risk, effective, people, events[:, 0], "influence")
    rows += _free_days(lost, at_days, rows, "influence")
    table = pd.concat([row.assign(cause=1, time_days=np.asarray(at_days)) for row in rows])
    followed = find_followed(weighted, fill_arms(weighted).read(at_days)[:, :DAYS_LOST], at_days)
    told = hold_arms_to_follow_up(table[COLUMNS], followed, at_days)
    return told.sort_values("time_days", kind="stable", ignore_index=True)


def build_risks(
    value: Floats,
    errors: tuple[Floats, Floats, Floats],
    effective: Floats,
    people: Counts,
    events: Counts,
    quantile: Floats,
) -> pd.DataFrame:
    """Rows of many pairs of risks at once: risks, difference and ratio as `estimate_strategies`.

    value, effective (number at risk), events: arms x pairs; errors: of the risks (arms x pairs), of
    the difference and of the log ratio (pairs); people: (start, no start, entries) x pairs;
    quantile: errors that the last two's intervals reach, by pair. Also gives `place`, the number of
    the pair.
    """
    answer = _Answer(value, *errors, None, quantile)
    behind = np.where(value >= 1, events, effective)
    rows = _risk_rows(answer, behind, people, events, "influence")
    places = np.arange(value.shape[1])
    table = pd.concat([row.assign(time_days=places) for row in rows], ignore_index=True)
    followed = (effective > 0) | (value >= 1)
    return hold_arms_to_follow_up(table, followed, places.tolist()).rename(
        columns={"time_days": "place"}
    )


def _answer(answers: Floats, moves: Floats | None, draws: Floats | None, number: int) -> _Answer:
    value = answers[:, number]
    safe = np.where(value > 0, value, 1.0)
    if draws is None:
        assert moves is not None
        mine = moves[:, :, number]
        gap, ratio = mine[:, 0] - mine[:, 1], mine[:, 0] / safe[0] - mine[:, 1] / safe[1]
        return _Answer(value, _length(mine), _length(gap), _length(ratio), None)
    mine = draws[:, :, number]
    logs = np.log(mine, out=np.full(mine.shape, np.nan), where=mine > 0)
    gap, ratio = mine[:, 0] - mine[:, 1], logs[:, 0] - logs[:, 1]
    return _Answer(value, _spread_of(mine), _spread_of(gap), _spread_of(ratio), mine)


def _length(influence: Floats) -> Floats:
    length: Floats = np.sqrt(np.sum(influence**2, axis=0))
    return length


def _spread_of(values: Floats) -> Floats:
    """Standard deviations over replicates with a number; 0 where fewer than two have one."""
    is_known = np.isfinite(values)
    count = is_known.sum(axis=0)
    mean = np.where(is_known, values, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.square(np.where(is_known, values - mean, 0.0)).sum(axis=0)
    spread: Floats = np.sqrt(squares / np.maximum(count - 1, 1))
    return spread


def _quantiles(values: Floats) -> tuple[Floats, Floats]:
    """The 2.5 % and 97.5 % quantiles of the replicates that have an answer.

    No interpolation: a ratio over a replicate's risk of 0 is infinite.
    """
    known = values[~np.isnan(values.reshape(len(values), -1)).any(axis=1)]
    low, high = np.quantile(known, [0.025, 0.975], axis=0, method="inverted_cdf")
    return low, high


def _risk_rows(
    answer: _Answer, effective: Floats, people: Counts, events: Counts, intervals: Intervals
) -> list[pd.DataFrame]:
    value = answer.value
    is_edge = (value <= 0) | (value >= 1)
    low, high = loglog_interval(value, np.where(is_edge, 0.0, answer.se), effective)
    se = np.where(is_edge, error_of_limits(low, high), answer.se)
    if intervals == "bootstrap_percentile" and answer.draws is not None:
        drawn = _quantiles(answer.draws)
        low, high = np.where(is_edge, low, drawn[0]), np.where(is_edge, high, drawn[1])
    rows = [
        pd.DataFrame(
            {"estimand": name, "estimate": value[arm], "ci_low": low[arm], "ci_high": high[arm],
             "se": se[arm], "n_people": people[arm], "n_events": events[arm], "status": OK,
             "reason": ""}
        )
        for arm, name in enumerate(RISKS)
    ]  # fmt: skip
    both = {"n_people": people[2], "n_events": events.sum(axis=0)}
    gap = _difference(answer, (low, high), intervals).assign(**both)
    return [*rows, gap, _ratio(answer, (low, high), intervals).assign(**both)]


def _difference(
    answer: _Answer, limits: tuple[Floats, Floats], intervals: Intervals
) -> pd.DataFrame:
    value, (low, high) = answer.value, limits
    error, bottom, top = bound_difference(value, low, high, answer.se_gap, answer.quantile)
    if intervals == "bootstrap_percentile" and answer.draws is not None:
        is_inside = ((value > 0) & (value < 1)).all(axis=0)
        drawn = _quantiles(answer.draws[:, 0] - answer.draws[:, 1])
        bottom, top = np.where(is_inside, drawn, (bottom, top))
    return pd.DataFrame(
        {
            "estimand": "risk_difference",
            "estimate": value[0] - value[1],
            "ci_low": bottom,
            "ci_high": top,
            "se": error,
            "status": OK,
            "reason": "",
        }
    )


def _ratio(answer: _Answer, limits: tuple[Floats, Floats], intervals: Intervals) -> pd.DataFrame:
    value = answer.value
    is_known = (value > 0).all(axis=0)
    top, bottom = np.where(is_known, value, 1.0)
    error, low, high = bound_ratio(value, *limits, answer.se_ratio, answer.quantile)
    if intervals == "bootstrap_percentile" and answer.draws is not None and (value < 1).all():
        over, under = answer.draws[:, 0], answer.draws[:, 1]
        ratio = np.divide(over, under, out=np.full(over.shape, np.inf), where=under > 0)
        low, high = _quantiles(ratio)
    numbers = {"estimate": top / bottom, "ci_low": low, "ci_high": high, "se": error}
    return pd.DataFrame(
        {
            "estimand": "risk_ratio",
            **{name: np.where(is_known, number, np.nan) for name, number in numbers.items()},
            "status": np.where(is_known, OK, NOT_ESTIMABLE),
            "reason": np.where(is_known, "", NO_EVENTS),
        }
    )


def _free_days(
    lost: _Answer, at_days: Sequence[int], rows: list[pd.DataFrame], intervals: Intervals
) -> list[pd.DataFrame]:
    """Event-free days in each arm, and start less no start: positive = the measure helps.

    `rows` are those of both risks and of their difference: the same people and events.
    """
    free, drawn = np.asarray(at_days) - lost.value, None
    if intervals == "bootstrap_percentile" and lost.draws is not None:
        drawn = np.asarray(at_days) - lost.draws
    pairs = [(free[arm], lost.se[arm], None if drawn is None else drawn[:, arm]) for arm in (0, 1)]
    gap = None if drawn is None else drawn[:, 0] - drawn[:, 1]
    pairs.append((free[0] - free[1], lost.se_gap, gap))
    found = []
    for name, (value, se, draws), behind in zip(FREE_DAYS, pairs, rows, strict=False):
        half = normal_quantile() * se
        low, high = (value - half, value + half) if draws is None else _quantiles(draws)
        numbers = {"estimate": value, "ci_low": low, "ci_high": high, "se": se}
        counts = {count: behind[count] for count in ("n_people", "n_events")}
        found.append(
            pd.DataFrame({"estimand": name, **numbers, **counts, "status": OK, "reason": ""})
        )
    return found


def _needed(gap: pd.DataFrame) -> pd.DataFrame:
    rows = invert_difference(gap["estimate"], gap["se"], gap["ci_low"], gap["ci_high"])
    return rows.assign(estimand="number_needed_to_treat")


def count_clones(weighted: WeightedTrial, at_days: Sequence[int]) -> tuple[Counts, Counts]:
    """Clones never censored by arm, and entries; events arms x causes x days, unweighted."""
    people = weighted.trial.people
    is_in = mark_uncensored(weighted)
    causes = np.arange(1, DAYS_LOST + 1)[:, None, None]
    happened = (people.cause == causes) & (people.stop <= np.asarray(at_days)[None, :, None])
    events = np.stack([(happened & is_in[:, arm]).sum(axis=2) for arm in range(2)])
    return np.array([*is_in.sum(axis=0), len(is_in)]), events


def mark_uncensored(weighted: WeightedTrial) -> npt.NDArray[np.bool_]:
    """Entries x (start, no start): the clone is never censored artificially."""
    trial = weighted.trial
    is_over = trial.people.stop <= trial.grace_days
    return np.column_stack([trial.is_started | is_over, ~trial.is_started])


def _effective_at(
    weighted: WeightedTrial, at_days: Sequence[int], value: Floats, cause: int
) -> Floats:
    """Effective number of clones behind a risk of 0 or 1: arms x days, (sum w)^2 / sum w^2.

    Those at risk on the day; where the risk (`value`) has reached 1 those with the event by then.
    """
    found = weighted.effective_on([max(day - 1, 0) for day in at_days])
    if (value < 1).all():
        return found
    people = weighted.trial.people
    weights = weighted.weights_on()
    for arm, place in np.argwhere(value >= 1):
        mine = weights[(people.cause == cause) & (people.stop <= at_days[place]), arm]
        squares = float((mine**2).sum())
        found[arm, place] = float(mine.sum()) ** 2 / squares if 0 < squares < np.inf else 0.0
    return found


def find_followed(
    weighted: WeightedTrial, risks: Floats, at_days: Sequence[int]
) -> npt.NDArray[np.bool_]:
    """Arms x days on which a clone is at risk, or none is left to be: the risks add up to 1.

    risks: arms x causes x days.
    """
    at_risk = weighted.effective_on([max(day - 1, 0) for day in at_days])
    # a weight without an end (null) is somebody's; its gate fails by itself
    return ~(at_risk <= 0) | (risks.sum(axis=1) > 1 - ROUNDING)


def hold_arms_to_follow_up(
    table: pd.DataFrame, followed: npt.NDArray[np.bool_], at_days: Sequence[int]
) -> pd.DataFrame:
    """Say `beyond_follow_up` where nobody of an arm (of either, for a contrast) is at risk.

    `followed`: arms x days; the rows are of one arm (its risk, its event-free days) or of both.
    """
    place = pd.Series(np.arange(len(at_days)), index=list(at_days))
    at = place.loc[table["time_days"]].to_numpy()
    of_start, of_other = (
        table["estimand"].isin(names).to_numpy() for names in zip(RISKS, FREE_DAYS, strict=False)
    )
    is_followed = (followed[0, at] | of_other) & (followed[1, at] | of_start)
    held = hold_to_follow_up(table.assign(is_followed=is_followed))
    same = table.loc[is_followed, ["status", "reason"]]
    held.loc[is_followed, ["status", "reason"]] = same
    return held


__all__ = [
    "Intervals",
    "build_outcome",
    "build_risks",
    "count_clones",
    "estimate_strategies",
    "mark_uncensored",
]
