"""Cox's and the logistic model by their definitions: dense, a risk set at a time.

What a victim moves a coefficient is the inverse information times the victim's score residuals
(Lin & Wei's sandwich); for the logistic model the same by the complex step of `counting`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FAR = 10.0  # a coefficient of a 0/1 column beyond this has no end
FARTHEST = 25.0  # where a search for one without end is given up
SETTLED = 1e-7


@dataclass
class Fit:
    """Coefficients and cluster-robust errors; `is_finite`: whether a column has an answer."""

    coef: np.ndarray
    se: np.ndarray
    is_finite: np.ndarray


def fit_cox(x, start, stop, is_event, cluster, stratum=None, weights=None) -> Fit | None:
    """Efron's ties, strata; None where the search finds no end."""
    data = _CoxData(x, start, stop, is_event, stratum, weights)
    beta = np.zeros(x.shape[1])
    state = data.look(beta)
    for _ in range(100):
        step = np.linalg.lstsq(state[2], state[1], rcond=1e-13)[0]
        step *= min(1.0, 4.0 / max(np.abs(step).max(initial=0.0), 1e-300))
        for _ in range(30):
            found = data.look(beta + step)
            if found[0] >= state[0] - 1e-12:
                break
            step = step / 2
        beta, state = beta + step, found
        if np.abs(step).max(initial=0.0) < 1e-10 or np.abs(beta).max(initial=0.0) > FARTHEST:
            break
    is_finite = (np.abs(beta) < FAR) & _can_be_told(data.look(np.zeros(x.shape[1]))[2])
    if np.abs(state[1][is_finite]).max(initial=0.0) > SETTLED * max(1, is_event.sum()):
        return None
    labels = np.unique(cluster, return_inverse=True)[1]
    moved = np.zeros((labels.max() + 1, x.shape[1]))
    np.add.at(moved, labels, data.residuals(beta))
    moves = np.linalg.lstsq(state[2], moved.T, rcond=1e-13)[0]
    return Fit(beta, np.sqrt((moves**2).sum(axis=1)), is_finite)


def _can_be_told(info: np.ndarray) -> np.ndarray:
    """By column: whether the risk sets tell it from all the others together."""
    told = np.zeros(len(info), bool)
    for place in range(len(info)):
        rest = np.delete(np.arange(len(info)), place)
        own, beside, others = info[place, place], info[place, rest], info[np.ix_(rest, rest)]
        left = own - beside @ np.linalg.lstsq(others, beside, rcond=1e-11)[0] if len(rest) else own
        told[place] = own > 0 and left > 1e-8 * own
    return told


class _CoxData:
    """Who is at risk at each event day of each stratum, found once."""

    def __init__(self, x, start, stop, is_event, stratum, weights) -> None:
        self.x = x
        self.weights = np.ones(len(x)) if weights is None else weights
        strata = np.zeros(len(x)) if stratum is None else stratum
        self.sets = []
        for one in np.unique(strata):
            for day in np.unique(stop[is_event & (strata == one)]):
                at_risk = np.flatnonzero((strata == one) & (start < day) & (day <= stop))
                tied = is_event[at_risk] & (stop[at_risk] == day)
                self.sets.append((at_risk, tied))

    def look(self, beta):
        """Log likelihood, score and information."""
        line = self.x @ beta
        p = len(beta)
        loglik, score, info = 0.0, np.zeros(p), np.zeros((p, p))
        for at_risk, tied in self.sets:
            x, w = self.x[at_risk], self.weights[at_risk]
            r = w * np.exp(line[at_risk])
            d, mean_weight = tied.sum(), w[tied].mean()
            loglik += w[tied] @ line[at_risk][tied]
            score += w[tied] @ x[tied]
            for k in range(d):
                part = r * np.where(tied, 1 - k / d, 1.0)
                total, mean = part.sum(), part @ x / part.sum()
                loglik -= mean_weight * np.log(total)
                score -= mean_weight * mean
                info += mean_weight * ((x * part[:, None]).T @ x / total - np.outer(mean, mean))
        return loglik, score, info

    def residuals(self, beta):
        """Score residuals: what each row adds to the score, as an event and as one at risk."""
        line = self.x @ beta
        found = np.zeros_like(self.x)
        for at_risk, tied in self.sets:
            x, w = self.x[at_risk], self.weights[at_risk]
            r = w * np.exp(line[at_risk])
            d, mean_weight = tied.sum(), w[tied].mean()
            for k in range(d):
                part = r * np.where(tied, 1 - k / d, 1.0)
                apart = x - part @ x / part.sum()
                found[at_risk] += (w * tied / d)[:, None] * apart
                found[at_risk] -= mean_weight * (part / part.sum())[:, None] * apart
        return found


def fit_logistic(x, is_event, weights) -> np.ndarray:
    """Coefficients (columns of `x` as they stand) at many sets of weights at once: columns x sets.

    Newton's method at the real weights; a step at the complex ones carries the derivative. Where
    the likelihood rises for ever the search ends far out.
    """
    base = np.real(weights[:, 0])
    beta = _climb(x, is_event, base, penalty=0.0)
    chance, info = _inform(x, base, beta)
    moved = x.T @ (weights * (is_event - chance)[:, None])
    return beta[:, None] + 1j * np.linalg.lstsq(info, np.imag(moved), rcond=1e-14)[0]


def fit_firth(x, is_event, weights) -> np.ndarray:
    """Firth's penalty, then the intercept (first column) anew by maximum likelihood (FLIC)."""
    beta = _climb(x, is_event, weights, penalty=0.5)
    for _ in range(100):
        p = 1 / (1 + np.exp(-(x @ beta)))
        beta[0] += (weights * (is_event - p)).sum() / (weights * p * (1 - p)).sum()
    return beta


def _inform(x, weights, beta) -> tuple[np.ndarray, np.ndarray]:
    """Chances and information."""
    chance = 1 / (1 + np.exp(-x @ beta))
    return chance, (x * (weights * chance * (1 - chance))[:, None]).T @ x


def _climb(x, is_event, weights, penalty: float) -> np.ndarray:
    """Up the likelihood plus `penalty` times the log determinant of the information (Firth: 1/2).

    Steps of the information, halved until they climb.
    """

    def height(beta: np.ndarray) -> float:
        line = x @ beta
        found = float((weights * (is_event * line - np.logaddexp(0, line))).sum())
        if penalty:
            found += penalty * np.linalg.slogdet(_inform(x, weights, beta)[1])[1]
        return found

    beta = np.zeros(x.shape[1])
    for _ in range(2000):
        chance, info = _inform(x, weights, beta)
        residual = weights * (is_event - chance)
        if penalty:
            spread = weights * chance * (1 - chance)
            leverage = spread * np.einsum("ij,jk,ik->i", x, np.linalg.pinv(info), x)
            residual = residual + 2 * penalty * leverage * (0.5 - chance)
        step = np.linalg.lstsq(info, x.T @ residual, rcond=1e-14)[0]
        step *= min(1.0, 3.0 / max(np.abs(step).max(), 1e-300))
        while height(beta + step) < height(beta) - 1e-12 and np.abs(step).max() > 1e-12:
            step = step / 2
        beta = beta + step
        if np.abs(step).max() < 1e-11 or np.abs(beta).max() > FARTHEST:
            break
    return beta
