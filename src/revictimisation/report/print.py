"""The site on paper: a brief of two pages for the steering group, and all pages as one report.

PDF, A4, tagged and titled (PDF/UA-1), with contents, page numbers, captions and a running head. The
same content gives the same bytes: no date, no fonts but those that come with our packages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from revictimisation.report.described import (
    NOTHING,
    Content,
    Figure,
    Folded,
    Heading,
    Items,
    Piece,
    Text,
    join,
)
from revictimisation.report.page import Page
from revictimisation.report.rendering import read_style
from revictimisation.report.takeaway import compile_typst
from revictimisation.report.typesetting import set_text, typeset

BRIEF, REPORT = "brief", "report"
STANDARD = "ua-1"
REGIONS = {"sv": "SE", "en": "GB"}
REPORT_SIZE = 10.0
BRIEF_SIZES = (10.5, 10.0, 9.5, 9.0, 8.5)
MOST_PAGES = 2  # of the brief
COMPACT = "#show heading.where(level: 1): set text(size: 0.85em)"
PAGES = re.compile(rb"<xmpTPg:NPages>(\d+)<")
HEADING = re.compile(r"#heading\(level: (\d)\)")
SECTION = 2  # the level of the headings that part a page


def print_all(
    page: Page, title: str, footer: str, bodies: Mapping[str, Content], start: str,
    left_out: Sequence[str] = (), for_referees: Sequence[str] = (),
) -> dict[str, bytes]:  # fmt: skip
    """Both documents in the page's language, by the names of their files.

    `bodies` are the pages in their order, `start` the first of them; those `left_out` are no part
    of the report, those `for_referees` none of the brief.
    """
    told = {name: body for name, body in bodies.items() if name not in left_out}
    first = {name: body for name, body in told.items() if name not in for_referees}
    chapters = "\n#pagebreak()\n".join(map(typeset, told.values()))
    opening = _open(page, title, has_contents=True)
    report = _frame(page, title, footer, f"{opening}\n{chapters}", REPORT_SIZE)
    return {
        name_print(BRIEF, page.language): print_brief(page, title, footer, first, start),
        name_print(REPORT, page.language): compile_typst(report, "pdf", STANDARD),
    }


def name_print(kind: str, language: str) -> str:
    """The file of a document.

    >>> name_print("brief", "sv")
    'brief_sv.pdf'
    """
    return f"{kind}_{language}.pdf"


def print_brief(
    page: Page, title: str, footer: str, bodies: Mapping[str, Content], start: str
) -> bytes:
    """What Start says, and what each page says first, on two pages: first the last of these give
    way, then the letters are as large as there is room for.
    """
    openings = [list_opening(body) for name, body in bodies.items() if name != start]
    told = [shorten(lower(bodies[start])), *filter(None, openings)]

    def make(size: float) -> bytes:
        parts = [raise_headings(typeset(part)) for part in told]
        body = "\n\n".join([_open(page, title, has_contents=False), *parts])
        made: bytes = compile_typst(
            _frame(page, title, footer, f"{COMPACT}\n{body}", size), "pdf", STANDARD
        )
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


def lower(body: Content) -> Content:
    """A page without its title, which the document has."""
    parts = [part for part in body.parts if not (isinstance(part, Heading) and part.level == 1)]
    return Content(tuple(parts))


def shorten(body: Content) -> Content:
    """Without what a reader may open, and without the numbers behind figures."""
    parts = [replace(part, table=NOTHING) if isinstance(part, Figure) else part
             for part in body.parts if not isinstance(part, Folded)]  # fmt: skip
    return join(parts)


def list_opening(body: Content) -> Content:
    """A page's title, and the texts before its first section: nothing without them."""
    told: list[Piece] = []
    for part in lower(body).parts:
        if isinstance(part, Heading) and part.level == SECTION:
            break
        if isinstance(part, Text) or (isinstance(part, Items) and part.kind == "findings"):
            told.append(part)
    titles = [Heading(part.told, SECTION) for part in body.parts
              if isinstance(part, Heading) and part.level == 1]  # fmt: skip
    return join([*titles, *told]) if told else join([])


def count_pages(pdf: bytes) -> int:
    """How many pages a document has, by what it says of itself."""
    found = PAGES.search(pdf)
    return int(found[1]) if found else 0


def _frame(page: Page, title: str, footer: str, body: str, size: float) -> str:
    """A whole document."""
    language = page.language
    return (
        f"#set document(title: {_quote(title)}, author: {_quote('revictimisation')}, date: none)\n"
        f"#let running = [{set_text(title)}]\n#let foot = [{set_text(footer)}]\n"
        f'#set text(lang: "{language}", region: "{REGIONS[language]}", size: {size}pt)\n'
        f"{read_style('print.typ')}\n{body}\n"
    )


def _open(page: Page, title: str, *, has_contents: bool) -> str:
    """The title, on synthetic data the banner, and the contents."""
    parts = [f"#title[{set_text(title)}]"]
    if page.release.is_synthetic:
        parts.append(f"#banner[{set_text(page.say('common.banner'))}]")
    if has_contents:
        parts.append(f"#outline(title: [{set_text(page.say('common.contents_print'))}], depth: 2)")
        parts.append("#pagebreak()")
    return "\n".join(parts)


def _quote(told: str) -> str:
    return json.dumps(told, ensure_ascii=False)
