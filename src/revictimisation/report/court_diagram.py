"""What could explain that a measure and a conviction go together: boxes and arrows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from revictimisation.report.colours import PAPER, QUIET, SERIES
from revictimisation.report.described import CourtDiagram
from revictimisation.report.drawing import Drawing, draw_twice, height_of, measure

# box: place on a wide screen, place on a narrow one (of 1 x 1), and whether the study can see it
BOXES: Mapping[str, tuple[tuple[float, float], tuple[float, float], bool]] = {
    "known": ((0.16, 0.86), (0.28, 0.93), True),
    "unknown": ((0.80, 0.86), (0.75, 0.93), False),
    "measure": ((0.14, 0.14), (0.15, 0.52), True),
    "part": ((0.48, 0.36), (0.82, 0.36), True),
    "conviction": ((0.84, 0.14), (0.50, 0.08), True),
}
# from, to, and whether the arrow is of what is not seen
ARROWS = (
    ("known", "measure", False), ("known", "conviction", False), ("unknown", "measure", True),
    ("unknown", "conviction", True), ("measure", "part", False), ("part", "conviction", False),
    ("measure", "conviction", False),
)  # fmt: skip

WIDE_HEIGHT, NARROW_HEIGHT = 340.0, 430.0
AROUND, APART, HEAD = 10.0, 4.0, 10.0
Box = tuple[float, float, float, float]  # middle, half width, half height


def draw_explanations(diagram: CourtDiagram) -> tuple[bytes, bytes]:
    """Draw the boxes with the diagram's words, for wide and narrow screens."""
    return draw_twice(partial(_draw_explanations, diagram))


def _draw_explanations(diagram: CourtDiagram, drawing: Drawing) -> None:
    height = NARROW_HEIGHT if drawing.is_narrow else WIDE_HEIGHT
    words = {name: told.replace("|", "\n") for name, told in diagram.words.items()}
    boxes = {
        name: _place(drawing, words[name], narrow if drawing.is_narrow else wide, height)
        for name, (wide, narrow, _) in BOXES.items()
    }
    for start, end, is_hidden in ARROWS:
        _draw_arrow(drawing, boxes[start], boxes[end], is_hidden=is_hidden)
    for name, (x, y, half, tall) in boxes.items():
        is_seen = BOXES[name][2]
        drawing.box(x - half, y - tall, 2 * half, 2 * tall, PAPER, SERIES[not is_seen].colour,
                    dashes="" if is_seen else "6 4", corner=5)  # fmt: skip
        drawing.text(x, y, words[name], side="middle", size=drawing.small)
    drawing.reach(height)


def _place(drawing: Drawing, told: str, at: tuple[float, float], height: float) -> Box:
    """A box around its words, inside the picture."""
    half = max(measure(line, drawing.small) for line in told.split("\n")) / 2 + AROUND
    tall = height_of(told, drawing.small) / 2 + AROUND
    x = min(max(at[0] * drawing.width, half + 1), drawing.width - half - 1)
    y = min(max((1 - at[1]) * height, tall + 1), height - tall - 1)
    return x, y, half, tall


def _find_edge(box: Box, towards: Box) -> tuple[float, float]:
    """Where a line from the middle of a box to that of another leaves it."""
    x, y, half, tall = box
    right, down = towards[0] - x, towards[1] - y
    share = min(half / abs(right) if right else math.inf, tall / abs(down) if down else math.inf)
    length = math.hypot(right, down)
    share += APART / length
    return x + share * right, y + share * down


def _draw_arrow(drawing: Drawing, start: Box, end: Box, *, is_hidden: bool) -> None:
    """From the edge of a box to the edge of another."""
    colour = SERIES[1].colour if is_hidden else QUIET
    draw_arrow(drawing, _find_edge(start, end), _find_edge(end, start), colour,
               "6 4" if is_hidden else "")  # fmt: skip


def draw_arrow(
    drawing: Drawing, start: tuple[float, float], end: tuple[float, float], colour: str,
    dashes: str = "",
) -> None:  # fmt: skip
    """A line with a head at its end."""
    turn = math.atan2(end[1] - start[1], end[0] - start[0])
    back = (end[0] - HEAD * math.cos(turn), end[1] - HEAD * math.sin(turn))
    drawing.line([start, back], colour, 2.0, dashes)
    wings = [(end[0] - HEAD * math.cos(turn + side), end[1] - HEAD * math.sin(turn + side))
             for side in (0.45, -0.45)]  # fmt: skip
    drawing.area([end, *wings], colour)
