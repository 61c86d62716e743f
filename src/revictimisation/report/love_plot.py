"""Balance by covariate: how far the arms are from the cohort before and after weighting.

As the plots of Love are drawn (Austin 2009), with a dot for each measure.
"""

from __future__ import annotations

from functools import partial

from revictimisation.report.colours import QUIET, RULE, SERIES, Look
from revictimisation.report.described import LovePlot
from revictimisation.report.drawing import Axis, Drawing, draw_twice, height_of, measure, wrap_words

ROW, DOT, GAP = 25.0, 7.5, 10.0
NAMES = 0.34  # of the width, at most, for the names of the rows
STEPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
MOST_TICKS = 7
AFTER = SERIES[0]
BEFORE = Look(SERIES[1].colour, "square", is_filled=False)


def draw_love(plot: LovePlot) -> tuple[bytes, bytes]:
    """A row a covariate: open squares before, filled dots after weighting, and the limit."""
    return draw_twice(partial(_draw, plot))


def list_ticks(most: float) -> list[float]:
    """A few round ticks from 0 to what holds the largest.

    >>> list_ticks(0.63)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    for step in STEPS:
        n = int(most / step) + 1
        if n < MOST_TICKS:
            break
    return [round(step * at, 2) for at in range(n + 1)]


def _draw(plot: LovePlot, drawing: Drawing) -> None:
    names = [wrap_words(row.name, NAMES * drawing.width, drawing.size) for row in plot.rows]
    left = max((measure(name, drawing.size) for name in names), default=0.0) + GAP
    ticks = list_ticks(max((one for row in plot.rows for one in (*row.before, *row.after)),
                           default=plot.limit))  # fmt: skip
    axis = Axis(0.0, ticks[-1], left + DOT, drawing.width - DOT - 6)
    top = _draw_key(drawing, plot)
    heights = [max(ROW, height_of(name, drawing.size) + 6) for name in names]
    bottom = top + sum(heights)
    for tick in ticks:
        drawing.line([(axis.at(tick), top), (axis.at(tick), bottom)], RULE, 0.8)
        drawing.text(axis.at(tick), bottom + 12, plot.write(tick), side="middle", colour=QUIET,
                     size=drawing.small)  # fmt: skip
    at = axis.at(plot.limit)
    drawing.line([(at, top - 2), (at, bottom)], QUIET, 1.6, "6 3")
    y = top
    for row, name, tall in zip(plot.rows, names, heights, strict=True):
        drawing.line([(0, y), (drawing.width, y)], RULE, 0.5)
        y += tall
        drawing.text(left - GAP, y - tall / 2, name, side="end")
        for values, look, shift in ((row.before, BEFORE, -4.5), (row.after, AFTER, 4.5)):
            for value in values:
                drawing.dot(axis.at(value), y - tall / 2 + shift, look, is_filled=look.is_filled,
                            size=DOT)  # fmt: skip
    drawing.text((axis.start + axis.stop) / 2, bottom + 30, plot.axis, side="middle", colour=QUIET,
                 size=drawing.small)  # fmt: skip
    drawing.reach(bottom + 42)


def _draw_key(drawing: Drawing, plot: LovePlot) -> float:
    x = DOT
    for name, look in zip(plot.names, (BEFORE, AFTER), strict=True):
        drawing.dot(x, 9, look, is_filled=look.is_filled, size=DOT + 2)
        drawing.text(x + GAP, 9, name)
        x += GAP + measure(name, drawing.size) + 3 * GAP
    return 26.0
