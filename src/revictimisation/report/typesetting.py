"""Writes what is described as Typst's markup, for print: one function a kind of piece.

What a reader may open on a page is open here. A piece that only pages know is shown by its picture,
if it has one, and else by its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import singledispatch

from revictimisation.report.colours import QUIET, RISKS, Look
from revictimisation.report.described import (
    BOLD,
    CODE,
    LINK,
    Content,
    Figure,
    Folded,
    Group,
    Heading,
    IconArray,
    Items,
    Piece,
    Style,
    Table,
    Terms,
    Text,
    Written,
    plain,
)
from revictimisation.report.drawing import Drawing
from revictimisation.report.rendering import draw, render

PICTURE = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
ICONS = 10  # in a row
ICON_LOOKS = (RISKS["high"], RISKS["low"], RISKS["moderate"])  # of parts, in their order
TAG = re.compile(r"<[^>]*>")
LONGEST_NUMBER = 26  # letters of what may be a number
WIDE_TABLE = 6  # columns, from which letters are smaller


def quote(told: str) -> str:
    """A text as Typst's own, in which nothing is markup."""
    return f"#{json.dumps(told, ensure_ascii=False)}" if told else ""


def set_text(told: str) -> str:
    """A text with its marks carried out; links are words, as paper has none.

    >>> set_text("a **b** `c`")
    '#"a ";#strong[#"b";];#" ";#raw("c");'
    """
    places = sorted((found.start(), kind, found) for kind in (BOLD, CODE, LINK)
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
    """A hundred dots beside what each kind of them is."""
    counts = [number for number, _ in piece.parts]
    kinds = [at for at, number in enumerate(counts) for _ in range(number)]
    dots = Drawing(is_narrow=True)
    step = dots.width / ICONS
    for place in range(ICONS * ICONS):
        row, column = divmod(place, ICONS)
        kind = kinds[place] if place < len(kinds) else None
        look = ICON_LOOKS[kind] if kind is not None else Look(QUIET)
        x, y = step * (column + 0.5), step * (row + 0.5)
        dots.dot(x, y, Look(look.colour), is_filled=kind is not None, size=0.85 * step)
    dots.reach(dots.width)
    left = ICONS * ICONS - sum(counts)
    named = [*piece.parts, (left, piece.rest)]
    told = "".join(f"[{set_text(f'**{number}** {words}')}]," for number, words in named)
    shown = _set_image(dots.to_svg().decode(), piece.alt)
    return f"#grid(columns: (5.2cm, 1fr), gutter: 1.2em, align: horizon, {shown}, list({told}))"


@typeset.register
def _content(piece: Content) -> str:
    return "\n\n".join(filter(None, map(typeset, piece.parts)))


@typeset.register
def _style(_piece: Style) -> str:
    return ""


@typeset.register
def _text(piece: Text) -> str:
    blocks = []
    for block in re.split(r"\n\s*\n", piece.told.strip()) if piece.told else []:
        if block.startswith("- "):
            items = [line.strip() for line in re.split(r"(?:^|\n)- ", block) if line.strip()]
            blocks.append(f"#list({''.join(f'[{set_text(item)}],' for item in items)})")
        else:
            told = set_text(" ".join(block.split()))
            blocks.append(f"#note[{told}]" if piece.kind == "note" else told)
    return "\n\n".join(blocks)


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
    inside = "\n\n".join(map(typeset, piece.parts))
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
    aligned = "left" if piece.kind == "words" else "(x, _) => if x == 0 { left } else { right }"
    size = "7.5pt" if n_columns >= WIDE_TABLE else "8.5pt"
    return (
        f"#figure(kind: table, caption: [{set_text(piece.caption)}])[#set text(size: {size})\n"
        f"#table(columns: {n_columns}, align: {aligned}, table.header({heads}), {rows})]"
        + "".join(f"\n#note[{set_text(note)}]" for note in notes)
    )


def _row(row: Sequence[Written], n_columns: int) -> str:
    cells = [f"{_side(cell)}[{_cell(cell)}]," for cell in row[:n_columns]]
    return "".join([*cells, *["[],"] * (n_columns - len(cells))])


def _side(cell: Written) -> str:
    """Words stand at the left, whatever their column's numbers do."""
    is_long = isinstance(cell, Piece) or len(str(cell)) > LONGEST_NUMBER
    return "table.cell(align: left)" if is_long else ""


def _cell(cell: Written) -> str:
    if isinstance(cell, Piece):
        return typeset(cell)
    if isinstance(cell, str):
        return set_text(cell)
    told = set_text(cell.told)
    if cell.language:
        told = f"#text(lang: {json.dumps(cell.language)})[{told}]"
    return told + "".join(f"#linebreak()#small[{set_text(line)}]" for line in cell.below)


@typeset.register
def _figure(piece: Figure) -> str:
    wide, _ = draw(piece.picture)
    source = f"\n#note[{set_text(piece.source)}]" if piece.source else ""
    shown = _set_image(wide.decode(), piece.alt)
    return (
        f"#figure({shown}, alt: {json.dumps(plain(piece.alt), ensure_ascii=False)},"
        f" caption: [{set_text(piece.caption)}]){source}\n\n{typeset(piece.table)}"
    )


def _set_image(svg: str, alt: str) -> str:
    told = json.dumps(plain(alt), ensure_ascii=False)
    return f"image(bytes({json.dumps(svg, ensure_ascii=False)}), alt: {told}, width: 100%)"
