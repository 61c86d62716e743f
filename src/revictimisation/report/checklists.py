"""The lists of what a report must hold, as data: which items the run fills in, and what is left."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from revictimisation.core import files
from revictimisation.report.page import Page

PROTOCOL, JOINED, ANOTHER = "protocol.", "joined:", "none"


@dataclass(frozen=True)
class Item:
    """An item of a list: its number, what it asks for in each language, where it is found."""

    number: str
    asks: Mapping[str, str]
    place: str


@dataclass(frozen=True)
class Checklist:
    """A list by its name in each language, the work it is from (`references.bib`), its items."""

    name: Mapping[str, str]
    reference: str
    items: tuple[Item, ...]


@functools.cache
def load_checklists() -> Mapping[str, Checklist]:
    """Every list by its key.

    >>> load_checklists()["record"].items[0].number
    '1.1'
    """
    text = files.read_text(files.package_file("report", "checklists.yaml"))
    given: dict[str, Any] = yaml.safe_load(text)
    return MappingProxyType({key: _read_list(one) for key, one in given.items()})


def _read_list(given: Mapping[str, Any]) -> Checklist:
    items = tuple(Item(str(number), {"sv": swedish, "en": english}, place)
                  for number, swedish, english, place in given["items"])  # fmt: skip
    return Checklist(given["name"], given["reference"], items)


def find_answer(page: Page, item: Item) -> str:
    """What the study file says of an item that only a person can fill in; else empty."""
    if not item.place.startswith(PROTOCOL):
        return ""
    said = getattr(page.plan.protocol, item.place.removeprefix(PROTOCOL))
    return said if isinstance(said, str) else getattr(said, page.language)


def find_place(page: Page, item: Item, *, is_joined: bool) -> tuple[str, str] | None:
    """The page and the section that hold an item; None where no page does."""
    place = item.place
    if place.startswith(JOINED):
        place = place.removeprefix(JOINED) if is_joined else ""
    if not place or place == ANOTHER or place.startswith(PROTOCOL):
        return None
    name, _, anchor = place.partition("#")
    return name, anchor
