"""What is made of estimates moves as numeric differentiation says; edges; rows of two arms."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.estimators.inference import (
    Estimate,
    compare_arms,
    find_difference,
    find_ratio,
    sum_clusters,
)
from tests.cases import for_each

N = 40
Z = 1.959963984540054


def draw() -> np.ndarray:
    """Two correlated shares of each of N people."""
    rng = np.random.default_rng(3)
    first = rng.uniform(0.1, 0.9, N)
    return np.column_stack([first, np.clip(0.5 * first + rng.uniform(0, 0.4, N), 0, 1)])


def average(people: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ people / weights.sum()


def estimate(people: np.ndarray) -> Estimate:
    mean = average(people, np.ones(len(people)))
    return Estimate(mean, (people - mean) / len(people))


MADE = {
    "difference": (lambda e: e[0] - e[1], lambda p: p[0] - p[1]),
    "sum": (lambda e: e[0] + e[1], lambda p: p[0] + p[1]),
    "from a number": (lambda e: 365 - e[0], lambda p: 365 - p[0]),
    "log ratio": (lambda e: e[0].log() - e[1].log(), lambda p: np.log(p[0] / p[1])),
    "log odds ratio": (
        lambda e: e[0].logit() - e[1].logit(),
        lambda p: np.log(p[0] / (1 - p[0]) / (p[1] / (1 - p[1]))),
    ),
    "square": (lambda e: e[0].transform(np.square, 2 * e[0].value), lambda p: p[0] ** 2),
}


@for_each("name", MADE)
def test_the_delta_method_is_the_derivative_in_each_case_weight(name):
    ours, plain = MADE[name]
    people = draw()
    found = ours(estimate(people))
    assert found.value == pytest.approx(plain(average(people, np.ones(N))), rel=1e-12)
    for i in range(N):
        ends = []
        for step in (1e-5, -1e-5):
            weights = np.ones(N)
            weights[i] += step
            ends.append(plain(average(people, weights)))
        assert found.influence[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8)


@for_each("name", MADE)
def test_of_replicates_each_is_made(name):
    ours, plain = MADE[name]
    rng = np.random.default_rng(1)
    draws = rng.uniform(0.2, 0.6, (30, 2))
    found = ours(Estimate(draws.mean(axis=0), draws=draws))
    expected = np.std([plain(one) for one in draws], ddof=1)
    assert found.se == pytest.approx(expected, rel=1e-12)


def test_replicates_without_an_answer_are_left_out_and_one_tells_nothing():
    draws = np.array([[0.1, np.nan], [0.3, 0.0], [np.nan, 0.2]])
    found = Estimate(np.array([0.2, 0.2]), draws=draws)
    np.testing.assert_allclose(found.se, np.std([[0.1, 0.0], [0.3, 0.2]], axis=0, ddof=1))
    assert np.isnan(found.log().se[1]) and np.isnan((found[0] - found[1]).se)


def test_a_covariance_is_as_good_as_the_influence_it_came_from():
    whole = estimate(draw())
    root = Estimate.with_covariance(whole.value, whole.covariance)
    np.testing.assert_allclose(root.covariance, whole.covariance, atol=1e-15)
    for made in (lambda e: e[0] - e[1], lambda e: e[0].log() - e[1].log()):
        assert made(root).se == pytest.approx(made(whole).se, rel=1e-9)


def test_a_cluster_counts_once():
    """Everybody twice, as a cluster: the error is that of everybody once; apart it is smaller."""
    people, groups = draw(), np.repeat(np.arange(N), 2)
    twice = estimate(np.repeat(people, 2, axis=0))
    np.testing.assert_allclose(twice.by_cluster(groups).se, estimate(people).se, rtol=1e-12)
    np.testing.assert_allclose(twice.se, estimate(people).se / np.sqrt(2), rtol=1e-12)
    cube = np.arange(24.0).reshape(4, 3, 2)
    expected = np.stack([cube[0] + cube[2], cube[1], 0 * cube[1], cube[3]])
    np.testing.assert_array_equal(sum_clusters(cube, np.array([0, 1, 0, 3])), expected)


def test_intervals_on_their_scales():
    found = Estimate.with_error([0.2], [0.04])
    plain, logit = found.interval(), found.interval("logit")
    assert plain.low == pytest.approx(0.2 - Z * 0.04) and plain.high == pytest.approx(
        0.2 + Z * 0.04
    )
    odds = [0.25 * np.exp(sign * Z * 0.04 / 0.16) for sign in (-1, 1)]
    assert [logit.low[0], logit.high[0]] == pytest.approx([x / (1 + x) for x in odds])
    count = found.interval("log", np.array([50.0]))
    assert count.high == pytest.approx(0.2 * np.exp(Z * 0.2))
    wide = found.interval(quantile=np.array([3.0]))
    assert wide.high == pytest.approx(0.32)
    assert found.interval("log-log", np.array([50.0])).reach == 1.0


def test_at_an_edge_the_limits_are_exact_and_contrasts_made_of_both():
    """0 of 20 against 0.3 with an error of 0.1, by hand (Newcombe 1998)."""
    arms = Estimate.with_error([0.0, 0.3], [0.0, 0.1])
    limits = arms.interval("log-log", np.array([20.0, 21.0]))
    assert limits.high[0] == pytest.approx(1 - 0.025 ** (1 / 20))
    assert limits.se[0] == pytest.approx(limits.high[0] / (2 * Z))
    gap = find_difference(arms, limits)
    assert gap.low == pytest.approx(-0.3 - (limits.high[1] - 0.3))
    assert gap.high == pytest.approx(-0.3 + np.hypot(limits.high[0], 0.3 - limits.low[1]))
    assert gap.se == pytest.approx(0.1) and not gap.is_edge
    assert np.isnan(find_ratio(arms, limits).estimate)
    both = Estimate.with_error([0.0, 1.0], [0.0, 0.0])
    apart = find_difference(both, both.interval("log-log", np.array([20.0, 20.0])))
    assert apart.low == -1.0 and apart.se == pytest.approx((apart.high + 1) / (2 * Z))


def test_rows_of_two_arms():
    arms = Estimate(np.array([[0.2, 0.0], [0.4, 0.1]]), np.full((9, 2, 2), 0.01))
    rows = compare_arms(
        arms, arms.interval("log-log", np.full((2, 2), 50.0)), ("a", "b", "less", "over"),
        {"time_days": [5, 9]}, n_people=(10, 20, 30), n_events=np.array([[2, 0], [8, 2], [9, 2]]),
        is_followed=np.array([[True, True], [True, False]]),
    ).set_index(["estimand", "time_days"])  # fmt: skip
    assert rows["n_people"].tolist() == [10, 10, 20, 20, 30, 30, 30, 30]
    assert rows["n_events"].tolist() == [2, 0, 8, 2, 9, 2, 9, 2]
    assert rows.loc[("over", 5), "estimate"] == pytest.approx(0.5)
    assert rows["status"].tolist() == ["ok"] * 3 + ["not_estimable", "ok", "not_estimable", "ok",
                                                    "not_estimable"]  # fmt: skip
    assert rows.loc[("b", 9), "reason"] == "beyond_follow_up" == rows.loc[("over", 9), "reason"]
    assert rows.loc[("b", 9), ["estimate", "se", "ci_low", "ci_high"]].isna().all()
    seen = compare_arms(
        arms[:, 1:], arms[:, 1:].interval("log-log", np.full((2, 1), 50.0)),
        ("a", "b", "less", "over"), {}, n_people=(1, 1, 2), n_events=np.zeros((3, 1), int),
        is_followed=np.ones((2, 1), bool),
    )  # fmt: skip
    assert seen["reason"].tolist() == ["", "", "", "no_events_in_a_group"]
