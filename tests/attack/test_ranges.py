"""Ranges against every whole-number solution of small systems."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from revictimisation.disclosure.attack.ranges import MOST, Relations, narrow, solve


def make_relations(rows, is_equal):
    terms = [(k, at, sign) for k, row in enumerate(rows) for at, sign in row]
    return Relations(*(np.array(part, np.int64) for part in zip(*terms, strict=True)),
                     np.array(is_equal))  # fmt: skip


def list_solutions(low, high, rows, is_equal):
    for point in itertools.product(*(range(a, b + 1) for a, b in zip(low, high, strict=True))):
        sums = [sum(sign * point[at] for at, sign in row) for row in rows]
        if all(s == 0 if equal else s <= 0 for s, equal in zip(sums, is_equal, strict=True)):
            yield point


@pytest.mark.parametrize("seed", range(12))
def test_ranges_hold_every_solution_and_programmes_are_no_wider(seed):
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 3, 6)
    high = low + rng.integers(0, 4, 6)
    rows = [[(int(at), int(sign)) for at, sign in zip(rng.choice(6, 3, False), (1, 1, -1),
             strict=True)] for _ in range(4)]  # fmt: skip
    is_equal = rng.random(4) < 0.6
    points = np.array([*list_solutions(low, high, rows, is_equal)])
    relations = make_relations(rows, is_equal)
    least, most, is_false = narrow(low, high, relations)
    if not len(points):
        return
    assert not is_false.any()
    assert (least <= points.min(axis=0)).all()
    assert (points.max(axis=0) <= most).all()
    tight_low, tight_high = solve(least, most, relations, np.ones(6, bool), 1)
    assert (least <= tight_low).all() and (tight_low <= points.min(axis=0)).all()
    assert (points.max(axis=0) <= tight_high).all() and (tight_high <= most).all()


def test_levels_below_one_whole_are_told_exactly():
    rows = [[(0, 1), (1, 1), (2, -1)], [(3, 1), (4, 1), (2, -1)]]
    relations = make_relations(rows, [True, True])
    low, high = np.array([0, 18, 23, 0, 20]), np.array([MOST, 22, 27, MOST, 20])
    least, most, _ = narrow(low, high, relations)
    assert least.tolist() == [1, 18, 23, 3, 20]
    assert most.tolist() == [9, 22, 27, 7, 20]


def test_cycles_are_solved_by_programmes():
    """a + b = 4, b + c = 4, a + c = 4 leaves 2 each; bounds alone leave 0 to 4."""
    rows = [[(0, 1), (1, 1), (3, -1)], [(1, 1), (2, 1), (3, -1)], [(0, 1), (2, 1), (3, -1)]]
    relations = make_relations(rows, [True] * 3)
    low, high = np.array([0, 0, 0, 4]), np.array([9, 9, 9, 4])
    least, most, _ = narrow(low, high, relations)
    assert most[:3].tolist() == [4, 4, 4]
    tight = solve(least, most, relations, np.array([True, True, True, False]), 3)
    assert [end[:3].tolist() for end in tight] == [[2, 2, 2], [2, 2, 2]]


def test_what_contradicts_itself_is_marked():
    relations = make_relations([[(0, 1), (1, -1)], [(2, 1), (3, -1)]], [True, True])
    low, high = np.array([5, 0, 1, 0]), np.array([9, 3, 2, 8])
    *_, is_false = narrow(low, high, relations)
    assert is_false.tolist() == [True, True, False, False]
