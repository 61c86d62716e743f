"""Notebook 4: question 3, whether measures help some groups more than others."""

from __future__ import annotations

from statistics import median_low

from revictimisation.core.results import WITHHELD
from revictimisation.report.described import NOTHING, Folded, Heading, Piece, Text, join
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import (
    choose_day,
    count_tests,
    list_detectable,
    list_differences,
    list_groupings,
    list_shown,
    name_division,
)
from revictimisation.report.known_truth import describe_known_truth
from revictimisation.report.natural_frequencies import count_people
from revictimisation.report.page import DASH, Page
from revictimisation.report.sections.answer import list_names, show_caution
from revictimisation.report.sections.cohort import find_incidence
from revictimisation.report.sections.differences import describe_difference
from revictimisation.report.sections.group_pictures import show_picture, show_ratio_picture
from revictimisation.report.trials import find_effect
from revictimisation.report.verdicts import name_answer, warn_untried


def show_lead(page: Page) -> Piece:
    """The question, the answer, and how large differences the study would have seen."""
    if not page.plan.measure_names:
        return page.text("common.no_measures")
    groupings = list_groupings(page)
    if not groupings:
        return page.text("for_whom.no_groups")
    names = [page.labels.group(grouping) for grouping in groupings]
    how = page.text(
        "for_whom.how",
        n_groupings=len(groupings),
        groupings=list_names(page, [name[:1].lower() + name[1:] for name in names]),
        n_measures=len(page.plan.measure_names),
        period=_period(page),
    )
    answer = f"{page.say('for_whom.question')} {describe_answer(page)}"
    tests = Text(describe_known_truth(page, "group_tests"))
    return join([Text(answer), _list_called(page), tests, _describe_seen(page), how,
                 _describe_day(page), show_caution(page),
                 Text(warn_untried(page))])  # fmt: skip


def _period(page: Page) -> str:
    return page.formats.period(choose_day(page))


def describe_answer(page: Page) -> str:
    """How many differences between groups are more than chance, in a sentence."""
    found = list_differences(page)
    n_tested = sum(one.is_tested for one in found)
    if not n_tested:
        return page.say("for_whom.answer_untested")
    called = [one for one in found if one.is_called]
    key = {0: "none", 1: "one"}.get(len(called), "some")
    return page.say(f"for_whom.answer_{key}", n=n_tested, n_called=len(called))


def _list_called(page: Page) -> Piece:
    told = [
        f"- {describe_difference(page, difference)}"
        for difference in list_differences(page)
        if difference.is_called
    ]
    if not told:
        return NOTHING
    overlap = page.text("for_whom.overlap") if len(told) > 1 else NOTHING
    return join([Text("\n".join(told)), overlap, _warn_of_placebo(page)])


def _warn_of_placebo(page: Page) -> Piece:
    """A measure held to do nothing must not seem to do more for some than for others."""
    called = {difference.measure for difference in list_differences(page) if difference.is_called}
    names = [name_answer(page, measure) for measure in page.plan.negative_controls.measures
             if measure in called]  # fmt: skip
    if not names:
        return NOTHING
    return page.text("for_whom.placebo", measures=list_names(page, names))


def _describe_seen(page: Page) -> Piece:
    """How large differences would have been seen, beside how many report again; and how many
    could not be tested.
    """
    told = []
    seen = sorted(list_detectable(page, is_tested=True).values())
    if seen:
        least, middle = (count_people(page, one) for one in (seen[0], median_low(seen)))
        told.append(page.say("for_whom.seen", least=least, middle=middle))
        share = find_incidence(page, page.plan.outcome.who, time_days=choose_day(page))
        if share.is_shown:
            of_hundred = page.formats.of_hundred(share.estimate or 0.0)
            told.append(page.say("for_whom.seen_beside", share=of_hundred, period=_period(page)))
    n_untested = sum(not difference.is_tested for difference in list_differences(page))
    if n_untested and seen:
        told.append(page.say("for_whom.untested", n=n_untested))
    return Text(" ".join(told)) if told else NOTHING


