"""A page in outline: its sections in order, which the site and the page's notebook show alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from revictimisation.plan import StudyPlan
from revictimisation.report.described import Content, Heading, Piece, join
from revictimisation.report.formats import start_upper
from revictimisation.report.page import Page
from revictimisation.report.verdicts import name_measure

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


def _leave(page: Page) -> Page:
    return page


def _always(_plan: StudyPlan, _is_joined: bool) -> bool:
    return True


def if_joined(_plan: StudyPlan, is_joined: bool) -> bool:
    """Only where `link` joined two agencies' extracts."""
    return is_joined


@dataclass(frozen=True)
class Outline:
    """A page: its name in the site, the part of the texts its title is in.

    `prepare` gives the page what its sections need beside the report's own texts. It stands in the
    menu if `in_menu`, else at the foot of each page (`common.menu_<name>` in both). One that is
    `of_measure` is made once for each measure and stands in neither, as Start leads to it. The
    notebook `notebook` shows the same sections; empty: none does. `is_made` says for which studies
    there is a page. `has_contents`: its headings stand first.
    """

    name: str
    part: str
    sections: tuple[Section, ...]
    prepare: Callable[[Page], Page] = _leave
    notebook: str = ""
    in_menu: bool = False
    of_measure: bool = False
    is_made: Callable[[StudyPlan, bool], bool] = _always
    has_contents: bool = True

    def describe(self, page: Page) -> Content:
        """The whole page, title and sections."""
        page = self.prepare(page)
        return join([self.entitle(page), *(section.describe(page) for section in self.sections)])

    def entitle(self, page: Page) -> Heading:
        """The page's title: of one about a measure what that is called."""
        page = self.prepare(page)
        if not self.of_measure:
            return page.heading(f"{self.part}.title", level=1)
        return Heading(start_upper(name_measure(page, page.measure)), 1, f"{self.part}-title")

    def about(self, measure: str) -> Outline:
        """The same page about one measure."""
        name = f"{self.name}_{measure}"
        return replace(self, name=name, prepare=lambda page: replace(page, measure=measure))
