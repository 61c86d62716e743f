"""Writes what is described as HTML: one function a kind of piece. Pages and notebooks share it.

Whatever is text is escaped here. Nothing is loaded from anywhere: pictures are inside the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import singledispatch
from html import escape
from typing import Any

from revictimisation.core import files
from revictimisation.report.described import (
    BOLD,
    CODE,
    FOREIGN,
    LINK,
    Areas,
    Attachment,
    Bars,
    CausalGraph,
    Cell,
    Content,
    Course,
    Curves,
    Dots,
    Figure,
    Folded,
    Forest,
    Group,
    Heading,
    IconArray,
    Item,
    Items,
    Listing,
    LovePlot,
    Periods,
    Picture,
    Piece,
    Stated,
    Style,
    Table,
    Terms,
    Text,
    TrialDiagram,
    Written,
    plain,
)
from revictimisation.report.takeaway import find_taken, make_file

MARKS = (
    (BOLD, r"<strong>\1</strong>"),
    (CODE, r"<code>\1</code>"),
    (LINK, r'<a href="\2">\1</a>'),
    (FOREIGN, r'<span lang="\2">\1</span>'),
)
# of bars over time: width, gap, height, and the room for a mark above
BAR, GAP, HEIGHT, MARK = 8, 2, 90, 12
YEAR_LETTERS = 4
# an interval in a cell: its width, half its height, and what its ends keep from the edge
SPAN, SPAN_EDGE = (200, 11), 6
# a hundred dots: how many in a row, the room and the radius of each
HUNDRED, ICONS, ICON, ICON_RADIUS = 100, 10, 20, 7.5


def mark_up(told: str) -> str:
    """Plain text escaped, with the marks in it carried out.

    >>> mark_up("a < **b**, `c`")
    'a &lt; <strong>b</strong>, <code>c</code>'
    """
    told = escape(told, quote=False)
    for mark, tags in MARKS:
        told = mark.sub(tags, told)
    return told


def _mark(**marks: str) -> str:
    """Attributes, without those that are empty."""
    return "".join(f' {name}="{value}"' for name, value in marks.items() if value)


def wrap(piece: Piece) -> str:
    """What stands on a page or in a notebook."""
    return f'<div class="report">{render(piece)}</div>'


@singledispatch
def render(piece: Piece) -> str:
    """A piece as HTML."""
    raise NotImplementedError(type(piece).__name__)


@render.register
def _content(piece: Content) -> str:
    return "\n".join(filter(None, map(render, piece.parts)))


@render.register
def _text(piece: Text) -> str:
    r"""Render paragraphs and lists.

    >>> _text(Text("One.\n\n- two\n- three"))
    '<p>One.</p>\n<ul><li>two</li><li>three</li></ul>'
    """
    marked = _mark(**{"class": piece.kind})
    return "\n".join(
        f"<p{marked}>{mark_up(block)}</p>" if isinstance(block, str)
        else f"<ul>{''.join(f'<li>{mark_up(item)}</li>' for item in block)}</ul>"
        for block in piece.blocks
    )  # fmt: skip


@render.register
def _style(_piece: Style) -> str:
    """The sheets of the pages; the class said three times outweighs JupyterLab's own rules."""
    rules = f"{read_style('report.css')}{read_style('start.css')}"
    return f"<style>{rules.replace('.report', 3 * '.report')}</style>"


def read_style(name: str) -> str:
    """One of the style sheets that come with the package."""
    return files.read_text(files.package_file("report", "templates", name))


@render.register
def _listing(piece: Listing) -> str:
    marks = _mark(lang=piece.language)
    return (f'<pre tabindex="0" role="region" aria-label="{escape(piece.label)}"{marks}><code>'
            f"{escape(piece.told, quote=False)}</code></pre>")  # fmt: skip


@render.register
def _attachment(piece: Attachment) -> str:
    """Nothing where nobody takes files along, as in a notebook."""
    taken = find_taken()
    if not taken:
        return ""
    stem, _, kind = taken.keep_file(piece.name, piece.text).rpartition(".")
    return _link_files(piece.told, stem, (kind,))


@render.register
def _heading(piece: Heading) -> str:
    return f"<h{piece.level}{_mark(id=piece.anchor)}>{mark_up(piece.told)}</h{piece.level}>"


@render.register
def _items(piece: Items) -> str:
    tag = "ol" if piece.is_ordered else "ul"
    return f'<{tag} class="{piece.kind}">{"".join(map(_item, piece.items))}</{tag}>'


def _item(item: Item) -> str:
    lines = item.content
    told = render(lines) if isinstance(lines, Piece) else "<br>".join(map(mark_up, lines))
    return f"<li{_mark(**{'class': item.kind})}>{told}</li>"


