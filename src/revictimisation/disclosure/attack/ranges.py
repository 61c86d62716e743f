"""Feasible ranges of whole numbers under sums that hold exactly: propagation, then HiGHS.

A relation says that a signed sum of counts is 0, or at most 0. Propagation of bounds gives the
exact ranges where relations form a tree, and is sound everywhere; where they form cycles linear
programmes narrow what it leaves (Fischetti & Salazar 2001 call the ranges an attacker's).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
MOST = 1 << 40  # no bound: more than any count
MOST_ROUNDS = 200
NEAR = 1e-6  # of a whole number, in a solution
LARGEST = 400  # counts of a component that linear programmes are solved for


@dataclass(frozen=True)
class Relations:
    """A row per term: `sign` (1, -1) times `count`, in `relation`; `is_equal` by relation."""

    relation: Whole
    count: Whole
    sign: Whole
    is_equal: Flags


def narrow(low: Whole, high: Whole, relations: Relations) -> tuple[Whole, Whole, Flags]:
    """The ranges that the relations leave, and which counts lie where they contradict each other.

    A contradiction means that what was taken for known does not hold there: nothing is concluded.
    """
    low, high = low.copy(), high.copy()
    for _ in range(MOST_ROUNDS):
        before = low.copy(), high.copy()
        _propagate(low, high, relations)
        if ((low == before[0]).all() and (high == before[1]).all()) or (low > high).any():
            break
    label = _label_components(len(low), relations)
    is_false = np.isin(label, np.unique(label[low > high]))
    return low, high, is_false


def _propagate(low: Whole, high: Whole, relations: Relations) -> None:
    """One round: each term against the least and most that the others of its relation add up to."""
    row, at, is_plus = relations.relation, relations.count, relations.sign > 0
    n_rows = len(relations.is_equal)
    least = np.where(is_plus, low[at], -high[at])
    most = np.where(is_plus, high[at], -low[at])
    is_open_least, is_open_most = least <= -MOST, most >= MOST
    others_least = _sum_others(row, least, is_open_least, n_rows)
    others_most = _sum_others(row, most, is_open_most, n_rows)
    upper = np.where(np.isnan(others_least), MOST, -others_least).astype(np.int64)
    lower = np.where(np.isnan(others_most), -MOST, -others_most).astype(np.int64)
    lower = np.where(relations.is_equal[row], lower, -MOST)
    np.minimum.at(high, at, np.where(is_plus, upper, -lower))
    np.maximum.at(low, at, np.where(is_plus, lower, -upper))


def _sum_others(row: Whole, bound: Whole, is_open: Flags, n_rows: int) -> npt.NDArray[np.float64]:
    """The sum of the other terms' bounds in each term's relation; NaN where one has none."""
    known = np.where(is_open, 0, bound)
    total = np.bincount(row, known, n_rows)[row] - known
    n_open = np.bincount(row, is_open, n_rows)[row] - is_open
    return np.where(n_open > 0, np.nan, total)


def _label_components(n_counts: int, relations: Relations) -> Whole:
    """Which counts are tied to each other by relations, directly or through others."""
    n_all = n_counts + len(relations.is_equal)
    ones = np.ones(len(relations.count))
    graph = coo_matrix((ones, (relations.count, n_counts + relations.relation)), (n_all, n_all))
    return connected_components(graph, directed=False)[1][:n_counts].astype(np.int64)


def solve(
    low: Whole, high: Whole, relations: Relations, chosen: Flags, narrowest: int
) -> tuple[Whole, Whole]:
    """Narrow the chosen counts by linear programmes, in components that hold cycles.

    Only those at most three times as wide as `narrowest` are tried: no programme halves a range
    twice over what propagation left in tables like ours.
    """
    low, high = low.copy(), high.copy()
    label = _label_components(len(low), relations)
    of_row = np.full(len(relations.is_equal), -1)
    of_row[relations.relation] = label[relations.count]
    n_terms = np.bincount(of_row[relations.relation], minlength=label.max(initial=0) + 1)
    n_nodes = np.bincount(label) + np.bincount(
        of_row[of_row >= 0], minlength=len(np.bincount(label))
    )
    is_tried = chosen & (high - low >= narrowest) & (high - low < 3 * narrowest)
    for part in np.unique(label[is_tried]):
        mine = np.flatnonzero(label == part)
        if n_terms[part] < n_nodes[part] or len(mine) > LARGEST:
            continue  # a tree: propagation was exact
        _solve_component(low, high, relations, mine, np.flatnonzero(is_tried & (label == part)))
    return low, high


def _solve_component(
    low: Whole, high: Whole, relations: Relations, mine: Whole, wanted: Whole
) -> None:
    place = {count: k for k, count in enumerate(mine.tolist())}
    is_in = np.isin(relations.count, mine)
    rows, where = np.unique(relations.relation[is_in], return_inverse=True)
    columns = [place[count] for count in relations.count[is_in].tolist()]
    matrix = coo_matrix((relations.sign[is_in], (where, columns)), (len(rows), len(mine))).tocsr()
    is_equal = relations.is_equal[rows]
    upper, equal = matrix[~is_equal], matrix[is_equal]
    least, most = low[mine].astype(float), np.where(high[mine] >= MOST, np.inf, high[mine])
    seen_least, seen_most = np.full(len(mine), np.inf), np.full(len(mine), -np.inf)

    def minimise(aim: npt.NDArray[np.float64]) -> float | None:
        found = linprog(
            aim, A_ub=upper, b_ub=np.zeros(upper.shape[0]), A_eq=equal,
            b_eq=np.zeros(equal.shape[0]), bounds=np.column_stack([least, most]), method="highs",
        )  # fmt: skip
        if found.status != 0:
            return None
        np.minimum(seen_least, found.x, out=seen_least)
        np.maximum(seen_most, found.x, out=seen_most)
        return float(found.fun)

    # a solution that reaches the bounds of many counts at once spares a programme for each
    at = np.array([place[count] for count in wanted.tolist()])
    together = np.zeros(len(mine))
    together[at] = 1
    minimise(together)
    minimise(-together)
    for count, k in zip(wanted.tolist(), at.tolist(), strict=True):
        for sign, ends in ((1, low), (-1, high)):
            is_reached = (
                seen_least[k] <= least[k] + NEAR if sign > 0 else seen_most[k] >= most[k] - NEAR
            )
            aim = np.zeros(len(mine))
            aim[k] = sign
            if not is_reached and (value := minimise(aim)) is not None:
                ends[count] = np.ceil(value - NEAR) if sign > 0 else np.floor(-value + NEAR)
