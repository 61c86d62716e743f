"""Rows of `estimates` that the two scales of question 3 lay alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from revictimisation.analyses.subgroup_effects.groupings import Grouping
from revictimisation.core.packing import pack_contrast
from revictimisation.core.results import NOT_ESTIMABLE, OK
from revictimisation.estimators.intervals import t_quantile
from revictimisation.estimators.level_contrasts import compare_all, contrast_levels

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]
CONTRAST = "contrast"


@dataclass(frozen=True, eq=False)
class LevelEffects:
    """One measure's effects within a grouping's levels on one scale, and what may be said of them.

    A place a level: `estimate`, `n_people`, `n_events`, `status`, `reason`; `covariance` of the
    estimates; `freedom`, degrees of freedom of the error of a level less the reference.
    """

    estimate: Floats
    covariance: Floats
    freedom: Floats
    n_people: npt.NDArray[np.int64]
    n_events: npt.NDArray[np.int64]
    status: list[str]
    reason: list[str]


def build_contrasts(
    grouping: Grouping, effects: LevelEffects, keys: Mapping[str, Any], estimand: str
) -> list[Row]:
    """Rows of each level against the reference, each with its p-value, and of the test of all.

    What is said of a contrast is the worse of what is said of its two levels. The test is of the
    levels that are `ok` and not `missing`.
    """
    same = {**keys, "analysis": CONTRAST, "subgroup": grouping.name}
    known = effects.estimate, effects.covariance, effects.freedom
    found = contrast_levels(*known, grouping.reference)
    half = t_quantile(effects.freedom) * found.se
    rows: list[Row] = []
    for place, name in enumerate(grouping.levels):
        if place == grouping.reference:
            continue
        pair = (place, grouping.reference)
        status, reason = _judge_pair(effects, pair)
        counts = {one: int(getattr(effects, one)[list(pair)].sum()) for one in COUNTED}
        row = {**same, "level": pack_contrast(name, grouping.levels[grouping.reference]),
               "status": status, "reason": reason}  # fmt: skip
        gap = found.difference[place]
        if status == NOT_ESTIMABLE:
            rows.append({**row, "estimand": estimand})
            continue
        numbers = {"estimate": gap, "se": found.se[place], "ci_low": gap - half[place],
                   "ci_high": gap + half[place]}  # fmt: skip
        rows.append({**row, **counts, "estimand": estimand, **numbers})
        rows.append({**row, **counts, **_describe_p(found.p_value[place], row)})
    return [*rows, _build_test(grouping, effects, same)]


COUNTED = ("n_people", "n_events")


def _judge_pair(effects: LevelEffects, pair: tuple[int, int]) -> tuple[str, str]:
    said = [(effects.status[place], effects.reason[place]) for place in pair]
    absent = [one for one in said if one[0] == NOT_ESTIMABLE]
    held = [one for one in said if one[0] != OK]
    return (absent or held or [(OK, "")])[0]


def _describe_p(p_value: float, row: Mapping[str, Any]) -> Row:
    """A p-value, or that there is none where nothing can move the contrast."""
    if np.isfinite(p_value):
        return {"estimand": "p_value", "estimate": float(p_value)}
    return {"estimand": "p_value", "status": NOT_ESTIMABLE,
            "reason": row["reason"] or "no_finite_answer"}  # fmt: skip


def _build_test(grouping: Grouping, effects: LevelEffects, same: Mapping[str, Any]) -> Row:
    is_ok = np.array([status == OK for status in effects.status]) & grouping.is_named
    at = np.flatnonzero(is_ok)
    freedom = np.delete(effects.freedom, grouping.reference)[np.delete(is_ok, grouping.reference)]
    least = float(freedom.min(initial=np.inf))
    p_value, _ = compare_all(effects.estimate[at], effects.covariance[np.ix_(at, at)], least)
    row = {**same, "level": "", "estimand": "p_value"}
    if np.isfinite(p_value):
        return {**row, "estimate": p_value}
    return {**row, "status": NOT_ESTIMABLE, "reason": "fewer_than_two_levels"}
