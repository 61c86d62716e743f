"""Notebook 4: groups below each other in a picture, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence

from revictimisation.core.results import WITHHELD
from revictimisation.report.described import (
    NOTHING,
    Cell,
    GroupForest,
    GroupRow,
    Piece,
    Scale,
    join,
)
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
from revictimisation.report.natural_frequencies import count_people, describe_people, show_gap
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import describe_within, finish, make_scale
from revictimisation.report.verdicts import FEWER, MORE, OPEN, describe_about, name_answer

RATIO_TICKS = {0.25: "¼", 0.5: "½", 1.0: "1", 2.0: "2×", 4.0: "4×"}


def show_picture(page: Page, measure: str, groupings: Sequence[str]) -> Piece:
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
    picture = GroupForest(rows, make_scale(page, numbers), names)
    told = " ".join(finish(f"{one.name}: {one.told}") for one in rows if not one.is_heading)
    caption = page.say(
        "for_whom.picture_caption",
        measure=start_upper(name_answer(page, measure)),
        period=page.formats.period(choose_day(page)),
        within=describe_within(page, measure),
    )
    alt = page.say("for_whom.picture_alt", rows=told)
    return page.figure(picture, alt, caption, table)


def _list_rows(page: Page, measure: str, grouping: str) -> list[GroupRow]:
    rows = [GroupRow(page.labels.group(grouping), is_heading=True)]
    for level in list_levels(page, grouping):
        own, pooled = (find(page, measure, grouping, level) for find in (find_gap, find_pooled))
        verdict = judge_group(own, pooled, 0.0)
        name = start_upper(name_level(page, grouping, level))
        told, is_clear = _describe_row(page, own, verdict), verdict in (FEWER, MORE)
        rows.append(GroupRow(name, own.point, pooled.point, told, is_clear=is_clear))
    return rows


def _describe_row(page: Page, own: Number, verdict: str) -> str:
    if not own.is_shown:
        return page.say("answers.none_why", why=describe_missing(page, own, "short"))
    if verdict == OPEN:
        return page.say("answers.open")
    return describe_people(page, own.estimate or 0.0)


def show_ratio_picture(page: Page, measure: str, grouping: str) -> Piece:
    """How common new reports were in each group while a measure was in force, and a table.

    Nothing where no group has a ratio.
    """
    levels = list_levels(page, grouping)
    own = [find_ratio(page, measure, grouping, level) for level in levels]
    pooled = [find_pooled(page, measure, grouping, level, is_ratio=True) for level in levels]
    if not any(one.has_interval for one in own):
        return NOTHING
    names = [start_upper(name_level(page, grouping, level)) for level in levels]
    verdicts = [judge_group(one, other, 1.0) for one, other in zip(own, pooled, strict=True)]
    told = [_describe_ratio(page, one, verdict) for one, verdict in zip(own, verdicts, strict=True)]
    rows = [
        GroupRow(name, one.point, other.point, words, is_clear=verdict in (FEWER, MORE))
        for name, one, other, words, verdict in zip(names, own, pooled, told, verdicts, strict=True)
    ]
    told_ticks = {**RATIO_TICKS, 1.0: page.say("trials.tick_same")}
    write, axis = (
        page.formats.way("count", words=told_ticks.items()),
        page.say("for_whom.ratio_axis"),
    )
    sides = page.say("for_whom.side_less"), page.say("for_whom.side_more")
    scale = Scale(write, list(RATIO_TICKS), axis, is_log=True, reference=1.0, sides=sides)
    picture = GroupForest(rows, scale, (page.say("for_whom.own"), page.say("for_whom.pooled")))
    caption = page.say("for_whom.ratio_caption", measure=start_upper(name_answer(page, measure)))
    read = " ".join(finish(f"{name}: {one}") for name, one in zip(names, told, strict=True))
    alt = page.say("for_whom.ratio_alt", rows=read)
    cells = [
        [name, page.show_ratio_both(one), _show_pooled(page, other), page.show_number(one.n_people),
         page.show_number(one.n_events)]
        for name, one, other in zip(names, own, pooled, strict=True)
    ]  # fmt: skip
    heads = [page.say(f"for_whom.head_{one}")
             for one in ("group", "own", "pooled", "exposed", "events")]  # fmt: skip
    table = page.table(caption, heads, cells)
    return page.figure(picture, alt, caption, table)


def _show_pooled(page: Page, number: Number) -> Cell | str:
    return page.show_ratio_both(number) if number.is_shown else DASH


def _describe_ratio(page: Page, ratio: Number, verdict: str) -> str:
    """Beside the picture: how far from as common, in per cent."""
    if not ratio.has_interval:
        return page.say("answers.none_why", why=describe_missing(page, ratio, "short"))
    if verdict == OPEN:
        return page.say("answers.open")
    return page.say(f"for_whom.short_{verdict}", about=describe_about(page, ratio))


def _table(page: Page, measure: str, groupings: Sequence[str]) -> Piece:
    """The numbers behind a picture, those not stated too, and what would have been seen."""
    known, rows, reasons = read_detectable(page), [], []
    for grouping in groupings:
        for level in list_levels(page, grouping, is_named=False):
            own, pooled = (find(page, measure, grouping, level) for find in (find_gap, find_pooled))
            seen = known.get((measure, grouping, level))
            is_told = own.is_shown or own.status == WITHHELD
            name = name_row(page, grouping, level)
            reasons.append("" if own.is_shown else finish(describe_missing(page, own, "short")))
            detectable = count_people(page, seen) if seen is not None and is_told else DASH
            pooled_cell = show_gap(page, pooled) if pooled.is_shown else DASH
            rows.append([name, show_gap(page, own), pooled_cell, page.show_number(own.n_people),
                         detectable])  # fmt: skip
    names = ("group", "own", "pooled", "people", "seen")
    heads = [page.say(f"for_whom.head_{one}") for one in names]
    has_why = any(reasons)
    if has_why:
        heads.append(page.say("for_whom.head_why"))
        rows = [[*row, why] for row, why in zip(rows, reasons, strict=True)]
    caption = page.say("for_whom.picture_table", period=page.formats.period(choose_day(page)),
                       measure=start_upper(name_answer(page, measure)))  # fmt: skip
    notes = [page.say("for_whom.pooled_note"), page.say("for_whom.seen_note")]
    return page.table(caption, heads, rows, notes, kind="why" if has_why else "")
