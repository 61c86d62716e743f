"""The pages as texts: complete in each language, light, the same every time."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.attack.documents import read_document
from revictimisation.plan import read_plan
from revictimisation.report.pages import list_pages
from revictimisation.report.print import count_pages
from revictimisation.report.site import SiteContent, render_page
from revictimisation.report.site import make_page as make_page_of
from tests.cases import for_each
from tests.project.sources import ROOT

from .conftest import Study, read_content

PLAN = read_plan((ROOT / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8"))
PAGES = {outline.name: outline for outline in list_pages(PLAN, is_joined=False)}
NAMES = [*PAGES]
OF_NUMBERS = [name for name, outline in PAGES.items() if outline.notebook]
PATHS = [f"{name}{ending}.html" for name in NAMES for ending in ("", "_en")]
PARTS = (
    "common|cohort|reach|trials?|models|referees|effects|index|truth_study|courts|for_whom|linkage"
)
RUBBISH = r"\bnan\b|\bNone\b(?! of )|<NA>|Undefined"
BANNER = {"sv": "säger ingenting om Stockholm", "en": "say nothing about Stockholm"}
# at least so many; a measure without an answer has no curves
PICTURES = {"02_reach": 1, "04_for_whom": 1, "05_convictions": 2, "06_how_we_know": 1,
            "07_for_researchers": 4, "08_validation": 2}  # fmt: skip


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
        assert not re.search(RUBBISH, words)
        assert not re.search(
            r"[{}]|\b(?:common|cohort|reach|trials?|models|referees|effects|index|truth_study|courts|for_whom|linkage)\.[a-z]",
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
    return read_words(re.sub(r"<code>.*?</code>", "", text, flags=re.DOTALL))


@for_each("path", [path for path in PATHS if "dictionary" not in path])
def test_pages_have_headings_in_order_and_anchors_once(pages, path):
    levels = [int(level) for level in re.findall(r"<h(\d)", pages[path])]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    anchors = re.findall(r' id="([^"]+)"', pages[path])
    assert len(anchors) == len(set(anchors))


def test_numbers_do_not_depend_on_the_language(pages):
    """The same digits stand on both pages, however they are written."""
    n_digits = 0
    for name in OF_NUMBERS:
        found = [
            re.findall(
                r"<td>(?:<span class=[^>]*>)?([\d\xa0.,]+?)\xa0?%?(?:</span>)?</td>",
                pages[f"{name}{ending}.html"],
            )
            for ending in ("", "_en")
        ]
        digits = [[re.sub(r"\D", "", cell) for cell in cells] for cells in found]
        assert digits[0] == digits[1], name
        n_digits += len(digits[0])
    assert n_digits > 100


def test_a_run_leaves_what_the_kept_pages_are_made_by(finished_run: Study):
    """Its pages are what the pure function gives, but for what identifies the extract.

    They were made by processes of their own: the same content gives the same bytes. Of the pages
    with a notebook one is held whole, all by their sections (the next test).
    """
    content, site = read_content(finished_run), finished_run.out / "site"
    written = {path.stem: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
    assert {*written} == {*content.outlines}
    others = {path.name for path in site.iterdir()} - {f"{name}.html" for name in written}
    assert others == {"figures", "brief_sv.pdf", "report_sv.pdf"}
    drawn = {path.suffix for path in (site / "figures").iterdir()}
    assert drawn == {".csv", ".svg", ".png", ".yaml", ".bib"}
    for name in ("index", "06_how_we_know", "words", "dictionary"):
        assert hide_digest(written[name]) == hide_digest(render_page(content, name, "sv"))
    for name, text in written.items():
        assert name == "dictionary" or not re.search(RUBBISH, read_words(text)), name


def test_a_run_leaves_executed_notebooks_that_show_what_the_pages_show(finished_run: Study):
    pages = read_content(finished_run).outlines.values()
    first = next(iter(read_content(finished_run).plan.measure_names))
    for book in {outline.notebook for outline in pages} - {""}:
        path = finished_run.out / "notebooks" / f"{book}.sv.ipynb"
        mine = [one for one in pages if one.notebook == book]
        mine = [one for one in mine if not one.of_measure or one.name == f"measure_{first}"]
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        codes = [cell for cell in cells if cell["cell_type"] == "code"]
        shown = ["".join(output["data"]["text/html"]) for cell in codes
                 if "".join(cell["source"]).startswith("show(")
                 for output in cell["outputs"]]  # fmt: skip
        (output,) = (output for cell in codes if cell["id"] == "result-figure"
                     for output in cell["outputs"])  # fmt: skip
        # a figure, or that nothing may be shown
        assert "image/png" in output.get("data", {}) or output.get("name") == "stdout"
        page = " ".join(
            (finished_run.out / "site" / f"{one.name}.html").read_text(encoding="utf-8")
            for one in mine
        )
        page = leave_out_links(page)
        assert len(shown) == sum(len(one.sections) for one in mine)
        for html in shown:
            told = html.removeprefix('<div class="report">').removesuffix("</div>")
            assert told.replace("../site/", "").replace("\n", "") in page.replace("\n", "")


def leave_out_links(page: str) -> str:
    """Without what only a site has: files to take along, links to its word list."""
    page = re.sub(r'<p class="(?:take|note swipe)">.*?</p>', "", page)
    return re.sub(r'<a class="word"[^>]*>(.*?)</a>', r"\1", page)


def hide_digest(text: str) -> str:
    return re.sub(r"[0-9a-f]{12,64}", "", text)


def test_pages_tell_nothing_of_the_machine(pages, repo_root, content: SiteContent):
    for text in pages.values():
        assert str(repo_root) not in text and "/tmp/" not in text
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)


def test_the_authors_notebook_is_never_linked(pages):
    assert not any("90_truth" in text or "truth.csv" in text for text in pages.values())


def test_every_page_can_be_reached_from_the_start_and_back(pages):
    for name, ending in itertools.product(NAMES, ("", "_en")):
        assert f'href="index{ending}.html"' in pages[f"{name}{ending}.html"]
        assert (
            name == "measure_joint" or f'href="{name}{ending}.html"' in pages[f"index{ending}.html"]
        ), name


MOST_ROWS, MOST_BYTES = 40, 300_000


@for_each("path", PATHS)
def test_a_page_is_light_and_its_tables_short(pages, path):
    text = pages[path]
    assert len(text.encode()) < MOST_BYTES
    tables = re.findall(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    assert max([table.count("<tr>") for table in tables], default=0) <= MOST_ROWS
    assert "base64" not in text and "<img" not in text


@for_each("path", PATHS)
def test_a_figure_says_what_it_finds_and_gives_its_numbers(pages, made, path):
    figures = re.findall(r"<figure>.*?</figure>", pages[path], re.DOTALL)
    expected = PICTURES.get(path.removesuffix(".html").removesuffix("_en"), 0)
    assert len(figures) >= expected
    # the diagram of the trial that one would have wanted shows no data
    n_without_source = sum('<p class="source">' not in figure for figure in figures)
    assert n_without_source == path.startswith("06_")
    for figure in figures:
        assert figure.startswith("<figure><figcaption>")
        assert len(re.search(r"<desc [^>]*>(.*?)</desc>", figure)[1]) > 20
        (wide, narrow) = re.findall(r'<svg class="(?:wide|narrow)" role="img" [^>]*>', figure)
        assert re.search('labelledby="[^"]+', wide)[0] == re.search('labelledby="[^"]+', narrow)[0]
        files = re.findall(r'href="(figures/[^"]+)" download', figure)
        assert [one.rpartition(".")[2] for one in files] == ["csv", "svg", "png"]
        assert made[files[2]].startswith(b"\x89PNG") and "<title>" in made[files[1]]
        assert made[files[0]].count("\n") >= 2


@for_each("path", PATHS)
def test_a_word_is_explained_where_it_is_first_used(pages, path):
    links = re.findall(r'<a class="word" href="([^"]+)"', pages[path])
    assert len(links) == len(set(links)) and all("#word-" in link for link in links)
    assert links or path.startswith(("words", "dictionary", "measure_", "01", "08"))


def test_the_site_is_there_in_print(made, content: SiteContent):
    for language in ("sv", "en"):
        brief, report = (made[f"{name}_{language}.pdf"] for name in ("brief", "report"))
        assert count_pages(brief) <= 2 < count_pages(report)
        told = read_document(report)
        missing = [one.entitle(make_page_of(content, language)).told
                   for name, one in content.outlines.items() if name != "dictionary"]  # fmt: skip
        assert [title for title in missing if title not in told] == []


@for_each("path", PATHS)
def test_every_link_leads_somewhere(site: Path, path):
    links = re.findall(r'<a\b[^>]*\bhref="([^"]+)"', (site / path).read_text(encoding="utf-8"))
    assert len(links) > 5
    for link in set(links):
        target, _, anchor = link.partition("#")
        assert (site / (target or path)).is_file(), link
        if anchor:
            text = (site / (target or path)).read_text(encoding="utf-8")
            assert f'id="{anchor}"' in text, link
