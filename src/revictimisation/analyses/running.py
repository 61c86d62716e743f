"""Runs the registry: what needs nothing side by side, gates applied, then what needs the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import NamedTuple, Protocol

import pandas as pd

from revictimisation.analyses.analysis import Analysis, Found, no_checks
from revictimisation.analyses.registry import ANALYSES, CONTROLS
from revictimisation.analyses.sensitivity.negative_controls import (
    GATED,
    withhold_biased,
)
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.codes import OTHER_CAUSES
from revictimisation.core.results import (
    FAILS_KNOWN_TRUTH,
    OK,
    WITHHELD,
    choose,
    combine,
    withhold,
    withhold_unmeasured,
)
from revictimisation.core.workers import map_here
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import StudyPlan


class Task(NamedTuple):
    """What is done in one place: an analysis of all measures, or of these alone."""

    analysis: Analysis
    measures: tuple[str, ...] | None = None


class Share(Protocol):
    """Does each of items, which may be done side by side and elsewhere (`Workers.map`)."""

    def __call__(
        self, do: Callable[[Task], Found], items: Iterable[Task], begin: Callable[[Task], object]
    ) -> list[Found]:
        """What comes of each, in their order; `begin` is called here as one is begun."""


def run_analyses(
    data: StudyData,
    report: Callable[[str], None] = lambda step: None,
    share: Share = map_here,
    analyses: Sequence[Analysis] = ANALYSES,
) -> Found:
    """Estimate everything a study asks for: all rows of `estimates` and of `diagnostics`.

    What needs no other's results is shared out; the results are the same. `report` is called with
    the name of each analysis as it begins.
    """
    first = sorted(
        (analysis for analysis in analyses if not analysis.needs), key=lambda one: not one.is_long
    )
    tasks = [task for analysis in first for task in _divide(analysis, data.plan)]
    begun: set[str] = set()

    def begin(task: Task) -> None:
        name = task.analysis.name
        if name not in begun:
            begun.add(name)
            report(name)

    made = zip(tasks, share(partial(do_task, data), tasks, begin), strict=True)
    parts = {name: [found for _, found in several]
             for name, several in groupby(made, lambda one: one[0].analysis.name)}  # fmt: skip
    found = {name: lay_out(several) for name, several in parts.items()}
    found = _hold_back(analyses, found, data.plan)
    for analysis in analyses:
        if analysis.needs:
            report(analysis.name)
            given = (found[name] for name in analysis.needs)
            found[analysis.name] = _standardise(analysis.estimate(data, *given))
    return lay_out([found[analysis.name] for analysis in analyses])


def _divide(analysis: Analysis, plan: StudyPlan) -> list[Task]:
    if not (analysis.is_by_measure and plan.measure_names):
        return [Task(analysis)]
    return [Task(analysis, (measure,)) for measure in plan.measure_names]


def do_task(data: StudyData, task: Task) -> Found:
    """What an analysis that needs no other's results finds."""
    asked = {} if task.measures is None else {"measures": task.measures}
    return _standardise(task.analysis.estimate(data, **asked))


def _standardise(given: pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame] | Found) -> Found:
    if isinstance(given, pd.DataFrame):
        given = Found(given, no_checks())
    found = given if isinstance(given, Found) else Found(*given)
    return replace(found, estimates=withhold_without_error(found.estimates))


def lay_out(found: Sequence[Found]) -> Found:
    """The tables of several analyses below each other."""
    checks = [one.diagnostics for one in found if len(one.diagnostics)]
    typed = [table.astype({"value": "float64", "limit": "float64"}) for table in checks]
    diagnostics = pd.concat(typed, ignore_index=True) if typed else no_checks()
    scores = [one.scores for one in found if one.scores is not None]
    return Found(
        combine([one.estimates for one in found]),
        diagnostics,
        pd.concat(scores, ignore_index=True) if scores else None,
    )


def _hold_back(
    analyses: Sequence[Analysis], found: Mapping[str, Found], plan: StudyPlan
) -> dict[str, Found]:
    """Withhold what the negative controls speak against, what the method fails, what follows."""
    held = dict(found)
    controls = found[CONTROLS].diagnostics if CONTROLS in found else no_checks()
    for analysis in analyses:
        if analysis.is_controlled:
            mine = held[analysis.name]
            told = withhold_near_in_time(withhold_biased(mine.estimates, controls), plan)
            held[analysis.name] = replace(mine, estimates=told)
    for analysis in analyses:
        if analysis.follows in held:
            mine = held[analysis.name]
            told = withhold_followers(mine.estimates, held[analysis.follows].estimates)
            held[analysis.name] = replace(mine, estimates=told)
    return held


def withhold_without_error(estimates: pd.DataFrame) -> pd.DataFrame:
    """Withhold what should have an error and has none, or one of 0: nothing says how sure it is.

    What a model or a curve estimates has an error (`has_error` in `codes/estimand.csv`); what
    describes (counts, shares, medians) or follows from it (p-values, E-values) may have none.

    >>> from revictimisation.core.results import make_estimates
    >>> rows = make_estimates([{"estimand": "risk_ratio", "estimate": 1.0, "se": 0.0}])
    >>> withhold_without_error(rows)[["status", "reason"]].values.tolist()
    [['withheld', 'no_error']]
    """
    codes = load_dictionary().codes("estimand")
    with_error = codes.loc[codes["has_error"].eq("true"), "code"]
    return withhold_unmeasured(estimates, estimates["estimand"].isin(with_error))


def withhold_near_in_time(estimates: pd.DataFrame, plan: StudyPlan) -> pd.DataFrame:
    """Withhold what is said of starts near in time by adjusting for the same covariates (`GATED`).

    Both agencies' starts are two decisions: who has one of them is on the way to the other, and
    nearly all in the greatest danger come to both. In six counties of 12,000 people of known truth
    (`benchmarks/joint_truth.py`) the answer was off by 1.3 standard errors in the mean, and 4 of 6
    intervals held the truth.
    """
    is_mine = estimates["measure"].map(plan.is_joint).astype(bool)
    return withhold(estimates, is_mine & estimates["estimator"].isin(GATED), FAILS_KNOWN_TRUTH)


def withhold_followers(estimates: pd.DataFrame, main: pd.DataFrame) -> pd.DataFrame:
    """Withhold what is said of a measure and a day whose main result is withheld, and why.

    `main`: rows of the main comparison (risk_difference of `clone_censor_weight`); those of death
    and emigration hold nothing else back.
    """
    asked = {"estimand": "risk_difference", "estimator": "clone_censor_weight"}
    keys = ["measure", "time_days"]
    held = choose(main, analysis="main", status=WITHHELD, **asked)
    held = held[~held["outcome"].isin(OTHER_CAUSES)].drop_duplicates(keys)
    reasons = estimates[keys].merge(held[[*keys, "reason"]], on=keys, how="left")["reason"]
    out = estimates.copy()
    is_held = reasons.notna().to_numpy() & out["status"].eq(OK).to_numpy()
    out.loc[is_held, "status"] = WITHHELD
    out.loc[is_held, "reason"] = reasons.to_numpy()[is_held]
    return out
