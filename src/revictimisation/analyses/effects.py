"""Question 2: how many report again, and do the measures keep people from it.

The crude comparison stands here too, as what it is: those who ever got a measure against those who
never did. It misleads twice (those at risk get more; who reports again at once has no time to get
any) and is only ever shown beside an answer that does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from revictimisation.analyses.by_measure import name_outcomes
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import CAUSES
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    OK,
    combine,
    hold_to_follow_up,
    make_estimates,
    not_estimable,
)
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.curves import aalen_johansen, compare_risks, kaplan_meier
from revictimisation.estimators.design import Design
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.hazard_rows import (
    count_exposed,
    describe_hazard,
    describe_no_answer,
)
from revictimisation.estimators.proportional_hazards import GLOBAL, check_proportional_hazards
from revictimisation.estimators.target_trial.diagnostics import (
    ARMS,
    describe_events,
    make_check,
    stack_checks,
)
from revictimisation.estimators.target_trial.gates import judge, withhold_failed

Note = tuple[str, str, float]  # measure, check, value
BY_PERSON, PROPORTIONAL = "by_person", "proportional_hazards_p"


def _curve_rows(data: StudyData, chosen: np.ndarray, days: tuple[int, ...]) -> pd.DataFrame:
    """Aalen-Johansen for the three ends of follow-up among the chosen entries."""
    entries = data.entries[chosen]
    curve = aalen_johansen(
        entries["stop_day"].to_numpy(),
        entries["cause"].to_numpy(),
        at_days=days,
        cluster=entries["cluster_id"].to_numpy(),
        n_causes=len(CAUSES),
    )
    named = curve.assign(
        outcome=curve["cause"].map(name_outcomes(data.plan)), n_people=len(entries)
    )
    return hold_to_follow_up(named.drop(columns=["cause", "n_at_risk"]))


def _days_by_analysis(data: StudyData) -> dict[str, tuple[int, ...]]:
    plan = data.plan
    main = tuple(plan.days_within_horizon)
    return {"main": main, "curve": plan.curve_days}


def estimate_incidence(data: StudyData) -> pd.DataFrame:
    """Estimate how many report again: Aalen-Johansen and Kaplan-Meier, measure empty.

    Estimates at the study's `report_at_days` (analysis `main`) and along the curve (`curve`):
    `cumulative_incidence` of the outcome, death and emigration, for the whole population and each
    level of each subgroup. These count entries, a victim once for each suspect; analysis
    `by_person` counts each victim once (`choose_person_entries`). Kaplan-Meier treats death and
    emigration as censoring and is shown only beside Aalen-Johansen, for the whole population.
    """
    same = {"question": "q2", "estimand": "cumulative_incidence"}
    if data.entries.empty:
        return not_estimable("empty_cohort", estimator="aalen_johansen", **same)
    parts = []
    for analysis, days in _days_by_analysis(data).items():
        if not days:
            continue
        curve = _curve_rows(data, np.ones(len(data.entries), bool), days)
        keys = {**same, "analysis": analysis}
        parts.append(make_estimates(curve, estimator="aalen_johansen", **keys))
        parts.append(make_estimates(_kaplan_meier_rows(data, days), **keys))
        for name in data.plan.subgroups:
            parts.append(_subgroup_rows(data, name, days, keys))
    parts.append(_person_rows(data, **same))
    for day in data.plan.days_beyond_horizon:
        parts.append(_beyond_horizon(data, day, "aalen_johansen", **same))
    return combine(parts)


def choose_person_entries(entries: pd.DataFrame) -> pd.DataFrame:
    """Choose one entry a victim: that of the first index report, as the published 40 % is counted.

    Of several suspects on that day the one whose follow-up ends first, so that the outcome is the
    first new report against any of them; on one day an outcome comes before death, death before
    emigration, all of them before the end of follow-up.
    """
    is_open = entries["cause"].eq(0)
    ranked = entries.assign(is_open=is_open).sort_values(
        ["cluster_id", "index_on", "stop_day", "is_open", "cause"], kind="stable"
    )
    return ranked.drop_duplicates("cluster_id").drop(columns="is_open")


def _person_rows(data: StudyData, **keys: str) -> pd.DataFrame:
    """The share of victims with a new report against the suspect of their first index report."""
    days = _days_by_analysis(data)["main"]
    if not days:
        return combine([])
    chosen = data.entries.index.isin(choose_person_entries(data.entries).index)
    curve = _curve_rows(data, chosen, days)
    mine = curve[curve["outcome"] == data.plan.outcome.who]
    return make_estimates(mine, analysis=BY_PERSON, estimator="aalen_johansen", **keys)


def _beyond_horizon(data: StudyData, day: int, estimator: str, **keys: str) -> pd.DataFrame:
    return not_estimable(
        "beyond_horizon",
        time_days=day,
        estimator=estimator,
        outcome=data.plan.outcome.who,
        **keys,
    )


def _kaplan_meier_rows(data: StudyData, days: tuple[int, ...]) -> pd.DataFrame:
    curve = kaplan_meier(
        data.entries["stop_day"].to_numpy(),
        (data.entries["cause"] == 1).to_numpy(),
        at_days=days,
        cluster=data.entries["cluster_id"].to_numpy(),
    )
    same = {"estimator": "kaplan_meier", "outcome": data.plan.outcome.who}
    named = curve.drop(columns=["cause", "n_at_risk"]).assign(n_people=len(data.entries), **same)
    return hold_to_follow_up(named)


def _subgroup_rows(
    data: StudyData, name: str, days: tuple[int, ...], keys: dict[str, str]
) -> pd.DataFrame:
    keys = {**keys, "estimator": "aalen_johansen", "subgroup": name}
    levels = data.subgroup(name)
    if levels is None:
        return not_estimable("table_absent", outcome=data.plan.outcome.who, **keys)
    parts = []
    for level in sorted(levels.unique()):
        curve = _curve_rows(data, (levels == level).to_numpy(), days)
        parts.append(make_estimates(curve, level=level, **keys))
    return combine(parts)


def estimate_crude(data: StudyData) -> pd.DataFrame:
    """Compare those in whom a measure ever starts in follow-up with those in whom it never does.

    Aalen-Johansen in either group, nothing adjusted, death and emigration competing. A start on
    the day follow-up ends comes after it. Entries in whom the measure was running before day 0 are
    left out.
    """
    same = {"question": "q2", "estimator": "crude", "outcome": data.plan.outcome.who}
    parts = []
    for measure in data.plan.measure_names:
        starts = data.starts_of(measure)
        is_eligible = ~starts["is_running_before"].to_numpy()
        stop_day = data.entries["stop_day"].to_numpy()
        is_started = (starts["first_start_day"].to_numpy() < stop_day)[is_eligible]
        parts.append(
            compare_groups(data, data.entries[is_eligible], is_started, measure=measure, **same)
        )
    return combine(parts)


def compare_groups(
    data: StudyData, entries: pd.DataFrame, is_started: np.ndarray, **keys: str
) -> pd.DataFrame:
    """Compare the risks of two groups of entries at the study's `report_at_days`.

    Rows `risk_start`, `risk_no_start`, `risk_difference`, `risk_ratio`; the difference's error
    allows for victims who are in both groups. Withheld where exposed victims, or events in either
    group up to the day, are fewer than the study's gates ask.
    """
    days = _days_by_analysis(data)["main"]
    parts = []
    if 0 < is_started.sum() < len(entries) and days:
        rows = compare_risks(
            entries["stop_day"].to_numpy(),
            entries["cause"].to_numpy(),
            is_started,
            at_days=days,
            cluster=entries["cluster_id"].to_numpy(),
        )
        parts.append(_hold_to_gates(data, make_estimates(rows, **keys), entries[is_started]))
    elif days:
        reason = "nobody_started" if not is_started.any() else "everybody_started"
        parts += [
            not_estimable(reason, estimand="risk_difference", time_days=d, **keys) for d in days
        ]
    for day in data.plan.days_beyond_horizon:
        parts.append(
            not_estimable("beyond_horizon", estimand="risk_difference", time_days=day, **keys)
        )
    return combine(parts)


def _hold_to_gates(data: StudyData, rows: pd.DataFrame, started: pd.DataFrame) -> pd.DataFrame:
    """Withhold a comparison of too few exposed victims, or of too few events on a day."""
    checks = [make_check("n_exposed_victims", started["cluster_id"].nunique(), ARMS[0])]
    for arm in ARMS:
        checks += describe_events(rows[rows["estimand"].eq(f"risk_{arm}")], arm)
    judged = judge(stack_checks(pd.DataFrame(checks)), data.plan.gates, {}, 0)
    return withhold_failed(rows, judged, data.plan.gates)


def estimate_hazard_ratios(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate hazard ratios of all measures together while in force; also the diagnostics.

    Estimator `cox_time_varying` to the first outcome and `andersen_gill` past it, adjusted for the
    study's `adjust_for` (analysis `main`; those of `strata` by baselines of their own) and for
    nothing (`unadjusted`; the measures are still held together), with errors clustered by victim.
    `n_people` are entries ever exposed, `n_events` events while exposed. Diagnostics hold tests of
    proportional hazards of the adjusted models, by measure and of all columns.
    """
    parts, notes = [], []
    first = data.first_episodes
    for estimator, episodes in (("cox_time_varying", first), ("andersen_gill", data.episodes)):
        for analysis, is_adjusted in (("main", True), ("unadjusted", False)):
            estimates, diagnostics = _fit_measures(data, episodes, is_adjusted)
            parts.append(make_estimates(estimates, analysis=analysis, estimator=estimator))
            notes.append(diagnostics.assign(analysis=f"{estimator}_{analysis}"))
    return combine(parts), pd.concat(notes, ignore_index=True)


