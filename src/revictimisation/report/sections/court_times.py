"""Notebook 5: how much sooner or later decisions come after a measure, all tested together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import error_of_limits
from revictimisation.estimators.level_contrasts import adjust_holm, find_p_values
from revictimisation.report.described import NOTHING, Piece, join
from revictimisation.report.group_effects import SIGNIFICANCE
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import list_names
from revictimisation.report.sections.group_tables import LEAST_P
from revictimisation.report.verdicts import name_answer

OUTCOMES = ("decided", "cleared")


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


def describe_decisions(page: Page) -> str:
    """For the head of the page: the decisions that come sooner or later after a measure, if any."""
    told = _list_sure(page, list_decision_tests(page))
    return page.say("courts.lead_time", found=list_names(page, told)) if told else ""


def _list_sure(page: Page, tests: list[DecisionTest]) -> list[str]:
    return [
        page.say(
            "courts.time_more" if (test.ratio.estimate or 1.0) > 1 else "courts.time_less",
            measure=name_answer(page, test.measure),
            rung=page.say(f"courts.rung_{test.outcome}"),
            ratio=page.show_ratio(test.ratio),
            span=page.show_ratio_interval(test.ratio),
            p=_write_p(page, test.p_holm),
        )
        for test in tests
        if test.p_holm < SIGNIFICANCE
    ]


def _write_p(page: Page, value: float) -> str:
    if value < LEAST_P:
        return page.say("for_whom.p_under")
    return page.say("courts.p_is", p=page.formats.decimal(value, 3))


def show_hazards(page: Page) -> Piece:
    """The table, and which of its numbers are more than chance with all of them tested together."""
    rows = []
    for measure in page.plan.measure_names:
        found = [find_decision_ratio(page, measure, outcome) for outcome in OUTCOMES]
        rows.append([name_answer(page, measure), *(page.show_ratio_both(one) for one in found)])
    heads = [
        page.say("common.measure"),
        *(page.say(f"courts.rung_{outcome}") for outcome in OUTCOMES),
    ]
    caption = page.say("courts.hazards_caption")
    table = page.table(caption, heads, rows)
    return join([table, _describe_tests(page)])


def _describe_tests(page: Page) -> Piece:
    tests = list_decision_tests(page)
    if not tests:
        return NOTHING
    told = _list_sure(page, tests)
    if not told:
        return page.text("courts.time_none", n=len(tests))
    return page.text("courts.time_sure", n=len(tests), found=list_names(page, told))
