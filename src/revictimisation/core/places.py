"""Groups of places that are no single place by another name."""

from __future__ import annotations

import pandas as pd

from revictimisation.core.codes import MISSING, OTHER


def pool_single_places(
    groups: pd.Series, places: pd.Series, periods: pd.Series | None = None
) -> pd.Series:
    """Call groups that hold one place alone `other`, so that none is a place by another name.

    Where `other` would then be one place itself, the smallest of the remaining groups joins it.
    With `periods` a group may be a part of its place (a district of a large town): it is the place
    itself if it holds most of what the place has in the periods of the group.
    """
    known = groups[groups.ne(MISSING)]
    n_places = places[known.index].groupby(known).nunique()
    single = [
        name
        for name in n_places.index[n_places == 1]
        if periods is None or _is_most(known.eq(name), places[known.index], periods[known.index])
    ]
    pooled = {*single, OTHER}
    rest = known[~known.isin(pooled)].value_counts()
    if places[known.index[known.isin(pooled)]].nunique() == 1 and len(rest):
        pooled.add(rest.sort_index().sort_values(kind="stable").index[0])
    return groups.mask(groups.isin(pooled), OTHER)


def _is_most(is_in: pd.Series, places: pd.Series, periods: pd.Series) -> bool:
    """Whether a group has most of what its place has in the group's periods."""
    of_place = places.isin(places[is_in].unique()) & periods.isin(periods[is_in].unique())
    return bool(is_in[of_place].mean() > 0.5)
