"""Shares that fill a hundred at every day, stacked, each named in its area or at its end."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from revictimisation.report.colours import INK, PAPER, QUIET, SOFT, find_look
from revictimisation.report.described import Areas
from revictimisation.report.drawing import LINE, Axis, Drawing, draw_twice, measure, wrap_words

HEIGHT = 270.0
AROUND, GAP = 8.0, 12.0
NAMES = 0.27  # of the width, at most, for names at the ends
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
THICK = 0.5  # an area that is once so thick holds its name


def draw_areas(areas: Areas) -> tuple[bytes, bytes]:
    """From below in the order of the series, for wide and for narrow screens."""
    return draw_twice(partial(_draw_areas, areas))


def _draw_areas(areas: Areas, drawing: Drawing) -> None:
    size, write = drawing.small, areas.write
    gap = "\n" if drawing.is_narrow else " "
    names = {
        one.name: f"{wrap_words(one.name, NAMES * drawing.width, size)}{gap}{one.told}".rstrip()
        for one in areas.series
    }
    room = max(measure(told, size) for told in names.values()) * 1.08
    left = GAP / 2 + max(measure(write(tick), size) for tick in TICKS)
    top = AROUND + size * LINE
    drawing.text(0, size * LINE / 2, areas.y_label, size=size, colour=QUIET)
    bottom = top + HEIGHT
    days = Axis(0.0, areas.days[-1], left, drawing.width - room - GAP)
    shares = Axis(0.0, 1.0, bottom, top)
    for tick in TICKS:
        drawing.text(left - GAP / 2, shares.at(tick), write(tick), side="end", size=size,
                     colour=QUIET)  # fmt: skip
    base = [0.0] * len(areas.days)
    places: list[tuple[float, str]] = []
    for number, one in enumerate(areas.series):
        upper = [below + share for below, share in zip(base, one.shares, strict=True)]
        colour = find_look(one.look, number).colour if one.look else SOFT
        upper_edge, lower_edge = (
            [(days.at(day), shares.at(share)) for day, share in zip(areas.days, edge, strict=True)]
            for edge in (upper, base)
        )
        drawing.area([*upper_edge, *lower_edge[::-1]], colour)
        if number:
            drawing.line(lower_edge, PAPER, 1.5)
        if one.look:
            places.append((shares.at((base[-1] + upper[-1]) / 2), one.name))
        elif max(one.shares) > THICK:
            drawing.text(left + GAP / 2, top + size, one.name, size=size, is_bold=True)
        base = upper
    _name_ends(drawing, places, names, days.stop + GAP / 2)
    _draw_days(drawing, areas, days, bottom)


def _name_ends(
    drawing: Drawing, places: list[tuple[float, str]], names: dict[str, str], x: float
) -> None:
    """Names beside the ends, from below, moved up where they would cover each other."""
    least = float("inf")
    for middle, name in places:
        tall = (names[name].count("\n") + 1) * drawing.small * LINE
        at = min(middle, least - tall / 2)
        least = at - tall / 2
        drawing.text(x, at, names[name], size=drawing.small, colour=INK)


def _draw_days(drawing: Drawing, areas: Areas, days: Axis, bottom: float) -> None:
    size = drawing.small
    y = bottom + 8 + size * LINE / 2
    drawing.line([(days.start, bottom), (days.stop, bottom)], QUIET)
    ticks = [(days.at(day), told) for day, told in areas.ticks]
    for (at, told), (before, told_before) in pairwise([*ticks[::-1], (float("-inf"), "")]):
        if at - before >= (measure(told, size) + measure(told_before, size)) / 2 + GAP:
            drawing.text(at, y, told, side="middle", size=size, colour=QUIET)
    drawing.reach(y + size * LINE / 2 + 2)
