"""Models of hazards on a data frame: Cox, Prentice-Williams-Peterson, Fine and Gray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.api import plots
from revictimisation.api.columns import Columns, Names, whole_days
from revictimisation.api.covariates import Coder, make_design
from revictimisation.core.arrays import Whole
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.cox_baseline import estimate_baseline, find_concordance
from revictimisation.estimators.cox_data import Episodes, check_episodes
from revictimisation.estimators.design import Design
from revictimisation.estimators.faults import NotEstimableError
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


@dataclass(frozen=True, eq=False)
class _Given:
    """What a model was fitted to; `levels`: a row per stratum, by its number."""

    design: Design
    code: Coder
    episodes: Episodes
    levels: pd.DataFrame
    is_weighted: bool
    days: tuple[str | None, str | None]


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
        coded = make_design(columns, formula, covariates, splines)
        design, self._names = coded.design, coded.names
        strata_cols = [strata_col] if isinstance(strata_col, str) else list(strata_col or ())
        one = np.zeros(len(df), np.int64) if strata is None else strata
        levels = df[strata_cols].set_axis(pd.Index(one))
        self._given = _Given(
            design,
            coded.code,
            check_episodes(len(df), start, stop, is_event, strata, weights, cluster),
            levels[~levels.index.duplicated()],
            weights is not None,
            (start_col, stop_col),
        )
        self.__dict__.pop("_baseline", None)
        self._fit = fit_cox(
            design, start, stop, is_event, strata=strata, weights=weights, cluster=cluster
        )
        return self

    def baseline_hazard(self) -> pd.DataFrame:
        """The hazard of a row in which every column of the model is 0: a row per day with events.

        Columns: those of `strata_col`, time_days, hazard, cumulative_hazard. Ties by Efron, as R's
        `basehaz(fit, centered=FALSE)` (lifelines: by Breslow, at the means of the columns).
        """
        given, (centre, found) = self._fitted, self._baseline
        told = given.levels.loc[found["stratum"]].reset_index(drop=True)
        for name in ("hazard", "cumulative_hazard"):
            found = found.assign(**{name: found[name] * np.exp(-centre)})
        told = told.join(found.drop(columns="stratum").rename(columns={"day": "time_days"}))
        return told.sort_values([*given.levels, "time_days"], ignore_index=True)

    def predict_survival(
        self, df: pd.DataFrame, days: int | Sequence[int], *, id_col: str | None = None
    ) -> pd.DataFrame:
        """The chance of no event by each day: a row per day, a column per row of df (its index).

        A row is somebody whose covariates stay as they are, from day 0 on. With `id_col` the rows
        are episodes, in the columns that the model was fitted with (start_col, stop_col), and a
        column of the answer is a person who goes through hers: the chance of no event from her
        first day on, missing before it and past her last; days between her episodes are without
        hazard. It is a chance only where what the covariates will be does not hang on the event:
        a measure that nobody gets after it makes the curve a mere index. Past the last day that
        anybody of the stratum was followed there is no number.

        Raises:
            ValueError: a column that is not there, a level or a stratum that the model has not.
            NotEstimableError: a coefficient is infinite.
        """
        given, centre, asked = self._fitted, self._baseline[0], whole_days(days)
        columns = Columns(df)
        if id_col is None:
            path, names = np.arange(len(df)), df.index
            start, stop = np.zeros(len(df), np.int64), np.full(len(df), asked[-1])
        else:
            if given.days[0] is None:
                raise ValueError("id_col: the model was fitted without start_col and stop_col")
            path = np.asarray(columns.labels(id_col))
            start, stop = read_episodes(columns, None, *given.days)
            columns.hold_apart(given.days[0], path, start, stop)
            columns.check()
            names = pd.Index(df[id_col].to_numpy()[np.unique(path, return_index=True)[1]])
        ratio = np.exp(given.code(df) @ np.nan_to_num(self.fit_.coef) - centre)
        hazard = ratio[:, None] * self._sum_baseline(self._find_strata(df), start, stop, asked)
        by_path = np.stack([np.bincount(path, part) for part in hazard.T])
        bounds = pd.DataFrame({"start": start, "stop": stop}).groupby(path)
        is_seen = (bounds["start"].min().to_numpy() <= np.array(asked)[:, None]) & (
            np.array(asked)[:, None] <= bounds["stop"].max().to_numpy()
        )
        survival = np.where(is_seen, np.exp(-by_path), np.nan)
        return pd.DataFrame(survival, index=pd.Index(asked, name="time_days"), columns=names)

    def _sum_baseline(
        self, strata: Whole, start: Whole, stop: Whole, days: list[int]
    ) -> npt.NDArray[np.float64]:
        """The baseline hazard of each row up to each day; NaN past its stratum's follow-up."""
        episodes, baseline = self._fitted.episodes, self._baseline[1]
        hazard = np.zeros((len(strata), len(days)))
        for stratum in np.unique(strata):
            mine, rows = strata == stratum, baseline[baseline["stratum"] == stratum]
            total = np.append(0.0, rows["cumulative_hazard"])
            ends = np.minimum(np.stack([start[mine], stop[mine]])[:, :, None], days)
            low, high = total[np.searchsorted(rows["day"].to_numpy(), ends, side="right")]
            is_own = True if episodes.strata is None else episodes.strata == stratum
            is_beyond = np.array(days) > episodes.stop.max(initial=0, where=is_own)
            hazard[mine] = np.where(is_beyond, np.nan, high - low)
        return hazard

    @property
    def concordance_(self) -> float:
        """Harrell's C of the fitted rows: how often an event falls on the higher hazard.

        Of those at risk on its day, within strata; by `weights_col`. R's `concordance(fit)`.
        """
        return find_concordance(self._risk[1], self._fitted.episodes)

    @property
    def _fitted(self) -> _Given:
        assert self.fit_ is not None and self._given is not None
        return self._given

    @property
    def _risk(self) -> tuple[float, npt.NDArray[np.float64]]:
        """The mean log hazard ratio of the rows, and each row's ratio against it."""
        coef = self.fit_.coef
        if np.isinf(coef).any():
            raise NotEstimableError("a coefficient is infinite: the model gives no hazards")
        score = self._fitted.design.multiply(np.nan_to_num(coef))
        return float(score.mean()), np.exp(score - score.mean())

    @cached_property
    def _baseline(self) -> tuple[float, pd.DataFrame]:
        centre, risk = self._risk
        return centre, estimate_baseline(risk, self._fitted.episodes)

    def _find_strata(self, df: pd.DataFrame) -> Whole:
        """The stratum of each row, by its number."""
        levels = self._fitted.levels
        if levels.columns.empty:
            return np.zeros(len(df), np.int64)
        columns = Columns(df)
        columns.labels(list(levels.columns))
        columns.check()
        known = pd.MultiIndex.from_frame(levels)
        place = known.get_indexer(pd.MultiIndex.from_frame(df[[*levels.columns]]))
        columns.hold(", ".join(levels.columns), place >= 0, "a stratum that the model has")
        columns.check()
        return levels.index.to_numpy()[place]

    def check_proportional_hazards(self) -> pd.DataFrame:
        """Test whether each coefficient changes with time, and all of them together (`GLOBAL`).

        The score test of Grambsch and Therneau against 1 less Kaplan-Meier, as R's `cox.zph`.
        A row per column of status `ok`, by its name: chisq, df, p.

        Raises:
            ValueError: the model has weights. NotEstimableError: no coefficient to test.
        """
        fit, given = self.fit_, self._fitted
        episodes = given.episodes
        if given.is_weighted:
            raise ValueError("the test of proportional hazards is not defined with weights")
        found = check_proportional_hazards(
            fit,
            given.design,
            episodes.start,
            episodes.stop,
            episodes.is_event,
            strata=episodes.strata,
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
        coded = make_design(columns, formula, covariates, splines)
        design, self._names = coded.design, coded.names
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
        coded = make_design(columns, formula, covariates, splines)
        design, self._names = coded.design, coded.names
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
