"""Notebook 3, second part: what can be said about each measure, and what it rests on."""

from __future__ import annotations

from revictimisation.report.check_values import describe_beside
from revictimisation.report.described import (
    NOTHING,
    Curves,
    CurveSeries,
    Folded,
    Heading,
    Piece,
    Text,
    join,
)
from revictimisation.report.formats import start_upper
from revictimisation.report.natural_frequencies import (
    count_people,
    describe_between,
    describe_both,
    describe_days,
    describe_needed,
    describe_people,
    describe_sure,
    show_gap,
    show_hundred,
)
from revictimisation.report.page import DASH, Page
from revictimisation.report.sections.answer import describe_against, describe_within, finish
from revictimisation.report.sections.groups import make_curve, time_ticks
from revictimisation.report.trials import (
    ARMS,
    BALANCE,
    CONTROL,
    CONTROL_CHECK,
    FAILED,
    WARNING,
    Check,
    describe_reason,
    find_arms,
    find_checks,
    find_effect,
    has_answer,
    judge_measure,
    list_checks,
)
from revictimisation.report.verdicts import FEWER, HIDDEN, MORE, OPEN, judge, name_answer

DETECTABLE, SUPPORT, CONVERGED = (
    "minimum_detectable_difference",
    "share_outside_support",
    "is_converged",
)
SHARES = (SUPPORT, "share_failed_replicates", "share_same_day_starts")
DISAGREEMENT = "largest_disagreement"
CHECKS = (BALANCE, "effective_sample_size", "n_exposed_victims", "n_events", SUPPORT,
          "share_same_day_starts", DETECTABLE, DISAGREEMENT, CONTROL_CHECK,
          "share_failed_replicates", CONVERGED)  # fmt: skip
# in inches, for wide and narrow screens: there is one picture a measure
HEIGHTS = (2.7, 3.0)
MOST = (BALANCE, *SHARES, DETECTABLE, CONTROL_CHECK, DISAGREEMENT)


def show_measures(page: Page) -> Piece:
    """Every measure of the study, one below the other."""
    if not page.plan.measure_names:
        return page.text("common.no_measures")
    parts = [show_measure(page, name) for name in page.plan.measure_names]
    return join([page.text("trials.measures_text"), *parts])


def show_measure(page: Page, measure: str) -> Piece:
    """What can be said, the two curves, how sure, what it means, and what it rests on."""
    verdict, name = judge_measure(page, measure), name_answer(page, measure)
    heading = Heading(name[:1].upper() + name[1:], 2, f"measure-{measure}".replace("_", "-"))
    badge = describe_badge(page, measure)
    told = Text(f"{describe_measure(page, measure)} {' '.join(_describe_earlier(page, measure))}")
    parts = [heading, Text(badge, f"badge {verdict}"), told]
    if verdict != HIDDEN:
        parts += [Text(_describe_sure(page, measure)), _curves(page, measure)]
    return join([*parts, _behind(page, measure, verdict)])


def describe_badge(page: Page, measure: str) -> str:
    """The verdict in a few words, without an answer why."""
    verdict = judge_measure(page, measure)
    if verdict != HIDDEN:
        return page.say(f"effects.card_{verdict}")
    why = describe_reason(page, measure, find_effect(page, measure), "short")
    return start_upper(page.say("answers.none_why", why=why))


def describe_measure(page: Page, measure: str, kind: str = "why") -> str:
    """One sentence with the answer and its uncertainty, or what is missing."""
    gap, verdict, name = (
        find_effect(page, measure),
        judge_measure(page, measure),
        name_answer(page, measure),
    )
    if verdict == HIDDEN:
        why = finish(describe_reason(page, measure, gap, kind))
        return page.say("trials.verdict_hidden", measure=name, why=why)
    return page.say(
        f"trials.verdict_{verdict}",
        measure=name,
        within=describe_within(page, measure),
        period=page.formats.period(page.last_day),
        people=describe_people(page, gap.estimate or 0.0),
        between=describe_between(page, gap),
    )


def _describe_earlier(page: Page, measure: str) -> list[str]:
    """Without an answer: the latest of the study's earlier days for which there is one."""
    if has_answer(page, measure):
        return []
    for day in sorted(page.plan.report_at_days, reverse=True):
        gap = find_effect(page, measure, day=day)
        if gap.has_interval:
            given = {"gap": describe_both(page, gap), "between": describe_between(page, gap)}
            key = "verdict_earlier_open" if judge(gap, same=0.0) == OPEN else "verdict_earlier"
            return [page.say(f"trials.{key}", period=page.formats.period(day), **given)]
    return []


