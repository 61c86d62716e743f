"""Notebook 3: the same question counted in three ways, and whether they agree."""

from __future__ import annotations

from revictimisation.report.described import NOTHING, Dots, Piece, Text, join
from revictimisation.report.natural_frequencies import count_people, show_gap
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import list_names, make_scale, make_series
from revictimisation.report.trials import WAYS, WEIGHTING, find_effect, has_numbers, list_first
from revictimisation.report.verdicts import name_answer


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
    names = [name_answer(page, measure) for measure in measures]
    series = [make_series(page.say(f"trials.way_{way}"), gaps[way]) for way in ways]
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
        page.say("trials.ways_caption", period=period),
        page.table(title, heads, rows),
    )
    told = Text(describe_agreement(page))
    return join([page.heading("trials.ways"), page.text("trials.ways_text"), told, figure])


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
            outside.append(name_answer(page, measure))
    if not distances:
        return ""
    farthest = max(distances, key=lambda one: distances[one])
    given = {
        "most": count_people(page, distances[farthest]),
        "measure": name_answer(page, farthest),
    }
    if outside:
        return page.say("trials.ways_differ", measures=list_names(page, outside), **given)
    return page.say("trials.ways_agree", n_all=len(distances), **given)


def is_inside(main: Number, estimate: float) -> bool:
    """True if an estimate lies in the main answer's interval, its ends included."""
    return (main.ci_low or 0.0) <= estimate <= (main.ci_high or 0.0)
