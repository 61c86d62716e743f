"""Question 2: how many report again, and do the measures keep people from it.

The crude comparison stands here too, as what it is: those who ever got a measure against those who
never did. It misleads twice (those at risk get more; who reports again at once has no time to get
any) and is only ever shown beside an answer that does not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import frame_checks, tell_checks
from revictimisation.analyses.by_measure import name_outcomes
from revictimisation.analyses.in_force import InForce, fit_in_force
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import CAUSES, OUTCOME, SAME_SUSPECT
from revictimisation.core.results import (
    combine,
    hold_to_follow_up,
    make_estimates,
    not_estimable,
)
from revictimisation.estimators.contrasts import compare_risks
from revictimisation.estimators.curves import aalen_johansen, kaplan_meier
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.proportional_hazards import GLOBAL, check_proportional_hazards
from revictimisation.estimators.target_trial.diagnostics import (
    ARMS,
    describe_events,
    make_check,
    stack_checks,
)
from revictimisation.estimators.target_trial.gates import judge, withhold_failed

BY_PERSON, PROPORTIONAL = "by_person", "proportional_hazards_p"


def _curve_rows(
    entries: pd.DataFrame, days: tuple[int, ...], outcomes: Mapping[int, str]
) -> pd.DataFrame:
    """Aalen-Johansen for the ends of follow-up of entries, those that `outcomes` name by number."""
    curve = aalen_johansen(
        entries["stop_day"].to_numpy(),
        entries["cause"].to_numpy(),
        at_days=days,
        cluster=entries["cluster_id"].to_numpy(),
        n_causes=len(CAUSES),
    )
    mine = curve[curve["cause"].isin(list(outcomes))]
    named = mine.assign(outcome=mine["cause"].map(outcomes), n_people=len(entries))
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
    `by_person` counts each victim once (`choose_person_entries`); where the study's outcome is
    about others too, both tell that against the same suspect beside. Kaplan-Meier treats death and
    emigration as censoring and is shown only beside Aalen-Johansen, for the whole population.
    """
    same = {"question": "q2", "estimand": "cumulative_incidence"}
    if data.entries.empty:
        return not_estimable("empty_cohort", estimator="aalen_johansen", **same)
    parts = []
    for analysis, days in _days_by_analysis(data).items():
        if not days:
            continue
        curve = _curve_rows(data.entries, days, name_outcomes(data.plan))
        keys = {**same, "analysis": analysis}
        parts.append(make_estimates(curve, estimator="aalen_johansen", **keys))
        parts.append(make_estimates(_kaplan_meier_rows(data, days), **keys))
        for name in data.plan.subgroups:
            parts.append(_subgroup_rows(data, name, days, keys))
    parts.append(_person_rows(data, data.entries, data.plan.outcome.who, **same))
    if data.plan.outcome.who != SAME_SUSPECT:
        parts += _own_rows(data, **same)
    keys = {**same, "estimator": "aalen_johansen", "outcome": data.plan.outcome.who}
    for day in data.plan.days_beyond_horizon:
        parts.append(not_estimable("beyond_horizon", time_days=day, **keys))
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


def _person_rows(data: StudyData, entries: pd.DataFrame, outcome: str, **keys: str) -> pd.DataFrame:
    """The share of victims with the outcome after their first index report."""
    days = _days_by_analysis(data)["main"]
    if not days:
        return combine([])
    chosen = entries.index.isin(choose_person_entries(entries).index)
    curve = _curve_rows(entries[chosen], days, {OUTCOME: outcome})
    return make_estimates(curve, analysis=BY_PERSON, estimator="aalen_johansen", **keys)


def _own_rows(data: StudyData, **keys: str) -> list[pd.DataFrame]:
    """Of a study of a wider outcome: the share with a new report against the same suspect."""
    days = _days_by_analysis(data)["main"]
    if not days:
        return []
    entries = follow_own(data.entries)
    curve = _curve_rows(entries, days, {OUTCOME: SAME_SUSPECT})
    return [
        make_estimates(curve, estimator="aalen_johansen", **keys),
        _person_rows(data, entries, SAME_SUSPECT, **keys),
    ]


def follow_own(entries: pd.DataFrame) -> pd.DataFrame:
    """The same entries followed to the first new report against the same suspect."""
    own = entries["own_day"]
    return entries.assign(
        stop_day=own.fillna(entries["end_day"]).astype("int64"),
        cause=np.where(own.notna(), OUTCOME, entries["end_cause"]),
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
        mine = data.entries[(levels == level).to_numpy()]
        curve = _curve_rows(mine, days, name_outcomes(data.plan))
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
    parts: list[pd.DataFrame] = []
    notes: list[dict[str, object]] = []
    same = {"question": "q2", "outcome": data.plan.outcome.who}
    first = data.first_episodes
    for estimator, episodes in (("cox_time_varying", first), ("andersen_gill", data.episodes)):
        for analysis, is_adjusted in (("main", True), ("unadjusted", False)):
            found, tests = _fit_measures(data, episodes, is_adjusted)
            keys = {"analysis": analysis, "estimator": estimator}
            parts.append(make_estimates(found.rows, **same, **keys))
            notes += tell_checks(found.checks, f"{estimator}_{analysis}")
            for measure, p in tests.items():
                notes += tell_checks({PROPORTIONAL: p}, f"{estimator}_{analysis}", measure)
    return combine(parts), frame_checks(notes)


def _fit_measures(
    data: StudyData, episodes: pd.DataFrame, is_adjusted: bool
) -> tuple[InForce, dict[str, float]]:
    """The model, and by measure ("": all columns) the test whether its hazard ratio is constant."""
    measures = list(data.plan.measure_names)
    strata = data.strata(episodes["entry_id"].to_numpy()) if is_adjusted else None
    found = fit_in_force(
        data,
        episodes,
        lambda entry: data.design(
            entry, episodes[measures], is_adjusted=is_adjusted, without=data.plan.strata
        ),
        strata=strata,
    )
    if not is_adjusted or found.fit is None or found.design is None:
        return found, {}
    days = (episodes["start_day"].to_numpy(), episodes["stop_day"].to_numpy())
    is_event = episodes["is_event"].to_numpy(bool)
    try:
        tested = check_proportional_hazards(found.fit, found.design, *days, is_event, strata=strata)
    except NotEstimableError:
        return found, {}
    names = {GLOBAL: "", **{name: name for name in measures}}
    known = tested[tested["name"].isin(names)]
    return found, dict(zip(known["name"].map(names), known["p"], strict=True))
