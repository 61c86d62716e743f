"""The pages as texts: complete in each language, the same every time; and in a real browser."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from revictimisation.dictionary import load_dictionary
from revictimisation.report import open_report
from revictimisation.report.pages import list_outlines
from revictimisation.report.site import SiteContent, render_site
from tests.cases import for_each

from .conftest import Study

NOTEBOOKS = [outline.name for outline in list_outlines(is_joined=False)]
NAMES = ("index", *NOTEBOOKS, "words", "dictionary")
PATHS = [f"{name}{ending}.html" for name in NAMES for ending in ("", "_en")]
PARTS = (
    "common|cohort|use|trials?|models|referees|effects|index|truth_study|courts|for_whom|linkage"
)
WIDTHS = {"desktop": 1280, "phone": 390, "small phone": 360}
BANNER = {"sv": "säger ingenting om Stockholm", "en": "say nothing about Stockholm"}
# at least so many; a measure without an answer has no curves
PICTURES = {"index": 1, "02_which_measures": 3, "03_do_they_work": 4, "04_for_whom": 3,
            "05_convictions": 3, "06_for_researchers": 1, "07_can_it_be_trusted": 10}  # fmt: skip


def read_words(text: str) -> str:
    """What a reader sees of a page."""
    text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", text)


def test_every_page_is_there_in_both_languages(pages):
    assert set(pages) == set(PATHS)


@for_each("path", PATHS)
def test_a_page_is_whole(pages, path):
    text, words = pages[path], read_words(pages[path])
    language = "en" if path.endswith("_en.html") else "sv"
    assert f'<html lang="{language}">' in text
    assert BANNER[language] in words and words.count(BANNER[language]) == 1
    if not path.startswith("dictionary"):  # which has tests of its own
        assert not re.search(r"\bnan\b|\bNone\b|<NA>|Undefined", words)
        assert not re.search(
            r"[{}]|\b(?:common|cohort|use|trials?|models|referees|effects|index|truth_study|courts|for_whom|linkage)\.[a-z]",
            text_only(text),
        )
        assert not re.search(r"[a-z]_[a-z]", text_only(text))


@for_each("path", [path for path in PATHS if "dictionary" not in path])
def test_a_page_holds_one_language(pages, path):
    """No label of the other language, nor a code in which underscores became spaces."""
    own, other = ("en", "sv") if path.endswith("_en.html") else ("sv", "en")
    text = re.sub(rf"<(\w+)[^>]* lang=\"{other}\"[^>]*>.*?</\1>", "", pages[path], flags=re.DOTALL)
    words = " ".join(re.split(r"\W+", text_only(text).lower()))
    found = set()
    for frame in load_dictionary().code_lists.values():
        if "label_sv" not in frame:
            continue
        names = set(frame[f"label_{own}"].str.lower())
        labels = {name for name in frame[f"label_{other}"].str.lower() if name not in names}
        codes = {code.replace("_", " ") for code in frame.get("code", ()) if "_" in code}
        foreign = labels | (codes if own == "sv" else set())
        known = " ".join(re.split(r"\W+", " ".join(names)))
        for phrase in foreign:
            phrase = " ".join(re.split(r"\W+", phrase))
            if (
                re.search("[a-zåäö] [a-zåäö]", phrase)
                and f" {phrase} " in f" {words} "
                and phrase not in known
            ):
                found.add(phrase)
    assert not found


def text_only(text: str) -> str:
    """What a reader sees of a page but for commands."""
    return read_words(re.sub(r"<code>.*?</code>", "", text))


@for_each("path", [path for path in PATHS if "dictionary" not in path])
def test_pages_have_headings_in_order_and_anchors_once(pages, path):
    levels = [int(level) for level in re.findall(r"<h(\d)", pages[path])]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    anchors = re.findall(r' id="([^"]+)"', pages[path])
    assert len(anchors) == len(set(anchors))


def test_numbers_do_not_depend_on_the_language(pages):
    """The same digits stand on both pages, however they are written."""
    for name in NOTEBOOKS:
        found = [
            re.findall(r"<td>([\d\xa0.,]+?)\xa0?%?</td>", pages[f"{name}{ending}.html"])
            for ending in ("", "_en")
        ]
        digits = [[re.sub(r"\D", "", cell) for cell in cells] for cells in found]
        assert digits[0] == digits[1] and len(digits[0]) > 3


def test_the_same_content_gives_the_same_bytes(content: SiteContent, pages):
    assert render_site(content) == pages


def test_a_run_leaves_these_pages(county: Study, content: SiteContent):
    """The run writes what the pure function gives, but for what identifies the extract."""
    alone = replace(content, plan=content.plan.model_copy(update={"languages": ("sv",)}))
    pages, site = render_site(alone), county.out / "site"
    assert {path.name for path in site.iterdir()} == set(pages)
    for path, text in pages.items():
        written = (site / path).read_text(encoding="utf-8")
        assert hide_digest(written) == hide_digest(text)


def test_a_run_leaves_executed_notebooks_that_show_what_the_pages_show(county: Study):
    page = open_report(county.parameters("sv"))
    for outline in list_outlines(is_joined=False):
        path = county.out / "notebooks" / f"{outline.name}.sv.ipynb"
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        codes = [cell for cell in cells if cell["cell_type"] == "code"]
        assert all(cell["execution_count"] for cell in codes)
        shown = ["".join(output["data"]["text/html"]) for cell in cells
                 for output in cell.get("outputs", ())]  # fmt: skip
        assert shown[1:] == [
            section.render(outline.prepare(page))._repr_html_() for section in outline.sections
        ]


def hide_digest(text: str) -> str:
    return re.sub(r": [0-9a-f]{12}\.", "", text)


def test_pages_tell_nothing_of_the_machine(pages, repo_root, content: SiteContent):
    for text in pages.values():
        assert str(repo_root) not in text and "/tmp/" not in text
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)


def test_the_authors_notebook_is_never_linked(pages):
    assert not any("90_truth" in text or "truth.csv" in text for text in pages.values())


@pytest.fixture(scope="module")
def browser(browser_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=WIDTHS.values(), ids=WIDTHS)
def screen(browser: Browser, request) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    page = context.new_page()
    page.faults, page.requests = [], []
    page.on("console", lambda told: page.faults.append(told.text))
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    context.close()


@for_each("path", PATHS)
def test_a_browser_shows_the_page(site: Path, screen: Page, path):
    screen.faults.clear()
    screen.requests.clear()
    screen.goto((site / path).as_uri())
    assert screen.faults == []
    assert [url for url in screen.requests if not url.startswith(("file:", "data:"))] == []
    check_pictures(screen, path)
    wide = screen.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide[0] <= wide[1], "the page is wider than the screen"
    assert screen.locator("body > .banner").is_visible()
    assert screen.locator("main").count() == screen.locator("footer").count() == 1


def test_the_menu_stands_on_one_line_where_there_is_room(site: Path, browser: Browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    for path in ("index.html", "index_en.html"):
        page.goto((site / path).as_uri())
        tops = page.eval_on_selector_all(
            ".menu li", "all => all.map(one => one.getBoundingClientRect().top)"
        )
        assert len(tops) == len(NAMES) + 1 and max(tops) - min(tops) < 2
    page.close()


def test_questions_stand_in_their_order(pages):
    links = re.findall(r'<li><a href="(\d\d)_[a-z_]+\.html"', pages["index.html"])
    assert links[: len(NOTEBOOKS)] == sorted(links[: len(NOTEBOOKS)])
    assert pages["index.html"].index("04_for_whom") < pages["index.html"].index("05_convictions")


def check_pictures(screen: Page, path: str) -> None:
    pictures = screen.locator("img").all()
    expected = PICTURES.get(path.removesuffix(".html").removesuffix("_en"), 0)
    assert len(pictures) >= expected and bool(pictures) == bool(expected)
    for picture in pictures:
        assert len(picture.get_attribute("alt") or "") > 20
        assert picture.evaluate("one => one.complete && one.naturalWidth > 0")
    assert screen.locator("figure figcaption").count() == len(pictures)
    assert screen.locator("figure > details > .scroll table").count() == len(pictures)


@for_each("path", PATHS)
def test_every_link_leads_somewhere(site: Path, path):
    links = re.findall(r'<a\b[^>]*\bhref="([^"]+)"', (site / path).read_text(encoding="utf-8"))
    assert len(links) > 5
    for link in set(links):
        target, _, anchor = link.partition("#")
        text = (site / (target or path)).read_text(encoding="utf-8")
        assert not anchor or f'id="{anchor}"' in text, link
