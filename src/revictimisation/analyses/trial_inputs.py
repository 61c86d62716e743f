"""A measure's target trial from a study's tables: what several analyses of it are given alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.target_trial.changes import Changes, count_changes, spell_changes
from revictimisation.estimators.target_trial.same_day import (
    compare_start_days,
    mark_start_day,
)
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial
from revictimisation.plan import StudyPlan


def build_trial(
    data: StudyData,
    measure: str,
    stop_day: npt.ArrayLike,
    cause: npt.ArrayLike,
    more_changes: Mapping[str, Changes] | None = None,
    cut_days: Sequence[int] | None = None,
    n_copies: int = 1,
) -> Trial:
    """Lay out the target trial of a measure with the study's grace time and covariates.

    Args:
        stop_day, cause: by entry of the whole cohort, as in `prepare_trial`. Entries in whom the
            measure ran before day 0 are left out here.
        more_changes: covariates that change, beside other measures in force, by place among the
            entries that are left (`eligible_ids`).
        cut_days: as in `prepare_trial`, for models of another trial.
        n_copies: how many times each entry stands in the data (`linkage_error`).

    Raises:
        NotEstimableError: nobody, nobody started, or everybody did.
    """
    starts = data.starts_of(measure)
    is_in = ~starts["is_running_before"].to_numpy()
    start_day = starts["first_start_day"].to_numpy()[is_in]
    stop = np.asarray(stop_day)[is_in]
    last = np.fmin(start_day, stop - 1)
    changes = list_changes(data, measure, eligible_ids(data, measure), last, n_copies)
    same_day, marks, share = _list_same_day(data, measure, stop, is_in, n_copies)
    trial = prepare_trial(
        stop,
        np.asarray(cause)[is_in],
        start_day,
        data.design(chosen=is_in, marks=marks),
        grace_days=data.plan.measures[measure].grace_days,
        cluster=data.entries["cluster_id"].to_numpy()[is_in],
        changes={**changes, **same_day, **(more_changes or {})},
        cut_days=cut_days,
        flexibility=data.plan.models.flexibility,
    )
    return replace(trial, same_day_share=share)


def build_later_trials(
    data: StudyData, measure: str, last_start: int, cut_days: Sequence[int]
) -> Trial:
    """Lay out a measure's days at risk of a first start up to `last_start`: `build_trial` so long.

    For sequential trials, each of which begins on one of these days. `cut_days`: first days of the
    blocks that share an intercept.

    Raises:
        NotEstimableError: nobody, nobody started, or everybody did.
    """
    starts = data.starts_of(measure)
    is_in = ~starts["is_running_before"].to_numpy()
    start_day = starts["first_start_day"].to_numpy()[is_in]
    entries = data.entries[is_in]
    stop = entries["stop_day"].to_numpy()
    last = np.fmin(start_day, stop - 1)
    changes = list_changes(data, measure, eligible_ids(data, measure), last, until_day=last_start)
    same_day, _, share = _list_same_day(data, measure, stop, is_in, 1, last_start)
    trial = prepare_trial(
        stop,
        entries["cause"].to_numpy(),
        start_day,
        data.design(chosen=is_in),
        grace_days=last_start,
        cluster=entries["cluster_id"].to_numpy(),
        changes={**changes, **same_day},
        cut_days=cut_days,
        flexibility=data.plan.models.flexibility,
    )
    return replace(trial, same_day_share=share)


def _list_same_day(
    data: StudyData,
    measure: str,
    stop: npt.NDArray[np.generic],
    is_in: Flags,
    n_copies: int,
    until_day: int | None = None,
) -> tuple[dict[str, Changes], dict[str, Flags], float]:
    """What starts on the measure's own start days, by place among the eligible entries.

    Changes `<other>_same_day` and marks `<other>_on_day_0` of measures that share more start days
    than the gate `same_day_starts` lets pass; and the largest share that is not told apart so.
    Joint measures are left out, as in `list_other_measures`.
    """
    changes: dict[str, Changes] = {}
    marks: dict[str, Flags] = {}
    untold = 0.0
    plan = data.plan
    least = plan.models.people_per_same_day * n_copies
    own = data.starts_of(measure)["first_start_day"].to_numpy()[is_in]
    last = plan.measures[measure].grace_days if until_day is None else until_day
    for other in plan.measure_names:
        if other == measure or plan.is_joint(other) or plan.is_joint(measure):
            continue
        day = data.starts_of(other)["first_start_day"].to_numpy()[is_in]
        found = compare_start_days(stop, own, day, last)
        if found.share <= plan.gates.same_day_starts:
            continue
        if not (plan.adjust_for and found.can_be_told_apart(least)):
            untold = max(untold, found.share)
            continue
        changes[f"{other}_same_day"] = mark_start_day(day)
        if found.can_be_told_apart_on_day_0(least):
            marks[f"{other}_on_day_0"] = day == 0
    return changes, marks, untold


def eligible_ids(data: StudyData, measure: str) -> Whole:
    """`entry_id` of those in whom the measure did not run before day 0, in order."""
    is_in = ~data.starts_of(measure)["is_running_before"].to_numpy()
    return data.entries["entry_id"].to_numpy(np.int64)[is_in]


def list_modifiers(trial: Trial, plan: StudyPlan) -> list[str]:
    """The columns of the study's subgroups: between them the model of outcomes lets effects differ.

    Of those adjusted for; a subgroup that is not has no column.
    """
    return [name for name in trial.names if name.split("=")[0] in plan.subgroups]


def list_changes(
    data: StudyData,
    measure: str,
    entry_id: Whole,
    last_day: Floats,
    n_copies: int = 1,
    until_day: int | None = None,
) -> dict[str, Changes]:
    """What changes within the grace time and may lead to a start; none if nothing is adjusted for.

    `until_day`: the last day on which it may, in place of that of the grace time.

    Other measures in force (`list_other_measures`), `reported_other`: the first report against
    somebody else (from its own day on: it comes before a start that day), and, where `risk_level`
    is adjusted for, `renewed_<level>`: the latest assessment after the one that counts at baseline
    (from the next day on). `last_day`: the last on which each entry can start. A change that fewer
    than `models.people_per_change` see by then, each of whom stands there `n_copies` times, is left
    out.
    """
    if not data.plan.adjust_for:
        return {}
    grace = data.plan.measures[measure].grace_days if until_day is None else until_day
    least = data.plan.models.people_per_change * n_copies
    found = {"reported_other": _mark_reported(data, entry_id), **_list_renewals(data, entry_id)}
    often = {
        name: one
        for name, one in found.items()
        if _count_in_time(one, np.minimum(last_day, grace)) >= least
    }
    return {**list_other_measures(data, measure, entry_id), **often}


def _count_in_time(change: Changes, last_day: Floats) -> int:
    """How many entries come to a value other than 0 while they can still start."""
    is_seen = (change.day <= last_day[change.entry]) & (change.value != 0)
    return len(np.unique(change.entry[is_seen]))


def _mark_reported(data: StudyData, entry_id: Whole) -> Changes:
    day = data.entries.set_index("entry_id")["other_day"].reindex(entry_id).to_numpy(float)
    who = np.flatnonzero(~np.isnan(day))
    return Changes(who, day[who].astype(np.int64), np.ones(len(who)))


def _list_renewals(data: StudyData, entry_id: Whole) -> dict[str, Changes]:
    if "risk_level" not in data.plan.adjust_for:
        return {}
    at, rows = _place_rows(data.renewals, entry_id)
    day, level = rows["day"].to_numpy(np.int64) + 1, rows["risk_level"].to_numpy()
    return {
        f"renewed_{one}": Changes(at, day, (level == one).astype(np.float64))
        for one in sorted(set(level))
    }


def list_other_measures(data: StudyData, measure: str, entry_id: Whole) -> dict[str, Changes]:
    """What else is in force on each day of the grace time: it may lead to a start.

    Joint measures are left out: they are made of the others' starts, this measure's among them.
    """
    if data.plan.is_joint(measure):
        return {}
    at, spells = _place_rows(data.spells, entry_id)
    days = spells[["start_day", "stop_day"]].to_numpy(dtype=np.int64)
    codes, found = pd.factorize(spells["measure"])
    changes = {}
    for other in data.plan.measure_names:
        if other in found and other != measure and not data.plan.is_joint(other):
            mine = codes == found.get_loc(other)
            changes[other] = spell_changes(at[mine], *days[mine].T)
    return changes


def count_outcomes(data: StudyData, entry_id: Whole) -> Changes:
    """How many outcomes an entry has had, to `earlier_reports_cap`.

    From the outcome's own day on: it comes before a start that day.
    """
    at, days = list_outcomes(data, entry_id)
    return count_changes(at, days - 1, data.plan.definitions.earlier_reports_cap)


def list_outcomes(data: StudyData, entry_id: Whole) -> tuple[Whole, Whole]:
    """All outcomes of these entries, past the first: the place of the entry among them, the day."""
    events = data.episodes[data.episodes["is_event"].to_numpy(bool)]
    at, rows = _place_rows(events, entry_id)
    return at, rows["stop_day"].to_numpy(np.int64)


def _place_rows(rows: pd.DataFrame, entry_id: Whole) -> tuple[Whole, pd.DataFrame]:
    """The rows of these entries, and the place of each one's entry among them."""
    place = pd.Series(np.arange(len(entry_id)), index=entry_id)
    at = place.reindex(rows["entry_id"]).to_numpy(dtype=float)
    is_in = ~np.isnan(at)
    return at[is_in].astype(np.int64), rows[is_in]
