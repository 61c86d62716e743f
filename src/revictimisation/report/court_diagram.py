"""What could explain that a measure and a conviction go together: boxes and arrows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from revictimisation.report.charts import COLOURS, INK, PAPER, QUIET, draw_both
from revictimisation.report.described import CourtDiagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

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


def draw_explanations(diagram: CourtDiagram) -> tuple[bytes, bytes]:
    """Draw the boxes with the diagram's words, for wide and narrow screens."""
    words = diagram.words

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.subplots()
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.axis("off")
        place = {name: box[1] if is_narrow else box[0] for name, box in BOXES.items()}
        boxes = {
            name: _box(axes, place[name], words[name].replace("|", "\n"), is_seen=is_seen,
                       size=9.0 if is_narrow else 10.5)
            for name, (_, _, is_seen) in BOXES.items()
        }  # fmt: skip
        for start, end, is_hidden in ARROWS:
            _arrow(axes, boxes[start], boxes[end], is_hidden=is_hidden)

    return draw_both(draw, (3.4, 4.4))


def _box(axes: Axes, at: tuple[float, float], told: str, *, is_seen: bool, size: float) -> Text:
    colour = COLOURS[0] if is_seen else COLOURS[1]
    style = {"boxstyle": "round,pad=0.5", "facecolor": PAPER, "edgecolor": colour, "lw": 1.8,
             "ls": "solid" if is_seen else "--"}  # fmt: skip
    return axes.text(*at, told, ha="center", va="center", fontsize=size, color=INK, bbox=style)


def _arrow(axes: Axes, start: Text, end: Text, *, is_hidden: bool) -> None:
    """From the edge of a box to the edge of another; drawn last, when the boxes have their size."""
    colour = COLOURS[1] if is_hidden else QUIET
    look = {"arrowstyle": "-|>", "color": colour, "lw": 1.6, "ls": "--" if is_hidden else "solid",
            "patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch(), "shrinkA": 3,
            "shrinkB": 3}  # fmt: skip
    axes.annotate("", xy=end.get_position(), xytext=start.get_position(), arrowprops=look, zorder=4)
