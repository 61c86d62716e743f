"""A difference of two risks as people say it: of a hundred so many fewer, and how sure that is."""

from __future__ import annotations

import math

from revictimisation.report.described import Cell
from revictimisation.report.formats import round_half_up
from revictimisation.report.page import HUNDREDTHS, Page
from revictimisation.report.quantities import tell
from revictimisation.report.release import Number
from revictimisation.report.verdicts import FEWER, MORE, judge

HUNDRED = 100
# numbers above this are said to two digits: `ungefär 210`
FINE_UP_TO = 100


def count_people(page: Page, difference: float) -> str:
    """How many of a hundred a difference of risks is, without its direction."""
    if is_under_one(difference):
        return page.say("trials.under_one")
    return tell(page.formats.count(abs(difference) * HUNDRED), difference)


def is_under_one(difference: float) -> bool:
    """Whether a difference of risks is there, and is less of a hundred than rounds to one."""
    return difference != 0 and not round_half_up(difference * HUNDRED)


def describe_people(page: Page, difference: float) -> str:
    """`6 färre`, `2 fler` or `ungefär lika många`: how many of a hundred, with the direction."""
    if is_under_one(difference):
        return page.say("trials.people_about_same")
    return _describe_direction(page, difference)


def _describe_direction(page: Page, difference: float) -> str:
    if difference == 0:
        return page.say("trials.people_same")
    key = "trials.people_fewer" if difference < 0 else "trials.people_more"
    return page.say(key, people=count_people(page, difference))


def describe_between(page: Page, number: Number) -> str:
    """The interval of a difference: `2 och 10 färre`, or `6 färre och 2 fler`.

    Where it includes no difference an end that is less than one person is `ungefär lika`.
    """
    low, high = number.ci_low or 0.0, number.ci_high or 0.0
    verdict = judge(number, same=0.0)
    if verdict not in (FEWER, MORE):
        return page.say("trials.between", low=_describe_end(page, low, high),
                        high=_describe_end(page, high, low))  # fmt: skip
    near, far = sorted((low, high), key=abs)
    given = {"low": count_people(page, near), "high": describe_people(page, far)}
    return page.say("trials.between", **given)


def _describe_end(page: Page, end: float, other: float) -> str:
    """An end of an interval that includes no difference; the nearer one may be about the same."""
    is_near = is_under_one(end) and not is_under_one(other)
    return page.say("trials.about_same") if is_near else _describe_direction(page, end)


def describe_both(page: Page, number: Number) -> str:
    """The difference with its interval: `6 färre (mellan 2 och 10 färre)`."""
    people = describe_people(page, number.estimate or 0.0)
    if not number.has_interval:
        return people
    return page.say("trials.with_between", people=people, between=describe_between(page, number))


def describe_needed(page: Page, gap: Number, needed: Number) -> str:
    """How many must start the measure for one person fewer, or one more, to report again.

    Empty where the difference may go either way: the number then runs through infinity.
    """
    verdict = judge(gap, same=0.0)
    if verdict in (FEWER, MORE) and needed.has_interval:
        ends = sorted(abs(one) for one in (needed.ci_low or 0.0, needed.ci_high or 0.0))
        if all(0 < end < math.inf for end in ends):
            return page.say(
                f"trials.needed_{verdict}",
                about=_count_large(page, abs(needed.estimate or 0.0)),
                low=_count_large(page, ends[0]),
                high=_count_large(page, ends[1]),
            )
    return ""


def _count_large(page: Page, number: float) -> str:
    """A number of people, above a hundred to two digits."""
    if number <= FINE_UP_TO:
        return page.formats.count(math.ceil(round(number, 6)))
    step = 10 ** (math.floor(math.log10(number)) - 1)
    return page.formats.count(round(number / step) * step)


def show_hundred(page: Page, number: Number) -> Cell:
    """A cell with a risk in people out of a hundred, its interval below it."""
    told = page.show(number, lambda risk: page.formats.decimal(risk * HUNDRED, 1), HUNDREDTHS)
    return page.show_both(
        number, told, lambda low, high: page.formats.range(low * HUNDRED, high * HUNDRED, 1)
    )


def show_gap(page: Page, number: Number, digits: int = 1) -> Cell:
    """A cell with a difference of risks in people out of a hundred, its interval below it."""
    write = page.formats.way("points", digits)
    return page.show_both(
        number,
        page.show(number, write, HUNDREDTHS),
        lambda low, high: page.say("effects.span", low=write(low), high=write(high)),
    )
