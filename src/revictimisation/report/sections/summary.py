"""The first page: what matters most, in sentences, one picture and a card per measure."""

from __future__ import annotations

from revictimisation.report.described import (
    Heading,
    Item,
    Items,
    Piece,
    Text,
    join,
    list_findings,
)
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import list_differences, list_groupings
from revictimisation.report.known_truth import describe_known_truth
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import (
    describe_against,
    describe_counts,
    describe_scope,
    list_clear,
)
from revictimisation.report.sections.cohort import describe_by_person, find_incidence
from revictimisation.report.sections.court_association import describe_in_short
from revictimisation.report.sections.courts import find_reached
from revictimisation.report.sections.differences import describe_difference
from revictimisation.report.sections.for_whom import describe_answer
from revictimisation.report.sections.measures import describe_badge, describe_measure
from revictimisation.report.sections.misfits import show_misfits
from revictimisation.report.sections.models import describe_less_common
from revictimisation.report.sections.use import find_share, list_used
from revictimisation.report.trials import judge_measure, list_first, list_main
from revictimisation.report.verdicts import name_measure


def show_findings(page: Page) -> Piece:
    """The most important findings: how many, what is used, and what each verdict holds for."""
    told = [_describe_repeat(page), _describe_use(page), _describe_counts(page)]
    told += [describe_known_truth(page, "hidden_difference"), *list_clear(page)]
    told += [describe_less_common(page), *_list_for_whom(page), _format_courts(page)]
    return list_findings(told)


def _hundreds(page: Page, number: Number) -> dict[str, str]:
    """A share with its interval in people out of a hundred, the interval as on other pages."""
    return {
        "share": page.formats.of_hundred(number.estimate or 0),
        "low": page.formats.decimal((number.ci_low or 0) * 100, 1),
        "high": page.formats.decimal((number.ci_high or 0) * 100, 1),
    }


def _describe_repeat(page: Page) -> str:
    number = find_incidence(page, page.plan.outcome.who)
    if not number.has_interval:
        return page.say("index.finding_repeat_hidden", why=page.why_not(number))
    told = page.say(
        "index.finding_repeat",
        against=describe_against(page),
        period=page.formats.period(page.last_day),
        n_entries=page.formats.count(number.n_people or 0),
        **_hundreds(page, number),
    )
    people = describe_by_person(page)
    return " ".join(
        one for one in (told + _describe_early(page), people, _describe_set(page)) if one
    )


def _describe_early(page: Page) -> str:
    """The share at the first of the study's days, if it has more than its part of the last."""
    day = page.plan.report_at_days[0]
    number = find_incidence(page, page.plan.outcome.who, time_days=day)
    last = find_incidence(page, page.plan.outcome.who)
    is_early = (number.estimate or 0) * page.last_day > (last.estimate or 1) * day
    if not number.has_interval or day == page.last_day or not is_early:
        return ""
    period = page.formats.period(day)
    return " " + page.say("index.finding_early", period=period, **_hundreds(page, number))


def _describe_set(page: Page) -> str:
    """That a number is what the invented county is set to; nothing on real data."""
    return page.say("common.set_brief") if page.release.is_synthetic else ""


def _describe_use(page: Page) -> str:
    shown = [(code, number) for code, number in list_used(page) if number.has_interval][:3]
    if len(shown) < 3:
        return ""
    values = {}
    for place, (code, number) in zip(("first", "second", "third"), shown, strict=True):
        values[place] = name_measure(page, code)
        told = _hundreds(page, number)
        values[f"{place}_share"] = told["share"]
        values[f"{place}_span"] = f"{told['low']}–{told['high']}"
    return f"{page.say('index.finding_use', **values)} {_describe_set(page)}".strip()


def _describe_counts(page: Page) -> str:
    """How many measures seem to make a difference, and of how many that cannot be told."""
    if not page.plan.measure_names:
        return ""
    return page.say(
        "index.finding_counts", counts=describe_counts(page), scope=describe_scope(page)
    )


def _list_for_whom(page: Page) -> list[str]:
    """Whether measures help some groups more than others, and the difference that matters most."""
    if not (page.plan.measure_names and list_groupings(page)):
        return []
    called = [difference for difference in list_differences(page) if difference.is_called]
    first = [one for one in called if one.measure in list_first(page)]
    told = page.say("index.finding_for_whom", answer=describe_answer(page))
    if len(first) < len(called):
        n = page.formats.count(len(called) - len(first))
        told = f"{told} {page.say('index.finding_for_whom_apart', n=n)}"
    return [told, *(describe_difference(page, one, is_brief=True) for one in first[:1])]


def _format_courts(page: Page) -> str:
    """How many reports led to a conviction, and whether any measure goes with one."""
    share = find_reached(page, "convicted", page.last_day)
    if not (share.has_interval and page.plan.measure_names):
        return ""
    told = page.formats.of_hundred(share.estimate or 0.0)
    period = page.formats.period(page.last_day)
    answer = f"{_describe_set(page)} {describe_in_short(page)}".strip()
    return page.say("index.finding_courts", share=told, period=period, answer=answer)


def show_cards(page: Page) -> Piece:
    """A card per measure: how many got it, what can be said, how sure."""
    if not page.plan.measure_names:
        return page.text("common.no_measures")
    return Items(tuple(_card(page, name) for name in list_main(page)), "cards")


def _card(page: Page, name: str) -> Item:
    share = find_share(page, name)
    verdict, title = judge_measure(page, name), name_measure(page, name)
    if share.is_shown:
        use = page.say(
            "index.card_use",
            share=page.formats.of_hundred(share.estimate or 0),
            n=page.formats.count(share.n_events or 0),
            n_all=page.formats.count(share.n_people or 0),
        )
    else:
        use = page.say("index.card_use_hidden", why=page.why_not(share))
    badge = Text(describe_badge(page, name), "badge")
    told = Text(use), Text(describe_measure(page, name, "first"))
    return Item(
        join([Heading(page.link(f"measure_{name}", start_upper(title)), 3), badge, *told]), verdict
    )


def ask(page: Page) -> Piece:
    """The question that the picture answers."""
    period = page.formats.period(page.last_day)
    return page.text("trials.question", against=describe_against(page), period=period)


def name_study(page: Page) -> str:
    """The study's title; on synthetic data it says that the county is invented."""
    return page.title


def show_made(page: Page) -> Piece:
    """How it was made, in a few sentences."""
    write, plan = page.formats.date, page.plan
    return page.text(
        "index.made_text",
        from_on=write(plan.accrual.from_on),
        to_on=write(plan.accrual.to_on),
        data_end_on=write(plan.data_end_on),
        horizon=page.horizon,
        source=page.say(
            "index.source_invented" if page.release.is_synthetic else "index.source_real"
        ),
    )


def show_lead(page: Page) -> Piece:
    """What the study is, and where extract and study file do not agree."""
    return join([Text(page.say("index.lead"), "lead"), show_misfits(page)])
