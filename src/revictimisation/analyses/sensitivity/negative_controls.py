"""Question 2, negative controls: reports that no measure can prevent, held to differ by nothing.

The control outcome `other_suspect` is the first report against somebody who is not the suspect of
any of the victim's entries, nor a relative where the case is one of honour or the measure is aimed
at a family (`cohort.follow_up.find_first_controls`). What leads to a measure and to
such reports alike (a life in danger, a propensity to report) confounds the main comparison; and
what the measure does to the index suspect is no part of it. A difference in them is thus bias: from
something unmeasured, or from a measure that changes reporting itself. For measures that keep others
away too (shelter, a new home, an alarm) it is an assumption that they do not (Lipsitch, Tchetgen
Tchetgen & Cohen 2010; Shi, Miao & Tchetgen Tchetgen 2020).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, frame_checks, no_checks
from revictimisation.analyses.in_force import fit_in_force
from revictimisation.analyses.trial_inputs import build_trial, count_outcomes, eligible_ids
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Whole
from revictimisation.core.codes import ANY_SUSPECT, OUTCOME
from revictimisation.core.results import (
    OK,
    combine,
    make_estimates,
    mark_endless,
    not_estimable,
    withhold,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.intervals import count_effective_events
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.diagnostics import diagnose_trial
from revictimisation.estimators.target_trial.estimates import estimate_strategies
from revictimisation.estimators.target_trial.gates import judge, withhold_failed
from revictimisation.plan import StudyPlan

ANALYSIS = "negative_control_outcome"
OTHER_SUSPECT = "other_suspect"
CHECK = "negative_control_difference"
TRIAL, HAZARDS = "clone_censor_weight", "cox_time_varying"
SHOWN = ("risk_start", "risk_no_start", "risk_difference", "risk_ratio")
# What rests on the same people being alike once the same covariates are adjusted for.
GATED = (TRIAL, "g_formula", "doubly_robust", "mean_cumulative_count")
# What a control must hold to be told; whether the arms are alike is what it is asked.
HELD_TO = ("is_converged", "n_exposed_victims", "n_events")
SO_FAR = "n_outcomes_so_far"
OUTSIDERS = "outsider_day"
KINDS = ("control_day", OUTSIDERS)


def estimate_negative_controls(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate what each measure seems to do to reports that it cannot prevent; also the checks.

    Rows of analysis `negative_control_outcome`, outcome `other_suspect`: by estimator
    `clone_censor_weight` risk_start, risk_no_start, risk_difference and risk_ratio at
    `report_at_days` with intervals by influence, from the measure's own target trial with this
    outcome in place of the study's; by `cox_time_varying` log_hazard_ratio and hazard_ratio while
    in force. Follow-up goes past the study's outcome; how many there were so far may explain a
    start, as may what else is in force. None where the study's outcome is `any_suspect`: what would
    be the control is then part of the outcome.

    The check `negative_control_difference` of each measure is its risk difference on the last
    report day; it fails where it is beyond the study's limit, its interval excludes 0 and the
    ratio's excludes 1 (with few events the difference's alone does so too readily). With fewer
    effective events than `events_per_arm` it can tell nothing, and says so (`warning`). One day a
    measure: judged on four days at 5 % each, it would fail far more often than its interval says.
    Measures are judged each by itself: without any bias one of seven still fails in up to 3 of 10
    studies, and a bias that few people cannot show passes.
    """
    plan = data.plan
    if not _is_asked(data):
        return make_estimates([]), no_checks()
    found = [judge_control(data, measure) for kind in KINDS for measure in _list_kind(plan, kind)]
    hazards = [_estimate_hazards(data, *follow_controls(data, kind), measures)
               for kind in KINDS if (measures := _list_kind(plan, kind))]  # fmt: skip
    notes = [one.diagnostics for one in found if len(one.diagnostics)]
    return (
        combine([*(one.estimates for one in found), *hazards]),
        pd.concat(notes, ignore_index=True) if notes else no_checks(),
    )


def judge_control(data: StudyData, measure: str) -> Found:
    """What a measure's own trial says of the control, and the checks of it; nothing if not asked.

    Rows and checks as of `estimate_negative_controls`.
    """
    if not _is_asked(data):
        return Found(make_estimates([]), no_checks())
    kind = next(kind for kind in KINDS if measure in _list_kind(data.plan, kind))
    estimates, is_converged = _estimate_trial(data, measure, *follow_controls(data, kind))
    return Found(estimates, frame_checks(_judge(data, measure, estimates, is_converged)))


def _is_asked(data: StudyData) -> bool:
    plan = data.plan
    is_asked = OTHER_SUSPECT in plan.negative_controls.outcomes
    return is_asked and plan.outcome.who != ANY_SUSPECT and not data.entries.empty


def _list_kind(plan: StudyPlan, kind: str) -> list[str]:
    """The measures whose control is of a kind: those aimed at a family have outsiders alone."""
    family = plan.negative_controls.against_family
    return [name for name in plan.measure_names if (name in family) == (kind == OUTSIDERS)]


def follow_controls(data: StudyData, kind: str) -> tuple[Whole, Whole]:
    """Last day and cause of each entry's follow-up for the control, whose day stands in `kind`."""
    entries = data.entries
    day = entries[kind].to_numpy()
    has_event = ~np.isnan(day)
    stop = np.where(has_event, day, entries["end_day"].to_numpy()).astype(np.int64)
    return stop, np.where(has_event, OUTCOME, entries["end_cause"].to_numpy()).astype(np.int64)


