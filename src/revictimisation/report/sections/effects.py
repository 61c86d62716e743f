"""Notebook 3: how many report again, over time and by assessed risk; and what may be said."""

from __future__ import annotations

from revictimisation.report.curves import NOBODY, list_ticks, make_curve
from revictimisation.report.described import (
    NOTHING,
    Curves,
    CurveSeries,
    Piece,
    Text,
    Written,
    join,
)
from revictimisation.report.measure_use import name_risk
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import describe_against
from revictimisation.report.sections.cohort import (
    describe_by_person,
    find_by_person,
    find_incidence,
)
from revictimisation.report.texts import load_references


def _curve(page: Page, name: str, **keys: str) -> CurveSeries:
    who = page.plan.outcome.who
    found = [
        (day, find_incidence(page, who, analysis="curve", time_days=day, **keys))
        for day in page.plan.curve_days
        if day
    ]
    return make_curve(name, [NOBODY, *found], f"risks.{keys.get('level', '')}")


def show_incidence(page: Page) -> Piece:
    """The share with a new report over time: curve, sentence, and numbers at the study's days."""
    curve = _curve(page, "")
    days = _reported_days(page)
    numbers = [find_incidence(page, page.plan.outcome.who, time_days=day) for day in days]
    if len(curve.days) < 2:
        why = page.why_not(numbers[-1] if numbers else Number())
        return page.text("common.nothing_to_show", why=why)
    picture = Curves([curve], list_ticks(page), page.formats.way("percent_short"))
    caption = page.say("effects.incidence_caption", against=describe_against(page))
    alt = page.say("effects.incidence_alt", ends=_describe_ends(page, days, numbers))
    table = _incidence_table(page, days, numbers)
    figure = page.figure(picture, alt, caption, table)
    return join([_describe_front(page, days, numbers), figure])


def _reported_days(page: Page) -> list[int]:
    return page.plan.days_within_horizon


def _describe_ends(page: Page, days: list[int], numbers: list[Number]) -> str:
    return " ".join(
        page.say(
            "effects.incidence_end",
            period=page.formats.period(day),
            share=page.show_share(one),
            interval=page.show_share_interval(one),
        )
        for day, one in zip(days, numbers, strict=True)
        if one.has_interval
    )


def _describe_front(page: Page, days: list[int], numbers: list[Number]) -> Piece:
    """The share at the first and at the last of the study's days."""
    if len(days) < 2 or not (numbers[0].has_interval and numbers[-1].has_interval):
        return NOTHING
    values: dict[str, object] = {}
    for place, day, number in zip(
        ("early", "late"), (days[0], days[-1]), (numbers[0], numbers[-1]), strict=True
    ):
        values[f"{place}_period"] = page.formats.period(day)
        values[place] = page.formats.of_hundred(number.estimate or 0)
        values[f"{place}_interval"] = page.show_share_interval(number)
    told = page.say("effects.incidence_text", **values)
    return Text(f"{told} {describe_by_person(page)}".strip())


def _incidence_table(page: Page, days: list[int], numbers: list[Number]) -> Piece:
    rows = []
    for day, number in zip(days, numbers, strict=True):
        naive = find_incidence(page, page.plan.outcome.who, time_days=day, estimator="kaplan_meier")
        rows.append(
            [page.formats.period(day), page.show_events(number), page.show_share(number),
             page.show_share_interval(number), page.show_share(naive)]
        )  # fmt: skip
    heads = [page.say("common.time"), page.say("effects.incidence_people"),
             page.say("common.share"), page.say("common.interval"),
             page.say("effects.incidence_km")]  # fmt: skip
    notes = [page.say("effects.incidence_km_note")]
    return page.table(page.say("effects.incidence_table"), heads, rows, notes)


def show_reference(page: Page) -> Piece:
    """The published figure that gave rise to the study, beside the study's own, by person.

    An invented county is set to it: then only that is said.
    """
    number, known = find_by_person(page), load_references()["new_report_four_years"]
    if page.release.is_synthetic:
        return page.text("effects.reference_invented")
    theirs = Number(known["estimate"], known["ci_low"], known["ci_high"], status="ok")
    rows: list[list[Written]] = [
        [page.say("effects.reference_row", n=page.formats.count(known["n_people"])),
         page.formats.period(int(known["time_days"])), page.formats.percent(known["estimate"], 0),
         page.formats.percent_range(known["ci_low"], known["ci_high"], 0)],
        [page.say("effects.reference_own", n=page.show_people(number)),
         page.formats.period(page.last_day), page.show_share(number),
         page.show_share_interval(number)],
    ]  # fmt: skip
    heads = ["", page.say("common.time"), page.say("common.share"), page.say("common.interval")]
    notes = [page.say("effects.reference_caution")]
    table = page.table(page.say("effects.reference_caption"), heads, rows, notes)
    if not number.has_interval:
        return table
    lead = page.text(
        "effects.reference_text",
        ref_share=page.formats.of_hundred(theirs.estimate or 0),
        ref_n=page.formats.count(known["n_people"]),
        ref_period=page.formats.period(int(known["time_days"])),
        ref_interval=page.formats.percent_range(known["ci_low"], known["ci_high"], 0),
        share=page.formats.of_hundred(number.estimate or 0),
        period=page.formats.period(page.last_day),
        interval=page.show_share_interval(number),
    )
    return join([lead, table])


def show_by_risk(page: Page) -> Piece:
    """The share with a new report over time, by assessed risk."""
    levels = page.levels("q2", "risk_level")
    curves = [
        (level, _curve(page, name_risk(page, level), subgroup="risk_level", level=level))
        for level in levels
    ]
    drawn = [curve for _, curve in curves if len(curve.days) > 1]
    if not drawn:
        return page.text("common.absent_risk")
    picture = Curves(drawn, list_ticks(page), page.formats.way("percent_short"))
    given = {"against": describe_against(page), "risk_day": page.plan.definitions.risk_level_by_day}
    caption = page.say("effects.risk_caption", **given)
    days = _reported_days(page)
    rows, ends = [], []
    for level in levels:
        keys = {"subgroup": "risk_level", "level": level}
        found = [find_incidence(page, page.plan.outcome.who, time_days=d, **keys) for d in days]
        cells = [page.show_share_both(one) for one in found]
        rows.append([name_risk(page, level), *cells])
        ends.append(f"{name_risk(page, level)}: {_describe_ends(page, days[-1:], found[-1:])}")
    heads = [page.labels.group("risk_level"), *(page.formats.period(day) for day in days)]
    table = page.table(page.say("effects.incidence_table"), heads, rows)
    alt = page.say("effects.risk_alt", ends=" ".join(ends))
    figure = page.figure(picture, alt, caption, table)
    return join([figure, page.text("effects.risk_text")])
