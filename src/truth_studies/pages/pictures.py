"""The truth studies in two pictures: bias by method, and coverage where what is supposed fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from revictimisation.report.described import (
    NOTHING,
    Cell,
    Dots,
    DotSeries,
    Piece,
    Point,
    Scale,
    Text,
    join,
)
from revictimisation.report.page import DASH, Page
from revictimisation.report.sections.answer import list_names
from revictimisation.report.verdicts import name_measure
from truth_studies.pages.naming import describe_bar, name_intervals, name_scenario, name_way
from truth_studies.records.bar import BAND, MOST_BIAS, find_bias_interval, find_share_interval
from truth_studies.records.truth import (
    BY_INFLUENCE,
    CALIBRATED,
    CRUDE,
    FORMULA,
    MAIN,
    ROBUST,
    TruthStudy,
    Way,
)

WAYS = (MAIN, ROBUST, FORMULA, CRUDE)
PROMISED = 0.95
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
    look: str = ""


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
    found: str, **given: str,
) -> Piece:  # fmt: skip
    """A picture of the lines with what is found, alternative text and the numbers behind it."""
    if not lines:
        return NOTHING
    names = [name_measure(page, measure) for measure in measures]
    series = [DotSeries(line.name, line.points, is_filled=at == 0, look=line.look)
              for at, line in enumerate(lines)]  # fmt: skip
    picture = Dots(names, series, scale)
    rows = [
        [name, *(_cell(page, line.points[at], scale) for line in lines)]
        for at, name in enumerate(names)
    ]
    heads = [page.say("common.measure"), *(line.name for line in lines)]
    caption = page.say(f"truth_study.caption_{part}", **given)
    alt = " ".join([page.say(f"truth_study.alt_{part}", **given), *_describe(page, lines, scale)])
    figure = replace(page.figure(picture, alt, found or caption, page.table(caption, heads, rows)),
                     source=page.say("truth_study.source"))  # fmt: skip
    note = Text(page.say(f"truth_study.note_{part}", **given), "note")
    return join([page.heading(f"truth_study.{part}"), figure, note])


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


def make_share_scale(page: Page, low: float) -> Scale:
    """The axis of shares of counties, no longer than they need, with what is asked for shaded."""
    ticks: Sequence[float] = SHARES if low < LOW_COVERAGE else (0.7, 0.8, 0.9, 1.0)
    return Scale(page.formats.way("percent_short"), ticks, page.say("truth_study.coverage_axis"),
                 reference=PROMISED, band=BAND, pad=SHARE_PAD)  # fmt: skip


def list_ends(lines: Sequence[Line]) -> list[float]:
    """Every dot and every end of an interval."""
    points = [point for line in lines for point in line.points if point]
    return [end for point in points for end in point if end is not None]


def show_bias(page: Page, study: TruthStudy) -> Piece:
    """How far from the truth each way to estimate lies where what the method supposes holds."""
    measures = study.measures(CALIBRATED, WAYS)
    day = study.days[-1] if study.days else None
    found = {way: find_line(study, CALIBRATED, way, day, measures, name_way(page, way), find_bias)
             for way in WAYS}  # fmt: skip
    lines = [replace(line, look=f"methods.{way.estimator}") for way, line in found.items() if line]
    if not lines:
        return NOTHING
    given = {"period": page.formats.period(day or 0), **describe_bar(page)}
    scale, told = make_bias_scale(page, lines), _tell_bias(page, study, day)
    return draw_figure(page, "bias", measures, lines, scale, told, **given)


def _tell_bias(page: Page, study: TruthStudy, day: int | None) -> str:
    """The finding: the furthest of the main method's numbers and of the simple comparison's."""
    found = {name: study.rows(CALIBRATED, way, day=day) for name, way in
             (("main", MAIN), ("crude", CRUDE))}  # fmt: skip
    if not all(len(rows) for rows in found.values()):
        return ""
    most = {name: page.formats.decimal(rows["bias_in_errors"].abs().max(), 1)
            for name, rows in found.items()}  # fmt: skip
    return page.say("truth_study.found_bias", **most)


def _describe_kind(page: Page, study: TruthStudy, scenarios: Sequence[str], way: Way) -> str:
    """Whose intervals the picture is of, and how many counties tried those that it is not of."""
    kinds = dict.fromkeys(way.intervals or study.find_kind(one, way.estimator)
                          for one in scenarios)  # fmt: skip
    names = list_names(page, [name_intervals(page, one) for one in kinds])
    told = [page.say("truth_study.note_kind", kind=names)]
    if way == BY_INFLUENCE:
        rows = study.rows(CALIBRATED, MAIN)
        told.append(page.say("truth_study.note_other_kind",
                             counties=page.formats.count(rows["n_counties"].max())))  # fmt: skip
    return " ".join(told)


def show_coverage(page: Page, study: TruthStudy) -> Piece:
    """How often the main method's intervals cover the truth, by scenario."""
    there = [scenario for scenario in study.scenarios if study.measures(scenario, (MAIN,))]
    measures = list(dict.fromkeys(m for one in there for m in study.measures(one, (MAIN,))))
    if not measures or not study.days:
        return NOTHING
    day, way, find = study.days[-1], study.find_common(there), find_share("coverage")
    found = [find_line(study, one, way, day, measures, name_scenario(page, one), find)
             for one in there]  # fmt: skip
    lines = [line for line in found if line]
    given = {"period": page.formats.period(day), **describe_bar(page),
             "kind": _describe_kind(page, study, there, way)}  # fmt: skip
    low = min(list_ends(lines), default=1.0)
    scale = make_share_scale(page, low)
    least = {line.name: min(point[0] for point in line.points if point) for line in lines}
    lowest = min(least, key=lambda name: least[name])
    told = page.say("truth_study.found_coverage", scenario=lowest,
                    least=page.formats.percent(least[lowest], 0))  # fmt: skip
    return draw_figure(page, "coverage", measures, lines, scale, told, **given)
