"""Risks under both strategies within each level, on the additive scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.analyses.subgroup_effects.groupings import Grouping
from revictimisation.analyses.subgroup_effects.rows import LevelEffects, Row, build_contrasts
from revictimisation.analyses.subgroup_effects.shares import build_outside
from revictimisation.analyses.trial_inputs import build_trial
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.packing import pack_check
from revictimisation.core.results import (
    BEYOND_FOLLOW_UP,
    DIAGNOSTIC_COLUMNS,
    NOT_ESTIMABLE,
    OK,
    WITHHELD,
    combine,
    make_estimates,
    mark_endless,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import find_freedom
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.diagnostics import ARMS, DETECTABLE_ERRORS
from revictimisation.estimators.target_trial.estimates import build_risks
from revictimisation.estimators.target_trial.gates import list_gates
from revictimisation.estimators.target_trial.levels import (
    LevelBalance,
    LevelMeasurer,
    LevelRisks,
    count_started_victims,
    read_levels,
    read_weights_at,
)
from revictimisation.plan import Gates

Floats = npt.NDArray[np.float64]
ESTIMATOR = "clone_censor_weight"
DIAGNOSED = "subgroup_effects"
BALANCE = "largest_standardised_difference"
DETECTABLE = "minimum_detectable_difference"
BY_DAY = ("n_events", DETECTABLE)


@dataclass(frozen=True, eq=False)
class Check:
    """A diagnostic of one arm ("": both) by level x day; of a single column: on every day."""

    name: str
    arm: str
    value: Floats


@dataclass(frozen=True, eq=False)
class _Found:
    """A measure within one grouping: risks that are laid with all others', and rows as they are."""

    measure: str
    grouping: Grouping
    risks: LevelRisks
    errors: tuple[Floats, Floats, Floats]
    failed: npt.NDArray[np.object_]


