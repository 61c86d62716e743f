"""Which further counts must be hidden, so that no small one follows from its total."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Flags, Whole


def hide_complements(counts: Whole, is_hidden: Flags, threshold: int) -> Flags:
    """Hide further levels until what is hidden can't be reckoned from the sums of all levels.

    `counts` has a row per level and a column per number whose sum over the levels is told (cells
    filled, cells empty). What is hidden must be of two levels at least, and each of its sums 0 or
    no less than `threshold`; the smallest level that helps is hidden first, of equals the first.
    Where none helps the sum itself is as small, and is hidden too.

    >>> hide_complements(np.array([[3], [40], [7], [0]]), np.array([True, 0, 0, 0], bool), 5)
    array([ True, False,  True, False])
    """
    hidden = is_hidden.copy()
    while hidden.any() and not hidden.all():
        sums = counts[hidden].sum(axis=0)
        is_open = (sums > 0) & ((sums < threshold) | ((counts[hidden] > 0).sum(axis=0) < 2))
        helps = counts[:, is_open] * ~hidden[:, None]
        if not (helps > 0).any():
            break
        column = helps[:, (helps > 0).any(axis=0).argmax()]
        hidden[np.where(column > 0, column, np.iinfo(np.int64).max).argmin()] = True
    return hidden


def hide_within(
    counts: pd.DataFrame, is_hidden: pd.Series[bool], groups: pd.Series[str], threshold: int
) -> pd.Series[bool]:
    """`hide_complements` within each group of rows."""
    hidden = is_hidden.copy()
    for rows in counts.groupby(groups.to_numpy(), sort=False).groups.values():
        mine = is_hidden.loc[rows].to_numpy(dtype=bool)
        if mine.any():
            hidden.loc[rows] = hide_complements(counts.loc[rows].to_numpy(), mine, threshold)
    return hidden