def _describe_sure(page: Page, measure: str) -> str:
    """How sure the answer is, and how many must get the measure."""
    gap = find_effect(page, measure)
    detectable = find_checks(list_checks(page, measure), DETECTABLE, page.last_day).get("")
    needed = find_effect(page, measure, "number_needed_to_treat")
    sure = describe_sure(page, gap, detectable.value if detectable else None)
    return _list([sure, describe_needed(page, gap, needed)])


def _list_meanings(page: Page, measure: str) -> str:
    """Days gained, something unknown, a test of the method: a list, of those there are."""
    days = find_effect(page, measure, "rmst_difference_days")
    arms = [find_effect(page, measure, f"rmst_{arm}_days") for arm in ("start", "no_start")]
    gained = describe_days(page, days, arms, page.formats.period(page.last_day))
    return _list([gained, _format_unknown(page, measure), _describe_control(page, measure)])


def _list(told: list[str]) -> str:
    return "\n".join(f"- {one}" for one in told if one)


def _format_unknown(page: Page, measure: str) -> str:
    """What an unknown factor would have to do (VanderWeele & Ding 2017).

    Nothing where we cannot tell anyhow: no factor is needed for that.
    """
    value = find_effect(page, measure, "e_value")
    limit = find_effect(page, measure, "e_value_limit")
    is_clear = judge_measure(page, measure) in (FEWER, MORE)
    if not (is_clear and value.is_shown and limit.is_shown):
        return ""
    times, least = (page.formats.decimal(one.estimate or 1.0, 1) for one in (value, limit))
    return page.say("trials.unknown", times=times, limit=least)


def _describe_control(page: Page, measure: str) -> str:
    """What reports that the measure cannot prevent say of the method.

    Nothing where they are too few to tell anything.
    """
    if measure in page.plan.negative_controls.measures:
        return page.say("trials.control_placebo")
    gap = find_effect(page, measure, **CONTROL)
    checks = find_checks(list_checks(page, measure, CONTROL["analysis"]), CONTROL_CHECK)
    enough = find_checks(list_checks(page, measure, CONTROL["analysis"]), "effective_events")
    status = {check.status for check in (*checks.values(), *enough.values())}
    if not gap.has_interval or WARNING in status:
        return ""
    told = describe_both(page, gap)
    if judge(gap, same=0.0) == OPEN:
        return page.say("trials.control_quiet", gap=told)
    is_small = bool(checks) and FAILED not in status
    return page.say("trials.control_small" if is_small else "trials.control_loud", gap=told)


def _curve(page: Page, measure: str, arm: str) -> CurveSeries:
    found = [
        (day, find_effect(page, measure, f"risk_{arm}", day, analysis="curve"))
        for day in page.plan.curve_days
    ]
    if not any(one.is_shown for _, one in found):
        days = page.plan.days_within_horizon
        found = [(day, find_effect(page, measure, f"risk_{arm}", day)) for day in days]
    return make_curve(page.say(f"trials.curve_{arm}"), found)


def _curves(page: Page, measure: str) -> Piece:
    """The two curves with their bands, and the numbers at the study's days."""
    curves = [_curve(page, measure, arm) for arm in ARMS]
    table = _days_table(page, measure)
    if not all(len(curve.days) > 1 for curve in curves):
        return table
    until = page.plan.horizon_days
    ticks = [(float(day), page.formats.period(day)) for day in time_ticks(page, until)]
    picture = Curves(curves, [(0.0, "0"), *ticks], page.formats.way("percent_short"), HEIGHTS)
    name = name_answer(page, measure)
    caption = page.say(
        "trials.curve_caption",
        measure=name[:1].upper() + name[1:],
        against=describe_against(page),
        within=describe_within(page, measure),
    )
    ends = {
        arm: page.formats.of_hundred(one.estimate[-1])
        for arm, one in zip(ARMS, curves, strict=True)
    }
    alt = page.say("trials.curve_alt", period=page.formats.period(int(curves[0].days[-1])), **ends)
    return page.figure(picture, alt, caption, table)


