"""A target trial on a data frame: start within the grace time, or do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import pandas as pd

from revictimisation.analyses.target_trials import ChosenWeights
from revictimisation.api import plots
from revictimisation.api.columns import Columns, whole_days
from revictimisation.api.covariates import make_design
from revictimisation.api.keys import plan_of
from revictimisation.core.arrays import Flags, Floats
from revictimisation.core.packing import unpack_check
from revictimisation.core.results import (
    OK,
    SMALLEST_ERROR,
    WITHHELD,
    withhold,
    withhold_unmeasured,
)
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.limits import Gates
from revictimisation.estimators.target_trial.balance import measure_balance, summarise_positivity
from revictimisation.estimators.target_trial.bootstrap import bootstrap_arms
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.clone_influence import find_influence
from revictimisation.estimators.target_trial.clone_weights import (
    LAST,
    GraceLaw,
    WeightedTrial,
    cap_weights,
    weigh_clones,
)
from revictimisation.estimators.target_trial.estimates import estimate_curves, estimate_strategies
from revictimisation.estimators.target_trial.judged_trial import JudgedTrial, judge_trial
from revictimisation.estimators.target_trial.number_needed import NO_DIFFERENCE, describe_interval
from revictimisation.estimators.target_trial.outcome_model import OutcomeModel, fit_outcome_model
from revictimisation.estimators.target_trial.standardised_risk import (
    ESTIMATORS as STANDARDISED,
)
from revictimisation.estimators.target_trial.standardised_risk import (
    estimate_standardised_risks,
    standardise_risks,
)
from revictimisation.estimators.target_trial.trial_data import N_CAUSES, Trial, prepare_trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Days = int | Sequence[int]
Estimator = Literal["clone_censor_weight", "g_formula", "doubly_robust"]
WEIGHTS: Estimator = "clone_censor_weight"
ESTIMATORS = (WEIGHTS, *STANDARDISED)
RISKS = ("risk_start", "risk_no_start")
MOVED = (*RISKS, "risk_difference")
OF_ARMS = (*RISKS, "rmst_start_days", "rmst_no_start_days")
CHANGE_COLUMNS = ("name", "day", "value")


@dataclass(frozen=True, eq=False)
class Rules:
    """What a study asks of its trial: who judges it, and what else may hold its numbers back.

    days: are judged together, whichever of them is asked for. choose: from fitted weights those of
    the main answer and of the doubly robust estimator. judge: the trial by these, on days. hold:
    rows to rows, after the gates. checks: what stands behind it (check, value, limit, status).
    """

    days: tuple[int, ...]
    choose: Callable[[WeightedTrial], ChosenWeights]
    judge: Callable[[WeightedTrial, Sequence[int], WeightedTrial], JudgedTrial]
    hold: Callable[[pd.DataFrame], pd.DataFrame]
    checks: pd.DataFrame


class TargetTrial:
    """The risks had everyone started a measure within its grace time, and had no one.

    Day 0 is when a person enters; a start on day 0 or on day `grace_days` is within the grace time.
    On a day the outcome and what competes with it come before a start. Whoever had started before
    day 0 is not eligible: leave them out of the frame.

    Args:
        grace_days: the last day of the grace time.
        estimator: `clone_censor_weight` (inverse-probability weights), `g_formula` (a model of the
            outcome, standardised; baseline covariates alone), `doubly_robust` (both: right if one
            of the two is).
        grace_law: `natural_law` (starts within the grace time as people of their kind start) or
            `censor_at_end`; the last is another question, for the weights alone.
        cap_quantile: cap the stabilised weights of each arm at this quantile; None: as they are.
        n_bootstrap: replicates over clusters, models refitted; 0: intervals by each cluster's
            influence, which the other two estimators always have.
        seed: of the bootstrap.
        gates: limits that hold numbers back, in place of those of a study file that names none, by
            the names of its `gates` (docs/study_file.md): `{"events_per_arm": 5}`.
        small_sample: errors and intervals allow for few who start (the study file's
            `inference.small_sample`).

    A number has status `ok` only where all gates hold; else it is `withheld`, and `reason` names
    the first that does not. The weights are judged as they are before a cap.
    """

    _weighted: WeightedTrial | None = None
    _plain: WeightedTrial
    _main: WeightedTrial  # what is judged: of a study where needed calibrated
    _correcting: WeightedTrial
    _judged: dict[tuple[int, ...], JudgedTrial]
    _rules: Rules | None = None

    def __init__(
        self,
        *,
        grace_days: int,
        estimator: Estimator = WEIGHTS,
        grace_law: GraceLaw = "natural_law",
        cap_quantile: float | None = None,
        n_bootstrap: int = 0,
        seed: int = 1,
        gates: Gates | Mapping[str, float] | None = None,
        small_sample: bool = True,
    ) -> None:
        if estimator not in ESTIMATORS:
            raise ValueError(f"estimator is one of {', '.join(ESTIMATORS)}, not {estimator!r}")
        others = grace_law != "natural_law" or cap_quantile is not None or n_bootstrap
        if estimator != WEIGHTS and others:
            raise ValueError(
                f"grace_law, cap_quantile and n_bootstrap are of {WEIGHTS}, not of {estimator}"
            )
        if n_bootstrap < 0 or n_bootstrap == 1:
            raise ValueError("n_bootstrap is 0, or 2 and more")
        self.grace_days = grace_days
        self.estimator = estimator
        self.grace_law = grace_law
        self.cap_quantile = cap_quantile
        self.n_bootstrap = n_bootstrap
        self.seed = seed
        self.small_sample = small_sample
        self.gates: Gates = _read_gates(gates)

    def fit(
        self,
        df: pd.DataFrame,
        duration_col: str,
        event_col: str,
        treatment_day_col: str,
        *,
        id_col: str | None = None,
        cluster_col: str | None = None,
        formula: str | None = None,
        covariates: Sequence[str] | None = None,
        splines: Mapping[str, int] | None = None,
        changes: pd.DataFrame | None = None,
        modifiers: Sequence[str] = (),
        cut_days: Sequence[int] | None = None,
    ) -> Self:
        """Fit the weights (and for the other two estimators the model of the outcome).

        Args:
            df: a row per person.
            duration_col: the last day of follow-up, 1 or more.
            event_col: what ends it: 0 the end of the data, 1 the outcome, 2 and 3 what competes
                (death, emigration).
            treatment_day_col: day of the first start, 0 or later; missing: none. One after the
                grace time, or not before the last day, is none.
            cluster_col: whose rows belong together (the victim); else each row by itself.
            formula, covariates, splines: what is known on day 0, as in `CoxModel.fit`, but one of
                the two must be given: other columns may hold what came later.
            changes: covariates that change within the grace time, a row per change: the column
                `id_col` of df, name, day, value (a number). From the beginning of `day` on the
                covariate has the value, before its first change 0.
            modifiers: columns of the model, 0 or 1, between which the outcome's model lets the
                effect differ (for the estimators with such a model).
            cut_days: first days of the intervals of the grace time in which starts are equally
                likely, the first 0; None: cut where starts are many.

        Raises:
            ValueError: a column that is not there or breaks a rule, named with all others; neither
                formula nor covariates.
            NotEstimableError: nobody started (`nobody_started`), or everybody.
        """
        if formula is None and covariates is None:
            raise ValueError("name what is known on day 0: formula or covariates ([] for nothing)")
        columns = Columns(df)
        stop = columns.days(duration_col, least=1)
        cause = columns.causes(event_col, N_CAUSES)
        start = columns.first_days(treatment_day_col)
        cluster = columns.labels(cluster_col)
        changing = _read_changes(columns, id_col, changes)
        columns.check()
        design = make_design(columns, formula, covariates, splines, has_own=False).design
        unknown = [name for name in modifiers if name not in design.names]
        if unknown:
            raise ValueError(
                f"modifiers: no column {unknown[0]!r} in the model: {', '.join(design.names)}"
            )
        trial = prepare_trial(
            stop,
            cause,
            start,
            design,
            grace_days=self.grace_days,
            cluster=cluster,
            changes=changing,
            cut_days=cut_days,
        )
        labels = df.index if cluster is None else pd.Index(df[cluster_col], name=cluster_col)
        return self.take(trial, df.index, labels, modifiers)

    def take(
        self,
        trial: Trial,
        index: pd.Index,
        clusters: pd.Index,
        modifiers: Sequence[str] = (),
        rules: Rules | None = None,
    ) -> Self:
        """Fit the weights of a trial that is laid out already (`Study.target_trial`).

        `index`: what its people are called in `weights`, `clusters`: the cluster of each, as it is
        called in `influence`. `trial` has the grace time of this one. `rules`: of its study.
        """
        self.__dict__.pop("outcome_model_", None)
        self._index, self._modifiers, self._clusters = index, list(modifiers), clusters
        self._rules, self._judged = rules, {}
        self._plain = weigh_clones(
            trial, grace_law=self.grace_law, is_small_sample=self.small_sample
        )
        cap, chosen = self.cap_quantile, ChosenWeights(self._plain, self._plain, {})
        if rules is not None and cap is None:
            chosen = rules.choose(self._plain)
        self._main, self._correcting, _ = chosen
        self._weighted = self._main if self.estimator == WEIGHTS else self._correcting
        if cap is not None:
            self._weighted = cap_weights(self._plain, cap_quantile=cap)
        return self

    def risks(self, days: Days, *, cause: int = 1) -> pd.DataFrame:
        """The risk by each day under either strategy: a row per day and arm.

        Of the outcome, or of another `cause` (by the weights alone). Columns: estimand
        (`risk_start`, `risk_no_start`), time_days, estimate, ci_low, ci_high, se, n_people (never
        censored artificially), n_events (theirs, up to the day), status, reason.
        """
        rows = self._estimate(days, cause)
        return rows[rows["estimand"].isin(RISKS)].reset_index(drop=True)

    def contrast(self, days: Days, *, cause: int = 1) -> pd.DataFrame:
        """Start against no start by each day: a row per day and estimand.

        risk_difference, risk_ratio (se: of its logarithm), for the outcome rmst_difference_days
        (event-free days gained) and by the weights number_needed_to_treat. Columns as of `risks`,
        and `interval` in words: where a number needed to treat runs through infinity its limits
        have no other order (`NNTB 7.8 to infinity to NNTH 24`: so many to benefit, to harm).
        """
        rows = self._estimate(days, cause)
        told = rows[~rows["estimand"].isin(OF_ARMS)].reset_index(drop=True)
        return told.assign(interval=describe_interval(told))

    def summary(self, day: int | None = None) -> pd.DataFrame:
        """Risks, event-free days and contrasts of the outcome by one day, else by the last."""
        last = self.weighted_.trial.last_day
        return self._estimate(last if day is None else day).set_index("estimand")

    def influence(self, day: int) -> pd.DataFrame:
        """How much each cluster (without `cluster_col`: each row) moves the outcome's risks.

        By one day: risk_start, risk_no_start, risk_difference, a row a cluster by its label. The
        sum of their squares is the squared error that `contrast` has without a bootstrap.
        """
        asked, weighted = whole_days(day, 1), self.weighted_
        if self.estimator == WEIGHTS:
            is_widened = weighted.tilt is not None or weighted.is_small_sample
            moved = find_influence(weighted, asked, n_numbers=1, is_widened=is_widened)
        else:
            risks = standardise_risks(weighted, self.outcome_model_, asked, is_widened=True)
            which = STANDARDISED.index(self.estimator)
            moved = risks.influence[:, which]
        table = pd.DataFrame(moved[:, :, 0, 0], columns=list(RISKS), index=self._clusters.unique())
        return table.assign(risk_difference=table[RISKS[0]] - table[RISKS[1]])[list(MOVED)]

    def compare(self, other: TargetTrial, days: Days) -> pd.DataFrame:
        """What changes from this trial to another of the same people: a row per day and number.

        Another grace time, other covariates, another estimator: both move with the same clusters,
        so the change is surer than either. Columns: time_days, estimand (`risk_start`,
        `risk_no_start`, `risk_difference`), here, there, change (there less here), ci_low, ci_high,
        se, status, reason (of the first of the two that does not hold; `no_difference` where
        nothing changes). The error is of each cluster's influence there less that here, 0 where it
        is not in one, whatever the bootstrap says of either; where a risk is 0 or 1 there is none.

        Raises:
            ValueError: no cluster of one is in the other.
        """
        if self._clusters.intersection(other._clusters).empty:
            raise ValueError(
                "the two trials have no cluster in common, by their names in influence(): they are"
                " not of the same people, or lack cluster_col"
            )
        asked = whole_days(days, 1)
        wanted = [(day, name) for day in asked for name in MOVED]
        here, there = (
            trial._estimate(asked).set_index(["time_days", "estimand"]).loc[wanted]
            for trial in (self, other)
        )
        value = (there["estimate"] - here["estimate"]).to_numpy(np.float64)
        influence = np.hstack([self._move_to(other, day) for day in asked])
        influence[:, _is_edge(here) | _is_edge(there)] = np.nan
        found, first = Estimate(value, influence).interval(), here["status"].eq(OK)
        numbers = {"change": value, "ci_low": found.low, "ci_high": found.high, "se": found.se}
        rows = pd.DataFrame({
            "here": here["estimate"], "there": there["estimate"],
            **{name: one.round(12) for name, one in numbers.items()},  # below it is rounding
            **{name: there[name].where(first, here[name]) for name in ("status", "reason")},
        }).reset_index()  # fmt: skip
        is_same = rows["se"].le(SMALLEST_ERROR) & rows["change"].abs().le(SMALLEST_ERROR)
        return withhold_unmeasured(withhold(rows, is_same, NO_DIFFERENCE))

    def _move_to(self, other: TargetTrial, day: int) -> Floats:
        """What each cluster of either trial moves the other's risks by, less what it moves here."""
        moved = [trial.influence(day) for trial in (self, other)]
        every = moved[0].index.union(moved[1].index)
        here, there = (one.reindex(every).fillna(0.0).to_numpy(np.float64) for one in moved)
        return there - here

    def diagnostics(self, days: Days) -> pd.DataFrame:
        """What says whether to believe the numbers of these days: a row per check, arm and day.

        Columns: check, arm (empty: both or neither), time_days (missing: none), value, limit
        (missing: only told), status (`ok`, `failed`). Balance and positivity, weights and effective
        sample size, people, events, the smallest difference that could be seen, whether models
        settled, how far the three estimators lie apart (natural law); each as
        `estimators.target_trial.diagnostics` says. What fails is what `contrast` withholds for.
        """
        asked, judged = whole_days(days, 1), self._judge(days).judged
        names = [unpack_check(text) for text in judged["check"]]
        told = judged[["value", "limit", "status"]]
        told.insert(0, "check", [name.name for name in names])
        told.insert(1, "arm", [name.arm for name in names])
        told.insert(
            2, "time_days", pd.Series([name.day for name in names], told.index, dtype="Int64")
        )
        if self._rules is None:
            return told
        others = {*self._rules.days} - {*asked, 0, self.grace_days}
        mine, checks = told[~told["time_days"].isin(others)], self._rules.checks
        no_day = pd.array([pd.NA] * len(checks), "Int64")
        beside = checks.assign(arm="", time_days=no_day)[mine.columns]
        return pd.concat([mine, beside], ignore_index=True) if len(checks) else mine

    def balance(self, days: Days | None = None) -> pd.DataFrame:
        """Standardised differences of every column of the model, before and after weighting.

        On day 0, the last of the grace time and `days`: a row per day, column and comparison
        (`start`, `no_start`: less everybody; `start_less_no_start`): unweighted, weighted.
        """
        return measure_balance(self.weighted_, [] if days is None else whole_days(days))

    def positivity(self) -> pd.DataFrame:
        """Who could start: a row for everybody (column empty) and for each indicator column.

        n_people, n_started, least and largest fitted chance of a start, share_outside the common
        support.
        """
        return summarise_positivity(self.weighted_)

    def weights(self, day: int | None = None, *, stabilised: bool = False) -> pd.DataFrame:
        """Both clones' weights by row of the frame (start, no_start); 0 once censored.

        On `day`, else on the last day of each one's follow-up.
        """
        found = self.weighted_.weights_on(LAST if day is None else day, is_stabilised=stabilised)
        return pd.DataFrame(found, index=self._index, columns=["start", "no_start"])

    def plot(self, ax: Axes | None = None, *, last_day: int | None = None, label: str = "") -> Axes:
        """Both risks of the outcome with their bands, to `last_day` or the end of follow-up.

        The arms differ in colour and dashes, trials on the same axes in marks and by their `label`;
        what a gate holds back on that day is said to be withheld.
        """
        people = self.weighted_.trial.people
        last = self.weighted_.trial.last_day if last_day is None else last_day
        days = plots.choose_days(people.stop[people.cause == 1], last)[1:]
        if self.estimator == WEIGHTS:
            rows = estimate_curves(self.weighted_, days)
        else:
            found = estimate_standardised_risks(self._correcting, self.outcome_model_, days)
            rows = found[self.estimator]
        named = {"start": "risk_start", "no start": "risk_no_start"}
        zero = pd.DataFrame(
            {name: [0.0] for name in ("time_days", "estimate", "ci_low", "ci_high")}
        )
        gap = self._estimate(last).set_index("estimand").loc["risk_difference"]
        if gap["status"] == WITHHELD:
            named = {f"{arm} (withheld)": name for arm, name in named.items()}
        numbers = rows[list(zero)]
        curves = {
            arm: pd.concat([zero, numbers[rows["estimand"].eq(name)]])
            for arm, name in named.items()
        }
        return plots.draw_curves(curves, "risk", ax, label=label)

    @property
    def weighted_(self) -> WeightedTrial:
        """The trial with its fitted weights, as the estimators give it."""
        if self._weighted is None:
            raise ValueError("TargetTrial is not fitted yet: call fit() first")
        return self._weighted

    @cached_property
    def outcome_model_(self) -> OutcomeModel:
        """The model of the outcome, of the g-formula and the doubly robust estimator."""
        return fit_outcome_model(self.weighted_.trial, modifiers=self._modifiers)

    def _estimate(self, days: Days, cause: int = 1) -> pd.DataFrame:
        rows = self._estimate_all(days)
        known = rows["cause"].unique().tolist()
        if cause not in known:
            raise ValueError(f"{self.estimator} has no cause {cause!r}: {known}")
        return rows[rows["cause"] == cause].drop(columns="cause")

    def _estimate_all(self, days: Days) -> pd.DataFrame:
        asked, judged, rules = whole_days(days, 1), self._judge(days), self._rules
        if self.estimator != WEIGHTS:
            rows = judged.others[self.estimator]
        elif self.cap_quantile is None:
            rows = judged.main
        else:
            rows = self._estimate_capped(asked)
        held = judged.hold(rows)
        held = held if rules is None else rules.hold(held)
        return held[held["time_days"].isin(asked)]

    def _estimate_capped(self, days: list[int]) -> pd.DataFrame:
        drawn = None
        if self.n_bootstrap:
            drawn = bootstrap_arms(
                self.weighted_, days, n_replicates=self.n_bootstrap, seed=self.seed
            )
        return estimate_strategies(self.weighted_, days, replicates=drawn)

    def _judge(self, days: Days) -> JudgedTrial:
        """The trial under its gates, on these days and those of its study."""
        weighted, rules = self.weighted_, self._rules
        every = tuple(sorted({*whole_days(days, 1), *(rules.days if rules else ())}))
        if every not in self._judged:
            if rules is not None:
                self._judged[every] = rules.judge(self._main, every, self._correcting)
            else:
                self._judged[every] = judge_trial(
                    self._plain, every, self.gates,
                    self.outcome_model_ if weighted.is_natural else None,
                    n_replicates=self.n_bootstrap, seed=self.seed,
                )  # fmt: skip
        return self._judged[every]

    def __repr__(self) -> str:
        name = f"TargetTrial(grace_days={self.grace_days}, estimator={self.estimator!r})"
        if self._weighted is None:
            return f"<{name}, not fitted>"
        trial = self._weighted.trial
        return f"<{name}: {trial.n_entries} people, {int(trial.is_started.sum())} started>"


