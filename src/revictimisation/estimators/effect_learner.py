"""Learn for whom an effect is larger from noisy readings of it, one fold of victims after another.

The readings are scores whose mean among people alike is their effect (`held_out_scores`). They are
regressed on covariates by ridge regression with coefficients that are random, of one variance told
by the data (marginal likelihood): an effect modifier's levels are drawn to the common effect as far
as noise asks for it. Every level of a category has a column, so that none is a reference.

**Forward folds** (sequential validation, Wager 2024): victims are dealt into folds at random; what
is foretold of a fold was learnt from the folds before it alone. If each fold were foretold from all
the others, as in ordinary cross-validation, every pair of folds would count twice, once in either
direction, and tests that take what was foretold as given would find differences where there are
none: about one time in eight instead of one in twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.estimators.effect_kernels import foretell_forward

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

# The variance of effects beside that of the scores' noise.
SHARES = np.array([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0])


@dataclass(frozen=True, eq=False)
class Terms:
    """Covariates of entries: the columns that an entry has (-1: none) and the values in them."""

    columns: Codes
    values: Floats
    n_columns: int


def lay_terms(frame: pd.DataFrame, names: Sequence[str]) -> Terms:
    """Columns of the covariates: one for each level of a category, missing among them.

    A number has its standardised value and, where some are missing (0 there), a mark.

    Example:
        >>> people = pd.DataFrame({"sex": ["male", "female", None], "age": [30.0, 50.0, None]})
        >>> terms = lay_terms(people, ["sex", "age"])
        >>> terms.columns.tolist(), terms.values[:, 1].tolist()
        ([[1, 3, -1], [0, 3, -1], [2, 3, 4]], [-1.0, 1.0, 0.0])
    """
    columns, values, n_columns = [], [], 0
    for name in names:
        series = frame[name]
        if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
            number = series.to_numpy(dtype=np.float64, na_value=np.nan)
            is_known = ~np.isnan(number)
            columns += [np.full(len(frame), n_columns), np.where(is_known, -1, n_columns + 1)]
            values += [_standardise(number, is_known), np.where(is_known, 0.0, 1.0)]
            n_columns += 2
            continue
        codes, labels = pd.factorize(series.astype(object), sort=True, use_na_sentinel=True)
        columns.append(np.where(codes < 0, len(labels), codes) + n_columns)
        values.append(np.ones(len(frame)))
        n_columns += len(labels) + bool((codes < 0).any())
    if not columns:
        return Terms(np.empty((len(frame), 0), np.int64), np.empty((len(frame), 0)), 0)
    return Terms(np.column_stack(columns).astype(np.int64), np.column_stack(values), n_columns)


def _standardise(number: Floats, is_known: npt.NDArray[np.bool_]) -> Floats:
    known = number[is_known]
    spread = known.std() if len(known) else 0.0
    if not spread > 0:
        return np.zeros(len(number))
    return np.where(is_known, (number - known.mean()) / spread, 0.0)


def deal_folds(cluster: Codes, n_folds: int, seed: Sequence[int]) -> Codes:
    """A fold 0..n_folds - 1 for each entry; victims are dealt at random, as many to each fold.

    Depends on the seed and the victims' numbers alone.

    Example:
        >>> deal_folds(np.array([0, 0, 1, 2, 3]), 2, [1]).tolist()[:2] in ([0, 0], [1, 1])
        True
    """
    labels, place = np.unique(cluster, return_inverse=True)
    dealt = np.random.default_rng(list(seed)).permutation(len(labels)) % n_folds
    return dealt[place].astype(np.int64)


def learn_forward(terms: Terms, score: Floats, fold: Codes) -> Floats:
    """What is foretold of each entry's effect by the folds before its own, less a constant.

    NaN in fold 0. Within a fold what is foretold may be compared, between folds it may not.

    Raises:
        ValueError: scores that are not finite.
    """
    if not np.isfinite(score).all():
        raise ValueError("scores must be finite")
    n_folds = int(fold.max()) + 1
    order = np.argsort(fold, kind="stable")
    first = np.searchsorted(fold[order], np.arange(n_folds + 1))
    foretold = np.full(len(score), np.nan)
    foretell_forward(
        order, first, terms.columns, terms.values, terms.n_columns, score, SHARES, foretold
    )
    return foretold


__all__ = ["SHARES", "Terms", "deal_folds", "lay_terms", "learn_forward"]
