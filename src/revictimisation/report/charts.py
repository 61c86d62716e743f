"""Dots with intervals, bars and curves, each drawn for a wide and for a narrow screen.

Words stand beside what they name; colours, shapes and lines are those of `colours`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from revictimisation.report.colours import INK, PAPER, QUIET, RULE, Look, find_look
from revictimisation.report.described import Bars, Curves, CurveSeries, Dots, DotSeries, Point
from revictimisation.report.drawing import (
    BOLD,
    LINE,
    Axis,
    Drawing,
    draw_twice,
    height_of,
    measure,
    wrap_words,
)
from revictimisation.report.frames import (
    AROUND,
    GAP,
    Row,
    draw_interval,
    draw_legend,
    draw_rows,
    draw_scale,
    draw_sides,
    find_axis,
    keep_inside,
    lay_rows,
    measure_sides,
    thin_names,
)

APART, ALONE = 13.0, 22.0  # heights: of a series in a row, and of a row of one
BAR, NARROW_BAR = 20.0, 15.0
INCH = 80.0  # of a height of curves
END_NAMES = 0.26  # of the width, at most, for names at the ends of curves
RISK_NAMES = 0.3  # of the width, at most, for names of groups below
NAMED = 1.05  # heights of a name, for it not to touch the next
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
MOST_STEPS = 6


def draw_dots(dots: Dots) -> tuple[bytes, bytes]:
    """Rows of dots with intervals; a row without a number is left empty."""
    return draw_twice(partial(_draw_dots, dots))


def _draw_dots(dots: Dots, drawing: Drawing) -> None:
    series, n_series = dots.series, len(dots.series)
    looks = [find_look(one.look, place) for place, one in enumerate(series)]
    entries = [(partial(drawing.dot, look=look, is_filled=one.is_filled), one.name)
               for look, one in zip(looks, series, strict=True)]  # fmt: skip
    rows = [Row(label, max(ALONE, APART * n_series)) for label in dots.labels]
    top = draw_legend(drawing, entries if n_series > 1 else [], 0.0)
    points = [point for one in series for point in one.points]
    axis = find_axis(dots.scale, points, *measure_sides(drawing, rows))
    top = draw_sides(drawing, dots.scale, axis, top)
    draw_scale(drawing, dots.scale, axis, lay_rows(drawing, rows, top))
    placed = draw_rows(drawing, rows, top)
    for number, (one, look) in enumerate(zip(series, looks, strict=True)):
        shift = APART * (number - (n_series - 1) / 2)
        for row, point in enumerate(one.points):
            if point is not None:
                is_filled = not _is_open(one, row)
                y = placed.places[row] + shift
                draw_interval(drawing, axis, y, point, look, is_filled=is_filled)


def _is_open(one: DotSeries, row: int) -> bool:
    return one.is_open[row] if one.is_open else not one.is_filled


def draw_bars(bars: Bars) -> tuple[bytes, bytes]:
    """Horizontal bars with the value written at the end."""
    return draw_twice(partial(_draw_bars, bars))


def _draw_bars(bars: Bars, drawing: Drawing) -> None:
    scale, tall = bars.scale, NARROW_BAR if drawing.is_narrow else BAR
    named = dict(enumerate(bars.looks))
    looks = [find_look(named.get(kind, ""), kind) for kind in range(max(bars.kinds, default=0) + 1)]
    shown = sorted(set(bars.kinds)) if len(bars.kind_names) > 1 else []
    entries = [(partial(_draw_sign, drawing, looks[kind]), bars.kind_names[kind]) for kind in shown]
    top = draw_legend(drawing, entries, 0.0)
    rows = [Row(label, tall) for label in bars.labels]
    left, right = measure_sides(drawing, rows)
    widest = max(measure(scale.write(value[0]), drawing.size) if value else 0.0
                 for value in bars.values)  # fmt: skip
    axis = find_axis(scale, bars.values, left, right - widest)
    draw_scale(drawing, scale, axis, lay_rows(drawing, rows, top))
    placed = draw_rows(drawing, rows, top)
    for y, value, kind in zip(placed.places, bars.values, bars.kinds, strict=True):
        _draw_bar(drawing, axis, y, value, looks[kind], tall, scale.write)


def _draw_sign(drawing: Drawing, look: Look, x: float, y: float) -> None:
    drawing.box(x - 8, y - 6, 16, 12, look.colour if look.is_filled else PAPER, edge=look.colour)


def _draw_bar(
    drawing: Drawing, axis: Axis, y: float, value: Point | None, look: Look, tall: float,
    write: Callable[[float], str],
) -> None:  # fmt: skip
    """A bar from 0 with its interval, and the number beyond both."""
    if value is None:
        drawing.text(axis.start + 4, y, "–", colour=QUIET)
        return
    estimate, low, high = value
    start, stop = axis.at(0.0), axis.at(estimate)
    fill, edge = (look.colour, "") if look.is_filled else (PAPER, look.colour)
    drawing.box(min(start, stop), y - tall / 2, abs(stop - start), tall, fill, edge)
    if low is not None and high is not None:
        for ink, width in ((PAPER, 4.2), (INK, 1.8)):  # seen on dark bars too
            drawing.line([(axis.at(low), y), (axis.at(high), y)], ink, width)
    beyond = axis.at(max(estimate, high if low is not None and high is not None else estimate))
    drawing.text(beyond + 6, y, write(estimate), has_ground=True)


def draw_curves(curves: Curves) -> tuple[bytes, bytes]:
    """Curves with their bands, each named at its end; numbers at risk below them."""
    return draw_twice(partial(_draw_curves, curves))


def _draw_curves(curves: Curves, drawing: Drawing) -> None:
    series, write = curves.series, curves.write
    looks = [find_look(one.look, place) for place, one in enumerate(series)]
    highest = max([end for one in series for end in (*one.estimate, *one.high)], default=0.0)
    ticks = list_shares(max(curves.top, highest))
    names = [wrap_words(one.name, END_NAMES * drawing.width, drawing.small) for one in series]
    lines = [line for name in names for line in name.split("\n")]
    room = max((BOLD * measure(line, drawing.small) for line in lines), default=0.0)
    left = GAP / 2 + max(measure(write(tick), drawing.small) for tick in ticks)
    if curves.at_risk and not drawing.is_narrow:
        longest = max(measure(name, drawing.small) for name, _ in curves.at_risk)
        first = max(measure(counts[0][1], drawing.small) for _, counts in curves.at_risk) / 2
        left = max(left, min(RISK_NAMES * drawing.width, longest + GAP + first))
    top = AROUND
    if curves.y_label:
        told = wrap_words(curves.y_label, drawing.width, drawing.small)
        tall = height_of(told, drawing.small)
        drawing.text(0, tall / 2, told, size=drawing.small, colour=QUIET)
        top += tall
    bottom = top + INCH * curves.heights[drawing.is_narrow]
    right = drawing.width - (room + GAP if room else 2 * AROUND)
    days = Axis(0.0, curves.days[-1][0], left, right)
    shares = Axis(0.0, max(highest, ticks[-1]), bottom, top)
    for tick in ticks:
        y = shares.at(tick)
        with drawing.group("tick y"):
            drawing.line([(left, y), (right, y)])
            drawing.text(left - GAP / 2, y, write(tick), side="end", size=drawing.small,
                         colour=QUIET)  # fmt: skip
    _draw_days(drawing, curves, days, bottom)
    for one, look in zip(series, looks, strict=True):
        if len(one.low):
            upper = [(days.at(day), shares.at(one_high))
                     for day, one_high in zip(one.days, one.high, strict=True)]  # fmt: skip
            lower = [(days.at(day), shares.at(one_low))
                     for day, one_low in zip(one.days, one.low, strict=True)]  # fmt: skip
            drawing.area([*upper, *lower[::-1]], look.colour, 0.16)
    for one, look in zip(series, looks, strict=True):
        points = [(days.at(day), shares.at(share))
                  for day, share in zip(one.days, one.estimate, strict=True)]  # fmt: skip
        drawing.line(points, look.colour, 2.6, look.dashes, kind="curve")
    if room:
        _name_ends(drawing, series, names, [look.colour for look in looks], shares, right + GAP / 2)
    _draw_at_risk(drawing, curves, days)


def list_shares(highest: float) -> list[float]:
    """Even steps from 0 up to the first at or above the highest share, at most seven of them.

    >>> list_shares(0.43), list_shares(0.03)
    ([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], [0.0, 0.01, 0.02, 0.03])
    """
    step = next((one for one in STEPS if highest / one <= MOST_STEPS), STEPS[-1])
    last = max(math.ceil(round(highest / step, 6)), 1)
    return [round(at * step, 6) for at in range(last + 1)]


def _draw_days(drawing: Drawing, curves: Curves, axis: Axis, bottom: float) -> None:
    """Days in words; a name that would run into the next stands a line lower, if it can."""
    drawing.line([(axis.start, bottom), (axis.stop, bottom)], QUIET, 1.0)
    free = [math.inf, math.inf]  # of each line, from the right
    for day, name in reversed(curves.days):
        place = axis.at(day)
        x, half = keep_inside(drawing, place, name), measure(name, drawing.small) / 2
        line = next((at for at, room in enumerate(free) if x + half + 4 <= room), None)
        if line is None:
            continue
        free[line] = x - half
        below = bottom + line * drawing.small * LINE
        y = below + 8 + drawing.small * LINE / 2
        with drawing.group("tick x"):
            drawing.line([(place, bottom), (place, below + 5)], QUIET)
            drawing.text(x, y, name, side="middle", size=drawing.small, colour=QUIET)
        drawing.reach(y + drawing.small * LINE / 2 + 2)
    if curves.x_label:
        y = drawing.height + 2 + drawing.small * LINE / 2
        x = keep_inside(drawing, (axis.start + axis.stop) / 2, curves.x_label)
        drawing.text(x, y, curves.x_label, side="middle", size=drawing.small, colour=QUIET)
        drawing.reach(y + drawing.small * LINE / 2 + 2)


def _draw_at_risk(drawing: Drawing, curves: Curves, axis: Axis) -> None:
    """How many are still followed: below their days, on a narrow screen a row a day."""
    if not curves.at_risk:
        return
    y, names = drawing.height + AROUND, [name for name, _ in curves.at_risk]
    drawing.line([(0, y), (drawing.width, y)], RULE)
    if curves.at_risk_label:
        told = wrap_words(curves.at_risk_label, drawing.width, drawing.small)
        y = _write_line(drawing, y, [(0.0, told)])
    if drawing.is_narrow:
        columns = [drawing.width * at / (len(names) + 1) for at in range(len(names) + 1)]
        y = _write_line(drawing, y, list(zip(columns[1:], names, strict=True)))
        for day, told in curves.days:
            counts = [dict(found).get(day, "") for _, found in curves.at_risk]
            if any(counts):
                y = _write_line(drawing, y, list(zip(columns, [told, *counts], strict=True)))
    else:
        for name, found in curves.at_risk:
            counts = [count for _, count in found]
            places = [keep_inside(drawing, axis.at(day), count) for day, count in found]
            told = wrap_words(name, axis.start - GAP, drawing.small)
            y = _write_line(drawing, y, [(0.0, told)], thin_names(places, counts, drawing.small))
    drawing.reach(y + 4)


def _write_line(
    drawing: Drawing, y: float, told: Sequence[tuple[float, str]],
    middles: Sequence[tuple[float, str]] = (),
) -> float:  # fmt: skip
    """Words from their places on, numbers around theirs, below `y`; gives where they end."""
    tall = max(height_of(one, drawing.small) for _, one in told)
    middle = y + 4 + tall / 2
    for x, one in told:
        drawing.text(x, middle, one, size=drawing.small, colour=QUIET)
    for x, one in middles:
        drawing.text(x, middle, one, side="middle", size=drawing.small)
    return middle + tall / 2


def _name_ends(
    drawing: Drawing, series: Sequence[CurveSeries], names: Sequence[str],
    colours: Sequence[str], shares: Axis, x: float,
) -> None:  # fmt: skip
    """Names beside the curves' ends, moved apart where they would cover each other."""
    ends = sorted(((shares.at(one.estimate[-1]), number) for number, one in enumerate(series)))
    heights = [height_of(names[number], drawing.small) * NAMED for _, number in ends]
    for place, (_, number) in zip(_spread([end for end, _ in ends], heights, shares.start),
                                  ends, strict=True):  # fmt: skip
        drawing.text(x, place, names[number], size=drawing.small, colour=colours[number],
                     is_bold=True)  # fmt: skip


def _spread(middles: Sequence[float], heights: Sequence[float], bottom: float) -> list[float]:
    """Move ascending middles apart so that what is around them does not overlap, above a floor."""
    places: list[float] = []
    for at, (middle, tall) in enumerate(zip(middles, heights, strict=True)):
        least = places[-1] + (heights[at - 1] + tall) / 2 if places else -math.inf
        places.append(max(middle, least))
    floor = bottom
    for at in reversed(range(len(places))):
        places[at] = min(places[at], floor - heights[at] / 2 if at == len(places) - 1 else floor)
        floor = places[at] - (heights[at] + heights[at - 1]) / 2
    return places
