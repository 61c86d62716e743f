"""What a fitted hazard model says of one column, as rows of `estimates`, or why it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from revictimisation.estimators.cox import CoxFit
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.results import NOT_ESTIMABLE, OK

Z_95 = normal_quantile()
Row = dict[str, Any]


def count_exposed(
    entry: npt.ArrayLike, is_event: npt.ArrayLike, is_exposed: npt.ArrayLike
) -> dict[str, int]:
    """The entries ever exposed (`n_people`) and the events while exposed (`n_events`).

    Arrays have a place per episode; entries are numbered from 0.

    >>> count_exposed([0, 0, 1], [False, True, False], [True, True, True])
    {'n_people': 2, 'n_events': 1}
    """
    exposed = np.asarray(is_exposed, dtype=bool)
    happened = np.asarray(is_event, dtype=bool)
    n_people = np.count_nonzero(np.bincount(np.asarray(entry)[exposed]))
    return {"n_people": int(n_people), "n_events": int((exposed & happened).sum())}


def lay_hazard_rows(fit: CoxFit, column: str, counts: Mapping[str, int]) -> list[Row]:
    """The log hazard ratio and the hazard ratio of a column, or one row that says why not.

    `counts` as `count_exposed` gives them. Intervals are Wald's on the log scale by the robust
    error; the error of the hazard ratio is the delta method's.
    """
    reason = explain_absence(fit, column, counts)
    if reason:
        return [lay_no_answer(reason, counts)]
    row = fit.to_frame().loc[fit.names.index(column)]
    coef, se = float(row["coef"]), float(row["se_robust"])
    low, high = coef - Z_95 * se, coef + Z_95 * se
    ratio = np.exp([coef, coef, low, high]) * [1, se, 1, 1]
    numbers = ("estimate", "se", "ci_low", "ci_high")
    return [
        {**counts, "estimand": name, **dict(zip(numbers, map(float, values), strict=True))}
        for name, values in (
            ("log_hazard_ratio", (coef, se, low, high)),
            ("hazard_ratio", ratio),
        )
    ]


def lay_no_answer(reason: str, counts: Mapping[str, int]) -> Row:
    """A row that says openly that there is no hazard ratio, and why."""
    return {**counts, "estimand": "log_hazard_ratio", "status": NOT_ESTIMABLE, "reason": reason}


def explain_absence(fit: CoxFit, column: str, counts: Mapping[str, int]) -> str:
    """The reason why a column has no hazard ratio; empty where it has one."""
    if counts["n_people"] == 0:
        return "nobody_exposed"
    if counts["n_events"] == 0:
        return "no_events_while_exposed"
    if column not in fit.names:
        return "everybody_always_exposed"
    status = fit.coef_status[fit.names.index(column)]
    return "" if status == OK else f"coefficient_{status}"
