"""Groups of places that are no single place by another name."""

from __future__ import annotations

import pandas as pd

from revictimisation.core.codes import MISSING, OTHER


def pool_single_places(groups: pd.Series, places: pd.Series) -> pd.Series:
    """Call groups that hold one place alone `other`, so that none is a place by another name.

    Where `other` would then be one place itself, the smallest of the remaining groups joins it.
    """
    known = groups[groups.ne(MISSING)]
    n_places = places[known.index].groupby(known).nunique()
    pooled = {*n_places[n_places == 1].index, OTHER}
    rest = known[~known.isin(pooled)].value_counts()
    if places[known.index[known.isin(pooled)]].nunique() == 1 and len(rest):
        pooled.add(rest.sort_index().sort_values(kind="stable").index[0])
    return groups.mask(groups.isin(pooled), OTHER)
