"""Notebook 4: groups below each other in a picture, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence

from revictimisation.core.results import WITHHELD
from revictimisation.report import charts
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import (
    choose_day,
    describe_missing,
    find_gap,
    find_pooled,
    find_ratio,
    judge_group,
    list_levels,
    name_level,
    name_row,
    read_detectable,
)
from revictimisation.report.group_forest import GroupRow, draw_groups
from revictimisation.report.markup import Html, join, render_figure, render_table
from revictimisation.report.natural_frequencies import count_people, describe_people, show_gap
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import describe_within, finish, make_points, make_scale
from revictimisation.report.verdicts import FEWER, MORE, OPEN, describe_about, name_answer

RATIO_TICKS = {0.25: "¼", 0.5: "½", 1.0: "1", 2.0: "2×", 4.0: "4×"}


def show_picture(page: Page, measure: str, groupings: Sequence[str]) -> Html:
    """Groups with their own numbers and the pooled ones, those without with why; and a table."""
    rows = [row for grouping in groupings for row in _list_rows(page, measure, grouping)]
    if len(groupings) == 1:
        rows = rows[1:]
    table = _table(page, measure, groupings)
    if not any(row.own for row in rows):
        return join([page.text("for_whom.nothing_drawn"), table])
    numbers = [find(page, measure, grouping, level) for grouping in groupings
               for level in list_levels(page, grouping)
               for find in (find_gap, find_pooled)]  # fmt: skip
    names = page.say("for_whom.own"), page.say("for_whom.pooled")
    wide, narrow = draw_groups(rows, make_scale(page, numbers), names)
    told = " ".join(finish(f"{one.name}: {one.told}") for one in rows if not one.is_heading)
    caption = page.say(
        "for_whom.picture_caption",
        measure=start_upper(name_answer(page, measure)),
        period=page.formats.period(choose_day(page)),
        within=describe_within(page, measure),
    )
    alt = page.say("for_whom.picture_alt", rows=told)
    return render_figure(wide, narrow, alt, caption, page.say("common.numbers_behind"), table)


def _list_rows(page: Page, measure: str, grouping: str) -> list[GroupRow]:
    rows = [GroupRow(page.labels.group(grouping), is_heading=True)]
    for level in list_levels(page, grouping):
        own, pooled = (find(page, measure, grouping, level) for find in (find_gap, find_pooled))
        verdict = judge_group(own, pooled, 0.0)
        name = start_upper(name_level(page, grouping, level))
        points, told = make_points([own, pooled]), _describe_row(page, own, verdict)
        rows.append(GroupRow(name, points[0], points[1], told, is_clear=verdict in (FEWER, MORE)))
    return rows


def _describe_row(page: Page, own: Number, verdict: str) -> str:
    if not own.is_shown:
        return page.say("answers.none_why", why=describe_missing(page, own, "short"))
    if verdict == OPEN:
        return page.say("answers.open")
    return describe_people(page, own.estimate or 0.0)


def show_ratio_picture(page: Page, measure: str, grouping: str) -> Html:
    """How common new reports were in each group while a measure was in force, and a table.

    Nothing where no group has a ratio.
    """
    levels = list_levels(page, grouping)
    own = [find_ratio(page, measure, grouping, level) for level in levels]
    pooled = [find_pooled(page, measure, grouping, level, is_ratio=True) for level in levels]
    if not any(one.has_interval for one in own):
        return Html("")
    names = [start_upper(name_level(page, grouping, level)) for level in levels]
    verdicts = [judge_group(one, other, 1.0) for one, other in zip(own, pooled, strict=True)]
    told = [_describe_ratio(page, one, verdict) for one, verdict in zip(own, verdicts, strict=True)]
    points, drawn = make_points(own), make_points(pooled)
    rows = [
        GroupRow(name, points[place], drawn[place], told[place],
                 is_clear=verdicts[place] in (FEWER, MORE))
        for place, name in enumerate(names)
    ]  # fmt: skip
    scale = charts.Scale(
        lambda tick: page.say("trials.tick_same") if tick == 1 else RATIO_TICKS[tick],
        list(RATIO_TICKS), page.say("for_whom.ratio_axis"), is_log=True, reference=1.0,
        sides=(page.say("for_whom.side_less"), page.say("for_whom.side_more")),
    )  # fmt: skip
    wide, narrow = draw_groups(rows, scale, (page.say("for_whom.own"), page.say("for_whom.pooled")))
    caption = page.say("for_whom.ratio_caption", measure=start_upper(name_answer(page, measure)))
    read = " ".join(finish(f"{name}: {one}") for name, one in zip(names, told, strict=True))
    alt = page.say("for_whom.ratio_alt", rows=read)
    cells = [
        [name, page.show_ratio_both(one), _show_pooled(page, other), _count(page, one.n_people),
         _count(page, one.n_events)]
        for name, one, other in zip(names, own, pooled, strict=True)
    ]  # fmt: skip
    heads = [page.say(f"for_whom.head_{one}")
             for one in ("group", "own", "pooled", "exposed", "events")]  # fmt: skip
    table = render_table(caption, heads, cells, page.notes(own))
    return render_figure(wide, narrow, alt, caption, page.say("common.numbers_behind"), table)


def _show_pooled(page: Page, number: Number) -> Html | str:
    return page.show_ratio_both(number) if number.is_shown else DASH


def _describe_ratio(page: Page, ratio: Number, verdict: str) -> str:
    """Beside the picture: how far from as common, in per cent."""
    if not ratio.has_interval:
        return page.say("answers.none_why", why=describe_missing(page, ratio, "short"))
    if verdict == OPEN:
        return page.say("answers.open")
    return page.say(f"for_whom.short_{verdict}", about=describe_about(page, ratio))


def _table(page: Page, measure: str, groupings: Sequence[str]) -> Html:
    """The numbers behind a picture, those not stated too, and what would have been seen."""
    known, rows, numbers, reasons = read_detectable(page), [], [], []
    for grouping in groupings:
        for level in list_levels(page, grouping, is_named=False):
            own, pooled = (find(page, measure, grouping, level) for find in (find_gap, find_pooled))
            seen = known.get((measure, grouping, level))
            is_told = own.is_shown or own.status == WITHHELD
            numbers.append(own)
            name = name_row(page, grouping, level)
            reasons.append("" if own.is_shown else finish(describe_missing(page, own, "short")))
            detectable = count_people(page, seen) if seen is not None and is_told else DASH
            pooled_cell = show_gap(page, pooled) if pooled.is_shown else DASH
            rows.append([name, show_gap(page, own), pooled_cell, _count(page, own.n_people),
                         detectable])  # fmt: skip
    names = ("group", "own", "pooled", "people", "seen")
    heads = [page.say(f"for_whom.head_{one}") for one in names]
    has_why = any(reasons)
    if has_why:
        heads.append(page.say("for_whom.head_why"))
        rows = [[*row, why] for row, why in zip(rows, reasons, strict=True)]
    caption = page.say("for_whom.picture_table", period=page.formats.period(choose_day(page)),
                       measure=start_upper(name_answer(page, measure)))  # fmt: skip
    notes = [*page.notes(numbers), page.say("for_whom.pooled_note"), page.say("for_whom.seen_note")]
    return render_table(caption, heads, rows, notes, kind="why" if has_why else "")


def _count(page: Page, number: int | None) -> str:
    return DASH if number is None else page.formats.count(number)
