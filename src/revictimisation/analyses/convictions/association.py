"""Question 4, association: how each measure goes together with conviction.

Among the cases undecided at the landmark (`landmark`): the share convicted by each of the study's
days, standardised over the covariates of all who are compared, with and without the measure; risk
difference and odds ratio (`estimators.standardised_odds`). Analyses:

- `unadjusted` (estimator `crude`): what misleads, shown beside.
- `main`: adjusted for all but the victim's participation.
- `with_participation`: adjusted for that as well. A measure that makes victims take part would
  work through it, so this is not a better answer but another question: with equal participation.
- `mediation` (subgroup `path`, levels `through_participation`, `other_ways`): the difference split
  in two, among those of whom participation is known; only as good as its assumptions, which stand
  in `estimators.standardised_odds`.

An association: who is offered what, what the police knew, what the victim wanted are known in part.
The estimator is `standardised_logistic`, or `firth_logistic` where convictions are few (limits in
the study's `convictions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import frame_checks, tell_checks
from revictimisation.analyses.convictions.case_states import Paths
from revictimisation.analyses.convictions.landmark import (
    THIS,
    Landmark,
    build_landmark,
    design_landmark,
    mark_participation,
)
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import (
    BEYOND_FOLLOW_UP,
    NOT_CONVERGED,
    NOT_ESTIMABLE,
    OK,
    WITHHELD,
    combine,
    make_estimates,
    mark_endless,
)
from revictimisation.estimators.censoring_weights import CensoringWeights, weigh_known
from revictimisation.estimators.design import Design
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.hazard_rows import Exposure
from revictimisation.estimators.inference import Estimate, Interval, find_difference
from revictimisation.estimators.intervals import DETECTABLE_ERRORS, NO_ERROR
from revictimisation.estimators.level_contrasts import adjust_holm, find_p_values
from revictimisation.estimators.logistic import Columns, build_columns
from revictimisation.estimators.standardised_odds import (
    Model,
    fit_model,
    split_ways,
    standardise,
    sum_by_cluster,
)

Row = dict[str, object]
ANALYSES = ("unadjusted", "main", "with_participation")
SAME = {"question": "q4", "outcome": "convicted"}
DETECTABLE = "minimum_detectable_difference"


@dataclass(frozen=True, eq=False)
class _Models:
    """A measure's models: columns by analysis, and where the measure stands in each.

    `takes_part`, where it `is_known`: the victim's participation, and the model of it (None: there
    is none, as all or none take part).
    """

    landmark: Landmark
    columns: dict[str, Columns]
    place: dict[str, int]
    takes_part: np.ndarray
    is_known: np.ndarray
    mediator: Model | None


def estimate_association(data: StudyData, paths: Paths) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate the association of each measure with conviction; also the diagnostics."""
    rows: list[Row] = []
    notes: list[Row] = []
    for measure in data.plan.measure_names:
        estimates, checks = _estimate_measure(data, paths, measure)
        rows += [{**estimate, "measure": measure} for estimate in estimates]
        notes += [{**check, "measure": measure} for check in checks]
    estimated = mark_endless(make_estimates(rows, **SAME))
    tested = combine([estimated, test_together(estimated)])
    return tested, frame_checks(notes)


def test_together(estimated: pd.DataFrame) -> pd.DataFrame:
    """Rows `p_value` of each risk difference that is `ok`, and `p_value_holm` beside.

    The family of a day and analysis is all its measures: the same question asked of each.
    """
    is_asked = estimated["estimand"].eq("risk_difference") & estimated["analysis"].isin(ANALYSES)
    tested = estimated[is_asked & estimated["status"].eq(OK) & estimated["se"].gt(NO_ERROR)]
    found = find_p_values(Estimate.with_error(tested["estimate"], tested["se"]))
    raw = tested.assign(estimand="p_value", estimate=found)
    families = raw.groupby(["analysis", "time_days"])["estimate"]
    adjusted = raw.assign(estimand="p_value_holm", estimate=families.transform(adjust_holm))
    kept = combine([raw, adjusted]).drop(columns=["se", "ci_low", "ci_high"])
    return make_estimates(kept)


def describe_absence(data: StudyData) -> pd.DataFrame:
    """A row per measure: a table is absent."""
    rows = [{**one, "measure": name} for name in data.plan.measure_names
            for one in _explain("table_absent", [pd.NA])]  # fmt: skip
    return make_estimates(rows, **SAME)


def _estimate_measure(data: StudyData, paths: Paths, measure: str) -> tuple[list[Row], list[Row]]:
    days = data.plan.report_at_days
    try:
        landmark = build_landmark(data, paths, measure)
    except NotEstimableError as fault:
        return _explain(str(fault), days), []
    models = _build_models(data, design_landmark(data, landmark, measure), landmark)
    rows: list[Row] = []
    for day in days:
        reason = "beyond_horizon" if day > data.plan.horizon_days else ""
        reason = "before_landmark" if day <= landmark.day else reason
        rows += _explain(reason, [day]) if reason else _on_day(data, models, day)
    return rows, _diagnose(models)