@render.register
def _terms(piece: Terms) -> str:
    told = (
        f'<dt id="{anchor}">{mark_up(word)}</dt><dd>{mark_up(text)}</dd>'
        for anchor, word, text in piece.words
    )
    return f'<dl class="{piece.kind}">{"".join(told)}</dl>'


@render.register
def _group(piece: Group) -> str:
    return f"<div{_mark(**{'class': piece.kind})}>{''.join(map(render, piece.parts))}</div>"


@render.register
def _folded(piece: Folded) -> str:
    return f"<details><summary>{mark_up(piece.summary)}</summary>{render(piece.content)}</details>"


@render.register
def _table(piece: Table) -> str:
    """It scrolls inside its own box where the screen is narrow."""
    head = "".join(f'<th scope="col">{mark_up(one)}</th>' if one else "<td></td>"
                   for one in piece.columns)  # fmt: skip
    body = "".join(map(_row, piece.shown))
    foot = "".join(f'<p class="note">{mark_up(note)}</p>' for note in piece.notes)
    taken = find_taken()
    if piece.is_cut:
        foot += f'<p class="note">{mark_up(piece.cut)}</p>'
    if piece.take and taken and not taken.is_kept:
        foot += _link_files(piece.take, taken.keep_tables([piece]), ("csv",))
    label = escape(_name_region(plain(piece.caption)))
    swipe = piece.swipe if taken and piece.swipe and taken.tell_swipe() else ""
    above = f'<p class="note swipe">{mark_up(swipe)}</p>' if swipe else ""
    return (
        f'{above}<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="numbers {piece.kind}"><caption><span>{mark_up(piece.caption)}</span>'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{foot}"
    )


def _name_region(caption: str) -> str:
    """What a table's box is called: on a page no two alike."""
    taken = find_taken()
    return taken.name(caption, " ") if taken else caption


def _row(row: Sequence[Written]) -> str:
    first, *rest = map(_cell, row)
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{one}</td>" for one in rest)}</tr>'


def _cell(cell: Written) -> str:
    if isinstance(cell, str):
        return mark_up(cell)
    if isinstance(cell, Piece):
        return render(cell)
    told = _draw_span(cell) if cell.span else mark_up(cell.told)
    if cell.spoken and not cell.span:
        told = f'<span role="img" aria-label="{escape(cell.spoken)}">{told}</span>'
    marks = _mark(id=cell.anchor, lang=cell.language, **{"class": cell.kind})
    if marks:
        told = f"<span{marks}>{told}</span>"
    if cell.bar is not None:
        told = (f'<span class="bar" aria-hidden="true"><i style="width:{100 * cell.bar:.1f}%"></i>'
                f"</span><span>{told}</span>")  # fmt: skip
    if cell.label:
        told = f'<span class="label" data-told="{escape(cell.label)}:"></span> {told}'
    return told + "".join(f"<br><small>{mark_up(line)}</small>" for line in cell.below)


def _draw_span(cell: Cell) -> str:
    """An interval with its estimate around no difference, in the cell itself, and what is told."""
    assert cell.value is not None and cell.low is not None and cell.high is not None
    low, high = cell.span or (-1.0, 1.0)
    wide, middle = SPAN

    def at(value: float) -> str:
        return f"{SPAN_EDGE + (wide - 2 * SPAN_EDGE) * (value - low) / (high - low):.1f}"

    zero = f'<path class="zero" d="M{at(0.0)} 2V{2 * middle - 2}"/>'
    line = f'<path class="line" d="M{at(cell.low)} {middle}H{at(cell.high)}"/>'
    dot = f'<circle cx="{at(cell.value)}" cy="{middle}" r="4.5"/>'
    box = f'viewBox="0 0 {wide} {2 * middle}" role="img" aria-label="{escape(cell.spoken)}"'
    words = f'<small aria-hidden="true">{escape(cell.told)}</small>'
    return f'<svg class="span" {box}>{zero}{line}{dot}</svg>{words}'


@render.register
def _icon_array(piece: IconArray) -> str:
    """Ten rows of ten, filled from the first; what each kind is stands below."""
    counts = [number for number, _ in piece.parts]
    dots = []
    for place in range(HUNDRED):
        row, column = divmod(place, ICONS)
        kind = next((at for at in range(len(counts)) if place < sum(counts[: at + 1])), None)
        name = "rest" if kind is None else f"part{kind}"
        x, y = (ICON * (one + 0.5) for one in (column, row))
        dots.append(f'<circle class="{name}" cx="{x:g}" cy="{y:g}" r="{ICON_RADIUS}"/>')
    side = ICONS * ICON
    left = HUNDRED - sum(counts)
    named = [*((f"part{at}", *part) for at, part in enumerate(piece.parts)),
             ("rest", left, piece.rest)]  # fmt: skip
    legend = "".join(
        f'<li><svg viewBox="0 0 {ICON} {ICON}" aria-hidden="true"><circle class="{name}"'
        f' cx="{ICON / 2:g}" cy="{ICON / 2:g}" r="{ICON_RADIUS}"/></svg>'
        f"<b>{number}</b> {mark_up(told)}</li>"
        for name, number, told in named
    )
    return (
        f'<div class="icons"><svg viewBox="0 0 {side} {side}" role="img"'
        f' aria-label="{escape(piece.alt)}">{"".join(dots)}</svg><ul>{legend}</ul></div>'
    )


