"""Question 2, from the day a stay in shelter ends: what support that continues or begins does.

Day 0 is the end of an entry's first stay in sheltered housing that ends during follow-up (stays
that touch or overlap are one), of who is event-free then. Strategies: the support is in force on
that day or begins within the days that the study names (`sequential.after_shelter_days`), or
neither. By clones and weights as the main comparison, given the baseline, the day on which the stay
ended and what else is in force then. Codes of the extract, whether measures of the study or not.

Estimator `clone_censor_weight`, analysis `after_shelter`, subgroup `trial_start`, level
`shelter_end`: risk_start, risk_no_start, risk_difference, risk_ratio by days since the end of the
stay, with the influence's intervals, under the gates of the main comparison.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.cohort.spells import OPEN_END_DAY
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Floats
from revictimisation.core.packing import AFTER_SHELTER, SHELTER_END, TRIAL_START
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    FEW_VICTIMS,
    combine,
    make_estimates,
    mark_endless,
    not_estimable,
)
from revictimisation.estimators.contrasts import RISKS
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.diagnostics import diagnose_trial
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.gates import judge, withhold_failed, withhold_few
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial

SAME = {"question": "q2", "analysis": AFTER_SHELTER, "estimator": "clone_censor_weight",
        "subgroup": TRIAL_START, "level": SHELTER_END}  # fmt: skip


def estimate_after_shelter(data: StudyData) -> Found:
    """Estimate each kind of support that may follow a stay in shelter; also the diagnostics."""
    plan = data.plan
    asked = plan.sequential.after_shelter if plan.sequential.is_on else ()
    days = [day for day in plan.sequential.at_days if day <= plan.horizon_days]
    rows, checks = [make_estimates([])], [no_checks()]
    ends = find_stay_ends(data) if asked and days else np.empty(0)
    for code in asked if days else ():
        keys = {**SAME, "measure": code, "outcome": plan.outcome.who}
        try:
            found = _estimate_one(data, build_shelter_trial(data, code, ends), days, keys)
        except NotEstimableError as fault:
            rows += [
                not_estimable(str(fault), estimand=RISKS[2], time_days=day, **keys) for day in days
            ]
            continue
        rows.append(found.estimates)
        checks.append(found.diagnostics)
    kept = [part for part in checks if len(part)]
    return Found(combine(rows), pd.concat(kept or checks[:1], ignore_index=True))


def _estimate_one(data: StudyData, trial: Trial, days: list[int], keys: dict[str, str]) -> Found:
    gates = data.plan.gates
    weighted = weigh_clones(
        trial,
        grace_law=data.plan.weights.grace_law,
        is_small_sample=data.plan.inference.small_sample,
    )
    table = estimate_strategies(weighted, days)
    told = table[table["cause"].eq(1) & table["estimand"].isin(RISKS)]
    told = mark_endless(told).assign(subgroup=TRIAL_START, level=SHELTER_END)
    checks = diagnose_trial(weighted, days, table)
    checks = checks.assign(group=TRIAL_START, level=SHELTER_END)
    named = {"analysis": AFTER_SHELTER, "measure": keys["measure"]}
    judged = judge(checks, gates, named, trial.grace_days)
    held = withhold_few(withhold_failed(told, judged, gates), gates).drop(columns="cause")
    return Found(make_estimates(held, **keys), judged[list(DIAGNOSTIC_COLUMNS)])


def find_stay_ends(data: StudyData) -> Floats:
    """The day each entry's first stay ends on day 0 or later, event-free then; NaN: none.

    A stay goes on where another of its kinds is in force on the day it ends.
    """
    stays = _list_spells(data, data.plan.sequential.shelter)
    every = stays.merge(stays, on="entry_id", suffixes=("", "_other"))
    goes_on = every["start_day_other"].le(every["stop_day"]) & every["stop_day_other"].gt(
        every["stop_day"]
    )
    lasting = pd.MultiIndex.from_frame(every.loc[goes_on, ["entry_id", "stop_day"]])
    is_end = ~pd.MultiIndex.from_frame(stays[["entry_id", "stop_day"]]).isin(lasting)
    is_end &= stays["stop_day"].between(0, OPEN_END_DAY - 1).to_numpy()
    first = stays[is_end].groupby("entry_id")["stop_day"].min()
    ends: Floats = first.reindex(data.entries["entry_id"]).to_numpy(np.float64)
    return np.where(ends < data.entries["stop_day"].to_numpy(), ends, np.nan)


def build_shelter_trial(data: StudyData, code: str, ends: Floats) -> Trial:
    """Lay out the trial of a kind of support from the end of each entry's stay (NaN: none).

    Raises:
        NotEstimableError: nobody left a shelter, fewer victims than the gate asks had the support,
            or everybody had it.
    """
    is_in = ~np.isnan(ends)
    if not is_in.any():
        raise NotEstimableError("no_people")
    entries, end = data.entries[is_in], ends[is_in]
    window, spells = data.plan.sequential.after_shelter_days, _list_spells(data, (code,))
    left = spells["stop_day"].gt(
        spells["entry_id"].map(dict(zip(entries["entry_id"], end, strict=True)))
    )
    begins = spells[left].groupby("entry_id")["start_day"].min()
    start = np.maximum(begins.reindex(entries["entry_id"]).to_numpy(np.float64) - end, 0.0)
    in_time = start <= np.minimum(window, entries["stop_day"].to_numpy() - end - 1)
    if entries["cluster_id"][in_time].nunique() < data.plan.gates.exposed_victims:
        raise NotEstimableError(FEW_VICTIMS)
    return prepare_trial(
        entries["stop_day"].to_numpy() - end,
        entries["cause"].to_numpy(),
        start,
        data.design(chosen=is_in, marks=_mark_history(data, code, is_in, end)),
        grace_days=window,
        cluster=entries["cluster_id"].to_numpy(),
        flexibility=data.plan.models.flexibility,
    )


def _mark_history(
    data: StudyData, code: str, is_in: Flags, end: Floats
) -> dict[str, Flags | Floats]:
    """The day on which the stay ended, and what else is in force on it, seen often enough."""
    if not data.plan.adjust_for:
        return {}
    names = data.entries["entry_id"].to_numpy()[is_in]
    marks: dict[str, Flags | Floats] = {"stay_ended_on": end}
    for measure, one in data.plan.measures.items():
        if code in one.codes or {*one.codes} & {*data.plan.sequential.shelter} or one.is_joint:
            continue
        spells = data.spells[data.spells["measure"].eq(measure)]
        at = spells["entry_id"].map(dict(zip(names, end, strict=True)))
        in_force = spells.loc[spells["start_day"].le(at) & spells["stop_day"].gt(at), "entry_id"]
        mark = np.isin(names, in_force.to_numpy())
        if mark.sum() >= data.plan.models.people_per_change:
            marks[f"{measure}_at_end"] = mark
    return marks


def _list_spells(data: StudyData, codes: tuple[str, ...]) -> pd.DataFrame:
    """What was carried out of some codes: entry_id, start_day, stop_day."""
    rows = data.decisions
    chosen = rows["code"].isin(codes) & rows["start_day"].notna()
    spells = rows.loc[chosen, ["entry_id", "start_day", "stop_day"]]
    return spells[spells["stop_day"].gt(spells["start_day"])].reset_index(drop=True)
