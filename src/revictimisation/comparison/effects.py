"""Do the effects agree: each measure side by side, the test of difference, and all runs pooled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from revictimisation.comparison.cohorts import Cohort, count
from revictimisation.comparison.rows import cannot_compare, combine_rows, make_rows
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.random_effects import FEWEST_TO_PREDICT, pool_estimates
from revictimisation.estimators.two_samples import to_gap
from revictimisation.plan.parts import Comparison

HAZARD = {"question": "q2", "analysis": "main", "estimator": "cox_time_varying", "subgroup": "",
          "estimand": "log_hazard_ratio"}  # fmt: skip
TRIAL = {"question": "q2", "analysis": "main", "estimator": "clone_censor_weight", "subgroup": "",
         "estimand": "risk_difference"}  # fmt: skip
Keys = dict[str, Any]


def compare_effects(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """Rows of every measure that both studies have: hazard ratios and risk differences.

    Values are hazard ratios; the difference is the log of the new one over the reference's. Risk
    differences are judged on `for_whom.tested_at_days`. One test is of all hazard ratios together
    (Q, as if the measures' errors were independent).
    """
    names = [name for name in reference.plan.measures if name in new.plan.measures]
    if not names:
        return cannot_compare("no_measures", check="effects_together", cohort=new.name)
    pair = (reference, new)
    parts = [_compare_hazards(pair, name, limits) for name in names]
    day = _choose_day(pair)
    for name in names:
        parts += [_compare_trials(pair, name, at, at == day, limits) for at in _list_days(pair)]
    parts.append(_compare_together(pair, names, limits))
    parts.append(make_rows([*_list_differing(pair, names, day)], cohort=new.name))
    return combine_rows(parts)


def _list_days(cohorts: Sequence[Cohort]) -> list[int]:
    return [
        day
        for day in cohorts[0].plan.days_within_horizon
        if all(day in one.plan.days_within_horizon for one in cohorts[1:])
    ]


def _choose_day(cohorts: Sequence[Cohort]) -> int | None:
    return cohorts[0].plan.for_whom.choose_day(_list_days(cohorts))


def find_hazard(cohort: Cohort, measure: str) -> pd.Series | None:
    """The log hazard ratio of a measure, if it is shown."""
    return cohort.find(**HAZARD, measure=measure, outcome=cohort.plan.outcome.who)


def find_trial(cohort: Cohort, measure: str, day: int) -> pd.Series | None:
    """The risk difference of a measure by a day, if it is shown."""
    asked = {**TRIAL, "measure": measure, "outcome": cohort.plan.outcome.who}
    return cohort.find(**asked, time_days=day)


def _compare_hazards(pair: Sequence[Cohort], measure: str, limits: Comparison) -> pd.DataFrame:
    same: Keys = {"check": "hazard_ratio", "measure": measure, "cohort": pair[1].name}
    same |= {"limit": float(np.log(limits.hazard_ratio))}
    first, second = (find_hazard(one, measure) for one in pair)
    if first is None or second is None:
        lacking = pair[0] if first is None else pair[1]
        return cannot_compare(lacking.explain(**HAZARD, measure=measure), **same)
    row = _describe_gap(first, second)
    row |= {name: float(np.exp(row[name])) for name in ("value_reference", "value_new")}
    return make_rows([row], **same)


def _compare_trials(
    pair: Sequence[Cohort], measure: str, day: int, is_judged: bool, limits: Comparison
) -> pd.DataFrame:
    same: Keys = {"check": "risk_difference" if is_judged else "risk_difference_at_day"}
    same |= {"measure": measure, "time_days": day, "cohort": pair[1].name}
    if is_judged:
        same["limit"] = limits.risk_difference
    first, second = (find_trial(one, measure, day) for one in pair)
    if first is None or second is None:
        lacking = pair[0] if first is None else pair[1]
        asked = {**TRIAL, "measure": measure, "time_days": day}
        return cannot_compare(lacking.explain(**asked), **same)
    row = _describe_gap(first, second)
    if not is_judged:
        row.pop("p_value")
    return make_rows([row], **same)


def _describe_gap(first: pd.Series, second: pd.Series) -> dict[str, float]:
    values = [count(row["estimate"]) for row in (first, second)]
    gap = to_gap(values[1] - values[0], math.hypot(*(count(row["se"]) for row in (first, second))))
    return {"value_reference": values[0], "value_new": values[1],
            "n_reference": count(first["n_people"]), "n_new": count(second["n_people"]),
            "difference": values[1] - values[0], "ci_low": gap.ci_low, "ci_high": gap.ci_high,
            "p_value": gap.p_value}  # fmt: skip


def _compare_together(
    pair: Sequence[Cohort], names: Sequence[str], limits: Comparison
) -> pd.DataFrame:
    same: Keys = {"check": "effects_together", "cohort": pair[1].name}
    same |= {"limit": float(np.log(limits.hazard_ratio))}
    found = [(find_hazard(pair[0], name), find_hazard(pair[1], name)) for name in names]
    gaps = [
        (count(second["estimate"]) - count(first["estimate"]),
         math.hypot(count(first["se"]), count(second["se"])))
        for first, second in found
        if first is not None and second is not None
    ]  # fmt: skip
    if not gaps:
        return cannot_compare("too_few", **same)
    value, se = np.array(gaps).T
    q = float(((value / se) ** 2).sum())
    largest = float(value[np.abs(value).argmax()])
    return make_rows([{"difference": largest, "p_value": float(chdtrc(len(gaps), q))}], **same)


def _list_differing(
    pair: Sequence[Cohort], names: Sequence[str], day: int | None
) -> Iterator[dict[str, object]]:
    """Measures whose answer one of the two shows and the other does not."""
    for name in names:
        for kind, keys in (("hazard_ratio", HAZARD), ("risk_difference", TRIAL)):
            asked: Keys = {**keys, "measure": name}
            if kind == "risk_difference":
                asked |= {"time_days": day}
            is_shown = [one.find(**asked) is not None for one in pair]
            if is_shown[0] != is_shown[1]:
                lacking = pair[is_shown.index(False)]
                yield {"check": "check_differs", "subject": kind, "measure": name,
                       "value_reference": float(is_shown[0]), "value_new": float(is_shown[1]),
                       "difference": 1.0, "reason": lacking.explain(**asked)}  # fmt: skip


def pool_effects(cohorts: Sequence[Cohort]) -> pd.DataFrame:
    """All runs together: a random-effects answer for each measure (Hartung-Knapp).

    Rows of no cohort: the pooled number with its limits, the same if all had one truth (of two
    cohorts the other rests on a t of one degree of freedom and rules out next to nothing), what to
    expect in a further cohort (prediction interval, from three on), and the spread between them
    (I², with the p-value of Q).
    Rows of each cohort: its own number, and from three on its difference from the others pooled.
    """
    day = _choose_day(cohorts)
    names = dict.fromkeys(name for one in cohorts for name in one.plan.measures)
    letters = [one.name for one in cohorts]
    parts: list[dict[str, object]] = []
    for name in names:
        hazards = [find_hazard(one, name) for one in cohorts]
        parts += _pool(letters, hazards, "hazard_ratio", np.exp, measure=name)
        if day is not None:
            trials = [find_trial(one, name, day) for one in cohorts]
            parts += _pool(letters, trials, "risk_difference", np.asarray, measure=name,
                           time_days=day)  # fmt: skip
    return make_rows(parts)


def _pool(
    letters: Sequence[str],
    rows: Sequence[pd.Series | None],
    kind: str,
    scale: Callable[[float], object],
    **same: object,
) -> list[dict[str, object]]:
    told = {letter: row for letter, row in zip(letters, rows, strict=True) if row is not None}
    value = [count(row["estimate"]) for row in told.values()]
    se = [count(row["se"]) for row in told.values()]
    own = _list_own(told, kind, scale, same)
    heads = {"check": f"pooled_{kind}", **same}
    try:
        found = pool_estimates(value, se)
    except (NotEstimableError, ValueError):
        return [*own, {**heads, "status": "not_estimable", "reason": "no_answer"}]
    if found.n_studies < 2:
        return [*own, {**heads, "status": "not_estimable", "reason": "one_cohort_alone"}]
    n_people = sum(count(row["n_people"]) for row in told.values())
    made: list[dict[str, object]] = [
        *own,
        {**heads, "value_new": float(scale(found.random.estimate)), "n_new": n_people,  # type: ignore[arg-type]
         "difference": found.random.estimate, "ci_low": found.random.ci_low,
         "ci_high": found.random.ci_high},
        {"check": f"common_{kind}", **same, "value_new": float(scale(found.fixed.estimate)),  # type: ignore[arg-type]
         "n_new": n_people, "difference": found.fixed.estimate, "ci_low": found.fixed.ci_low,
         "ci_high": found.fixed.ci_high},
        {"check": "heterogeneity", "subject": kind, **same, "difference": found.i2,
         "value_new": found.tau2, "p_value": found.q_p},
    ]  # fmt: skip
    predicted = {"check": f"predicted_{kind}", **same}
    if found.n_studies >= FEWEST_TO_PREDICT:
        made += _hold_against_rest([*told], value, se, kind, same)
        made.append({**predicted, "difference": found.random.estimate,
                     "ci_low": found.prediction_low, "ci_high": found.prediction_high})  # fmt: skip
    else:
        made.append({**predicted, "status": "not_estimable", "reason": "fewer_than_three"})
    return made


def _list_own(
    told: Mapping[str, pd.Series],
    kind: str,
    scale: Callable[[float], object],
    same: Mapping[str, object],
) -> list[dict[str, object]]:
    return [
        {"check": f"own_{kind}", **same, "cohort": letter,
         "value_new": float(scale(count(row["estimate"]))), "n_new": count(row["n_people"]),  # type: ignore[arg-type]
         "difference": count(row["estimate"]), "ci_low": count(row["ci_low"]),
         "ci_high": count(row["ci_high"])}
        for letter, row in told.items()
    ]  # fmt: skip


def _hold_against_rest(
    letters: Sequence[str],
    value: Sequence[float],
    se: Sequence[float],
    kind: str,
    same: Mapping[str, object],
) -> list[dict[str, object]]:
    """Each run's number less that of all others pooled, whose truths spread by tau."""
    made: list[dict[str, object]] = []
    for at, letter in enumerate(letters):
        rest = pool_estimates(np.delete(value, at), np.delete(se, at))
        error = float(np.sqrt(se[at] ** 2 + rest.random.se**2 + rest.tau2))
        gap = to_gap(value[at] - rest.random.estimate, error)
        made.append(
            {"check": "against_rest", "subject": kind, **same, "cohort": letter,
             "value_reference": rest.random.estimate, "value_new": value[at],
             "difference": value[at] - rest.random.estimate, "ci_low": gap.ci_low,
             "ci_high": gap.ci_high, "p_value": gap.p_value}
        )  # fmt: skip
    return made
