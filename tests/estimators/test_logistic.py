"""Firth's logistic regression ends where its penalised likelihood is highest."""

from __future__ import annotations

import numpy as np

from revictimisation.estimators.logistic import build_columns, fit_logistic

STEP = 1e-4


def find_penalised(full: np.ndarray, event: np.ndarray, coef: np.ndarray) -> float:
    """The log likelihood and half the log determinant of the information, as Firth defines it."""
    line = full @ coef
    spread = np.exp(-np.logaddexp(0, line) - np.logaddexp(0, -line))
    penalty = 0.5 * np.linalg.slogdet((full.T * spread) @ full)[1]
    return float((event * line - np.logaddexp(0, line)).sum() + penalty)


def test_search_ends_at_the_top_also_where_single_steps_hardly_shrink():
    random = np.random.default_rng(0)
    for _ in range(40):
        n, k = int(random.integers(25, 90)), int(random.integers(2, 9))
        design = (random.random((n, k)) < random.uniform(0.02, 0.2, k)).astype(float)
        event = (random.random(n) < random.uniform(0.05, 0.5)).astype(float)
        full = np.column_stack([np.ones(n), design])
        if not 0 < event.sum() < n or np.linalg.matrix_rank(full) <= k:
            continue
        fit = fit_logistic(
            build_columns(design), event, is_firth=True, has_intercept_corrected=False
        )
        assert fit.is_converged
        top = find_penalised(full, event, fit.coef)
        for move in np.eye(k + 1) * STEP:
            beside = [find_penalised(full, event, fit.coef + sign * move) for sign in (1, -1)]
            assert max(beside) <= top
            # the slope is nought: both sides fall alike
            assert abs(beside[0] - beside[1]) < 1e-3 * STEP
