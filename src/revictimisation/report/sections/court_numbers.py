"""For referees: decisions on the way to a judgment, what a difference goes through, all reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import error_of_limits
from revictimisation.estimators.level_contrasts import adjust_holm, find_p_values
from revictimisation.report.described import NOTHING, Piece, Text, join
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import SIGNIFICANCE
from revictimisation.report.natural_frequencies import show_gap
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import list_names
from revictimisation.report.sections.courts import ESTIMATORS, GAP, RUNGS, find_reached
from revictimisation.report.sections.group_numbers import write_p
from revictimisation.report.verdicts import name_measure

OUTCOMES = ("decided", "cleared")
PATHS = ("through_participation", "other_ways")


@dataclass(frozen=True)
class DecisionTest:
    """A measure's hazard ratio of a decision, and its p-value adjusted for the whole table."""

    measure: str
    outcome: str
    ratio: Number
    p_holm: float


def find_decision_ratio(page: Page, measure: str, outcome: str) -> Number:
    """The hazard ratio of a decision once a measure has begun, against time without it."""
    return page.release.find(question="q4", measure=measure, outcome=outcome,
                             estimator="cox_time_varying", estimand="hazard_ratio")  # fmt: skip


def list_decision_tests(page: Page) -> list[DecisionTest]:
    """Every number of the table with an interval, tested together (Wald on the logarithm, Holm).

    The p-values come from the released intervals, which are 95 % and normal on that scale.
    """
    found = [
        (measure, outcome, find_decision_ratio(page, measure, outcome))
        for measure in page.plan.measure_names
        for outcome in OUTCOMES
    ]
    known = [one for one in found if one[2].has_interval and one[2].ci_low]
    ends = [[one.estimate, one.ci_low, one.ci_high] for _, _, one in known]
    value, low, high = np.log(np.array(ends, np.float64).reshape(-1, 3)).T
    p_values = find_p_values(Estimate.with_error(value, error_of_limits(low, high)))
    adjusted = adjust_holm(p_values)
    return [DecisionTest(*one, float(p)) for one, p in zip(known, adjusted, strict=True)]


def show_decisions(page: Page) -> Piece:
    """How many came to each rung by each day; whether decisions are sooner after a measure."""
    days = page.plan.days_within_horizon
    reached = [
        [start_upper(page.say(f"courts.rung_{outcome}")),
         *(page.show_share_both(find_reached(page, outcome, day)) for day in days)]
        for outcome in ("decided", *RUNGS)
    ]  # fmt: skip
    heads = [page.say("courts.step"), *(page.formats.period(day) for day in days)]
    first = page.table(page.say("courts.time_caption"), heads, reached)
    ratios = [
        [start_upper(name_measure(page, measure)),
         *(page.show_ratio_both(find_decision_ratio(page, measure, one)) for one in OUTCOMES)]
        for measure in page.plan.measure_names
    ]  # fmt: skip
    heads = [page.say("common.measure"), *(page.say(f"courts.rung_{one}") for one in OUTCOMES)]
    second = page.table(page.say("courts.hazards_caption"), heads, ratios)
    return join([first, page.text("courts.time_hazards"), second, _describe_tests(page)])


def _describe_tests(page: Page) -> Piece:
    tests = list_decision_tests(page)
    sure = [one for one in tests if one.p_holm < SIGNIFICANCE]
    if not sure:
        return page.text("courts.time_none", n=len(tests)) if tests else NOTHING
    told = [_describe_test(page, one) for one in sure]
    return page.text("courts.time_sure", n=len(tests), found=list_names(page, told))


def _describe_test(page: Page, test: DecisionTest) -> str:
    p = write_p(page, test.p_holm)
    return page.say(
        "courts.time_more" if (test.ratio.estimate or 1.0) > 1 else "courts.time_less",
        measure=name_measure(page, test.measure), rung=page.say(f"courts.rung_{test.outcome}"),
        ratio=page.show_ratio(test.ratio), span=page.show_ratio_interval(test.ratio),
        p=p if p.startswith("<") else f"= {p}",
    )  # fmt: skip


def show_paths(page: Page) -> Piece:
    """Each difference split into what goes through the victim's participation and the rest."""
    rows = []
    for measure in page.plan.measure_names:
        found = [_find_path(page, measure, level) for level in PATHS]
        rows.append(
            [start_upper(name_measure(page, measure)), *(show_gap(page, one) for one in found)]
        )
    heads = [page.say("common.measure"), *(page.labels.code("path", one) for one in PATHS)]
    table = page.table(page.say("courts.paths_caption"), heads, rows)
    return join([Text(page.say("courts.paths")), table])


def _find_path(page: Page, measure: str, level: str) -> Number:
    found = (
        page.release.find(question="q4", analysis="mediation", measure=measure, subgroup="path",
                          level=level, outcome="convicted", estimator=name, estimand=GAP,
                          time_days=page.last_day)
        for name in ESTIMATORS
    )  # fmt: skip
    return next((one for one in found if one.reason != "not_computed"), Number())
