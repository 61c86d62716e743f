"""Risks under both strategies within each level, on the additive scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import frame_checks
from revictimisation.analyses.subgroup_effects.groupings import Grouping
from revictimisation.analyses.subgroup_effects.rows import LevelEffects, Row, build_contrasts
from revictimisation.analyses.subgroup_effects.shares import build_outside
from revictimisation.analyses.trial_inputs import build_trial
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Codes
from revictimisation.core.packing import pack_check
from revictimisation.core.results import (
    BEYOND_FOLLOW_UP,
    NOT_ESTIMABLE,
    OK,
    WITHHELD,
    combine,
    make_estimates,
    mark_endless,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import DETECTABLE_ERRORS
from revictimisation.estimators.target_trial.balance import read_weights_at
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.diagnostics import (
    ARMS,
    DETECTABLE,
    make_check,
)
from revictimisation.estimators.target_trial.gates import find_failed, judge, withhold_failed
from revictimisation.estimators.target_trial.levels import (
    LevelBalance,
    LevelMeasurer,
    LevelRisks,
    count_started_victims,
    read_levels,
)
from revictimisation.plan import Gates

ESTIMATOR = "clone_censor_weight"
DIAGNOSED = "subgroup_effects"
BALANCE = "largest_standardised_difference"


def estimate_level_risks(
    data: StudyData, groupings: Sequence[Grouping]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every measure's risks within levels, contrasts and common support; also the diagnostics.

    `data` adjusts for the groupings' main effects (`extend_study`).
    """
    tables, notes = [], []
    rows: list[Row] = _describe_beyond(data, groupings)
    for measure in data.plan.measure_names:
        found, own_rows, own_notes = _estimate_measure(data, measure, groupings)
        tables += [table.assign(measure=measure) for table in found]
        rows += [{**row, "measure": measure} for row in own_rows]
        notes += [{**note, "analysis": DIAGNOSED, "measure": measure} for note in own_notes]
    same = {"question": "q3", "estimator": ESTIMATOR, "outcome": data.plan.outcome.who}
    parts = [make_estimates(table, **same) for table in tables]
    parts.append(make_estimates({**same, **row} for row in rows))
    return combine(parts), frame_checks(notes)


def _estimate_measure(
    data: StudyData, measure: str, groupings: Sequence[Grouping]
) -> tuple[list[pd.DataFrame], list[Row], list[Row]]:
    """Tables of risks by grouping, other rows and diagnostics."""
    days, every, gates = data.plan.days_within_horizon, data.entries, data.plan.gates
    try:
        trial = build_trial(data, measure, every["stop_day"].to_numpy(), every["cause"].to_numpy())
    except NotEstimableError as fault:
        return [], _describe_absence(groupings, days, [str(fault)] * len(every)), []
    weighted = weigh_clones(trial, grace_law=data.plan.weights.grace_law)
    is_in = ~data.starts_of(measure)["is_running_before"].to_numpy()
    measurer, weights = LevelMeasurer(weighted), read_weights_at(weighted, days)
    tables: list[pd.DataFrame] = []
    rows: list[Row] = []
    notes: list[Any] = []
    for grouping in groupings:
        codes, n_levels = grouping.codes[is_in], len(grouping.levels)
        balance = measurer.measure(codes, n_levels)
        counts = np.bincount(codes, minlength=n_levels)
        rows += build_outside(grouping, counts, balance.share_outside, measure)
        if not days:
            continue
        risks = read_levels(weighted, codes, n_levels, days, weights)
        checks = _list_checks(risks, balance, weighted, codes, grouping, days)
        judged = judge(checks, gates, {}, trial.grace_days)
        table = risks.to_rows(np.array(grouping.levels, object), days)
        table = mark_endless(table.assign(subgroup=grouping.name))
        tables.append(withhold_failed(table, judged, gates))
        absent = _explain_absence(risks)
        contrasts = _contrast_all(risks, judged, gates, grouping, days, absent)
        rows += [*_describe_absence([grouping], days, absent), *contrasts]
        notes += [*judged.to_dict("records"), *_describe_detectable(contrasts)]
    return tables, rows, notes