def _fit_measures(
    data: StudyData, episodes: pd.DataFrame, is_adjusted: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    measures = data.plan.measure_names
    entry = episodes["entry_id"].to_numpy()
    is_event = episodes["is_event"].to_numpy().astype(bool)
    victim = data.entries["cluster_id"].to_numpy()[entry]
    exposed = {
        name: count_exposed(entry, victim, is_event, episodes[name] == 1) for name in measures
    }
    same = {"question": "q2", "outcome": data.plan.outcome.who}
    if not is_event.any():
        rows = [
            {"measure": name, **describe_no_answer("no_events", exposed[name].counts)}
            for name in measures
        ]
        return make_estimates(rows, **same), _notes([("", "n_events", 0.0)])
    strata = data.strata(entry) if is_adjusted else None
    design = data.design(
        entry, episodes[list(measures)], is_adjusted=is_adjusted, without=data.plan.strata
    )
    days = (episodes["start_day"].to_numpy(), episodes["stop_day"].to_numpy())
    fit = fit_cox(design, *days, is_event, strata=strata, cluster=victim)
    rows = [
        {"measure": name, **row}
        for name in measures
        for row in describe_hazard(fit, name, exposed[name], data.plan.gates)
    ]
    notes = [
        ("n_episodes", fit.n_rows),
        ("n_events", fit.n_events),
        ("n_coefficients", len(fit.names)),
        ("n_constant_columns_dropped", len(design.dropped)),
        ("is_converged", float(fit.is_converged)),
    ]
    tests: list[Note] = []
    if is_adjusted:
        tests = _test_proportionality(fit, design, *days, is_event, strata, measures)
    return make_estimates(rows, **same), _notes([*(("", *note) for note in notes), *tests])


def _test_proportionality(
    fit: CoxFit,
    design: Design,
    start: np.ndarray,
    stop: np.ndarray,
    is_event: np.ndarray,
    strata: np.ndarray | None,
    measures: Sequence[str],
) -> list[Note]:
    """Whether a measure's hazard ratio changes with time, and whether any column's does: told."""
    try:
        found = check_proportional_hazards(fit, design, start, stop, is_event, strata=strata)
    except NotEstimableError:
        return []
    return [
        ("" if name == GLOBAL else name, PROPORTIONAL, p)
        for name, p in zip(found["name"], found["p"], strict=True)
        if name in (*measures, GLOBAL)
    ]


def _notes(checks: Sequence[Note]) -> pd.DataFrame:
    """Rows of diagnostics; only whether a model converged has a limit."""
    return pd.DataFrame(
        [
            ("", measure, name, float(value), *_judge(name, value))
            for measure, name, value in checks
        ],
        columns=list(DIAGNOSTIC_COLUMNS),
    ).astype({"limit": "float64"})


def _judge(name: str, value: float) -> tuple[float, str]:
    if name != "is_converged":
        return math.nan, OK
    return 1.0, OK if value else "failed"
