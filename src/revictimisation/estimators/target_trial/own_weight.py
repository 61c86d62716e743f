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

from typing import Any

import numpy as np
import numpy.typing as npt

from revictimisation.core.compiled import kernel
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial

Floats = npt.NDArray[np.float64]


def find_own_factors(weighted: WeightedTrial) -> Floats:
    """Factor for each entry's weighted residuals in the start clones; 1 where it has not started.

    1 for all where the start model is given, not fitted.
    """
    trial, model = weighted.trial, weighted.daily
    shifts = np.zeros(trial.n_entries)
    _fill_shifts(
        trial.people, model.pooled, trial.columns, model.row_odds, model.cell_odds,
        model.covariance, shifts,
    )  # fmt: skip
    factors: Floats = np.exp(shifts / 2)
    return factors


@kernel
def _add_row(amount: Any, row: Any, total: Any) -> None:
    for k in range(total.size):
        total[k] += amount * row[k]


@kernel
def _fill_shifts(
    people: Any, pooled: Any, columns: Any, row_odds: Any, cell_odds: Any, covariance: Any,
    shifts: Any,
) -> None:  # fmt: skip
    """x' C s of each starter's start day."""
    n_effects = pooled.effects.shape[1]
    moved = np.empty(covariance.shape[0])
    for i in range(people.stop.size):
        if people.start[i] < 0:
            continue
        row, last = people.row[i], pooled.first[i + 1] - 1
        low, high = columns.pointers[row], columns.pointers[row + 1]
        moved[:] = 0.0
        for k in range(n_effects):
            amount = pooled.effects[pooled.cell[last], k]
            if amount != 0:
                _add_row(amount, covariance[k], moved)
        for c in range(low, high):
            _add_row(columns.values[c], covariance[n_effects + columns.indices[c]], moved)
        base = 0.0
        for c in range(low, high):
            base += columns.values[c] * moved[n_effects + columns.indices[c]]
        for k in range(pooled.first[i], last + 1):
            odds = row_odds[row] * cell_odds[pooled.cell[k]]
            left = -pooled.days[k] * odds / (1 + odds)
            if k == last:
                left += 1
            effect = base
            for m in range(n_effects):
                effect += pooled.effects[pooled.cell[k], m] * moved[m]
            shifts[i] += left * effect


__all__ = ["find_own_factors"]
