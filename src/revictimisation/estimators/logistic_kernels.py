"""Sums over the rows of a sparse design, in order: the same on any number of cores."""

from __future__ import annotations

import numpy as np

from revictimisation.core.compiled import kernel


@kernel
def sum_information(indptr, indices, values, weight, n_columns):  # type: ignore[no-untyped-def]
    """X' diag(weight) X of a matrix by rows."""
    info = np.zeros((n_columns, n_columns))
    for row in range(weight.size):
        if weight[row] == 0.0:
            continue
        for one in range(indptr[row], indptr[row + 1]):
            scaled = weight[row] * values[one]
            for two in range(indptr[row], one + 1):
                info[indices[one], indices[two]] += scaled * values[two]
    for one in range(n_columns):
        for two in range(one):
            info[two, one] = info[one, two]
    return info


@kernel
def find_quadratic(indptr, indices, values, matrix):  # type: ignore[no-untyped-def]
    """x' matrix x for each row x."""
    found = np.zeros(indptr.size - 1)
    for row in range(found.size):
        total = 0.0
        for one in range(indptr[row], indptr[row + 1]):
            for two in range(indptr[row], indptr[row + 1]):
                total += values[one] * values[two] * matrix[indices[one], indices[two]]
        found[row] = total
    return found


@kernel
def multiply(indptr, indices, values, vector):  # type: ignore[no-untyped-def]
    """X times a vector."""
    found = np.zeros(indptr.size - 1)
    for row in range(found.size):
        for one in range(indptr[row], indptr[row + 1]):
            found[row] += values[one] * vector[indices[one]]
    return found


@kernel
def sum_columns(indptr, indices, values, amount, n_columns):  # type: ignore[no-untyped-def]
    """X' times a vector."""
    total = np.zeros(n_columns)
    for row in range(amount.size):
        for one in range(indptr[row], indptr[row + 1]):
            total[indices[one]] += values[one] * amount[row]
    return total


@kernel
def invert(info, tolerance):  # type: ignore[no-untyped-def]
    """Inverse of a symmetric matrix and half its log determinant, both over the columns kept.

    Column k is left out (zero row and column) when what the columns before it leave of its diagonal
    is at most `tolerance` times the diagonal.
    """
    n = info.shape[0]
    factor = np.zeros((n, n))
    lower = np.zeros((n, n))  # inverse of the factor
    half_log = 0.0
    for k in range(n):
        pivot = info[k, k]
        for j in range(k):
            pivot -= factor[k, j] * factor[k, j]
        if not pivot > tolerance * info[k, k]:
            for j in range(k):
                factor[k, j] = 0.0
            continue
        factor[k, k] = np.sqrt(pivot)
        half_log += np.log(factor[k, k])
        for i in range(k + 1, n):
            total = info[i, k]
            for j in range(k):
                total -= factor[i, j] * factor[k, j]
            factor[i, k] = total / factor[k, k]
        lower[k, k] = 1.0 / factor[k, k]
        for column in range(k):
            total = 0.0
            for j in range(column, k):
                total += factor[k, j] * lower[j, column]
            lower[k, column] = -total / factor[k, k]
    inverse = np.zeros((n, n))
    for one in range(n):
        for two in range(one + 1):
            total = 0.0
            for row in range(one, n):
                total += lower[row, one] * lower[row, two]
            inverse[one, two] = total
            inverse[two, one] = total
    return inverse, half_log