def _explain(reason: str, days: Sequence[object], **keys: str) -> list[Row]:
    same = {"estimator": "standardised_logistic", "estimand": "risk_difference",
            "status": NOT_ESTIMABLE, "reason": reason, **keys}  # fmt: skip
    return [{**same, "time_days": day} for day in days]


def _build_models(data: StudyData, designs: Mapping[str, Design], landmark: Landmark) -> _Models:
    columns, place = {}, {}
    for name, design in designs.items():
        columns[name] = build_columns(design.to_dense())
        place[name] = design.names.index(THIS) + 1  # after the intercept
    takes_part, is_known = mark_participation(data, landmark)
    try:
        mediator = _fit(columns["main"], takes_part, None, is_few=False, counted=is_known)
    except NotEstimableError:
        mediator = None
    return _Models(landmark, columns, place, takes_part, is_known, mediator)


def _on_day(data: StudyData, models: _Models, day: int) -> list[Row]:
    """All analyses of one measure by one day."""
    mark = models.landmark
    try:
        weights = weigh_known(mark.stop, mark.cause, day)
    except NotEstimableError as fault:
        return _explain(str(fault), [day])
    is_convicted = (mark.cause == 1) & (mark.stop <= day)
    if is_convicted.sum() < data.plan.convictions.least_events:
        return _explain("few_convictions", [day])
    if not _is_followed(mark, day):
        return _explain(BEYOND_FOLLOW_UP, [day])
    is_few = _is_few(data, mark, is_convicted, weights.weight > 0)
    rows: list[Row] = []
    start = np.zeros(0)
    for name in ANALYSES:
        # the columns of one analysis are the first of the next
        model = _fit(models.columns[name], is_convicted, weights, is_few=is_few, start=start)
        start = model.fit.coef if name == "main" else start
        estimator = "firth_logistic" if model.fit.is_firth else "standardised_logistic"
        keys = {"analysis": name, "estimator": "crude" if name == "unadjusted" else estimator}
        found = _to_rows(data, mark, standardise(model, models.place[name]), is_convicted)
        failed = _find_failed_gate(data, mark, is_convicted, (model,))
        rows += [{**row, **keys} for row in _withhold_all(found, failed)]
    rows += _mediate(data, models, _Outcome(is_convicted, weights, is_few, start))
    return [{**one, "time_days": day} for one in rows]


def _is_followed(mark: Landmark, day: int) -> bool:
    """Whether in both groups a case is followed to the day, or none was still open after the last.

    As for curves: those censored earlier are spoken for by those followed until all had ended.
    """
    for chosen in (mark.is_started, ~mark.is_started):
        stop = mark.stop[chosen]
        has_last_ended = (mark.cause[chosen][stop == stop.max()] > 0).all()
        if stop.max() < day and not has_last_ended:
            return False
    return True


def _find_failed_gate(
    data: StudyData, mark: Landmark, is_convicted: np.ndarray, models: Sequence[Model]
) -> str:
    """The first gate that fails: whether all fits settled, exposed victims, convictions."""
    if not all(model.fit.is_converged for model in models):
        return NOT_CONVERGED
    counts = [int(is_convicted[mark.is_started == arm].sum()) for arm in (True, False)]
    n_victims = len(np.unique(mark.cluster[mark.is_started]))
    return Exposure(int(mark.is_started.sum()), n_victims, *counts).find_shortfall(data.plan.gates)


def _withhold_all(rows: list[Row], reason: str) -> list[Row]:
    """The rows, all withheld where there is a reason; what is withheld already gets this reason."""
    return [{**row, "status": WITHHELD, "reason": reason} for row in rows] if reason else rows


def _is_few(
    data: StudyData, mark: Landmark, is_convicted: np.ndarray, is_known: np.ndarray
) -> bool:
    """Whether convictions, or cases known to be without one, are few in either group.

    Where all of a group are convicted the likelihood rises for ever as where nobody is.
    """
    counts = [
        int((is_it & is_known)[mark.is_started == arm].sum())
        for is_it in (is_convicted, ~is_convicted)
        for arm in (True, False)
    ]
    return min(counts) < data.plan.convictions.firth_below_events


