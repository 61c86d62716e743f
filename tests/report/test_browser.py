"""Every page in a real browser, in both languages: shown, reached by keyboard, accessible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from revictimisation.report.described import Style
from revictimisation.report.rendering import wrap
from tests.cases import for_each

from .test_site import PAGES, PATHS

# no pictures for a screen that nobody looks at: a third less work, and the same layout
PLAIN = ["--no-sandbox", "--disable-gpu", "--disable-threaded-compositing",
         "--num-raster-threads=1"]  # fmt: skip
MENU = 5  # entries at most
DESKTOP, PHONE = 1280, 390
WIDTHS = (DESKTOP, DESKTOP // 2, PHONE, 360)  # a desktop enlarged to 200 % is half as wide
STATES = [(width, is_open) for width in (DESKTOP, PHONE) for is_open in (True, False)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# a rule that has nothing to judge on a page is not asked
ASK = """tags => {
    const off = new Set(["experimental", "deprecated"]);
    const asked = new Set(axe.getRules(tags).filter(
        one => !one.tags.some(tag => off.has(tag))).map(one => one.ruleId));
    return axe._audit.rules.filter(
        one => asked.has(one.id) && document.querySelector(one.selector)).map(one => one.id);
}"""
# Contrast of words, and of links with the words around them, are the dearest rules: each look is
# asked once (ink, size, weight, all grounds below; of a link also its line, its block's look and
# whether other words stand there).
JUDGE = """async ([rules, known]) => {
    const judged = new Set(known), grounds = new Map();
    const ground = one => {
        if (!one) return "";
        if (!grounds.has(one)) {
            const its = getComputedStyle(one);
            const own = [its.backgroundColor, its.backgroundImage, its.opacity].filter(
                part => part != "rgba(0, 0, 0, 0)" && part != "none" && part != "1");
            grounds.set(one, own.concat(ground(one.parentElement)).join());
        }
        return grounds.get(one);
    };
    const look = one => {
        const its = getComputedStyle(one);
        return [its.color, its.fill, its.fontSize, its.fontWeight, !!one.closest("svg"),
            ground(one)].join();
    };
    const around = one => {
        let block = one.parentElement;
        while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
        const line = [one, block].map(its => getComputedStyle(its));
        const count = its => its.textContent.replace(/\\s/g, "").length;
        const linked = [...block.querySelectorAll("a")].map(count).reduce((a, b) => a + b);
        return line.flatMap(its => [its.textDecorationLine, its.fontFamily, its.fontStyle,
            its.borderBottomWidth, its.display]).concat(look(block), count(block) > linked).join();
    };
    const ask = (where, values) => axe.run(where, {runOnly: {type: "rule", values},
        resultTypes: ["violations"], selectors: false, preload: false});
    const askOfNew = async (rule, ones, tell) => {
        const looks = new Map(ones.map(one => [rule + tell(one), one]));
        const include = [...looks].filter(([its]) => !judged.has(its)).map(([, one]) => one);
        [...looks.keys()].forEach(its => judged.add(its));
        return include.length ? (await ask({include}, [rule])).violations : [];
    };
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), inks = [];
    while (words.nextNode()) {
        const one = words.currentNode.parentElement;
        if (words.currentNode.data.trim() && one.checkVisibility()) inks.push(one);
    }
    const links = [...document.querySelectorAll("a[href]")].filter(one => one.checkVisibility());
    const dear = ["color-contrast", "link-in-text-block"];
    const found = [
        ...(await ask(document, rules.filter(rule => !dear.includes(rule)))).violations,
        ...await askOfNew(dear[0], inks, look),
        ...await askOfNew(dear[1], links, one => look(one) + around(one))];
    return [found.map(
        one => [one.id, one.nodes.map(node => node.html.slice(0, 200)).slice(0, 3)]), [...judged]];
}"""
# What one function writes over and over is judged once a page: of rows and of
# marks in pictures the first of each shape (the same elements with the same classes, roles,
# languages, colours and sizes). Every table and picture with its first part, every fold, heading,
# list and paragraph stays.
SHORTEN = """() => {
    const told = new Set(["class", "role", "lang", "fill", "stroke", "font-size", "font-weight",
                          "opacity", "fill-opacity", "tabindex", "scope"]);
    const shape = one => one.outerHTML.replace(/>[^<]*[^<\\s][^<]*/g, ">x").replace(
        / ([\\w-]+)="[^"]*"/g, (all, name) => told.has(name) ? all : ` ${name}`).replace(
        /(<(\\w+)[^>]*>x?<[/]\\2>x?)\\1+/g, "$1");  // the same again beside it
    const seen = new Set();
    for (const whole of document.querySelectorAll("tbody, svg, svg g")) {
        [...whole.children].forEach((part, place) => {
            const its = whole.tagName + part.parentElement.className + shape(part);
            place && seen.has(its) ? part.remove() : seen.add(its);
        });
    }
}"""
OPEN = "is_open => document.querySelectorAll('details').forEach(one => { one.open = is_open; })"
SIZE = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
MOST_STOPS, ENOUGH_FOLDS = 60, 3
# what the keyboard can reach, numbered in the order in which it stands
NUMBER_STOPS = """() => {
    const stops = [...document.querySelectorAll("a[href], summary, [tabindex='0']")].filter(
        one => one.checkVisibility({checkVisibilityCSS: true}));
    stops.forEach((one, place) => { one.dataset.stop = place; });
    return stops.length;
}"""
# words whose box is smaller than they are, and hides what does not fit
CUT = """() => [...document.querySelectorAll("main p, main li, main h1, main h2, main h3, main a")]
    .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth
        && getComputedStyle(one).overflowX != "visible").map(one => one.textContent.slice(0, 60))"""
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


@pytest.fixture(scope="module")
def judged() -> set[str]:
    """The looks that were asked on the pages before."""
    return set()


def judge(screen: Page, rules: list[str], judged: set[str]) -> list[tuple[str, list[str]]]:
    """The rules that the page breaks as it is shown now; looks `judged` before are not asked."""
    found, looks = screen.evaluate(JUDGE, [rules, [*judged]])
    judged.update(looks)
    return found


def resize(screen: Page, width: int) -> None:
    screen.set_viewport_size({"width": width, "height": 900})


@for_each("path", PATHS)
def test_a_browser_shows_the_page(site: Path, screen: Page, judged: set[str], path):
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
    rules = screen.evaluate(ASK, RULES)
    has_folds = screen.locator("details").count() > 0
    for width, is_open in [one for one in STATES if has_folds or one[1]]:
        resize(screen, width)
        screen.evaluate(OPEN, is_open)
        assert judge(screen, rules, judged) == [], (width, is_open)
    assert screen.faults == []
    assert [url for url in screen.requests if not url.startswith(("file:", "data:"))] == []


def test_the_judge_finds_what_is_wrong(screen: Page):
    """Faint words among words of another look, and two regions of one name, too."""
    alike = "<section aria-label='B'>b</section>" * 2
    screen.set_content("<main><h1>A</h1><img src='data:,'><p>one</p><p>two</p>"
                       f"<p style='color:#ccc'>faint</p>{alike}</main>")  # fmt: skip
    screen.evaluate(AXE)
    found = {name for name, _ in judge(screen, screen.evaluate(ASK, RULES), set())}
    assert {"image-alt", "color-contrast", "html-has-lang", "landmark-unique"} <= found


def test_what_is_left_out_has_the_shape_of_what_stays(screen: Page):
    """Planted: rows that differ in nothing, in a class, in an element; marks in their colour."""
    row, other = "<tr><th scope='row'>{}</th><td{}>{}</td></tr>", "<tr><td>1</td></tr>"
    rows = [row.format("a", "", 1), row.format("b", "", "2,5"), row.format("c", " class='x'", 3),
            row.format("d", "", "<small>4</small>"), row.format("e", "", ""), other]  # fmt: skip
    marks = "".join(f"<circle r='1' fill='{one}'/>" for one in ("#000", "#000", "#eee"))
    screen.set_content(f"<table><tbody>{''.join(rows)}</tbody></table><svg>{marks}</svg>")
    screen.evaluate(SHORTEN)
    heads = screen.eval_on_selector_all("tbody th", "all => all.map(one => one.textContent)")
    assert heads == ["a", "c", "d", "e"] and screen.locator("tbody tr").count() == 5
    assert screen.locator("circle").count() == 2


def test_a_table_looks_in_jupyterlab_as_on_its_page(screen: Page):
    """JupyterLab's own rules for tables, which weigh more than an element in a class."""
    rules = """.jp-RenderedHTMLCommon table { table-layout: fixed; }
        :not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon th { text-align: right; }
        .jp-RenderedHTMLCommon tbody tr:nth-child(even) { background: grey; }"""
    row = "<tr><th scope='row'>a</th><td>1</td></tr>"
    screen.set_content(f"<style>{rules}</style><div class='jp-RenderedHTMLCommon'>{wrap(Style())}"
        f"<div class='report'><table><tbody>{2 * row}</tbody></table></div></div>")  # fmt: skip
    for at, rule, looks in (("table", "tableLayout", "auto"), ("th", "textAlign", "left"),
                            ("tr:last-child", "backgroundColor", "rgba(0, 0, 0, 0)")):  # fmt: skip
        assert screen.eval_on_selector(at, f"one => getComputedStyle(one).{rule}") == looks


