"""Notebook 2, second half: who gets what, how soon, whether assessments reach the other agency."""

from __future__ import annotations

from revictimisation.core.codes import POLICE, SOCIAL_SERVICES
from revictimisation.report.described import (
    Curves,
    CurveSeries,
    Dots,
    DotSeries,
    Folded,
    Heading,
    Piece,
    Scale,
    join,
)
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.use import find_share, name_risk, share_ticks
from revictimisation.report.verdicts import name_measure

HIGH, LOW = "high", "low"
NEITHER = "neither"
# ticks closer than this part of the axis would cover each other on a phone
LEAST_APART = 0.19


def show_risk(page: Page) -> Piece:
    """The study's measures by assessed risk, as dots with intervals."""
    levels = _shown_levels(page, "risk_level")
    if not levels:
        return page.text("common.absent_risk")
    measures = page.plan.measure_names
    if not measures:
        return page.text("common.no_measures")
    names = [name_measure(page, measure) for measure in measures]
    cells = {
        level: [_share(page, measure, "risk_level", level) for measure in measures]
        for level in levels
    }
    series = [
        DotSeries(name_risk(page, level), [cell.point for cell in cells[level]]) for level in levels
    ]
    top = max(one.ci_high or one.estimate or 0 for row in cells.values() for one in row)
    scale = Scale(page.formats.way("percent_short"), share_ticks(top), page.say("use.codes_axis"))
    picture = Dots(names, series, scale)
    caption = page.say("use.risk_caption")
    alt = page.say(
        "use.risk_alt",
        first=names[0],
        high=page.show_share(cells.get(HIGH, [Number()])[0]),
        low=page.show_share(cells.get(LOW, [Number()])[0]),
    )
    table = _interval_table(page, "risk_level", levels)
    return page.figure(picture, alt, caption, table)


def _share(page: Page, measure: str, group: str, level: str) -> Number:
    return find_share(page, measure, subgroup=group, level=level)


def _shown_levels(page: Page, group: str) -> list[str]:
    levels = page.levels("q1", group)
    return [level for level in levels if page.release.count_level(group, level)]


def show_groups(page: Page) -> Piece:
    """A table per grouping: the share in which each measure was carried out."""
    parts = [_group(page, group) for group in page.plan.shown_groups if page.levels("q1", group)]
    return join(parts) if parts else page.text("use.groups_none")


def _group(page: Page, group: str) -> Piece:
    levels, measures = page.levels("q1", group), page.plan.measure_names
    rows = []
    for level in levels:
        found = [_share(page, measure, group, level) for measure in measures]
        count = page.release.count_level(group, level)
        shares = [page.show_share(one) for one in found]
        rows.append([page.labels.level(group, level), page.show_number(count), *shares])
    title = page.labels.group(group)
    heads = [title, page.say("use.groups_people"), *(name_measure(page, one) for one in measures)]
    caption = page.say("use.groups_caption", group=title.lower())
    table = page.table(caption, heads, rows)
    summary = page.say("use.groups_intervals", group=title.lower())
    folded = Folded(summary, _interval_table(page, group, levels))
    return join([Heading(title, 3), table, folded])


def _interval_table(page: Page, group: str, levels: list[str]) -> Piece:
    measures = page.plan.measure_names
    numbers = [[_share(page, measure, group, level) for measure in measures] for level in levels]
    rows = [
        [page.labels.level(group, level), *(page.show_share_both(one) for one in row)]
        for level, row in zip(levels, numbers, strict=True)
    ]
    title = page.labels.group(group)
    caption = page.say("use.groups_intervals_caption", group=title.lower())
    heads = [title, *(name_measure(page, measure) for measure in measures)]
    return page.table(caption, heads, rows)


def _start(page: Page, measure: str, day: int, **keys: str) -> Number:
    return page.release.find(
        question="q1",
        analysis="first_start",
        outcome="measure_start",
        estimator="aalen_johansen",
        estimand="cumulative_incidence",
        measure=measure,
        time_days=day,
        **keys,
    )


