"""How much a starter's own weight is held back by the starter's own part in the fit.

Who starts against the odds raises the fitted chance of a start like that, and so lowers the own
weight. Where starts are few for the columns of the model, residuals weighted so are too small and
errors by influence with them, as least-squares residuals are: leaving the entry out would turn the
log odds of its start day back by x' C s (its column x, the coefficients' covariance C, its score
s: one Newton step), and the weight, one over a small chance, up by exp(x' C s). Errors with that
factor are the jackknife's, a little too large, without it a little too small; its root is taken,
as HC2 stands between HC0 and HC3 (MacKinnon & White 1985; for weights and clusters Mancl & DeRouen
2001, Fay & Graubard 2001).
"""

from __future__ import annotations

import numpy as np

from revictimisation.core.arrays import Floats
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial
from revictimisation.estimators.target_trial.pooled_logistic import find_residuals


def find_leverage_factors(weighted: WeightedTrial) -> Floats:
    """Factor for each entry's weighted residuals in the start clones; 1 where it has not started.

    1 for all where the start model is given, not fitted.
    """
    trial, pooled = weighted.trial, weighted.daily.pooled
    who = np.flatnonzero(trial.people.start >= 0)
    base = trial.matrix[trial.people.row[who]].toarray()
    residuals = find_residuals(trial, pooled, weighted.daily.odds)[who]
    scores = np.hstack([residuals @ pooled.effects, residuals.sum(axis=1)[:, None] * base])
    columns = np.hstack([pooled.effects[pooled.cell[pooled.first[who + 1] - 1]], base])
    moved = np.einsum("ik,km->im", columns, weighted.daily.covariance)
    factors = np.ones(trial.n_entries)
    factors[who] = np.exp((moved * scores).sum(axis=1) / 2)
    return factors
