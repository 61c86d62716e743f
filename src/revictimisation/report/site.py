"""The site: every page in outline within the frame that all share, as texts.

`render_site` is pure: the same content gives the same texts. A page is one file that loads nothing:
style and pictures are inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import jinja2
import pandas as pd

from revictimisation.dictionary import load_dictionary
from revictimisation.plan import StudyPlan
from revictimisation.report.addresses import ENDING, find_path
from revictimisation.report.brief import describe_brief
from revictimisation.report.described import NOTHING, Content, Heading, Piece
from revictimisation.report.facts import check_facts, collect_facts
from revictimisation.report.outline import Outline
from revictimisation.report.page import Page
from revictimisation.report.pages import DICTIONARY, WORDS, list_pages
from revictimisation.report.print import BRIEF, REPORT, name_print, print_all
from revictimisation.report.quantities import hearing
from revictimisation.report.release import Release
from revictimisation.report.rendering import mark_up, read_style, wrap
from revictimisation.report.sections.words import link_words, list_used
from revictimisation.report.takeaway import taking

DIGEST_LENGTH = 12
READ = ("06_how_we_know", "honour")  # by all, though they do not stand in the menu
BETWEEN = "\f"  # in no text
SECTION = 2  # the level of the headings that part a page


@dataclass(frozen=True)
class SiteContent:
    """All that the site is made of.

    `estimates`, `attrition`, `diagnostics` are the released tables. `is_joined`: `link` made the
    extract; `versions` are those of the manifest, `input_digest` identifies the run.
    """

    plan: StudyPlan
    is_synthetic: bool
    is_joined: bool
    estimates: pd.DataFrame
    attrition: pd.DataFrame
    diagnostics: pd.DataFrame
    versions: Mapping[str, str]
    input_digest: str

    @property
    def languages(self) -> Sequence[str]:
        """The study's languages."""
        return self.plan.languages

    @property
    def for_referees(self) -> Sequence[str]:
        """Pages whose long tables are for those who check the study."""
        return [name for name, one in self.outlines.items()
                if not (one.in_menu or one.of_measure or name in READ)]  # fmt: skip

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """The pages by name, in the order of the menu."""
        pages = list_pages(self.plan, is_joined=self.is_joined)
        return {outline.name: outline for outline in pages}


Files = dict[str, str | bytes]


def render_site(content: SiteContent, each: Callable[..., Iterable[Files]] = map) -> Files:
    """Make every page, and what its readers may take along: by path, texts and pictures.

    The index of the first language (Swedish if the study has it) is `index.html`; pages of another
    language end in `_<language>.html`. `each` calls a function of a module for every page, as `map`
    does, and may do so in processes of their own.
    """
    made = each(partial(render_language, content), content.languages)
    return {path: text for files in made for path, text in files.items()}


def render_language(content: SiteContent, language: str) -> Files:
    """Every page in one language, with what is taken along, and the pages in print.

    Raises `RevictimisationError` where they contradict each other.
    """
    page = make_page(content, language)
    bodies, heard = {}, {}
    for name, outline in content.outlines.items():
        with hearing() as heard[name]:
            bodies[name] = outline.describe(page)
    with hearing() as heard[BRIEF]:
        brief = describe_brief(page)
    check_facts(collect_facts({**bodies, BRIEF: brief}, heard))
    made: Files = {}
    for name, body in bodies.items():
        made |= _write_page(page, content, name, body)
    prints = print_all(
        page, page.say("index.title"), _describe_origin(page, content), bodies,
        brief,
        left_out=(DICTIONARY,), for_referees=content.for_referees,
    )  # fmt: skip
    return made | prints


def render_page(content: SiteContent, name: str, language: str) -> str:
    """One page of the site, by its name: its text."""
    return str(render_files(content, name, language)[find_path(name, language, content.languages)])


def render_files(content: SiteContent, name: str, language: str) -> Files:
    """One page of the site, by its name, with what is taken along from it."""
    page = make_page(content, language)
    return _write_page(page, content, name, content.outlines[name].describe(page))


