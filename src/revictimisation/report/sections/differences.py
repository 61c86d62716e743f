"""Question 3's findings in a sentence each: the groups at either end, with all that bears on them.

A group is never told by its own number alone: the pooled one, how many new reports it rests on and
whether the groups differ over the whole time stand beside it.
"""

from __future__ import annotations

from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import (
    Difference,
    choose_day,
    find_pooled,
    find_ratio,
    judge_group,
    list_shown,
    name_division,
    name_level,
)
from revictimisation.report.natural_frequencies import describe_between, describe_both
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.trials import describe_reason, find_effect, has_answer
from revictimisation.report.verdicts import (
    FEWER,
    MORE,
    OPEN,
    TWICE,
    describe_about,
    judge,
    name_answer,
)

# ratios that are said to be half
HALF = (0.45, 0.55)


def describe_difference(page: Page, one: Difference, *, is_brief: bool = False) -> str:
    """The groups at either end of a difference, in people; else by how common while in force.

    `is_brief`: how common in words only, for the first page.
    """
    shown = list_shown(page, one.measure, one.grouping)
    is_risk = one.is_called_by_risk and len(shown) > 1
    if not is_risk:
        shown = list_shown(page, one.measure, one.grouping, find_ratio)
    kind = "risk" if is_risk else "ratio_brief" if is_brief else "ratio"
    tell = {"risk": _describe_risk, "ratio": _describe_ratio, "ratio_brief": _describe_ratio_brief}[
        kind
    ]
    ends = " ".join(tell(page, one, level, number) for level, number in (shown[0], shown[-1]))
    told = page.say(
        f"for_whom.called_{kind}",
        measure=start_upper(name_answer(page, one.measure)),
        grouping=name_division(page, one.grouping),
        period=page.formats.period(choose_day(page)),
        ends=ends,
    )
    beside = ["" if is_risk else _describe_whole_time(page, one), _describe_no_main(page, one)]
    return " ".join([told, *(text for text in beside if text)])


def _describe_no_main(page: Page, one: Difference) -> str:
    """That the main question has no answer for the measure, and why; nothing where it has."""
    if has_answer(page, one.measure):
        return ""
    why = describe_reason(page, one.measure, find_effect(page, one.measure), kind="short")
    return page.say("for_whom.no_main", why=why)


def _describe_whole_time(page: Page, one: Difference) -> str:
    """Whether groups that differ while a measure is in force differ over the whole time too."""
    if one.is_called_by_risk:
        return ""
    key = "whole_open" if one.risk_holm.is_shown else "whole_untested"
    return page.say(f"for_whom.{key}", period=page.formats.period(choose_day(page)))


def _describe_risk(page: Page, one: Difference, level: str, gap: Number) -> str:
    pooled = find_pooled(page, one.measure, one.grouping, level)
    verdict, own = judge_group(gap, pooled, 0.0), judge(gap, same=0.0)
    return page.say(
        "for_whom.end_risk",
        level=start_upper(name_level(page, one.grouping, level)),
        gap=_describe_gap(page, gap),
        pooled=page.say("for_whom.end_pooled", number=_describe_gap(page, pooled))
        if pooled.is_shown
        else "",
        so=page.say("for_whom.so_open") if verdict == OPEN and own in (FEWER, MORE) else "",
    )


def _describe_gap(page: Page, gap: Number) -> str:
    if judge(gap, same=0.0) == OPEN:
        return page.say("for_whom.gap_open", between=describe_between(page, gap))
    return describe_both(page, gap)


def _describe_ratio(page: Page, one: Difference, level: str, ratio: Number) -> str:
    pooled = find_pooled(page, one.measure, one.grouping, level, is_ratio=True)
    beside = [_write_ratio(page, ratio)]
    if pooled.is_shown:
        beside.append(page.say("for_whom.end_pooled_ratio", number=_write_ratio(page, pooled)))
    if ratio.n_events is not None:
        beside.append(page.say("for_whom.end_events", n=page.formats.count(ratio.n_events)))
    return page.say(
        "for_whom.end_ratio",
        level=start_upper(name_level(page, one.grouping, level)),
        ratio=_describe_how_common(page, ratio, pooled),
        beside="; ".join(beside),
    )


def _describe_ratio_brief(page: Page, one: Difference, level: str, ratio: Number) -> str:
    pooled = find_pooled(page, one.measure, one.grouping, level, is_ratio=True)
    return page.say(
        "for_whom.end_ratio_brief",
        level=start_upper(name_level(page, one.grouping, level)),
        ratio=_describe_how_common(page, ratio, pooled),
    )


def _write_ratio(page: Page, ratio: Number) -> str:
    """`1,57, osäkerhet 1,05–2,35`: to two decimals, so that no end seems to touch 1."""
    number, span = page.show_ratio(ratio), page.show_ratio_interval(ratio)
    return page.say("for_whom.number_span", number=number, span=span)


def _describe_how_common(page: Page, ratio: Number, pooled: Number) -> str:
    """How much less or more common a new report is, or that it is unclear."""
    verdict = judge_group(ratio, pooled, 1.0)
    if verdict == OPEN:
        return page.say("answers.open")
    estimate = ratio.estimate or 1.0
    if HALF[0] <= estimate <= HALF[1]:
        return page.say("for_whom.ratio_half")
    if estimate >= TWICE:
        return page.say("for_whom.ratio_times", about=page.formats.decimal(estimate, 1))
    return page.say(f"for_whom.ratio_{verdict}", about=describe_about(page, ratio))
