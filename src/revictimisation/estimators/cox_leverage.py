"""What each cluster does to a coefficient of a Cox model, and its share of what is known of it.

With v the coefficient's row of the covariance, an episode's a = v'x less the day's mean of it is
its column with all others partialled out. The **influence** is v' times the cluster's summed score
residuals, whose squares sum to Lin and Wei's robust variance. The **leverage** is the cluster's
share of the coefficient's information: the sum over its days at risk of r h (a - mean a)^2, r its
risk, h the day's hazard (as in a linear model of expected events; the score residuals of Poisson
regression have the same). Tied events count at their day with r (1 - f), f Efron's mean share.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from revictimisation.core.arrays import Floats
from revictimisation.estimators.cox_data import CoxData
from revictimisation.estimators.newton import State, predict_blocks
from revictimisation.estimators.small_sample import correct_error


def correct_column(
    data: CoxData, state: State, covariance: Floats, column: int
) -> tuple[float, float]:
    """The jackknife's error of a coefficient, and its degrees of freedom (`small_sample`).

    NaN where a hazard is beyond all numbers.
    """
    if not (np.isfinite(state.table).all() and covariance[column, column] > 0):
        return np.nan, np.nan
    se, freedom = correct_error(*find_cluster_shares(data, state, covariance, column))
    return se / float(data.scale[column]), freedom


def find_cluster_shares(
    data: CoxData, state: State, covariance: Floats, column: int
) -> tuple[Floats, Floats]:
    """Influence (in the units of `covariance`) and leverage of each cluster, by label."""
    assert data.cluster is not None
    slots, is_event, r, v = data.slots, data.is_event, state.r, covariance[column]
    low, high, cumulated = slots.low, slots.high, state.cumulated
    h, rho, q0, q1, q2 = state.table.T
    a = predict_blocks(data, v[: data.n_base])[data.rows] + _predict_own(data, v[data.n_base :])
    at_risk, tied = state.s1 @ v, state.d1 @ v
    mean = (h * at_risk - rho * tied) / np.where(slots.weight_tied > 0, slots.weight_tied, 1.0)
    means = slots.sum_forwards(q0 * at_risk - q1 * tied)
    hazard = cumulated[high] - cumulated[low]
    score = r * (means[high] - means[low] - a * hazard)
    own = data.weights * (a - mean[high]) + r * (a * rho[high] - (q1 * at_risk - q2 * tied)[high])
    score += np.where(is_event, own, 0.0)
    shift = a.mean()
    a, mean = a - shift, mean - shift  # the same, with fewer digits lost in squares
    first, second = slots.sum_forwards(h * mean), slots.sum_forwards(h * mean**2)
    known = r * (a * (a * hazard - 2 * (first[high] - first[low])) + second[high] - second[low])
    known -= np.where(is_event, r * rho[high] * (a - mean[high]) ** 2, 0.0)
    cluster = np.unique(data.cluster, return_inverse=True)[1]
    influence: Floats = np.bincount(cluster, score).astype(np.float64)
    leverage: Floats = np.maximum(np.bincount(cluster, known), 0.0)
    return influence, leverage / leverage.sum()


def _predict_own(data: CoxData, coef: Floats) -> Floats:
    """x'v of the columns that belong to each episode."""
    pointers, indices, values = data.own
    own = csr_array((values, indices, pointers), shape=(len(pointers) - 1, len(coef)))
    predicted: Floats = own @ coef
    return predicted
