"""Page 07: for each measure with an answer, what would have to be true for it to be another."""

from __future__ import annotations

from revictimisation.core.codes import OTHER_CAUSES
from revictimisation.core.packing import COVARIATE, TIPPING
from revictimisation.estimators.tipping_points import LIMIT, find_nearest_limit
from revictimisation.report.described import NOTHING, Cell, Piece, Text, join
from revictimisation.report.formats import start_upper
from revictimisation.report.natural_frequencies import describe_both, show_gap
from revictimisation.report.page import PROSE, Page
from revictimisation.report.quantities import derive, tell
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import list_names
from revictimisation.report.trials import find_effect, has_answer, has_rows
from revictimisation.report.verdicts import FEWER, HIDDEN, MORE, OPEN, judge, name_measure

# the main comparison with something counted otherwise: what each is called here
NEAREST = f"times_strongest{LIMIT}"
VARIANTS = ("without_breach_only", "with_breach_only", "multiple_imputation", "linkage_error")


def show_tipping(page: Page) -> Piece:
    """A table a measure; those without an answer are named, and nothing is told of them."""
    measures = [one for one in page.plan.measure_names if has_rows(page, analysis=TIPPING,
                                                                   measure=one)]  # fmt: skip
    if not measures:
        return NOTHING
    told = [one for one in measures if has_answer(page, one)]
    silent = [name_measure(page, one) for one in measures if one not in told]
    parts: list[Piece] = [page.heading("tipping.title", level=3), page.text("tipping.text")]
    parts += [*(_show_one(page, one) for one in told), _show_variants(page, told)]
    if silent:
        parts.append(Text(page.say("tipping.silent", measures=list_names(page, silent)), "note"))
    return join(parts)


def find_tipping(page: Page, measure: str, estimand: str) -> Number:
    """A tipping point of a measure's answer."""
    return find_effect(page, measure, estimand, analysis=TIPPING)


def find_strongest(page: Page, measure: str) -> tuple[str, Number] | None:
    """The covariate that moves the difference most when it is left out, and how far."""
    found = [
        (name, find_effect(page, measure, "left_out_bias", analysis=TIPPING, subgroup=COVARIATE,
                           level=name))
        for name in page.plan.adjust_for
    ]  # fmt: skip
    shown = [one for one in found if one[1].is_shown]
    return max(shown, key=lambda one: abs(one[1].estimate or 0.0), default=None)


def find_change(gap: Number) -> tuple[str, float]:
    """The nearest other answer than that of a difference, and the move that leads to it.

    >>> find_change(Number(-0.03, -0.05, -0.01, status="ok"))
    ('open', -0.01)
    >>> find_change(Number(-0.01, -0.05, 0.03, status="ok"))
    ('fewer', 0.03)
    """
    move = float(find_nearest_limit(gap.ci_low or 0.0, gap.ci_high or 0.0))
    if judge(gap, same=0.0) in (FEWER, MORE):
        return OPEN, move
    return (FEWER if move > 0 else MORE), move


def list_others(page: Page, measure: str) -> list[tuple[str, str, Number]]:
    """The ways to count that give another answer: what each is called, its answer, its number."""
    verdict = judge(find_effect(page, measure), same=0.0)
    gaps = {name: find_effect(page, measure, analysis=name) for name in VARIANTS}
    found = [(name, judge(gap, same=0.0), gap) for name, gap in gaps.items()]
    return [(page.labels.code("analysis", name), page.say(f"tipping.is_{other}"), gap)
            for name, other, gap in found if other not in (verdict, HIDDEN)]  # fmt: skip


def describe_nearest(page: Page, measure: str) -> str:
    """Ways to count that give another answer; else what makes a clear one unclear, or nothing."""
    others = [
        page.say("tipping.another" if judge(gap, same=0.0) in (FEWER, MORE)
                 else "tipping.another_open", how=how, both=describe_both(page, gap))
        for how, _, gap in list_others(page, measure)
    ]  # fmt: skip
    if others:
        return " ".join(others)
    strongest, times = find_strongest(page, measure), find_tipping(page, measure, NEAREST)
    is_clear = judge(find_effect(page, measure), same=0.0) in (FEWER, MORE)
    if not (is_clear and strongest and times.is_shown):
        return ""
    return page.say(
        "tipping.nearest",
        times=page.formats.decimal(times.estimate or 0.0, 1),
        covariate=page.labels.group(strongest[0]).lower(),
    )


