"""The word list: what a reader may stop at, in plain language, on a page of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from revictimisation.report.described import Content, Heading, Piece, Terms, join
from revictimisation.report.formats import start_upper
from revictimisation.report.labels import PARENTHESIS
from revictimisation.report.page import Page
from revictimisation.report.texts import load_words

# running text, and in it what no link may stand in: tags, other links
RUNNING = re.compile(r"<(p|li)>.*?</\1>", re.DOTALL)
APART = re.compile(r"(<a\b.*?</a>|<code>.*?</code>|<[^>]*>)", re.DOTALL)
TAG = re.compile(r"<style>.*?</style>|<[^>]*>", re.DOTALL)


def show_words(page: Page) -> Content:
    """The whole page below its title; each word has an anchor `word-<key>`."""
    parts: list[Piece] = [page.text("word_list.lead")]
    for part, words in load_words().items():
        parts += [Heading(page.say(f"word_list.part_{part}"), 2), _list(page, words)]
    return join(parts)


def _list(page: Page, words: Mapping[str, Mapping[str, Any]]) -> Piece:
    told = [(_anchor(key), start_upper(name_word(page, word)), word["text"][page.language])
            for key, word in words.items()]  # fmt: skip
    return Terms(tuple(told), "words")


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


def link_words(page: Page, html: str, address: str) -> str:
    """The page's HTML with a link to the word list, at an address, where a word is first used.

    In running text alone: not in headings, tables, figures or other links.
    """
    known = {PARENTHESIS.sub("", name_word(page, word)).lower(): _anchor(key)
             for words in load_words().values() for key, word in words.items()}  # fmt: skip
    names = sorted(known, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)
    linked: set[str] = set()

    def link(found: re.Match[str]) -> str:
        anchor = known[found[0].lower()]
        if anchor in linked:
            return found[0]
        linked.add(anchor)
        return f'<a class="word" href="{address}#{anchor}">{found[0]}</a>'

    def link_in(found: re.Match[str]) -> str:
        parts = APART.split(found[0])
        parts[::2] = [pattern.sub(link, part) for part in parts[::2]]
        return "".join(parts)

    return RUNNING.sub(link_in, html)


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
