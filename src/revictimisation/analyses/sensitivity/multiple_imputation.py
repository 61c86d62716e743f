"""Question 2, missing values: the main differences with gaps filled several times over.

The main analysis takes a missing value for a category of its own, which adjusts for it rightly only
if those who lack it are alike in it. Here what is missing of what the study adjusts for is drawn
from all that is known (`estimators.chained_equations`), the whole comparison is made with each
drawn table, and the answers are pooled by Rubin's rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found
from revictimisation.analyses.sensitivity.beside import (
    DIFFERENCE,
    estimate_beside,
    hold,
    weigh_and_check,
)
from revictimisation.analyses.trial_inputs import build_trial
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Floats
from revictimisation.core.codes import OUTCOME
from revictimisation.core.results import make_estimates
from revictimisation.estimators.chained_equations import (
    find_cumulative_hazard,
    impute,
    list_incomplete,
    pool,
)

ANALYSIS = "multiple_imputation"
SEED = 19  # beside the study's own


def estimate_imputed(data: StudyData, trials: Found) -> pd.DataFrame:
    """Each main difference by multiple imputation, analysis `multiple_imputation`.

    `sensitivity.imputations` tables; no rows where that is none, or nothing is missing of what is
    adjusted for. Rows as of `estimate_beside`; errors within an imputation are those of the
    influence, limits by Student's t. The gates are held to the mean of each check over the
    imputations.
    """
    rule = data.plan.sensitivity
    asked = data.covariates[list(data.plan.adjust_for)]
    if rule.imputations < 2 or not list_incomplete(asked):
        return make_estimates([])
    filled: list[StudyData] = []
    stop, cause = (data.entries[name].to_numpy() for name in ("stop_day", "cause"))

    def estimate(measure: str, days: list[int]) -> pd.DataFrame:
        if not filled:
            filled.extend(_fill(data, asked))
        laid = [build_trial(one, measure, stop, cause) for one in filled]
        rows, checks = zip(
            *(weigh_and_check(data.plan, trial, days) for trial in laid), strict=True
        )
        of_one = ["check", "arm", "time_days"]
        mean = pd.concat(checks).groupby(of_one, dropna=False, as_index=False)["value"].mean()
        return hold(data.plan, measure, pool_rows(rows, laid[0].n_clusters - 1.0), mean)

    return estimate_beside(data.plan, trials, ANALYSIS, estimate)


def _fill(data: StudyData, asked: pd.DataFrame) -> list[StudyData]:
    """The study with each drawn table in place of its covariates."""
    rule = data.plan.sensitivity
    made = impute(
        asked, describe_outcome(data), n_imputations=rule.imputations,
        n_rounds=rule.imputation_rounds, seed=[data.plan.bootstrap.seed, SEED],
    )  # fmt: skip
    return [replace(data, covariates=data.covariates.assign(**one)) for one in made]


def describe_outcome(data: StudyData) -> dict[str, Floats]:
    """What the models know beside covariates: who started what, how follow-up ended, and when."""
    entries = data.entries
    stop, cause = (entries[name].to_numpy() for name in ("stop_day", "cause"))
    known = {
        name: data.has_started_in_grace(name).astype(float) for name in data.plan.measure_names
    }
    for name, happened in (("outcome", cause == OUTCOME), ("left", cause > OUTCOME)):
        known |= {f"is_{name}": happened.astype(float),
                  f"hazard_{name}": find_cumulative_hazard(stop, happened)}  # fmt: skip
    return known


def pool_rows(made: Sequence[pd.DataFrame], freedom: float) -> pd.DataFrame:
    """The rows of each imputation as one: risks pooled on the scale log(-log(1 - risk)).

    `freedom`: of the errors, were nothing missing. What one imputation has no number of has none.
    """
    value, error = (np.stack([rows[name].to_numpy(float) for rows in made])
                    for name in ("estimate", "se"))  # fmt: skip
    is_risk = made[0]["estimand"].ne(DIFFERENCE).to_numpy()

    def slope(number: Floats) -> Floats:
        return np.where(is_risk, -1 / ((1 - number) * np.log1p(-number)), 1.0)

    def back(number: Floats) -> Floats:
        return np.where(is_risk, -np.expm1(-np.exp(number)), number)

    with np.errstate(divide="ignore", invalid="ignore"):
        on_scale = np.where(is_risk, np.log(-np.log1p(-value)), value)
        found = pool(on_scale, slope(value) * error, freedom)
        middle = back(found.estimate)
        numbers = {"estimate": middle, "se": found.se / slope(middle),
                   "ci_low": back(found.ci_low), "ci_high": back(found.ci_high)}  # fmt: skip
    return made[0].assign(**numbers)
