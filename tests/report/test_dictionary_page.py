"""The dictionary's page is whole in both languages and loads nothing from anywhere."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

import pytest

from revictimisation.dictionary import load_dictionary
from revictimisation.report.sections.dictionary import show_dictionary

from .conftest import make_page

VOID = {"br"}


class Checker(HTMLParser):
    """Balances tags and gathers anchors, links and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if "href" in named else []
        self.sources += [named["src"]] if "src" in named else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module", params=["sv", "en"])
def page(request):
    return request.param, show_dictionary(make_page(request.param)).html


def check(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    return checker


def test_every_table_list_and_rule_has_its_place(page):
    _, html = page
    ids = check(html).ids
    assert len(ids) == len(set(ids))
    dictionary = load_dictionary()
    expected = {f"table-{name}" for name in dictionary.tables}
    expected |= {f"codes-{name}" for name in dictionary.code_lists}
    expected |= {f"rule-{name}" for name in dictionary.rules}
    assert set(ids) == expected


def test_links_lead_to_places_on_the_page(page):
    _, html = page
    checker = check(html)
    assert checker.links and checker.sources == []
    assert {link.removeprefix("#") for link in checker.links} <= set(checker.ids)
    assert not re.search(r"https?://|url\(|@import|<script", html)


def test_the_page_begins_with_the_tables_that_an_extract_must_have(page):
    _, html = page
    first = html[: html.index("</p>")]
    told = set(re.findall(r"#table-(\w+)", first))
    assert told == {"persons", "reports", "police_measures", "social_interventions"}


def test_every_column_is_told_in_the_page_s_language(page):
    language, html = page
    text = re.sub(r"<.*?>", "", html)
    for table in load_dictionary().tables.values():
        assert table.label[language] in text
        for field in table.fields:
            assert field.name in text
    other = "Vad som kontrolleras" if language == "en" else "What is checked"
    assert other not in text
    # labels of the other language are on its own page; what is Swedish on the English one says so
    other = "en" if language == "sv" else "sv"
    for frame in load_dictionary().code_lists.values():
        if "label_sv" in frame:
            differs = frame[frame["label_sv"] != frame["label_en"]]
            cells = {f"<td>{escape(label)}</td>" for label in differs[f"label_{other}"]}
            own = {f"<td>{escape(label)}</td>" for label in frame[f"label_{language}"]}
            assert not {cell for cell in cells - own if len(cell) > 30 and cell in html}
    law = "polislagen (1984:387)" if language == "sv" else "Police Act (1984:387)"
    assert f"<td>{law}</td>" in html


def test_blanks_in_rules_are_named(page):
    _, html = page
    assert not re.search(r"{(table|column|other|count)}", html)
