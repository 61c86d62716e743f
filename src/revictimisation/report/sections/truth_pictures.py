"""Notebook 5 in pictures: bias, coverage, calls where nothing works, efficiency, departures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from revictimisation.report import charts
from revictimisation.report.markup import (
    Html,
    join,
    render_figure,
    render_table,
    render_with_interval,
)
from revictimisation.report.page import DASH, Page
from revictimisation.report.sections.truth import name_scenario, name_way, tell_allowed
from revictimisation.report.truth_study import (
    ALLOWED_CALLS,
    BAND,
    CALIBRATED,
    CRUDE,
    DEPARTURES,
    FORCE,
    FORMULA,
    MAIN,
    NULL,
    ORACLE,
    ROBUST,
    UNADJUSTED,
    TruthStudy,
    Way,
    find_bias_interval,
    find_ratio,
    find_share_interval,
)
from revictimisation.report.verdicts import name_measure

STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
MOST_TICKS = 6
LOW_COVERAGE = 0.7


@dataclass(frozen=True)
class Line:
    """A kind of dots: its name and for every measure a point with its interval, or None."""

    name: str
    points: list[charts.Point | None]


def list_ticks(values: Sequence[float]) -> list[float]:
    """A few round ticks that hold every value, nothing (0) among them.

    >>> list_ticks([-0.3, 0.9])
    [-0.5, 0.0, 0.5, 1.0]
    """
    low, high = min(0.0, *values), max(0.0, *values)
    for step in STEPS:
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < MOST_TICKS:
            break
    return [step * at for at in range(first, max(last, first + 1) + 1)]


def _list_measures(study: TruthStudy, scenario: str, ways: Sequence[Way]) -> list[str]:
    return list(dict.fromkeys(one for way in ways for one in study.measures(scenario, way)))


def _collect(
    page: Page, study: TruthStudy, scenario: str, ways: Sequence[Way],
    find: Callable[[pd.Series], charts.Point | None],
) -> tuple[list[str], list[Line]]:  # fmt: skip
    """The measures, and a line for each way that has any of them."""
    measures = _list_measures(study, scenario, ways)
    lines = []
    for way in ways:
        rows = [study.one(scenario, way, one) for one in measures]
        points = [None if row is None else _keep(find(row)) for row in rows]
        if any(points):
            lines.append(Line(name_way(page, way.estimator, way.analysis), points))
    return measures, lines


def _keep(point: charts.Point | None) -> charts.Point | None:
    return None if point is None or math.isnan(point[0]) else point


def find_bias(row: pd.Series) -> charts.Point | None:
    """Bias in standard errors with its Monte Carlo interval; None where the error is not known."""
    return find_bias_interval(row) if row["empirical_error"] > 0 else None


def _find_share(name: str) -> Callable[[pd.Series], charts.Point | None]:
    def find(row: pd.Series) -> charts.Point | None:
        share = float(row[name])
        return (share, *find_share_interval(share, int(row["n_counties"])))

    return find


def _figure(
    page: Page, part: str, measures: Sequence[str], lines: Sequence[Line], scale: charts.Scale,
    **given: str,
) -> Html:  # fmt: skip
    """A picture of the lines with its caption, alternative text and the numbers behind it."""
    if not lines:
        return Html("")
    names = [name_measure(page, one) for one in measures]
    series = [
        charts.DotSeries(line.name, line.points, is_filled=at == 0) for at, line in enumerate(lines)
    ]
    wide, narrow = charts.draw_dots(names, series, scale)
    rows = [
        [name, *(_cell(page, line.points[at], scale) for line in lines)]
        for at, name in enumerate(names)
    ]
    heads = [page.say("common.measure"), *(line.name for line in lines)]
    caption = page.say(f"truth_study.caption_{part}", **given)
    alt = " ".join([page.say(f"truth_study.alt_{part}", **given), *_describe(page, lines, scale)])
    numbers = render_table(caption, heads, rows)
    return render_figure(wide, narrow, alt, caption, page.say("common.numbers_behind"), numbers)


def _cell(page: Page, point: charts.Point | None, scale: charts.Scale) -> Html | str:
    if point is None:
        return DASH
    write = _writer(page, scale)
    told, (_, low, high) = write(point[0]), point
    if low is None or high is None:
        return told
    between = page.say("truth_study.between", low=write(low), high=write(high))
    return render_with_interval(told, between)


def _writer(page: Page, scale: charts.Scale) -> Callable[[float], str]:
    """Cells have a digit more than the axis."""
    if scale.write == page.formats.percent_short:
        return page.formats.percent
    return lambda value: page.formats.decimal(value, 2)


def _describe(page: Page, lines: Sequence[Line], scale: charts.Scale) -> list[str]:
    """For who cannot see the picture: where each line's dots lie."""
    write, told = _writer(page, scale), []
    for line in lines:
        values = [point[0] for point in line.points if point]
        ends = {"low": write(min(values)), "high": write(max(values))}
        told.append(page.say("truth_study.lies", name=line.name, **ends))
    return told


def _bias_scale(page: Page, lines: Sequence[Line]) -> charts.Scale:
    ends = [end for line in lines for point in line.points if point for end in point
            if end is not None]  # fmt: skip
    ticks = list_ticks([*ends, 0.0])
    digits = 0 if all(tick == round(tick) for tick in ticks) else 2 if 0.05 in ticks else 1
    return charts.Scale(
        lambda tick: page.formats.decimal(tick, digits), ticks,
        page.say("truth_study.bias_axis"), reference=0.0,
        sides=(page.say("truth_study.too_low"), page.say("truth_study.too_high")),
    )  # fmt: skip