def test_the_menu_stands_on_one_line_where_there_is_room(site: Path, screen: Page):
    resize(screen, DESKTOP)
    for path in ("index.html", "index_en.html"):
        screen.goto((site / path).as_uri())
        tops = screen.eval_on_selector_all(
            "header .menu li", "all => all.map(one => one.getBoundingClientRect().top)"
        )
        in_menu = [one for one in PAGES.values() if one.in_menu]
        assert len(tops) == len(in_menu) + 1 <= MENU + 1 and max(tops) - min(tops) < 2


@for_each("path", ["index.html", "02_reach.html", "07_for_researchers_en.html",
                   "measure_support_talks.html"])  # fmt: skip
def test_a_page_is_used_by_keyboard_alone(site: Path, screen: Page, path):
    """The first stop leads past the menu; folds open; each stop can be seen, none is a trap."""
    resize(screen, DESKTOP)
    screen.goto((site / path).as_uri())
    screen.keyboard.press("Tab")
    assert screen.evaluate("document.activeElement.className") == "skip"
    assert screen.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    screen.keyboard.press("Enter")
    assert screen.evaluate("location.hash") == "#content"
    n_folds = screen.locator("main summary").count()
    seen = {"SUMMARY": 0, "A": 0}
    for _ in range(MOST_STOPS):
        screen.keyboard.press("Tab")
        tag, outline = screen.evaluate(FOCUS)
        assert outline != "none"
        seen[tag] = seen.get(tag, 0) + 1
        if tag == "SUMMARY":
            before = screen.evaluate("document.activeElement.parentElement.open")
            screen.keyboard.press("Enter")
            assert screen.evaluate("document.activeElement.parentElement.open") != before
            screen.keyboard.press("Enter")
        if seen["A"] and seen["SUMMARY"] >= min(n_folds, ENOUGH_FOLDS):
            return
    raise AssertionError(f"{n_folds} folds, but by keyboard only {seen} were reached")


def test_each_stop_of_a_page_is_reached_once_in_the_order_it_is_read(site: Path, screen: Page):
    """From the first to the last and out again: no stop holds the keyboard, none jumps."""
    resize(screen, PHONE)
    screen.goto((site / "04_for_whom.html").as_uri())
    n_stops = screen.evaluate(NUMBER_STOPS)
    places = []
    for _ in range(n_stops):
        screen.keyboard.press("Tab")
        places.append(screen.evaluate("Number(document.activeElement.dataset.stop)"))
    assert places == list(range(n_stops))


def test_a_page_at_200_per_cent_is_whole(site: Path, screen: Page):
    """Letters twice as large in a window of 1280: nothing is cut off or lies on something else."""
    resize(screen, DESKTOP)
    for path in ("index.html", "04_for_whom.html", "measure_support_talks_en.html"):
        screen.goto((site / path).as_uri())
        screen.add_style_tag(content="html { font-size: 200% }")
        wide, room = screen.evaluate(SIZE)
        assert wide <= room, path
        assert screen.evaluate(CUT) == [], path
