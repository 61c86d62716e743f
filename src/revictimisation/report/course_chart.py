"""Shares by period over time: dots, between what they lie by chance alone, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from revictimisation.report.charts import list_shares
from revictimisation.report.colours import INK, PAPER, QUIET, Look, find_look
from revictimisation.report.described import Course, CourseSeries
from revictimisation.report.drawing import (
    LINE,
    Axis,
    Drawing,
    draw_twice,
    height_of,
    measure,
    wrap_words,
)
from revictimisation.report.frames import AROUND, GAP, keep_inside, thin_names

TALL, NARROW_TALL = 170.0, 150.0  # of a panel
MARK, APART = 10.0, 4.0  # half the height of a letter's box, and least between two
DOT = 9.0


def draw_course(course: Course) -> tuple[bytes, bytes]:
    """Dots by period joined by lines, their limits of chance shaded; a panel a series."""
    return draw_twice(partial(_draw_course, course))


def _draw_course(course: Course, drawing: Drawing) -> None:
    told = [end for one in course.series for point in (*one.points, *one.limits) if point
            for end in point if end is not None]  # fmt: skip
    ticks = list_shares(max(told, default=0.1))
    label = wrap_words(course.y_label, drawing.width, drawing.small)
    tall = height_of(label, drawing.small) + AROUND
    drawing.text(0, tall / 2, label, size=drawing.small, colour=QUIET)
    left = GAP / 2 + max(measure(course.write(tick), drawing.small) for tick in ticks)
    n_periods = max(len(one.points) for one in course.series)
    time = Axis(0.0, float(n_periods), left, drawing.width - AROUND)
    name = drawing.small * LINE + 2 * AROUND  # what the name above a panel takes
    first = tall + (2 * MARK + AROUND if course.marks else 0.0)
    panel = (NARROW_TALL if drawing.is_narrow else TALL) + name
    bottom = first + panel * len(course.series)
    _draw_marks(drawing, course, time, first, bottom)
    for place, one in enumerate(course.series):
        top = first + panel * place + name
        shares = Axis(0.0, ticks[-1], first + panel * (place + 1), top)
        _draw_panel(drawing, course, one, find_look(one.look, place), time, shares, ticks)
        drawing.text(left + AROUND / 2, top - name / 2, one.name, size=drawing.small,
                     colour=find_look(one.look, place).colour, is_bold=True,
                     has_ground=True)  # fmt: skip
    _draw_years(drawing, course, time, bottom)


def _draw_panel(
    drawing: Drawing, course: Course, one: CourseSeries, look: Look, time: Axis, shares: Axis,
    ticks: Sequence[float],
) -> None:  # fmt: skip
    """A series by itself: what chance gives would hide another's."""
    for tick in ticks:
        y = shares.at(tick)
        with drawing.group("tick y"):
            drawing.line([(time.start, y), (time.stop, y)])
            drawing.text(time.start - GAP / 2, y, course.write(tick), side="end",
                         size=drawing.small, colour=QUIET)  # fmt: skip
    _shade(drawing, one, look, time, shares)
    _draw_short(drawing, course, time, shares.stop, shares.start)
    _draw_series(drawing, one, look, time, shares)


def _shade(drawing: Drawing, one: CourseSeries, look: Look, time: Axis, shares: Axis) -> None:
    """What chance alone gives: a box a period."""
    for place, limits in enumerate(one.limits):
        if limits is not None:
            x, y = time.at(place), shares.at(limits[1])
            tall = shares.at(limits[0]) - y
            drawing.box(x, y, time.at(place + 1) - x, tall, look.colour, opacity=0.14)


def _draw_series(drawing: Drawing, one: CourseSeries, look: Look, time: Axis, shares: Axis) -> None:
    """The dots and the line between those that are told."""
    placed = [
        (time.at(place + 0.5), shares.at(point[0]), one.is_outside(place))
        for place, point in enumerate(one.points)
        if point is not None
    ]
    drawing.line([(x, y) for x, y, _ in placed], look.colour, 1.6, look.dashes)
    for x, y, is_outside in placed:
        drawing.dot(x, y, look, is_filled=not is_outside, size=DOT + 4 * is_outside)


def _draw_marks(drawing: Drawing, course: Course, time: Axis, top: float, bottom: float) -> None:
    """What changed, by a letter at the head of a line; beside it where another is too near."""
    y, free = top - MARK - AROUND / 2, 0.0
    for place, letter in course.marks:
        x = time.at(place)
        half = max(MARK, measure(letter, drawing.small) / 2 + 4)
        box = max(x, free + half)
        free = box + half + APART
        drawing.line([(box, y), (x, top), (x, bottom)], INK, 1.2, "4 3")
        drawing.box(box - half, y - MARK, 2 * half, 2 * MARK, PAPER, edge=INK, corner=3)
        drawing.text(box, y, letter, side="middle", size=drawing.small, is_bold=True)


def _draw_short(drawing: Drawing, course: Course, time: Axis, top: float, bottom: float) -> None:
    """The periods that cannot be told yet, in words."""
    if course.short is None:
        return
    place, told = course.short
    x = time.at(place)
    drawing.line([(x, top), (x, bottom)], QUIET, 1.2)
    wrapped = wrap_words(told, max(time.stop - x - AROUND, 70), drawing.small)
    y = bottom - height_of(wrapped, drawing.small) / 2 - AROUND
    drawing.text(x + AROUND / 2, y, wrapped, size=drawing.small, colour=QUIET, is_italic=True)


def _draw_years(drawing: Drawing, course: Course, time: Axis, bottom: float) -> None:
    drawing.line([(time.start, bottom), (time.stop, bottom)], QUIET, 1.0)
    y = bottom + 8 + drawing.small * LINE / 2
    places = [time.at(place) for place, _ in course.years]
    for place, name in thin_names(places, [name for _, name in course.years], drawing.small):
        with drawing.group("tick x"):
            drawing.line([(place, bottom), (place, bottom + 5)], QUIET)
            x = keep_inside(drawing, place, name)
            drawing.text(x, y, name, side="middle", size=drawing.small, colour=QUIET)
    drawing.reach(y + drawing.small * LINE / 2 + 2)