def _period(page: Page, study: TruthStudy) -> str:
    return page.formats.period(study.last_day) if study.last_day else DASH


def _part(page: Page, part: str, figures: Sequence[Html], **given: str) -> Html:
    """A section with its figures; nothing where there are none."""
    shown = [one for one in figures if one.text]
    if not shown:
        return Html("")
    text = page.text(f"truth_study.text_{part}", **given)
    return join([page.heading(f"truth_study.{part}"), text, *shown])


def show_bias(page: Page, study: TruthStudy) -> Html:
    """Bias in standard errors: the main ways against the naive ones."""
    figures = []
    for part, ways in (("bias_risk", (MAIN, CRUDE)), ("bias_hazard", (FORCE, UNADJUSTED))):
        measures, lines = _collect(page, study, CALIBRATED, ways, find_bias)
        scale = _bias_scale(page, lines)
        figures.append(_figure(page, part, measures, lines, scale, period=_period(page, study)))
    return _part(page, "bias", figures)


def show_coverage(page: Page, study: TruthStudy) -> Html:
    """Coverage of 95 % intervals, with the band that is asked for."""
    given = {"period": _period(page, study), "band": page.formats.percent_range(*BAND, digits=0)}
    figures = []
    for part, ways in (
        ("coverage_risk", (MAIN, ROBUST, FORMULA, CRUDE)),
        ("coverage_hazard", (FORCE, UNADJUSTED)),
    ):
        measures, lines = _collect(page, study, CALIBRATED, ways, _find_share("coverage"))
        least = min((point[1] or 0.0 for line in lines for point in line.points if point),
                    default=1.0)  # fmt: skip
        ticks = (0.7, 0.8, 0.9, 1.0) if least >= LOW_COVERAGE else (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
        axis = page.say("truth_study.coverage_axis")
        scale = charts.Scale(page.formats.percent_short, ticks, axis, reference=0.95, band=BAND)
        figures.append(_figure(page, part, measures, lines, scale, **given))
    return _part(page, "coverage", figures, band=given["band"])


def show_null(page: Page, study: TruthStudy) -> Html:
    """How often an interval leaves no difference out where nothing works."""
    ways = (MAIN, FORCE, CRUDE, UNADJUSTED)
    measures, lines = _collect(page, study, NULL, ways, _find_share("share_called"))
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    top = max((point[2] or 0.0 for line in lines for point in line.points if point), default=0.0)
    shown = [tick for at, tick in enumerate(ticks) if at < 2 or ticks[at - 1] < top]
    axis = page.say("truth_study.null_axis")
    scale = charts.Scale(page.formats.percent_short, shown, axis, reference=ALLOWED_CALLS)
    given = {"period": _period(page, study), "allowed": tell_allowed(page)}
    figure = _figure(page, "null", measures, lines, scale, **given)
    return _part(page, "null", [figure], allowed=given["allowed"])


def show_efficiency(page: Page, study: TruthStudy) -> Html:
    """Root mean squared error as a multiple of the oracle's."""

    def find(row: pd.Series) -> charts.Point | None:
        best = study.one(CALIBRATED, ORACLE, row["measure"])
        return None if best is None else find_ratio(row, best)

    measures, lines = _collect(page, study, CALIBRATED, (MAIN, ROBUST, FORMULA, CRUDE), find)
    tops = [point[2] or 1.0 for line in lines for point in line.points if point]
    ticks = sorted({*list_ticks([*tops, 0.0]), 1.0}) if tops else [0.0, 1.0]
    digits = 0 if all(tick == round(tick) for tick in ticks) else 1
    axis = page.say("truth_study.efficiency_axis")
    write = lambda tick: page.formats.decimal(tick, digits)  # noqa: E731
    scale = charts.Scale(write, ticks, axis, reference=1.0)
    figure = _figure(page, "efficiency", measures, lines, scale, period=_period(page, study))
    return _part(page, "efficiency", [figure])


def show_departures(page: Page, study: TruthStudy) -> Html:
    """The main estimator's bias where what it supposes does not hold, and where it does."""
    there = [one for one in DEPARTURES if one in study.scenarios]
    if not there:
        return Html("")
    scenarios = [one for one in (CALIBRATED, *there) if one in study.scenarios]
    measures = list(dict.fromkeys(
        name for one in scenarios for name in study.measures(one, MAIN)
    ))  # fmt: skip
    parts: dict[str, list[Line]] = {"bias": [], "coverage": []}
    finds = {"bias": find_bias, "coverage": _find_share("coverage")}
    for scenario in scenarios:
        rows = [study.one(scenario, MAIN, name) for name in measures]
        for part, find in finds.items():
            points = [None if row is None else _keep(find(row)) for row in rows]
            if any(points):
                parts[part].append(Line(name_scenario(page, scenario), points))
    period = _period(page, study)
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    axis = page.say("truth_study.coverage_axis")
    covers = charts.Scale(page.formats.percent_short, ticks, axis, reference=0.95, band=BAND)
    figures = [
        _figure(page, "departures_bias", measures, parts["bias"],
                _bias_scale(page, parts["bias"]), period=period),
        _figure(page, "departures_coverage", measures, parts["coverage"], covers, period=period),
    ]  # fmt: skip
    return _part(page, "departures", figures)
