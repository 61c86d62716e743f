"""The study's goal: does repeat victimisation fall, by quarter and year of the index report.

A row tells the share with a new report by a day (`course.at_days`) of those whose index report was
made in one quarter or year: as it is (analysis `unadjusted`: Aalen-Johansen, death and emigration
competing), and with the case mix that all who are followed have (`main`: a logistic model of the
outcome by the day with a term a period and `adjust_for` less the year, standardised over all of
them; `estimators.standardised_odds`). A period is told once everybody of it is followed to the day,
so no outcome is censored; until then it is `follow_up_too_short`, which is no fall.

Change (`yearly_change`, points of share a year, and its `p_value`): the slope of the least-squares
line through the shares of the quarters, each weighing as many as its people; of `main` through
those that a model with time as a number foretells for the case mix of all. With groups (`course
.groups`): by year and the same test within each level, standardised to the level's own case mix.
Errors sum influence by victim.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, frame_checks, tell_checks
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.codes import CAUSES
from revictimisation.core.packing import QUARTER, YEAR, pack_check, pack_quarter, pack_within
from revictimisation.core.results import (
    FEW_EVENTS,
    NOT_CONVERGED,
    NOT_ESTIMABLE,
    OK,
    WITHHELD,
    combine,
    make_estimates,
    mark_endless,
    not_estimable,
)
from revictimisation.estimators.curves import aalen_johansen
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.level_contrasts import find_p_values
from revictimisation.estimators.logistic import read_design
from revictimisation.estimators.standardised_odds import (
    Model,
    fit_model,
    standardise_at,
    sum_by_cluster,
)

FEW_PEOPLE, TOO_SHORT, FEW_QUARTERS = "few_people", "follow_up_too_short", "few_quarters"
TIME = "index_time"
CRUDE = {"analysis": "unadjusted", "estimator": "aalen_johansen"}
ADJUSTED = {"analysis": "main", "estimator": "standardised_logistic"}
FIRTH = {"analysis": "main", "estimator": "firth_logistic"}
Keys = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Group:
    """Those of one level of a grouping, or everybody; arrays have a place for each of them.

    Attributes:
        rows: their places among the entries.
        quarter: of the index report, counted from the first of the year 0; -1 without a date.
        subgroup, level: empty for everybody.
    """

    data: StudyData
    rows: Whole
    quarter: Whole
    subgroup: str = ""
    level: str = ""

    @property
    def year(self) -> Whole:
        """The year of each index report."""
        return self.quarter // 4

    @cached_property
    def entries(self) -> pd.DataFrame:
        """Theirs, in order."""
        return self.data.entries.iloc[self.rows]

    @cached_property
    def cluster(self) -> Whole:
        """The victim of each."""
        return self.entries["cluster_id"].to_numpy(np.int64)

    def mark_outcome(self, day: int) -> Flags:
        """Who has a new report by the day."""
        is_outcome = self.entries["cause"].eq(1) & self.entries["stop_day"].le(day)
        return is_outcome.to_numpy(bool)

    def mark_followed(self, day: int, period: Whole) -> Flags:
        """Who is of a period of which all can be followed to the day."""
        end = self.entries["data_end_day"].to_numpy(np.int64)
        is_short = np.isin(period, period[end < day])
        return ~is_short & (self.quarter >= 0)


def estimate_course(data: StudyData) -> Found:
    """Estimate the course over time, for all and within each group; also what stands behind."""
    same = {"question": "course", "outcome": data.plan.outcome.who}
    asked = {**same, **ADJUSTED, "estimand": "share"}
    if data.entries.empty:
        return Found(not_estimable("empty_cohort", **asked), frame_checks([]))
    days = [day for day in data.plan.course.at_days if day <= data.plan.horizon_days]
    parts = [
        not_estimable("beyond_horizon", time_days=day, **asked)
        for day in data.plan.course.at_days
        if day not in days
    ]
    everybody = choose_everybody(data)
    notes: list[dict[str, object]] = []
    for day in days:
        parts += [estimate_periods(everybody, day, name, same) for name in (QUARTER, YEAR)]
        trend, checks = estimate_change(everybody, day, same)
        parts.append(trend)
        notes += tell_checks(checks, "course_change")
    for name in data.plan.course.groups:
        levels = data.subgroup(name)
        if levels is None:
            parts.append(not_estimable("table_absent", **asked, subgroup=name))
            continue
        for level in sorted(levels.unique()):
            rows = np.flatnonzero(levels.eq(level)).astype(np.int64)
            group = Group(data, rows, everybody.quarter[rows], name, level)
            for day in days:
                parts.append(estimate_periods(group, day, YEAR, same))
                parts.append(estimate_change(group, day, same)[0])
    return Found(combine(parts), frame_checks(notes))


def choose_everybody(data: StudyData) -> Group:
    """All who are followed."""
    index_on = pd.to_datetime(data.entries["index_on"])
    quarter = index_on.dt.year * 4 + index_on.dt.quarter - 1
    rows = np.arange(len(index_on), dtype=np.int64)
    return Group(data, rows, np.asarray(quarter.fillna(-1), np.int64))


def _list_periods(data: StudyData, name: str) -> Iterator[tuple[int, str]]:
    """Every period of the accrual time: its number, and what it is called."""
    accrual = data.plan.accrual
    for year in range(accrual.from_on.year, accrual.to_on.year + 1):
        if name == YEAR:
            yield year, str(year)
            continue
        for place in range(4):
            is_after = (year, place) >= (accrual.from_on.year, (accrual.from_on.month - 1) // 3)
            if is_after and (year, place) <= (accrual.to_on.year, (accrual.to_on.month - 1) // 3):
                yield year * 4 + place, pack_quarter(year, place + 1)


def estimate_periods(group: Group, day: int, name: str, same: Keys) -> pd.DataFrame:
    """The share of each period, as it is and standardised: two rows a period."""
    period = group.quarter if name == QUARTER else group.year
    is_followed = group.mark_followed(day, period)
    is_outcome = group.mark_outcome(day)
    gates = group.data.plan.gates
    shares, estimator, failed = _standardise(group, period, is_followed, is_outcome)
    within = [group.subgroup] if group.subgroup else []
    keys = {**same, "time_days": day, "estimand": "share", "subgroup": pack_within(*within, name)}
    rows: list[Keys] = []
    for number, called in _list_periods(group.data, name):
        chosen = period == number
        at = {**keys, "level": pack_within(*([group.level] if within else []), called)}
        n_events = int(is_outcome[chosen].sum())
        counts = {"n_people": int(chosen.sum()), "n_events": n_events}
        reason = "" if is_followed[chosen].all() else TOO_SHORT
        if len(np.unique(group.cluster[chosen])) < gates.exposed_victims:
            reason = reason or FEW_PEOPLE
        if reason:
            untold = {**at, "status": NOT_ESTIMABLE, "reason": reason}
            rows += [{**untold, **of} for of in (CRUDE, ADJUSTED)]
            continue
        rows.append({**at, **counts, **CRUDE, **_describe_crude(group, chosen, day)})
        if number not in shares:
            rows.append({**at, **ADJUSTED, "status": NOT_ESTIMABLE, "reason": failed})
            continue
        fewer = min(n_events, counts["n_people"] - n_events)
        held = failed or (FEW_EVENTS if fewer < gates.events_per_arm else "")
        limits = shares[number].interval("logit")
        status = {"status": WITHHELD if held else OK, "reason": held}
        rows.append({**at, **counts, **estimator, **limits.row(), **status})
    return mark_endless(make_estimates(rows))


def _describe_crude(group: Group, chosen: Flags, day: int) -> Keys:
    """The numbers of the share of some as it is."""
    entries = group.entries[chosen]
    curve = aalen_johansen(
        entries["stop_day"].to_numpy(), entries["cause"].to_numpy(), at_days=[day],
        cluster=group.cluster[chosen], n_causes=len(CAUSES), causes=[1],
    )  # fmt: skip
    (numbers,) = curve[["estimate", "ci_low", "ci_high", "se"]].to_dict("records")
    return {str(name): value for name, value in numbers.items()}


def _standardise(
    group: Group, period: Whole, is_followed: Flags, is_outcome: Flags
) -> tuple[dict[int, Estimate], dict[str, str], str]:
    """The standardised share of each followed period; the estimator; what gate fails for all."""
    told = np.unique(period[is_followed])
    terms = {str(number): (period == number).astype(np.float64) for number in told[1:]}
    counts = [
        ((period == number) & is_followed & (is_outcome == happened)).sum()
        for number in told
        for happened in (True, False)
    ]
    is_few = min(counts, default=0) < group.data.plan.course.firth_below_events
    try:
        model, place = _fit(group, terms, is_followed, is_outcome, is_few)
    except NotEstimableError as fault:
        return {}, ADJUSTED, str(fault)
    columns = {name: place[name] for name in terms if name in place}
    nought = dict.fromkeys(columns.values(), 0.0)
    settings = [
        {**nought, columns[str(number)]: 1.0} if str(number) in columns else nought
        for number in told
    ]
    shares = sum_by_cluster(standardise_at(model, settings), group.cluster)
    failed = "" if model.fit.is_converged else NOT_CONVERGED
    found = {int(number): shares[[k]] for k, number in enumerate(told)}
    return found, FIRTH if model.fit.is_firth else ADJUSTED, failed


def _fit(
    group: Group, terms: Mapping[str, Floats], is_followed: Flags, is_outcome: Flags, is_few: bool
) -> tuple[Model, dict[str, int]]:
    """A model of the outcome, with time's `terms` and the case mix; where each term's column is.

    By maximum likelihood if it has an answer and outcomes are not few, else by Firth. Who is not
    followed does not count in the fit, but in what is standardised over.

    Raises:
        NotEstimableError: nobody is followed, no events, or nothing but events.
    """
    if not is_followed.any():
        raise NotEstimableError(TOO_SHORT)
    chosen = np.isin(np.arange(len(group.data.entries)), group.rows)
    left_out = (YEAR, *([group.subgroup] if group.subgroup else []))
    design = group.data.design(np.arange(len(group.rows)), terms, chosen=chosen, without=left_out)
    columns = read_design(design)
    place = {name: design.names.index(name) + 1 for name in terms if name in design.names}
    model = fit_model(columns, is_outcome, None, is_firth=is_few, counted=is_followed)
    if not (model.fit.is_converged or is_few):
        model = fit_model(columns, is_outcome, None, is_firth=True, counted=is_followed)
    return model, place


def estimate_change(group: Group, day: int, same: Keys) -> tuple[pd.DataFrame, dict[str, float]]:
    """The change a year and whether it may be chance, as it is and standardised: four rows."""
    plan = group.data.plan
    is_followed = group.mark_followed(day, group.quarter)
    is_outcome = group.mark_outcome(day) & is_followed
    told, counts = np.unique(group.quarter[is_followed], return_counts=True)
    keys = {**same, "time_days": day, "subgroup": group.subgroup, "level": group.level}
    n_people, n_events = int(is_followed.sum()), int(is_outcome.sum())
    keys |= {"n_people": n_people, "n_events": n_events}
    reason = _explain_no_change(group, is_followed, len(told))
    if reason:
        rows = [not_estimable(reason, **{**keys, "n_people": pd.NA, "n_events": pd.NA},
                              estimand="yearly_change", **of)
                for of in (CRUDE, ADJUSTED)]  # fmt: skip
        return combine(rows), {}
    time = (told + 0.5) / 4
    slope = _find_slope(time, counts)
    few = min(n_events, n_people - n_events)
    held = FEW_EVENTS if few < plan.gates.events_per_arm else ""
    crude = _follow_line(group, told, slope, is_followed, is_outcome)
    parts = [_describe_slope(sum_by_cluster(crude, group.cluster), held, {**keys, **CRUDE})]
    is_few = few < plan.course.firth_below_events
    when = (group.quarter + 0.5) / 4 - time[0]
    try:
        model, place = _fit(group, {TIME: when}, is_followed, is_outcome, is_few)
    except NotEstimableError as fault:
        told_why = {**keys, "n_people": pd.NA, "n_events": pd.NA}
        parts.append(not_estimable(str(fault), estimand="yearly_change", **told_why, **ADJUSTED))
        return combine(parts), {}
    shares = standardise_at(model, [{place[TIME]: at} for at in time - time[0]])
    assert shares.influence is not None
    change = Estimate(np.array([shares.value @ slope]), (shares.influence @ slope)[:, None])
    estimator = FIRTH if model.fit.is_firth else ADJUSTED
    held = held or ("" if model.fit.is_converged else NOT_CONVERGED)
    by_victim = sum_by_cluster(change, group.cluster)
    parts.append(_describe_slope(by_victim, held, {**keys, **estimator}))
    checks = {
        pack_check("n_coefficients", day): float(model.columns.n),
        pack_check("is_converged", day): float(model.fit.is_converged),
    }
    return combine(parts), checks


def _explain_no_change(group: Group, is_followed: Flags, n_quarters: int) -> str:
    """Why nothing can be told of a change; empty where it can."""
    plan = group.data.plan
    if n_quarters < plan.course.least_quarters:
        is_short = not is_followed[group.quarter >= 0].all()
        return TOO_SHORT if is_short else FEW_QUARTERS
    n_victims = len(np.unique(group.cluster[is_followed]))
    return FEW_PEOPLE if n_victims < plan.gates.exposed_victims else ""


def _find_slope(time: Floats, weight: Whole) -> Floats:
    """What each share counts in the slope of the weighted least-squares line through them.

    >>> _find_slope(np.array([0.0, 1.0]), np.array([10, 30]))
    array([-1.,  1.])
    """
    apart = weight * (time - np.average(time, weights=weight))
    found: Floats = apart / (apart * time).sum()
    return found


def _follow_line(
    group: Group, told: Whole, slope: Floats, is_followed: Flags, is_outcome: Flags
) -> Estimate:
    """The slope through the shares as they are; influence by person."""
    place = np.searchsorted(told, group.quarter[is_followed])
    happened = is_outcome[is_followed]
    counts = np.bincount(place)
    share = np.bincount(place, happened) / counts
    influence = np.zeros((len(is_followed), 1))
    influence[is_followed, 0] = (slope / counts)[place] * (happened - share[place])
    return Estimate(np.array([share @ slope]), influence)


def _describe_slope(change: Estimate, held: str, keys: Keys) -> pd.DataFrame:
    """Rows of a change and of its test, withheld where a gate fails."""
    status = {"status": WITHHELD if held else OK, "reason": held}
    rows = [
        {"estimand": "yearly_change", **change.interval().row(), **status},
        {"estimand": "p_value", "estimate": float(find_p_values(change)[0]), **status},
    ]
    return make_estimates(mark_endless(pd.DataFrame(rows)), **keys)