def show_first_start(page: Page) -> Piece:
    """Curves of the time to the first measure of any kind, by risk level where there is one."""
    days = [day for day in page.plan.curve_days if day <= _shown_until(page)]
    levels = [
        level
        for level in page.levels("q1", "risk_level")
        if _start(page, "any", days[-1], subgroup="risk_level", level=level).is_shown
    ]
    series = [
        _curve(page, name_risk(page, one), days, subgroup="risk_level", level=one) for one in levels
    ] or [_curve(page, "", days)]
    lead = _describe_first(page, days)
    if not any(len(one.days) for one in series):
        return lead
    caption = page.say("use.first_caption" if levels else "use.first_caption_all")
    ticks = [(float(day), page.formats.period(day)) for day in time_ticks(page, days[-1])]
    picture = Curves(series, [(0.0, "0"), *ticks], page.formats.way("percent_short"))
    ends = ", ".join(
        f"{page.formats.percent(one.estimate[-1], 0)} {one.name}".strip() for one in series
    )
    alt = page.say("use.first_alt", period=page.formats.period(days[-1]), ends=ends)
    table = _first_table(page, levels)
    return join([lead, page.figure(picture, alt, caption, table)])


def _shown_until(page: Page) -> int:
    """Measures come early: the curve ends at the second of the study's days."""
    days = page.plan.days_within_horizon
    return days[min(1, len(days) - 1)] if days else page.plan.horizon_days


def time_ticks(page: Page, until: int) -> list[int]:
    """The days named under a curve: those at which the study reports, but not too close."""
    days = page.plan.days_within_horizon
    last = max((day for day in (*days, page.plan.horizon_days) if day <= until), default=until)
    apart = last * LEAST_APART
    kept: list[int] = []
    for day in sorted({*(day for day in days if day <= last), last}, reverse=True):
        if not kept or kept[-1] - day >= apart:
            kept.append(day)
    return kept[::-1]


def _curve(page: Page, name: str, days: list[int], **keys: str) -> CurveSeries:
    found = [(day, _start(page, "any", day, **keys)) for day in days]
    return make_curve(name, found)


def make_curve(name: str, found: list[tuple[int, Number]]) -> CurveSeries:
    """A curve of the numbers that are shown; the band is drawn where all have an interval."""
    shown = [(day, one) for day, one in found if one.is_shown]
    has_band = all(one.has_interval or not one.estimate for _, one in shown)
    return CurveSeries(
        name,
        [day for day, _ in shown],
        [one.estimate or 0.0 for _, one in shown],
        [one.ci_low or 0.0 for _, one in shown] if has_band else (),
        [one.ci_high or one.estimate or 0.0 for _, one in shown] if has_band else (),
    )


def _table_days(page: Page, days: list[int]) -> list[int]:
    """The first day of the curve after day 0, and the days at which the study reports."""
    reported = {day for day in page.plan.report_at_days if day in days}
    return sorted({*days[1:2], *reported})


def _describe_first(page: Page, days: list[int]) -> Piece:
    early, late = days[1], page.last_day
    numbers = _start(page, "any", early), _start(page, "any", late)
    if not all(number.has_interval for number in numbers):
        return page.text("common.nothing_to_show", why=page.why_not(numbers[0]))
    return page.text(
        "use.first_number",
        early_period=page.formats.period(early),
        early=page.formats.of_hundred(numbers[0].estimate or 0),
        early_interval=page.show_share_interval(numbers[0]),
        late_period=page.formats.period(late),
        late=page.formats.of_hundred(numbers[1].estimate or 0),
        late_interval=page.show_share_interval(numbers[1]),
    )


def _first_table(page: Page, levels: list[str]) -> Piece:
    days = _table_days(page, list(page.plan.curve_days))
    keys = [
        (name_risk(page, level), {"subgroup": "risk_level", "level": level}) for level in levels
    ]
    rows = []
    for name, given in [(page.say("common.everyone"), {}), *keys]:
        found = [_start(page, "any", day, **given) for day in days]
        rows.append([name, *(page.show_share_both(one) for one in found)])
    heads = [page.say("common.group"), *(page.formats.period(day) for day in days)]
    return page.table(page.say("use.first_table"), heads, rows)


