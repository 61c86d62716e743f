"""Does it fall: the share reporting again by quarter and year of the index report.

All of released numbers. What chance gives is the mean of the shown quarters, weighing as many as
their people, with three errors on either side of it, of each quarter's own size but at the mean
(Shewhart's limits; as a funnel: Spiegelhalter 2005, Stat Med 24:1185), and half a step of rounding.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from revictimisation.core.packing import QUARTER, YEAR, pack_within
from revictimisation.estimators.level_contrasts import adjust_holm
from revictimisation.report.charts import list_shares
from revictimisation.report.described import (
    NOTHING,
    Cell,
    Course,
    CourseSeries,
    Dots,
    DotSeries,
    Heading,
    Piece,
    Scale,
    Text,
    join,
)
from revictimisation.report.formats import start_upper
from revictimisation.report.page import SHARE, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import list_names
from revictimisation.report.verdicts import FEWER, HIDDEN, MORE, judge

ESTIMATORS = {
    "main": ("standardised_logistic", "firth_logistic"),
    "unadjusted": ("aalen_johansen",),
}
LIMITS = 3.0  # errors on either side of the mean
SURE = 0.05
MOST_YEARS = 6  # that a sentence names, or columns: with more another table tells them
TOO_SHORT = "follow_up_too_short"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HONOUR, DISTRICT, OTHER = "is_honour", "police_district", "other"


def find_course(page: Page, estimand: str, day: int, analysis: str = "main", **keys: str) -> Number:
    """A number of the course, whichever estimator it took."""
    found = [
        page.release.find(
            question="course", analysis=analysis, outcome=page.plan.outcome.who,
            estimator=estimator, estimand=estimand, time_days=day, **keys,
        )
        for estimator in ESTIMATORS[analysis]
    ]  # fmt: skip
    return next((number for number in found if number.reason != "not_computed"), found[0])


def find_change(page: Page, day: int, subgroup: str = "", level: str = "") -> Number:
    """The change of the share a year, for the same case mix."""
    return find_course(page, "yearly_change", day, subgroup=subgroup, level=level)


def judge_change(number: Number) -> str:
    """`fewer`, `more`, `open`, or `hidden` where there is no number."""
    return judge(number, same=0.0)


def list_days(page: Page) -> list[int]:
    """The days that the course is told at."""
    return [day for day in page.plan.course.at_days if day <= page.plan.horizon_days]


def _last_day(page: Page) -> int:
    return max(list_days(page), default=page.plan.horizon_days)


def _tell_change(page: Page, number: Number) -> dict[str, str]:
    low, high = 100 * (number.ci_low or 0.0), 100 * (number.ci_high or 0.0)
    return {
        "change": page.formats.points(number.estimate or 0.0),
        "span": page.formats.range(low, high, 1),
    }


def describe_course(page: Page) -> str:
    """Whether it falls, in one short line: for the first page."""
    change = find_change(page, _last_day(page))
    answer = judge_change(change)
    if answer == HIDDEN:
        return page.say("course.short_hidden", why=page.why_not(change))
    told = [page.say(f"course.short_{answer}", **_tell_change(page, change))]
    told += [page.say(f"course.short_earlier_{judged}", period=page.formats.period(day))
             for day, judged, _ in _list_earlier(page, answer)]  # fmt: skip
    return " ".join(told)


def show_lead(page: Page) -> Piece:
    """The answer, what it rests on, and that kinds of cases are alike in all years."""
    day = _last_day(page)
    change = find_change(page, day)
    answer = judge_change(change)
    if answer == HIDDEN:
        return page.text("course.lead_hidden", why=page.why_not(change))
    told = [page.say(f"course.lead_{answer}", **_tell_change(page, change))]
    shown = [
        (year, share)
        for year in page.levels("course", YEAR)
        if (share := find_course(page, "share", day, subgroup=YEAR, level=year)).is_shown
    ]
    if 1 < len(shown) <= MOST_YEARS:
        shares = [page.say("course.lead_year", year=year,
                           share=page.formats.percent(share.estimate or 0.0))
                  for year, share in shown]  # fmt: skip
        told.append(page.say("course.lead_share", period=page.formats.period(day),
                             shares=list_names(page, shares)))  # fmt: skip
    told += [page.say(f"course.earlier_{judged}", period=page.formats.period(one),
                      **_tell_change(page, other))
             for one, judged, other in _list_earlier(page, answer)]  # fmt: skip
    return join([Text(" ".join(told)), page.text("course.lead_mix")])


def _list_earlier(page: Page, answer: str) -> list[tuple[int, str, Number]]:
    """What earlier days say that the last one does not: their change is clear, and another."""
    found = ((day, find_change(page, day)) for day in list_days(page)[:-1])
    judged = [(day, judge_change(change), change) for day, change in found]
    return [one for one in judged if one[1] in (FEWER, MORE) and one[1] != answer]


def show_quarters(page: Page) -> Piece:
    """Quarter by quarter, what chance gives, and what changed meanwhile."""
    days = list_days(page)
    quarters = page.levels("course", QUARTER)
    found = {
        day: [find_course(page, "share", day, subgroup=QUARTER, level=one) for one in quarters]
        for day in days
    }
    if not any(number.is_shown for numbers in found.values() for number in numbers):
        return page.text("course.quarters_hidden")
    series = [_list_points(page, day, found[day]) for day in days]
    day = days[-1]
    outside = [
        _name_quarter(page, name)
        for name, point, limits in zip(quarters, series[-1].points, series[-1].limits, strict=True)
        if point and limits and not limits[0] <= point[0] <= limits[1]
    ]
    shown = [point[0] for point in series[-1].points if point]
    told = {"n": len(shown), "k": len(outside), "names": "; ".join(outside)}
    title = page.say("course.quarters_some" if outside else "course.quarters_none", **told)
    write = page.formats.way("percent_short")
    marks = _list_changes(page, quarters)
    years = [(float(place), one[:4]) for place, one in enumerate(quarters) if one.endswith("Q1")]
    picture = Course(
        series, years, [(place, letter) for place, letter, _ in marks], write,
        page.say("course.quarters_axis"), _find_short(page, found[day]),
    )  # fmt: skip
    alt = page.say(
        "course.quarters_alt", title=title, period=page.formats.period(day),
        low=page.formats.percent(min(shown, default=0.0)),
        high=page.formats.percent(max(shown, default=0.0)),
    )  # fmt: skip
    heads = [page.say("course.head_quarter"), page.say("course.head_followed"),
             *_head_days(page, days)]  # fmt: skip
    rows = [
        [_name_quarter(page, name), page.show_people(found[day][place]),
         *(page.show_share_both(found[one][place]) for one in days)]
        for place, name in enumerate(quarters)
    ]  # fmt: skip
    figure = page.figure(picture, alt, title, page.table(title, heads, rows))
    return join([figure, page.text("course.quarters_text"), _show_changes(page, marks)])


def _head_days(page: Page, days: Sequence[int]) -> list[str]:
    return [page.say("course.head_within", period=page.formats.period(day)) for day in days]


def _list_points(page: Page, day: int, numbers: Sequence[Number]) -> CourseSeries:
    """The shares by a day, and the limits of chance around their mean."""
    weight = sum(one.n_people or 0 for one in numbers if one.is_shown)
    total = sum((one.estimate or 0.0) * (one.n_people or 0) for one in numbers if one.is_shown)
    mean = total / weight if weight else 0.0
    limits = [_find_limits(page, one, mean) for one in numbers]
    name = page.say("course.within", period=page.formats.period(day))
    return CourseSeries(name, [one.point for one in numbers], limits)


def _find_limits(page: Page, number: Number, mean: float) -> tuple[float, float] | None:
    share = number.estimate or 0.0
    if not (number.is_shown and number.se and number.n_people and 0 < share < 1):
        return None
    at_mean = number.se * (mean * (1 - mean) / (share * (1 - share))) ** 0.5
    reach = LIMITS * at_mean + page.plan.disclosure.rounding / number.n_people / 2
    return max(mean - reach, 0.0), min(mean + reach, 1.0)


def _name_quarter(page: Page, level: str) -> str:
    year, _, quarter = level.partition("-Q")
    return page.say("course.quarter", year=year, quarter=quarter)


def _find_short(page: Page, numbers: Sequence[Number]) -> tuple[float, str] | None:
    """From which quarter on follow-up is too short."""
    places = [place for place, one in enumerate(numbers) if one.reason == TOO_SHORT]
    return (float(places[0]), page.say("course.too_short")) if places else None


def _list_changes(page: Page, quarters: Sequence[str]) -> list[tuple[float, str, str]]:
    """What changed in these quarters: where, by which letter, and in words with the day.

    Where only the year is known it stands at its beginning, and no day is told.
    """
    rows = page.dictionary.codes("changes").sort_values("changed_on").to_dict("records")
    found: list[tuple[float, str, str]] = []
    for row in rows:
        told = row["changed_on"]
        day = dt.date.fromisoformat(f"{told}-01-01" if len(told) == len("2013") else told)
        quarter = (day.month - 1) // 3
        name = f"{day.year}-Q{quarter + 1}"
        if name in quarters:
            into = ((day.month - 1) % 3 + (day.day - 1) / 31) / 3
            place = quarters.index(name) + into
            on = page.formats.date(day) if told == day.isoformat() else told
            found.append((place, LETTERS[len(found)], f"{on}: {row[f'label_{page.language}']}"))
    return found


def _show_changes(page: Page, marks: Sequence[tuple[float, str, str]]) -> Piece:
    if not marks:
        return NOTHING
    told = "\n".join(f"- **{letter}** {words}" for _, letter, words in marks)
    return join([Heading(page.say("course.changes"), 3), Text(told)])


def show_years(page: Page) -> Piece:
    """Year by year, and the change a year."""
    days, last = list_days(page), _last_day(page)
    rows: list[list[Cell]] = []
    for year in page.levels("course", YEAR):
        found = [find_course(page, "share", day, subgroup=YEAR, level=year) for day in days]
        crude = find_course(page, "share", last, "unadjusted", subgroup=YEAR, level=year)
        named = _name_with_people(page, year, crude)
        rows.append([named, *map(page.show_share_both, [*found, crude])])
    changes = [find_change(page, day) for day in days]
    changes.append(find_course(page, "yearly_change", last, "unadjusted"))
    named = Cell(page.say("course.row_change"))
    rows.append([named, *(_show_change(page, one) for one in changes)])
    heads = [page.say("course.head_year"), *_head_days(page, days),
             page.say("course.head_as_is", period=page.formats.period(last))]  # fmt: skip
    return page.table(page.say("course.years_caption"), heads, rows, kind="small")


def _name_with_people(page: Page, name: str, number: Number) -> Cell:
    return Cell(name, below=(page.say("course.of_people", n=page.show_people(number)),))


def _show_change(page: Page, number: Number) -> Cell:
    cell = page.show(number, page.formats.points, SHARE)
    return page.show_both(
        number, cell, lambda low, high: page.formats.range(100 * low, 100 * high, 1)
    )


def show_honour(page: Page) -> Piece:
    """Honour-related cases beside the others, year by year."""
    group, day = pack_within(HONOUR, YEAR), _last_day(page)
    if HONOUR not in page.plan.course.groups:
        return NOTHING
    years = page.levels("course", YEAR)
    names = {"true": "course.name_honour", "false": "course.name_others"}
    found = {
        level: [
            find_course(page, "share", day, subgroup=group, level=pack_within(level, year))
            for year in years
        ]
        for level in names
    }
    if not any(one.is_shown for numbers in found.values() for one in numbers):
        return NOTHING
    honour, others = (
        page.say(f"course.answer_{judge_change(find_change(page, day, HONOUR, level))}")
        for level in names
    )
    key = "course.honour_same" if honour == others else "course.honour_title"
    title = page.say(key, honour=honour, others=others)
    series = [
        DotSeries(page.say(names[level]), [one.point for one in numbers])
        for level, numbers in found.items()
    ]
    top = max((one.ci_high or one.estimate or 0.0) for row in found.values() for one in row)
    period = page.formats.period(day)
    axis = page.say("course.honour_axis", period=period)
    scale = Scale(page.formats.way("percent_short"), list_shares(top), axis)
    heads = [page.say("course.head_year"), *(start_upper(one.name) for one in series)]
    rows: list[list[object]] = [
        [year, *(page.show_share_both(found[level][place]) for level in names)]
        for place, year in enumerate(years)
    ]
    changes = [_show_change(page, find_change(page, day, HONOUR, level)) for level in names]
    rows.append([page.say("course.row_change"), *changes])
    alt = page.say("course.honour_alt", period=period, title=title)
    notes = [page.say("course.honour_note", rounding=page.plan.disclosure.rounding)]
    table = page.table(title, heads, rows, notes)
    figure = page.figure(Dots(years, series, scale), alt, title, table)
    return join([page.heading("course.honour"), figure])


def show_districts(page: Page) -> Piece:
    """The shares of each police district by year, and its change, all tested together (Holm)."""
    if DISTRICT not in page.plan.course.groups:
        return NOTHING
    day = _last_day(page)
    levels = page.levels("course", DISTRICT)
    found = {level: find_change(page, day, DISTRICT, level) for level in levels}
    if not found:
        return NOTHING
    tests = {
        level: find_course(page, "p_value", day, subgroup=DISTRICT, level=level)
        for level, number in found.items()
        if number.is_shown
    }
    tried = [level for level, test in tests.items() if test.is_shown]
    adjusted = adjust_holm(np.array([tests[level].estimate for level in tried], np.float64))
    clear = [level for level, p in zip(tried, adjusted, strict=True) if p < SURE]
    names = ", ".join(page.labels.level(DISTRICT, level) for level in clear)
    kind = "hidden" if not tried else "some" if clear else "none"
    n = len(tried) - (OTHER in tried)
    districts = page.say("course.districts_rest" if OTHER in tried else "course.districts_n", n=n)
    title = page.say(f"course.districts_{kind}", districts=districts, k=len(clear), names=names)
    years = page.levels("course", YEAR)
    years = years if len(years) <= MOST_YEARS else [years[0], years[-1]]
    group = pack_within(DISTRICT, YEAR)
    rows = [
        [_name_with_people(page, start_upper(page.labels.level(DISTRICT, level)), number),
         *(page.show_share_both(find_course(page, "share", day, subgroup=group,
                                            level=pack_within(level, year)))
           for year in years),
         _show_change(page, number)]
        for level, number in found.items()
    ]  # fmt: skip
    heads = [page.say("course.head_district"), *years, page.say("course.row_change")]
    notes = [page.say("course.districts_note", period=page.formats.period(day))] if years else []
    return join([page.heading("course.districts"),
                 page.table(title, heads, rows, notes, kind="small")])  # fmt: skip
