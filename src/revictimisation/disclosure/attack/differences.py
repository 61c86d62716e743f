"""What two or three releases of nearly the same people tell together, and none by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.results import COUNTS, KEYS, NUMBERS, OK
from revictimisation.disclosure.attack.cells import Cells, list_cells
from revictimisation.disclosure.attack.findings import make_findings, name_rows
from revictimisation.disclosure.attack.margins import (
    bound_cells,
    judge_counts,
    name_cell,
    recover_counts,
)
from revictimisation.disclosure.attack.ranges import MOST, Relations, narrow
from revictimisation.disclosure.attack.release import Release

# Of these a number follows from the people of its own cell alone: a change in it is theirs.
LOCAL = ("description", "aalen_johansen", "kaplan_meier", "mean_cumulative_count")
MODELLED = "outside_support"  # a share of people by a model of all


def subtract_releases(releases: Sequence[Release]) -> pd.DataFrame:
    """Every two releases, differenced; and of every three each less the two others.

    `differ`: a cell in which 1 to threshold - 1 people differ. `crossed`: a number that only one of
    two releases of nearly the same people shows. `joined`: what follows from both where they agree.
    `sum`: a cell in which 1 to threshold - 1 people are in one of three and in neither other.
    """
    found = [_subtract(one, other) for one, other in combinations(releases, 2)]
    found += [
        _subtract_parts(three[whole], [*three[:whole], *three[whole + 1 :]])
        for three in combinations(releases, 3)
        for whole in range(len(three))
    ]
    return make_findings(pd.concat(found) if found else [], kind="differences")


def _subtract(one: Release, other: Release) -> pd.DataFrame:
    place = f"{_name(one)} − {_name(other)}"
    pair = _pair_rows(one.estimates, other.estimates)
    is_changed = _is_changed(pair)
    if not is_changed.any():
        return _join(one, other).assign(place=place)
    larger, smaller = (one, other) if _is_larger(pair) else (other, one)
    return _bound_differences(larger, smaller, pair, is_changed).assign(place=place)


def _pair_rows(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Rows that both releases have, beside each other."""
    keys = [*KEYS]
    sides = [frame.astype({"time_days": "Int64"}) for frame in (one, other)]
    return sides[0].merge(sides[1], on=keys, suffixes=("_one", "_other"))


def _is_changed(pair: pd.DataFrame) -> pd.Series:
    """Where both show numbers, and they are not the same."""
    both = pair["status_one"].eq(OK) & pair["status_other"].eq(OK)
    changed = pd.Series(False, index=pair.index)
    for name in (*NUMBERS, *COUNTS):
        sides = [pair[f"{name}_{side}"].astype(float) for side in ("one", "other")]
        changed |= ~np.isclose(sides[0], sides[1], rtol=0, atol=1e-9, equal_nan=True)
    return changed & both


def _is_larger(pair: pd.DataFrame) -> bool:
    return bool((pair["n_people_one"] - pair["n_people_other"]).astype(float).sum() >= 0)


def _join(one: Release, other: Release) -> pd.DataFrame:
    """Where two releases agree on all they share, what both together tell and neither alone."""
    keys = [*KEYS]
    rows = pd.concat([one.estimates, other.estimates], ignore_index=True)
    rows = rows.assign(is_shown=rows["status"].eq(OK)).sort_values("is_shown", kind="stable")
    rows = rows.drop_duplicates(keys, keep="last").drop(columns="is_shown").reset_index(drop=True)
    n_shown = [
        int(table["status"].eq(OK).sum()) for table in (rows, one.estimates, other.estimates)
    ]
    if n_shown[0] in n_shown[1:]:
        return make_findings([])
    rules = one.rules
    found = judge_counts(bound_cells(list_cells(rows, rules, one.plan), rules.threshold),
                         rules.threshold)  # fmt: skip
    names = ["kind", "row", "column"]
    alone = pd.concat([recover_counts(release)[names] for release in (one, other)])
    is_new = ~pd.MultiIndex.from_frame(found[names]).isin(pd.MultiIndex.from_frame(alone))
    return found[is_new].assign(what="joined")


def _bound_differences(
    larger: Release, smaller: Release, pair: pd.DataFrame, is_changed: pd.Series
) -> pd.DataFrame:
    """Cells whose people differ by at least one and fewer than the threshold.

    The smaller cohort is taken to be part of the larger; where that contradicts what is released,
    nothing is concluded.
    """
    rules, threshold = larger.rules, larger.rules.threshold
    cells = list_cells(larger.estimates, rules, larger.plan, 0)
    table = bound_cells(cells, threshold)
    less = list_cells(smaller.estimates, smaller.rules, smaller.plan, 0)
    beside = bound_cells(less, threshold).set_index(["kind", "key"])[["low", "high"]]
    names = pd.MultiIndex.from_frame(table[["kind", "key"]])
    under = beside.reindex(names).reset_index(drop=True)
    is_known = under["low"].notna().to_numpy()
    low = (table["low"] - under["high"].fillna(MOST)).clip(lower=0).to_numpy(np.int64).copy()
    high = (table["high"] - under["low"].fillna(0)).clip(upper=MOST).to_numpy(np.int64).copy()
    is_local = pair["estimator"].isin(LOCAL) & pair["outcome"].ne(MODELLED)
    local = pair[is_changed & is_local]
    changed = _find_cells(cells, local)
    kind = table["kind"].to_numpy()
    most_events = _find_most(high, changed)
    low[changed["people"]] = np.maximum(low[changed["people"]], 1)
    low, high, is_false = narrow(low, np.maximum(high, low), _keep(cells.relations, is_known))
    n_all = high[(table["key"].eq("everybody||") & table["kind"].eq("people")).to_numpy()]
    is_near = bool(len(n_all) and n_all[0] < threshold and most_events < 2 * rules.rounding)
    is_few = np.zeros(len(table), bool)
    of_changed = changed[(high[changed["events"]] < threshold) | is_near]
    is_few[of_changed["people"]] = True
    is_few &= (kind == "people") & (low >= 1) & (high < threshold) & ~is_false
    found = table.assign(low=low, high=high, row=name_cell(table), column="n_people",
                         what="differ")[is_few]  # fmt: skip
    parts = [make_findings(found, kind="differences")]
    if is_near:
        parts.append(_find_crossed(pair))
    return pd.concat(parts, ignore_index=True)


