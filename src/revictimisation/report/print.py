"""The site on paper: a brief of two pages for the steering group, and all pages as one report.

PDF, A4, tagged and titled (PDF/UA-1), with contents, page numbers, captions and a running head. The
same content gives the same bytes: no date, no fonts but those that come with our packages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from revictimisation.report.addresses import find_path
from revictimisation.report.described import (
    Content,
    Figure,
    Folded,
    Group,
    Listing,
    Piece,
    Table,
    Text,
)
from revictimisation.report.page import Page
from revictimisation.report.rendering import read_style
from revictimisation.report.takeaway import compile_typst
from revictimisation.report.typesetting import set_text, typeset

BRIEF, REPORT = "brief", "report"
STANDARD = "ua-1"
REGIONS = {"sv": "SE", "en": "GB"}
REPORT_SIZE = 9.5
BRIEF_SIZES = (11.0, 10.5, 10.0, 9.5, 9.0, 8.5)
MOST_PAGES = 2  # of the brief
MOST_ROWS = 12  # of a table for referees
# the brief's headings are small; the report's chapters follow each other without empty pages
BRIEF_LOOKS = """#show heading.where(level: 1): set text(size: 0.72em)
#show heading: set block(above: 1.1em, below: 0.55em)
#set page(margin: (x: 1.9cm, top: 2cm, bottom: 1.7cm))"""
CHAPTERS = """#show heading.where(level: 1): it => {
  block(height: 7cm, breakable: false, above: 3em, below: 0pt) // no chapter begins lower than this
  v(-7cm)
  block(below: 1em, sticky: true, stroke: (top: 2pt + accent), inset: (top: 0.6em), width: 100%,
    it.body)
}"""
PAGES = re.compile(rb"<xmpTPg:NPages>(\d+)<")
HEADING = re.compile(r"#heading\(level: (\d)\)")


def print_all(
    page: Page, title: str, footer: str, bodies: Mapping[str, Content], brief: Content,
    left_out: Sequence[str] = (), for_referees: Sequence[str] = (),
) -> dict[str, bytes]:  # fmt: skip
    """Both documents in the page's language, by the names of their files.

    `bodies` are the pages in their order, without those `left_out`; the long tables of those
    `for_referees` stand in the site's files alone.
    """
    told = [shorten_tables(page, body) if name in for_referees else body
            for name, body in bodies.items() if name not in left_out]  # fmt: skip
    opening = _open(page, title, has_contents=True)
    parts = "\n".join([CHAPTERS, opening, *map(typeset, told)])
    report = _frame(page, title, footer, parts, REPORT_SIZE)
    return {
        name_print(BRIEF, page.language): print_brief(page, title, footer, brief),
        name_print(REPORT, page.language): compile_typst(report, "pdf", STANDARD),
    }


def name_print(kind: str, language: str) -> str:
    """The file of a document.

    >>> name_print("brief", "sv")
    'brief_sv.pdf'
    """
    return f"{kind}_{language}.pdf"


def print_brief(page: Page, title: str, footer: str, body: Content) -> bytes:
    """The brief on two pages: first its last parts give way, then the letters are as large as there
    is room for.
    """
    told = [raise_headings(typeset(part)) for part in body.parts]

    def make(size: float) -> bytes:
        opening = _open(page, title, has_contents=False)
        parts = "\n\n".join([BRIEF_LOOKS, opening, *told])
        made: bytes = compile_typst(_frame(page, title, footer, parts, size), "pdf", STANDARD)
        return made

    *larger, smallest = BRIEF_SIZES
    made = make(smallest)
    while len(told) > 1 and count_pages(made) > MOST_PAGES:
        told.pop()
        made = make(smallest)
    fitting = (one for one in map(make, larger) if count_pages(one) <= MOST_PAGES)
    return next(fitting, made)


def raise_headings(markup: str) -> str:
    """Headings a level up: the document's title stands in for that of a page.

    >>> raise_headings('#heading(level: 2)[#"a";]')
    '#heading(level: 1)[#"a";]'
    """
    return HEADING.sub(lambda found: f"#heading(level: {max(int(found[1]) - 1, 1)})", markup)


def shorten_tables(page: Page, piece: Piece) -> Any:
    """The same without long tables and files, which the site has."""
    if isinstance(piece, Table) and len(piece.rows) > MOST_ROWS:
        total = page.formats.count(len(piece.rows))
        return Text(page.say("brief.table", caption=piece.caption, total=total), "note")
    if isinstance(piece, Listing):
        return Text(page.say("brief.listing"), "note")
    if isinstance(piece, Content | Group):
        return replace(piece, parts=tuple(shorten_tables(page, part) for part in piece.parts))
    if isinstance(piece, Folded):
        return replace(piece, content=shorten_tables(page, piece.content))
    if isinstance(piece, Figure):
        return replace(piece, table=shorten_tables(page, piece.table))
    return piece


def count_pages(pdf: bytes) -> int:
    """How many pages a document has, by what it says of itself."""
    found = PAGES.search(pdf)
    return int(found[1]) if found else 0


def _frame(page: Page, title: str, footer: str, body: str, size: float) -> str:
    """A whole document."""
    language = page.language
    return (
        f"#set document(title: {_quote(title)}, author: {_quote('revictimisation')}, date: none)\n"
        f"#let running = [{set_text(f'{title} {page.title}')}]\n#let foot = [{set_text(footer)}]\n"
        f'#set text(lang: "{language}", region: "{REGIONS[language]}", size: {size}pt)\n'
        f"{read_style('print.typ')}\n{body}\n"
    )


def _open(page: Page, title: str, *, has_contents: bool) -> str:
    """The title, who made it of which data, on synthetic data the banner, and the contents."""
    made = page.say(
        "brief.made", until=page.formats.date(page.plan.data_end_on),
        address=find_path("index", page.language, page.plan.languages),
    )  # fmt: skip
    parts = [f"#title[{set_text(title)}]", f"#note[{set_text(f'**{page.title}.** {made}')}]"]
    if page.release.is_synthetic:
        parts.append(f"#banner[{set_text(page.say('common.banner'))}]")
    if has_contents:
        parts.append(f"#outline(title: [{set_text(page.say('common.contents_print'))}], depth: 1)")
    return "\n".join(parts)


def _quote(told: str) -> str:
    return json.dumps(told, ensure_ascii=False)
