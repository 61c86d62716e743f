"""Writes what is described as Typst's markup, for print: one function a kind of piece.

What a reader may open on a page is open here. A piece that only pages know is shown by its picture,
if it has one, and else by its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import singledispatch

from revictimisation.report.colours import INK, PAPER, QUIET, RISKS, Look
from revictimisation.report.described import (
    BOLD,
    CODE,
    FOREIGN,
    LINK,
    Cell,
    Content,
    Figure,
    Folded,
    Group,
    Heading,
    IconArray,
    Items,
    Listing,
    Piece,
    Stated,
    Style,
    Table,
    Terms,
    Text,
    Written,
    plain,
)
from revictimisation.report.drawing import Axis, Drawing, write
from revictimisation.report.rendering import draw, render

PICTURE = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
ICONS, ICONS_WIDTH, ICON_EDGE = 10, "4.2cm", 0.06  # in a row, wide, an edge by the room of one
REST = "#7b858f"
ICON_LOOKS = (RISKS["high"], RISKS["low"], RISKS["moderate"])  # of parts, in their order
TAG = re.compile(r"<[^>]*>")
LONGEST_NUMBER = 26  # letters of what may be a number
SPAN_TALL, SPAN_WIDTH = 34.0, "3.2cm"  # of an interval in a cell
FIGURE_WIDTH = "84%"  # of a page's text
WIDE_TABLE = 6  # columns, from which letters are smaller, and intervals below their numbers


def quote(told: str) -> str:
    """A text as Typst's own, in which nothing is markup."""
    return f"#{json.dumps(told, ensure_ascii=False)}" if told else ""


def set_text(told: str) -> str:
    """A text with its marks carried out; links are words, as paper has none.

    >>> set_text("a **b** `c`")
    '#"a ";#strong[#"b";];#" ";#raw("c");'
    """
    places = sorted((found.start(), kind, found) for kind in (BOLD, CODE, LINK, FOREIGN)
                    for found in kind.finditer(told))  # fmt: skip
    parts, at = [], 0
    for start, kind, found in places:
        if start < at:
            continue
        parts.append(quote(told[at:start]))
        inside = found[1]
        if kind is BOLD:
            parts.append(f"#strong[{set_text(inside)}]")
        elif kind is CODE:
            parts.append(f"#raw({json.dumps(inside, ensure_ascii=False)})")
        elif kind is FOREIGN:
            parts.append(f"#text(lang: {json.dumps(found[2])})[{quote(inside)}]")
        else:
            parts.append(quote(inside))
        at = found.end()
    parts.append(quote(told[at:]))
    return "".join(f"{part};" for part in parts if part)


@singledispatch
def typeset(piece: Piece) -> str:
    """A piece as Typst's markup."""
    html = render(piece)
    found = PICTURE.search(html)
    if found:
        svg = found[0] if "xmlns=" in found[0] else found[0].replace(
            "<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1
        )  # fmt: skip
        alt = str(getattr(piece, "alt", "")) or TAG.sub(" ", html)
        return f"#block({_set_image(svg, alt)})"
    return set_text(" ".join(TAG.sub(" ", html).split()))


@typeset.register
def _icon_array(piece: IconArray) -> str:
    """A hundred dots, and below them what each kind is, by its own dot."""
    counts = [number for number, _ in piece.parts]
    kinds = [at for at, number in enumerate(counts) for _ in range(number)]
    dots = Drawing(is_narrow=True)
    step = dots.width / ICONS
    for place in range(ICONS * ICONS):
        row, column = divmod(place, ICONS)
        kind = kinds[place] if place < len(kinds) else None
        _draw_icon(dots, step * (column + 0.5), step * (row + 0.5), step, kind)
    dots.reach(dots.width)
    left = ICONS * ICONS - sum(counts)
    named = [*((kind, *part) for kind, part in enumerate(piece.parts)), (None, left, piece.rest)]
    legend = "".join(_name_icons(*one) for one in named)
    shown = _set_image(dots.to_svg().decode(), piece.alt)
    return f"#block(width: {ICONS_WIDTH})[#{shown}\n#block(above: 0.7em)[#small[{legend}]]]"


def _name_icons(kind: int | None, number: int, told: str) -> str:
    dot = Drawing(is_narrow=True)
    _draw_icon(dot, dot.width / 2, dot.width / 2, dot.width, kind)
    dot.reach(dot.width)
    shown = _set_image(dot.to_svg().decode(), told, "0.8em")
    return f"#box({shown}) {set_text(f'**{number}** {told}')} #linebreak()"


def _draw_icon(drawing: Drawing, x: float, y: float, step: float, kind: int | None) -> None:
    """A dot of a part, filled; of those who are left an open one."""
    is_filled = kind is not None
    colour = ICON_LOOKS[kind].colour if kind is not None else REST
    edge = ICON_EDGE * step
    drawing.parts.append(
        f'<circle cx="{write(x)}" cy="{write(y)}" r="{write(0.4 * step)}"'
        f' fill="{colour if is_filled else PAPER}" stroke="{colour}" stroke-width="{write(edge)}"/>'
    )


@typeset.register
def _content(piece: Content) -> str:
    return "\n\n".join(filter(None, map(typeset, piece.parts)))


@typeset.register
def _style(_piece: Style) -> str:
    return ""


@typeset.register
def _text(piece: Text) -> str:
    blocks = []
    for block in piece.blocks:
        if isinstance(block, str):
            told = set_text(" ".join(block.split()))
            kind = "#note" if piece.kind == "note" else "#before" if block.endswith(":") else ""
            blocks.append(f"{kind}[{told}]" if kind else told)
        else:
            blocks.append(f"#list({''.join(f'[{set_text(item)}],' for item in block)})")
    return "\n\n".join(blocks)


