"""Page 07: the same difference by every estimator, whether they agree, and what misleads."""

from __future__ import annotations

from typing import Any

from revictimisation.report.described import NOTHING, Dots, Folded, Piece, join
from revictimisation.report.natural_frequencies import count_people, show_gap, show_hundred
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import list_names, make_scale, make_series
from revictimisation.report.sections.how_we_know import find_crude
from revictimisation.report.trials import (
    WAYS,
    WEIGHTING,
    add_events,
    find_effect,
    has_numbers,
    has_rows,
    list_first,
)
from revictimisation.report.verdicts import OPEN, judge, name_measure

# name of a column: what its numbers are looked up by
COLUMNS: dict[str, dict[str, Any]] = {
    "main": {},
    "influence": {"analysis": "influence_interval"},
    "truncated": {"analysis": "weights_truncated"},
    "calibrated": {"analysis": "calibrated_weights"},
    "fitted": {"analysis": "fitted_weights"},
    **{way: {"estimator": way} for way in WAYS if way != WEIGHTING},
}


def show_ways(page: Page) -> Piece:
    """Heading, sentence, picture and numbers; nothing where there is but one way.

    Only of measures with an answer: no other way of counting stands in for one.
    """
    ways = list_ways(page)
    measures = list_first(page)
    if len(ways) < 2 or not measures:
        return NOTHING
    gaps = {
        way: [find_effect(page, measure, estimator=way) for measure in measures] for way in ways
    }
    names = [name_measure(page, measure) for measure in measures]
    series = [
        make_series(page.say(f"trials.way_{way}"), gaps[way], f"methods.{way}") for way in ways
    ]
    every = [one for found in gaps.values() for one in found]
    picture = Dots(names, series, make_scale(page, every))
    rows = [
        [name, *(show_gap(page, gaps[way][at]) for way in ways)] for at, name in enumerate(names)
    ]
    heads = [page.say("common.measure"), *(page.say(f"trials.way_{way}") for way in ways)]
    period = page.formats.period(page.last_day)
    title = page.say("trials.ways_table", period=period)
    figure = page.figure(
        picture,
        page.say("trials.ways_alt", told=describe_agreement(page).replace("**", "")),
        describe_agreement(page),
        page.table(title, heads, rows),
    )
    return join([page.text("trials.ways_text"), figure,
                 page.text("trials.ways_note", period=period), show_looks(page)])  # fmt: skip


def show_looks(page: Page) -> Piece:
    """Which other numbers of measures with an answer exclude nothing: earlier days, mean counts."""
    numbers = {}
    for measure in list_first(page):
        name = name_measure(page, measure)
        for day in page.plan.days_within_horizon[:-1]:
            told = page.say("referees.looks_days", measure=name, period=page.formats.period(day))
            numbers[told] = find_effect(page, measure, day=day)
        told = page.say("referees.looks_counts", measure=name)
        numbers[told] = find_effect(page, measure, "mean_count_difference",
                                    estimator="mean_cumulative_count")  # fmt: skip
    shown = {told: number for told, number in numbers.items() if number.has_interval}
    if not shown:
        return NOTHING
    sure = [told for told, number in shown.items() if judge(number, same=0.0) != OPEN]
    found = f" ({'; '.join(sure)})" if sure else ""
    return page.text("referees.looks", period=page.formats.period(page.last_day), n=len(sure),
                     n_all=len(shown), found=found)  # fmt: skip


def show_estimates(page: Page) -> Piece:
    """The same difference by other intervals, truncated weights and other estimators."""
    columns = {
        name: keys for name, keys in COLUMNS.items()
        if has_rows(page, question="q2", **{"analysis": "main", "estimator": WEIGHTING, **keys})
    }  # fmt: skip
    if not columns:
        return page.text("referees.none")
    rows = []
    for measure in page.plan.measure_names:
        found = [find_effect(page, measure, **keys) for keys in columns.values()]
        cells = [add_events(page, measure, one, show_gap(page, one)) for one in found]
        rows.append([name_measure(page, measure), *cells])
    heads = [page.say("common.measure"),
             *(page.say(f"referees.interval_{column}") for column in columns)]  # fmt: skip
    caption = page.say("referees.intervals_caption", period=page.formats.period(page.last_day))
    return page.table(caption, heads, rows)


def show_crude(page: Page) -> Piece:
    """The risks behind the comparison that misleads, with their events; folded."""
    rows = []
    for name in page.plan.measure_names:
        risks = [find_crude(page, name, f"risk_{arm}") for arm in ("start", "no_start")]
        gap, ratio = find_crude(page, name), find_crude(page, name, "risk_ratio")
        events = [DASH if risk.n_events is None else page.formats.count(risk.n_events)
                  for risk in risks]  # fmt: skip
        rows.append([name_measure(page, name), *(show_hundred(page, risk) for risk in risks),
                     show_gap(page, gap), page.show_ratio_both(ratio),
                     " + ".join(events)])  # fmt: skip
    heads = [page.say("common.measure"), *(
        page.say(f"effects.crude_{one}")
        for one in ("start", "no_start", "difference", "ratio", "events")
    )]  # fmt: skip
    caption = page.say("effects.crude_table", period=page.formats.period(page.last_day))
    return Folded(caption, page.table(caption, heads, rows, [page.say("effects.crude_note")]))


def list_ways(page: Page) -> list[str]:
    """The ways of counting that the release has numbers for, the main one first."""
    keys = {"question": "q2", "analysis": "main", "estimand": "risk_difference"}
    return [way for way in WAYS if has_numbers(page, estimator=way, **keys)]


def describe_agreement(page: Page) -> str:
    """Whether another way lies outside the main answer's uncertainty, and how far apart they are.

    Only measures with a main answer and another number are compared.
    """
    outside, distances = [], {}
    for measure in list_first(page):
        main = find_effect(page, measure)
        others = [find_effect(page, measure, estimator=way) for way in WAYS if way != WEIGHTING]
        known = [
            other.estimate for other in others if other.is_shown and other.estimate is not None
        ]
        if not known:
            continue
        distances[measure] = max(abs(one - (main.estimate or 0.0)) for one in known)
        if any(not is_inside(main, one) for one in known):
            outside.append(name_measure(page, measure))
    if not distances:
        return ""
    farthest = max(distances, key=lambda one: distances[one])
    given = {
        "most": count_people(page, distances[farthest]),
        "measure": name_measure(page, farthest),
    }
    if outside:
        return page.say("trials.ways_differ", measures=list_names(page, outside), **given)
    return page.say("trials.ways_agree", n_all=len(distances), **given)


def is_inside(main: Number, estimate: float) -> bool:
    """True if an estimate lies in the main answer's interval, its ends included."""
    return (main.ci_low or 0.0) <= estimate <= (main.ci_high or 0.0)
