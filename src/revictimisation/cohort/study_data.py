"""What the estimators are given: the cohort as pandas tables, joined once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.codes import MISSING, OTHER
from revictimisation.core.places import pool_single_places
from revictimisation.estimators.design import Design, Measures, build_design
from revictimisation.plan import StudyPlan

# Groups of municipalities, of which one may be a municipality by another name.
POOLED = ("municipality_group", "police_district")


@dataclass(frozen=True)
class StudyData:
    """One study's analysis tables, all in the order of `entry_id` (0, 1, 2 ...).

    `entries`: a row per entry: entry_id, cluster_id (the victim), victim (the number of the same
    among all of the extract, whatever the study), stop_day, end_day, cause, end_cause (why
    follow-up ends on end_day: 0, 2 death, 3 emigration), own_day (the first new report against the
    same suspect; NaN: none by end_day), turned_day (the first outcome had breach-only reports been
    counted where the study drops them, or not where it counts them), other_day, control_day and
    outsider_day (the first report against somebody else, the first that is a negative control, and
    one for measures aimed at a family; NaN: none by end_day), index_on.
    `covariates`: a row per entry. `starts`: a row per entry x measure (first_start_day,
    is_running_before). `spells`: a row per spell of a measure (entry_id, measure, start_day,
    stop_day; in days from day 0, not clipped). `episodes`: `(start_day, stop_day]` to the end of
    follow-up, past the first outcome; is_event marks an outcome on stop_day; one 0/1 column a
    measure.
    `decisions`: a row per decision on a measure x entry (spells.attach_entries). `assessments`: a
    row per risk assessment of a victim of the cohort during follow-up: agency, risk_level,
    shared_days (days until it reached the other agency, NaN: it did not), open_days (days from
    the assessment to the end of the data).
    `renewals`: a row per entry x risk assessment after the one that counts at baseline and before
    the end of follow-up: entry_id, day, risk_level; of one day the highest level comes last.
    `cases`: a row per entry of what the index report's case is like, `case_steps` one per dated
    step of it (`court_cases`). `absent`: what the extract holds nothing of, so that nothing can be
    counted: optional tables (not given, or without a row) and columns (`table.column`, all empty).
    `volumes`: the extract's rows by table and quarter, `filled` its filled cells by table and
    column (`cohort.volumes`). `linkage`: how good the joining of two agencies' people was
    (`linking.describe_rates`), and `link_status` what became of them
    (`quality.count_link_status`); empty if the extract was not joined here. `police_levels`
    (entry_id, risk_level) and `police_renewals` are `covariates` and `renewals` without the social
    services' assessments; empty where no link is known to be missed.
    """

    plan: StudyPlan
    entries: pd.DataFrame
    covariates: pd.DataFrame
    starts: pd.DataFrame
    spells: pd.DataFrame
    episodes: pd.DataFrame
    decisions: pd.DataFrame
    assessments: pd.DataFrame
    renewals: pd.DataFrame
    absent: frozenset[str] = frozenset()
    cases: pd.DataFrame = field(default_factory=pd.DataFrame)
    case_steps: pd.DataFrame = field(default_factory=pd.DataFrame)
    linkage: Mapping[str, float] = field(default_factory=dict)
    link_status: pd.DataFrame = field(default_factory=pd.DataFrame)
    police_levels: pd.DataFrame = field(default_factory=pd.DataFrame)
    police_renewals: pd.DataFrame = field(default_factory=pd.DataFrame)
    volumes: pd.DataFrame = field(default_factory=pd.DataFrame)
    filled: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __getstate__(self) -> dict[str, Any]:
        """What another process is given: not what is kept for the moment, which grows meanwhile."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def _starts(self) -> dict[str, pd.DataFrame]:
        """What `starts_of` has given: some are asked for a hundred times a study."""
        return {}

    @property
    def first_episodes(self) -> pd.DataFrame:
        """The episodes up to the first outcome (which ends one) or the end of follow-up."""
        last = self.entries["stop_day"].to_numpy()[self.episodes["entry_id"].to_numpy()]
        return self.episodes[self.episodes["stop_day"].to_numpy() <= last]

    def starts_of(self, measure: str) -> pd.DataFrame:
        """A row per entry, in order: first_start_day (NaN: none), is_running_before."""
        if measure not in self._starts:
            one = self.starts[self.starts["measure"].eq(measure)].set_index("entry_id")
            one = one.reindex(self.entries["entry_id"]).reset_index(drop=True)
            running = one["is_running_before"].astype("boolean").fillna(False).astype(bool)
            day = one["first_start_day"].astype(float)
            found = pd.DataFrame({"first_start_day": day, "is_running_before": running})
            self._starts[measure] = found
        return self._starts[measure]

    def has_started(self, measure: str, day: int) -> Flags:
        """Whether a measure's first start is on a day or before it, an entry each; day 0 counts."""
        return self.starts_of(measure)["first_start_day"].to_numpy() <= day

    def has_started_in_grace(self, measure: str) -> Flags:
        """Whether the measure started within its grace time and before follow-up ended."""
        start = self.starts_of(measure)["first_start_day"].to_numpy()
        is_followed = start < self.entries["stop_day"].to_numpy()
        return self.has_started(measure, self.plan.measures[measure].grace_days) & is_followed

    def mark_started_by(self, day: int, measure: str) -> dict[str, Flags]:
        """Which other measures of the study have started by a day, ran before day 0 included.

        A truth value per entry. None for a joint measure, which is made of the others; joint ones
        are not among them.
        """
        if self.plan.is_joint(measure):
            return {}
        marks = {}
        for other in self.plan.measure_names:
            if other != measure and not self.plan.is_joint(other):
                starts = self.starts_of(other)
                is_on = starts["is_running_before"] | (starts["first_start_day"] <= day)
                marks[other] = is_on.to_numpy(bool)
        return marks

    def design(
        self,
        rows: npt.ArrayLike | None = None,
        measures: Measures | None = None,
        *,
        chosen: npt.ArrayLike | None = None,
        is_adjusted: bool = True,
        marks: Mapping[str, Flags | Floats] | None = None,
        without: Collection[str] = (),
    ) -> Design:
        """The columns that a study adjusts for: `adjust_for`, numbers of `splines` as spline bases.

        `rows` are positions among the entries, or among those `chosen` (a truth value each) where
        they are given; `measures` stand beside, a row per place in `rows`. `marks`: further truth
        values or numbers, by the same positions; `without`: what stands in strata instead. Not
        adjusted: the measures alone.
        """
        frame = self.covariates
        if chosen is not None:
            frame = frame[np.asarray(chosen, dtype=bool)].reset_index(drop=True)
        terms = [name for name in self.plan.adjust_for if is_adjusted and name not in without]
        if marks:
            frame, terms = frame.assign(**marks), [*terms, *marks]
        splines = self.plan.splines if is_adjusted else None
        return build_design(frame, terms, rows, measures=measures, splines=splines)

    def strata(self, rows: npt.ArrayLike) -> Whole | None:
        """A number for each combination of the levels of the study's `strata`; None: it has none.

        `rows` are positions among the entries.
        """
        if not self.plan.strata:
            return None
        levels = self.covariates.groupby(list(self.plan.strata), dropna=False, observed=True)
        return levels.ngroup().to_numpy(np.int64)[np.asarray(rows)]

    @property
    def shown_covariates(self) -> pd.DataFrame:
        """The covariates as their levels may be shown (`subgroup`)."""
        shown = {
            str(name): self.subgroup(str(name)) for name in self.covariates
            if name in POOLED or self._is_free_text(str(name))
        }  # fmt: skip
        return self.covariates.assign(**shown)

    def _is_free_text(self, name: str) -> bool:
        """A text of the extract's own: nobody has said what it may hold."""
        is_number = pd.api.types.is_numeric_dtype(self.covariates[name])
        return name.startswith("x_") and not is_number

    def subgroup(self, name: str) -> pd.Series | None:
        """Each entry's level of a subgroup as text, or None where its table is absent.

        A group of municipalities, or a district, that is one municipality alone is not told apart
        (`pool_single_places`). Of the extract's own texts the levels that the study file names
        (`subgroup_levels`) are shown; all else is `other`, as it may be a name or an address.
        """
        if name == "risk_level" and "risk_assessments" in self.absent:
            return None
        levels = self.covariates[name].astype(str)
        if self._is_free_text(name):
            named = {*self.plan.subgroup_levels.get(name, ()), MISSING}
            return levels.where(levels.isin(named), OTHER)
        if name not in POOLED:
            return levels
        periods = self.covariates["index_year"] if name == "police_district" else None
        return pool_single_places(levels, self.covariates["municipality_code"], periods)
