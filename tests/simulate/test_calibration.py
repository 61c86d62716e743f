"""The county is as the published figures say, and misleads where real registers mislead."""

import pytest

from benchmarks.county_figures import FIGURES, calibration_table, naive_table
from revictimisation.simulate import simulate_county
from tests.cases import for_each

N_PEOPLE = 6000
# three standard errors at 6,000 people, and how far the published figures disagree
BANDS = {
    "New report against the same person within four years": (0.38, 0.42),
    "… within one year": (0.20, 0.24),
    "… within half a year": (0.145, 0.175),
    "… within 30 days": (0.055, 0.077),
    "… within one year, another study": (0.20, 0.24),
    "Non-contact order starts in follow-up": (0.29, 0.34),
    "Mean stay in sheltered housing, days": (75, 90),
    "Cleared: assault on a woman": (0.14, 0.18),
    "Cleared: assault on a man": (0.05, 0.11),
    "Cleared: gross violation of integrity": (0.19, 0.27),
    "Cleared: threat": (0.14, 0.20),
    "Cleared: unlawful persecution": (0.33, 0.47),
    "Cleared: breach of a non-contact order": (0.24, 0.38),
    "Mean age in contact with the resource centre": (18, 20),
}


@pytest.fixture(scope="module")
def tables():
    return simulate_county("calibrated", N_PEOPLE, seed=2)


@pytest.fixture(scope="module")
def achieved(tables):
    return calibration_table(tables).set_index("figure_en")["achieved"]


def test_every_figure_has_a_band():
    assert {figure.figure_en for figure in FIGURES} == set(BANDS)


@for_each("figure", BANDS)
def test_the_achieved_figure_is_in_its_band(achieved, figure):
    low, high = BANDS[figure]
    assert low <= achieved[figure] <= high


def test_ever_against_never_shows_every_measure_to_raise_the_risk(tables):
    naive = naive_table(tables).set_index("measure")["naive_difference"]
    assert (naive > 0.02).all()
    assert 0.05 <= naive.mean() <= 0.10
