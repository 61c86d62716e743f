"""What sentences and pictures of an answer share: against whom, how soon, lists and scales."""

from __future__ import annotations

from collections.abc import Sequence

from revictimisation.report.described import DotSeries, Scale
from revictimisation.report.forest import list_ticks
from revictimisation.report.natural_frequencies import count_people
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.cohort import list_words
from revictimisation.report.verdicts import FEWER, MORE, judge


def describe_against(page: Page) -> str:
    """`mot samma misstänkta person`, or against any."""
    return page.say(f"effects.against_{page.plan.outcome.who}")


def describe_grace(page: Page, measure: str) -> str:
    """`30 dagar`: how soon a measure must start to count; `samma dag` for no days at all."""
    days = page.plan.measures[measure].grace_days
    return page.formats.days(days) if days else page.say("trials.same_day")


def describe_within(page: Page, measure: str) -> str:
    """`inom 30 dagar`, to stand in a sentence."""
    grace = describe_grace(page, measure)
    return (
        page.say("trials.within", grace=grace) if page.plan.measures[measure].grace_days else grace
    )


def list_names(page: Page, words: list[str]) -> str:
    """Words in a row, `and` before the last."""
    return list_words(words, page.say("effects.and"))


def finish(told: str) -> str:
    """A sentence of its own: a capital first and a full stop last.

    >>> finish("the group is too small"), finish("Whole.")
    ('The group is too small.', 'Whole.')
    """
    return told[:1].upper() + told[1:] + ("" if told.endswith(".") else ".")


def make_series(name: str, numbers: Sequence[Number], look: str = "") -> DotSeries:
    """Differences as a series of dots, open where it is unclear whether there is one."""
    is_open = [judge(number, same=0.0) not in (FEWER, MORE) for number in numbers]
    return DotSeries(name, [number.point for number in numbers], is_open=is_open, look=look)


def make_scale(page: Page, numbers: Sequence[Number]) -> Scale:
    """An axis of people in a hundred around no difference, that holds every interval."""
    ticks = list_ticks([number.point for number in numbers])
    told = [count_people(page, tick) if tick else page.say("trials.tick_same") for tick in ticks]
    return Scale(
        page.formats.way("count", words=zip(ticks, told, strict=True)),
        ticks,
        page.say("trials.axis"),
        reference=0.0,
        sides=(page.say("trials.side_fewer"), page.say("trials.side_more")),
    )