def _estimate_trial(
    data: StudyData, measure: str, stop: Whole, cause: Whole
) -> tuple[pd.DataFrame, bool]:
    keys = {"question": "q2", "analysis": ANALYSIS, "measure": measure}
    keys |= {"estimator": TRIAL, "outcome": OTHER_SUSPECT}
    days = data.plan.days_within_horizon
    if not days:
        return make_estimates([]), False
    so_far = {SO_FAR: count_outcomes(data, eligible_ids(data, measure))}
    try:
        trial = build_trial(data, measure, stop, cause, so_far)
    except NotEstimableError as fault:
        same = {**keys, "estimand": "risk_difference"}
        return combine([not_estimable(str(fault), time_days=day, **same) for day in days]), False
    weighted = weigh_clones(trial, grace_law=data.plan.weights.grace_law)
    table = estimate_strategies(weighted, days)
    shown = table[(table["cause"] == OUTCOME) & table["estimand"].isin(SHOWN)]
    estimates = make_estimates(mark_endless(shown.drop(columns="cause")), **keys)
    gates, checks = data.plan.gates, diagnose_trial(weighted, days, table)
    judged = judge(checks[checks["check"].isin(HELD_TO)], gates, {}, trial.grace_days)
    return withhold_failed(estimates, judged, gates), weighted.is_converged


def _judge(
    data: StudyData, measure: str, estimates: pd.DataFrame, is_converged: bool
) -> list[dict[str, object]]:
    """The check of one measure; none where there is no comparison, and so no result either."""
    known = estimates[estimates["estimate"].notna()]
    last = known[known["time_days"].eq(known["time_days"].max())].set_index("estimand")
    if "risk_difference" not in last.index:
        return []
    value = last["estimate"].astype(float)["risk_difference"]
    gates, n_events = data.plan.gates, _count_least_events(last)
    can_tell = is_converged and n_events >= gates.events_per_arm
    is_biased = abs(value) > gates.negative_control_bias and _exclude_nothing(last)
    rows = [
        (CHECK, value, gates.negative_control_bias, "failed" if can_tell and is_biased else OK),
        ("effective_events", n_events, gates.events_per_arm, OK if can_tell else "warning"),
        ("is_converged", float(is_converged), 1.0, OK if is_converged else "warning"),
    ]
    same = {"analysis": ANALYSIS, "measure": measure}
    names = ("check", "value", "limit", "status")
    return [{**same, **dict(zip(names, row, strict=True))} for row in rows]


def _count_least_events(rows: pd.DataFrame) -> float:
    """Effective events of the arm with fewer."""
    arms = rows.loc[["risk_start", "risk_no_start"]]
    return float(count_effective_events(arms["estimate"], arms["se"]).min())


def _exclude_nothing(rows: pd.DataFrame) -> bool:
    """Whether the intervals of difference and ratio both exclude that there is no difference."""
    low, high = (rows[name].astype(float) for name in ("ci_low", "ci_high"))
    return all(
        low[name] > nothing or high[name] < nothing
        for name, nothing in (("risk_difference", 0.0), ("risk_ratio", 1.0))
        if name in rows.index
    )


def withhold_biased(estimates: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """Withhold the results of measures whose check `negative_control_difference` fails.

    All rows of `GATED` for the measure but the control's own, whatever the outcome; a row already
    withheld keeps its reason.
    """
    failed = checks[checks["check"].eq(CHECK) & checks["status"].eq("failed")]
    is_biased = (
        estimates["measure"].isin(set(failed["measure"]))
        & estimates["estimator"].isin(GATED)
        & estimates["analysis"].ne(ANALYSIS)
    )
    return withhold(estimates, is_biased, CHECK)


def _estimate_hazards(
    data: StudyData,
    stop: Whole,
    cause: Whole,
    shown: list[str],
) -> pd.DataFrame:
    """Cox model of the control with all measures while in force, adjusted as the main one.

    Rows of the measures `shown`.
    """
    columns = [*data.plan.measure_names, SO_FAR]
    episodes = _cut_episodes(data, stop, cause)
    keys = {"question": "q2", "analysis": ANALYSIS, "estimator": HAZARDS, "outcome": OTHER_SUSPECT}
    found = fit_in_force(
        data, episodes, lambda entry: data.design(entry, episodes[columns]), shown=shown
    )
    return make_estimates(found.rows, **keys)


def _cut_episodes(data: StudyData, stop: Whole, cause: Whole) -> pd.DataFrame:
    """Episodes up to the end of the control's follow-up, with the outcomes before each begins."""
    episodes = data.episodes
    entry = episodes["entry_id"].to_numpy(np.int64)
    outcome = episodes["is_event"].to_numpy(np.int64)
    before = np.cumsum(outcome) - outcome
    is_first = np.append(True, entry[1:] != entry[:-1])[: len(entry)]
    own = before[is_first][np.cumsum(is_first) - 1]
    last = stop[entry]
    end = np.minimum(episodes["stop_day"].to_numpy(), last)
    cut = episodes.assign(
        stop_day=end,
        is_event=(end == last) & (cause[entry] == OUTCOME),
        **{
            SO_FAR: np.minimum(before - own, data.plan.definitions.earlier_reports_cap).astype(
                float
            )
        },
    )
    return cut[episodes["start_day"].to_numpy() < last]
