"""The word list: what a reader may stop at, in plain language, on a page of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from revictimisation.report.formats import start_upper
from revictimisation.report.labels import PARENTHESIS
from revictimisation.report.markup import Html, join, render_heading, to_html
from revictimisation.report.page import Page
from revictimisation.report.texts import load_words

TAG = re.compile(r"<style>.*?</style>|<[^>]*>", re.DOTALL)


def show_words(page: Page) -> Html:
    """The whole page below its banner; each word has an anchor `word-<key>`."""
    parts = [render_heading(page.say("common.page_words"), 1), page.text("common.words_lead")]
    for part, words in load_words().items():
        parts += [render_heading(page.say(f"common.words_{part}"), 2), _list(page, words)]
    return Html(f'<div class="report">{join(parts).text}</div>')


def _list(page: Page, words: Mapping[str, Mapping[str, Any]]) -> Html:
    told = [
        f'<dt id="{_anchor(key)}">{to_html(start_upper(name_word(page, word)))}</dt>'
        f"<dd>{to_html(word['text'][page.language])}</dd>"
        for key, word in words.items()
    ]
    return Html(f'<dl class="words">{"".join(told)}</dl>')


def _anchor(key: str) -> str:
    return f"word-{key.replace('_', '-')}"


def list_used(page: Page, body: str) -> list[tuple[str, str]]:
    """The words of the list that a page's body uses, in their order: anchor and name."""
    shown = TAG.sub(" ", body).lower()
    named = [
        (_anchor(key), PARENTHESIS.sub("", name_word(page, word)))
        for words in load_words().values()
        for key, word in words.items()
    ]
    return [(anchor, name) for anchor, name in named if name.lower() in shown]


def name_word(page: Page, word: Mapping[str, Any]) -> str:
    """What a word is called: as it says, or as the data dictionary's code does."""
    if "label" not in word:
        return str(word["name"][page.language])
    name, code = word["label"].split("/")
    return PARENTHESIS.sub("", page.labels.code(name, code))


def describe_word(page: Page, part: str, key: str) -> str:
    """A word with its explanation, to stand where it is first used."""
    word = load_words()[part][key]
    return f"**{start_upper(name_word(page, word))}**: {word['text'][page.language]}"
