"""Question 2, when help comes: sequential target trials, by phase and from landmarks.

Estimator `sequential_trial` (`estimators.sequential`), analysis `sequential_trials`: from every day
on which an entry is event-free and has not had the measure a trial begins, start now against not
now; risk_start, risk_no_start, risk_difference, risk_ratio of the study's outcome by days since the
trial began.

Pooled over the days of a level of subgroup `trial_start` (acute, intermediate, long_term; all) or
`landmark` (day_90: that day and those of its window). Level `intermediate_less_acute`,
`long_term_less_acute`: how far the risk differences of two phases lie apart, of people still
event-free in either (n_events: the fewer of the two). Weights from baseline and history: other
measures in force, reports against others, renewed assessments, as in the main comparison. Entries
in whom the measure ran before day 0 are in no trial. Joint measures are left out: their start is
made of others'.

A number is `withheld` where a gate of the study fails for its level; with fewer exposed victims
than the gate asks it is not estimated at all.

Analysis `per_protocol`, of the measures that the study file names (`sequential.keep`): the same
phases with the measure kept for `sequential.keep_days` days by
who starts (`estimators.sequential.keeping`), against no start on the day as before; by influence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.analyses.end_trials import build_end_trial, list_kept, place_eligible
from revictimisation.analyses.trial_inputs import build_later_trials
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Floats
from revictimisation.core.packing import (
    ALL_STARTS,
    LANDMARK,
    PER_PROTOCOL,
    SEQUENTIAL,
    TRIAL_START,
    pack_contrast,
    pack_day,
    unpack_contrast,
)
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    FEW_ENDED,
    FEW_VICTIMS,
    NOT_ESTIMABLE,
    combine,
    make_estimates,
    mark_endless,
    withhold,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.sequential.estimates import (
    Stretch,
    bootstrap_stretches,
    contrast_stretches,
    diagnose_stretch,
    estimate_stretch,
    pool_stretch,
)
from revictimisation.estimators.sequential.keeping import KeptStretch, keep_starts
from revictimisation.estimators.sequential.trials import SequentialTrials, build_trials
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.diagnostics import make_check, stack_checks
from revictimisation.estimators.target_trial.gates import judge, withhold_failed
from revictimisation.plan import StudyPlan

FEWEST_REPLICATES = 2
SAME = {"question": "q2", "analysis": SEQUENTIAL, "estimator": "sequential_trial"}
PHASES = ("acute", "intermediate", "long_term")


class Level(NamedTuple):
    """Trials that are pooled: those that begin on first_day..last_day."""

    subgroup: str
    level: str
    first_day: int
    last_day: int


def list_levels(plan: StudyPlan) -> list[Level]:
    """The phases, all of them, and the landmarks, as far as trials can be followed.

    >>> from revictimisation.plan import read_plan
    >>> [tuple(one)[1:] for one in list_levels(read_plan("name: mini"))][:4]
    [('acute', 0, 30), ('intermediate', 31, 180), ('long_term', 181, 1096), ('all', 0, 1096)]
    """
    last = find_last_start(plan)
    ends = [*(min(day, last) for day in plan.sequential.phase_ends), last]
    begins = [0, *(day + 1 for day in plan.sequential.phase_ends)]
    found = [
        Level(TRIAL_START, name, first, end)
        for name, first, end in zip(PHASES, begins, ends, strict=True)
    ]
    found.append(Level(TRIAL_START, ALL_STARTS, 0, last))
    window = plan.sequential.landmark_window_days
    found += [
        Level(LANDMARK, pack_day(day), day, min(day + window - 1, last))
        for day in plan.sequential.landmarks
    ]
    return [level for level in found if level.first_day <= level.last_day]


def find_last_start(plan: StudyPlan) -> int:
    """The last day on which a trial begins: its last day to report is within the horizon."""
    days = list_days(plan)
    return plan.horizon_days - days[-1] if days else -1


def list_days(plan: StudyPlan) -> list[int]:
    """Days since the start of a trial that the horizon allows."""
    return [day for day in plan.sequential.at_days if day <= plan.horizon_days]


def list_blocks(plan: StudyPlan) -> list[int]:
    """First days of the blocks that share an intercept: cut at the spacing and at levels' edges.

    >>> from revictimisation.plan import read_plan
    >>> list_blocks(read_plan("name: mini"))[:8]
    [0, 1, 7, 14, 21, 28, 31, 35]
    """
    asked, last = plan.sequential, find_last_start(plan)
    short = range(0, min(asked.until_day, last) + 1, asked.every_days)
    long = range(asked.until_day, last + 1, asked.then_every_days)
    edges = (day for one in list_levels(plan) for day in (one.first_day, one.last_day + 1))
    return sorted({0, 1, *short, *long, *edges} & {*range(last + 1)})


def estimate_sequential_trials(data: StudyData, measures: Iterable[str] | None = None) -> Found:
    """Estimate the sequential trials of measures (all but joint ones); also the diagnostics."""
    plan = data.plan
    asked = plan.measure_names if measures is None else measures
    found = [
        _estimate_one(data, measure)
        for measure in asked
        if plan.sequential.is_on and not plan.is_joint(measure)
    ]
    checks = [one.diagnostics for one in found if len(one.diagnostics)]
    return Found(
        combine(one.estimates for one in found),
        pd.concat(checks, ignore_index=True) if checks else no_checks(),
    )


def _estimate_one(data: StudyData, measure: str) -> Found:
    plan = data.plan
    levels, days = list_levels(plan), list_days(plan)
    beyond = [day for day in plan.sequential.at_days if day > plan.horizon_days]
    tables = [_say_why("beyond_horizon", TRIAL_START, ALL_STARTS, beyond)]
    checks: list[pd.DataFrame] = []
    stretches: dict[Level, Stretch] = {}
    reasons: dict[Level, str] = {}
    try:
        if not days:
            raise NotEstimableError("beyond_horizon")
        trials = build_study_trials(data, measure)
        for level in levels:
            stretch = pool_stretch(trials, level.first_day, level.last_day)
            n_victims = stretch.count_victims()
            if n_victims >= plan.gates.exposed_victims:
                stretches[level] = stretch
            else:
                reasons[level] = FEW_VICTIMS if n_victims else "nobody_started"
    except NotEstimableError as fault:
        why = "empty_cohort" if data.entries.empty else str(fault)
        reasons = dict.fromkeys(levels, why)
    tables += [_say_why(why, *level[:2], days) for level, why in reasons.items()]
    drawn, share_failed = _draw(plan, [*stretches.values()])
    for at, (level, stretch) in enumerate(stretches.items()):
        table = estimate_stretch(stretch, days, None if drawn is None else drawn[:, at])
        tables.append(mark_endless(table).assign(subgroup=level.subgroup, level=level.level))
        checks.append(
            stack_checks(diagnose_stretch(stretch, table), share_failed).assign(
                group=level.subgroup, level=level.level
            )
        )
    places = {level.level: at for at, level in enumerate(stretches)}
    pooled_ones = [*stretches.values()]
    for later in PHASES[1:]:
        missing = [why for level, why in reasons.items() if level.level in (later, PHASES[0])]
        if missing:
            tables.append(_say_why(missing[0], TRIAL_START, pack_contrast(later, PHASES[0]), days))
        elif {later, PHASES[0]} <= places.keys():
            one, other = places[later], places[PHASES[0]]
            draws = [None if drawn is None else drawn[:, at] for at in (one, other)]
            gap = contrast_stretches(pooled_ones[one], pooled_ones[other], days, draws)
            name = pack_contrast(later, PHASES[0])
            tables.append(mark_endless(gap).assign(subgroup=TRIAL_START, level=name))
    found = _judge(plan, measure, SEQUENTIAL, tables, checks)
    if not days or measure not in list_kept(data, [measure]):
        return found
    kept = _keep_starts(data, measure, stretches, reasons, days)
    told = [one.diagnostics for one in (found, kept) if len(one.diagnostics)]
    return Found(
        combine([found.estimates, kept.estimates]),
        pd.concat(told, ignore_index=True) if told else no_checks(),
    )


def _judge(
    plan: StudyPlan, measure: str, analysis: str, tables: list[pd.DataFrame],
    checks: list[pd.DataFrame],
) -> Found:  # fmt: skip
    """The numbers under the study's gates, and what these made of the checks."""
    told = pd.concat([one for one in tables if len(one)], ignore_index=True)
    keys = {**SAME, "analysis": analysis}
    rows = make_estimates(told, measure=measure, outcome=plan.outcome.who, **keys)
    if not checks:
        return Found(rows, no_checks())
    named = {"analysis": analysis, "measure": measure}
    judged = judge(pd.concat(checks, ignore_index=True), plan.gates, named, 0)
    held = _withhold_contrasts(withhold_failed(rows, judged, plan.gates))
    return Found(held, judged[list(DIAGNOSTIC_COLUMNS)])


