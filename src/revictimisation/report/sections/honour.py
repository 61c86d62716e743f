"""Honour-related cases: who reports again and against whom, several suspects, which measures."""

from __future__ import annotations

from revictimisation.core.codes import SAME_SUSPECT
from revictimisation.plan import StudyPlan
from revictimisation.report.charts import list_shares
from revictimisation.report.described import Bars, Piece, Scale, Text, join
from revictimisation.report.measure_use import find_share, list_used
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.cohort import find_incidence
from revictimisation.report.sections.course import describe_course
from revictimisation.report.verdicts import name_measure

BY_PERSON = "by_person"


def if_about_honour(plan: StudyPlan, _is_joined: bool) -> bool:
    """Only where the study is of honour-related cases alone."""
    return plan.eligibility.honour == "only"


def describe_honour(page: Page) -> str:
    """How many report anyone of the family again, in one short line: for the first page.

    Empty where the study is not of honour-related cases alone.
    """
    if not if_about_honour(page.plan, False):
        return ""
    wide = find_incidence(page, page.plan.outcome.who, analysis=BY_PERSON)
    if not wide.has_interval:
        return page.say("honour.short_hidden", why=page.why_not(wide))
    share = page.formats.of_hundred(wide.estimate or 0.0)
    return page.say("honour.short", share=share, period=page.formats.period(page.last_day))


def show_lead(page: Page) -> Piece:
    """How many people report anyone of the family again, and whom the page is about."""
    wide = find_incidence(page, page.plan.outcome.who, analysis=BY_PERSON)
    if not wide.has_interval:
        told = [page.say("honour.lead_hidden", why=page.why_not(wide))]
    else:
        told = [
            page.say(
                "honour.lead", share=page.formats.of_hundred(wide.estimate or 0.0),
                period=page.formats.period(page.last_day), interval=page.show_share_interval(wide),
                n_people=page.formats.count(wide.n_people or 0),
            )
        ]  # fmt: skip
        same = find_incidence(page, SAME_SUSPECT, analysis=BY_PERSON)
        if same.is_shown and page.plan.outcome.who != SAME_SUSPECT:
            share = page.formats.of_hundred(same.estimate or 0.0)
            told.append(page.say("honour.lead_same", share=share))
    return join([Text(" ".join(told)), page.text("honour.lead_who")])


def show_again(page: Page) -> Piece:
    """New reports against the same suspect and against anyone of the family, counted two ways."""
    days = page.plan.days_within_horizon
    shown = dict.fromkeys([*days[1:2], *days[-1:]])
    rows = []
    for who in dict.fromkeys((SAME_SUSPECT, page.plan.outcome.who)):
        for day in shown:
            found = [
                find_incidence(page, who, analysis=analysis, time_days=day)
                for analysis in ("main", BY_PERSON)
            ]
            name = page.say("honour.row", who=page.say(f"honour.who_{who}"),
                            period=page.formats.period(day))  # fmt: skip
            rows.append([name, *(page.show_share_both(one) for one in found)])
    heads = ["", page.say("honour.head_pairs"), page.say("honour.head_people")]
    notes = [page.say("honour.again_note")]
    return page.table(page.say("honour.again_caption"), heads, rows, notes, kind="small")


def show_several(page: Page) -> Piece:
    """How many have index reports against several suspects."""
    number = page.release.find(
        question="q1", analysis="suspects", outcome="several_suspects", estimator="description",
        estimand="share",
    )  # fmt: skip
    if not number.has_interval:
        return page.text("honour.several_hidden", why=page.why_not(number))
    return page.text(
        "honour.several_text", share=page.formats.of_hundred(number.estimate or 0.0),
        interval=page.show_share_interval(number), n=page.formats.count(number.n_people or 0),
    )  # fmt: skip


def show_measures(page: Page) -> Piece:
    """The share of follow-ups in which each measure of the study was carried out."""
    names = {*page.plan.measure_names}
    found: list[tuple[str, Number]] = [
        (name, find_share(page, name)) for name, _ in list_used(page) if name in names
    ]
    shown = [(name, number) for name, number in found if number.is_shown]
    if not shown:
        return page.text("honour.measures_hidden")
    first, most = shown[0]
    title = page.say("honour.measures_title", measure=name_measure(page, first).lower(),
                     share=page.formats.percent(most.estimate or 0.0),
                     of_shown=page.say_of_shown(number for _, number in found))  # fmt: skip
    top = max(number.ci_high or number.estimate or 0.0 for _, number in shown)
    axis = page.say("honour.measures_axis")
    scale = Scale(page.formats.way("percent_short"), list_shares(top), axis)
    labels = [name_measure(page, name) for name, _ in found]
    picture = Bars(labels, [number.point for _, number in found], [0] * len(found), [""], scale)
    rows = [[label, page.show_share_both(number)]
            for label, (_, number) in zip(labels, found, strict=True)]  # fmt: skip
    heads = [page.say("honour.head_measure"), page.say("honour.head_share")]
    alt = page.say("honour.measures_alt", title=title)
    return page.figure(picture, alt, title, page.table(title, heads, rows))


def show_course(page: Page) -> Piece:
    """Whether it falls, in a line."""
    return Text(describe_course(page))
