"""A page in outline: its sections in order, which the site and the page's notebook show alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from revictimisation.report.described import Content, Piece, join
from revictimisation.report.page import Page

Part = str | Callable[[Page], Piece]


@dataclass(frozen=True)
class Section:
    """A piece of a page by its name: below its heading, texts (by key) and what functions show."""

    name: str
    parts: tuple[Part, ...]
    level: int | None

    def describe(self, page: Page) -> Content:
        """The section as it stands on its page."""
        heading = [page.heading(self.name, self.level)] if self.level else []
        shown = (page.text(part) if isinstance(part, str) else part(page) for part in self.parts)
        return join([*heading, *shown])


def under(name: str, *parts: Part, level: int = 2) -> Section:
    """A section under the heading that its name is the key of."""
    return Section(name, parts, level)


def alone(name: str, *parts: Part) -> Section:
    """A section without a heading, or with one that comes and goes with what there is to show."""
    return Section(name, parts, None)


@dataclass(frozen=True)
class Outline:
    """A page: the name it shares with its notebook, the part of the texts its title is in.

    `prepare` gives the page what its sections need beside the report's own texts. A page that is
    `if_joined` is made only where `link` joined two agencies' extracts.
    """

    name: str
    part: str
    sections: tuple[Section, ...]
    prepare: Callable[[Page], Page] = lambda page: page
    if_joined: bool = False

    def describe(self, page: Page) -> Content:
        """The whole page, title and sections."""
        page = self.prepare(page)
        title = page.heading(f"{self.part}.title", level=1)
        return join([title, *(section.describe(page) for section in self.sections)])
