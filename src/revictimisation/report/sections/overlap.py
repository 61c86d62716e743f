"""Those in whom both choices occur: their answer and who they are, never mixed with everyone's."""

from __future__ import annotations

from revictimisation.report.described import NOTHING, Cell, Folded, Piece, join
from revictimisation.report.natural_frequencies import (
    describe_between,
    describe_people,
    show_gap,
    show_hundred,
)
from revictimisation.report.page import Page
from revictimisation.report.sections.answer import describe_within
from revictimisation.report.sections.baseline import SHARES, list_levels, show_share
from revictimisation.report.sections.referees import explain_dash
from revictimisation.report.trials import ARMS, find_effect, has_answer, has_rows, list_checks
from revictimisation.report.verdicts import name_measure

ANALYSIS = "overlap_population"


def describe_overlap(page: Page, measure: str) -> str:
    """The answer about them in a sentence; empty where everyone's has one, or theirs has none."""
    gap = find_effect(page, measure, analysis=ANALYSIS)
    if has_answer(page, measure) or not gap.has_interval:
        return ""
    return page.say(
        "measure.overlap",
        people=describe_people(page, gap.estimate or 0.0),
        between=describe_between(page, gap),
        period=page.formats.period(page.last_day),
        within=describe_within(page, measure),
    )


def show_overlap(page: Page) -> Piece:
    """Both risks and their difference by measure, and a folded profile of each."""
    asked = [one for one in page.plan.measure_names
             if has_rows(page, measure=one, analysis=ANALYSIS)]  # fmt: skip
    if not asked:
        return NOTHING
    rows: list[list[Cell | str]] = []
    for measure in asked:
        gap = find_effect(page, measure, analysis=ANALYSIS)
        risks = [find_effect(page, measure, f"risk_{arm}", analysis=ANALYSIS) for arm in ARMS]
        cells = [show_hundred(page, risk if gap.is_shown else gap) for risk in risks]
        rows.append([name_measure(page, measure), *cells, show_gap(page, gap)])
    heads = [page.say("common.measure"), *(page.say(f"referees.arm_{arm}") for arm in ARMS),
             page.say("referees.overlap_gap")]  # fmt: skip
    caption = page.say("referees.overlap_caption", period=page.formats.period(page.last_day))
    profiles = [_show_profile(page, measure) for measure in asked]
    return join([page.heading("referees.overlap", level=3), page.text("referees.overlap_text"),
                 page.table(caption, heads, rows), *profiles])  # fmt: skip


def _show_profile(page: Page, measure: str) -> Piece:
    """The share of each level in all who are eligible, and in those with both choices."""
    checks = [one for one in list_checks(page, measure, ANALYSIS) if one.name == SHARES]
    shares = {(check.of.group, check.of.level): check.known for check in checks}
    rows: list[list[Cell | str]] = []
    for group in page.plan.subgroups:
        levels = {level.name: level.people for level in list_levels(page, measure, group)}
        everybody = sum(levels.values())
        for level in page.levels("q3", group):
            if (group, level) not in shares:
                continue
            known = levels[level] / everybody if everybody and level in levels else None
            name = f"{page.labels.group(group)}: {page.labels.level(group, level)}"
            told = (show_share(page, one) for one in (known, shares[group, level]))
            rows.append([name, *told])
    if not rows:
        return NOTHING
    heads = [page.say("common.group"), page.say("referees.baseline_everyone"),
             page.say("referees.overlap_people")]  # fmt: skip
    name = name_measure(page, measure)
    caption = page.say("referees.overlap_profile", measure=name)
    return Folded(caption, page.table(caption, heads, rows, explain_dash(page, rows)))