def make_page(content: SiteContent, language: str) -> Page:
    """What the pages of a language are written with."""
    release = Release(
        plan=content.plan,
        is_synthetic=content.is_synthetic,
        estimates=content.estimates,
        attrition=content.attrition,
        diagnostics=content.diagnostics,
    )
    return Page(release, load_dictionary(), language, site=frozenset(content.outlines))


def _write_page(page: Page, content: SiteContent, name: str, body: Content) -> Files:
    path = find_path(name, page.language, content.languages)
    with taking(path.removesuffix(ENDING), page.language) as taken:
        text = _frame(page, content, name, body)
    return {path: text, **taken.finish()}


def _describe_origin(page: Page, content: SiteContent) -> str:
    """What made the site, of which run."""
    versions = {"python": "–", "revictimisation": "–", **content.versions}
    digest = content.input_digest[:DIGEST_LENGTH]
    return page.say("common.footer_versions", digest=digest, study=content.plan.name, **versions)


def split_opening(body: Content) -> tuple[Content, Content]:
    """What stands before the first section with a heading, and the rest."""
    sections = (at for at, part in enumerate(body.parts) if _is_section(part))
    at = next(sections, len(body.parts))
    return Content(body.parts[:at]), Content(body.parts[at:])


def _is_section(piece: Piece) -> bool:
    return isinstance(piece, Heading) and piece.level == SECTION


def list_sections(body: Content) -> list[tuple[str, str]]:
    """The anchors and headings of a page's sections."""
    return [(piece.anchor, mark_up(piece.told)) for piece in body.walk()
            if isinstance(piece, Heading) and _is_section(piece)]  # fmt: skip


def _frame(page: Page, content: SiteContent, name: str, body: Content) -> str:
    """The whole page: what was put on it, with menu, contents, words and footer."""
    outline, languages = content.outlines[name], content.plan.languages
    others = [
        (other, page.texts["common.language_name"][other], find_path(name, other, languages))
        for other in languages
        if other != page.language
    ]
    # each is written once: pictures are drawn as they are written
    opening, rest = map(wrap, split_opening(body) if outline.has_contents else (NOTHING, body))
    words = find_path(WORDS, page.language, languages)
    if name not in (WORDS, DICTIONARY):
        opening, _, rest = link_words(page, f"{opening}{BETWEEN}{rest}", words).partition(BETWEEN)
    footer = _describe_origin(page, content)
    shown = " ".join([opening, rest, page.say("common.footer"), footer])
    return load_template().render(
        language=page.language,
        title=mark_up(outline.entitle(page).told),
        study=page.title,
        body=rest,
        opening=opening if outline.has_contents else "",
        banner=page.text("common.banner").html if content.is_synthetic else "",
        sections=list_sections(body) if outline.has_contents else [],
        menu=_list_links(page, content, name, in_menu=True),
        more=_list_links(page, content, name, in_menu=False),
        others=others,
        style="".join(map(read_style, ("report.css", "start.css", "site.css"))),
        say=page.say,
        words=words,
        used=[] if name in (WORDS, DICTIONARY) else list_used(page, shown),
        prints=[
            (page.say(f"common.print_{kind}"), name_print(kind, page.language))
            for kind in (BRIEF, REPORT)
        ],
        footer=footer,
        run=content.input_digest,
    )


def _list_links(
    page: Page, content: SiteContent, name: str, *, in_menu: bool
) -> list[tuple[str, str, bool]]:
    """The pages of the menu or at the foot: name, address, and whether it is this one."""
    return [
        (page.say(f"common.menu_{other}"),
         find_path(other, page.language, content.plan.languages), other == name)
        for other, outline in content.outlines.items()
        if outline.in_menu == in_menu and not outline.of_measure
    ]  # fmt: skip


@cache
def load_template() -> jinja2.Template:
    """The frame around every page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(read_style("page.html.j2"))
