"""One row per measure: a difference with its interval, in words beside it, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from revictimisation.report.colours import QUIET, VERDICTS
from revictimisation.report.described import Forest, Point
from revictimisation.report.drawing import Drawing, draw_twice, wrap_words
from revictimisation.report.frames import (
    GAP,
    Row,
    draw_interval,
    draw_rows,
    draw_scale,
    draw_sides,
    find_axis,
    lay_rows,
    measure_sides,
)
from revictimisation.report.verdicts import FEWER, MORE, OPEN

# colour, shape and filling all tell a verdict, so that any one of them may be lost
LOOKS = {FEWER: VERDICTS["fewer"], MORE: VERDICTS["more"], OPEN: VERDICTS["open"]}
STEPS = (0.02, 0.05, 0.1, 0.2, 0.5)
MOST_STEPS, LEAST_SIDE = 6, 0.02
TALL = 26.0


def draw_forest(forest: Forest) -> tuple[bytes, bytes]:
    """Differences with intervals around no difference; a row without one says why in words."""
    return draw_twice(partial(_draw_forest, forest))


def _draw_forest(forest: Forest, drawing: Drawing) -> None:
    rows = [Row(row.name, TALL, row.told if row.point else "") for row in forest.rows]
    axis = find_axis(
        forest.scale, [row.point for row in forest.rows], *measure_sides(drawing, rows)
    )
    top = draw_sides(drawing, forest.scale, axis, 0.0)
    draw_scale(drawing, forest.scale, axis, lay_rows(drawing, rows, top))
    placed = draw_rows(drawing, rows, top)
    for y, row in zip(placed.places, forest.rows, strict=True):
        if row.point is None:
            draw_reason(drawing, axis.start, y, row.told)
            continue
        look = LOOKS.get(row.verdict, LOOKS[OPEN])
        draw_interval(drawing, axis, y, row.point, look, is_filled=look.is_filled, size=11.0)


def draw_reason(drawing: Drawing, x: float, y: float, told: str) -> None:
    """Why a row has no number, in its place."""
    told = wrap_words(told, drawing.width - x - GAP, drawing.small)
    drawing.text(x, y, told, size=drawing.small, colour=QUIET, is_italic=True, has_ground=True)


def list_ticks(points: Sequence[Point | None]) -> list[float]:
    """Even steps on both sides of 0 that hold every interval, at most eight of them.

    >>> list_ticks([(-0.02, -0.06, 0.03)])
    [-0.06, -0.04, -0.02, 0.0, 0.02, 0.04]
    >>> list_ticks([])
    [-0.1, -0.05, 0.0, 0.05, 0.1]
    """
    ends = [end for point in points if point for end in point if end is not None] or [-0.1, 0.1]
    low, high = min([*ends, -LEAST_SIDE]), max([*ends, LEAST_SIDE])
    step = next((one for one in STEPS if (high - low) / one <= MOST_STEPS), STEPS[-1])
    first = math.floor(round(low / step, 6))
    last = math.ceil(round(high / step, 6))
    return [round(at * step, 6) for at in range(first, last + 1)]
