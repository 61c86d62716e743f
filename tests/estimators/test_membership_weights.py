"""Transported means: a table reckoned by hand, and truth that was simulated."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.membership_weights import (
    transport,
    transport_plain,
    weigh_membership,
)


def simulate_two(rng, n_people):
    """Covariates, who is of the source, victims, and a noisy finding in the source.

    Its mean in people of covariate x is -0.1 + 0.08 x, so in the target, where x has mean 0.8,
    -0.036.
    """
    is_source = np.arange(n_people) < n_people // 2
    victim = np.where(is_source, rng.integers(0, n_people // 3, n_people),
                      n_people + rng.integers(0, n_people // 3, n_people))  # fmt: skip
    trait = rng.normal(size=2 * n_people)[victim]
    x = np.where(is_source, 0.0, 0.8) + 0.6 * trait + 0.8 * rng.normal(size=n_people)
    z = rng.binomial(1, 0.4, n_people)
    found = -0.1 + 0.08 * x + 0.2 * rng.normal(size=2 * n_people)[victim]
    found += 0.2 * rng.normal(size=n_people)
    return np.column_stack([x, z]), is_source, victim, found[is_source]


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, n_studies = np.random.default_rng(5), 400
    truth, held, plain = -0.1 + 0.08 * 0.8, np.zeros(2), 0
    for _ in range(n_studies):
        columns, is_source, victim, found = simulate_two(rng, 700)
        both = weigh_membership(design_from_array(columns, ["x", "z"]), is_source, victim)
        limits = transport(both, found).interval()
        held += (limits.low < truth) & (truth < limits.high)
        own = transport_plain(both, found).interval()
        plain += bool(own.low[0] < truth < own.high[0])
    assert ((held / n_studies > 0.92) & (held / n_studies < 0.98)).all()
    assert plain / n_studies < 0.3


def test_categories_are_weighted_to_the_target_exactly():
    source, target = [0] * 30 + [1] * 10, [0] * 10 + [1] * 30
    level = np.array([*source, *target], float)[:, None]
    both = weigh_membership(design_from_array(level, ["x"]), np.arange(80) < 40)
    found = np.where(np.array(source) == 1, 5.0, 1.0)
    assert transport(both, found).value == pytest.approx([4.0, 4.0])
    assert transport_plain(both, found).value == pytest.approx([2.0])
    # 30 people stand for 10 and 10 for 30: (10 + 30)^2 / (30 / 9 + 10 x 9)
    assert both.effective_size == pytest.approx(1600 / (30 / 9 + 90))
    assert both.share_outside == 0.0


def test_those_unlike_all_of_the_source_are_counted():
    x = np.array([*np.linspace(0, 1, 50), *np.linspace(0, 2, 50)])
    both = weigh_membership(design_from_array(x[:, None], ["x"]), np.arange(100) < 50)
    assert both.share_outside == pytest.approx(0.5, abs=0.03)


def test_without_overlap_or_people_it_cannot_be_told():
    x = np.arange(20.0)[:, None]
    with pytest.raises(NotEstimableError, match="no_overlap"):
        weigh_membership(design_from_array(x, ["x"]), np.arange(20) < 10)
    with pytest.raises(NotEstimableError, match="empty_cohort"):
        weigh_membership(design_from_array(x, ["x"]), np.ones(20))
