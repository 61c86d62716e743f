"""What a reader takes along from a page: the numbers of its figures and tables, and the pictures.

Figures and long tables tell what they hold while their page is written (`taking`); where nobody
listens, as in a notebook, they have no links.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from html import escape
from typing import Any

from revictimisation.core.spreadsheets import neutralise_text
from revictimisation.report.addresses import ENGLISH, SWEDISH
from revictimisation.report.colours import INK, PAPER, QUIET
from revictimisation.report.described import Cell, Table, plain, write_plain
from revictimisation.report.drawing import (
    FONTS,
    SMALL,
    TEXT,
    Drawing,
    height_of,
    wrap_words,
    write,
)
from revictimisation.report.formats import round_half_up
from revictimisation.report.quantities import SEPARATE, list_readings, read_written
from revictimisation.report.texts import load_texts

FOLDER = "figures"
MARGIN = 16.0
DOTS_PER_INCH = 108
PNG = "png"
ARROWS = re.compile("[←→]")
# between cells, and before decimals, as a spreadsheet of the language expects
MARKS = {SWEDISH: (";", ","), ENGLISH: (",", ".")}
BYTE_ORDER = "\ufeff"  # by which spreadsheets know that it is UTF-8
VIEW = re.compile(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>(.*)</svg>\s*$', re.DOTALL)


@dataclass
class Taken:
    """What one page gives to take along: files by path, and the pictures that become PNG."""

    page: str
    language: str = ENGLISH
    files: dict[str, str | bytes] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    is_kept: bool = False
    is_swipe_told: bool = False

    @contextmanager
    def keeping(self, tables: Sequence[Table]) -> Iterator[str]:
        """Keep tables that are written in the `with` block; gives their path without the ending."""
        stem = self.keep_tables(tables)
        self.is_kept = True
        yield stem
        self.is_kept = False

    def keep_tables(self, tables: Sequence[Table]) -> str:
        """Keep tables as one CSV; gives its path without the ending."""
        stem = f"{FOLDER}/{self.page}-{len(self.files) - len(self.pictures) + 1}"
        self.files[f"{stem}.csv"] = write_csv(tables, self.language)
        return stem

    def tell_swipe(self) -> bool:
        """Whether it is yet to be said how to see a wide table: once a page, where it is open."""
        is_first = not (self.is_kept or self.is_swipe_told)
        self.is_swipe_told |= is_first
        return is_first

    def keep_file(self, name: str, text: str) -> str:
        """Keep a text as a file of the page; gives its path."""
        path = f"{FOLDER}/{self.page}-{name}"
        self.files[path] = text
        return path

    def keep_picture(self, stem: str, svg: str) -> None:
        """Keep a picture as a file of its own."""
        self.files[f"{stem}.svg"] = self.pictures[stem] = svg

    def name(self, wanted: str, mark: str = "-") -> str:
        """A name that the page has not used: that wanted, or with a number behind it."""
        number, name = 1, wanted
        while name in self.names:
            number, name = number + 1, f"{wanted}{mark}{number + 1}"
        self.names.add(name)
        return name

    def finish(self) -> dict[str, str | bytes]:
        """All files, the pictures as PNG too."""
        pictures = draw_pngs(list(self.pictures.values()))
        pngs = {f"{stem}.png": png for stem, png in zip(self.pictures, pictures, strict=True)}
        return {**self.files, **pngs}


_listening: ContextVar[Taken | None] = ContextVar("taken", default=None)


@contextmanager
def taking(page: str, language: str = ENGLISH) -> Iterator[Taken]:
    """Listen to what is written in the `with` block, of the page whose file has this stem."""
    taken = Taken(page, language)
    token = _listening.set(taken)
    try:
        yield taken
    finally:
        _listening.reset(token)


def find_taken() -> Taken | None:
    """The page that listens, if one does."""
    return _listening.get()


def write_csv(tables: Sequence[Table], language: str = ENGLISH) -> str:
    """Tables as a spreadsheet reads them, below each other with their names if they are several.

    A cell is its number as it is written, of the unit that stands there, with its interval beside;
    without one as it is written. A Swedish spreadsheet reads semicolons and decimal commas.

    >>> table = Table("t", ["who", "share"], [["all", Cell("12,5 %", 0.125)]])
    >>> write_csv([table])[1:], write_csv([table], "sv")[1:]
    ('who,share (%)\\nall,12.5\\n', 'who;share (%)\\nall;12,5\\n')
    """
    text = io.StringIO()
    between, point = MARKS[language]
    writer = csv.writer(text, delimiter=between, lineterminator="\n")
    limits = [f" ({load_texts()[f'common.limit_{end}'][language]})" for end in ("low", "high")]
    for table in tables:
        columns = range(len(table.columns))
        cells = [[row[at] for row in table.rows if at < len(row)] for at in columns]
        has_limits = [any(map(_has_limits, column)) for column in cells]
        beside = [table.caption] if len(tables) > 1 else []
        heads = [f"{_write_head(head, column)}{end}"
                 for head, column, is_wide in zip(table.columns, cells, has_limits, strict=True)
                 for end in (("", *limits) if is_wide else ("",))]  # fmt: skip
        writer.writerow([*beside, *map(_neutralise, heads)])
        for row in table.rows:
            parts = [part for cell, is_wide in zip(row, has_limits, strict=False)
                     for part in _list_parts(cell, point, is_wide=is_wide)]  # fmt: skip
            writer.writerow([*map(_neutralise, beside), *parts])
    return BYTE_ORDER + text.getvalue()


def _write_head(head: str, cells: Sequence[Any]) -> str:
    """A head without arrows, which say nothing in a file, and with the unit of its cells."""
    told = " – ".join(filter(None, (part.strip() for part in ARROWS.split(plain(head)))))
    is_percent = any(isinstance(cell, Cell) and "%" in cell.told for cell in cells)
    return f"{told} (%)" if is_percent and "%" not in told else told


def _neutralise(told: str) -> str:
    return str(neutralise_text(told))


def _has_limits(cell: Any) -> bool:
    return isinstance(cell, Cell) and cell.low is not None


def _list_parts(cell: Any, point: str, *, is_wide: bool) -> list[str]:
    """A cell's number, and its limits where its column has any, with this decimal mark."""
    if not isinstance(cell, Cell):
        return [_neutralise(write_plain(cell)), *([""] * (2 if is_wide else 0))]
    ends = (cell.value, cell.low, cell.high) if is_wide else (cell.value,)
    told = ["" if one is None else write_as_told(cell, one).replace(".", point) for one in ends]
    return told if cell.value is not None else [_neutralise(write_plain(cell)), *told[1:]]


