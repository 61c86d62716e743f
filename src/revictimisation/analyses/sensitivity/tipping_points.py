"""Question 2: what would have to be true for the answer to a measure to change.

What each number is stands in `estimators.tipping_points`. They follow from the main difference, its
interval and its risks, but for what each measured covariate does, which is looked up in the data.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.packing import COVARIATE, TIPPING
from revictimisation.core.results import (
    KEYS,
    OK,
    WITHHELD,
    choose,
    combine,
    make_estimates,
    mark_endless,
)
from revictimisation.estimators.tipping_points import (
    LOST,
    find_answers,
    find_left_out_bias,
    find_tipping_points,
)

TRIAL, DIFFERENCE = "clone_censor_weight", "risk_difference"
BIAS, LEFT = "left_out_bias", "emigration"
AT = ["measure", "time_days"]
# what a tipping point is made of, in the order of `find_tipping_points`
GIVEN = ("estimate", "ci_low", "ci_high", "risk_start", "strongest", "lost_start", "lost_no_start")
SAME = [*KEYS, "n_people", "n_events", "status", "reason"]


def describe_tipping_points(data: StudyData, trials: Found) -> pd.DataFrame:
    """Tipping points of each main risk difference on each report day, analysis `tipping_point`.

    `trials`: the study's results by `clone_censor_weight`, gates applied; what is withheld there is
    so here, for the same reason, and what has no number there has no row here. Rows of everybody,
    estimands as of `find_tipping_points`; and `left_out_bias`, subgroup `covariate`, a level for
    each covariate of `adjust_for`. People, events: the difference's; of `lost_share` those of who
    left, whose outcome it has and whose gates hold it back too.
    """
    keys = {"analysis": "main", "estimator": TRIAL, "subgroup": "", "status": [OK, WITHHELD]}
    main = choose(trials.estimates, **keys)
    who = data.plan.outcome.who
    gaps = choose(main, estimand=DIFFERENCE, outcome=who)
    if gaps.empty:
        return make_estimates([])
    biases = find_biases(data, gaps)
    strongest = biases.groupby(AT)["estimate"].agg(lambda bias: bias.abs().max())
    rows = gaps.join(strongest.rename("strongest"), on=AT)
    for name, outcome, estimand in (
        ("risk_start", who, "risk_start"),
        ("lost_start", LEFT, "risk_start"),
        ("lost_no_start", LEFT, "risk_no_start"),
    ):
        risks = choose(main, outcome=outcome, estimand=estimand).set_index(AT)["estimate"]
        rows = rows.join(risks.rename(name), on=AT)
    found = find_tipping_points(*(rows[name] for name in GIVEN))
    left = choose(main, estimand=DIFFERENCE, outcome=LEFT)
    parts = []
    for estimand, value in found.items():
        told = rows.assign(estimate=value)
        if estimand.startswith(LOST):
            told = _hold_to_left(told, left)
        parts.append(_to_rows(told, estimand))
    levels = gaps.drop(columns=["estimate", "level"]).merge(biases, on=AT)
    parts.append(_to_rows(levels.assign(subgroup=COVARIATE), BIAS))
    return combine(parts)


def _hold_to_left(rows: pd.DataFrame, left: pd.DataFrame) -> pd.DataFrame:
    """The rows as what they are, numbers of those who left: counts, and what holds these back."""
    own = [*AT, "outcome", "n_people", "n_events", "status", "reason"]
    told = rows.drop(columns=["outcome", "n_people", "n_events"]).merge(
        left[own], on=AT, suffixes=("", "_left")
    )
    is_ok = told["status"].eq(OK)
    return told.assign(
        status=told["status"].where(~is_ok, told["status_left"]),
        reason=told["reason"].where(~is_ok, told["reason_left"]),
    )


def _to_rows(rows: pd.DataFrame, estimand: str) -> pd.DataFrame:
    laid = rows[[*SAME, "estimate"]].assign(analysis=TIPPING, estimand=estimand)
    return make_estimates(mark_endless(laid))


def find_biases(data: StudyData, gaps: pd.DataFrame) -> pd.DataFrame:
    """What each covariate left out would do to each of these: measure, time_days, level, estimate.

    Among those event-free when the measure's grace time ends, by whether it had started: who was
    seen to report again before could not start any more.
    """
    design = data.design()
    owners = [re.split("[=:]", name)[0] for name in design.names]
    columns, rows = design.to_dense(), []
    ends = [data.entries[name].to_numpy() for name in ("stop_day", "cause")]
    for measure in dict.fromkeys(gaps["measure"].astype(str)):
        is_in = ~data.starts_of(measure)["is_running_before"].to_numpy()
        is_in &= ends[0] > data.plan.measures[measure].grace_days
        is_started = data.has_started_in_grace(measure)[is_in]
        if not owners or is_started.all() or not is_started.any():
            continue
        days = [int(day) for day in gaps.loc[gaps["measure"].eq(measure), "time_days"]]
        stop, cause = (one[is_in] for one in ends)
        answers = np.column_stack([find_answers(stop, cause, day) for day in days])
        found = find_left_out_bias(answers, is_started, columns[is_in], owners)
        rows += [
            (measure, day, name, float(value))
            for name, values in found.items() for day, value in zip(days, values, strict=True)
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "time_days", "level", "estimate"])
