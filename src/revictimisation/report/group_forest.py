"""Groups below each other, each with its own difference and the pooled one, in words beside."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from revictimisation.report.charts import COLOURS, INK, PAPER, QUIET, RULE, draw_both, value_axis
from revictimisation.report.described import GroupForest, GroupRow, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# colour and shape tell which number it is, filling whether it is clear
OWN, POOLED = (COLOURS[0], "o", 8.0, 2.6), (COLOURS[1], "D", 5.6, 1.5)
# heights in rows; on narrow screens the name stands above its line
ROW, HEADING, NARROW_ROW = 1.0, 0.95, 1.55
APART = 0.17
INCHES, FRAME = 0.36, 1.35
# letters of a name on one line, on wide screens
LONGEST = 34


def draw_groups(forest: GroupForest) -> tuple[bytes, bytes]:
    """Groups around no difference, the names of the two numbers above."""
    rows, scale, names = forest.rows, forest.scale, forest.names

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.subplots()
        places, bottom = _place_rows(rows, is_narrow)
        axes.set_ylim(bottom, -0.1)
        for y, row in zip(places, rows, strict=True):
            _describe_row(axes, row, y, is_narrow)
        for pick, look, shift in ((0, OWN, -APART), (1, POOLED, APART)):
            for is_clear in (False, True):
                points = [((row.own, row.pooled)[pick], y + shift)
                          for y, row in zip(places, rows, strict=True)
                          if row.is_clear == is_clear]  # fmt: skip
                known = [(y, point) for point, y in points if point]
                _draw_marks(axes, known, look, is_clear=is_clear)
        _name_rows(axes, rows, places, is_narrow)
        value_axis(axes, scale, is_narrow)
        figure.legend(
            handles=[_key(look, name) for look, name in zip((OWN, POOLED), names, strict=True)],
            loc="outside upper left", ncols=1 if is_narrow else 2, frameon=False,
            handletextpad=0.4, borderaxespad=0.2,
        )  # fmt: skip

    heights = [_place_rows(rows, is_narrow)[1] * INCHES + FRAME for is_narrow in (False, True)]
    return draw_both(draw, (heights[0], heights[1] + 0.25))


def _key(look: tuple[str, str, float, float], name: str) -> Any:
    from matplotlib.lines import Line2D

    colour, shape, size, width = look
    return Line2D([], [], color=colour, marker=shape, ms=size, lw=width, label=name)


def _place_rows(rows: Sequence[GroupRow], is_narrow: bool) -> tuple[list[float], float]:
    """The middle of each row's lines, from above, and where the last row ends."""
    at, places = 0.0, []
    for row in rows:
        height = HEADING if row.is_heading else NARROW_ROW if is_narrow else ROW
        below = 0.5 if is_narrow and not row.is_heading else height / 2
        places.append(at + height - below)
        at += height
    return places, at


def _describe_row(axes: Axes, row: GroupRow, y: float, is_narrow: bool) -> None:
    if row.is_heading:
        return
    where: Any = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
    if row.own is None:
        axes.annotate(
            row.told, (0.0, y), xytext=(0 if is_narrow else 5, 0), va="center", color=QUIET,
            fontsize=9.5, style="italic", bbox={"fc": PAPER, "ec": "none", "pad": 1.5}, **where,
        )  # fmt: skip
        return
    at, shift, side = ((1.0, y - 0.75), 0, "right") if is_narrow else ((1.0, y), 8, "left")
    axes.annotate(
        row.told, at, xytext=(shift, 0), va="center", ha=side, fontsize=9.5, color=INK,
        annotation_clip=False, **where,
    )  # fmt: skip


def _draw_marks(
    axes: Axes, points: Sequence[tuple[float, Point]], look: tuple[str, str, float, float],
    *, is_clear: bool,
) -> None:  # fmt: skip
    """All points of one kind with their intervals, at their heights; filled if clear."""
    colour, shape, size, width = look
    ends = [(y, low, high) for y, (_, low, high) in points if low is not None and high is not None]
    if ends:
        heights, lows, highs = zip(*ends, strict=True)
        axes.hlines(heights, lows, highs, color=colour, lw=width)
    axes.plot([point[0] for _, point in points], [y for y, _ in points], shape, ms=size,
              mec=colour, mfc=colour if is_clear else PAPER, mew=1.6)  # fmt: skip


def _name_rows(
    axes: Axes, rows: Sequence[GroupRow], places: Sequence[float], is_narrow: bool
) -> None:
    """Names at the left, or above each line where there is no room; headings in bold."""
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    to_left: Any = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points",
                    "annotation_clip": False, "va": "center"}  # fmt: skip
    for y, row in zip(places, rows, strict=True):
        if row.is_heading:
            axes.axhline(y - HEADING / 2, color=RULE, lw=1.0)
        if is_narrow:
            at = y if row.is_heading else y - 0.75
            axes.annotate(row.name, (0.0, at), xytext=(0, 0), ha="left",
                          fontweight="bold" if row.is_heading else "normal", color=INK,
                          bbox={"fc": PAPER, "ec": "none", "pad": 0.8}, **to_left)  # fmt: skip
        elif row.is_heading:
            axes.annotate(row.name, (0.0, y), xytext=(-8, 0), ha="right", fontweight="bold",
                          color=INK, **to_left)  # fmt: skip
    if not is_narrow:
        named = [(y, row.name) for y, row in zip(places, rows, strict=True) if not row.is_heading]
        axes.set_yticks([y for y, _ in named], [fill(name, LONGEST) for _, name in named],
                        color=INK, fontsize=10)  # fmt: skip
