"""Does the reference's risk fit: its baseline model (`analyses.baseline_risk`) in the new cohort.

From released tables alone two models are held against each other: the risk of a person with the new
cohort's average background by either (exact, as log odds are linear in the covariates and their
means are told), and what each covariate means. Where the new run's people are there (`people`, in
its restricted folder) the reference's model is read for each of them: calibration, discrimination,
and whether the risk fits once it is recalibrated (`estimators.calibration`).

A model of many covariates tells people too far apart in anybody else, alike or not; so what is
carried over is the reference's model as it was right in people that it did not learn from (its
`calibration_intercept` and `calibration_slope`). What is chance: the new cohort's errors and, as
the model is itself estimated, the reference's: of its log odds at the mean in the large, of its
slope, and of its discrimination in people that it did not learn from, which the new cohort's is
held against. Judged on one day (`for_whom.tested_at_days`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.comparison.cohorts import Cohort
from revictimisation.comparison.rows import FITS, cannot_compare, combine_rows, make_rows
from revictimisation.core.arrays import Flags, Floats
from revictimisation.core.results import OK, choose
from revictimisation.estimators.calibration import (
    Predictions,
    calibrate_in_the_large,
    discriminate,
    draw_curve,
    hold_against,
    observe_groups,
    recalibrate,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.risk_model import Column, RiskModel, to_levels
from revictimisation.estimators.two_samples import to_gap
from revictimisation.plan.parts import Comparison

MODEL = {"question": "q2", "analysis": "baseline_risk"}
SHIFT, SLOPE, AREA = "calibration_intercept", "calibration_slope", "discrimination"
OF_MODEL = (SHIFT, SLOPE, AREA)
N_GROUPS = 5
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class ToldModel:
    """A risk model as a run's tables tell it.

    Attributes:
        model: its columns, their means and the coefficients (errors alone, no covariances).
        hidden: levels that it has and does not tell. held_out: by estimand the number in people
            whom it did not learn from, and its error.
    """

    model: RiskModel
    hidden: tuple[Column, ...]
    held_out: dict[str, tuple[float, float]]

    def carry(self) -> RiskModel | None:
        """The model as it is right in people that it did not learn from; None if that is not told.

        The least slope is 0: a model that tells nothing of others gives everybody the same risk.
        """
        if not {SHIFT, SLOPE} <= self.held_out.keys():
            return None
        shift, slope = self.held_out[SHIFT][0], max(self.held_out[SLOPE][0], 0.0)
        whole = self.model.coefficients
        value = slope * whole.value
        value[0] += shift
        return replace(self.model, coefficients=Estimate.with_error(value, whole.se))

    def find_relative_error(self, estimand: str) -> float:
        """The error of a number of `held_out` over the number."""
        value, error = self.held_out[estimand]
        return abs(error / value) if value else float("inf")


def read_model(cohort: Cohort, day: int) -> ToldModel | None:
    """The risk model of a day; None where the run tells none."""
    rows = choose(cohort.estimates, **MODEL, time_days=day, outcome=cohort.plan.outcome.who)
    rows = rows[rows["status"].isin([OK, "suppressed"])]
    shown = rows[rows["status"].eq(OK)]
    whole = shown[shown["estimand"].eq("log_odds")]
    if whole.empty:
        return None
    factors = shown[shown["estimand"].eq("log_odds_ratio")]
    n_people = float(whole["n_people"].iloc[0])
    means = choose(cohort.shown, **MODEL, estimand="covariate_mean").set_index("subgroup")
    columns, mean = [], []
    for row in factors.to_dict("records"):
        columns.append(Column(row["subgroup"], row["level"]))
        known = means["estimate"].get(row["subgroup"], np.nan)
        mean.append(float(row["n_people"]) / n_people if row["level"] else float(known))
    both = pd.concat([whole, factors])
    value, error = (both[name].to_numpy(float) for name in ("estimate", "se"))
    gone = rows[rows["estimand"].eq("log_odds_ratio") & rows["status"].ne(OK)]
    return ToldModel(
        RiskModel(tuple(columns), np.array(mean), Estimate.with_error(value, error)),
        tuple(Column(row["subgroup"], row["level"]) for row in gone.to_dict("records")),
        {row["estimand"]: (float(row["estimate"]), float(row["se"]))
         for row in shown.to_dict("records") if row["estimand"] in OF_MODEL},
    )  # fmt: skip


def compare_risk_model(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """All rows: of the two models, and of the reference's in the new cohort's people."""
    days = [day for day in reference.plan.days_within_horizon
            if day in new.plan.days_within_horizon]  # fmt: skip
    tested = reference.plan.for_whom.choose_day(days)
    same = {"cohort": new.name}
    if tested is None:
        return cannot_compare("beyond_horizon", check="average_risk", **same)
    parts = []
    for day in days:
        told = read_model(reference, day)
        head = {**same, "time_days": day}
        is_judged = day == tested
        if told is None:
            reason = reference.explain(**MODEL, time_days=day, estimand="log_odds")
            parts.append(cannot_compare(reason, check=_name("average_risk", is_judged), **head))
            continue
        parts.append(_compare_average(told, new, day, is_judged, limits))
        if is_judged:
            parts.append(_compare_factors(told, reference, new, day, limits))
        parts.append(_compare_people(told, new, day, is_judged, limits))
    return combine_rows(parts)


def _name(check: str, is_judged: bool) -> str:
    return check if is_judged else f"{check}_at_day"


def _compare_average(
    told: ToldModel, new: Cohort, day: int, is_judged: bool, limits: Comparison
) -> pd.DataFrame:
    """The risk of a person with the new cohort's average background, by either model."""
    head = {"check": _name("average_risk", is_judged), "cohort": new.name, "time_days": day}
    if is_judged:
        head["limit"] = float(np.log(limits.calibration_ratio))
    own = read_model(new, day)
    if own is None:
        return cannot_compare(new.explain(**MODEL, time_days=day, estimand="log_odds"), **head)
    mean = _find_means(told.model, new)
    if mean is None:
        return cannot_compare("other_levels", **head)
    value, error = told.model.coefficients.value, told.model.coefficients.se
    apart = np.append(1.0, mean - told.model.mean)
    line, spread = float(apart @ value), float(np.sqrt((apart**2) @ (error**2)))
    own_line, own_spread = (float(part[0]) for part in (
        own.model.coefficients.value, own.model.coefficients.se))  # fmt: skip
    risk, own_risk = _expit(line), _expit(own_line)
    se = float(np.hypot((1 - risk) * spread, (1 - own_risk) * own_spread))
    return _tell(float(np.log(own_risk / risk)), se, head, is_judged,
                 value_reference=risk, value_new=own_risk, n_new=new.n_entries)  # fmt: skip