def estimate_level_risks(
    data: StudyData, groupings: Sequence[Grouping]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every measure's risks within levels, contrasts and common support; also the diagnostics.

    `data` adjusts for the groupings' main effects (`extend_study`).
    """
    found: list[_Found] = []
    rows: list[Row] = _describe_beyond(data, groupings)
    notes: list[Row] = []
    for measure in data.plan.measure_names:
        mine, own_rows, own_notes = _estimate_measure(data, measure, groupings)
        found += mine
        rows += own_rows
        notes += own_notes
    same = {"question": "q3", "estimator": ESTIMATOR, "outcome": data.plan.outcome.who}
    table = make_estimates(mark_endless(_build_levels(found, _list_days(data))), **same)
    others = make_estimates({**same, **row} for row in rows)
    return combine([table, others]), pd.DataFrame(notes, columns=list(DIAGNOSTIC_COLUMNS))


def _list_days(data: StudyData) -> list[int]:
    return data.plan.days_within_horizon


def _estimate_measure(
    data: StudyData, measure: str, groupings: Sequence[Grouping]
) -> tuple[list[_Found], list[Row], list[Row]]:
    days, every = _list_days(data), data.entries
    try:
        trial = build_trial(data, measure, every["stop_day"].to_numpy(), every["cause"].to_numpy())
    except NotEstimableError as fault:
        return [], _describe_absence(groupings, measure, days, [str(fault)] * len(every)), []
    weighted = weigh_clones(trial, grace_law=data.plan.weights.grace_law)
    is_in = ~data.starts_of(measure)["is_running_before"].to_numpy()
    measurer, gates = LevelMeasurer(weighted), data.plan.gates
    weights = read_weights_at(weighted, days)
    found, rows, notes = [], [], []
    for grouping in groupings:
        codes, n_levels = grouping.codes[is_in], len(grouping.levels)
        balance = measurer.measure(codes, n_levels)
        counts = np.bincount(codes, minlength=n_levels)
        rows += build_outside(grouping, counts, balance.share_outside, measure)
        if not days:
            continue
        risks = read_levels(weighted, codes, n_levels, days, weights)
        errors = risks.find_errors()
        victims = count_started_victims(trial, codes, n_levels)
        checks = _list_checks(risks, balance, errors[1], weighted, victims)
        failed = find_failures(checks, gates, (n_levels, len(days)))
        is_over = ((risks.effective <= 0) & (risks.value < 1)).any(axis=1)
        failed[is_over & (failed == "")] = BEYOND_FOLLOW_UP  # contrasts as well
        notes += _to_checks(checks, gates, grouping, days, risks.has_risk, measure)
        found.append(_Found(measure, grouping, risks, errors, failed))
        absent = _explain_absence(risks)
        rows += _describe_absence([grouping], measure, days, absent)
        contrasts = _contrast_all(found[-1], days, absent)
        rows += contrasts
        notes += _build_detectable(contrasts)
    return found, rows, notes


def _list_checks(
    risks: LevelRisks,
    balance: LevelBalance,
    error: Floats,
    weighted: WeightedTrial,
    n_victims: Floats,
) -> list[Check]:
    """What is held against the gates; `error`: of the risk difference, `n_victims`: who started."""
    by_arm = [(name, value[:, [at]]) for at, name in enumerate(ARMS)
              for value in (balance.beyond_chance,)]  # fmt: skip
    checks = [Check(BALANCE, arm, value) for arm, value in by_arm]
    for at, arm in enumerate(ARMS):
        checks.append(Check("effective_sample_size", arm, balance.effective[:, [at]]))
    for at, arm in enumerate(ARMS):
        checks.append(Check("n_events", arm, risks.events[:, at].astype(np.float64)))
    whole = np.ones((len(error), 1))
    return [
        *checks,
        Check("n_exposed_victims", ARMS[0], n_victims[:, None]),
        Check("share_same_day_starts", "", whole * weighted.trial.same_day_share),
        Check("share_outside_support", "", balance.share_outside[:, None]),
        Check(DETECTABLE, "", DETECTABLE_ERRORS * error),
        Check("is_converged", "", whole * weighted.is_converged),
    ]


def _build_detectable(contrasts: Sequence[Row]) -> list[Row]:
    """How large a difference between two levels would have been seen: no gate, so no limit."""
    return [
        {"analysis": DIAGNOSED, "measure": row["measure"], "value": DETECTABLE_ERRORS * row["se"],
         "check": pack_check(DETECTABLE, row["time_days"], group=row["subgroup"],
                             level=row["level"]),
         "status": OK}
        for row in contrasts
        if "se" in row
    ]  # fmt: skip


def _describe_absence(
    groupings: Sequence[Grouping], measure: str, days: Sequence[int], reasons: Sequence[str]
) -> list[Row]:
    """A row for each level and day where there is a reason ("": none)."""
    return [
        {"measure": measure, "subgroup": grouping.name, "level": level, "time_days": day,
         "estimand": "risk_difference", "status": NOT_ESTIMABLE, "reason": reason}
        for grouping in groupings
        for level, reason in zip(grouping.levels, reasons, strict=False)
        if reason
        for day in days
    ]  # fmt: skip


def _describe_beyond(data: StudyData, groupings: Sequence[Grouping]) -> list[Row]:
    days = data.plan.days_beyond_horizon
    reasons = ["beyond_horizon"] * max((len(grouping.levels) for grouping in groupings), default=0)
    return [
        row
        for measure in data.plan.measure_names
        for row in _describe_absence(groupings, measure, days, reasons)
    ]


def _explain_absence(risks: LevelRisks) -> list[str]:
    """Why a level has no risks, "" where it has."""
    return ["" if has else "no_people" if not people[2] else
            "everybody_started" if people[0] else "nobody_started"
            for has, people in zip(risks.has_risk, risks.people, strict=True)]  # fmt: skip


def find_failures(
    checks: Sequence[Check], gates: Gates, shape: tuple[int, int]
) -> npt.NDArray[np.object_]:
    """The reason of the first gate that fails, by level and day; "" where all hold.

    In the order of `list_gates`. Unknown values hold.
    """
    found = np.full(shape, "", dtype=object)
    for gate in list_gates(gates):
        for check in (check for check in checks if check.name == gate.check):
            is_below, is_above = check.value < gate.limit, check.value > gate.limit
            fails = np.broadcast_to(is_below if gate.is_least else is_above, shape)
            found[fails & (found == "")] = gate.reason or gate.check
    return found


def _to_checks(
    checks: Sequence[Check],
    gates: Gates,
    grouping: Grouping,
    days: list[int],
    has_risk: npt.NDArray[np.bool_],
    measure: str,
) -> list[Row]:
    """A row per check, arm, day and level: `check:arm:day:subgroup=level`."""
    limits = {gate.check: gate for gate in list_gates(gates)}
    rows = []
    for check in checks:
        gate = limits[check.name]
        whens = [str(day) for day in days] if check.value.shape[1] > 1 else [""]
        if len(days) == 1 and check.name in BY_DAY:
            whens = [str(days[0])]
        for level in np.flatnonzero(has_risk):
            for when, value in zip(whens, check.value[level], strict=True):
                of_level = {"group": grouping.name, "level": grouping.levels[level]}
                holds = value >= gate.limit if gate.is_least else value <= gate.limit
                rows.append({"analysis": DIAGNOSED, "measure": measure,
                             "check": pack_check(check.name, check.arm, when, **of_level),
                             "value": float(value), "limit": gate.limit,
                             "status": OK if holds else "failed"})  # fmt: skip
    return rows


def _build_levels(found: Sequence[_Found], days: Sequence[int]) -> pd.DataFrame:
    """Risks, differences and ratios of every level that has them, all laid at once."""
    keys = [(one, level, day) for one in found for level in np.flatnonzero(one.risks.has_risk)
            for day in range(len(days))]  # fmt: skip
    if not keys:
        return pd.DataFrame({"status": [], "estimate": [], "reason": []})
    value, effective, events, se, gap, ratio, people, quantile = (
        np.concatenate([pick(one)[one.risks.has_risk] for one in found])
        for pick in (
            lambda one: one.risks.value, lambda one: one.risks.effective,
            lambda one: one.risks.events, lambda one: one.errors[0],
            lambda one: one.errors[1], lambda one: one.errors[2],
            lambda one: np.repeat(one.risks.people[:, :, None], len(days), axis=2),
            lambda one: one.risks.find_quantiles(),
        )
    )  # fmt: skip
    value, effective, events, se, people = (
        np.moveaxis(one, 1, 0).reshape(one.shape[1], -1)
        for one in (value, effective, events, se, people)
    )
    errors = (se, gap.reshape(-1), ratio.reshape(-1))
    table = build_risks(value, errors, effective, people, events, quantile.reshape(-1))
    place = table.pop("place").to_numpy()
    named = pd.DataFrame(
        [(one.measure, one.grouping.name, one.grouping.levels[level], days[day],
          one.failed[level, day]) for one, level, day in keys],
        columns=["measure", "subgroup", "level", "time_days", "fault"],
    ).iloc[place].reset_index(drop=True)  # fmt: skip
    fault = named.pop("fault")
    is_held = fault.ne("") & table["status"].eq(OK)
    table = table.assign(
        status=table["status"].mask(is_held, WITHHELD), reason=table["reason"].mask(is_held, fault)
    )
    return pd.concat([named, table], axis=1)


def _contrast_all(found: _Found, days: Sequence[int], absent: Sequence[str]) -> list[Row]:
    """The contrasts of every day."""
    risks, failed = found.risks, found.failed
    moves = risks.influence[:, :, 0] - risks.influence[:, :, 1]
    covariance = np.matmul(moves.transpose(2, 1, 0), moves.transpose(2, 0, 1))
    freedom = find_freedom(moves - moves[:, [found.grouping.reference]])
    rows: list[Row] = []
    for at, day in enumerate(days):
        both = list(zip(absent, failed[:, at], strict=True))
        effects = LevelEffects(
            estimate=risks.value[:, 0, at] - risks.value[:, 1, at],
            covariance=covariance[at],
            freedom=freedom[:, at],
            n_people=risks.people[:, 2],
            n_events=risks.events[:, :, at].sum(axis=1),
            status=[NOT_ESTIMABLE if gone else WITHHELD if fault else OK for gone, fault in both],
            reason=[gone or str(fault) for gone, fault in both],
        )
        keys = {"measure": found.measure, "time_days": day}
        rows += build_contrasts(found.grouping, effects, keys, "risk_difference")
    return rows
