"""Risks read off the tables of a group, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from revictimisation.estimators.influence import Rows, Tables
from revictimisation.estimators.intervals import loglog_interval

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

# A risk this near to 1 is 1: the rest is rounding in the sum over days.
ROUNDING = 1e-12


def places_of_days(rows: Rows, tables: Tables, at_days: Sequence[int]) -> Places:
    """Positions of `at_days` in the tables; days outside the follow-up at its ends."""
    days = np.asarray(at_days, dtype=np.int64) - rows.origin
    return np.clip(days, 0, len(tables.risk) - 1)


def risk_at(tables: Tables, places: Places, cause: int) -> Floats:
    """Risk of `cause` at positions in the tables; a rounding error off 1 is 1."""
    risk = tables.risk[places, cause - 1]
    return np.where(risk > 1 - ROUNDING, 1.0, risk)


def interval_at(tables: Tables, places: Places, cause: int, se: Floats) -> tuple[Floats, Floats]:
    """Log-log interval; at risk 0 by those still at risk, at risk 1 by those with the event."""
    estimate = risk_at(tables, places, cause)
    happened = tables.effective_events[places, cause - 1]
    return loglog_interval(
        estimate, se, np.where(estimate >= 1, happened, tables.n_effective[places])
    )


def find_followed(
    tables: Tables, places: Places, is_within: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Days of which something is known: somebody is at risk on them, or nobody is left to be.

    Where everybody has had an event (the risks of all causes add up to 1) the curves stay where
    they are for ever; before the first day at risk nothing can have happened. `is_within`: the day
    lies within the tables.
    """
    is_over = tables.risk[places].sum(axis=1) > 1 - ROUNDING
    is_before = places < np.argmax(tables.n_at_risk > 0)
    return is_over | (is_within & (is_before | (tables.n_at_risk[places] > 0)))
