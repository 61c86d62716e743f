"""The site: an index, a page per notebook, the word list and the dictionary, as texts.

`render_site` is pure: the same content gives the same texts. A page is one file that loads nothing:
style and pictures are inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
import pandas as pd

from revictimisation.dictionary import Dictionary, render_dictionary
from revictimisation.plan import StudyPlan
from revictimisation.report.markup import Html, join, render_heading
from revictimisation.report.page import Page, read_style
from revictimisation.report.release import Release
from revictimisation.report.sections.summary import name_study, show_summary
from revictimisation.report.sections.words import list_used, show_words
from revictimisation.report.texts import load_texts

NOTEBOOKS = (
    "01_data_and_cohort",
    "02_which_measures",
    "03_do_they_work",
    "04_for_whom",
    "05_convictions",
    "06_for_researchers",
    "07_can_it_be_trusted",
)
INDEX, WORDS, DICTIONARY = "index", "words", "dictionary"
SWEDISH = "sv"
DIGEST_LENGTH = 12
# what a notebook carries for JupyterLab and the site says once for all pages
FOR_JUPYTER = re.compile(r"<style>.*?</style>|<p class=\"banner\">.*?</p>", re.DOTALL)
SECTION = re.compile(r'<h2 id="([^"]+)">(.*?)</h2>', re.DOTALL)
FIRST_SECTION = '<div class="report"><h2'


@dataclass(frozen=True)
class SiteContent:
    """All that the site is made of.

    `estimates`, `attrition`, `diagnostics` are the released tables. `notebooks` are executed
    notebooks (their JSON) by (name without suffix, language); `versions` those of the manifest;
    `input_digest` identifies the extract.
    """

    plan: StudyPlan
    is_synthetic: bool
    estimates: pd.DataFrame
    attrition: pd.DataFrame
    diagnostics: pd.DataFrame
    notebooks: Mapping[tuple[str, str], Mapping[str, Any]]
    versions: Mapping[str, str]
    input_digest: str


def render_site(content: SiteContent, dictionary: Dictionary) -> dict[str, str]:
    """Make every page: its path in the site, and its text.

    The index of the first language (Swedish if the study has it) is `index.html`; pages of another
    language end in `_<language>.html`. Notebooks that are not given have no page and no link.
    """
    release = Release(
        plan=content.plan,
        is_synthetic=content.is_synthetic,
        estimates=content.estimates,
        attrition=content.attrition,
        diagnostics=content.diagnostics,
    )
    texts = {}
    for language in content.plan.languages:
        page = Page(release, dictionary, language)
        for name, (title, body) in _bodies(page, content).items():
            path = find_path(name, language, content.plan.languages)
            texts[path] = _render(page, content, name, title, body)
    return texts


def find_path(name: str, language: str, languages: Iterable[str]) -> str:
    """Where a page stands: the first language, Swedish before others, has no ending.

    >>> find_path("index", "sv", ("en", "sv")), find_path("index", "en", ("en", "sv"))
    ('index.html', 'index_en.html')
    """
    known = list(languages)
    first = SWEDISH if SWEDISH in known else known[0]
    return f"{name}.html" if language == first else f"{name}_{language}.html"


def _names(content: SiteContent, language: str) -> list[str]:
    """The pages of a language, in the order of the menu."""
    made = [name for name, given in content.notebooks if given == language]
    return [INDEX, *sorted(made), WORDS, DICTIONARY]


def _bodies(page: Page, content: SiteContent) -> dict[str, tuple[str, Html]]:
    """The title and the body of every page of a language."""
    languages, language = content.plan.languages, page.language
    names = _names(content, language)
    links = [(name, find_path(name, language, languages)) for name in names if name != INDEX]
    bodies = {INDEX: (name_study(page), show_summary(page, links))}
    for name in names[1:-2]:
        body = collect_outputs(content.notebooks[name, language])
        bodies[name] = (name_page(page, name), body)
    bodies[WORDS] = (page.say("common.page_words"), show_words(page))
    title = page.say("common.page_dictionary")
    told = Html(render_dictionary(page.dictionary, language))
    bodies[DICTIONARY] = (title, join([render_heading(title, 1), told]))
    return bodies


def name_page(page: Page, name: str) -> str:
    """A page's name; a notebook the texts do not know has its own."""
    try:
        return page.say(f"common.page_{name}")
    except KeyError:
        return name.replace("_", " ")


def name_in_menu(page: Page, name: str) -> str:
    """A page's name in the menu: short, so that the menu stands on one line."""
    key = f"common.menu_{name}"
    return page.say(key) if key in load_texts() else name_page(page, name)


def collect_outputs(notebook: Mapping[str, Any]) -> Html:
    """What an executed notebook shows, without its code and without what is for JupyterLab only.

    Only HTML counts: a cell that shows anything else is for the researcher who opened it.
    """
    parts = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            shown = output.get("data", {}).get("text/html", "")
            parts.append(FOR_JUPYTER.sub("", shown if isinstance(shown, str) else "".join(shown)))
    return join(Html(part) for part in parts)


def split_opening(body: str) -> tuple[str, str]:
    """What stands before a notebook's first section, and the rest."""
    at = body.find(FIRST_SECTION)
    return (body[:at], body[at:]) if at >= 0 else (body, "")


def _render(page: Page, content: SiteContent, name: str, title: str, body: Html) -> str:
    languages, language = content.plan.languages, page.language
    menu = [
        (name_in_menu(page, one), find_path(one, language, languages), one == name)
        for one in _names(content, language)
    ]
    others = [
        (other, Page(page.release, page.dictionary, other).say("common.language_name"),
         find_path(name, other, languages))
        for other in languages
        if other != language and name in _names(content, other)
    ]  # fmt: skip
    is_notebook = name not in (INDEX, WORDS, DICTIONARY)
    opening, rest = split_opening(body.text) if is_notebook else ("", body.text)
    versions = {"python": "–", "revictimisation": "–", **content.versions}
    footer = page.say(
        "common.footer_versions", digest=content.input_digest[:DIGEST_LENGTH], **versions
    )
    shown = " ".join([body.text, page.say("common.footer"), footer])
    return load_template().render(
        language=language,
        title=title,
        study=name_study(page),
        body=rest,
        opening=opening,
        banner=page.text("common.banner").text if content.is_synthetic else "",
        sections=SECTION.findall(body.text) if is_notebook else [],
        menu=menu,
        others=others,
        style=read_style("report.css") + read_style("site.css"),
        say=page.say,
        words=find_path(WORDS, language, languages),
        used=[] if name in (WORDS, DICTIONARY) else list_used(page, shown),
        footer=footer,
    )


@cache
def load_template() -> jinja2.Template:
    """The frame around every page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(read_style("page.html.j2"))
