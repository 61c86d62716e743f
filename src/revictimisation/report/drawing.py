"""A picture under way: lines, shapes and words by their place, and the SVG they make.

Places are in pixels from the upper left corner; a picture is drawn as wide as a page's column
(`WIDE`) and as a phone's (`NARROW`). The same calls give the same bytes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any

from revictimisation.report.colours import INK, PAPER, RULE, Look

WIDE, NARROW = 720.0, 352.0
TEXT, NARROW_TEXT, SMALL = 14.0, 13.0, 0.9  # sizes of letters; small is a share of these
BOLD = 1.13  # how much wider bold letters are
LINE = 1.25  # heights of a letter from line to line
FONTS = "'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif"
# the outlines of dots, of size 1 around 0
SHAPES = {
    "square": ((-0.43, -0.43), (0.43, -0.43), (0.43, 0.43), (-0.43, 0.43)),
    "diamond": ((0, -0.6), (0.6, 0), (0, 0.6), (-0.6, 0)),
    "up": ((0, -0.58), (0.56, 0.46), (-0.56, 0.46)),
    "down": ((0, 0.58), (0.56, -0.46), (-0.56, -0.46)),
    "cross": ((-0.17, -0.55), (0.17, -0.55), (0.17, -0.17), (0.55, -0.17), (0.55, 0.17),
              (0.17, 0.17), (0.17, 0.55), (-0.17, 0.55), (-0.17, 0.17), (-0.55, 0.17),
              (-0.55, -0.17), (-0.17, -0.17)),
}  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """From numbers to places along a line."""

    low: float
    high: float
    start: float
    stop: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Where a number lies; beyond the ends at them.

        >>> Axis(0, 10, 100, 200).at(5), Axis(1, 4, 0, 2, is_log=True).at(2)
        (150.0, 1.0)
        """
        low, high, inside = self.low, self.high, min(max(value, self.low), self.high)
        if self.is_log:
            low, high, inside = math.log(low), math.log(high), math.log(inside)
        share = (inside - low) / (high - low) if high > low else 0.0
        return self.start + share * (self.stop - self.start)


@dataclass
class Drawing:
    """What has been drawn so far; its height is that of the lowest call of `reach`."""

    is_narrow: bool
    height: float = 0.0
    parts: list[str] = field(default_factory=list)

    @property
    def width(self) -> float:
        """How wide the picture is."""
        return NARROW if self.is_narrow else WIDE

    @property
    def size(self) -> float:
        """The size of letters."""
        return NARROW_TEXT if self.is_narrow else TEXT

    @property
    def small(self) -> float:
        """The size of small letters."""
        return self.size * SMALL

    def reach(self, height: float) -> None:
        """Make room down to here."""
        self.height = max(self.height, height)

    def line(self, points: Sequence[tuple[float, float]], colour: str = RULE, width: float = 1.0,
             dashes: str = "", kind: str = "") -> None:  # fmt: skip
        """A line through points; `kind` tells what it is (`curve`)."""
        more = write_marks(stroke_dasharray=dashes, class_=kind)
        path = write_path(points)
        self.parts.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{write(width)}"{more}/>'
        )

    def area(
        self, points: Sequence[tuple[float, float]], colour: str, opacity: float = 1.0
    ) -> None:
        """A filled shape."""
        more = write_marks(fill_opacity=write(opacity) if opacity < 1 else "")
        self.parts.append(f'<path d="{write_path(points)}Z" fill="{colour}"{more}/>')

    def box(self, x: float, y: float, width: float, height: float, colour: str = PAPER,
            edge: str = "", opacity: float = 1.0, dashes: str = "", corner: float = 0.0,
            ) -> None:  # fmt: skip
        """A rectangle, by its upper left corner; with an edge in another colour or without."""
        more = write_marks(
            stroke=edge, stroke_width="1.8" if edge else "", stroke_dasharray=dashes,
            fill_opacity=write(opacity) if opacity < 1 else "", rx=write(corner) if corner else "",
        )  # fmt: skip
        self.parts.append(
            f'<rect x="{write(x)}" y="{write(y)}" width="{write(max(width, 0))}"'
            f' height="{write(height)}" fill="{colour}"{more}/>'
        )

    def dot(self, x: float, y: float, look: Look, *, is_filled: bool = True, size: float = 10.0,
            ) -> None:  # fmt: skip
        """A dot of a look, filled or open."""
        fill = look.colour if is_filled else PAPER
        ink = f'fill="{fill}" stroke="{look.colour}" stroke-width="2"'
        if look.shape == "circle":
            self.parts.append(
                f'<circle cx="{write(x)}" cy="{write(y)}" r="{write(size * 0.47)}" {ink}/>'
            )
            return
        points = [(x + size * right, y + size * down) for right, down in SHAPES[look.shape]]
        self.parts.append(f'<path d="{write_path(points)}Z" {ink}/>')

    def text(self, x: float, y: float, told: str, *, colour: str = INK, size: float = 0.0,
             side: str = "start", is_bold: bool = False, is_italic: bool = False,
             has_ground: bool = False) -> None:  # fmt: skip
        """Words around a height: `side` of them is at `x` (start, middle, end); lines by line feed.

        With a ground they stand on white, so that no line runs through them.
        """
        size = size or self.size
        lines = told.split("\n")
        top = y - (len(lines) - 1) / 2 * size * LINE
        wide = measure(told, size)
        if has_ground:
            left = x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[side]
            tall = len(lines) * size * LINE
            self.box(left - 2, y - tall / 2, wide + 4, tall)
        marks = write_marks(
            fill=colour if colour != INK else "",
            font_size=write(size) if size != self.size else "",
            text_anchor=side if side != "start" else "", font_weight="600" if is_bold else "",
            font_style="italic" if is_italic else "",
        )  # fmt: skip
        for number, line in enumerate(lines):
            base = top + number * size * LINE + 0.35 * size
            self.parts.append(
                f'<text x="{write(x)}" y="{write(base)}"{marks}>{escape(line, quote=False)}</text>'
            )

    @contextmanager
    def group(self, kind: str) -> Iterator[None]:
        """What belongs together: a tick of an axis (`tick x`, `tick y`) and its words."""
        self.parts.append(f'<g class="{kind}">')
        yield
        self.parts.append("</g>")

    def to_svg(self) -> bytes:
        """The picture as a file of its own."""
        told, height = "".join(self.parts), write(math.ceil(self.height))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {write(self.width)} {height}"'
            f' font-family="{FONTS}" font-size="{write(self.size)}"'
            f' fill="{INK}">{told}</svg>'
        ).encode()


