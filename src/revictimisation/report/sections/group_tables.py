"""Notebook 4, last part, for referees: tests, contrasts and hazard ratios on both scales."""

from __future__ import annotations

from revictimisation.report.described import NOTHING, Folded, Piece, join
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import (
    CONTRAST,
    choose_day,
    count_tests,
    find_gap,
    find_pooled,
    find_ratio,
    join_pair,
    list_differences,
    list_groupings,
    list_levels,
    list_pairs,
    name_level,
    name_row,
)
from revictimisation.report.natural_frequencies import show_gap
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.verdicts import name_answer

LEAST_P = 0.001


def show_tests(page: Page) -> Piece:
    """The declared family and every test of it, the least adjusted p-value first."""
    found = list_differences(page)
    if not found:
        return NOTHING
    text = page.text("for_whom.referees_text", period=page.formats.period(choose_day(page)),
                     n_all=2 * len(found), n=count_tests(page))  # fmt: skip
    rows = []
    for one in sorted(found, key=lambda one: (one.adjusted, one.unadjusted)):
        tests = (one.risk, one.risk_holm, one.hazard, one.hazard_holm)
        name = start_upper(name_answer(page, one.measure))
        rows.append([f"{name}: {page.labels.group(one.grouping)}",
                     *(show_p(page, number) for number in tests)])  # fmt: skip
    names = ("test", "risk_p", "risk_holm", "hazard_p", "hazard_holm")
    heads = [page.say(f"for_whom.head_{one}") for one in names]
    notes = [page.say("for_whom.tests_dash")]
    table = page.table(page.say("for_whom.tests_caption"), heads, rows, notes)
    return join([text, Folded(page.say("for_whom.tests_show"), table)])


def show_p(page: Page, number: Number) -> str:
    """A cell with a p-value, a dash where there is none."""
    if not number.is_shown:
        return DASH
    value = number.estimate or 0.0
    return page.say("for_whom.p_under") if value < LEAST_P else page.formats.decimal(value, 3)


def show_scales(page: Page) -> Piece:
    """Folded for every measure: contrasts on both scales, ratios by level, and the other days."""
    if not list_groupings(page):
        return NOTHING
    parts = []
    for measure in page.plan.measure_names:
        tables = join([_contrasts(page, measure), _ratios(page, measure), _days(page, measure)])
        parts.append(Folded(start_upper(name_answer(page, measure)), tables))
    return join(parts)


def _contrasts(page: Page, measure: str) -> Piece:
    rows = []
    for grouping in list_groupings(page):
        for pair in list_pairs(page, grouping):
            level = join_pair(pair)
            gap = find_gap(page, measure, grouping, level, CONTRAST)
            ratio = find_ratio(page, measure, grouping, level, CONTRAST)
            tests = (find_gap(page, measure, grouping, level, CONTRAST, estimand="p_value"),
                     find_ratio(page, measure, grouping, level, CONTRAST, "p_value"))  # fmt: skip
            one, other = (name_level(page, grouping, part) for part in pair)
            name = page.say("for_whom.contrast_pair", one=start_upper(one), other=other)
            p_risk, p_hazard = (
                show_p(page, test) if shown.is_shown else ""
                for test, shown in zip(tests, (gap, ratio), strict=True)
            )
            rows.append([name, show_gap(page, gap), p_risk, page.show_ratio_both(ratio), p_hazard])
    names = ("contrast", "gap_gap", "p", "ratio_ratio", "p")
    heads = [page.say(f"for_whom.head_{one}") for one in names]
    caption = page.say("for_whom.contrasts_caption", measure=_name(page, measure))
    return page.table(caption, heads, rows)


def _name(page: Page, measure: str) -> str:
    return start_upper(name_answer(page, measure))


def _ratios(page: Page, measure: str) -> Piece:
    rows = []
    for grouping in list_groupings(page):
        for level in list_levels(page, grouping, is_named=False):
            own = find_ratio(page, measure, grouping, level)
            pooled = find_pooled(page, measure, grouping, level, is_ratio=True)
            counts = ["" if one is None else page.show_number(one)
                      for one in (own.n_people, own.n_events)]  # fmt: skip
            name = name_row(page, grouping, level)
            rows.append([name, *counts, page.show_ratio_both(own),
                         page.show_ratio_both(pooled) if pooled.is_shown else ""])  # fmt: skip
    names = ("group", "exposed", "events", "own", "pooled")
    heads = [page.say(f"for_whom.head_{one}") for one in names]
    caption = page.say("for_whom.ratios_caption", measure=_name(page, measure))
    return page.table(caption, heads, rows)


def _days(page: Page, measure: str) -> Piece:
    """The risk differences of the days that are not tested."""
    days = [day for day in page.plan.days_within_horizon if day != choose_day(page)]  # fmt: skip
    if not days:
        return NOTHING
    rows = []
    for grouping in list_groupings(page):
        for level in list_levels(page, grouping, is_named=False):
            found = [find_gap(page, measure, grouping, level, time_days=day) for day in days]
            name = name_row(page, grouping, level)
            rows.append([name, *(show_gap(page, one) for one in found)])
    heads = [page.say("for_whom.head_group"), *(page.formats.period(day) for day in days)]
    caption = page.say("for_whom.days_caption", measure=_name(page, measure))
    return page.table(caption, heads, rows)
