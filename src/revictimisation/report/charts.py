"""Pictures: dots with intervals, bars and curves, as SVG with the same bytes every time.

Each is drawn twice, for wide and for narrow screens. Colours hold for colour-blind eyes and in
grey print; lines also differ in dashes and dots in shape; words stand beside what they name.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from revictimisation.report.described import (
    Bars,
    Curves,
    CurveSeries,
    Dots,
    DotSeries,
    Point,
    Scale,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, RULE, PAPER = "#17212b", "#4a5763", "#cfd6dc", "#ffffff"
COLOURS = ("#0a4f7d", "#b4470e", "#3d7a3a", "#7a3e8f", "#5b6670", "#8a6d00")
DASHES: tuple[tuple[float, tuple[float, ...] | None] | str, ...] = (
    "solid", (0, (5, 2)), (0, (1.2, 1.4)), (0, (7, 2, 1.5, 2)), (0, (3, 3)), (0, (9, 3)),
)  # fmt: skip
MARKERS = ("o", "s", "D", "^", "v", "P")
BAR_COLOURS = ("#0a4f7d", "#e08a3c", "#9aa5ae")  # dark, middle and light also in grey print
# room is reserved by a wide font that comes with matplotlib; the reader's own is narrower
DRAWN_WITH, SHOWN_WITH = b"'DejaVu Sans'", b"'Segoe UI', Helvetica, Arial, sans-serif"
WIDE_INCHES, NARROW_INCHES = 7.0, 4.1
MOST_BESIDE = 3  # names of series in a row; of more, two
LEAST, MOST = 0.08, 12.5
WIDE_APART, NARROW_APART = 0.1, 0.18  # between names of days, for them not to touch
RC: Any = {
    "svg.hashsalt": "revictimisation",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.edgecolor": RULE,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw_both(
    draw: Callable[[Figure, bool], None], heights: tuple[float, float]
) -> tuple[bytes, bytes]:
    """Draw for a wide and for a narrow screen; `draw` gets the figure and whether it is narrow."""
    wide = render(draw, WIDE_INCHES, heights[0], is_narrow=False)
    return wide, render(draw, NARROW_INCHES, heights[1], is_narrow=True)


def render(
    draw: Callable[[Figure, bool], None], width: float, height: float, *, is_narrow: bool
) -> bytes:
    """One SVG, without a date and with fixed identifiers."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with _style():
        figure = Figure(figsize=(width, height), facecolor=PAPER, layout="constrained")
        canvas: Any = FigureCanvasSVG(figure)
        draw(figure, is_narrow)
        stream = io.BytesIO()
        canvas.print_svg(stream, metadata={"Date": None, "Creator": None})
    return stream.getvalue().replace(DRAWN_WITH, SHOWN_WITH)


@contextmanager
def _style() -> Iterator[None]:
    from matplotlib import rc_context

    with rc_context(RC):
        yield