def _describe_day(page: Page) -> Piece:
    """Why it is not the day of question 2's page, where it is not."""
    if choose_day(page) == page.last_day:
        return NOTHING
    last = page.formats.period(page.last_day)
    return page.text("for_whom.why_day", period=_period(page), last=last)


def show_clearest(page: Page) -> Piece:
    """The difference that matters most, or comes nearest, with how its picture is read."""
    found = [difference for difference in list_differences(page) if difference.is_tested]
    drawn = [
        one
        for one in found
        if len(list_shown(page, one.measure, one.grouping)) > 1
        and (one.is_called or one.measure not in page.plan.negative_controls.measures)
    ]
    if not drawn:
        return NOTHING
    first = drawn[0]
    is_ratio = first.is_called and not first.is_called_by_risk
    kind = "in_force" if is_ratio else "called" if first.is_called else "open"
    heading = page.heading("for_whom.clearest" if first.is_called else "for_whom.clearest_maybe")
    told = page.text(
        f"for_whom.clearest_{kind}",
        measure=start_upper(name_answer(page, first.measure)),
        grouping=name_division(page, first.grouping),
    )
    # what was found is drawn first: the risks may show nothing where the hazards do
    ratios = [show_ratio_picture(page, first.measure, first.grouping)] if is_ratio else []
    beside = [page.text("for_whom.beside_ratio")] if is_ratio else []
    picture = show_picture(page, first.measure, [first.grouping])
    return join([heading, told, *ratios, *beside, picture, page.text("for_whom.reading")])


def show_measures(page: Page) -> Piece:
    """Every measure: what can be said of its groups, and folded all of them in a picture."""
    if not page.plan.measure_names or not list_groupings(page):
        return page.text("for_whom.answer_untested")
    parts = [_show_measure(page, name) for name in page.plan.measure_names]
    return join([page.text("for_whom.measures_text"), *parts])


def _show_measure(page: Page, measure: str) -> Piece:
    anchor = f"groups-{measure}".replace("_", "-")
    heading = Heading(start_upper(name_answer(page, measure)), 3, anchor)
    picture = show_picture(page, measure, list_groupings(page))
    folded = Folded(page.say("for_whom.measure_groups"), picture)
    told = " ".join([_describe_measure(page, measure), _describe_withheld(page, measure)]).strip()
    return join([heading, Text(told), folded])


def _describe_withheld(page: Page, measure: str) -> str:
    """That single groups have a number though the answer for everyone is withheld."""
    whole = find_effect(page, measure, day=choose_day(page))
    shown = [grouping for grouping in list_groupings(page) if list_shown(page, measure, grouping)]
    if whole.status != WITHHELD or not shown:
        return ""
    return page.say("for_whom.whole_withheld")


def _describe_measure(page: Page, measure: str) -> str:
    mine = [
        difference
        for difference in list_differences(page)
        if difference.measure == measure and difference.is_tested
    ]
    if not mine:
        return page.say("for_whom.measure_untested")
    called = [name_division(page, one.grouping) for one in mine if one.is_called]
    if called:
        return page.say("for_whom.measure_called", groupings=list_names(page, called))
    known = list_detectable(page, is_tested=True)
    seen = [value for (name, _), value in known.items() if name == measure]
    if not seen:
        return page.say("for_whom.measure_bare", n=len(mine))
    least = count_people(page, min(seen))
    return page.say("for_whom.measure_open", n=len(mine), least=least)


def show_detectable(page: Page) -> Piece:
    """How large a difference between two groups would have been seen, by measure and grouping."""
    found = list_detectable(page, is_tested=False)
    if not found:
        return page.text("for_whom.answer_untested")
    measures = page.plan.measure_names
    rows = [
        [page.labels.group(grouping),
         *(count_people(page, found[measure, grouping]) if (measure, grouping) in found else DASH
           for measure in measures)]
        for grouping in list_groupings(page)
    ]  # fmt: skip
    heads = [page.say("for_whom.head_group"), *(name_answer(page, measure) for measure in measures)]
    text = page.text("for_whom.detectable_text", n=count_tests(page))
    caption = page.say("for_whom.detectable_caption", period=_period(page))
    return join([text, page.table(caption, heads, rows, [page.say("for_whom.detectable_none")])])
