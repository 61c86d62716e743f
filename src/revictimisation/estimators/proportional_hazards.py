"""Do hazards stay proportional: score tests of coefficients that change with time.

The test of Grambsch & Therneau (1994, Biometrika 81:515) by scaled Schoenfeld residuals, in the
form that R's `cox.zph` has had since survival 3.0: not the approximation with one variance for all
days but the score test itself, of adding x times g(day) to the fitted model, with the information
of each day; ties by Efron's method. Equal to R's in chi-square and p (tests/golden).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import chdtrc

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.cox import CoxFit
from revictimisation.estimators.design import Design, standardise
from revictimisation.estimators.faults import NotEstimableError

GLOBAL = "GLOBAL"
MOST_CELLS = 1 << 25  # of a design held in full: 256 MB


def check_proportional_hazards(
    fit: CoxFit,
    design: Design,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    is_event: npt.ArrayLike,
    *,
    strata: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Test each coefficient of a Cox model, and all together, for change with time.

    g(day) is 1 less the Kaplan-Meier estimate just before the day, over all strata, as R's default
    `transform = "km"`. Arguments as `fit_cox` was given them (no weights).

    Returns:
        A row per coefficient of status `ok` and one `GLOBAL`: name, chisq, df, p.

    Raises:
        NotEstimableError: no coefficient could be estimated, the information is singular, or a
            hazard is beyond all numbers.

    Example:
        >>> from revictimisation.estimators.cox import fit_cox
        >>> from revictimisation.estimators.design import design_from_array
        >>> x = design_from_array([[1.0], [0.0], [1.0], [0.0], [1.0], [0.0]], ["x"])
        >>> given = x, [0] * 6, [2, 3, 9, 4, 8, 12], [1, 1, 1, 1, 0, 1]
        >>> check_proportional_hazards(fit_cox(*given), *given).round(3)
             name  chisq  df      p
        0       x  0.002   1  0.964
        1  GLOBAL  0.002   1  0.964
    """
    chosen = np.flatnonzero([status == "ok" for status in fit.coef_status])
    if not len(chosen):
        raise NotEstimableError("no_finite_answer")
    first, last = (np.asarray(days, dtype=np.int64) for days in (start, stop))
    event = np.asarray(is_event, dtype=bool)
    labels = np.zeros(len(last), np.int64)
    if strata is not None:
        labels = np.unique(np.asarray(strata), return_inverse=True)[1].astype(np.int64)
    clock = _clock(first, last, event)
    columns = _standardise(design, fit, chosen, event)
    p = len(chosen)
    score = np.zeros(p)
    information, crossed, squared = np.zeros((3, p, p))
    for label in np.unique(labels[event]):
        mine = np.flatnonzero(labels == label)
        days = _sum_days(columns, mine, first, last, event)
        g = clock(days.day)
        score = score + g @ days.score
        information = information + days.information.sum(axis=0)
        crossed = crossed + np.tensordot(g, days.information, 1)
        squared = squared + np.tensordot(g**2, days.information, 1)
    return _test([fit.names[k] for k in chosen], score, information, crossed, squared)


