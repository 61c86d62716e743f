"""Models of hazards on a data frame: Cox, Prentice-Williams-Peterson, Fine and Gray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.api import plots
from revictimisation.api.columns import Columns, Names
from revictimisation.api.covariates import make_design
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.design import Design
from revictimisation.estimators.fine_gray import fit_fine_gray
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import LEVEL, normal_quantile
from revictimisation.estimators.level_contrasts import find_p_values
from revictimisation.estimators.proportional_hazards import GLOBAL, check_proportional_hazards
from revictimisation.estimators.recurrent import (
    NEEDED,
    make_pwp_gap_time,
    make_pwp_total_time,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Given:
    """What a model was fitted to."""

    design: Design
    start: Whole
    stop: Whole
    is_event: npt.NDArray[np.bool_]
    strata: Whole | None
    is_weighted: bool


class _HazardModel:
    """What the models of hazards share once they are fitted: numbers, and a plot of them."""

    _fit: CoxFit | None = None
    _names: list[str]

    @property
    def fit_(self) -> CoxFit:
        """The fit as the estimators give it: coefficients, errors, likelihoods, counts."""
        if self._fit is None:
            raise ValueError(f"{type(self).__name__} is not fitted yet: call fit() first")
        return self._fit

    @property
    def params_(self) -> pd.Series:
        """Log hazard ratios by column."""
        fit = self.fit_
        return pd.Series(fit.coef, index=_index(fit), name="coef")[self._names]

    @property
    def variance_matrix_(self) -> pd.DataFrame:
        """Their covariance, robust where the fit had clusters."""
        fit = self.fit_
        matrix = fit.vcov_model if fit.vcov_robust is None else fit.vcov_robust
        full = pd.DataFrame(matrix, index=_index(fit), columns=_index(fit))
        return full.loc[self._names][self._names]

    def summary(self, *, level: float = LEVEL) -> pd.DataFrame:
        """A row per column of the model, by its name, in the order asked for.

        coef (log hazard ratio), se (robust where the fit had clusters), se_model, z, p,
        hazard_ratio, ci_low and ci_high (of the ratio, Wald's on the log scale), status: `ok`;
        `aliased` (it depends on the columns before it: no number); `infinite` (no events, or all of
        them, among the exposed: no error).
        """
        fit = self.fit_
        se = fit.se_model if fit.se_robust is None else fit.se_robust
        logs = Estimate.with_error(fit.coef, se)
        ratios = logs.interval(quantile=normal_quantile(level)).exp()
        return pd.DataFrame(
            {
                "coef": fit.coef,
                "se": se,
                "se_model": fit.se_model,
                "z": fit.coef / se,
                "p": find_p_values(logs),
                "hazard_ratio": ratios.estimate,
                "ci_low": ratios.low,
                "ci_high": ratios.high,
                "status": list(fit.coef_status),
            },
            index=_index(fit),
        ).loc[self._names]

    def plot(
        self, ax: Axes | None = None, *, names: Sequence[str] | None = None, level: float = LEVEL
    ) -> Axes:
        """Hazard ratios with their intervals, on a logarithmic axis; of `names`, else of all.

        Raises:
            ValueError: a name that is no column of the model.
        """
        table = self.summary(level=level)
        unknown = [name for name in names or () if name not in table.index]
        if unknown:
            raise ValueError(f"no column {unknown[0]!r} in the model: {', '.join(table.index)}")
        return plots.draw_ratios(table if names is None else table.loc[list(names)], level, ax)

    def __repr__(self) -> str:
        fit, name = self._fit, type(self).__name__
        if fit is None:
            return f"<{name}, not fitted>"
        return f"<{name}: {fit.n_rows} rows, {fit.n_events} events, {len(fit.names)} columns>"


class CoxModel(_HazardModel):
    """The Cox model for follow-up in one row or many: late entry, covariates that change, ties.

    A row is at risk on the days t with start < t <= stop; an event is on the day `stop`. Ties by
    Efron's method. With recurrent events and a cluster it is Andersen and Gill's model. Equal to
    R's `coxph` (`estimators.cox.fit_cox`).

    Example:
        >>> people = pd.DataFrame({
        ...     "days": [4, 3, 6, 5, 2, 9], "again": [1, 1, 0, 1, 1, 0],
        ...     "helped": [1, 0, 1, 0, 0, 1], "victim": ["a", "b", "c", "d", "e", "f"]})
        >>> model = CoxModel().fit(people, "days", "again", covariates=["helped"])
        >>> model.summary()[["coef", "se", "status"]].round(4)
                     coef      se status
        covariate
        helped    -1.6878  1.1718     ok
    """

    _given: _Given | None = None

    def fit(
        self,
        df: pd.DataFrame,
        duration_col: str | None = None,
        event_col: str | None = None,
        *,
        start_col: str | None = None,
        stop_col: str | None = None,
        cluster_col: str | None = None,
        strata_col: Names = None,
        weights_col: str | None = None,
        formula: str | None = None,
        covariates: Sequence[str] | None = None,
        splines: Mapping[str, int] | None = None,
    ) -> Self:
        """Fit the model to the rows of a frame, which is left as it is.

        Args:
            df: a row per person, or per episode in which nothing changes.
            duration_col: days from 0 to the event or the end. Or `start_col` and `stop_col`: the
                row is of the days after start, up to stop. Whole days.
            event_col: whether the row ends in an event (true, 1); not named: every row does.
            cluster_col: whose rows belong together (the victim): robust errors summed by it.
            strata_col: one column or several; each combination has a baseline hazard of its own.
            weights_col: case weights, 0 or more.
            formula: covariates as formulaic reads them: `"age + C(race) + helped"`. Or
                covariates: columns, numbers linearly or by `splines` (`{"age": 4}`: a restricted
                cubic spline with 4 knots), all else as indicators, missing values as a level of
                their own; `[]`: none. Neither: all columns not named otherwise.

        Raises:
            ValueError: a column that is not there or breaks a rule, named with all others.
            NotEstimableError: no rows of positive weight, or no events.
        """
        columns = Columns(df)
        start, stop = read_episodes(columns, duration_col, start_col, stop_col)
        is_event = columns.flags(event_col)
        cluster = columns.labels(cluster_col)
        strata, weights = columns.labels(strata_col), columns.weights(weights_col)
        columns.check()
        design, self._names = make_design(columns, formula, covariates, splines)
        self._given = _Given(design, start, stop, is_event, strata, weights is not None)
        self._fit = fit_cox(
            design, start, stop, is_event, strata=strata, weights=weights, cluster=cluster
        )
        return self

    def check_proportional_hazards(self) -> pd.DataFrame:
        """Test whether each coefficient changes with time, and all of them together (`GLOBAL`).

        The score test of Grambsch and Therneau against 1 less Kaplan-Meier, as R's `cox.zph`.
        A row per column of status `ok`, by its name: chisq, df, p.

        Raises:
            ValueError: the model has weights. NotEstimableError: no coefficient to test.
        """
        fit, given = self.fit_, self._given
        assert given is not None
        if given.is_weighted:
            raise ValueError("the test of proportional hazards is not defined with weights")
        found = check_proportional_hazards(
            fit, given.design, given.start, given.stop, given.is_event, strata=given.strata
        )
        tested = found.set_index("name").rename_axis("covariate")
        return tested.loc[[name for name in (*self._names, GLOBAL) if name in tested.index]]


class PWPModel(_HazardModel):
    """Prentice, Williams and Peterson's model of recurrent events: each with its own baseline.

    A person is at risk of the k-th event only after the one before. `clock="total"` counts days
    from the start of follow-up, `"gap"` from the event before. Late strata are put together: from
    event number `last_stratum` on, or else from the last that occurs at least `min_events` times.
    """

    def __init__(
        self,
        *,
        clock: Literal["total", "gap"] = "total",
        min_events: int = 0,
        last_stratum: int | None = None,
    ) -> None:
        if clock not in ("total", "gap"):
            raise ValueError(f"clock is total or gap, not {clock!r}")
        self.clock = clock
        self.min_events = min_events
        self.last_stratum = last_stratum

    def fit(
        self,
        df: pd.DataFrame,
        *,
        id_col: str,
        start_col: str,
        stop_col: str,
        event_col: str,
        cluster_col: str | None = None,
        weights_col: str | None = None,
        formula: str | None = None,
        covariates: Sequence[str] | None = None,
        splines: Mapping[str, int] | None = None,
    ) -> Self:
        """Fit the model to episodes (start, stop] of people, `id_col`, in any order.

        Robust errors are summed by `cluster_col`, or else by person. Otherwise as `CoxModel.fit`.

        Raises:
            ValueError: besides, episodes of a person that overlap.
        """
        columns = Columns(df)
        person = columns.labels(id_col)
        start, stop = read_episodes(columns, None, start_col, stop_col)
        is_event = columns.flags(event_col)
        cluster = columns.labels(cluster_col)
        weights = columns.weights(weights_col)
        columns.hold_apart(start_col, person, start, stop)
        columns.check()
        design, self._names = make_design(columns, formula, covariates, splines)
        episodes = pd.DataFrame(dict(zip(NEEDED, (person, start, stop, is_event), strict=True)))
        ordered = episodes.sort_values(["entry_id", "start_day"], kind="stable")
        make = make_pwp_total_time if self.clock == "total" else make_pwp_gap_time
        made = make(
            ordered.reset_index(drop=True),
            min_events=self.min_events,
            last_stratum=self.last_stratum,
        )
        made = made.set_index(ordered.index).loc[episodes.index]
        self._fit = fit_cox(
            design,
            made["start_day"].to_numpy(),
            made["stop_day"].to_numpy(),
            is_event,
            strata=made["stratum"].to_numpy(),
            weights=weights,
            cluster=person if cluster is None else cluster,
        )
        return self


class FineGrayModel(_HazardModel):
    """Fine and Gray's model of the subdistribution hazard of `cause`, all other causes competing.

    Its ratios follow the cumulative incidence; read them beside those of the cause-specific hazard
    (`CoxModel` with the other causes as no event). Errors are robust, by cluster or by row.
    """

    def __init__(self, *, cause: int = 1) -> None:
        self.cause = cause

    def fit(
        self,
        df: pd.DataFrame,
        duration_col: str,
        event_col: str,
        *,
        cluster_col: str | None = None,
        weights_col: str | None = None,
        formula: str | None = None,
        covariates: Sequence[str] | None = None,
        splines: Mapping[str, int] | None = None,
    ) -> Self:
        """Fit the model to a row per person, with covariates known on day 0.

        `event_col`: 0 no event, 1, 2, ... the cause of the event. Otherwise as `CoxModel.fit`.
        """
        columns = Columns(df)
        stop = columns.days(duration_col, least=0)
        cause = columns.causes(event_col)
        cluster = columns.labels(cluster_col)
        weights = columns.weights(weights_col)
        columns.check()
        design, self._names = make_design(columns, formula, covariates, splines)
        self._fit = fit_fine_gray(
            design, stop, cause, of_cause=self.cause, weights=weights, cluster=cluster
        )
        return self


def read_episodes(
    columns: Columns, duration_col: str | None, start_col: str | None, stop_col: str | None
) -> tuple[Whole, Whole]:
    """First and last day of each row: from 0 to a duration, or from a start to a stop.

    Raises:
        ValueError: neither way, or both.
    """
    if (duration_col is None) == (stop_col is None):
        raise ValueError("give duration_col, or start_col and stop_col")
    if duration_col is not None and start_col is not None:
        raise ValueError("a duration counts from 0: give start_col together with stop_col")
    start = columns.days(start_col)
    return start, columns.days(duration_col or stop_col, after=start)


def _index(fit: CoxFit) -> pd.Index:
    return pd.Index(fit.names, name="covariate")
