"""The few pieces of HTML that every page is made of: text, table, figure.

Whatever comes in as plain text is escaped here; only `Html` goes through as it is. Nothing is
loaded from anywhere: pictures are inside the page.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

BOLD = re.compile(r"\*\*(.+?)\*\*")
NARROW_PX = 620


@dataclass(frozen=True)
class Html:
    """A piece of a page; JupyterLab shows it as it will stand there."""

    text: str

    def _repr_html_(self) -> str:
        return f'<div class="report">{self.text}</div>'

    def __add__(self, other: Html) -> Html:
        return Html(self.text + other.text)


def to_html(value: Html | str) -> str:
    """Html as it is, plain text escaped, `**bold**` in it made bold.

    >>> to_html("a < **b**")
    'a &lt; <strong>b</strong>'
    """
    if isinstance(value, Html):
        return value.text
    return BOLD.sub(r"<strong>\1</strong>", escape(value, quote=False))


def join(parts: Iterable[Html]) -> Html:
    """Pieces below each other."""
    return Html("\n".join(part.text for part in parts if part.text))


def render_prose(text: str, kind: str = "") -> Html:
    """Plain text to paragraphs: a blank line parts them, lines that begin with `- ` are a list.

    >>> render_prose("One.\\n\\n- two\\n- three").text
    '<p>One.</p>\\n<ul><li>two</li><li>three</li></ul>'
    """
    marked = f' class="{kind}"' if kind else ""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("- "):
            items = [line.strip() for line in re.split(r"(?:^|\n)- ", block) if line.strip()]
            blocks.append(f"<ul>{''.join(f'<li>{to_html(item)}</li>' for item in items)}</ul>")
        else:
            blocks.append(f"<p{marked}>{to_html(block)}</p>")
    return Html("\n".join(blocks))


def render_heading(text: str, level: int, anchor: str = "") -> Html:
    """A heading with the anchor that links lead to."""
    mark = f' id="{anchor}"' if anchor else ""
    return Html(f"<h{level}{mark}>{to_html(text)}</h{level}>")


def render_table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Any]],
    notes: Sequence[str] = (),
    kind: str = "",
) -> Html:
    """A table with a caption, its first column being the rows' headings.

    It scrolls inside its own box where the screen is narrow; `kind` is a class, such as `words`
    for cells of prose instead of numbers.
    """
    head = "".join(f'<th scope="col">{to_html(one)}</th>' for one in heads)
    body = "".join(_row(row) for row in rows)
    foot = "".join(f'<p class="note">{to_html(note)}</p>' for note in notes)
    return Html(
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(_plain(caption))}">'
        f'<table class="numbers {kind}"><caption><span>{to_html(caption)}</span></caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{foot}"
    )


def _plain(text: str) -> str:
    return BOLD.sub(r"\1", text)


def _row(row: Sequence[Html | str]) -> str:
    first, *rest = row
    cells = "".join(f"<td>{to_html(cell)}</td>" for cell in rest)
    return f'<tr><th scope="row">{to_html(first)}</th>{cells}</tr>'


def render_with_interval(told: Html | str, interval: str) -> Html:
    """A number with its interval, or more, in small print below it: tables stay narrow."""
    return Html(f"{to_html(told)}<br><small>{to_html(interval)}</small>")


def render_bar(share: float | None, told: str) -> Html:
    """A share (0..1) as a bar in a cell with the words for it; None has no bar."""
    width = f"{100 * share:.1f}" if share is not None else "0"
    return Html(
        f'<span class="bar" aria-hidden="true"><i style="width:{width}%"></i></span>'
        f"<span>{to_html(told)}</span>"
    )


def render_labelled(label: str, told: str) -> Html:
    """A cell that says what it is where its table is stacked, on narrow screens."""
    return Html(f'<span class="label" aria-hidden="true">{to_html(label)}:</span> {to_html(told)}')


def render_details(summary: str, content: Html) -> Html:
    """Something folded that a reader may open."""
    return Html(f"<details><summary>{to_html(summary)}</summary>{content.text}</details>")


def render_figure(
    wide: bytes, narrow: bytes, alt: str, caption: str, numbers_title: str, numbers: Html
) -> Html:
    """A picture drawn for wide and for narrow screens, its caption, and its numbers as a table."""
    source = f'<source media="(max-width: {NARROW_PX}px)" srcset="{_data(narrow)}">'
    image = f'<img src="{_data(wide)}" alt="{escape(alt)}">'
    details = render_details(numbers_title, numbers).text
    return Html(
        f"<figure><picture>{source}{image}</picture>"
        f"<figcaption>{to_html(caption)}</figcaption>{details}</figure>"
    )


def _data(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
