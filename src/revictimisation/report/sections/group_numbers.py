"""For referees: each group's own number beside the pooled one, and every test of the family.

The tables are long: the first rows are shown, all are there to take along. `referees.show_groups`
is the place that they stand in.
"""

from __future__ import annotations

from collections.abc import Mapping

from revictimisation.report.described import NOTHING, Piece, Text, join
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import (
    CONTRAST,
    choose_day,
    count_tests,
    describe_missing,
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
    read_detectable,
    widen_for_family,
)
from revictimisation.report.natural_frequencies import count_people, show_gap
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import finish
from revictimisation.report.trials import add_events, list_first
from revictimisation.report.verdicts import name_measure

LEAST_P = 0.001


def show_own_and_pooled(page: Page) -> Piece:
    """A row per measure and group: both numbers on both scales, and what would have been seen."""
    groupings = list_groupings(page)
    if not (groupings and page.plan.measure_names):
        return NOTHING
    known = read_detectable(page)
    rows = [
        [f"{start_upper(name_measure(page, measure))}: {name_row(page, grouping, level)}",
         *_show_numbers(page, measure, grouping, level, known)]
        for measure in _order_measures(page) for grouping in groupings
        for level in list_levels(page, grouping, is_named=False)
    ]  # fmt: skip
    names = ("group", "own", "pooled", "people", "seen", "own_ratio", "pooled_ratio", "why")
    heads = [page.say("referees.group_follow_ups" if one == "people" else f"for_whom.head_{one}")
             for one in names]  # fmt: skip
    caption = page.say("for_whom.own_caption", period=page.formats.period(choose_day(page)))
    notes = [page.say("for_whom.pooled_note"), page.say("for_whom.seen_note")]
    return page.table(caption, heads, rows, notes, kind="why")


def _order_measures(page: Page) -> list[str]:
    """Measures whose groups differ most surely first: the rows that are shown are theirs."""
    return list(dict.fromkeys(one.measure for one in list_differences(page)))


def _show_numbers(
    page: Page, measure: str, grouping: str, level: str,
    known: Mapping[tuple[str, str, str], float],
) -> list[object]:  # fmt: skip
    own, pooled = (find(page, measure, grouping, level) for find in (find_gap, find_pooled))
    ratio = find_ratio(page, measure, grouping, level)
    drawn = find_pooled(page, measure, grouping, level, is_ratio=True)
    seen = known.get((measure, grouping, level)) if own.is_shown else None
    return [
        show_gap(page, own),
        show_gap(page, pooled) if pooled.is_shown else DASH,
        page.show_number(own.n_people),
        DASH if seen is None else count_people(page, seen),
        add_events(page, measure, ratio, page.show_ratio_both(ratio)),
        page.show_ratio_both(drawn) if drawn.is_shown else DASH,
        "" if own.is_shown else finish(describe_missing(page, own, "short")),
    ]


def show_tests(page: Page) -> Piece:
    """The declared family and every test of it, the least adjusted p-value first."""
    found = list_differences(page)
    if not found:
        return NOTHING
    n = count_tests(page)
    text = Text(page.say("for_whom.referees_text", period=page.formats.period(choose_day(page)),
                         n_all=2 * len(found), n=n,
                         times=page.formats.decimal(widen_for_family(n), 2)))  # fmt: skip
    first = list_first(page)
    n_pairs = sum(one.is_tested and one.measure in first for one in found)
    related = page.text("referees.tests_relate", n=n, n_pairs=n_pairs,
                        page=page.link("04_for_whom", page.say("for_whom.title")))  # fmt: skip
    rows = [
        [f"{start_upper(name_measure(page, one.measure))}: {page.labels.group(one.grouping)}",
         *(show_p(page, test) for test in (one.risk, one.risk_holm, one.hazard, one.hazard_holm))]
        for one in sorted(found, key=lambda one: (one.adjusted, one.unadjusted))
    ]  # fmt: skip
    names = ("test", "risk_p", "risk_holm", "hazard_p", "hazard_holm")
    heads = [page.say(f"for_whom.head_{one}") for one in names]
    notes = [page.say("for_whom.tests_dash")]
    table = page.table(page.say("for_whom.tests_caption"), heads, rows, notes)
    return join([text, related, table])


def show_p(page: Page, number: Number) -> str:
    """A cell with a p-value, a dash where there is none."""
    return write_p(page, number.estimate or 0.0) if number.is_shown else DASH


def write_p(page: Page, value: float) -> str:
    """A p-value to three decimals; below the least of these only that."""
    return page.say("for_whom.p_under") if value < LEAST_P else page.formats.decimal(value, 3)


def show_contrasts(page: Page) -> Piece:
    """A row per measure and two groups: their difference on both scales."""
    rows = []
    for measure in _order_measures(page):
        for grouping in list_groupings(page):
            for pair in list_pairs(page, grouping):
                found = [find(page, measure, grouping, join_pair(pair), CONTRAST)
                         for find in (find_gap, find_ratio)]  # fmt: skip
                one, other = (name_level(page, grouping, part) for part in pair)
                told = page.say("for_whom.contrast_pair", one=one, other=other)
                rows.append([f"{start_upper(name_measure(page, measure))}: {told}",
                             show_gap(page, found[0]), page.show_ratio_both(found[1])])  # fmt: skip
    if not rows:
        return NOTHING
    heads = [page.say(f"for_whom.head_{one}") for one in ("contrast", "gap_gap", "ratio_ratio")]
    return page.table(page.say("for_whom.contrasts_caption"), heads, rows)