def _days_table(page: Page, measure: str) -> Piece:
    rows = []
    for day in page.plan.report_at_days:
        arms = find_arms(page, measure, day)
        gap = find_effect(page, measure, day=day)
        cells = [show_hundred(page, arm) for arm in arms]
        rows.append([page.formats.period(day), *cells, show_gap(page, gap)])
    names = (*ARMS, "gap")
    heads = [page.say("common.time"), *(page.say(f"trials.head_{name}") for name in names)]
    caption = page.say("trials.curve_table", measure=name_answer(page, measure))
    return page.table(caption, heads, rows)


def _behind(page: Page, measure: str, verdict: str) -> Piece:
    """How many people and events stand behind the answer, and which checks held; folded."""
    control = list_checks(page, measure, CONTROL["analysis"])
    checks = [*list_checks(page, measure), *(one for one in control if one.name == CONTROL_CHECK)]
    start, no_start = (find_effect(page, measure, f"risk_{arm}") for arm in ARMS)
    counts = (start.n_people, start.n_events, no_start.n_people, no_start.n_events)
    told: Piece = NOTHING
    if all(count is not None for count in counts):
        shown = [page.formats.count(count or 0) for count in counts]
        names = ("start", "start_events", "no_start", "no_start_events")
        given = dict(zip(names, shown, strict=True))
        period = page.formats.period(page.last_day)
        within = describe_within(page, measure)
        told = page.text("trials.behind_text", within=within, period=period, **given)
    parts = [told]
    if verdict != HIDDEN:
        parts.insert(0, Text(_list_meanings(page, measure)))
    if checks:
        parts.append(show_checks(page, checks))
    if not any(parts):
        return NOTHING
    summary = page.say("trials.behind_hidden" if verdict == HIDDEN else "trials.behind")
    return Folded(summary, join(parts))


def show_checks(page: Page, checks: list[Check]) -> Piece:
    """The checks with a limit, one row each, in plain words."""
    rows = []
    for name in CHECKS:
        found = _pick(page, checks, name)
        if not found:
            continue
        both = found.get("", found.get("start")), found.get("no_start")
        shown = [_describe_value(page, one) if one else "" for one in both]
        holds = not any(one.status == FAILED for one in found.values())
        limit = _describe_limit(page, next(iter(found.values())))
        rows.append([page.say(f"trials.check_{name}"), *shown, limit,
                     page.say("trials.holds" if holds else "trials.fails")])  # fmt: skip
    names = ("check", *ARMS, "limit", "status")
    heads = [page.say(f"trials.behind_{one}") for one in names]
    return page.table(page.say("trials.behind_caption"), heads, rows, kind="checks")


def _pick(page: Page, checks: list[Check], name: str) -> dict[str, Check]:
    """The checks to show of a name by arm: of the last day, of balance the worst."""
    if name != BALANCE:
        same_day = find_checks(checks, name, page.last_day, is_held=True)
        return same_day or find_checks(checks, name, is_held=True)
    held = [check for check in checks if check.name == name and check.limit is not None]
    return {one.arm: one for one in sorted(held, key=lambda one: one.value or 0.0)}


def _describe_value(page: Page, check: Check) -> str:
    if check.value is None:
        return DASH
    return describe_beside(page, check, lambda value, more: _tell(page, check.name, value, more))


def _tell(page: Page, name: str, value: float, more: int = 0) -> str:
    if name == BALANCE:
        return page.formats.decimal(value, 2 + more)
    if name == DISAGREEMENT:
        return page.formats.decimal(value, 1 + more)
    if name in SHARES:
        return page.formats.percent(value, 1 + more)
    if name in (DETECTABLE, CONTROL_CHECK) and more:
        return page.formats.decimal(abs(value) * 100, more)
    if name in (DETECTABLE, CONTROL_CHECK):
        return count_people(page, value)
    if name == CONVERGED:
        return page.labels.code("yes_no", "true" if value else "false")
    return page.formats.count(value)


def _describe_limit(page: Page, check: Check) -> str:
    if check.name == CONVERGED or check.limit is None:
        return ""
    key = "trials.limit_most" if check.name in MOST else "trials.limit_least"
    if check.name == CONTROL_CHECK:
        key = "trials.limit_control"
    return page.say(key, limit=_tell(page, check.name, check.limit))
