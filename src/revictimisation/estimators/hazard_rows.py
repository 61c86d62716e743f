"""What a fitted hazard model says of one column, as rows of `estimates`, or why it says nothing.

The gates are those of risks: a fit that settled, an error that something measures, exposed victims
and events enough. Lin and Wei's error sums squared scores by victim; with few exposed victims it is
too small, and with few events Wald's interval has no foundation (`benchmarks/exposed_victims.py`
counts how often it holds the truth).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from revictimisation.core.results import (
    FEW_EVENTS,
    FEW_VICTIMS,
    NO_ERROR,
    NOT_CONVERGED,
    NOT_ESTIMABLE,
    OK,
    SMALLEST_ERROR,
    WITHHELD,
)
from revictimisation.estimators.cox import CoxFit
from revictimisation.estimators.limits import Gates

Row = dict[str, Any]


@dataclass(frozen=True)
class Exposure:
    """What a comparison rests on: entries, victims ever exposed, events in and out of exposure."""

    n_people: int
    n_victims: int
    n_events: int
    n_other_events: int

    @property
    def counts(self) -> dict[str, int]:
        """The two that stand in a row of `estimates`."""
        return {"n_people": self.n_people, "n_events": self.n_events}

    def find_shortfall(self, gates: Gates) -> str:
        """The first gate of exposed victims and events that fails; empty where none does.

        Events must be enough on both sides: a ratio is no better known than its rarer side.
        """
        if self.n_victims < gates.exposed_victims:
            return FEW_VICTIMS
        fewer = min(self.n_events, self.n_other_events)
        return FEW_EVENTS if fewer < gates.events_per_arm else ""


def count_exposed(
    entry: npt.ArrayLike, victim: npt.ArrayLike, is_event: npt.ArrayLike, is_exposed: npt.ArrayLike
) -> Exposure:
    """Count what a column rests on; arrays have a place per episode, entry and victim from 0.

    >>> count_exposed([0, 0, 1], [0, 0, 0], [False, True, False], [True, True, True])
    Exposure(n_people=2, n_victims=1, n_events=1, n_other_events=0)
    """
    exposed = np.asarray(is_exposed, dtype=bool)
    happened = np.asarray(is_event, dtype=bool)
    n_people, n_victims = (
        np.count_nonzero(np.bincount(np.asarray(labels)[exposed])) for labels in (entry, victim)
    )
    return Exposure(
        n_people=int(n_people),
        n_victims=int(n_victims),
        n_events=int((exposed & happened).sum()),
        n_other_events=int((~exposed & happened).sum()),
    )


def describe_hazard(fit: CoxFit, column: str, exposure: Exposure, gates: Gates) -> list[Row]:
    """The log hazard ratio and the hazard ratio of a column, or one row that says why not.

    Errors are robust ones, that of the hazard ratio by the delta method. Intervals are Wald's on
    the log scale; where the fit is corrected for few clusters, by the jackknife's error and
    Student's t, so wider than the error tells. Where a gate fails both rows are `withheld`, the
    gate as their reason.
    """
    reason = explain_absence(fit, column, exposure)
    if reason:
        return [describe_no_answer(reason, exposure.counts)]
    found, quantile = fit.estimate(column)
    log = found.interval(quantile=quantile)
    failed = find_failed_gate(fit, float(log.se[0]), exposure, gates)
    same = {**exposure.counts, "status": WITHHELD if failed else OK, "reason": failed}
    return [
        {**same, "estimand": "log_hazard_ratio", **log.row()},
        {**same, "estimand": "hazard_ratio", **log.exp().row()},
    ]


def find_failed_gate(fit: CoxFit, se: float, exposure: Exposure, gates: Gates) -> str:
    """The first gate of a coefficient that fails; whether the fit settled comes first."""
    if not fit.is_converged:
        return NOT_CONVERGED
    if not (np.isfinite(se) and se > SMALLEST_ERROR):
        return NO_ERROR
    return exposure.find_shortfall(gates)


def describe_no_answer(reason: str, counts: Mapping[str, int]) -> Row:
    """A row that says openly that there is no hazard ratio, and why."""
    return {**counts, "estimand": "log_hazard_ratio", "status": NOT_ESTIMABLE, "reason": reason}


def explain_absence(fit: CoxFit, column: str, exposure: Exposure) -> str:
    """The reason why a column has no hazard ratio; empty where it has one."""
    if exposure.n_people == 0:
        return "nobody_exposed"
    if exposure.n_events == 0:
        return "no_events_while_exposed"
    if column not in fit.names:
        return "everybody_always_exposed"
    status = fit.coef_status[fit.names.index(column)]
    # of a fit that did not settle that is told first, by its gate
    return "" if status == OK or not fit.is_converged else f"coefficient_{status}"
