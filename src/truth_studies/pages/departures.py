"""Notebook 7: where what the method supposes does not hold, and where a county is small."""

from __future__ import annotations

from collections.abc import Sequence

from revictimisation.report.described import NOTHING, Piece, Scale, Text, join
from revictimisation.report.page import Page
from revictimisation.report.verdicts import name_measure
from truth_studies.pages.answer import describe_rows, list_told, name_scenario, name_way
from truth_studies.pages.pictures import (
    Line,
    collect,
    draw_figure,
    find_bias,
    find_line,
    find_share,
    list_ends,
    make_bias_scale,
    make_share_scale,
    show_part,
)
from truth_studies.records.bar import BAND, count_released
from truth_studies.records.truth import (
    CALIBRATED,
    CRUDE,
    DEPARTURES,
    FORCE,
    MAIN,
    ROBUST,
    SMALL,
    TruthStudy,
    Way,
)

FINDS = {"bias": find_bias, "coverage": find_share("coverage")}
SMALL_WAYS = (MAIN, ROBUST, FORCE, CRUDE)


def show_departures(page: Page, study: TruthStudy) -> Piece:
    """The main estimator where what it supposes does not hold, beside where it does."""
    there = [departure for departure in DEPARTURES if study.measures(departure, (MAIN,))]
    if not there:
        return NOTHING
    scenarios = [one for one in (CALIBRATED, *there) if one in study.scenarios]
    measures = list(dict.fromkeys(m for one in scenarios for m in study.measures(one, (MAIN,))))
    day, way = study.days[-1], study.find_common(scenarios)
    figures = []
    for part, find in FINDS.items():
        found = [
            find_line(study, one, way, day, measures, name_scenario(page, one), find)
            for one in scenarios
        ]
        lines = [one for one in found if one]
        figures.append(_figure(page, f"departures_{part}", measures, lines, day))
    told = [one for scenario in there for one in _describe_departure(page, study, scenario)]
    told += _describe_crime(page, study)
    if way != MAIN:
        told.append(page.say("truth_study.departures_influence"))
    return show_part(page, "departures", figures, list_told(told))


def _figure(
    page: Page, part: str, measures: Sequence[str], lines: Sequence[Line], day: int
) -> Piece:
    """A picture of biases or of coverages."""
    is_bias = part.endswith("bias")
    scale = make_bias_scale(page, lines) if is_bias else _make_coverage_scale(page, lines)
    return draw_figure(page, part, measures, lines, scale, period=page.formats.period(day))


def _make_coverage_scale(page: Page, lines: Sequence[Line]) -> Scale:
    low = min(list_ends(lines), default=1.0)
    return make_share_scale(page, "coverage_axis", low, 1.0, reference=0.95, band=BAND)


def _describe_departure(page: Page, study: TruthStudy, scenario: str) -> list[str]:
    """How the main estimator does in a scenario, and what the gates do there."""
    rows = study.rows(scenario, MAIN)
    found = describe_rows(page, rows)
    if not found:
        return []
    told = [page.say("truth_study.departs", scenario=name_scenario(page, scenario), **found)]
    return [" ".join([*told, *_describe_released(page, study, scenario)])]


def _describe_released(page: Page, study: TruthStudy, scenario: str) -> list[str]:
    """The share that the gates let through, and whether that is less than where all is well."""
    share, _ = count_released(study.rows(scenario, MAIN))
    usual, _ = count_released(study.rows(CALIBRATED, MAIN))
    if share is None:
        return []
    if usual is None or scenario == CALIBRATED:
        return [page.say("truth_study.lets", share=page.formats.percent(share))]
    key = "lets_fewer" if share < usual else "lets_as_many"
    given = {"share": page.formats.percent(share), "usual": page.formats.percent(usual)}
    return [page.say(f"truth_study.{key}", **given)]


def _describe_crime(page: Page, study: TruthStudy) -> list[str]:
    if not study.crime_gap or "reporting" not in study.scenarios:
        return []
    measure, gap = max(study.crime_gap.items(), key=lambda one: abs(one[1]))
    points, where = page.formats.decimal(abs(gap) * 100, 1), name_measure(page, measure)
    return [page.say("truth_study.crime", points=points, where=where)]


def show_small(page: Page, study: TruthStudy) -> Piece:
    """What is left of the methods in a county with few victims."""
    measures = study.measures(SMALL, SMALL_WAYS)
    if not measures:
        return NOTHING
    day = study.days[-1] if study.days else 0
    figures = []
    for part, find in FINDS.items():
        names, lines = collect(page, study, SMALL, SMALL_WAYS, day, find)
        figures.append(_figure(page, f"small_{part}", names, lines, day))
    told = [one for way in SMALL_WAYS for one in _describe_small(page, study, way)]
    released = Text(" ".join(_describe_released(page, study, SMALL)))
    return show_part(page, "small", figures, join([released, list_told(told)]))


def _describe_small(page: Page, study: TruthStudy, way: Way) -> list[str]:
    """How a way does among few, and in how many counties it gives a number at all."""
    rows = study.rows(SMALL, way)
    found = describe_rows(page, rows)
    if not found:
        return []
    given = {
        "n_least": page.formats.count(rows["n_counties"].min()),
        "n_most": page.formats.count(study.count_counties(SMALL)),
    }
    everywhere = rows["n_counties"].min() == study.count_counties(SMALL)
    told = page.say("truth_study.small_tells", way=name_way(page, way), **found)
    key = "small_everywhere" if everywhere else "small_somewhere"
    return [f"{told} {page.say(f'truth_study.{key}', **given)}"]