def _subtract_parts(whole: Release, parts: Sequence[Release]) -> pd.DataFrame:
    """Cells of the people who are in a release and in neither of two others, if those are few.

    The two are taken to be apart, and parts of the first; where that contradicts what is released,
    nothing is concluded.
    """
    rules, threshold = whole.rules, whole.rules.threshold
    sizes = [_count_everybody(release) for release in (whole, *parts)]
    if not abs(sizes[0] - sum(sizes[1:])) < threshold + 2 * rules.rounding:
        return make_findings([])
    cells = list_cells(whole.estimates, rules, whole.plan, 0)
    table = bound_cells(cells, threshold)
    names = pd.MultiIndex.from_frame(table[["kind", "key"]])
    low, high, is_known = table["low"], table["high"], np.ones(len(table), bool)
    for part in parts:
        less = bound_cells(list_cells(part.estimates, part.rules, part.plan, 0), threshold)
        under = less.set_index(["kind", "key"])[["low", "high"]].reindex(names).reset_index()
        is_known &= under["low"].notna().to_numpy()
        low, high = low - under["high"].fillna(MOST), high - under["low"].fillna(0)
    is_false = high.lt(0).any()
    least, most = (ends.clip(0, MOST).to_numpy(np.int64) for ends in (low, high))
    least, most, is_wrong = narrow(least, most, _keep(cells.relations, is_known))
    is_all = (table["key"].eq("everybody||") & table["kind"].eq("people")).to_numpy()
    if is_false or is_wrong.any() or not (most[is_all] < threshold).any():
        return make_findings([])
    is_few = table["kind"].eq("people") & (least >= 1) & (most < threshold)
    place = " − ".join(_name(release) for release in (whole, *parts))
    found = table.assign(low=least, high=most, row=name_cell(table), place=place)[is_few]
    return make_findings(found, kind="differences", what="sum", column="n_people")


def _count_everybody(release: Release) -> float:
    """The people that are followed, as released; NaN where that is not shown."""
    rows = release.estimates
    is_whole = rows["question"].eq("q1") & rows["analysis"].eq("main") & rows["subgroup"].eq("")
    return float(rows.loc[is_whole & rows["status"].eq(OK), "n_people"].astype(float).max())


def _name(release: Release) -> str:
    return str(release.folder.parent.name or release.folder)


def _find_cells(cells: Cells, local: pd.DataFrame) -> pd.DataFrame:
    """The cells of people and events of rows, by their keys."""
    keys = [*KEYS]
    rows = cells.rows.assign(analysis=cells.rows["own_analysis"])
    rows["time_days"] = pd.to_numeric(rows["time_days"]).astype("Int64")
    found = local[keys].merge(rows[[*keys, "people", "events"]], on=keys)
    return found[["people", "events"]].drop_duplicates()


def _find_most(high: npt.NDArray[np.int64], changed: pd.DataFrame) -> int:
    """The most by which the events of any changed cell may differ."""
    ends = high[changed["events"]]
    return int(ends[ends < MOST].max(initial=0))


def _keep(relations: Relations, is_known: npt.NDArray[np.bool_]) -> Relations:
    """The relations among counts that both releases have."""
    n_rows = len(relations.is_equal)
    n_lost = np.bincount(relations.relation, ~is_known[relations.count], n_rows)
    kept = (n_lost == 0)[relations.relation]
    return Relations(relations.relation[kept], relations.count[kept], relations.sign[kept],
                     relations.is_equal)  # fmt: skip


def _find_crossed(pair: pd.DataFrame) -> pd.DataFrame:
    """Plain numbers that are small in one release and shown in the other: few people decide."""
    sides = {}
    for side in ("one", "other"):
        sides[side] = pair[f"status_{side}"].eq("suppressed") & pair[f"reason_{side}"].eq(
            "small_number"
        )
    shown = {side: pair[f"status_{side}"].eq(OK) for side in sides}
    is_crossed = (sides["one"] & shown["other"]) | (sides["other"] & shown["one"])
    rows = pair[is_crossed & pair["estimator"].isin(LOCAL) & pair["subgroup"].ne("")]
    return make_findings(rows.assign(row=name_rows(rows, KEYS)), what="crossed", kind="differences",
                         column="estimate")  # fmt: skip
