"""How many outcomes a person has by each day, with death and emigration as terminal events.

The estimator of Cook & Lawless (1997) and Ghosh & Lin (2000); epidemiology calls it the mean
cumulative count (Dong et al. 2015). 1 minus a curve is no answer where outcomes recur, and counting
the dead as censored (Nelson-Aalen) overstates: it counts the outcomes that they would have had.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.estimators.count_contrasts import compare_counts
from revictimisation.estimators.count_influence import (
    CountTables,
    check_count_rows,
    influence_on_count,
    tabulate_counts,
)
from revictimisation.estimators.count_intervals import (
    count_interval,
    find_followed,
    find_people_behind,
    places_of_days,
)
from revictimisation.estimators.influence import Rows, label_clusters, prepare_spread
from revictimisation.estimators.intervals import NO_ERROR, error_of_limits

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

__all__ = ["compare_counts", "mean_cumulative_count"]


def mean_cumulative_count(
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    is_event: npt.ArrayLike,
    is_terminal: npt.ArrayLike,
    *,
    at_days: Sequence[int],
    weights: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """The mean number of outcomes a person has had by each day.

    A row of the input is a piece (start, stop] of someone's follow-up; pieces do not overlap. On a
    day the outcomes come first, then the terminal events, then the censored leave: who dies or is
    censored on day t is at risk of an outcome on day t. After an outcome the person stays at risk,
    after a terminal event there are none. Where every outcome is terminal itself this is the
    Aalen-Johansen risk; where nothing is terminal, the Nelson-Aalen sum.

    Args:
        start, stop: whole days; at risk from the day after `start`.
        is_event: an outcome on day `stop`. is_terminal: death or emigration on it, after the
            outcome if there are both; only a person's last row may have it.
        at_days: days to report; the count of a day includes its outcomes. Past the last follow-up
            the curve stays where it was, `n_at_risk` is 0, and `is_followed` is false unless nobody
            is left without a terminal event.
        weights: of the rows; they may change from a person's piece to the next.
        cluster: labels (the victim). None = each row by itself, right only where nobody has two.

    Returns:
        A row per day: time_days, estimate, se (infinitesimal jackknife summed by cluster; where
        nothing measures it that of the limits), ci_low, ci_high (`count_interval`), n_at_risk,
        is_followed, n_events (up to the day); counts unweighted. No cell is missing.

    Raises:
        NotEstimableError: nobody of positive weight.
        ValueError: see `count_influence.check_count_rows`; a row without a cluster.

    Example:
        Five people (Dong et al. 2015, table 1); the fifth has an outcome and dies on day 3.

        >>> start, stop = [0, 0, 0, 0, 2, 6, 7, 0], [8, 1, 5, 2, 6, 7, 8, 3]
        >>> is_event, is_dead = [0, 0, 0, 1, 1, 1, 0, 1], [0, 0, 1, 0, 0, 0, 0, 1]
        >>> curve = mean_cumulative_count(start, stop, is_event, is_dead, at_days=[2, 3, 6, 7])
        >>> curve["estimate"].tolist()
        [0.25, 0.5, 0.75, 1.0]
    """
    rows = check_count_rows(start, stop, is_event, is_terminal, weights)
    codes = label_clusters(cluster, len(rows.stop))
    return _describe(rows, codes, np.asarray(at_days, dtype=np.int64))


def _describe(rows: Rows, codes: Whole, days: Whole) -> pd.DataFrame:
    tables = tabulate_counts(rows)
    places = places_of_days(rows, tables, days)
    count, se = tables.count[places], _errors(rows, tables, places, codes)
    low, high = count_interval(count, se, find_people_behind(rows, tables, codes, places))
    is_within = days - rows.origin < len(tables.count)
    return pd.DataFrame(
        {
            "time_days": days,
            "estimate": count,
            "se": np.where(se > NO_ERROR, se, error_of_limits(low, high)),
            "ci_low": low,
            "ci_high": high,
            "n_at_risk": np.where(is_within, tables.n_at_risk[places], 0),
            "is_followed": find_followed(tables, places, is_within),
            "n_events": tables.n_events[places],
        }
    )


def _errors(rows: Rows, tables: CountTables, places: Whole, codes: Whole) -> Floats:
    """Standard errors at positions in the tables; without outcomes 0."""
    spread = prepare_spread(rows, codes)
    variances = [
        spread.variance(influence_on_count(spread.alike, tables, int(place))) for place in places
    ]
    se = np.sqrt(np.array(variances, dtype=np.float64))
    return np.where(tables.count[places] > 0, se, 0.0)
