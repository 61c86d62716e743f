"""Question 3 without named groups: what a search foretold, told as exploration and no answer."""

from __future__ import annotations

from typing import Any

from revictimisation.core.packing import pack_contrast
from revictimisation.core.results import NOT_ESTIMABLE
from revictimisation.report.described import NOTHING, Piece, Text, join
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import (
    SIGNIFICANCE,
    choose_day,
    list_groupings,
    list_levels,
    name_row,
)
from revictimisation.report.known_truth import describe_known_truth
from revictimisation.report.natural_frequencies import describe_both, show_gap
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import finish, list_names
from revictimisation.report.sections.group_numbers import show_p
from revictimisation.report.trials import describe_gates, has_rows, list_first
from revictimisation.report.verdicts import name_measure

ANALYSIS, ESTIMATOR = "exploration", "effect_learner"
SUBGROUP = "predicted_effect"
MOST, LEAST = "most_helped", "least_helped"
ENDS = (MOST, LEAST, pack_contrast(MOST, LEAST))


def find_explored(page: Page, measure: str, estimand: str, **keys: Any) -> Number:
    """A number of the exploration of a measure, or why there is none.

    What could not be searched has its reason with the p-value, whatever is asked for.
    """
    given = {"outcome": page.plan.outcome.who, **keys}
    same: dict[str, Any] = {"question": "q3", "analysis": ANALYSIS, "measure": measure,
                            "estimator": ESTIMATOR, "time_days": choose_day(page)}  # fmt: skip
    found = page.release.find(estimand=estimand, **same, **given)
    if found.reason != "not_computed":
        return found
    return page.release.find(estimand="p_value", outcome=page.plan.outcome.who, **same)


def show_exploration_numbers(page: Page) -> Piece:
    """For referees: what was foretold tried on others, and who they are that it was foretold of."""
    if not has_rows(page, question="q3", analysis=ANALYSIS):
        return NOTHING
    called = (name for name in page.plan.measure_names if is_called(page, name))
    tried = Text(describe_known_truth(page, "exploration"))
    return join([tried, _table(page), *(_who(page, name) for name in called)])


def is_called(page: Page, measure: str) -> bool:
    """True if what was foretold held on others, with all measures tested together."""
    test = find_explored(page, measure, "p_value_holm")
    return test.is_shown and (test.estimate or 0.0) < SIGNIFICANCE


def list_verdicts(page: Page) -> list[str]:
    """A sentence for each measure with a pattern, one for those without, one for each why not.

    Of measures with an answer to the main question: no other number stands in for one.
    """
    told, quiet = [], []
    hidden: dict[str, list[str]] = {}
    for measure in list_first(page):
        name, test = name_measure(page, measure), find_explored(page, measure, "p_value_holm")
        if not test.is_shown:
            why = finish(describe_gates(page, [page.name_reason(test)]))
            hidden.setdefault(why, []).append(name)
        elif is_called(page, measure):
            most, least = (_describe_end(page, measure, end) for end in (MOST, LEAST))
            told.append(page.say("for_whom.exploration_called", measure=start_upper(name),
                                 most=most, least=least))  # fmt: skip
        else:
            quiet.append(name)
    if quiet:
        told.append(page.say("for_whom.exploration_open", measures=list_names(page, quiet)))
    return told + [
        page.say("for_whom.exploration_hidden", measures=list_names(page, names), why=why)
        for why, names in hidden.items()
    ]


def _find_end(page: Page, measure: str, level: str) -> Number:
    return find_explored(page, measure, "risk_difference", subgroup=SUBGROUP, level=level)


def _describe_end(page: Page, measure: str, level: str) -> str:
    gap = _find_end(page, measure, level)
    return describe_both(page, gap) if gap.is_shown else page.why_not(gap)


def _table(page: Page) -> Piece:
    rows = []
    for measure in page.plan.measure_names:
        ends = [_find_end(page, measure, level) for level in ENDS]
        spread = find_explored(page, measure, "effect_spread")
        tests = [find_explored(page, measure, name) for name in ("p_value", "p_value_holm")]
        rows.append([name_measure(page, measure), *(show_gap(page, end) for end in ends),
                     show_gap(page, spread), *(show_p(page, test) for test in tests)])  # fmt: skip
    names = ("most", "least", "most_less", "spread", "p", "holm")
    heads = [page.say("common.measure"), *(page.say(f"for_whom.head_{one}") for one in names)]
    caption = page.say("for_whom.exploration_table", period=page.formats.period(choose_day(page)))
    return page.table(caption, heads, rows)


def _who(page: Page, measure: str) -> Piece:
    """How common each level is among those foretold most and least help."""
    rows = []
    for grouping in list_groupings(page):
        for level in list_levels(page, grouping, is_named=False):
            found = [find_explored(page, measure, "share", subgroup=grouping, level=level,
                                   outcome=end) for end in (MOST, LEAST)]  # fmt: skip
            if all(one.status == NOT_ESTIMABLE for one in found):
                continue  # what the search was not told of
            rows.append([name_row(page, grouping, level),
                         *(page.show_share_both(one) for one in found)])  # fmt: skip
    heads = [page.say(f"for_whom.head_{one}") for one in ("group", "most", "least")]
    name = start_upper(name_measure(page, measure))
    caption = page.say("for_whom.exploration_who", measure=name)
    return page.table(caption, heads, rows)
