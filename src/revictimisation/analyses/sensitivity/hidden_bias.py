"""Question 2: what something unmeasured could do to the results, and what the controls say it does.

E-values say how strong an unmeasured confounder would have to be to explain a result away;
empirical calibration takes off what negative controls show where nothing can be. Both read
tables of estimates only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.analyses.analysis import Found, frame_checks, tell_checks
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.packing import pack_check
from revictimisation.core.results import (
    KEYS,
    OK,
    WITHHELD,
    choose,
    combine,
    make_estimates,
)
from revictimisation.estimators.e_value import (
    approximate_risk_ratio,
    find_e_value,
    find_e_value_limit,
)
from revictimisation.estimators.empirical_calibration import (
    SystematicError,
    calibrate,
    fit_systematic_error,
)
from revictimisation.estimators.intervals import count_effective_events
from revictimisation.plan import StudyPlan

CALIBRATED = "calibrated"
TRIAL, HAZARDS = "clone_censor_weight", "cox_time_varying"
E_VALUE, E_VALUE_LIMIT, P_VALUE = "e_value", "e_value_limit", "p_value"
SAME = [*KEYS, "n_people", "n_events", "status", "reason"]


def find_hidden_bias(
    data: StudyData, incidence: Found, hazard_ratios: Found, trials: Found, controls: Found
) -> Found:
    """E-values and calibrated results of the main estimates (`describe_hidden_bias`)."""
    main = combine([one.estimates for one in (incidence, hazard_ratios, trials)])
    return describe_hidden_bias(data.plan, main, controls.estimates)


def describe_hidden_bias(plan: StudyPlan, estimates: pd.DataFrame, controls: pd.DataFrame) -> Found:
    """E-values and calibrated results of the main estimates; also what the calibration rests on.

    Args:
        estimates: the study's main results (`clone_censor_weight`, `cox_time_varying`), gates
            applied: what is withheld stays so here, for the same reason.
        controls: rows of the negative-control outcomes (`negative_controls`).

    Returns:
        Estimates `e_value`, `e_value_limit` (analysis `main`) of each risk ratio, and of each
        hazard ratio, which stands for a risk ratio by `approximate_risk_ratio` where the outcome is
        common. Analysis `calibrated`: risk_ratio (error of its logarithm, as there) and p_value (of
        no effect, two-sided) on each day with at least `least_for_calibration` controls, of all
        measures but placebos. Diagnostics: n_negative_controls, systematic_error_mean and
        systematic_error_sd (log ratios) by day.
    """
    parts, notes = [_rate_ratios(plan, estimates)], []
    for day in plan.report_at_days:
        found = _fit_day(plan, estimates, controls, day)
        if found is None:
            continue
        notes += _note(day, found)
        parts.append(_calibrate_day(plan, estimates, day, found))
    return Found(combine(parts), frame_checks(notes))


def _choose(
    estimates: pd.DataFrame, plan: StudyPlan, estimator: str, estimand: str
) -> pd.DataFrame:
    """Main rows of the study's outcome that hold a number, whole population."""
    found = choose(
        estimates, **_whole(plan), estimator=estimator, estimand=estimand, status=[OK, WITHHELD]
    )
    return found[found["measure"].ne("")]


def _whole(plan: StudyPlan) -> dict[str, str]:
    """Keys of the main results of everybody, of the study's outcome."""
    return {"analysis": "main", "outcome": plan.outcome.who, "subgroup": ""}


def _rate_ratios(plan: StudyPlan, estimates: pd.DataFrame) -> pd.DataFrame:
    risks = _choose(estimates, plan, TRIAL, "risk_ratio")
    hazards = _choose(estimates, plan, HAZARDS, "hazard_ratio")
    limits = ["estimate", "ci_low", "ci_high"]
    if _is_common(plan, estimates):
        hazards = hazards.assign(**{name: approximate_risk_ratio(hazards[name]) for name in limits})
    parts = []
    for rows in (risks, hazards):
        nearer = find_e_value_limit(rows["ci_low"], rows["ci_high"])
        parts.append(_to_rows(rows, E_VALUE, estimate=find_e_value(rows["estimate"])))
        parts.append(_to_rows(rows, E_VALUE_LIMIT, estimate=nearer))
    return combine(parts)


def _is_common(plan: StudyPlan, estimates: pd.DataFrame) -> bool:
    """Whether more than `common_outcome` report again by the last report day."""
    curve = choose(estimates, **_whole(plan), estimator="aalen_johansen", measure="", status=OK)
    last = curve[curve["time_days"].eq(curve["time_days"].max())]
    return bool(last["estimate"].gt(plan.definitions.common_outcome).any())


def _to_rows(rows: pd.DataFrame, estimand: str, **numbers: npt.ArrayLike) -> pd.DataFrame:
    """The rows again under another estimand, with these numbers."""
    laid = rows[SAME].assign(estimand=estimand)
    for name, values in numbers.items():
        laid[name] = np.asarray(values, dtype=np.float64)
    return make_estimates(laid)


def _fit_day(
    plan: StudyPlan, estimates: pd.DataFrame, controls: pd.DataFrame, day: int
) -> SystematicError | None:
    """Systematic error on one day by all controls of the target trials; None: too few.

    A control with fewer effective events in an arm than `events_per_arm` is left out: its log ratio
    is far from normal, and its error goes with it (in simulated counties without bias, of those of
    5 to 10 effective events 3 of 10 were beyond 1.96 errors).
    """
    outcomes = choose(controls, estimator=TRIAL, status=OK, time_days=day)
    placebos = choose(
        estimates, **_whole(plan), estimator=TRIAL, measure=plan.negative_controls.measures,
        time_days=day,
    )  # fmt: skip
    found = pd.concat([outcomes, placebos])
    arms = choose(found, estimand=["risk_start", "risk_no_start"])
    arms = arms.assign(n=count_effective_events(arms["estimate"], arms["se"]))
    least = arms.groupby(["measure", "outcome"])["n"].min()
    keys = pd.MultiIndex.from_frame(found[["measure", "outcome"]])
    is_enough = least.reindex(keys).ge(plan.gates.events_per_arm).to_numpy(bool)
    found = found[is_enough & found["estimand"].eq("risk_ratio") & found["se"].gt(0)]
    if len(found) < plan.negative_controls.least_for_calibration:
        return None
    return fit_systematic_error(np.log(found["estimate"]), found["se"])


def _calibrate_day(
    plan: StudyPlan, estimates: pd.DataFrame, day: int, systematic: SystematicError
) -> pd.DataFrame:
    rows = _choose(estimates, plan, TRIAL, "risk_ratio")
    rows = rows[
        rows["time_days"].eq(day)
        & ~rows["measure"].isin(plan.negative_controls.measures)
        & rows["se"].gt(0)
    ].assign(analysis=CALIBRATED)
    made = calibrate(np.log(rows["estimate"]), rows["se"], systematic)
    limits = {name: np.exp(made[name].to_numpy()) for name in ("estimate", "ci_low", "ci_high")}
    ratios = _to_rows(rows, "risk_ratio", **limits, se=made["se"])
    return combine([ratios, _to_rows(rows, P_VALUE, estimate=made["p_value"])])


def _note(day: int, found: SystematicError) -> list[dict[str, object]]:
    checks = {
        "n_negative_controls": found.n_controls,
        "systematic_error_mean": found.mean,
        "systematic_error_mean_error": found.mean_se,
        "systematic_error_sd": found.sd,
    }
    return tell_checks({pack_check(name, day): value for name, value in checks.items()}, CALIBRATED)
