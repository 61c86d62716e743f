"""Counter-based random numbers: every draw is a function of (seed, unit, stream), never of order.

A register of 3,000 people and one of 100,000 with the same seed therefore share their first 3,000
people, results do not depend on the number of cores, and a forced strategy meets the same chance
as the natural course (common random numbers). The mixer is splitmix64 (Steele, Lea & Flood 2014,
"Fast splittable pseudorandom number generators", OOPSLA).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
SECOND_MULTIPLIER = np.uint64(0x94D049BB133111EB)
UNIT_SCALE = 1.0 / 2.0**53

Floats = NDArray[Any]  # of float64
Integers = NDArray[Any]  # of int64


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit integers, one to one (the finaliser of splitmix64)."""
    mixed = values + GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * FIRST_MULTIPLIER
    mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND_MULTIPLIER
    return mixed ^ (mixed >> np.uint64(31))


def make_key(seed: int, stream: str) -> np.uint64:
    """Key of a named stream of one seed."""
    name = np.array([zlib.crc32(stream.encode())], dtype=np.uint64)
    start = np.array([seed % 2**64], dtype=np.uint64)
    return np.uint64(mix(mix(start) ^ (name << np.uint64(20)))[0])


def draw_bits(seed: int, units: Integers, stream: str) -> NDArray[np.uint64]:
    """Draw a 64-bit integer for each unit."""
    return mix(mix(units.astype(np.uint64)) ^ make_key(seed, stream))


def draw_uniform(seed: int, units: Integers, stream: str) -> Floats:
    """Draw a number in [0, 1) for each unit.

    >>> import numpy as np
    >>> both = draw_uniform(1, np.arange(5), "sex")
    >>> bool((both[:3] == draw_uniform(1, np.arange(3), "sex")).all())
    True
    """
    bits = draw_bits(seed, units, stream) >> np.uint64(11)
    return bits.astype(np.float64) * UNIT_SCALE


def draw_exponential(seed: int, units: Integers, stream: str, mean: float = 1.0) -> Floats:
    """Draw an exponential number with the given mean for each unit."""
    return -mean * np.log1p(-draw_uniform(seed, units, stream))


def draw_days(seed: int, units: Integers, stream: str, first: int, last: int) -> Integers:
    """Draw a whole number of days, first to last inclusive, all equally likely."""
    width = last - first + 1
    return first + np.floor(draw_uniform(seed, units, stream) * width).astype(np.int64)


def draw_chance(
    seed: int, units: Integers, stream: str, chance: float | Floats
) -> NDArray[np.bool_]:
    """Draw whether something happens, with one chance for all or one for each unit."""
    return draw_uniform(seed, units, stream) < chance


def draw_category(
    seed: int, units: Integers, stream: str, shares: Sequence[float] | Floats
) -> Integers:
    """Draw a position in a list of shares, or in each unit's own row of shares.

    ``shares`` has shape (n_categories,) or (n_units, n_categories) and need not sum to one.
    """
    table = np.atleast_2d(np.asarray(shares, dtype=np.float64))
    bounds = np.cumsum(table, axis=1)
    target = draw_uniform(seed, units, stream) * bounds[:, -1]
    return (target[:, None] >= bounds[:, :-1]).sum(axis=1).astype(np.int64)


def count_share(n_people: int, share: float, first_unit: int = 0) -> Integers:
    """Number those who stand beside some people, so many to a person; `first_unit` is the first's.

    People taken in parts have between them the same as all at once.

    >>> count_share(2, 0.5).tolist(), count_share(3, 0.5, first_unit=2).tolist()
    ([0], [1])
    """
    return np.arange(round(first_unit * share), round((first_unit + n_people) * share))
