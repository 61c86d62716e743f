"""Diagrams of a design: the trial one would have wanted, and what is taken to drive what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from revictimisation.report.colours import INK, PAPER, QUIET, SOFT, STRATEGIES, VERDICTS
from revictimisation.report.described import CausalGraph, TrialDiagram
from revictimisation.report.drawing import Drawing, draw_twice, height_of, measure, wrap_words

INSIDE, GAP, CORNER = 9.0, 12.0, 4.0
HEAD = 8.0  # of an arrow
GRACE, FOLLOW_UP = 0.3, 0.7  # parts of the width of a strategy's time
NODE = 0.36  # of the width, at most, for measure and outcome
DASHED = "5 4"
ACCENT = VERDICTS["fewer"].colour


@dataclass(frozen=True)
class Box:
    """A box with words: its middle and its sides."""

    x: float
    y: float
    wide: float
    tall: float

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.y + self.tall / 2

    def leave(self, other: Box) -> tuple[float, float]:
        """Where a line towards another box's middle leaves this one."""
        right, down = other.x - self.x, other.y - self.y
        steps = [side / 2 / abs(way) for side, way in ((self.wide, right), (self.tall, down))
                 if abs(way) > 1e-9]  # fmt: skip
        step = min([*steps, 1.0])
        return self.x + right * step, self.y + down * step


def draw_trial(diagram: TrialDiagram) -> tuple[bytes, bytes]:
    """From who takes part, by two strategies with their grace, to what is compared."""
    return draw_twice(partial(_draw_trial, diagram))


def draw_graph(graph: CausalGraph) -> tuple[bytes, bytes]:
    """Covariates above, measure and outcome below them, what is not measured below these."""
    return draw_twice(partial(_draw_graph, graph))


def _draw_trial(diagram: TrialDiagram, drawing: Drawing) -> None:
    whole = drawing.width - 2
    top = _write_box(drawing, diagram.eligible, 1 + whole / 2, 1.0, whole)
    bar, bottom = 26.0, top.bottom
    for name, look in zip(diagram.strategies, STRATEGIES.values(), strict=True):
        told = wrap_words(name, whole - 20, drawing.size)
        tall = height_of(told, drawing.size)
        _draw_arrow(drawing, (14, bottom), (14, bottom + GAP + tall + GAP / 2))
        drawing.text(26, bottom + GAP / 2 + tall / 2 + 2, told, is_bold=True, has_ground=True)
        y = bottom + GAP + tall + GAP / 2
        grace = whole * GRACE
        drawing.box(1, y, grace, bar, SOFT, look.colour, dashes=look.dashes)
        drawing.box(1 + grace, y, whole * FOLLOW_UP - HEAD, bar, PAPER, look.colour,
                    dashes=look.dashes)  # fmt: skip
        drawing.text(1 + grace / 2, y + bar / 2, diagram.grace, side="middle", size=drawing.small)
        drawing.text(1 + grace + (whole * FOLLOW_UP) / 2, y + bar / 2, diagram.follow_up,
                     side="middle", size=drawing.small)  # fmt: skip
        bottom = y + bar
    _draw_arrow(drawing, (1 + whole / 2, bottom), (1 + whole / 2, bottom + 2 * GAP))
    last = _write_box(drawing, diagram.outcome, 1 + whole / 2, bottom + 2 * GAP, whole)
    drawing.reach(last.bottom + 2)


