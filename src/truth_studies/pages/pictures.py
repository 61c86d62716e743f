"""Notebook 7 in pictures: bias, coverage, calls where nothing works, nearness to the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from revictimisation.report.described import (
    NOTHING,
    Cell,
    Dots,
    DotSeries,
    Piece,
    Point,
    Scale,
    join,
)
from revictimisation.report.page import DASH, Page
from revictimisation.report.verdicts import name_measure
from truth_studies.pages.answer import describe_bar, name_way
from truth_studies.records.bar import (
    ALLOWED_CALLS,
    BAND,
    MOST_BIAS,
    find_bias_interval,
    find_ratio,
    find_share_interval,
)
from truth_studies.records.truth import (
    CALIBRATED,
    CRUDE,
    FORCE,
    FORMULA,
    MAIN,
    NULL,
    ORACLE,
    ROBUST,
    UNADJUSTED,
    TruthStudy,
    Way,
)

RISKS, HAZARDS = (MAIN, ROBUST, FORMULA, CRUDE), (FORCE, UNADJUSTED)
STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
MOST_TICKS = 6
LOW_COVERAGE = 0.7
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SHARE_PAD = 0.02


@dataclass(frozen=True)
class Line:
    """A kind of dots: its name and for every measure a point with its interval, or None."""

    name: str
    points: list[Point | None]


def list_ticks(values: Sequence[float]) -> list[float]:
    """A few round ticks that hold every value, nothing (0) among them.

    >>> list_ticks([-0.3, 0.9])
    [-0.5, 0.0, 0.5, 1.0]
    """
    low, high = min([0.0, *values]), max([0.0, *values])
    for step in STEPS:
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < MOST_TICKS:
            break
    return [step * at for at in range(first, max(last, first + 1) + 1)]


def collect(
    page: Page, study: TruthStudy, scenario: str, ways: Sequence[Way], day: int | None,
    find: Callable[[pd.Series], Point | None],
) -> tuple[list[str], list[Line]]:  # fmt: skip
    """The measures, and a line for each way that has any of them."""
    measures = study.measures(scenario, ways)
    lines = []
    for way in ways:
        line = find_line(study, scenario, way, day, measures, name_way(page, way), find)
        lines += [line] if line else []
    return measures, lines


def find_line(
    study: TruthStudy, scenario: str, way: Way, day: int | None, measures: Sequence[str], name: str,
    find: Callable[[pd.Series], Point | None],
) -> Line | None:  # fmt: skip
    """A way's dots, one for each measure; None if there are none."""
    rows = [study.one(scenario, way, measure, day) for measure in measures]
    points = [None if row is None else _keep(find(row)) for row in rows]
    return Line(name, points) if any(points) else None


def _keep(point: Point | None) -> Point | None:
    return None if point is None or math.isnan(point[0]) else point


def find_bias(row: pd.Series) -> Point | None:
    """Bias in standard errors with its Monte Carlo interval; None where the error is not known."""
    return find_bias_interval(row) if row["empirical_error"] > 0 else None


def find_share(name: str) -> Callable[[pd.Series], Point | None]:
    """What reads a share of counties with its interval."""

    def find(row: pd.Series) -> Point | None:
        share = float(row[name])
        return (share, *find_share_interval(share, int(row["n_counties"])))

    return find


def draw_figure(
    page: Page, part: str, measures: Sequence[str], lines: Sequence[Line], scale: Scale,
    **given: str,
) -> Piece:  # fmt: skip
    """A picture of the lines with its caption, alternative text and the numbers behind it."""
    if not lines:
        return NOTHING
    names = [name_measure(page, measure) for measure in measures]
    series = [DotSeries(line.name, line.points, is_filled=at == 0) for at, line in enumerate(lines)]
    picture = Dots(names, series, scale)
    rows = [
        [name, *(_cell(page, line.points[at], scale) for line in lines)]
        for at, name in enumerate(names)
    ]
    heads = [page.say("common.measure"), *(line.name for line in lines)]
    caption = page.say(f"truth_study.caption_{part}", **given)
    alt = " ".join([page.say(f"truth_study.alt_{part}", **given), *_describe(page, lines, scale)])
    numbers = page.table(caption, heads, rows)
    return page.figure(picture, alt, caption, numbers)


def _cell(page: Page, point: Point | None, scale: Scale) -> Cell | str:
    if point is None:
        return DASH
    write = _writer(page, scale)
    value, low, high = point
    told = Cell(write(value), value, low, high)
    if low is None or high is None:
        return told
    return told.above(page.say("truth_study.between", low=write(low), high=write(high)))


def _writer(page: Page, scale: Scale) -> Callable[[float], str]:
    """Cells have a digit more than the axis."""
    if scale.write.name == "percent_short":
        return page.formats.percent
    return lambda value: page.formats.decimal(value, 2)


def _describe(page: Page, lines: Sequence[Line], scale: Scale) -> list[str]:
    """For who cannot see the picture: where each line's dots lie."""
    write, told = _writer(page, scale), []
    for line in lines:
        values = [point[0] for point in line.points if point]
        ends = {"low": write(min(values)), "high": write(max(values))}
        told.append(page.say("truth_study.lies", name=line.name, **ends))
    return told


