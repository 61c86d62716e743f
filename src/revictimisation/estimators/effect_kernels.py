"""The compiled ridge regression of scores on covariates, each fold foretold by those before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from revictimisation.core.compiled import kernel


@kernel
def add_moments(
    chosen: Any, columns: Any, values: Any, score: Any, gram: Any, cross: Any, square: Any
) -> None:
    """Add the chosen entries' cross-products; column 0 is the intercept, a term's -1 is none."""
    for i in chosen:
        square[0] += score[i] * score[i]
        gram[0, 0] += 1.0
        cross[0] += score[i]
        for a in range(columns.shape[1]):
            first, x = columns[i, a] + 1, values[i, a]
            if first == 0:
                continue
            gram[0, first] += x
            cross[first] += x * score[i]
            for b in range(columns.shape[1]):
                second = columns[i, b] + 1
                if second > 0:
                    gram[first, second] += x * values[i, b]


@kernel
def factor_ratio(centred: Any, ratio: Any, lower: Any) -> Any:
    """Cholesky factor of I + ratio x centred, and the logarithm of its determinant."""
    logs = 0.0
    for k in range(centred.shape[0]):
        for m in range(k, centred.shape[0]):
            total = ratio * centred[m, k]
            if m == k:
                total += 1.0
            for j in range(k):
                total -= lower[m, j] * lower[k, j]
            lower[m, k] = np.sqrt(total) if m == k else total / lower[k, k]
        logs += 2 * np.log(lower[k, k])
    return logs


@kernel
def solve_factored(lower: Any, right: Any, answer: Any) -> None:
    """Solve lower lower' answer = right."""
    n = right.size
    for k in range(n):
        total = right[k]
        for m in range(k):
            total -= lower[k, m] * answer[m]
        answer[k] = total / lower[k, k]
    for k in range(n - 1, -1, -1):
        total = answer[k]
        for m in range(k + 1, n):
            total -= lower[m, k] * answer[m]
        answer[k] = total / lower[k, k]


@kernel
def fit_ridge(gram: Any, cross: Any, square: Any, shares: Any, beta: Any) -> Any:
    """Fill beta (without intercept) for the likeliest of the `shares`; return its place.

    A share is how much the effects vary beside the scores' noise (variances). Coefficients are
    random with one variance; the likelihood is the marginal one, means and noise taken out.
    """
    n, p = gram[0, 0], beta.size
    centred, right = np.empty((p, p)), np.empty(p)
    trace = 0.0
    for k in range(p):
        right[k] = cross[k + 1] - gram[0, k + 1] * cross[0] / n
        for m in range(p):
            centred[k, m] = gram[k + 1, m + 1] - gram[0, k + 1] * gram[0, m + 1] / n
        trace += centred[k, k]
    beta[:] = 0.0
    total = square - cross[0] * cross[0] / n
    if not trace > 0 or not total > 0:
        return -1
    best, place = -np.inf, -1
    lower, found = np.zeros((p, p)), np.empty(p)
    for s in range(shares.size):
        ratio = shares[s] * n / trace
        logs = factor_ratio(centred, ratio, lower)
        solve_factored(lower, right, found)
        explained = 0.0
        for k in range(p):
            explained += right[k] * found[k]
        left = total - ratio * explained
        likelihood = -0.5 * (logs + (n - 1) * np.log(max(left, 1e-300)))
        if likelihood > best:
            best, place = likelihood, s
            for k in range(p):
                beta[k] = ratio * found[k]
    return place


@kernel
def foretell(chosen: Any, columns: Any, values: Any, beta: Any, foretold: Any) -> None:
    """Fill what the coefficients foretell of the chosen entries, less a constant."""
    for i in chosen:
        foretold[i] = 0.0
        for a in range(columns.shape[1]):
            if columns[i, a] >= 0:
                foretold[i] += values[i, a] * beta[columns[i, a]]


@kernel
def foretell_forward(
    order: Any, first: Any, columns: Any, values: Any, n_columns: Any, score: Any, shares: Any,
    foretold: Any,
) -> None:  # fmt: skip
    """Foretell each fold from those before it; the first fold is left as it is.

    Entries of fold k are order[first[k]:first[k + 1]].
    """
    gram, cross = np.zeros((n_columns + 1, n_columns + 1)), np.zeros(n_columns + 1)
    square, beta = np.zeros(1), np.zeros(n_columns)
    for k in range(1, first.size - 1):
        add_moments(order[first[k - 1] : first[k]], columns, values, score, gram, cross, square)
        fit_ridge(gram, cross, square[0], shares, beta)
        foretell(order[first[k] : first[k + 1]], columns, values, beta, foretold)
