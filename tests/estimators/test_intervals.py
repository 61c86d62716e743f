"""Limits of a risk next to 0 or 1: where nothing is known they say so, without a warning."""

import math

import numpy as np
import pytest

from revictimisation.estimators.intervals import loglog_interval
from tests.cases import for_each


@for_each("risk", [5e-324, 1e-300, 1e-17, 1e-9, 1 - 1e-9, 1 - 2**-53])
@for_each("se", [0.01, 0.5, 1.0])
def test_an_error_far_larger_than_the_distance_to_the_edge_says_nothing(risk, se):
    """As few people give with a model that tells them apart: pytest makes warnings errors."""
    low, high = loglog_interval(np.array([risk]), np.array([se]), np.array([20.0]))
    assert low[0] == pytest.approx(0.0, abs=1e-12)
    assert high[0] == pytest.approx(1.0, abs=1e-12)


@for_each("risk", [1e-8, 1e-3, 0.4, 0.999])
def test_elsewhere_it_is_the_formula(risk):
    """log(-log S) plus and minus 1.96 errors / |S log S|, reckoned with Python's own numbers."""
    se = 0.2 * min(risk, 1 - risk)
    low, high = loglog_interval(np.array([risk]), np.array([se]), np.array([20.0]))
    log_survival = math.log1p(-risk)
    half = 1.959963984540054 * se / abs((1 - risk) * log_survival)
    limits = [-math.expm1(log_survival * math.exp(sign * half)) for sign in (-1, 1)]
    assert [low[0], high[0]] == pytest.approx(limits, rel=1e-12)
