"""Every page in a real browser, in both languages: shown, reached by keyboard, accessible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.cases import for_each

from .test_site import PAGES, PATHS

# no pictures for a screen that nobody looks at: a third less work, and the same layout
PLAIN = ["--no-sandbox", "--disable-gpu", "--disable-threaded-compositing",
         "--num-raster-threads=1"]  # fmt: skip
MENU = 5  # entries at most
DESKTOP, PHONE = 1280, 390
WIDTHS = (DESKTOP, DESKTOP // 2, PHONE, 360)  # a desktop enlarged to 200 % is half as wide
# each page is judged at both widths with folds open and closed: two of the four in each language
JUDGED = {"": ((DESKTOP, False), (PHONE, True)), "_en": ((DESKTOP, True), (PHONE, False))}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
JUDGE = """rules => axe.run(document, {runOnly: {type: "tag", values: rules},
    resultTypes: ["violations"]}).then(found => found.violations.map(
    one => [one.id, one.nodes.map(node => node.html.slice(0, 200)).slice(0, 3)]))"""
# what the same function wrote over and over is judged once: the first rows of the first tables; the
# colours inside pictures are held by test_colours, their words are the page's
SHORTEN = """() => {
    document.querySelectorAll("tbody").forEach(
        one => [...one.rows].slice(3).forEach(row => row.remove()));
    document.querySelectorAll("svg").forEach(
        one => [...one.children].forEach(part => part.tagName == "desc" || part.remove()));
    [...document.querySelectorAll("table")].slice(8).forEach(one => one.closest("div").remove());
}"""
OPEN = "is_open => document.querySelectorAll('details').forEach(one => { one.open = is_open; })"
SIZE = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
FOCUS = """() => [document.activeElement.tagName,
    getComputedStyle(document.activeElement).outlineStyle]"""
SHOWN = """() => [...document.querySelectorAll("figure")].map(
    one => [...one.querySelectorAll("svg")].filter(svg => svg.checkVisibility()).length)"""


@pytest.fixture(scope="module")
def browser(browser_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=PLAIN)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.faults, page.requests = [], []
    page.on("console", lambda told: page.faults.append(told.text))
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    page.close()


def resize(screen: Page, width: int) -> None:
    screen.set_viewport_size({"width": width, "height": 900})


@for_each("path", PATHS)
def test_a_browser_shows_the_page(site: Path, screen: Page, path):
    """Loaded once and looked at in each width: a page has style but no script that reads it."""
    screen.faults.clear()
    screen.requests.clear()
    screen.goto((site / path).as_uri())
    assert screen.locator("script").count() == 0
    assert screen.locator("main").count() == screen.locator("footer").count() == 1
    for width in WIDTHS:
        resize(screen, width)
        for is_open in (False, True):
            screen.evaluate(OPEN, is_open)
            wide = screen.evaluate(SIZE)
            assert wide[0] <= wide[1] <= width, f"the page is wider than the screen: {width}"
        assert set(screen.evaluate(SHOWN)) <= {0, 1}  # of a picture that is drawn twice
        assert screen.locator("body > .banner").is_visible()
    screen.evaluate(AXE)
    screen.evaluate(SHORTEN)
    for width, is_open in JUDGED["_en" if path.endswith("_en.html") else ""]:
        resize(screen, width)
        screen.evaluate(OPEN, is_open)
        assert screen.evaluate(JUDGE, RULES) == [], (width, is_open)
    assert screen.faults == []
    assert [url for url in screen.requests if not url.startswith(("file:", "data:"))] == []


def test_the_judge_finds_what_is_wrong(screen: Page):
    screen.set_content("<main><h1>A</h1><img src='data:,'><p style='color:#ccc'>faint</p></main>")
    screen.evaluate(AXE)
    found = {name for name, _ in screen.evaluate(JUDGE, RULES)}
    assert {"image-alt", "color-contrast", "html-has-lang"} <= found


def test_the_menu_stands_on_one_line_where_there_is_room(site: Path, screen: Page):
    resize(screen, DESKTOP)
    for path in ("index.html", "index_en.html"):
        screen.goto((site / path).as_uri())
        tops = screen.eval_on_selector_all(
            "header .menu li", "all => all.map(one => one.getBoundingClientRect().top)"
        )
        in_menu = [one for one in PAGES.values() if one.in_menu]
        assert len(tops) == len(in_menu) + 1 <= MENU + 1 and max(tops) - min(tops) < 2


def test_a_page_is_used_by_keyboard_alone(site: Path, screen: Page):
    """The first stop leads past the menu; folds open; each stop can be seen."""
    resize(screen, DESKTOP)
    screen.goto((site / "02_reach.html").as_uri())
    screen.keyboard.press("Tab")
    assert screen.evaluate("document.activeElement.className") == "skip"
    assert screen.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    screen.keyboard.press("Enter")
    assert screen.evaluate("location.hash") == "#content"
    seen = {"SUMMARY": 0, "A": 0}
    for _ in range(12):
        screen.keyboard.press("Tab")
        tag, outline = screen.evaluate(FOCUS)
        assert outline != "none"
        seen[tag] = seen.get(tag, 0) + 1
        if tag == "SUMMARY":
            before = screen.evaluate("document.activeElement.parentElement.open")
            screen.keyboard.press("Enter")
            assert screen.evaluate("document.activeElement.parentElement.open") != before
    assert seen["SUMMARY"] and seen["A"]
