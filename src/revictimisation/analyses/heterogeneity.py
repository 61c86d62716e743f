"""Question 3, exploration: does a measure help some victims more than others, no groups named.

Scores of each entry's effect on the day that question 3 tests (`for_whom: tested_at_days`), from
models that never saw its victim (`held_out_scores`), are learnt from the covariates, and what was
learnt is tried on other victims (`effect_learner`, `effect_tests`): in several random splits, of
which the median of every number is told (Chernozhukov, Demirer, Duflo & Fernandez-Val 2025). Rows
of question q3, analysis `exploration`, for each measure:

- `effect_spread`, `p_value` (one-sided: what was predicted holds), `p_value_holm` over the study's
  measures, `autoc`;
- subgroup `predicted_effect`, levels most_helped, middle, least_helped and the first less the last:
  `risk_difference`, in people the order was not learnt from;
- subgroup a covariate, outcome most_helped or least_helped: the `share` of that group at each level
  (who was sorted there, by chance as well: it says something only where the test does).

The median of p-values is not doubled: forward folds make splits nearly the same test (its false
alarms are counted in `benchmarks/exploration_study.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from revictimisation.analyses.analysis import SETTLED, frame_checks, no_checks, tell_checks
from revictimisation.analyses.trial_inputs import build_trial, eligible_ids
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.arrays import Codes, Floats
from revictimisation.core.packing import pack_contrast
from revictimisation.core.results import (
    NOT_CONVERGED,
    NOT_ESTIMABLE,
    NUMBERS,
    WITHHELD,
    combine,
    make_estimates,
)
from revictimisation.estimators.effect_learner import (
    Terms,
    assign_folds,
    build_terms,
    learn_forward,
)
from revictimisation.estimators.effect_tests import (
    N_GROUPS,
    Ranked,
    compare_groups,
    find_autoc,
    find_spread,
    rank_entries,
)
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import NO_ERROR, wilson_interval
from revictimisation.estimators.level_contrasts import adjust_holm
from revictimisation.estimators.target_trial.held_out_scores import HeldOutScores, score_held_out
from revictimisation.estimators.target_trial.trial_data import Trial
from revictimisation.plan import StudyPlan

Row = dict[str, Any]

ANALYSIS, ESTIMATOR = "exploration", "effect_learner"
SUBGROUP = "predicted_effect"
GROUPS = ("most_helped", "middle", "least_helped")
CONTRAST = pack_contrast("most_helped", "least_helped")
SCORING, LEARNING, TIES = 1, 2, 3  # what a random stream is for
MOST_VALUES = 8  # a number with more is not described value by value


@dataclass(frozen=True, eq=False)
class _Tried:
    """What splits found: splits x (spread, autoc, groups, contrast), and counts by group.

    `n_people`, `n_events`: splits x groups. `counts`: by covariate, levels x (most, least helped),
    medians over splits; `levels`: what they are called.
    """

    estimate: Floats
    se: Floats
    n_people: Codes
    n_events: Codes
    counts: dict[str, Codes]
    levels: dict[str, tuple[str, ...]]


def explore_effects(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Look for differences in each measure's effect without naming groups; also diagnostics.

    No rows if the study's `exploration` is off. A measure is `not_estimable` if an arm has fewer
    events than the study's gate asks for in each of three groups.
    """
    plan = data.plan
    nothing = make_estimates([]), no_checks()
    if not plan.exploration.is_on or data.entries.empty or not plan.measure_names:
        return nothing
    day = plan.for_whom.choose_day(plan.days_within_horizon)
    rows: list[Row] = []
    notes: list[Row] = []
    for measure in plan.measure_names:
        keys = {"measure": measure, "time_days": plan.report_at_days[-1] if day is None else day}
        try:
            found, checks = _explore_measure(data, measure, day)
            rows += [{**keys, **row} for row in found]
            notes += checks
        except NotEstimableError as fault:
            rows.append({**keys, "estimand": "p_value", "status": NOT_ESTIMABLE,
                         "reason": str(fault)})  # fmt: skip
    named = {"question": "q3", "analysis": ANALYSIS, "estimator": ESTIMATOR}
    table = make_estimates(({"outcome": plan.outcome.who, **row} for row in rows), **named)
    table = combine([table, _adjust(table)])
    return table, frame_checks(notes)


