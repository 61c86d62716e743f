"""Estimated shares of missed and false links: by hand, and as often right as they say."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.extract.linkage.error_rates import (
    Check,
    Tally,
    describe_error_rates,
    foretell_share,
)

CHECK = Check(n_true=2000, n_links=1970, n_right=1960, seen=0.995, expected_false=0.001,
              expected_missed=0.01)  # fmt: skip
TALLY = Tally(n_same=1800, n_known_police=2900, n_known_social=3000, n_unfound=(0, 0),
              n_absent=(0, 0), n_hidden=(10, 0), n_probable=90, model_false=0.002,
              model_missed=0.011, n_model=91.0)  # fmt: skip


def test_the_limits_are_those_of_r():
    """R 4.2.2, the beta-binomial by its definition.

    n <- 100; k <- 0:n; a <- 10.5; b <- 990.5
    p <- exp(lchoose(n, k) + lbeta(k + a, n - k + b) - lbeta(a, b)); cumsum(p)[1:5]
    0.365928 0.718588 0.903018 0.972268 0.993134
    """
    share = foretell_share(10, 1000, 100)
    assert share.value == pytest.approx(10.5 / 1001)
    assert (share.low, share.high) == (0.0, 0.04)


def test_nobody_new_leaves_the_uncertainty_of_the_rate():
    share = foretell_share(10, 1000, 0)
    assert 0.004 < share.low < share.value < share.high < 0.02


def test_the_limits_hold_what_is_seen_as_often_as_they_say():
    rng = np.random.default_rng(4)
    n_held = 0
    for _ in range(400):
        rate = rng.beta(2, 98)
        share = foretell_share(rng.binomial(2000, rate), 2000, 90)
        n_held += share.low <= rng.binomial(90, rate) / 90 <= share.high
    assert 0.93 < n_held / 400 <= 1


def test_rates_by_hand():
    rates = describe_error_rates(TALLY, CHECK)
    missed, false = 40.5 / 2001, 10.5 / 1971
    assert rates["missed_link_rate_by_probability"] == pytest.approx(missed)
    assert rates["false_link_rate_by_probability"] == pytest.approx(false)
    there = 90 * (1 - false) / (1 - missed)
    lost = 10 * 1800.5 / 2901
    assert rates["n_expected_without_number"] == pytest.approx(there)
    assert rates["n_links_lost_to_new_identities"] == pytest.approx(lost)
    right = 1800 + 90 * (1 - false)
    assert rates["missed_link_rate"] == pytest.approx(1 - right / (1800 + there + lost))
    assert rates["false_link_rate"] == pytest.approx(90 * false / 1890)
    for name in ("missed_link_rate", "false_link_rate", "missed_link_rate_by_probability"):
        assert rates[f"{name}_low"] < rates[name] < rates[f"{name}_high"]


def test_limits_are_wide_enough_for_what_the_model_expects():
    gloomy = Tally(**{**TALLY.__dict__, "model_missed": 0.3, "model_false": 0.2})
    rates = describe_error_rates(gloomy, CHECK)
    assert rates["missed_link_rate_by_probability_high"] == 0.3
    assert rates["false_link_rate_by_probability_high"] == 0.2
    assert (
        rates["missed_link_rate_high"] > describe_error_rates(TALLY, CHECK)["missed_link_rate_high"]
    )


def test_without_linkage_by_probability_those_without_a_number_are_missed_as_the_others_are_known():
    off = Tally(n_same=1800, n_known_police=2900, n_known_social=3000, n_unfound=(0, 150),
                n_absent=(0, 0), n_hidden=(0, 0))  # fmt: skip
    rates = describe_error_rates(off, None)
    there = 150 * 1800.5 / 3001
    assert rates["n_expected_without_number"] == pytest.approx(there)
    assert rates["missed_link_rate"] == pytest.approx(there / (1800 + there))
    assert (rates["false_link_rate"], rates["false_link_rate_high"]) == (0, 0)
    assert rates["missed_link_rate_low"] < rates["missed_link_rate"]


def test_nothing_linked_and_nothing_there():
    rates = describe_error_rates(Tally(0, 0, 0, (0, 0), (0, 0), (0, 0)), None)
    assert rates["missed_link_rate"] == rates["false_link_rate"] == 0


def test_who_cannot_be_found_is_missed_and_who_is_in_no_persons_is_told_apart():
    blank = Tally(**{**TALLY.__dict__, "n_unfound": (20, 0), "n_absent": (15, 6)})
    rates, before = describe_error_rates(blank, CHECK), describe_error_rates(TALLY, CHECK)
    back, forth = 1800.5 / 2901, 1800.5 / 3001
    gained = rates["n_expected_without_number"] - before["n_expected_without_number"]
    assert gained == pytest.approx(20 * back)
    assert rates["n_links_lost_to_not_in_persons"] == pytest.approx(15 * back + 6 * forth)
    assert rates["missed_link_rate"] > before["missed_link_rate"]
    only_absent = Tally(**{**TALLY.__dict__, "n_absent": (15, 6)})
    assert (
        describe_error_rates(only_absent, CHECK)["missed_link_rate"] == before["missed_link_rate"]
    )