def _find_means(model: RiskModel, new: Cohort) -> Floats | None:
    """The means of the model's columns in the new cohort; a level that is not shown has nobody."""
    means = choose(new.shown, **MODEL, estimand="covariate_mean").set_index("subgroup")["estimate"]
    found = []
    for column in model.columns:
        if not column.level:
            found.append(float(means.get(column.term, np.nan)))
        elif column.term not in new.groupings:
            return None
        else:
            counted = new.count_levels(column.term)
            found.append(float(counted.get(column.level, 0.0)) / new.n_entries)
    mean = np.array(found)
    return mean if np.isfinite(mean).all() else None


def _compare_factors(
    told: ToldModel, reference: Cohort, new: Cohort, day: int, limits: Comparison
) -> pd.DataFrame:
    """What each covariate means in either; of levels against the same commonest one."""
    head = {"check": "risk_factors_together", "cohort": new.name, "time_days": day,
            "limit": float(np.log(limits.hazard_ratio))}  # fmt: skip
    own = read_model(new, day)
    if own is None:
        return cannot_compare(new.explain(**MODEL, time_days=day, estimand="log_odds"), **head)
    place = {column: k for k, column in enumerate(own.model.columns, start=1)}
    first, second = told.model.coefficients, own.model.coefficients
    rows: list[Row] = []
    for k, column in enumerate(told.model.columns, start=1):
        if column not in place or not _has_same_reference(column, reference, new):
            continue
        at = place[column]
        gap = to_gap(
            float(second.value[at] - first.value[k]), float(np.hypot(second.se[at], first.se[k]))
        )
        rows.append({
            "check": "risk_factor", "subgroup": column.term, "level": column.level,
            "value_reference": float(np.exp(first.value[k])),
            "value_new": float(np.exp(second.value[at])), "difference": gap.value,
            "ci_low": gap.ci_low, "ci_high": gap.ci_high, "p_value": gap.p_value,
        })  # fmt: skip
    if not rows:
        return cannot_compare("other_levels", **head)
    largest = min(rows, key=lambda row: row["p_value"])
    p_value = min(1.0, len(rows) * largest["p_value"])
    whole = {"difference": largest["difference"], "p_value": p_value,
             "subject": largest["subgroup"], "level": largest["level"]}  # fmt: skip
    shown = pd.DataFrame(rows).drop(columns="p_value")
    return combine_rows(
        [make_rows([whole], **head), make_rows(shown, cohort=new.name, time_days=day)]
    )


