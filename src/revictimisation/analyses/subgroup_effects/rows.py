"""Rows of `estimates` that the two scales of question 3 lay alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from revictimisation.analyses.subgroup_effects.groupings import Grouping
from revictimisation.core.arrays import Floats, Whole
from revictimisation.core.packing import pack_contrast
from revictimisation.core.results import NOT_ESTIMABLE, OK
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import t_quantile
from revictimisation.estimators.level_contrasts import compare_all, find_p_values

Row = dict[str, Any]
CONTRAST = "contrast"


@dataclass(frozen=True, eq=False)
class LevelEffects:
    """One measure's effects within a grouping's levels on one scale, and what may be said of them.

    A place a level: `effect`, `n_people`, `n_events`, `status`, `reason`; `freedom`, degrees of
    freedom of the error of a level less the reference.
    """

    effect: Estimate
    freedom: Floats
    n_people: Whole
    n_events: Whole
    status: list[str]
    reason: list[str]


def build_contrasts(
    grouping: Grouping, effects: LevelEffects, keys: Mapping[str, Any], estimand: str,
    ratio: str = "",
) -> list[Row]:  # fmt: skip
    """Rows of each level against the reference, each with its p-value, and of the test of all.

    What is said of a contrast is the worse of what is said of its two levels. The test is of the
    levels that are `ok` and not `missing`. `ratio`: the estimand of a difference of logarithms as
    ratio.
    """
    same = {**keys, "analysis": CONTRAST, "subgroup": grouping.name}
    gaps = effects.effect - effects.effect[[grouping.reference]]
    found = gaps.interval(quantile=t_quantile(effects.freedom))
    p_values = find_p_values(gaps, effects.freedom)
    rows: list[Row] = []
    for place, name in enumerate(grouping.levels):
        if place == grouping.reference:
            continue
        pair = (place, grouping.reference)
        status, reason = _judge_pair(effects, pair)
        counts = {one: int(getattr(effects, one)[list(pair)].sum()) for one in COUNTED}
        row = {**same, "level": pack_contrast(name, grouping.levels[grouping.reference]),
               "status": status, "reason": reason}  # fmt: skip
        if status == NOT_ESTIMABLE:
            rows.append({**row, "estimand": estimand})
            continue
        rows.append({**row, **counts, "estimand": estimand, **found.row(place)})
        if ratio:
            rows.append({**row, **counts, "estimand": ratio, **found.exp().row(place)})
        rows.append({**row, **counts, **_describe_p(p_values[place], row)})
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
    p_value, _ = compare_all(effects.effect[at], least)
    row = {**same, "level": "", "estimand": "p_value"}
    if np.isfinite(p_value):
        return {**row, "estimate": p_value}
    return {**row, "status": NOT_ESTIMABLE, "reason": "fewer_than_two_levels"}