def draw_dots(dots: Dots) -> tuple[bytes, bytes]:
    """Rows of dots with intervals; a row without a number is left empty."""
    labels, series, scale = dots.labels, dots.series, dots.scale

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.subplots()
        for number, one in enumerate(series):
            _dots(axes, one, number, _place(number, len(series), is_narrow))
        row_axis(axes, labels, is_narrow, above=0.33)
        value_axis(axes, scale, is_narrow)
        if len(series) > 1:
            handles, names = axes.get_legend_handles_labels()
            figure.legend(
                handles, names, loc="outside upper left", ncols=1 if is_narrow else beside,
                frameon=False, handletextpad=0.4, borderaxespad=0.2,
            )  # fmt: skip

    beside = len(series) if len(series) <= MOST_BESIDE else 2
    head = 0.5 + (0.3 if scale.sides else 0.0)
    wide_head = head + 0.35 + (0.25 * (-(-len(series) // 2) - 1) if beside < len(series) else 0.0)
    rows, per = len(labels), 0.30 + 0.16 * len(series)
    narrow_head = head + 0.25 * len(series)
    return draw_both(draw, (wide_head + rows * per, narrow_head + rows * (per + 0.32)))


def _place(number: int, n_series: int, is_narrow: bool) -> float:
    """Where in its row (-0.5 to 0.5) a series stands; on narrow screens the name is above it."""
    first, last = (-0.12, 0.36) if is_narrow else (-0.3, 0.3)
    if n_series == 1:
        return (first + last) / 2
    step = min((last - first) / (n_series - 1), 0.26)
    return (first + last) / 2 + step * (number - (n_series - 1) / 2)


def _dots(axes: Axes, one: DotSeries, number: int, shift: float) -> None:
    colour = COLOURS[number]
    shown = [(row + shift, point) for row, point in enumerate(one.points) if point]
    ends = [(y, low, high) for y, (_, low, high) in shown if low is not None and high is not None]
    if ends:
        axes.hlines(*zip(*ends, strict=True), color=colour, lw=2.2)
    look: Any = {"ms": 7.5, "mec": colour, "mew": 1.8}
    for is_open in (False, True):
        here = [(y, point[0]) for y, point in shown if _is_open(one, round(y - shift)) == is_open]
        axes.plot(
            [value for _, value in here], [y for y, _ in here], MARKERS[number],
            mfc=PAPER if is_open else colour, **look,
        )  # fmt: skip
    fill = colour if one.is_filled else PAPER
    axes.plot([], [], MARKERS[number], mfc=fill, label=one.name, **look)


def _is_open(one: DotSeries, row: int) -> bool:
    return one.is_open[row] if one.is_open else not one.is_filled


def draw_bars(bars: Bars) -> tuple[bytes, bytes]:
    """Horizontal bars with the value written at the end."""
    labels, values, kinds, scale = bars.labels, bars.values, bars.kinds, bars.scale

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.subplots()
        places = [row + (0.17 if is_narrow else 0.0) for row in range(len(values))]
        _bars(axes, places, values, kinds, 0.34 if is_narrow else 0.62)
        for y, value in zip(places, values, strict=True):
            _write_value(axes, y, value, scale)
        row_axis(axes, labels, is_narrow, above=0.2)
        value_axis(axes, scale, is_narrow)
        shown = sorted(set(kinds))
        if len(bars.kind_names) > 1:
            patches = [_patch(kind) for kind in shown]
            names = [bars.kind_names[kind] for kind in shown]
            figure.legend(
                patches, names, loc="outside upper left", ncols=1 if is_narrow else len(shown),
                frameon=False, handlelength=1.1, borderaxespad=0.2,
            )  # fmt: skip

    rows = len(labels)
    legend = 0.3 * len(set(kinds)) if len(bars.kind_names) > 1 else 0.0
    return draw_both(draw, (0.75 + rows * 0.32 + min(legend, 0.3), 0.7 + rows * 0.5 + legend))


def _patch(kind: int) -> Artist:
    from matplotlib.patches import Patch

    return Patch(facecolor=BAR_COLOURS[kind], lw=0)


def _bars(
    axes: Axes, places: Sequence[float], values: Sequence[Point | None], kinds: Sequence[int],
    height: float,
) -> None:  # fmt: skip
    """Bars from 0 with their intervals; nothing where there is no number."""
    known = [
        (y, value, BAR_COLOURS[kind])
        for y, value, kind in zip(places, values, kinds, strict=True)
        if value is not None
    ]
    if not known:
        return
    heights, shown, colours = zip(*known, strict=True)
    axes.barh(heights, [value[0] for value in shown], height=height, color=colours, lw=0)
    ends = [(y, value[1], value[2]) for y, value, _ in known if None not in value]
    if ends:
        for colour, width in ((PAPER, 3.4), (INK, 1.4)):  # seen on dark bars too
            axes.hlines(*zip(*ends, strict=True), color=colour, lw=width, zorder=2)


def _write_value(axes: Axes, y: float, value: Point | None, scale: Scale) -> None:
    """The number beyond the bar and its interval."""
    if value is None:
        axes.text(0, y, " –", va="center", color=QUIET)
        return
    estimate, low, high = value
    end = estimate if low is None or high is None else max(estimate, high)
    axes.annotate(
        scale.write(estimate), (end, y), xytext=(5, 0), textcoords="offset points", va="center",
        fontsize=10,
    )  # fmt: skip


def row_axis(axes: Axes, labels: Sequence[str], is_narrow: bool, above: float) -> None:
    """Names at the left, or above each row where there is no room beside it."""
    axes.set_ylim(len(labels) - 0.35, -0.65)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    between = [row - 0.5 for row in range(1, len(labels))]
    if between:
        axes.hlines(between, 0, 1, transform=axes.get_yaxis_transform(), color=RULE, lw=0.5)
    if not is_narrow:
        axes.set_yticks(range(len(labels)), labels, color=INK)
        return
    axes.set_yticks([])
    for row, label in enumerate(labels):
        axes.text(
            0, row - above, label, transform=axes.get_yaxis_transform(), va="center", color=INK,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip


def value_axis(axes: Axes, scale: Scale, is_narrow: bool) -> None:
    """The axis along the bottom with its ticks in words, and what no difference is."""
    if scale.is_log:
        axes.set_xscale("log")
    low, high = axes.get_xlim()
    ticks = list(scale.ticks)
    if scale.is_log:  # an interval that runs off the axis has its ends in the table
        axes.set_xlim(max(min(low, ticks[0]), LEAST), min(max(high, ticks[-1]), MOST))
    else:
        first = min(low, ticks[0]) if ticks[0] < 0 else ticks[0]
        last = ticks[-1] if scale.pad else max(high, ticks[-1])
        axes.set_xlim(first - scale.pad, last + scale.pad)
    axes.set_xticks(ticks, [scale.write(tick) for tick in ticks])
    axes.minorticks_off()
    axes.grid(axis="x", color=RULE, lw=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(scale.label)
    if scale.band is not None:
        axes.axvspan(*scale.band, color=COLOURS[2], alpha=0.2, lw=0, zorder=0)
    if scale.reference is not None:
        axes.axvline(scale.reference, color=INK, lw=1.2)
    if scale.sides:
        _sides(axes, scale, is_narrow)


def _sides(axes: Axes, scale: Scale, is_narrow: bool) -> None:
    """Say what lies on either side of the reference line."""
    at = scale.reference or 0.0
    left, right = scale.sides or ("", "")
    size = 9.5 if is_narrow else 10.5
    for told, side, shift in ((f"← {left}", "right", -8), (f"{right} →", "left", 8)):
        axes.annotate(
            told, (at, 1.0), xycoords=axes.get_xaxis_transform(), xytext=(shift, 4),
            textcoords="offset points", ha=side, va="bottom", fontsize=size, color=QUIET,
        )  # fmt: skip


def draw_curves(curves: Curves) -> tuple[bytes, bytes]:
    """Curves with their bands, each named at its end."""

    def draw(figure: Figure, is_narrow: bool) -> None:
        axes = figure.subplots()
        for number, one in enumerate(curves.series):
            _curve(axes, one, number)
        _time_axis(axes, curves.days, curves.write, NARROW_APART if is_narrow else WIDE_APART)
        _name_ends(axes, curves.series, is_narrow)

    return draw_both(draw, curves.heights)


def _curve(axes: Axes, one: CurveSeries, number: int) -> None:
    """Straight lines between the days for which there are numbers."""
    colour = COLOURS[number]
    if len(one.low):
        axes.fill_between(one.days, one.low, one.high, color=colour, alpha=0.16, lw=0)
    axes.plot(one.days, one.estimate, color=colour, lw=2.2, ls=DASHES[number])


def _time_axis(
    axes: Axes, days: Sequence[tuple[float, str]], write: Callable[[float], str], apart: float
) -> None:
    """Days in words, but those that would run into the next; `apart` is a share of the axis."""
    names, next_day = [], math.inf
    for day, name in reversed(days):
        has_room = next_day - day >= apart * days[-1][0]
        names.append(name if has_room else "")
        next_day = day if has_room else next_day
    axes.set_xticks([day for day, _ in days], names[::-1])
    axes.set_xlim(0, days[-1][0])
    axes.set_ylim(bottom=0)
    step = 0.1 if axes.get_ylim()[1] < 0.8 else 0.2
    ticks = [step * at for at in range(int(axes.get_ylim()[1] / step + 1e-9) + 1)]
    axes.set_yticks(ticks, [write(tick) for tick in ticks])
    axes.grid(axis="y", color=RULE, lw=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _name_ends(axes: Axes, series: Sequence[CurveSeries], is_narrow: bool) -> None:
    """Names beside the curves' ends, moved apart where they would cover each other."""
    if len(series) == 1 and not series[0].name:
        return
    top = axes.get_ylim()[1]
    apart = top * (0.075 if not is_narrow else 0.08)
    ends = sorted((one.estimate[-1], number) for number, one in enumerate(series))
    places = _spread([end for end, _ in ends], apart, top)
    for place, (_, number) in zip(places, ends, strict=True):
        one = series[number]
        axes.annotate(
            one.name, (1.0, place), xycoords=axes.get_yaxis_transform(), va="center",
            xytext=(6, 0), textcoords="offset points",
            color=COLOURS[number], fontsize=10, annotation_clip=False,
        )  # fmt: skip


def _spread(values: Sequence[float], apart: float, top: float) -> list[float]:
    """Move ascending values apart to a least distance, off the bottom and down from the top."""
    places: list[float] = []
    for value in values:
        places.append(max(value, places[-1] + apart if places else apart / 2))
    over = places[-1] - top if places else 0.0
    return [place - max(over, 0.0) for place in places]
