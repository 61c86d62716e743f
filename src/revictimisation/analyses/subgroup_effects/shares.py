"""Who gets what: the share of each level in whom a measure starts, and who could have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.analyses.subgroup_effects.groupings import Grouping, mark_combined
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.core.packing import pack_contrast
from revictimisation.core.results import combine, make_estimates, not_estimable
from revictimisation.estimators.intervals import difference_interval, wilson_interval

Row = dict[str, Any]
ANALYSIS = "treatment_share"
STARTED, OUTSIDE = "started", "outside_support"
SAME = {"question": "q3", "analysis": ANALYSIS, "estimand": "share", "estimator": "description"}


def estimate_treatment_shares(data: StudyData, groupings: Sequence[Grouping]) -> pd.DataFrame:
    """The share in whom each measure starts within its grace time: everybody, and each level.

    Of the entries eligible for the measure's comparison (not running before day 0); a start counts
    if it comes before follow-up ends. Wilson's interval (1927) with the people that the victims'
    repetition leaves (design effect, at least 1). Of each level less the reference Newcombe's
    interval (1998).
    """
    rows: list[Row] = []
    everybody = Grouping("", ("",), np.zeros(len(data.entries), np.int64), 0)
    for measure in data.plan.measure_names:
        starts = data.starts_of(measure)
        is_in = ~starts["is_running_before"].to_numpy()
        is_started = data.has_started_in_grace(measure)
        cluster = data.entries["cluster_id"].to_numpy(np.int64)[is_in]
        for one in (everybody, *groupings):
            found = count_started(one.codes[is_in], len(one.levels), is_started[is_in], cluster)
            keys = {"measure": measure, "outcome": STARTED}
            rows += [*_build_shares(one, found, keys), *_build_differences(one, found, keys)]
    return make_estimates(rows)


def _build_shares(
    grouping: Grouping, found: Mapping[str, npt.NDArray[Any]], keys: Mapping[str, str]
) -> list[Row]:
    """A row per level that somebody is in."""
    return [
        {**SAME, **keys, "subgroup": grouping.name, "level": level,
         **{name: one[place] for name, one in found.items()}}
        for place, level in enumerate(grouping.levels)
        if found["n_people"][place] > 0
    ]  # fmt: skip


def _build_differences(
    grouping: Grouping, found: Mapping[str, npt.NDArray[Any]], keys: Mapping[str, str]
) -> list[Row]:
    """A row per level less the reference; the two hold different victims, or nearly.

    Counts stand with the levels alone: sums of them would tell more than each when rounded.
    """
    at = grouping.reference
    if not found["n_people"][at]:
        return []
    share, low, high, se = (found[name] for name in ("estimate", "ci_low", "ci_high", "se"))
    ends = difference_interval(share, low, high, (share[at], low[at], high[at]))
    return [
        {**SAME, **keys, "subgroup": grouping.name, "estimand": "share_difference",
         "level": pack_contrast(level, grouping.levels[at]),
         "estimate": share[place] - share[at], "se": np.hypot(se[place], se[at]),
         "ci_low": ends[0][place], "ci_high": ends[1][place]}
        for place, level in enumerate(grouping.levels)
        if place != at and found["n_people"][place] > 0
    ]  # fmt: skip


def count_started(
    codes: Whole, n_levels: int, is_started: Flags, cluster: Whole
) -> dict[str, npt.NDArray[Any]]:
    """By level: n_people, n_events (started), estimate, se, ci_low, ci_high."""
    people = np.bincount(codes, minlength=n_levels)
    started = np.bincount(codes, is_started, minlength=n_levels)
    share = started / np.maximum(people, 1)
    labels, place = np.unique(cluster * n_levels + codes, return_inverse=True)
    summed = np.bincount(place, is_started - share[codes])
    squares = np.bincount(labels % n_levels, summed**2, minlength=n_levels)
    plain = people * share * (1 - share)
    effect = np.maximum(np.divide(squares, plain, out=np.ones(n_levels), where=plain > 0), 1.0)
    size = np.maximum(people, 1) / effect
    low, high = wilson_interval(share * size, size)
    se = np.sqrt(squares) / np.maximum(people, 1)
    return {"n_people": people, "n_events": started.astype(np.int64), "estimate": share,
            "se": se, "ci_low": low, "ci_high": high}  # fmt: skip


def build_outside(grouping: Grouping, n_people: Whole, share: Floats, measure: str) -> list[Row]:
    """Rows of the share of each level outside the common support (no interval: it is no sample)."""
    n_outside = np.rint(np.nan_to_num(share) * n_people).astype(np.int64)
    found = {"n_people": n_people, "n_events": n_outside, "estimate": share}
    return _build_shares(grouping, found, {"measure": measure, "outcome": OUTSIDE})


def describe_absent(data: StudyData) -> pd.DataFrame:
    """A row for each grouping of which the extract has no table, or that is one municipality."""
    absent = {name: "table_absent" for name in data.plan.subgroups if data.subgroup(name) is None}
    for name, group in data.plan.for_whom.combined.items():
        if mark_combined(data, group) is None:
            is_known = all(data.subgroup(level) is not None for level in group.levels)
            absent[name] = "one_municipality" if is_known else "table_absent"
    same = {"question": "q3", "outcome": data.plan.outcome.who, "estimand": "risk_difference"}
    return combine(not_estimable(reason, subgroup=name, **same) for name, reason in absent.items())
