"""Random numbers hang on (seed, unit, stream) and on nothing else."""

import numpy as np

from revictimisation.simulate.randoms import (
    draw_category,
    draw_chance,
    draw_days,
    draw_exponential,
    draw_uniform,
    mix,
)
from tests.cases import for_each

UNITS = np.arange(20_000)


def test_mixer_is_splitmix64():
    # the first output of splitmix64 from state 0 and from state 1234567 (Vigna's reference program)
    given = np.array([0, 1234567], dtype=np.uint64)
    assert mix(given).tolist() == [0xE220A8397B1DCDAF, 6457827717110365317]


def test_a_draw_does_not_depend_on_who_else_is_drawn():
    whole = draw_uniform(7, UNITS, "sex")
    assert (draw_uniform(7, UNITS[500:600], "sex") == whole[500:600]).all()


@for_each(("seed", "stream"), [(8, "sex"), (7, "age")])
def test_seeds_and_streams_are_unrelated(seed, stream):
    pair = draw_uniform(7, UNITS, "sex"), draw_uniform(seed, UNITS, stream)
    assert abs(np.corrcoef(*pair)[0, 1]) < 4 / np.sqrt(len(UNITS))


def test_uniform_numbers_are_uniform():
    counts = np.histogram(draw_uniform(1, UNITS, "x"), bins=20, range=(0, 1))[0]
    expected = len(UNITS) / 20
    assert ((counts - expected) ** 2 / expected).sum() < 43.8  # chi-square, 19 df, p = 0.001


def test_days_include_both_ends():
    days = draw_days(1, UNITS, "days", 3, 6)
    assert np.unique(days).tolist() == [3, 4, 5, 6]


def test_categories_follow_their_shares_and_a_zero_share_is_never_drawn():
    drawn = draw_category(1, UNITS, "c", (0.2, 0.0, 0.8))
    shares = np.bincount(drawn, minlength=3) / len(UNITS)
    assert shares[1] == 0
    assert abs(shares[0] - 0.2) < 0.012


def test_exponential_mean_and_chance():
    assert abs(draw_exponential(1, UNITS, "e", 50).mean() - 50) < 1.5
    assert abs(draw_chance(1, UNITS, "p", 0.3).mean() - 0.3) < 0.013
