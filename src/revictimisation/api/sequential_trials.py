"""Sequential target trials on a data frame: from each period, start now or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from revictimisation.api import plots
from revictimisation.api.columns import Columns, whole_days
from revictimisation.api.covariates import make_design
from revictimisation.core.results import mark_endless
from revictimisation.estimators.intervals import normal_quantile
from revictimisation.estimators.sequential.estimates import (
    Stretch,
    bootstrap_stretches,
    diagnose_stretch,
    estimate_stretch,
    pool_spans,
)
from revictimisation.estimators.sequential.periods import (
    Periods,
    build_period_trials,
    expand_trials,
    find_trials,
    fit_pooled_hazard,
    weigh_adherence,
)
from revictimisation.estimators.sequential.trials import SequentialTrials as Trials
from revictimisation.estimators.target_trial.gates import judge
from revictimisation.estimators.target_trial.trial_data import N_CAUSES
from revictimisation.plan import Gates as DefaultGates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from revictimisation.estimators.limits import Gates

Days = int | Sequence[int]
RISKS = ("risk_start", "risk_no_start")
TIME_TERMS = ("trial_period", "followup_time")


class SequentialTrials:
    """From each period in which a person may start: the risks had all started then, and had none.

    The frame is laid out as for R's package TrialEmulation: a row per person and period; within a
    period treatment comes before outcome. Intention to treat: who starts in a later period stays
    in the arm *no start* of the trials before. Trials count by how many start in their period.

    Args:
        n_bootstrap: replicates over clusters, the model of starts refitted; 0: intervals by each
            cluster's influence.
        seed: of the bootstrap.
        gates: limits of `diagnostics`; None: those of a study file that names none.
    """

    _trials: Trials | None = None

    def __init__(self, *, n_bootstrap: int = 0, seed: int = 1, gates: Gates | None = None) -> None:
        if n_bootstrap < 0 or n_bootstrap == 1:
            raise ValueError("n_bootstrap is 0, or 2 and more")
        self.n_bootstrap = n_bootstrap
        self.seed = seed
        self.gates: Gates = DefaultGates() if gates is None else gates

    def fit(
        self,
        df: pd.DataFrame,
        id_col: str = "id",
        period_col: str = "period",
        treatment_col: str = "treatment",
        outcome_col: str = "outcome",
        eligible_col: str = "eligible",
        *,
        cluster_col: str | None = None,
        formula: str | None = None,
        covariates: Sequence[str] | None = None,
        splines: Mapping[str, int] | None = None,
    ) -> Self:
        """Fit the model of starts, which weighs the trials.

        Args:
            df: a row per person and period, without a gap; rows after a person's first outcome
                count for nothing.
            treatment_col: 0 or 1, in the period. outcome_col: 0 none, 1 the outcome, 2 and 3 what
                competes, in the period and after the treatment.
            eligible_col: 0 or 1: whether a trial of the person begins in the period: not treated
                before, say.
            cluster_col: whose rows belong together; else a person's.
            formula, covariates, splines: what is known before the treatment of the period, as in
                `TargetTrial.fit`; one of the two must be given.

        Raises:
            ValueError: a column that is not there or breaks a rule, named with all others; neither
                formula nor covariates; periods left out.
            NotEstimableError: nobody is eligible, nobody of them starts, or everybody does.
        """
        if formula is None and covariates is None:
            raise ValueError("name what is known before: formula or covariates ([] for nothing)")
        columns = Columns(df)
        person = columns.labels(id_col)
        period = columns.days(period_col)
        is_treated, is_eligible = columns.flags(treatment_col), columns.flags(eligible_col)
        cause = columns.causes(outcome_col, N_CAUSES)
        cluster = columns.labels(cluster_col)
        columns.check()
        assert person is not None
        self._found = find_trials(person, period, is_treated, cause, is_eligible)
        begun = df.iloc[self._found.row].reset_index(drop=True)
        design = make_design(Columns(begun), formula, covariates, splines, has_own=False)
        groups = self._found.person if cluster is None else cluster[self._found.row]
        self._ids = df[id_col].to_numpy()[self._found.row]
        self._groups = groups
        self._coded = design.names, design.code(begun)
        self._frame, self._asked = df, (formula, covariates, splines)
        self._rows = person, period, is_treated, cause, is_eligible
        self._trials = build_period_trials(self._found, design.design, groups)
        return self

    def risks(self, periods: Days, *, starts: tuple[int, int] | None = None) -> pd.DataFrame:
        """The risk by so many periods after a start, or after none: a row per period and arm.

        `starts`: the first and last period in which the trials begin; None: all. Columns:
        estimand (`risk_start`, `risk_no_start`), time_days (periods since the trial began),
        estimate, ci_low, ci_high, se, n_people, n_events, status, reason.
        """
        rows = self._estimate(periods, starts)
        return rows[rows["estimand"].isin(RISKS)].reset_index(drop=True)

    def contrast(self, periods: Days, *, starts: tuple[int, int] | None = None) -> pd.DataFrame:
        """Start against no start: risk_difference, risk_ratio (se: of its logarithm), as `risks`.

        n_people, n_events: of all who are in one of the trials, each once.
        """
        rows = self._estimate(periods, starts)
        return rows[~rows["estimand"].isin(RISKS)].reset_index(drop=True)

    def summary(self, period: int | None = None) -> pd.DataFrame:
        """Risks and contrasts by one period after the trials began, else by the last."""
        last = int(self.found_.left.max())
        return self._estimate(last if period is None else period, None).set_index("estimand")

    def diagnostics(self, periods: Days, *, starts: tuple[int, int] | None = None) -> pd.DataFrame:
        """What says whether to believe the numbers: check, arm, time_days, value, limit, status."""
        stretch = self._pool(starts)
        checks = diagnose_stretch(stretch, estimate_stretch(stretch, whole_days(periods, 1)))
        judged = judge(checks, self.gates, {"analysis": "", "measure": ""}, 0)
        return pd.concat(
            [checks[["check", "arm", "time_days", "value"]].astype({"time_days": "Int64"}),
             judged[["limit", "status"]]], axis=1,
        )  # fmt: skip

    def expanded(self) -> pd.DataFrame:
        """The trials below each other: a row per person, trial and period of follow-up.

        Columns: the id, trial_period, followup_time (0 in the period in which the trial begins),
        assigned_treatment, outcome (1 in the period of the outcome), weight (of the trial's row).
        """
        found, (place, time) = self.found_, expand_trials(self.found_)
        is_last = time == found.left[place] - 1
        return pd.DataFrame({
            "id": self._ids[place],
            "trial_period": found.period[place],
            "followup_time": time,
            "assigned_treatment": found.is_start[place].astype(np.int64),
            "outcome": (is_last & (found.cause[place] == 1)).astype(np.int64),
            "weight": self.weights().to_numpy()[place],
        })  # fmt: skip

    def per_protocol(self, stabilise_by: Sequence[str] = ()) -> pd.DataFrame:
        """`expanded` of who keeps to the treatment of the trial's first period, weighted for that.

        A trial's rows end before the period in which the treatment changes. Column `weight`: the
        inverse probability of having kept to it since the trial began, by the model's columns in
        each period, as TrialEmulation's `estimand_type = "PP"`; times the probability by
        `stabilise_by` (columns of the frame) alone. Not for having started: multiply by `weights`.

        Raises:
            ValueError: no such column. NotEstimableError: after treatment, or after none, all have
                it or none.
        """
        found, begun, columns = self.found_, self.expanded(), Columns(self._frame)
        design = make_design(columns, *self._asked, has_own=False).design
        small = make_design(columns, None, list(stabilise_by), None, has_own=False).design
        columns.check()
        kept = weigh_adherence(*self._rows, design, small)
        place, time = expand_trials(found)
        person, period = self._rows[:2]
        order = np.lexsort((period, person))
        at = np.empty(len(order), np.int64)
        at[order] = np.arange(len(order))
        product = np.cumsum(np.log(kept.factor[order]))
        row = at[found.row[place]]
        begun["weight"] = np.exp(product[row + time] - product[row])
        is_kept = found.period[place] + time <= kept.until[found.row[place]]
        return begun[is_kept].reset_index(drop=True)

    def weights(self) -> pd.Series:
        """The weight of each trial and person, in the order of the eligible rows."""
        trials = self.trials_
        weights = trials.weights.other.copy()
        weights[trials.spans.is_start] = trials.weights.own
        return pd.Series(weights, index=pd.Index(self._ids, name="id"), name="weight")

    def pooled_hazard(
        self,
        *,
        trial_period_terms: int = 2,
        followup_time_terms: int = 2,
        covariates: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """A pooled logistic model of the hazard over all trials, intention to treat, unweighted.

        As TrialEmulation's `trial_msm`: assigned treatment, powers of the trial's period and of the
        time since (so many, 0 for none), the covariates when the trial began (all of the model of
        starts, or these of its columns). Adjusted by regression, not by weights: the log odds ratio
        is that given the covariates. Errors clustered (R's `sandwich::vcovCL`).

        Returns:
            A row per term: term, coef, se, ci_low, ci_high.
        """
        found, (place, time) = self.found_, expand_trials(self.found_)
        names, matrix = self._coded
        chosen = names if covariates is None else list(covariates)
        unknown = [name for name in chosen if name not in names]
        if unknown:
            raise ValueError(f"no column {unknown[0]!r} in the model: {', '.join(names)}")
        parts = {"(Intercept)": np.ones(len(place)),
                 "assigned_treatment": found.is_start[place].astype(np.float64)}  # fmt: skip
        terms = (trial_period_terms, followup_time_terms)
        for name, column, most in zip(TIME_TERMS, (found.period[place], time), terms, strict=True):
            for power in range(1, most + 1):
                parts[name if power == 1 else f"{name}^{power}"] = (
                    column.astype(np.float64) ** power
                )
        parts |= {name: matrix[place, names.index(name)] for name in chosen}
        is_event = (time == found.left[place] - 1) & (found.cause[place] == 1)
        fit = fit_pooled_hazard(np.stack([*parts.values()]), is_event, self._groups[place])
        se = np.sqrt(np.diag(fit.covariance))
        reach = normal_quantile() * se
        return pd.DataFrame({
            "term": [*parts], "coef": fit.coef, "se": se,
            "ci_low": fit.coef - reach, "ci_high": fit.coef + reach,
        })  # fmt: skip

    def plot(self, ax: Axes | None = None, *, last: int | None = None, label: str = "") -> Axes:
        """Both risks with their bands by periods since the trials began."""
        final = int(self.found_.left.max()) if last is None else last
        rows = self._estimate(list(range(1, final + 1)), None)
        zero = pd.DataFrame(
            {name: [0.0] for name in ("time_days", "estimate", "ci_low", "ci_high")}
        )
        numbers = rows[list(zero)]
        curves = {
            name: pd.concat([zero, numbers[rows["estimand"].eq(estimand)]])
            for name, estimand in (("start", RISKS[0]), ("no start", RISKS[1]))
        }
        return plots.draw_curves(
            curves, "risk", ax, label=label, time="periods since the trial began"
        )

    @property
    def trials_(self) -> Trials:
        """The trials with the fitted model, as the estimators give them."""
        if self._trials is None:
            raise ValueError("not fitted yet: call fit first")
        return self._trials

    @property
    def found_(self) -> Periods:
        """The rows from which a trial begins."""
        self.trials_  # noqa: B018 - says that nothing is fitted
        return self._found

    def _pool(self, starts: tuple[int, int] | None) -> Stretch:
        begin = self.trials_.spans.begin
        first, last = (begin.min(), begin.max()) if starts is None else starts
        return pool_spans(self.trials_, (begin >= first) & (begin <= last))

    def _estimate(self, periods: Days, starts: tuple[int, int] | None) -> pd.DataFrame:
        asked, stretch = whole_days(periods, 1), self._pool(starts)
        draws = None
        if self.n_bootstrap:
            drawn, _ = bootstrap_stretches(
                [stretch], asked, n_replicates=self.n_bootstrap, seed=self.seed
            )
            draws = drawn[:, 0]
        return mark_endless(estimate_stretch(stretch, asked, draws))

    def __repr__(self) -> str:
        if self._trials is None:
            return "<SequentialTrials, not fitted>"
        n_people, n_starts = len(np.unique(self._found.person)), int(self._found.is_start.sum())
        return f"<SequentialTrials: {n_people} people, {len(self._ids)} trials, {n_starts} starts>"


__all__ = ["SequentialTrials"]