@typeset.register
def _listing(piece: Listing) -> str:
    return f"#raw({json.dumps(piece.told, ensure_ascii=False)}, block: true)"


@typeset.register
def _heading(piece: Heading) -> str:
    return f"#heading(level: {piece.level})[{set_text(piece.told)}]"


@typeset.register
def _items(piece: Items) -> str:
    """A list; the boxes of a flow are numbered."""
    told = [
        typeset(item.content) if isinstance(item.content, Piece)
        else " #linebreak() ".join(map(set_text, item.content))
        for item in piece.items
    ]  # fmt: skip
    kind = "enum" if piece.is_ordered else "list"
    return f"#{kind}({''.join(f'[{one}],' for one in told)})"


@typeset.register
def _terms(piece: Terms) -> str:
    return f"#terms({''.join(f'([{set_text(word)}], [{set_text(told)}]),' for _, word, told in piece.words)})"  # noqa: E501


@typeset.register
def _group(piece: Group) -> str:
    if piece.kind == "opening":
        told, *beside = map(typeset, piece.parts)
        icons = "".join(beside)
        return f"#grid(columns: (1fr, auto), gutter: 1.6em, [{told}], [{icons}])"
    inside = "\n\n".join(map(typeset, piece.parts))
    if piece.kind == "answer-lead":
        return f"#text(size: 1.12em)[{inside}]"
    return f"#side[{inside}]" if piece.kind in ("answer", "banner") else inside


@typeset.register
def _folded(piece: Folded) -> str:
    return f"#opened[{set_text(piece.summary)}]\n\n{typeset(piece.content)}"


@typeset.register
def _table(piece: Table) -> str:
    """Its heads are repeated on each page that it runs over."""
    n_columns = len(piece.columns)
    heads = "".join(f"[{set_text(head)}]," for head in piece.columns)
    rows = "".join(_row(row, n_columns) for row in piece.shown)
    notes = [*piece.notes, *([piece.cut] if piece.is_cut else [])]
    is_left = not {"words", "answers"}.isdisjoint(piece.kind.split())
    aligned = "left" if is_left else "(x, _) => if x == 0 { left } else { right }"
    size = "7.5pt" if n_columns >= WIDE_TABLE else "8.5pt"
    return (
        f"#figure(kind: table, caption: [{set_text(piece.caption)}])[#set text(size: {size})\n"
        f"#table(columns: {n_columns}, align: {aligned}, table.header({heads}), {rows})]"
        + "".join(f"\n#note[{set_text(note)}]" for note in notes)
    )


def _row(row: Sequence[Written], n_columns: int) -> str:
    apart = "#linebreak()" if n_columns >= WIDE_TABLE else "#h(0.6em)"
    cells = [f"{_side(cell)}[{_cell(cell, apart)}]," for cell in row[:n_columns]]
    return "".join([*cells, *["[],"] * (n_columns - len(cells))])


def _side(cell: Written) -> str:
    """Words stand at the left, whatever their column's numbers do."""
    is_long = isinstance(cell, Piece) or len(str(cell)) > LONGEST_NUMBER
    return "table.cell(align: left)" if is_long else ""


def _cell(cell: Written, apart: str) -> str:
    """A cell; what stands in small print below it on a page is `apart` from it."""
    if isinstance(cell, Piece):
        return typeset(cell)
    if isinstance(cell, str):
        return set_text(cell)
    told = set_text(cell.told)
    if cell.span and cell.value is not None:
        return f"{_draw_span(cell)} #linebreak()#small[{told}]"
    if cell.language:
        told = f"#text(lang: {json.dumps(cell.language)})[{told}]"
    return told + "".join(f"{apart}#small[{set_text(line)}]" for line in cell.below)


def _draw_span(cell: Cell) -> str:
    """An interval with its estimate around no difference."""
    low, high = cell.span or (-1.0, 1.0)
    drawing = Drawing(is_narrow=True)
    axis = Axis(low, high, SPAN_TALL / 2, drawing.width - SPAN_TALL / 2)
    y = SPAN_TALL / 2
    drawing.line([(axis.at(0.0), 2), (axis.at(0.0), SPAN_TALL - 2)], QUIET, 2.4)
    if cell.low is not None and cell.high is not None:
        drawing.line([(axis.at(cell.low), y), (axis.at(cell.high), y)], QUIET, 6.0)
    drawing.dot(axis.at(cell.value or 0.0), y, Look(INK), is_filled=False, size=20.0)
    drawing.reach(SPAN_TALL)
    return f"#box({_set_image(drawing.to_svg().decode(), cell.spoken, SPAN_WIDTH)})"


@typeset.register
def _stated(piece: Stated) -> str:
    rating = f" {piece.rating.told}" if isinstance(piece.rating, Cell) else ""
    return f"#text(size: 1.2em)[{set_text(f'**{piece.told}**{rating}')}]"


@typeset.register
def _figure(piece: Figure) -> str:
    wide, _ = draw(piece.picture)
    source = f"\n#note[{set_text(piece.source)}]" if piece.source else ""
    shown = _set_image(wide.decode(), piece.alt, FIGURE_WIDTH)
    return (
        f"#figure({shown}, alt: {json.dumps(plain(piece.alt), ensure_ascii=False)},"
        f" caption: [{set_text(piece.caption)}]){source}\n\n{typeset(piece.table)}"
    )


def _set_image(svg: str, alt: str, width: str = "100%") -> str:
    told = json.dumps(plain(alt), ensure_ascii=False)
    return f"image(bytes({json.dumps(svg, ensure_ascii=False)}), alt: {told}, width: {width})"
