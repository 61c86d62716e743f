"""What pictures share: rows with their names, an axis of numbers along the bottom, a legend."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from revictimisation.report.colours import INK, QUIET, Look
from revictimisation.report.described import Point, Scale
from revictimisation.report.drawing import (
    LINE,
    Axis,
    Drawing,
    count_lines,
    height_of,
    measure,
    wrap_words,
)

LEAST, MOST = 0.08, 12.5  # the ends of an axis of ratios; an interval beyond has its ends in words
NAMES, TOLD = 0.36, 0.3  # of the width, at most, for names at the left and words at the right
GAP, AROUND = 12.0, 8.0
KEY, KEY_GAP = 30.0, 22.0  # of a legend: the sign, and the room between entries


@dataclass(frozen=True)
class Row:
    """A row: its name, words at its other side, how tall what is drawn in it is."""

    name: str
    height: float
    told: str = ""
    is_heading: bool = False


@dataclass(frozen=True)
class Rows:
    """Rows in their places: between `left` and `right` it is drawn, around the heights `places`.

    `bands`: from where to where the axis' lines run, which is not through words.
    """

    left: float
    right: float
    top: float
    bottom: float
    places: Sequence[float]
    bands: Sequence[tuple[float, float]]


def measure_sides(drawing: Drawing, rows: Sequence[Row]) -> tuple[float, float]:
    """From where to where it is drawn: names and words stand beside it where there is room."""
    if drawing.is_narrow:
        return AROUND, drawing.width - AROUND - GAP
    names = [wrap_words(row.name, NAMES * drawing.width, drawing.size) for row in rows]
    told = [wrap_words(row.told, TOLD * drawing.width, drawing.small) for row in rows if row.told]
    left = max((measure(name, drawing.size) for name in names), default=0.0)
    right = max((measure(one, drawing.small) for one in told), default=AROUND)
    return left + GAP + AROUND, drawing.width - right - GAP


def draw_rows(drawing: Drawing, rows: Sequence[Row], top: float) -> Rows:
    """Lines between the rows, their names and words; below each other from `top`."""
    left, right = measure_sides(drawing, rows)
    draw_row = _draw_narrow_row if drawing.is_narrow else _draw_wide_row
    y, places, bands = top, [], []
    for number, row in enumerate(rows):
        if number and not rows[number - 1].is_heading:
            drawing.line([(0, y), (drawing.width, y)], width=1.6 if row.is_heading else 0.6)
        place, y = draw_row(drawing, row, y, left, right)
        places.append(place)
        if not row.is_heading:
            bands.append((place - row.height / 2, y))
    return Rows(left, right, top, y, places, bands if drawing.is_narrow else [(top, y)])


def lay_rows(drawing: Drawing, rows: Sequence[Row], top: float) -> Rows:
    """Where rows will be, before they are drawn."""
    return draw_rows(Drawing(drawing.is_narrow), rows, top)


def _draw_wide_row(
    drawing: Drawing, row: Row, y: float, left: float, right: float
) -> tuple[float, float]:
    name = wrap_words(row.name, left - GAP - AROUND + 1, drawing.size)
    told = wrap_words(row.told, drawing.width - right - GAP + 1, drawing.small)
    tall = max(height_of(name, drawing.size), height_of(told, drawing.small), row.height) + AROUND
    place = y + tall / 2
    if row.is_heading:
        drawing.text(0, place, row.name, is_bold=True)
    else:
        drawing.text(left - GAP - AROUND, place, name, side="end")
    if row.told:
        drawing.text(right + GAP, place, told, size=drawing.small)
    return place, y + tall


def _draw_narrow_row(
    drawing: Drawing, row: Row, y: float, _left: float, _right: float
) -> tuple[float, float]:
    """Name and words above what is drawn."""
    name = wrap_words(row.name, drawing.width, drawing.size)
    told = wrap_words(row.told, drawing.width, drawing.small)
    y += AROUND / 2
    tall = height_of(name, drawing.size)
    drawing.text(0, y + tall / 2, name, is_bold=row.is_heading)
    after = measure(name, drawing.size) + GAP
    is_one_line = count_lines(name) == count_lines(told) == 1
    if row.told and is_one_line and after + measure(told, drawing.small) <= drawing.width:
        drawing.text(after, y + tall / 2, told, size=drawing.small, colour=QUIET)
    elif row.told:
        below = height_of(told, drawing.small)
        drawing.text(0, y + tall + below / 2, told, size=drawing.small, colour=QUIET)
        tall += below
    if row.is_heading:
        return y + tall / 2, y + tall + AROUND / 2
    return y + tall + row.height / 2, y + tall + row.height + AROUND / 2


def find_axis(scale: Scale, points: Iterable[Point | None], start: float, stop: float) -> Axis:
    """The axis that holds every interval between two places."""
    ends = [end for point in points if point for end in point if end is not None]
    ticks = scale.ticks
    low, high = min([*ends, ticks[0]]), max([*ends, ticks[-1]])
    if scale.is_log:
        return Axis(max(low, LEAST), min(high, MOST), start, stop, is_log=True)
    first = low if ticks[0] < 0 else ticks[0]
    return Axis(first - scale.pad, (ticks[-1] if scale.pad else high) + scale.pad, start, stop)


def draw_sides(drawing: Drawing, scale: Scale, axis: Axis, top: float) -> float:
    """Say what lies on either side of the reference line; gives where they end."""
    if not scale.sides:
        return top
    at = axis.at(scale.reference or 0.0)
    left, right = scale.sides
    size = drawing.small
    told = [wrap_words(f"← {left}", max(at - AROUND, 60), size),
            wrap_words(f"{right} →", max(drawing.width - at - AROUND, 60), size)]  # fmt: skip
    bottom = top + max(height_of(one, size) for one in told) + AROUND / 2
    for one, side, x in ((told[0], "end", at - AROUND), (told[1], "start", at + AROUND)):
        y = bottom - AROUND / 2 - height_of(one, size) / 2
        drawing.text(x, y, one, side=side, size=size, colour=QUIET)
    return bottom


def draw_scale(drawing: Drawing, scale: Scale, axis: Axis, rows: Rows) -> None:
    """What is asked for shaded, lines at the ticks, what no difference is, and words below."""
    shown = [tick for tick in scale.ticks if axis.low <= tick <= axis.high]
    for top, end in rows.bands:
        bottom = end + 4 if end == rows.bottom else end
        if scale.band is not None:
            low, high = map(axis.at, scale.band)
            drawing.box(low, top, high - low, end - top, "#d5ebe2")
        for x in map(axis.at, shown):
            drawing.line([(x, top), (x, bottom)])
        if scale.reference is not None:
            x = axis.at(scale.reference)
            drawing.line([(x, top), (x, bottom)], INK, 1.4)
    y = rows.bottom + 6 + drawing.small * LINE / 2
    names = [scale.write(tick) for tick in shown]
    kept = thin_names([axis.at(tick) for tick in shown], names, drawing.small,
                      shown.index(scale.reference) if scale.reference in shown else 0)  # fmt: skip
    for place, name in kept:
        x = keep_inside(drawing, place, name)
        drawing.text(x, y, name, side="middle", size=drawing.small, colour=QUIET)
    drawing.reach(y + drawing.small * LINE / 2 + 2)
    if scale.label:
        told = wrap_words(scale.label, drawing.width, drawing.small)
        tall = height_of(told, drawing.small)
        middle = (axis.start + axis.stop) / 2
        half = measure(told, drawing.small) / 2
        x = min(max(middle, half), drawing.width - half)
        y = drawing.height + 2 + tall / 2
        drawing.text(x, y, told, side="middle", size=drawing.small, colour=QUIET)
        drawing.reach(y + tall / 2 + 4)


def keep_inside(drawing: Drawing, place: float, name: str) -> float:
    """The middle of a name that would run off the picture, moved so that it does not."""
    half = measure(name, drawing.small) / 2
    return min(max(place, half), drawing.width - half)


def thin_names(
    places: Sequence[float], names: Sequence[str], size: float, kept: int = 0
) -> list[tuple[float, str]]:
    """The names that do not run into each other: every one, every second, ..., `kept` among them.

    >>> thin_names([0, 10, 20], ["long", "long", "long"], 10)
    [(0, 'long')]
    """
    every = list(zip(places, names, strict=True))
    for step in range(1, len(names) + 1):
        shown = every[kept % step :: step]
        ends = [(place - measure(name, size) / 2, place + measure(name, size) / 2)
                for place, name in shown]  # fmt: skip
        if all(before[1] + 4 <= after[0] for before, after in itertools.pairwise(ends)):
            return shown
    return []


def draw_legend(
    drawing: Drawing,
    entries: Sequence[tuple[Callable[[float, float], None], str]],
    top: float,
) -> float:
    """Signs with their names from the left, in lines; each sign is drawn around a place."""
    x, y = 0.0, top
    tall = drawing.size * LINE
    for draw, name in entries:
        told = wrap_words(name, drawing.width - KEY, drawing.size)
        wide = KEY + measure(told, drawing.size)
        if x and x + wide > drawing.width:
            x, y = 0.0, y + tall
        lines = height_of(told, drawing.size)
        draw(x + KEY / 2 - 4, y + tall / 2)
        drawing.text(x + KEY, y + lines / 2, told)
        x, y = x + wide + KEY_GAP, y + lines - tall
    return y + tall + AROUND if entries else top


def draw_interval(
    drawing: Drawing, axis: Axis, y: float, point: Point, look: Look, *, is_filled: bool = True,
    width: float = 2.4, size: float = 10.0,
) -> None:  # fmt: skip
    """An estimate with its interval."""
    estimate, low, high = point
    if low is not None and high is not None:
        drawing.line([(axis.at(low), y), (axis.at(high), y)], look.colour, width)
    drawing.dot(axis.at(estimate), y, look, is_filled=is_filled, size=size)
