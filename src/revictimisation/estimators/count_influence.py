"""The mean cumulative count of outcomes, and how much each row moves it.

Let Y(s) be the weight at risk on day s, dN(s) the weight of outcomes, dD(s) the weight of terminal
events (death, emigration), dR = dN / Y, dL = dD / Y, and S(s-) the share still there before day s,
the product of 1 - dL over the days before. The mean number of outcomes by day t, with none after a
terminal event, is (Cook & Lawless 1997; Ghosh & Lin 2000, eq. 2)

    mu(t) = sum over s <= t of S(s-) dR(s)

With

    B(t) = sum over s <= t of dL(s) / (Y(s) (1 - dL(s)))
    G(t) = sum over s <= t of S(s-) B(s-) dR(s)
    H(t) = sum over s <= t of S(s-) dR(s) / Y(s)

the derivative of mu(t) in the weight of a row (start, stop] is, if start < t and u = min(t, stop),
the sum of

    while at risk       G(u) - G(start) - B(start) (mu(u) - mu(start)) - H(u) + H(start)
    its own outcome     S(stop-) / Y(stop), if it ends in one and stop <= t
    ever after          -A (mu(t) - mu(stop)), if stop < t, where
                        A = [terminal] / (Y(stop) (1 - dL(stop))) - B(stop) + B(start)

A row that goes on in another one leaves at `stop` and comes back there, so the pieces of a person
add up, also with other weights. The variance is the sum over clusters of the squared sum of weight
times influence: Ghosh & Lin's (2000, section 2) in its infinitesimal jackknife form, exact with
ties; `tests/golden/recurrent` holds both.

Kinds of rows: 0 goes on or is censored, 1 an outcome, 2 a terminal event, 3 an outcome and then a
terminal event on the same day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.estimators.influence import Rows, check_rows, sum_at, tabulate

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

OUTCOME, TERMINAL = 1, 2
# what is left of 1 - 1 after dividing sums of weights
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class CountTables:
    """Sums by day, from the origin of the rows.

    Attributes:
        count: mu. survival: share without a terminal event after the day.
        n_at_risk, n_events: rows at risk, and outcomes up to the day, unweighted.
        n_effective: Kish's effective number at risk.
        own_event, own_exit, b, g, h: see the module.
    """

    count: Floats
    survival: Floats
    n_at_risk: Whole
    n_effective: Floats
    n_events: Whole
    own_event: Floats
    own_exit: Floats
    b: Floats
    g: Floats
    h: Floats


def check_count_rows(
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    is_event: npt.ArrayLike,
    is_terminal: npt.ArrayLike,
    weights: npt.ArrayLike | None,
) -> Rows:
    """Check rows of follow-up; `Rows.cause` holds their kind (0 to 3, see the module).

    Raises:
        NotEstimableError: nobody of positive weight.
        ValueError: as `influence.check_rows`; marks that are not 0 or 1.
    """
    kind = _marks(is_event, "is_event") + TERMINAL * _marks(is_terminal, "is_terminal")
    return check_rows(stop, kind, weights, start, OUTCOME + TERMINAL)


def tabulate_counts(rows: Rows) -> CountTables:
    """Sum by day over those who enter, leave, have an outcome or a terminal event; cumulate.

    Cost: rows plus days.
    """
    base = tabulate(rows)
    at_risk, n_days = base.at_risk, len(base.at_risk)
    is_event, is_terminal = is_outcome(rows), (rows.cause & TERMINAL) > 0
    events = _divide(sum_at(rows.stop, rows.weight * is_event, n_days), at_risk)
    ends = _divide(sum_at(rows.stop, rows.weight * is_terminal, n_days), at_risk)
    # Rounding must not leave a sliver of survival where all at risk left for good.
    stays = np.where(np.abs(1 - ends) < ROUNDING, 0.0, 1 - ends)
    survival = np.cumprod(stays, dtype=np.float64)
    before = np.concatenate([[1.0], survival[:-1]])
    b = np.cumsum(_divide(ends, at_risk * stays))
    b_before = np.concatenate([[0.0], b[:-1]])
    return CountTables(
        count=np.cumsum(before * events),
        survival=survival,
        n_at_risk=base.n_at_risk,
        n_effective=base.n_effective,
        n_events=base.n_events[:, OUTCOME - 1] + base.n_events[:, OUTCOME + TERMINAL - 1],
        own_event=_divide(before, at_risk),
        own_exit=_divide(np.ones(n_days), at_risk * stays),
        b=b,
        g=np.cumsum(before * b_before * events),
        h=np.cumsum(_divide(before * events, at_risk)),
    )


def influence_on_count(rows: Rows, tables: CountTables, day: int) -> Floats:
    """Derivative of the mean count by `day` (counted from the origin) in each row's weight."""
    day = min(day, len(tables.count) - 1)
    mu, b, g, h = tables.count, tables.b, tables.g, tables.h
    begin, until = np.minimum(rows.start, day), np.minimum(rows.stop, day)
    moved = g[until] - g[begin] - b[begin] * (mu[until] - mu[begin]) - (h[until] - h[begin])
    own = is_outcome(rows) & (rows.stop <= day)
    moved += np.where(own, tables.own_event[rows.stop], 0.0)
    is_terminal = (rows.cause & TERMINAL) > 0
    exits = np.where(is_terminal, tables.own_exit[rows.stop], 0.0) - b[rows.stop] + b[rows.start]
    moved -= np.where(rows.stop < day, exits * (mu[day] - mu[until]), 0.0)
    return moved


def is_outcome(rows: Rows) -> npt.NDArray[np.bool_]:
    """The rows that end in an outcome."""
    return (rows.cause & OUTCOME) > 0


def _marks(values: npt.ArrayLike, name: str) -> Whole:
    marks = np.asarray(values)
    if not np.isin(marks, (0, 1)).all():
        raise ValueError(f"{name} must be true or false (1 or 0) in every row")
    return marks.astype(np.int64)


def _divide(top: Floats, bottom: Floats) -> Floats:
    """top / bottom, 0 where nothing is at risk (bottom 0)."""
    return np.divide(top, bottom, out=np.zeros_like(bottom), where=bottom > 0)