def make_bias_scale(page: Page, lines: Sequence[Line]) -> Scale:
    """The axis of biases in standard errors, with what the bar allows shaded."""
    ticks = list_ticks(list_ends(lines))
    digits = 0 if all(tick == round(tick) for tick in ticks) else 2 if 0.05 in ticks else 1
    return Scale(
        page.formats.way("decimal", digits), ticks,
        page.say("truth_study.bias_axis"), reference=0.0,
        sides=(page.say("truth_study.too_low"), page.say("truth_study.too_high")),
        band=(-MOST_BIAS, MOST_BIAS),
    )  # fmt: skip


def make_share_scale(page: Page, axis: str, low: float, high: float, **bar: Any) -> Scale:
    """The axis of shares of counties, no longer than they need."""
    ticks: Sequence[float] = SHARES
    if low >= LOW_COVERAGE:
        ticks = (0.7, 0.8, 0.9, 1.0)
    elif high < 1.0:
        ticks = tuple(one for at, one in enumerate(ticks) if at < 2 or ticks[at - 1] < high)
    label = page.say(f"truth_study.{axis}")
    return Scale(page.formats.way("percent_short"), ticks, label, pad=SHARE_PAD, **bar)


def list_ends(lines: Sequence[Line]) -> list[float]:
    """Every dot and every end of an interval."""
    points = [point for line in lines for point in line.points if point]
    return [end for point in points for end in point if end is not None]


def show_part(
    page: Page,
    part: str,
    figures: Sequence[Piece],
    told: Piece = NOTHING,
    given: Mapping[str, str] | None = None,
) -> Piece:
    """A section with its text, what is told, and its figures; nothing where there are none."""
    if not any(figures):
        return NOTHING
    text = page.text(f"truth_study.text_{part}", **(given or {}))
    return join([page.heading(f"truth_study.{part}"), text, told, *figures])


def _list_pictures(
    study: TruthStudy, risks: Sequence[Way]
) -> list[tuple[str, Sequence[Way], int | None]]:
    """What is drawn of each: risk differences at every day, and hazard ratios."""
    return [*(("risk", risks, day) for day in study.days), ("hazard", HAZARDS, None)]


def show_bias(page: Page, study: TruthStudy) -> Piece:
    """Bias in standard errors: the adjusted ways and the naive ones."""
    figures = []
    for part, ways, day in _list_pictures(study, RISKS):
        measures, lines = collect(page, study, CALIBRATED, ways, day, find_bias)
        scale = make_bias_scale(page, lines)
        given = {"period": page.formats.period(day)} if day else {}
        figures.append(draw_figure(page, f"bias_{part}", measures, lines, scale, **given))
    return show_part(page, "bias", figures, given=describe_bar(page))


def show_coverage(page: Page, study: TruthStudy) -> Piece:
    """Coverage of 95 % intervals, with the band that is asked for."""
    figures, bar = [], describe_bar(page)
    for part, ways, day in _list_pictures(study, study.add_beside(CALIBRATED, RISKS)):
        measures, lines = collect(page, study, CALIBRATED, ways, day, find_share("coverage"))
        low = min(list_ends(lines), default=1.0)
        scale = make_share_scale(page, "coverage_axis", low, 1.0, reference=0.95, band=BAND)
        given = {"period": page.formats.period(day)} if day else {}
        figures.append(
            draw_figure(page, f"coverage_{part}", measures, lines, scale, **given, **bar)
        )
    return show_part(page, "coverage", figures, given=bar)


def show_null(page: Page, study: TruthStudy) -> Piece:
    """How often an interval leaves no difference out where nothing works."""
    figures, bar = [], describe_bar(page)
    for part, ways, day in _list_pictures(study, study.add_beside(NULL, RISKS)):
        measures, lines = collect(page, study, NULL, ways, day, find_share("rejection_rate"))
        high = max(list_ends(lines), default=0.0)
        scale = make_share_scale(page, "null_axis", 0.0, high, reference=ALLOWED_CALLS)
        given = {"period": page.formats.period(day)} if day else {}
        figures.append(draw_figure(page, f"null_{part}", measures, lines, scale, **given, **bar))
    return show_part(page, "null", figures, given=bar)


def show_efficiency(page: Page, study: TruthStudy) -> Piece:
    """Root mean squared error as a multiple of the oracle's."""

    day = study.days[-1] if study.days else None

    def find(row: pd.Series) -> Point | None:
        best = study.one(CALIBRATED, ORACLE, row["measure"], day)
        return None if best is None else find_ratio(row, best)

    measures, lines = collect(page, study, CALIBRATED, RISKS, day, find)
    ticks = sorted({*list_ticks(list_ends(lines)), 1.0})
    digits = 0 if all(tick == round(tick) for tick in ticks) else 1
    axis = page.say("truth_study.efficiency_axis")
    scale = Scale(page.formats.way("decimal", digits), ticks, axis, reference=1.0)
    period = page.formats.period(day or 0)
    figure = draw_figure(page, "efficiency", measures, lines, scale, period=period)
    return show_part(page, "efficiency", [figure])
