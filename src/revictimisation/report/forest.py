"""One row per measure: a difference with its interval, in words beside it, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from revictimisation.report.charts import (
    COLOURS,
    INK,
    MARKERS,
    PAPER,
    QUIET,
    draw_both,
    row_axis,
    value_axis,
)
from revictimisation.report.described import Forest, ForestRow, Point
from revictimisation.report.verdicts import FEWER, MORE, OPEN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# colour, shape and filling all tell a verdict, so that any one of them may be lost
LOOKS = {FEWER: (COLOURS[0], MARKERS[0], COLOURS[0]), MORE: (COLOURS[1], MARKERS[1], COLOURS[1]),
         OPEN: (COLOURS[4], MARKERS[2], PAPER)}  # fmt: skip
STEPS = (0.02, 0.05, 0.1, 0.2, 0.5)
MOST_STEPS, LEAST_SIDE = 6, 0.02
# on narrow screens: how far a row's line lies below its middle, and its name above the line
BELOW, ABOVE = 0.14, 0.42


def draw_forest(forest: Forest) -> tuple[bytes, bytes]:
    """Differences with intervals around no difference; a row without one says why in words."""
    rows, scale = forest.rows, forest.scale

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.subplots()
        row_axis(axes, [row.name for row in rows], is_narrow, above=ABOVE - BELOW)
        for place, row in enumerate(rows):
            _draw_row(axes, row, place + (BELOW if is_narrow else 0.0), is_narrow)
        value_axis(axes, scale, is_narrow)

    n = len(rows)
    return draw_both(draw, (1.0 + n * 0.44, 1.05 + n * 0.66))


def _draw_row(axes: Axes, row: ForestRow, y: float, is_narrow: bool) -> None:
    where: Any = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
    if row.point is None:
        axes.annotate(
            row.told, (0.0, y), xytext=(0 if is_narrow else 5, 0), va="center", color=QUIET,
            fontsize=9.5, style="italic", bbox={"fc": PAPER, "ec": "none", "pad": 1.5}, **where,
        )  # fmt: skip
        return
    colour, shape, fill = LOOKS.get(row.verdict, LOOKS[OPEN])
    estimate, low, high = row.point
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], color=colour, lw=2.6, solid_capstyle="butt")
    axes.plot([estimate], [y], shape, ms=8.5, mfc=fill, mec=colour, mew=1.8)
    at, shift, side = ((1.0, y - ABOVE), 0, "right") if is_narrow else ((1.0, y), 8, "left")
    axes.annotate(
        row.told, at, xytext=(shift, 0), va="center", ha=side, fontsize=9.5, color=INK,
        annotation_clip=False, **where,
    )  # fmt: skip


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