def _has_same_reference(column: Column, reference: Cohort, new: Cohort) -> bool:
    if not column.level:
        return True
    found = [one.count_levels(column.term) for one in (reference, new)]
    return all(len(one) for one in found) and found[0].idxmax() == found[1].idxmax()


def _compare_people(
    told: ToldModel, new: Cohort, day: int, is_judged: bool, limits: Comparison
) -> pd.DataFrame:
    """The reference's model read for the new cohort's people."""
    head: Row = {"check": _name("calibration_in_the_large", is_judged), "cohort": new.name}
    head |= {"time_days": day}
    if new.people is None:
        reason = "people_not_there"
    elif any(column.term not in new.people for column in told.model.columns):
        reason = "covariate_absent"
    else:
        reason = ""
    model = told.carry()
    if reason or model is None or new.people is None:
        return cannot_compare(reason or "not_in_release", **head)
    is_told = _mark_told(told, new.people)
    people = new.people[is_told]
    parts = []
    if is_judged:
        share = {"value_new": float((~is_told).mean()), "difference": float((~is_told).mean())}
        parts.append(make_rows([share], check="not_told", cohort=new.name, time_days=day,
                               limit=limits.outside_support))  # fmt: skip
    try:
        held = hold_against(
            model.predict(people), people["stop_day"], people["cause"], day,
            people["cluster_id"],
        )  # fmt: skip
        parts += _judge_predictions(told, held, new.name, is_judged, limits)
    except NotEstimableError as fault:
        parts.append(cannot_compare(str(fault), **head))
    return combine_rows(parts)


def _mark_told(told: ToldModel, people: pd.DataFrame) -> Flags:
    """Who is at no level that the reference's model has and does not tell."""
    is_told = np.ones(len(people), bool)
    for column in told.hidden:
        if column.term in people:
            is_told &= to_levels(people[column.term]) != column.level
    return is_told


def _judge_predictions(
    told: ToldModel, held: Predictions, name: str, is_judged: bool, limits: Comparison
) -> Iterator[pd.DataFrame]:
    same = {"cohort": name, "time_days": held.outcome.day}
    n_new = len(held.risk)
    large = calibrate_in_the_large(held)
    spread = float((held.risk * (1 - held.risk)).mean() / held.risk.mean())
    error = float(np.hypot(large.se[1], spread * told.model.coefficients.se[0]))
    head = {**same, "check": _name("calibration_in_the_large", is_judged)}
    if is_judged:
        head["limit"] = float(np.log(limits.calibration_ratio))
    yield _tell(float(large.value[1]), error, head, is_judged, value_reference=large.value[3],
                value_new=large.value[2], n_new=n_new)  # fmt: skip
    weak = recalibrate(held, has_slope=True)
    slope = weak.coefficients[[1]]
    error = float(np.hypot(slope.se[0], slope.value[0] * told.find_relative_error(SLOPE)))
    head = {**same, "check": _name(SLOPE, is_judged)}
    if is_judged:
        head["limit"] = limits.calibration_slope
    yield _tell(float(slope.value[0] - 1), error, head, is_judged, value_reference=1.0,
                value_new=float(slope.value[0]), n_new=n_new)  # fmt: skip
    yield _compare_areas(told, discriminate(held), same, is_judged, limits, n_new)
    if is_judged:
        shift = recalibrate(held, has_slope=False).coefficients
        yield _tell_recalibration(shift[[0]], "shift_alone", same)
        yield _tell_recalibration(weak.coefficients[[0]], "shift", same)
        yield _tell_recalibration(weak.coefficients[[1]], "slope", same)
        yield _describe_groups(held, same)
        again = Predictions(weak.apply(held.risk).value, held.outcome)
        yield _judge_again(again, same, limits)