def _draw_graph(graph: CausalGraph, drawing: Drawing) -> None:
    pills = _place_pills(drawing, graph.covariates)
    top = max((pill.bottom for pill, _ in pills), default=0.0) + 4.5 * GAP
    wide = drawing.width * NODE
    left, right = (
        _measure_box(drawing, told, x, top, wide)
        for told, x in (
            (graph.measure, wide / 2 + 1),
            (graph.outcome, drawing.width - wide / 2 - 1),
        )
    )
    middle = _measure_box(drawing, graph.between, drawing.width / 2, top + 5 * GAP, wide)
    lowest = max([left.bottom, right.bottom, *([middle.bottom] if graph.between else [])])
    hidden = _measure_box(drawing, graph.unmeasured, drawing.width / 2, lowest + 3.5 * GAP,
                          drawing.width * 0.7)  # fmt: skip
    for pill, _ in pills:
        for node in (left, right):
            _draw_arrow(drawing, pill.leave(node), node.leave(pill), QUIET, 0.7)
    for node in (left, right):
        _draw_arrow(drawing, hidden.leave(node), node.leave(hidden), VERDICTS["more"].colour, 1.6,
                    DASHED)  # fmt: skip
    _draw_arrow(drawing, left.leave(right), right.leave(left), ACCENT, 2.4)
    if graph.between:
        _draw_arrow(drawing, left.leave(middle), middle.leave(left), ACCENT, 1.4)
        _draw_arrow(drawing, middle.leave(right), right.leave(middle), ACCENT, 1.4)
        _draw_box(drawing, middle, graph.between, ACCENT)
    for pill, told in pills:
        _draw_box(drawing, pill, told, QUIET, is_small=True)
    _draw_box(drawing, left, graph.measure, ACCENT, 2.0)
    _draw_box(drawing, right, graph.outcome, ACCENT, 2.0)
    _draw_box(drawing, hidden, graph.unmeasured, VERDICTS["more"].colour, dashes=DASHED)
    drawing.reach(hidden.bottom + 3)


def _place_pills(drawing: Drawing, words: Sequence[str]) -> list[tuple[Box, str]]:
    """Words in boxes in rows, as many beside each other as there is room for, in the middle."""
    rows: list[list[tuple[float, str]]] = [[]]
    for told in words:
        wide = measure(told, drawing.small) + 2 * INSIDE
        used = sum(one + GAP for one, _ in rows[-1])
        if rows[-1] and used + wide > drawing.width - 2:
            rows.append([])
        rows[-1].append((wide, told))
    tall = height_of("x", drawing.small) + INSIDE
    found, y = [], 1 + tall / 2
    for row in rows:
        x = (drawing.width - sum(wide for wide, _ in row) - GAP * (len(row) - 1)) / 2
        for wide, told in row:
            found.append((Box(x + wide / 2, y, wide, tall), told))
            x += wide + GAP
        y += tall + GAP * 0.8
    return found


def _measure_box(drawing: Drawing, told: str, x: float, top: float, wide: float) -> Box:
    """The box around words in the middle at `x`, from `top` down, at most as wide as given."""
    lines = wrap_words(told, wide - 2 * INSIDE, drawing.size)
    widest = measure(lines, drawing.size)
    tall = height_of(lines, drawing.size) + 1.4 * INSIDE
    return Box(x, top + tall / 2, min(widest + 2 * INSIDE, wide), tall)


def _write_box(drawing: Drawing, told: str, x: float, top: float, wide: float) -> Box:
    box = _measure_box(drawing, told, x, top, wide)
    whole = Box(box.x, box.y, wide, box.tall)
    _draw_box(drawing, whole, told, ACCENT, 1.8)
    return whole


def _draw_box(
    drawing: Drawing, box: Box, told: str, edge: str, _width: float = 1.4, dashes: str = "",
    *, is_small: bool = False,
) -> None:  # fmt: skip
    size = drawing.small if is_small else drawing.size
    drawing.box(box.x - box.wide / 2, box.y - box.tall / 2, box.wide, box.tall, PAPER, edge,
                dashes=dashes, corner=CORNER)  # fmt: skip
    lines = told if is_small else wrap_words(told, box.wide - 2 * INSIDE + 1, size)
    drawing.text(box.x, box.y, lines, side="middle", size=size)


def _draw_arrow(
    drawing: Drawing, start: tuple[float, float], stop: tuple[float, float], colour: str = INK,
    width: float = 1.4, dashes: str = "",
) -> None:  # fmt: skip
    """A line with a head where it stops."""
    right, down = stop[0] - start[0], stop[1] - start[1]
    long = math.hypot(right, down) or 1.0
    right, down = right / long, down / long
    neck = stop[0] - HEAD * right, stop[1] - HEAD * down
    drawing.line([start, neck], colour, width, dashes)
    side = HEAD * 0.42
    drawing.area([stop, (neck[0] - side * down, neck[1] + side * right),
                  (neck[0] + side * down, neck[1] - side * right)], colour)  # fmt: skip