def _adjust(table: pd.DataFrame) -> pd.DataFrame:
    """Holm's adjustment over the measures that could be tested; others say why again."""
    tests = table[table["estimand"].eq("p_value")]
    adjusted = adjust_holm(tests["estimate"].to_numpy())
    return make_estimates(tests.assign(estimand="p_value_holm", estimate=adjusted))


def _explore_measure(data: StudyData, measure: str, day: int | None) -> tuple[list[Row], list[Row]]:
    if day is None:
        raise NotEstimableError("beyond_horizon")
    if data.plan.weights.grace_law != "natural_law":
        raise NotEstimableError("other_grace_law")
    every = data.entries
    trial = build_trial(data, measure, every["stop_day"].to_numpy(), every["cause"].to_numpy())
    _check_size(data.plan, trial, day)
    seed = data.plan.bootstrap.seed
    fold = assign_folds(trial.people.cluster, data.plan.exploration.scoring_folds, [seed, SCORING])
    scores = score_held_out(trial, day, fold, largest_weight=data.plan.exploration.largest_weight)
    if not np.isfinite(scores.effect).all():
        raise NotEstimableError("no_finite_answer")
    frame = data.shown_covariates.iloc[eligible_ids(data, measure)].reset_index(drop=True)
    names = list_covariates(data)
    tried = _try_splits(data.plan, trial, scores, build_terms(frame, names), frame[names], day)
    return _to_rows(tried, scores.is_converged), _note(
        scores, tried, measure, data.plan.exploration.splits
    )


def list_covariates(data: StudyData) -> list[str]:
    """What effects are learnt from: all that is adjusted for, and the subgroups that are known.

    Without categories of more than `exploration.most_levels` levels.
    """
    known = [name for name in data.plan.subgroups if data.subgroup(name) is not None]
    return [
        name for name in dict.fromkeys((*data.plan.adjust_for, *known))
        if pd.api.types.is_numeric_dtype(data.covariates[name])
        or data.covariates[name].nunique() <= data.plan.exploration.most_levels
    ]  # fmt: skip


def _check_size(plan: StudyPlan, trial: Trial, day: int) -> None:
    happened = (trial.people.cause == 1) & (trial.people.stop <= day)
    n_started = int((happened & trial.is_started).sum())
    least = N_GROUPS * plan.gates.events_per_arm
    if min(n_started, int(happened.sum()) - n_started) < least:
        raise NotEstimableError("few_events_to_explore")
    if trial.n_clusters < N_GROUPS * plan.exploration.folds:
        raise NotEstimableError("few_victims_to_explore")


def _try_splits(
    plan: StudyPlan,
    trial: Trial,
    scores: HeldOutScores,
    terms: Terms,
    frame: pd.DataFrame,
    day: int,
) -> _Tried:
    """Learn and try in every split; splits in which nothing was learnt are left out."""
    cluster, effect = trial.people.cluster, scores.effect
    happened = (trial.people.cause == 1) & (trial.people.stop <= day)
    told = _code_levels(frame)
    counts: dict[str, list[Codes]] = {name: [] for name in told}
    found, people, events = [], [], []
    fault = NotEstimableError("effects_alike")
    for split in range(plan.exploration.splits):
        fold = assign_folds(cluster, plan.exploration.folds, [plan.bootstrap.seed, LEARNING, split])
        ties = np.random.default_rng([plan.bootstrap.seed, TIES, split]).random(len(effect))
        try:
            ranked = rank_entries(learn_forward(terms, effect, fold), fold, cluster, ties)
        except NotEstimableError as alike:
            fault = alike
            continue
        found.append([find_spread(effect, ranked), find_autoc(effect, ranked),
                      compare_groups(effect, ranked)])  # fmt: skip
        people.append(np.bincount(ranked.group, minlength=N_GROUPS))
        events.append(np.bincount(ranked.group[happened[ranked.at]], minlength=N_GROUPS))
        for name, (codes, levels) in told.items():
            counts[name].append(_count_levels(codes, len(levels), ranked))
    if not found:
        raise fault
    return _Tried(
        np.array([np.concatenate([one.value for one in split]) for split in found]),
        np.array([np.concatenate([one.se for one in split]) for split in found]),
        np.array(people),
        np.array(events),
        {name: _middle(np.array(one)) for name, one in counts.items()},
        {name: levels for name, (_, levels) in told.items()},
    )