def _compare_areas(
    told: ToldModel,
    found: Estimate,
    same: Row,
    is_judged: bool,
    limits: Comparison,
    n_new: int,
) -> pd.DataFrame:
    """How well the model tells people apart, against people of its own whom it did not see."""
    head = {**same, "check": _name(AREA, is_judged)}
    if is_judged:
        head["limit"] = limits.discrimination
    if AREA not in told.held_out:
        return cannot_compare("not_in_release", **head)
    own, error = told.held_out[AREA]
    value = float(found.value[0])
    row = _tell(value - own, float(np.hypot(found.se[0], error)), head, is_judged,
                value_reference=own, value_new=value, n_new=n_new)  # fmt: skip
    if is_judged and value >= own:  # telling people apart better is no fault
        row["light"] = FITS
    return row


def _tell(difference: float, se: float, head: Row, is_judged: bool, **told: float) -> pd.DataFrame:
    gap = to_gap(difference, se)
    row = {"difference": gap.value, "ci_low": gap.ci_low, "ci_high": gap.ci_high, **told}
    return make_rows([row | ({"p_value": gap.p_value} if is_judged else {})], **head)


def _tell_recalibration(found: Estimate, subject: str, same: Row) -> pd.DataFrame:
    limits = found.interval()
    row = {"value_new": limits.estimate[0], "difference": limits.estimate[0],
           "ci_low": limits.low[0], "ci_high": limits.high[0]}  # fmt: skip
    return make_rows([row], check="recalibration", subject=subject, **same)


def _describe_groups(held: Predictions, same: Row) -> pd.DataFrame:
    """The curve: observed against predicted in groups of people, and how far it lies off."""
    groups = observe_groups(held, N_GROUPS)
    rows = [
        {"check": "calibration_group", "subgroup": "predicted_risk", "level": str(row["group"] + 1),
         "value_reference": row["predicted"], "value_new": row["estimate"],
         "n_new": row["n_people"],
         **{name: row[of] - row["predicted"] for name, of in (
             ("difference", "estimate"), ("ci_low", "ci_low"), ("ci_high", "ci_high"))}}
        for row in groups.to_dict("records")
    ]  # fmt: skip
    gap = draw_curve(held, [0.5]).mean_gap
    rows.append({"check": "calibration_gap", "value_new": gap, "difference": gap})
    return make_rows(rows, **same)


def _judge_again(again: Predictions, same: Row, limits: Comparison) -> pd.DataFrame:
    """Whether the recalibrated risk fits in every group, or is wrong in another way than in level.

    The recalibration was learnt from the same people, so that the groups are nearer than by chance.
    """
    groups = observe_groups(again, N_GROUPS)
    apart, se = groups["estimate"] - groups["predicted"], groups["se"]
    tests = [to_gap(float(a), float(s)) for a, s in zip(apart, se, strict=True)]
    worst = min(range(len(tests)), key=lambda k: tests[k].p_value)
    row = {
        "value_reference": groups["predicted"][worst], "value_new": groups["estimate"][worst],
        "difference": float(apart[worst]), "subgroup": "predicted_risk", "level": str(worst + 1),
        "p_value": min(1.0, len(tests) * tests[worst].p_value), "limit": limits.risk_difference,
    }  # fmt: skip
    return make_rows([row], check="after_recalibration", **same)


def _expit(line: float) -> float:
    return float(1 / (1 + np.exp(-line)))