def _is_edge(rows: pd.DataFrame) -> Flags:
    """Whether a risk that the number is of is 0 or 1, of which no cluster's influence is known."""
    risks = rows["estimate"].to_numpy(np.float64).reshape(-1, len(MOVED))[:, : len(RISKS)]
    is_edge = (risks <= 0) | (risks >= 1)
    return np.column_stack([is_edge, is_edge.any(axis=1)]).ravel()


def _read_gates(gates: Gates | Mapping[str, float] | None) -> Gates:
    if gates is None or isinstance(gates, Mapping):
        return plan_of({"name": "trial", "gates": dict(gates or {})}).gates
    return gates


def _read_changes(
    columns: Columns, id_col: str | None, changes: pd.DataFrame | None
) -> dict[str, Changes] | None:
    """Covariates that change, by name: where in the frame each row's person stands."""
    if id_col is not None:
        columns.labels(id_col)
    if changes is None:
        return None
    if id_col is None:
        raise ValueError("changes need id_col: the column that names a person in both frames")
    given = Columns(changes)
    given.labels(id_col)
    given.labels(CHANGE_COLUMNS[0])
    day, value = given.days(CHANGE_COLUMNS[1]), given.numbers(CHANGE_COLUMNS[2])
    given.check()
    columns.check()
    who = pd.Index(columns.frame[id_col])
    if who.has_duplicates:
        raise ValueError(f"column {id_col!r}: a person stands in two rows")
    entry = who.get_indexer(changes[id_col])
    if (entry < 0).any():
        raise ValueError(
            f"changes: {int((entry < 0).sum())} rows of people who are not in the frame"
        )
    return {
        str(name): Changes(entry[chosen], day[chosen], value[chosen])
        for name, chosen in Columns(changes).groups(CHANGE_COLUMNS[0]).items()
    }


__all__ = ["TargetTrial"]