def _code_levels(frame: pd.DataFrame) -> dict[str, tuple[Codes, tuple[str, ...]]]:
    """Levels of the covariates that have few: codes by entry, and what they are called."""
    told = {}
    for name in frame:
        codes, labels = pd.factorize(frame[name].astype(str), sort=True)
        is_number = pd.api.types.is_numeric_dtype(frame[name])
        if not is_number or len(labels) <= MOST_VALUES:
            told[str(name)] = (codes.astype(np.int64), tuple(str(label) for label in labels))
    return told


def _count_levels(codes: Codes, n_levels: int, ranked: Ranked) -> Codes:
    """Entries of the most and the least helped at each level: levels x 2."""
    own = codes[ranked.at]
    ends = [own[ranked.group == group] for group in (0, N_GROUPS - 1)]
    return np.column_stack([np.bincount(end, minlength=n_levels) for end in ends])


def _middle(counts: npt.NDArray[Any]) -> Codes:
    """Medians over the splits (first axis), whole numbers."""
    whole: Codes = np.rint(np.median(counts, axis=0)).astype(np.int64)
    return whole


def _to_rows(tried: _Tried, is_converged: bool) -> list[Row]:
    every_split = Estimate.with_error(tried.estimate, tried.se).interval()
    middle = [np.median(one, axis=0) for one in every_split.numbers.values()]
    numbers = [dict(zip(NUMBERS, one, strict=True)) for one in zip(*middle, strict=True)]
    people, events = _middle(tried.n_people), _middle(tried.n_events)
    every = {"n_people": int(people.sum()), "n_events": int(events.sum())}
    rows = [{"estimand": "effect_spread", **numbers[0], **every},
            {"estimand": "autoc", **numbers[1], **every},
            {"estimand": "p_value", "estimate": _find_p(tried), **every}]  # fmt: skip
    for group, level in enumerate(GROUPS):
        own = {"n_people": int(people[group]), "n_events": int(events[group])}
        rows.append({"estimand": "risk_difference", "subgroup": SUBGROUP, "level": level,
                     **numbers[2 + group], **own})  # fmt: skip
    ends = [0, N_GROUPS - 1]
    both = {"n_people": int(people[ends].sum()), "n_events": int(events[ends].sum())}
    rows.append({"estimand": "risk_difference", "subgroup": SUBGROUP, "level": CONTRAST,
                 **numbers[-1], **both})  # fmt: skip
    rows += _build_shares(tried, people[ends])
    held = {} if is_converged else {"status": WITHHELD, "reason": NOT_CONVERGED}
    return [{**row, **held} for row in rows]


def _find_p(tried: _Tried) -> float:
    """The median of the one-sided p-values; 1 where nothing can move the coefficient."""
    value, error = tried.estimate[:, 0], tried.se[:, 0]
    z = np.divide(value, error, out=np.full(len(value), -np.inf), where=error > NO_ERROR)
    return float(np.median(ndtr(-z)))


def _build_shares(tried: _Tried, people: Codes) -> list[Row]:
    """Who the most and the least helped are: a row per covariate, level and group."""
    rows: list[Row] = []
    for name, counts in tried.counts.items():
        for end, group in enumerate((GROUPS[0], GROUPS[-1])):
            low, high = wilson_interval(counts[:, end], np.full(len(counts), people[end]))
            rows += [
                {"estimand": "share", "subgroup": name, "level": level, "outcome": group,
                 "estimate": counts[place, end] / people[end], "ci_low": low[place],
                 "ci_high": high[place], "n_people": int(people[end]),
                 "n_events": int(counts[place, end])}
                for place, level in enumerate(tried.levels[name])
            ]  # fmt: skip
    return rows


def _note(scores: HeldOutScores, tried: _Tried, measure: str, n_splits: int) -> list[Row]:
    """Did the models settle, how many weights were capped, in how many splits was it tried."""
    checks = {
        SETTLED: scores.is_converged,
        "share_capped": scores.share_capped,
        "share_of_splits": len(tried.estimate) / n_splits,
    }
    return tell_checks(checks, ANALYSIS, measure)