def draw_twice(draw: Callable[[Drawing], None]) -> tuple[bytes, bytes]:
    """The same picture for a wide and for a narrow screen."""
    wide, narrow = Drawing(is_narrow=False), Drawing(is_narrow=True)
    for drawing in (wide, narrow):
        draw(drawing)
    return wide.to_svg(), narrow.to_svg()


def write(number: float) -> str:
    """A place, to a hundredth of a pixel and no longer than it need be.

    >>> write(12.0), write(0.126), write(-0.001)
    ('12', '.13', '0')
    """
    told = f"{number:.2f}".rstrip("0").rstrip(".")
    if told in ("-0", "", "0"):
        return "0"
    return told.replace("0.", ".", 1) if told.startswith(("0.", "-0.")) else told


def write_path(points: Sequence[tuple[float, float]]) -> str:
    """A line through points, as SVG writes it."""
    return "M" + "L".join(f"{write(x)} {write(y)}" for x, y in points)


def write_marks(**marks: str) -> str:
    """Attributes, without those that are empty."""
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{value}"' for name, value in marks.items() if value
    )


def measure(told: str, size: float) -> float:
    """How wide words are in DejaVu Sans, than which readers' own letters are narrower.

    Of several lines the widest. A letter that the font lacks is taken for as wide as high.
    """
    return max(sum(map(_measure_letter, line)) for line in told.split("\n")) * size


@functools.cache
def _measure_letter(letter: str) -> float:
    font = _load_font()
    if not font.get_char_index(ord(letter)):
        return 1.0
    return float(font.load_char(ord(letter), flags=_list_flags()).linearHoriAdvance) / 65536 / 100


@functools.cache
def _load_font() -> Any:
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    font = FT2Font(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    font.set_size(100, 72)
    return font


@functools.cache
def _list_flags() -> Any:
    """Letters as they are designed, not as they fit a grid."""
    from matplotlib.ft2font import LoadFlags

    return LoadFlags.NO_HINTING


def wrap_words(told: str, width: float, size: float) -> str:
    """Words in lines of at most a width; a word that is longer has a line of its own.

    >>> wrap_words("one two three", 60, 10)
    'one two\\nthree'
    """
    lines: list[str] = []
    for word in told.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def count_lines(told: str) -> int:
    """How many lines words have."""
    return told.count("\n") + 1


def height_of(told: str, size: float) -> float:
    """How tall lines of words are."""
    return count_lines(told) * size * LINE
