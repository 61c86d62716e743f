"""Notebook 5: what goes with a conviction, and what could explain it."""

from __future__ import annotations

from typing import Any

from revictimisation.report import court_diagram
from revictimisation.report.described import CourtDiagram, Figure, Piece, Text, join
from revictimisation.report.group_effects import widen_for_family
from revictimisation.report.natural_frequencies import (
    count_people,
    describe_between,
    describe_people,
    show_gap,
    show_hundred,
)
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import finish, list_names
from revictimisation.report.trials import list_main
from revictimisation.report.verdicts import is_joint, name_answer

STARTED, NOT_STARTED, GAP = "risk_start", "risk_no_start", "risk_difference"
ESTIMATORS = ("standardised_logistic", "firth_logistic")
LEVEL = 0.05
DETECTABLE = 2.8016  # standard errors: two-sided 5 %, power 80 %, one test


def find_association(page: Page, measure: str, estimand: str, analysis: str = "main") -> Number:
    """A standardised share or difference at the last day, by whichever estimator was used."""
    names = ("crude",) if analysis == "unadjusted" else ESTIMATORS
    found = [
        page.release.find(question="q4", analysis=analysis, measure=measure, outcome="convicted",
                          estimator=name, estimand=estimand, time_days=page.last_day)
        for name in names
    ]  # fmt: skip
    told = [one for one in found if one.reason != "not_computed"]
    return told[0] if told else found[0]


def describe_answer(page: Page) -> str:
    """For how many measures there is an association, and how large a one would have been seen."""
    errors, ending, given = _count(page)
    if not errors:
        return page.say("courts.answer_hidden")
    seen = DETECTABLE * widen_for_family(len(errors)) * min(errors)
    told = page.say("courts.answer_seen", least=count_people(page, seen))
    return f"{page.say(f'courts.answer_{ending}', **given)} {told}"


def describe_in_short(page: Page) -> str:
    """The same for the first page."""
    errors, ending, given = _count(page)
    return page.say(f"courts.index_{ending}" if errors else "courts.answer_hidden", **given)


def _count(page: Page) -> tuple[list[float], str, dict[str, Any]]:
    """The errors of all differences, whether any is sure (`some`, `none`), and what to name.

    Without measures near in time, whose answer is untried.
    """
    found = [find_association(page, one, GAP) for one in list_main(page)]
    errors = [one.se for one in found if one.has_interval and one.se]
    sure = [name_answer(page, one) for one in list_main(page) if one in find_sure(page)]
    given: dict[str, Any] = {
        "n": len(errors),
        "n_sure": len(sure),
        "measures": list_names(page, sure),
    }
    return errors, "some" if sure else "none", given


def show_association(page: Page) -> Piece:
    """For each measure a sentence, and the numbers with and without it."""
    measures = page.plan.measure_names
    sure = find_sure(page)
    lines = [f"- {_tell(page, one, is_sure=one in sure)}" for one in measures]
    rows = []
    for measure in measures:
        risks = [find_association(page, measure, one) for one in (STARTED, NOT_STARTED)]
        gaps = [find_association(page, measure, GAP, one)
                for one in ("main", "with_participation", "unadjusted")]  # fmt: skip
        # the answer first: phones show the first columns
        rows.append([name_answer(page, measure), show_gap(page, gaps[0]),
                     *(show_hundred(page, risk) for risk in risks),
                     *(show_gap(page, gap) for gap in gaps[1:])])  # fmt: skip
    heads = [page.say("common.measure")]
    heads += [page.say(f"courts.head_{one}")
              for one in ("gap", "with", "without", "equal", "unadjusted")]  # fmt: skip
    caption = page.say("courts.association_caption", period=page.formats.period(page.last_day))
    rounded = page.say("courts.note_steps", rounding=page.plan.disclosure.rounding)
    table = page.table(caption, heads, rows, [rounded])
    untried = [name_answer(page, one) for one in measures if is_joint(page, one)]
    also = f" {page.say('courts.many_also', measures=list_names(page, untried))}" if untried else ""
    many = page.text("courts.many", n=len(measures) - len(untried), also=also)
    return join([Text("\n".join(lines)), many, table])


def find_sure(page: Page) -> set[str]:
    """The measures whose difference is more than chance, all of them tested together (Holm)."""
    p_values = {measure: find_association(page, measure, "p_value_holm")
                for measure in page.plan.measure_names}  # fmt: skip
    return {measure for measure, one in p_values.items()
            if one.is_shown and (one.estimate or 0.0) < LEVEL}  # fmt: skip


def _tell(page: Page, measure: str, *, is_sure: bool) -> str:
    """One sentence on a measure, in people of a hundred."""
    gap = find_association(page, measure, GAP)
    name = name_answer(page, measure)
    if not gap.has_interval:
        why = finish(page.why_not(gap))
        return page.say("courts.tell_hidden", measure=name, why=why)
    is_open = (gap.ci_low or 0.0) <= 0 <= (gap.ci_high or 0.0)
    kind = "open" if is_open else "sure" if is_sure else "maybe"
    people = describe_people(page, gap.estimate or 0.0)
    between = describe_between(page, gap)
    if is_open:
        return page.say("courts.tell_open", measure=name, between=between)
    return page.say(f"courts.tell_{kind}", measure=name, people=people, between=between)


def show_explanations(page: Page) -> Piece:
    """What could explain an association, in words and as a diagram, and the split of it."""
    words = {box: page.say(f"courts.box_{box}") for box in court_diagram.BOXES}
    caption = page.say("courts.diagram_caption")
    alt, title = page.say("courts.diagram_alt"), page.say("courts.ways_caption")
    picture = Figure(CourtDiagram(words), alt, caption, title, _ways(page))
    return join([page.text("courts.explanations"), picture, page.text("courts.ways")])


def _ways(page: Page) -> Piece:
    """The difference split into what goes through participation and the rest."""
    rows = []
    for measure in page.plan.measure_names:
        found = [
            next((one for one in (
                page.release.find(question="q4", analysis="mediation", measure=measure,
                                  subgroup="path", level=level, outcome="convicted",
                                  estimator=name, estimand=GAP, time_days=page.last_day)
                for name in ESTIMATORS) if one.reason != "not_computed"), Number())
            for level in ("through_participation", "other_ways")
        ]  # fmt: skip
        rows.append([name_answer(page, measure), *(show_gap(page, one) for one in found)])
    heads = [page.say("common.measure"), page.labels.code("path", "through_participation"),
             page.labels.code("path", "other_ways")]  # fmt: skip
    return page.table(page.say("courts.ways_caption"), heads, rows)
