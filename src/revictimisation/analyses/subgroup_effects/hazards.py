"""Hazard ratios while in force within each level, on the multiplicative scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import SETTLED, frame_checks, tell_checks
from revictimisation.analyses.subgroup_effects.groupings import Grouping
from revictimisation.analyses.subgroup_effects.rows import LevelEffects, Row, build_contrasts
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Whole
from revictimisation.core.packing import pack_check
from revictimisation.core.results import NOT_ESTIMABLE, combine, make_estimates
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.design import Design, add_measures
from revictimisation.estimators.hazard_rows import (
    Exposure,
    describe_hazard,
    describe_no_answer,
)
from revictimisation.estimators.inference import Estimate
from revictimisation.plan import StudyPlan

ESTIMATOR = "cox_time_varying"
DIAGNOSED = "subgroup_hazards"


class Cells(NamedTuple):
    """By level: entries and victims ever exposed to a measure, events while exposed, and not."""

    n_people: Whole
    n_victims: Whole
    n_events: Whole
    n_other: Whole

    @property
    def least(self) -> Whole:
        """The fewer of both kinds of events."""
        return np.minimum(self.n_events, self.n_other)

    def at(self, place: int) -> Exposure:
        """What one level's hazard ratio rests on."""
        return Exposure(*(int(column[place]) for column in self))


def estimate_level_hazards(
    data: StudyData, groupings: Sequence[Grouping]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hazard ratios of all measures by level, one model a grouping, and their contrasts.

    The model is that of the main analysis with a coefficient of every measure in every level and
    the groupings' main effects, errors clustered by victim. `n_people` are entries of the level
    ever exposed, `n_events` events while exposed.
    """
    episodes = data.first_episodes
    keys = {"question": "q3", "estimator": ESTIMATOR, "outcome": data.plan.outcome.who}
    people = data.design()
    parts, notes = [make_estimates([])], []
    for grouping in groupings:
        rows, note = _fit_grouping(data, episodes, people, grouping)
        parts.append(make_estimates(rows, **keys))
        notes += note
    return combine(parts), frame_checks(notes)


def _fit_grouping(
    data: StudyData, episodes: pd.DataFrame, people: Design, grouping: Grouping
) -> tuple[list[Row], list[Row]]:
    measures, entry = data.plan.measure_names, episodes["entry_id"].to_numpy()
    is_event = episodes["is_event"].to_numpy().astype(bool)
    level = grouping.codes[entry]
    victim = data.entries["cluster_id"].to_numpy()[entry]
    counts = {name: _count_cells(episodes, name, victim, level, len(grouping.levels))
              for name in measures}  # fmt: skip
    if not is_event.any():
        return _describe_no_events(measures, grouping, counts), []
    least = data.plan.for_whom.least_events
    columns, is_left_out = _build_columns(episodes, grouping, level, counts, least)
    fit = fit_cox(
        add_measures(people, entry, columns),
        episodes["start_day"].to_numpy(),
        episodes["stop_day"].to_numpy(),
        is_event,
        weights=np.where(is_left_out, 0.0, 1.0),
        cluster=victim,
        corrected=list(columns) if data.plan.inference.small_sample else (),
    )
    rows = [
        row
        for name in measures
        for row in _build_measure(fit, name, grouping, counts[name], data.plan)
    ]
    return rows, tell_checks({pack_check(SETTLED, grouping.name): fit.is_converged}, DIAGNOSED)


def _build_columns(
    episodes: pd.DataFrame,
    grouping: Grouping,
    level: Whole,
    counts: Mapping[str, Cells],
    least_events: int,
) -> tuple[dict[str, Flags], Flags]:
    """A column for each measure and level with enough events; the other levels share one.

    Where no event falls on what they share its coefficient would run to minus infinity, and these
    episodes would count for nothing: they are marked to be left out.
    """
    columns = {}
    is_left_out = np.zeros(len(episodes), dtype=np.bool_)
    is_event = episodes["is_event"].to_numpy().astype(bool)
    for measure, count in counts.items():
        is_exposed = episodes[measure].to_numpy() == 1
        is_many = count.least >= least_events
        for place in np.flatnonzero(is_many):
            name = _name_column(measure, grouping.levels[place])
            columns[name] = is_exposed & (level == place)
        rest = is_exposed & ~is_many[level]
        if (rest & is_event).any():
            columns[_name_column(measure, "")] = rest
        else:
            is_left_out |= rest
    return columns, is_left_out


def _name_column(measure: str, level: str) -> str:
    return f"{measure}|{level}"


def _count_cells(
    episodes: pd.DataFrame,
    measure: str,
    victim: Whole,
    level: Whole,
    n_levels: int,
) -> Cells:
    is_exposed = episodes[measure].to_numpy() == 1
    is_event = episodes["is_event"].to_numpy().astype(bool)
    entry = episodes["entry_id"].to_numpy()
    ever, victims = (
        np.bincount(
            pd.DataFrame({"level": level[is_exposed], "of": of[is_exposed]}).drop_duplicates()[
                "level"
            ],
            minlength=n_levels,
        )
        for of in (entry, victim)
    )
    exposed, other = (
        np.bincount(level[is_event & chosen], minlength=n_levels)
        for chosen in (is_exposed, ~is_exposed)
    )
    return Cells(ever, victims, exposed, other)


def _describe_no_events(
    measures: Sequence[str], grouping: Grouping, counts: Mapping[str, Cells]
) -> list[Row]:
    return [
        {"measure": name, "subgroup": grouping.name, "level": level,
         **describe_no_answer("no_events", counts[name].at(place).counts)}
        for name in measures
        for place, level in enumerate(grouping.levels)
    ]  # fmt: skip


def _build_measure(
    fit: CoxFit, measure: str, grouping: Grouping, counts: Cells, plan: StudyPlan
) -> list[Row]:
    rows: list[Row] = []
    status, reasons = [], []
    for place, level in enumerate(grouping.levels):
        column = _name_column(measure, level)
        own, is_modelled = counts.at(place), counts.least[place] >= plan.for_whom.least_events
        if is_modelled or not own.n_events:
            found = describe_hazard(fit, column, own, plan.gates)
        else:
            found = [describe_no_answer("too_few_events", own.counts)]
        keys = {"measure": measure, "subgroup": grouping.name, "level": level}
        rows += [{**keys, **row} for row in found]
        status.append(found[0]["status"])
        reasons.append(found[0]["reason"])
    effects = _read_effects(fit, measure, grouping, counts, status, reasons)
    scales = ("log_hazard_ratio", "hazard_ratio")
    return [*rows, *build_contrasts(grouping, effects, {"measure": measure}, *scales)]


def _read_effects(
    fit: CoxFit,
    measure: str,
    grouping: Grouping,
    counts: Cells,
    status: list[str],
    reasons: list[str],
) -> LevelEffects:
    """The measure's coefficients by level and their robust covariance; nan where there is none."""
    names = [_name_column(measure, level) for level in grouping.levels]
    known = np.flatnonzero([one != NOT_ESTIMABLE for one in status])
    at = np.array([fit.names.index(names[place]) for place in known], np.int64)
    assert fit.vcov_robust is not None
    found = Estimate.with_covariance(fit.coef[at], fit.vcov_robust[np.ix_(at, at)])
    value, influence = np.full(len(names), np.nan), np.zeros((len(known), len(names)))
    value[known], influence[:, known] = found.value, found.influence
    return LevelEffects(
        Estimate(value, influence), np.full(len(names), np.inf), counts.n_people,
        counts.n_events, status, reasons,
    )  # fmt: skip