def _fit(
    columns: Columns, is_event: np.ndarray, weights: CensoringWeights | None, *, is_few: bool,
    counted: np.ndarray | None = None, start: np.ndarray | None = None,
) -> Model:  # fmt: skip
    """By maximum likelihood if it has an answer and convictions are not few, else by Firth.

    `start`: coefficients of a model of the first of these columns.
    """
    begin = None
    if start is not None and len(start) and not is_few:
        begin = np.append(start, np.zeros(columns.n - len(start)))
    model = fit_model(columns, is_event, weights, is_firth=is_few, counted=counted, start=begin)
    if model.fit.is_converged or is_few:
        return model
    return fit_model(columns, is_event, weights, is_firth=True, counted=counted)


def _to_rows(
    data: StudyData, mark: Landmark, standardised: Estimate, is_convicted: np.ndarray
) -> list[Row]:
    """Rows of risks, their difference and odds ratio, withheld where a gate fails."""
    risks = sum_by_cluster(standardised, mark.cluster)[:, None]
    limits, logs = risks.interval("logit"), risks.logit()
    gap = find_difference(risks, limits)
    arms = [_count(is_convicted, chosen) for chosen in (mark.is_started, ~mark.is_started)]
    both = _count(is_convicted, np.ones(len(is_convicted), np.bool_))
    rows: list[Row] = [
        {"estimand": "risk_start", **limits.row((0, 0)), **arms[0]},
        {"estimand": "risk_no_start", **limits.row((1, 0)), **arms[1]},
        {"estimand": "risk_difference", **gap.row(), **both},
        {"estimand": "odds_ratio", **(logs[0] - logs[1]).interval().exp().row(), **both},
    ]
    return _withhold_undetectable(data, rows, gap)


def _count(is_convicted: np.ndarray, chosen: np.ndarray) -> dict[str, int]:
    return {"n_people": int(chosen.sum()), "n_events": int(is_convicted[chosen].sum())}


def _withhold_undetectable(data: StudyData, rows: list[Row], gap: Interval) -> list[Row]:
    """The rows, withheld where the smallest difference that could be seen is too large."""
    is_too_large = DETECTABLE_ERRORS * gap.se[0] > data.plan.gates.minimum_detectable_difference
    return _withhold_all(rows, DETECTABLE if is_too_large else "")


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What is modelled by one day; `start` are the coefficients of `main`."""

    is_convicted: np.ndarray
    weights: CensoringWeights
    is_few: bool
    start: np.ndarray


def _mediate(data: StudyData, models: _Models, known: _Outcome) -> list[Row]:
    """The difference through participation and in other ways, where participation is known."""
    keys = {"analysis": "mediation", "subgroup": "path"}
    mark, is_known, is_convicted = models.landmark, models.is_known, known.is_convicted
    has_both = 0 < is_convicted[is_known].sum() < is_known.sum()
    if models.mediator is None or not has_both:
        return _explain("participation_alike", [pd.NA], level="through_participation", **keys)
    columns, place = _add_mediator(models, models.takes_part & is_known)
    outcome = _fit(
        columns, is_convicted, known.weights, is_few=known.is_few, counted=is_known,
        start=known.start,
    )  # fmt: skip
    ways = split_ways(outcome, models.mediator, place, columns.n - 1)
    keys["estimator"] = "firth_logistic" if outcome.fit.is_firth else "standardised_logistic"
    rows = []
    for level, way in (("through_participation", "through"), ("other_ways", "other")):
        pair = sum_by_cluster(ways[way], mark.cluster)[:, None]
        gap = (pair[0] - pair[1]).interval()
        # of those who started, the fewer: small groups must show as such
        counts = _count(is_convicted, is_known & mark.is_started)
        row: Row = {"estimand": "risk_difference", "level": level, **keys, **gap.row(), **counts}
        rows += _withhold_undetectable(data, [row], gap)
    failed = _find_failed_gate(data, mark, is_convicted & is_known, (outcome, models.mediator))
    return _withhold_all(rows, failed)


def _add_mediator(models: _Models, takes_part: np.ndarray) -> tuple[Columns, int]:
    """The columns of `main` with participation as the last."""
    main = models.columns["main"]
    where = np.flatnonzero(takes_part)
    ends = main.indptr[where + 1]
    counts = np.diff(main.indptr) + takes_part
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    indices = np.insert(main.indices, ends, main.n)
    values = np.insert(main.values, ends, 1.0)
    return Columns(indptr, indices, values, main.n + 1), models.place["main"]


def _diagnose(models: _Models) -> list[Row]:
    """How many are compared, and how many had been decided before."""
    mark = models.landmark
    n = len(mark.is_started)
    checks = {
        "n_undecided_at_landmark": n,
        "n_started_by_landmark": int(mark.is_started.sum()),
        "n_convicted": int((mark.cause == 1).sum()),
        "n_open_at_data_end": int((mark.cause == 0).sum()),
        "n_coefficients": models.columns["main"].n,
        "share_decided_before_landmark": mark.n_decided / (mark.n_decided + n),
    }
    return tell_checks(checks, "conviction_main")
