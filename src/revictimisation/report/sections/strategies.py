"""Page 07: a joint measure as three strategies: both agencies in time, one of them, none."""

from __future__ import annotations

from revictimisation.core.packing import pack_contrast
from revictimisation.report.described import NOTHING, Folded, Piece, Text, join
from revictimisation.report.natural_frequencies import (
    describe_between,
    describe_people,
    show_gap,
    show_hundred,
)
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import describe_within, finish
from revictimisation.report.trials import (
    DIFFERENCE,
    WEIGHTING,
    add_events,
    describe_gates,
    describe_reason,
    find_effect,
    has_answer,
    has_rows,
)
from revictimisation.report.verdicts import HIDDEN, judge, name_measure

ANALYSIS = "three_strategies"
STRATEGIES = ("both", "one", "none")
PAIRS = (("both", "none"), ("both", "one"), ("one", "none"))
CONTRASTS = tuple(pack_contrast(*pair) for pair in PAIRS)


def find_strategy(page: Page, measure: str, level: str, day: int) -> Number:
    """The risk under a strategy, or the difference between two (`both_less_one`), by a day."""
    is_gap = level in CONTRASTS
    return page.release.find(
        question="q2",
        analysis=ANALYSIS,
        measure=measure,
        subgroup="strategy",
        level=level,
        outcome=page.plan.outcome.who,
        estimator=WEIGHTING,
        estimand=DIFFERENCE if is_gap else "cumulative_incidence",
        time_days=day,
    )


def show_strategies(page: Page) -> Piece:
    """Heading, sentences and numbers for each joint measure that the release has them for."""
    parts = [
        _show_one(page, name)
        for name in page.plan.measure_names
        if has_rows(page, analysis=ANALYSIS, measure=name)
    ]
    return join([page.heading("models.strategies", level=3), *parts]) if parts else NOTHING


def _show_one(page: Page, measure: str) -> Piece:
    """The sentences where the main question has an answer; the table for referees in any case."""
    text = page.text("models.strategies_text", within=describe_within(page, measure))
    folded = Folded(page.say("models.strategies_referees"), _table(page, measure))
    gap = find_effect(page, measure)
    lines = [f"- {_describe_contrast(page, measure, contrast)}" for contrast in CONTRASTS]
    if not has_answer(page, measure):
        why = finish(describe_reason(page, measure, gap))
        lines = [page.say("trials.verdict_hidden", measure=name_measure(page, measure), why=why)]
    return join([text, Text("\n".join(lines)), folded])


def _describe_contrast(page: Page, measure: str, contrast: str) -> str:
    """One sentence: how many fewer or more of a hundred, or that it is unclear either way."""
    gap = find_strategy(page, measure, contrast, page.last_day)
    told = page.say(f"models.contrast_{contrast}")
    verdict = judge(gap, same=0.0)
    if verdict == HIDDEN:
        why = describe_gates(page, [page.name_reason(gap)])
        return page.say("models.contrast_hidden", contrast=told, why=finish(why))
    return page.say(
        f"models.contrast_{verdict}",
        contrast=told,
        people=describe_people(page, gap.estimate or 0.0),
        between=describe_between(page, gap),
    )


def _table(page: Page, measure: str) -> Piece:
    days = page.plan.days_within_horizon
    rows = []
    for level in (*STRATEGIES, *CONTRASTS):
        found = [find_strategy(page, measure, level, day) for day in days]
        show = show_gap if level in CONTRASTS else show_hundred
        cells = [add_events(page, measure, one, show(page, one)) for one in found]
        rows.append([_name(page, level), *cells])
    heads = ["", *(page.formats.period(day) for day in days)]
    return page.table(page.say("models.strategies_caption"), heads, rows)


def _name(page: Page, level: str) -> str:
    if level in CONTRASTS:
        return page.say(f"models.contrast_{level}")
    return page.say(f"models.strategy_{level}")
