"""Groups below each other, each with its own difference and the pooled one, in words beside."""

from __future__ import annotations

from functools import partial

from revictimisation.report.colours import SERIES, Look
from revictimisation.report.described import GroupForest
from revictimisation.report.drawing import Drawing, draw_twice
from revictimisation.report.forest import draw_reason
from revictimisation.report.frames import (
    Row,
    draw_interval,
    draw_legend,
    draw_rows,
    draw_scale,
    draw_sides,
    find_axis,
    measure_rows,
    measure_sides,
)

# colour and shape tell which number it is, filling whether it is clear; own, pooled
LOOKS = (SERIES[0], Look(SERIES[1].colour, "diamond"))
SIZES, WIDTHS = (10.0, 9.0), (2.8, 1.8)
TALL, APART = 26.0, 6.5


def draw_groups(forest: GroupForest) -> tuple[bytes, bytes]:
    """Groups around no difference, the names of the two numbers above."""
    return draw_twice(partial(_draw_groups, forest))


def _draw_groups(forest: GroupForest, drawing: Drawing) -> None:
    rows = [Row(row.name, TALL, row.told if row.own else "", row.is_heading)
            for row in forest.rows]  # fmt: skip
    entries = [(partial(drawing.dot, look=look), name)
               for look, name in zip(LOOKS, forest.names, strict=True)]  # fmt: skip
    top = draw_legend(drawing, entries, 0.0)
    points = [point for row in forest.rows for point in (row.own, row.pooled)]
    axis = find_axis(forest.scale, points, *measure_sides(drawing, rows))
    top = draw_sides(drawing, forest.scale, axis, top)
    draw_scale(drawing, forest.scale, axis, top, top + measure_rows(drawing, rows))
    placed = draw_rows(drawing, rows, top)
    for y, row in zip(placed.places, forest.rows, strict=True):
        if row.own is None and row.told:
            draw_reason(drawing, axis.start, y, row.told)
        for number, point in enumerate((row.own, row.pooled)):
            if row.own is not None and point is not None:
                shift = (-APART, APART)[number]
                draw_interval(drawing, axis, y + shift, point, LOOKS[number], width=WIDTHS[number],
                              size=SIZES[number], is_filled=row.is_clear)  # fmt: skip