def _show_one(page: Page, measure: str) -> Piece:
    gap = find_effect(page, measure)
    verdict, (becomes, move) = judge(gap, same=0.0), find_change(gap)
    moves = {LIMIT: move} if verdict == OPEN else {LIMIT: move, "": gap.estimate or 0.0}
    strongest = find_strongest(page, measure)
    rows: list[list[Cell | str]] = []
    if strongest:
        name = page.labels.group(strongest[0]).lower()
        found = [find_tipping(page, measure, f"times_strongest{one}") for one in moves]
        write = page.formats.way("decimal", 1)
        told = (_say(page, one, "times", write(one.estimate or 0.0)) for one in found)
        rows.append([page.say("tipping.like", covariate=name), *told])
    rows.append([page.say("tipping.even"), *(
        _say(page, find_tipping(page, measure, f"even_gap{suffix}"),
             "even_start" if one > 0 else "even_no_start")
        for suffix, one in moves.items()
    )])  # fmt: skip
    rows.append([page.say("tipping.reporting"), *(
        _describe_reporting(page, find_tipping(page, measure, f"reporting_ratio{suffix}"))
        for suffix in moves
    )])  # fmt: skip
    rows.append([page.say("tipping.lost"), *(
        _describe_lost(page, measure, suffix, one) for suffix, one in moves.items()
    )])  # fmt: skip
    heads = [page.say("tipping.head_if"), page.say(f"tipping.head_{becomes}")]
    heads += [page.say("tipping.head_none")] if verdict != OPEN else []
    caption = page.say("tipping.caption", measure=start_upper(name_measure(page, measure)))
    return page.table(caption, heads, rows, _note(page, strongest), PROSE)


def _say(page: Page, number: Number, key: str, told: str = "") -> str:
    """What one tipping point asks for, in words; why not, where it is not told."""
    if not number.is_shown:
        return page.why_not(number)
    value = number.estimate or 0.0
    told = told or tell(page.formats.decimal(value * 100, 0), value)
    return page.say(f"tipping.{key}", value=told)


def _describe_reporting(page: Page, number: Number) -> str:
    ratio = number.estimate or 0.0
    if not number.is_shown:
        return page.say("tipping.no_reporting")
    told = page.formats.percent(derive(abs(ratio - 1), ratio, "change"), 0)
    return page.say("tipping.reported_more" if ratio > 1 else "tipping.reported_less", value=told)


def _describe_lost(page: Page, measure: str, suffix: str, move: float) -> str:
    number = find_effect(page, measure, f"lost_share{suffix}", analysis=TIPPING,
                         outcome=OTHER_CAUSES[1])  # fmt: skip
    share, arm = number.estimate or 0.0, "start" if move < 0 else "no_start"
    if not number.is_shown:
        return page.why_not(number)
    if share > 1:
        return page.say(f"tipping.lost_all_{arm}")
    return page.say(f"tipping.lost_{arm}", value=tell(page.formats.percent(share, 0), share))


def _note(page: Page, strongest: tuple[str, Number] | None) -> list[str]:
    if strongest is None:
        return []
    bias = strongest[1].estimate or 0.0
    told = tell(page.formats.decimal(abs(bias) * 100, 1), bias)
    name = page.labels.group(strongest[0]).lower()
    return [page.say("tipping.note", covariate=name, value=told)]


def _show_variants(page: Page, measures: list[str]) -> Piece:
    """The same comparisons with something counted otherwise, and which answers become others."""
    shown = [one for one in VARIANTS if any(has_rows(page, analysis=one, measure=measure)
                                            for measure in measures)]  # fmt: skip
    if not shown:
        return NOTHING
    rows: list[list[Cell | str]] = []
    for measure in measures:
        found = [find_effect(page, measure), *(find_effect(page, measure, analysis=one)
                                               for one in shown)]  # fmt: skip
        rows.append([name_measure(page, measure), *(show_gap(page, one) for one in found)])
    changed = [
        page.say("tipping.changed", measure=start_upper(name_measure(page, measure)), how=how,
                 answer=answer)
        for measure in measures for how, answer, _ in list_others(page, measure)
    ]  # fmt: skip
    heads = [page.say("common.measure"), page.say("tipping.main")]
    heads += [page.labels.code("analysis", one) for one in shown]
    period = page.formats.period(page.last_day)
    told = page.text("tipping.changed_none") if not changed else Text(" ".join(changed))
    return join([page.table(page.say("tipping.variants", period=period), heads, rows), told])
