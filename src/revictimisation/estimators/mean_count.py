"""How many outcomes a person has by each day, with death and emigration as terminal events.

The estimator of Cook & Lawless (1997) and Ghosh & Lin (2000); epidemiology calls it the mean
cumulative count (Dong et al. 2015). 1 minus a curve is no answer where outcomes recur, and counting
the dead as censored (Nelson-Aalen) overstates: it counts the outcomes that they would have had.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt
import pandas as pd

from revictimisation.estimators.curves import read_curve
from revictimisation.estimators.influence import (
    ENDS,
    OUTCOMES,
    build_curve,
    check_count_rows,
    prepare_spread,
    tabulate,
)


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
        ValueError: see `influence.check_count_rows`; a row without a cluster.

    Example:
        Five people (Dong et al. 2015, table 1); the fifth has an outcome and dies on day 3.

        >>> start, stop = [0, 0, 0, 0, 2, 6, 7, 0], [8, 1, 5, 2, 6, 7, 8, 3]
        >>> is_event, is_dead = [0, 0, 0, 1, 1, 1, 0, 1], [0, 0, 1, 0, 0, 0, 0, 1]
        >>> curve = mean_cumulative_count(start, stop, is_event, is_dead, at_days=[2, 3, 6, 7])
        >>> curve["estimate"].tolist()
        [0.25, 0.5, 0.75, 1.0]
    """
    rows = check_count_rows(start, stop, is_event, is_terminal, weights)
    curve = build_curve(rows, tabulate(rows), OUTCOMES, ENDS)
    return read_curve(rows, curve, prepare_spread(rows, cluster), at_days)