def _keep_starts(
    data: StudyData, measure: str, stretches: dict[Level, Stretch], reasons: dict[Level, str],
    days: list[int],
) -> Found:  # fmt: skip
    """The phases' trials with the measure kept by who starts.

    Where fewer victims than the gate asks end it these are the trials by intention to treat.
    """
    told = {level: one for level, one in stretches.items() if level.subgroup == TRIAL_START}
    why = {level: reason for level, reason in reasons.items() if level.subgroup == TRIAL_START}
    tables: list[pd.DataFrame] = []
    checks: list[pd.DataFrame] = []
    try:
        for level, kept in _list_kept(data, measure, told):
            if kept.count_ended() < data.plan.gates.exposed_victims:
                why[level] = FEW_ENDED
                continue
            table = estimate_stretch(kept, days)
            tables.append(mark_endless(table).assign(subgroup=level.subgroup, level=level.level))
            checks.append(
                diagnose_stretch(kept, table).assign(group=level.subgroup, level=level.level)
            )
    except NotEstimableError as fault:
        why |= dict.fromkeys(told, str(fault))
    tables += [_say_why(reason, *level[:2], days) for level, reason in why.items()]
    return _judge(data.plan, measure, PER_PROTOCOL, tables, checks)


def _list_kept(
    data: StudyData, measure: str, stretches: dict[Level, Stretch]
) -> Iterator[tuple[Level, KeptStretch]]:
    """Each stretch per protocol; one model of the measure's end serves all.

    Raises:
        NotEstimableError: fewer victims than the gate asks ended the measure, or kept it.
    """
    if not stretches:
        return
    spans = next(iter(stretches.values())).trials.spans
    chosen = place_eligible(data, measure, spans.entry[spans.is_start])
    ends = weigh_clones(build_end_trial(data, measure, chosen=chosen), grace_law="natural_law")
    for level, stretch in stretches.items():
        yield level, keep_starts(stretch, ends)