def write_as_told(cell: Cell, value: float) -> str:
    """A number of a cell for a file: the digits that stand in the cell, of the same unit; unrounded
    where the cell's number does not stand in it, and rounded alike where only this one does not.

    >>> cell = Cell("0,0 av 100", 0.0, -0.0105, 0.02).above("−1,0 till 2,0")
    >>> [write_as_told(cell, one) for one in (0.0, -0.0105, 0.02)]
    ['0.0', '-1.0', '2.0']
    >>> write_as_told(Cell("3 220", 3220), 3220), write_as_told(Cell("bar", 0.1234), 0.1234)
    ('3220', '0.1234')
    """
    whole = SEPARATE.join([cell.told, *cell.below])
    ends = tuple(end for end in (cell.value, cell.low, cell.high) if end is not None)
    way = read_written(whole, ends)
    if way is None:
        return repr(float(value)) if value % 1 else str(value)
    alike = (one for one in list_readings(whole) if one.is_of(value)
             and (one.times, one.decimals) == (way.times, way.decimals))  # fmt: skip
    told = next(alike, None)
    rounded = round_half_up(told.rounded if told else abs(value) * way.times, way.decimals)
    written = str(rounded)
    return f"-{written}" if value < 0 and float(written) else written


def make_file(svg: bytes, caption: str, alt: str, source: str) -> str:
    """A picture by itself: its title above, its source below, what it shows for who cannot see."""
    found = VIEW.search(svg.decode())
    if found is None:
        raise ValueError("a picture is SVG with a viewBox from 0")
    width, height = float(found[1]), float(found[2])
    frame = Drawing(is_narrow=False)
    title = wrap_words(caption, width, TEXT)
    below = wrap_words(source, width, TEXT * SMALL) if source else ""
    top = MARGIN + height_of(title, TEXT)
    frame.text(MARGIN, MARGIN + height_of(title, TEXT) / 2, title, is_bold=True)
    y = top + MARGIN / 2 + height
    if below:
        y += MARGIN / 2 + height_of(below, TEXT * SMALL)
        middle = y - height_of(below, TEXT * SMALL) / 2
        frame.text(MARGIN, middle, below, size=TEXT * SMALL, colour=QUIET)
    y += MARGIN
    opening = found[0][: found[0].index(found[3])]
    inner = opening.replace(
        "<svg ",
        f'<svg x="{write(MARGIN)}" y="{write(top + MARGIN / 2)}" width="{found[1]}"'
        f' height="{found[2]}" ',
    )
    wide = write(width + 2 * MARGIN)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {write(y)}" width="{wide}"'
        f' height="{write(y)}" font-family="{FONTS}" font-size="{write(TEXT)}" fill="{INK}"'
        f' role="img"><title>{escape(caption)}</title><desc>{escape(alt)}</desc>'
        f'<rect width="100%" height="100%" fill="{PAPER}"/>{"".join(frame.parts)}'
        f"{inner}{found[3]}</svg></svg>\n"
    )


def draw_pngs(pictures: Sequence[str]) -> list[bytes]:
    """Pictures in dots, by the fonts that come with matplotlib alone: the same on every machine."""
    if not pictures:
        return []
    pages = "\n#pagebreak()\n".join(
        f"#image(bytes({json.dumps(svg, ensure_ascii=False)}))" for svg in pictures
    )
    drawn = compile_typst(f"#set page(width: auto, height: auto, margin: 0pt)\n{pages}", PNG)
    return drawn if isinstance(drawn, list) else [drawn]


def compile_typst(text: str, kind: str, standard: str = "") -> Any:
    """What Typst makes of a text: PNG (a picture a page) or PDF. It asks no network and no file."""
    import typst

    compiler = typst.Compiler(font_paths=_load_fonts(), ignore_system_fonts=True)
    asked: dict[str, Any] = {"format": kind, "ppi": DOTS_PER_INCH}
    if standard:
        asked = {"format": kind, "pdf_standards": [standard]}
    return compiler.compile(input=text.encode(), **asked)


@functools.cache
def _load_fonts() -> Any:
    import typst
    from matplotlib import get_data_path

    return typst.Fonts(include_system_fonts=False, font_paths=[f"{get_data_path()}/fonts/ttf"])
