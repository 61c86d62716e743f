"""The groupings that question 3 is asked of: levels of covariates, and combined groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from revictimisation.cohort.study_data import POOLED, StudyData
from revictimisation.core.arrays import Flags, Whole
from revictimisation.core.codes import MISSING
from revictimisation.plan import NUMBER_COVARIATES
from revictimisation.plan.parts import CombinedGroup

IN, OUT = "true", "false"


@dataclass(frozen=True, eq=False)
class Grouping:
    """Levels of the cohort, sorted; `codes`: each entry's place among them.

    `reference`: the place of the level with most entries, `missing` aside unless it is alone; of
    equally many the first.
    """

    name: str
    levels: tuple[str, ...]
    codes: Whole
    reference: int

    @property
    def is_named(self) -> Flags:
        """Levels that say something: not `missing`."""
        return np.array([level != MISSING for level in self.levels])


def list_groupings(data: StudyData) -> list[Grouping]:
    """The study's subgroups that the extract knows, then its combined groups, in their order.

    A combined group that is no more than a level of one of the subgroups is left out.
    """
    found = []
    for name in data.plan.subgroups:
        levels = data.subgroup(name)
        if levels is not None:
            found.append(_make_grouping(name, levels))
    for name, group in data.plan.for_whom.combined.items():
        marks = None if is_level(group, data.plan.subgroups) else mark_combined(data, group)
        if marks is not None:
            found.append(_make_grouping(name, marks))
    return found


def _make_grouping(name: str, levels: pd.Series) -> Grouping:
    codes, labels = pd.factorize(levels, sort=True)
    names = tuple(str(label) for label in labels)
    counts = np.bincount(codes, minlength=len(names)).astype(float)
    if len(names) > 1 and MISSING in names:
        counts[names.index(MISSING)] = -1
    reference = int(counts.argmax()) if len(counts) else 0
    return Grouping(name, names, codes.astype(np.int64), reference)


def is_level(group: CombinedGroup, names: Collection[str]) -> bool:
    """Whether a combined group is no more than a level of one of these covariates."""
    (name, levels), *others = group.levels.items()
    return not others and len(levels) == 1 and name in names


def mark_combined(data: StudyData, group: CombinedGroup) -> pd.Series | None:
    """Each entry in (true) or out of (false) a combined group; `missing` where it is not known.

    Out is who has another level of one covariate, whatever the others are. None: a table of it is
    absent from the extract, or the people in it, or out of it, are all of one municipality: neither
    may be shown as a group, nor is it evidence of what is claimed of many.
    """
    is_in = np.ones(len(data.entries), dtype=np.bool_)
    is_out = np.zeros(len(data.entries), dtype=np.bool_)
    for name, levels in group.levels.items():
        if data.subgroup(name) is None:
            return None
        column = data.covariates[name].astype(str)
        has = column.isin(levels).to_numpy()
        is_in &= has
        is_out |= ~has & column.ne(MISSING).to_numpy()
    if {*POOLED} & {*group.levels}:
        places = data.covariates["municipality_code"]
        if any(places[side].nunique() == 1 for side in (is_in, is_out)):
            return None
    return pd.Series(np.select([is_in, is_out], [IN, OUT], MISSING), index=data.covariates.index)


def extend_study(data: StudyData, groupings: Sequence[Grouping]) -> StudyData:
    """The study adjusted for the main effects of every grouping as well.

    A grouping that a category adjusted for already tells (`relation_group` by `relation`) adds
    nothing and is left as it is.
    """
    plan, covariates = data.plan, data.covariates
    terms = list(plan.adjust_for)
    for grouping in groupings:
        if any(_tells(covariates, term, grouping) for term in terms):
            continue
        names = np.array(grouping.levels, dtype=object)
        covariates = covariates.assign(**{grouping.name: names[grouping.codes]})
        terms.append(grouping.name)
    wider = plan.model_copy(update={"adjust_for": tuple(terms)})
    return replace(data, plan=wider, covariates=covariates)


def _tells(covariates: pd.DataFrame, term: str, grouping: Grouping) -> bool:
    """Whether each category of the term lies in one level."""
    if term in NUMBER_COVARIATES or pd.api.types.is_numeric_dtype(covariates[term]):
        return False
    codes = pd.factorize(covariates[term], use_na_sentinel=False)[0]
    both = codes.astype(np.int64) * len(grouping.levels) + grouping.codes
    return len(np.unique(both)) == len(np.unique(codes))