@render.register
def _stated(piece: Stated) -> str:
    rating = f" {_cell(piece.rating)}" if piece.rating else ""
    return f'<p class="state {piece.kind}">{mark_up(piece.told)}{rating}</p>'


@render.register
def _figure(piece: Figure) -> str:
    """A picture below what it says, drawn for wide and for narrow screens; its numbers, folded.

    A screen reader meets the one that is shown, told by the alternative text.
    """
    wide, narrow = draw(piece.picture)
    taken = find_taken()
    name = "f" + hashlib.sha256(wide + piece.alt.encode()).hexdigest()[:8]
    name = taken.name(name) if taken else name
    told = f'<desc id="{name}">{escape(piece.alt)}</desc>'
    shown = _inline(wide, "wide", name, told) + _inline(narrow, "narrow", name)
    source = f'<p class="source">{mark_up(piece.source)}</p>' if piece.source else ""
    numbers = Folded(piece.behind, piece.table)
    if taken is None:
        folded = render(numbers)
    else:
        with taken.keeping(piece.tables) as stem:
            folded = render(numbers)
        taken.keep_picture(stem, make_file(wide, plain(piece.caption), piece.alt, piece.source))
        folded += _link_files(piece.take, stem, ("csv", "svg", "png"))
    caption = mark_up(piece.caption)
    return f"<figure><figcaption>{caption}</figcaption>{shown}{source}{folded}</figure>"


def _inline(svg: bytes, kind: str, name: str, told: str = "") -> str:
    """A picture inside a page, named by a text of the page."""
    marks = f'class="{kind}" role="img" aria-labelledby="{name}"'
    opening, _, rest = svg.decode().partition(">")
    opening = opening.replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return f"{opening.replace('<svg', f'<svg {marks}')}>{told}{rest}"


def _link_files(told: str, stem: str, kinds: Sequence[str]) -> str:
    """Links to files to take along."""
    links = " ".join(f'<a href="{stem}.{kind}" download>{kind.upper()}</a>' for kind in kinds)
    return f'<p class="take">{mark_up(told)} {links}</p>'


def draw(picture: Picture) -> tuple[bytes, bytes]:
    """A picture as SVG, for wide and for narrow screens."""
    from revictimisation.report import areas, charts, course_chart, diagrams, forest, love_plot

    drawers: dict[type, Callable[[Any], tuple[bytes, bytes]]] = {
        Dots: charts.draw_dots,
        Bars: charts.draw_bars,
        Curves: charts.draw_curves,
        Areas: areas.draw_areas,
        Course: course_chart.draw_course,
        Forest: forest.draw_forest,
        TrialDiagram: diagrams.draw_trial,
        CausalGraph: diagrams.draw_graph,
        LovePlot: love_plot.draw_love,
    }
    return drawers[type(picture)](picture)


@render.register
def _periods(piece: Periods) -> str:
    """Bars as wide as the page, years below where they begin; one that is odd under a triangle."""
    step, shapes, years = BAR + GAP, [], []
    for place, (period, height, kind) in enumerate(piece.bars):
        left, tall = place * step, HEIGHT * height
        marked = _mark(**{"class": kind})
        top = HEIGHT + MARK - tall
        shapes.append(f'<rect{marked} x="{left}" y="{top:.1f}" width="{BAR}" height="{tall:.1f}"/>')
        if kind == "odd":
            at = f"M{left - BAR / 2:.1f} {top - 11:.1f}h{2 * BAR}l-{BAR} 9z"
            shapes.append(f'<path class="odd" d="{at}"/>')
        year = period[:YEAR_LETTERS]
        if place == 0 or piece.bars[place - 1][0][:YEAR_LETTERS] != year:
            at = f"{100 * place / len(piece.bars):.2f}"
            years.append(f'<span style="left:{at}%">{escape(year)}</span>')
    box = f"0 0 {len(piece.bars) * step} {HEIGHT + MARK}"
    return (
        f'<div class="time"><svg class="bars" viewBox="{box}" preserveAspectRatio="none" role="img"'
        f' aria-label="{escape(piece.alt)}">{"".join(shapes)}</svg>'
        f'<div class="years" aria-hidden="true">{"".join(years)}</div></div>'
    )