def show_first_by_measure(page: Page) -> Piece:
    """The share who have received each measure within the study's days."""
    days = _table_days(page, list(page.plan.curve_days))
    rows = []
    for name in page.plan.measure_names:
        found = [_start(page, name, day) for day in days]
        rows.append([name_measure(page, name), *(page.show_share_both(one) for one in found)])
    heads = [page.say("common.measure"), *(page.formats.period(day) for day in days)]
    return page.table(page.say("use.first_by_measure"), heads, rows)


def show_high_risk(page: Page) -> Piece:
    """Coverage of those assessed as high risk: what they got, and how many got nothing."""
    keys = {"subgroup": "risk_level", "level": HIGH}
    if HIGH not in page.levels("q1", "risk_level"):
        return page.text("common.absent_risk")
    neither = find_share(page, NEITHER, analysis="agencies", **keys)
    if neither.has_interval:
        lead = page.text(
            "use.high_text",
            n=page.formats.count(neither.n_people or 0),
            any=page.formats.of_hundred(1 - (neither.estimate or 0)),
            neither=page.formats.of_hundred(neither.estimate or 0),
            interval=page.show_share_interval(neither),
        )
    else:
        lead = page.text("use.high_hidden", why=page.why_not(neither))
    agencies = [(f"any_{one}", "by_agency") for one in (POLICE, SOCIAL_SERVICES)]
    names = [*agencies, *((one, "main") for one in page.plan.measure_names)]
    found = [find_share(page, name, analysis=analysis, **keys) for name, analysis in names]
    rows = [
        [name_measure(page, name),
         page.show_events(number), page.show_share(number), page.show_share_interval(number)]
        for (name, _), number in zip(names, found, strict=True)
    ]  # fmt: skip
    heads = [page.say(f"common.{one}") for one in ("measure", "people", "share", "interval")]
    return join([lead, page.table(page.say("use.high_caption"), heads, rows)])


def show_sharing(page: Page) -> Piece:
    """How often and how fast a risk assessment reached the other agency."""
    first, last = (
        page.plan.definitions.shared_within_days[0],
        page.plan.definitions.shared_within_days[-1],
    )
    ever = _ever(page)
    within = [_within(page, day) for day in (first, last)]
    if not (ever.has_interval and all(one.is_shown for one in within)):
        return page.text("use.sharing_hidden", why=page.why_not(ever))
    lead = page.text(
        "use.sharing_text",
        n=page.formats.count(ever.n_people or 0),
        ever=page.formats.of_hundred(ever.estimate or 0),
        interval=page.show_share_interval(ever),
        first_days=page.formats.days(first),
        first=page.formats.of_hundred(within[0].estimate or 0),
        last_days=page.formats.days(last),
        last=page.formats.of_hundred(within[1].estimate or 0),
    )
    return join([lead, _sharing_table(page)])


def _ever(page: Page, **keys: str) -> Number:
    return find_share(page, "", "shared", analysis="risk_assessment", **keys)


def _within(page: Page, day: int, **keys: str) -> Number:
    given = {"estimator": "kaplan_meier", "estimand": "cumulative_incidence", **keys}
    return page.release.find(
        question="q1", analysis="risk_assessment", outcome="shared", time_days=day, **given
    )


def _sharing_table(page: Page) -> Piece:
    frame = page.release.estimates
    mine = frame[frame["analysis"] == "risk_assessment"]
    kinds = [("", "", page.say("use.sharing_all"))]
    for group, key in (("agency", "use.sharing_agency"), ("risk_level", "use.sharing_risk")):
        levels = set(mine.loc[mine["subgroup"] == group, "level"])
        kinds += [
            (group, level, page.say(key, level=page.labels.level(group, level)))
            for level in page.labels.sort_levels(group, levels)
        ]
    rows = []
    for group, level, name in kinds:
        found = [_ever(page, subgroup=group, level=level)]
        found += [
            _within(page, d, subgroup=group, level=level)
            for d in page.plan.definitions.shared_within_days
        ]
        people = page.show_people(found[0])
        rows.append([name, people, *(page.show_share_both(one) for one in found)])
    within = [
        page.say("use.sharing_within", days=page.formats.days(day))
        for day in page.plan.definitions.shared_within_days
    ]
    heads = [page.say(f"use.sharing_{one}") for one in ("by", "n", "ever")]
    caption = page.say("use.sharing_caption")
    return page.table(caption, [*heads, *within], rows)