def _withhold_contrasts(rows: pd.DataFrame) -> pd.DataFrame:
    """Withhold the difference of two phases where that of either is."""
    gaps = rows[rows["estimand"].eq("risk_difference")]
    reason = gaps.set_index(["level", "time_days"])["reason"]
    reasons = np.full(len(rows), "", dtype=object)
    for place, (level, day) in enumerate(zip(rows["level"], rows["time_days"], strict=True)):
        for one in unpack_contrast(level) or ():
            reasons[place] = reasons[place] or reason.get((one, day), "")
    return withhold(rows, reasons != "", reasons)


def build_study_trials(data: StudyData, measure: str) -> SequentialTrials:
    """The sequential trials of a measure with the study's covariates, blocks and history.

    Raises:
        NotEstimableError: nobody, nobody started, or everybody did.
    """
    last, blocks = find_last_start(data.plan), list_blocks(data.plan)
    return build_trials(build_later_trials(data, measure, last, blocks))


def _draw(plan: StudyPlan, stretches: list[Stretch]) -> tuple[Floats | None, pd.DataFrame]:
    """The replicates that the study asks for, if any, and the check of how many failed."""
    asked = plan.sequential.replicates
    if asked < FEWEST_REPLICATES or not stretches:
        return None, pd.DataFrame()
    drawn, n_failed = bootstrap_stretches(
        stretches, list_days(plan), n_replicates=asked, seed=plan.bootstrap.seed
    )
    return drawn, pd.DataFrame([make_check("share_failed_replicates", n_failed / asked)])


def _say_why(reason: str, subgroup: str, level: str, days: Sequence[int]) -> pd.DataFrame:
    return pd.DataFrame({
        "estimand": "risk_difference", "time_days": list(days), "subgroup": subgroup,
        "level": level, "status": NOT_ESTIMABLE, "reason": reason,
    })  # fmt: skip
