"""What an interval allows to be said, as a plain sentence that carries its uncertainty."""

from __future__ import annotations

from revictimisation.report.formats import start_upper
from revictimisation.report.page import Page, StudyWriter
from revictimisation.report.release import Number

FEWER, MORE, OPEN, HIDDEN = "fewer", "more", "open", "hidden"
# from a doubling on, `2,3 gånger` is easier to take in than `130 procent`
TWICE = 2.0
# what is written as no difference: of shares in per cent with a decimal, of ratios with two
ON_SAME = {0.0: 0.0005, 1.0: 0.005}
# what question 1 calls any measure of an agency
ANY = "any_"
# from here on the words `ungefär` stand before fives
ABOUT_FROM_PERCENT, ABOUT_STEP = 10, 5


def is_joint(page: StudyWriter, measure: str) -> bool:
    """True for a measure that is two starts near in time, one by either agency."""
    return measure in page.plan.measures and page.plan.measures[measure].is_joint


def is_coordinated(page: StudyWriter, measure: str) -> bool:
    """True for work that both agencies do together, shared assessments among it."""
    return measure in page.plan.measures and page.plan.measures[measure].is_coordinated


def name_measure(page: StudyWriter, name: str) -> str:
    """A measure of the study, a code, or any measure of an agency, as it is called."""
    if name.startswith(ANY):
        agency = name.removeprefix(ANY)
        return page.say(f"common.any_{agency}")
    if is_coordinated(page, name):
        return page.say("common.coordinated")
    return page.say("common.joint") if is_joint(page, name) else page.labels.measure(name)


def explain_near_in_time(page: Page) -> str:
    """Why there is no answer about measures near in time; empty where the study has none."""
    return "\n\n".join(
        page.say(
            "common.near_in_time",
            measure=start_upper(name_measure(page, name)),
            within=page.formats.days(one.joint_within_days or 0),
        )
        for name, one in page.plan.measures.items()
        if one.is_joint
    )


def judge(number: Number, same: float = 1.0) -> str:
    """What a ratio or a difference with its interval says: `fewer`, `more`, `open` or `hidden`.

    `same` is no difference: 1 for a ratio, 0 for a difference. `fewer` and `more` only where the
    whole interval lies on one side of it; an end on it, as it is written, is `open`. `hidden`:
    there is no number, or no interval to judge it by.

    >>> judge(Number(0.4, 0.22, 0.66, status="ok")), judge(Number(0.8, 0.6, 1.0, status="ok"))
    ('fewer', 'open')
    >>> [judge(Number(-0.06, -0.1, high, status="ok"), same=0.0) for high in (-0.02, -0.0004)]
    ['fewer', 'open']
    """
    if not number.has_interval:
        return HIDDEN
    assert number.ci_low is not None and number.ci_high is not None
    near = ON_SAME[same]
    if number.ci_high < same - near:
        return FEWER
    return MORE if number.ci_low > same + near else OPEN


def describe_about(page: Page, ratio: Number) -> str:
    """`60 procent`: how far a ratio is from 1, to be said with *about*."""
    return page.say("effects.percent", percent=_about(page, ratio.estimate or 1.0))


def _percent(page: Page, ratio: float) -> str:
    """How far a ratio is from 1, in whole per cent."""
    percent = round(abs(ratio - 1) * 100, 6)
    if 0 < percent < 1:
        return page.say("effects.under_one")
    return page.formats.count(percent)


def _about(page: Page, ratio: float) -> str:
    percent = abs(ratio - 1) * 100
    if percent < ABOUT_FROM_PERCENT:
        return _percent(page, ratio)
    return page.formats.count(ABOUT_STEP * round(percent / ABOUT_STEP))
