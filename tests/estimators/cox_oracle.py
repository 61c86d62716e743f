"""The Cox partial likelihood by its definition, one risk set at a time: slow and plain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Answer:
    """Likelihood, its derivatives, and each episode's score residual."""

    loglik: float
    score: np.ndarray
    info: np.ndarray
    residuals: np.ndarray  # a row per episode


def evaluate_cox(x, start, stop, is_event, beta, strata=None, weights=None) -> Answer:
    """Efron's likelihood: tied events leave the risk set in d equal steps, by mean weight."""
    n, p = x.shape
    strata = np.zeros(n) if strata is None else np.asarray(strata)
    weights = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    risk = weights * np.exp(x @ beta)
    answer = Answer(0.0, np.zeros(p), np.zeros((p, p)), np.zeros((n, p)))
    loglik = float(np.sum((weights * (x @ beta))[is_event]))
    for stratum in np.unique(strata):
        for day in np.unique(stop[is_event & (strata == stratum)]):
            at_risk = (strata == stratum) & (start < day) & (day <= stop)
            tied = at_risk & is_event & (stop == day)
            share = weights[tied].mean()
            for step in range(tied.sum()):
                part = np.where(tied, 1 - step / tied.sum(), 1.0) * at_risk * risk
                mean = part @ x / part.sum()
                apart = x - mean
                loglik -= share * np.log(part.sum())
                answer.score[:] += share * (weights[tied] @ apart[tied]) / weights[tied].sum()
                answer.info[:] += share * (apart * part[:, None]).T @ apart / part.sum()
                answer.residuals[:] += (weights * tied / tied.sum())[:, None] * apart
                answer.residuals[:] -= share * (part / part.sum())[:, None] * apart
    return Answer(loglik, answer.score, answer.info, answer.residuals)
