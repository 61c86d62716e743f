"""From weights to chances: by hand, by enumeration, and on drawn weights with known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from revictimisation.extract.linkage.posteriors import (
    _find_chances,
    choose_links,
    estimate_share,
    link_pairs,
)


def pairs(*rows):
    return pd.DataFrame(rows, columns=["social_id", "police_id", "weight"])


def test_chances_are_those_of_counting_every_possibility():
    """One client, three candidates, prior 0.4: nobody, or one of three, each in proportion."""
    factors = np.array([50.0, 3.0, 0.2])
    weights = np.array([0.6, *(0.4 / 10 * factors)])
    expected = weights[1:] / weights.sum()
    got = _find_chances(np.zeros(3, np.int64), factors, 0.4, n_police=10)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_two_equally_good_candidates_are_linked_to_neither():
    table = pairs(("a", "1", 40.0), ("a", "2", 40.0), ("b", "3", 40.0))
    found = link_pairs(table, 100, 2, threshold=0.9)
    assert found.pairs["is_link"].tolist() == [False, False, True]
    assert found.pairs["probability"].tolist()[:2] == pytest.approx([0.5, 0.5], abs=1e-6)
    assert found.missed_link_rate == pytest.approx(0.5, abs=0.01)


def test_each_person_of_the_police_is_taken_once_by_the_likeliest():
    table = pairs(("a", "1", 0), ("b", "1", 0), ("b", "2", 0), ("c", "2", 0))
    table["probability"] = [0.95, 0.99, 0.91, 0.92]
    assert choose_links(table, 0.9).tolist() == [False, True, False, True]
    mixed = table.iloc[[3, 1, 0, 2]]
    assert choose_links(mixed, 0.9).tolist() == [True, True, False, False]


def test_nothing_to_compare_gives_no_links():
    found = link_pairs(pairs(), 10, 3, 0.9)
    assert (found.share, len(found.pairs), found.false_link_rate) == (0, 0, 0)


def draw(share, n_clients=4000, n_police=300, seed=2):
    """Weights as the model believes: normal, mean half its variance for and against."""
    rng = np.random.default_rng(seed)
    is_there = rng.random(n_clients) < share
    mean, spread = 6.0, np.sqrt(12.0)  # log Bayes factors: +6 for the true one, -6 for others
    logs = rng.normal(-mean, spread, (n_clients, n_police))
    logs[is_there, 0] = rng.normal(mean, spread, is_there.sum())
    clients = np.repeat(np.arange(n_clients), n_police)
    return is_there, clients, np.exp(logs).ravel(), n_police


def test_the_share_and_the_error_rates_are_found_on_drawn_weights():
    is_there, clients, factors, n_police = draw(0.35)
    share = estimate_share(clients, factors, n_police, len(is_there))
    assert share == pytest.approx(is_there.mean(), abs=0.02)
    table = pd.DataFrame({
        "social_id": clients, "police_id": np.arange(len(clients)), "weight": np.log2(factors),
    })  # fmt: skip
    found = link_pairs(table[table["weight"] > -2], n_police, len(is_there), 0.8)
    chosen = found.pairs[found.pairs["is_link"]]
    is_right = is_there[chosen["social_id"]] & (chosen["police_id"] % n_police == 0)
    assert found.false_link_rate == pytest.approx(1 - is_right.mean(), abs=0.015)
    missed = 1 - is_right.sum() / is_there.sum()
    assert missed > 0.05 and found.missed_link_rate == pytest.approx(missed, abs=0.04)
