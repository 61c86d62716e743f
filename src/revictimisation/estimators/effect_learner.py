"""Learn for whom an effect is larger from noisy scores of it, one fold of victims after another.

The scores are pseudo-outcomes whose mean among people alike is their effect (`held_out_scores`).
They are regressed on covariates by ridge regression with coefficients that are random, of one
variance told by the data (marginal likelihood): an effect modifier's levels are drawn to the common
effect as far as noise asks for it. Every level of a category has a column, so that none is a
reference.

**Forward folds** (sequential validation, Wager 2024): victims are assigned to folds at random; what
is predicted of a fold was learnt from the folds before it alone. If each fold were predicted from
all the others, as in ordinary cross-validation, every pair of folds would count twice, once in
either direction, and tests that take what was predicted as given would find differences where there
are none: about one time in eight instead of one in twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from revictimisation.core.arrays import Codes, Flags, Floats

# The variance of effects beside that of the scores' noise.
SHARES = np.array([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0])


@dataclass(frozen=True, eq=False)
class Terms:
    """Covariates of entries: the columns that an entry has (-1: none) and the values in them."""

    columns: Codes
    values: Floats
    n_columns: int


def build_terms(frame: pd.DataFrame, names: Sequence[str]) -> Terms:
    """Columns of the covariates: one for each level of a category, missing among them.

    A number has its standardised value and, where some are missing (0 there), a mark.

    Example:
        >>> people = pd.DataFrame({"sex": ["male", "female", None], "age": [30.0, 50.0, None]})
        >>> terms = build_terms(people, ["sex", "age"])
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


def _standardise(number: Floats, is_known: Flags) -> Floats:
    known = number[is_known]
    spread = known.std() if len(known) else 0.0
    if not spread > 0:
        return np.zeros(len(number))
    return np.where(is_known, (number - known.mean()) / spread, 0.0)


def assign_folds(cluster: Codes, n_folds: int, seed: Sequence[int]) -> Codes:
    """A fold 0..n_folds - 1 for each entry; victims are assigned at random, as many to each.

    Depends on the seed and the victims' numbers alone.

    Example:
        >>> assign_folds(np.array([0, 0, 1, 2, 3]), 2, [1]).tolist()[:2] in ([0, 0], [1, 1])
        True
    """
    labels, place = np.unique(cluster, return_inverse=True)
    assigned = np.random.default_rng(list(seed)).permutation(len(labels)) % n_folds
    return assigned[place].astype(np.int64)


def learn_forward(terms: Terms, score: Floats, fold: Codes) -> Floats:
    """What is predicted of each entry's effect by the folds before its own, less a constant.

    NaN in fold 0. Within a fold what is predicted may be compared, between folds it may not.

    Raises:
        ValueError: scores that are not finite.
    """
    if not np.isfinite(score).all():
        raise ValueError("scores must be finite")
    n_folds = int(fold.max()) + 1
    columns = _spread(terms)
    predicted = np.full(len(score), np.nan)
    moments = Moments.of(np.zeros((0, terms.n_columns)), score[:0])
    for k in range(1, n_folds):
        moments += Moments.of(columns[fold == k - 1].toarray(), score[fold == k - 1])
        # row by row, so that people alike are predicted alike to the last digit
        predicted[fold == k] = columns[fold == k] @ fit_ridge(moments)
    return predicted


def _spread(terms: Terms) -> csr_array:
    """The terms' columns, entries x columns."""
    entry, place = np.nonzero(terms.columns >= 0)
    shape = (len(terms.columns), terms.n_columns)
    at = (entry, terms.columns[entry, place])
    return csr_array((terms.values[entry, place], at), shape=shape)


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over entries: their number, of columns and scores, and of their products."""

    n: float
    columns: Floats
    score: float
    gram: Floats
    cross: Floats
    square: float

    @classmethod
    def of(cls, columns: Floats, score: Floats) -> Moments:
        """Those of some entries."""
        return cls(
            n=float(len(score)),
            columns=columns.sum(axis=0),
            score=float(score.sum()),
            gram=columns.T @ columns,
            cross=columns.T @ score,
            square=float((score**2).sum()),
        )

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.n + other.n, self.columns + other.columns, self.score + other.score,
            self.gram + other.gram, self.cross + other.cross, self.square + other.square,
        )  # fmt: skip


def fit_ridge(moments: Moments) -> Floats:
    """The coefficients (without intercept) at the likeliest of `SHARES`.

    Coefficients are random with one variance; the likelihood is the marginal one, means and noise
    taken out.
    """
    mean = moments.columns / moments.n
    centred = moments.gram - np.outer(mean, moments.columns)
    right = moments.cross - mean * moments.score
    total = moments.square - moments.score**2 / moments.n
    trace = np.trace(centred)
    if not trace > 0 or not total > 0:
        return np.zeros_like(right)
    size, directions = np.linalg.eigh(centred)
    along = np.einsum("jk,j->k", directions, right)
    ratios = (SHARES * moments.n / trace)[:, None]
    spread = 1 + ratios * size  # of the columns' combinations, shares x directions
    shrunk = ratios * along / spread
    left = np.maximum(total - shrunk @ along, 1e-300)
    likelihood = -0.5 * (np.log(spread).sum(axis=1) + (moments.n - 1) * np.log(left))
    found: Floats = np.einsum("jk,k->j", directions, shrunk[np.argmax(likelihood)])
    return found