def _list_checks(
    risks: LevelRisks, balance: LevelBalance, weighted: WeightedTrial, codes: Codes,
    grouping: Grouping, days: Sequence[int],
) -> pd.DataFrame:  # fmt: skip
    """What is held against the gates, of the levels that have risks."""
    whole = np.ones(len(grouping.levels))
    n_victims = count_started_victims(weighted.trial, codes, len(whole))
    once = [
        *((BALANCE, arm, balance.beyond_chance[:, at]) for at, arm in enumerate(ARMS)),
        *(("effective_sample_size", arm, balance.effective[:, at]) for at, arm in enumerate(ARMS)),
        ("n_exposed_victims", ARMS[0], n_victims),
        ("share_same_day_starts", "", whole * weighted.trial.same_day_share),
        ("share_outside_support", "", balance.share_outside),
        ("is_converged", "", whole * weighted.is_converged),
    ]
    by_day = [
        *(("n_events", arm, risks.events[at]) for at, arm in enumerate(ARMS)),
        (DETECTABLE, "", DETECTABLE_ERRORS * risks.gap.se),
    ]
    return pd.DataFrame([
        {**make_check(name, value, arm, day), "group": grouping.name, "level": level}
        for place, level in enumerate(grouping.levels)
        if risks.has_risk[place]
        for name, arm, day, value in [
            *((name, arm, None, values[place]) for name, arm, values in once),
            *((name, arm, day, value) for name, arm, values in by_day
              for day, value in zip(days, values[place], strict=True)),
        ]
    ], columns=["check", "arm", "time_days", "value", "group", "level"])  # fmt: skip


def _describe_detectable(contrasts: Sequence[Row]) -> list[Row]:
    """How large a difference between two levels would have been seen: no gate, so no limit."""
    return [
        {"value": DETECTABLE_ERRORS * row["se"], "status": OK,
         "check": pack_check(DETECTABLE, row["time_days"], group=row["subgroup"],
                             level=row["level"])}
        for row in contrasts
        if "se" in row
    ]  # fmt: skip


def _describe_absence(
    groupings: Sequence[Grouping], days: Sequence[int], reasons: Sequence[str]
) -> list[Row]:
    """A row for each level and day where there is a reason ("": none)."""
    return [
        {"subgroup": grouping.name, "level": level, "time_days": day,
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
        {**row, "measure": measure}
        for measure in data.plan.measure_names
        for row in _describe_absence(groupings, days, reasons)
    ]


def _explain_absence(risks: LevelRisks) -> list[str]:
    """Why a level has no risks, "" where it has."""
    return ["" if has else "no_people" if not people[2] else
            "everybody_started" if people[0] else "nobody_started"
            for has, people in zip(risks.has_risk, risks.people, strict=True)]  # fmt: skip


def _contrast_all(
    risks: LevelRisks, judged: pd.DataFrame, gates: Gates, grouping: Grouping,
    days: Sequence[int], absent: Sequence[str],
) -> list[Row]:  # fmt: skip
    """The contrasts of every day."""
    keys = pd.DataFrame({"level": np.repeat(np.array(grouping.levels, object), len(days)),
                         "time_days": np.tile(days, len(grouping.levels))})  # fmt: skip
    failed = find_failed(keys, judged, gates).reshape(-1, len(days))
    is_over = ((risks.effective <= 0) & (risks.risk.value < 1)).any(axis=0)
    failed[is_over & (failed == "")] = BEYOND_FOLLOW_UP
    freedom = (risks.gap - risks.gap[[grouping.reference]]).freedom
    rows: list[Row] = []
    for at, day in enumerate(days):
        both = list(zip(absent, failed[:, at], strict=True))
        effects = LevelEffects(
            effect=risks.gap[:, at],
            freedom=freedom[:, at],
            n_people=risks.people[:, 2],
            n_events=risks.events[2, :, at],
            status=[NOT_ESTIMABLE if gone else WITHHELD if fault else OK for gone, fault in both],
            reason=[gone or str(fault) for gone, fault in both],
        )
        rows += build_contrasts(grouping, effects, {"time_days": day}, "risk_difference")
    return rows