@dataclass(frozen=True, eq=False)
class _Columns:
    """The chosen columns in units of their own, their coefficients, and a typical log hazard."""

    design: Design
    chosen: Whole
    coef: Floats
    typical: float = 0.0

    @cached_property
    def _dense(self) -> Floats | None:
        """All rows in full, where they are few enough."""
        if self.design.n_rows * len(self.design.names) > MOST_CELLS:
            return None
        return self.design.to_dense()[:, self.chosen]

    def take(self, rows: Whole) -> Floats:
        """The columns of some rows."""
        if self._dense is not None:
            return self._dense[rows]
        return self.design.take_dense(rows)[:, self.chosen]

    def sum_moments(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Sums of the rows' hazards, of them times the columns, and times their products."""
        with np.errstate(over="ignore"):
            hazard = np.exp(x @ self.coef - self.typical)
        weighted = x * hazard[:, None]
        return np.asarray(hazard.sum()), weighted.sum(axis=0), x.T @ weighted


def _standardise(design: Design, fit: CoxFit, chosen: Whole, event: Flags) -> _Columns:
    """The test is the same in any unit and from any zero; the arithmetic is not."""
    base, own = standardise(design.base), standardise(design.own)
    blocks = {
        name: replace(block, values=values)
        for name, block, (values, _, _) in (("base", design.base, base), ("own", design.own, own))
    }
    coef = (fit.coef * np.concatenate([base[2], own[2]]))[chosen]
    scaled = replace(design, base=blocks["base"], own=blocks["own"])
    columns = _Columns(scaled, chosen, coef)
    return replace(columns, typical=float((columns.take(np.flatnonzero(event)) @ coef).mean()))


@dataclass(frozen=True, eq=False)
class _Days:
    """By event day of a stratum: the day, the score (p), the information (p x p)."""

    day: Whole
    score: Floats
    information: Floats


def _clock(start: Whole, stop: Whole, event: Flags) -> Callable[[Whole], Floats]:
    """1 less Kaplan-Meier just before a day, centred on its mean over the events."""
    days, dead = np.unique(stop[event], return_counts=True)
    at_risk = np.searchsorted(np.sort(start), days) - np.searchsorted(np.sort(stop), days)
    before = 1.0 - np.concatenate([[1.0], np.cumprod(1.0 - dead / at_risk)[:-1]])
    centred = before - np.average(before, weights=dead)
    return lambda asked: centred[np.searchsorted(days, asked)]


def _sum_days(columns: _Columns, rows: Whole, start: Whole, stop: Whole, event: Flags) -> _Days:
    """Score and information of each event day: who enters the risk set is added, who leaves taken.

    One product of the columns of those who enter, and of those who leave, per event day.
    """
    days = np.unique(stop[rows[event[rows]]])
    n, p = len(days), len(columns.chosen)
    enters = np.searchsorted(days, start[rows], side="right")
    leaves = np.searchsorted(days, stop[rows], side="right")
    is_seen = enters < leaves
    moved = np.zeros(n + 1), np.zeros((n + 1, p)), np.zeros((n + 1, p, p))
    for place, sign in ((enters, 1.0), (leaves, -1.0)):
        for at, some in _group(place[is_seen], rows[is_seen]):
            found = columns.sum_moments(columns.take(some))
            for total, part in zip(moved, found, strict=True):
                total[at] += sign * part
    s0, s1, s2 = (np.cumsum(total, axis=0)[:n] for total in moved)
    if not (np.isfinite(s2).all() and (s0 > 0).all()):
        raise NotEstimableError("no_finite_answer")
    score, information = np.zeros((n, p)), np.zeros((n, p, p))
    dead = rows[event[rows]]
    for at, some in _group(np.searchsorted(days, stop[dead]), dead):
        x = columns.take(some)
        d0, d1, d2 = columns.sum_moments(x)
        score[at] = x.sum(axis=0)
        for part in np.arange(len(some)) / len(some):
            hazard = s0[at] - part * d0
            mean = (s1[at] - part * d1) / hazard
            score[at] -= mean
            information[at] += (s2[at] - part * d2) / hazard - np.outer(mean, mean)
    return _Days(days, score, information)


def _group(place: Whole, rows: Whole) -> list[tuple[int, Whole]]:
    """The rows of each place."""
    order = np.argsort(place, kind="stable")
    labels, begin = np.unique(place[order], return_index=True)
    return list(zip(labels.tolist(), np.split(rows[order], begin[1:]), strict=True))


def _test(
    names: list[str], score: Floats, information: Floats, crossed: Floats, squared: Floats
) -> pd.DataFrame:
    """Score tests; the variance of the score of x g(day) is that with the coefficients fitted."""
    try:
        spread = squared - crossed @ np.linalg.solve(information, crossed)
        whole = float(score @ np.linalg.solve(spread, score))
    except np.linalg.LinAlgError:
        raise NotEstimableError("no_finite_answer") from None
    if not ((np.diag(spread) > 0).all() and whole >= 0):
        raise NotEstimableError("no_finite_answer")
    single = score**2 / np.diag(spread)
    chisq, freedom = [*single, whole], [1] * len(names) + [len(names)]
    return pd.DataFrame(
        {"name": [*names, GLOBAL], "chisq": chisq, "df": freedom, "p": chdtrc(freedom, chisq)}
    )
