"""Every sentence of the pages, as data in `texts/*.yaml`: Swedish first, English beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from revictimisation.core import files

TEXTS = files.package_file("report", "texts")
WORDS = "words.yaml"


@functools.cache
def load_texts(folder: Path = TEXTS) -> Mapping[str, Mapping[str, str]]:
    """A folder's texts by key (`part.name`, a part a file), each a mapping from language to text.

    >>> load_texts()["common.language_name"]["sv"]
    'Svenska'
    """
    texts: dict[str, Mapping[str, str]] = {}
    for name in files.list_entries(folder):
        if name == WORDS:
            continue
        text, part = files.read_text(folder / name), name.removesuffix(".yaml")
        given = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        texts |= {f"{part}.{key}": MappingProxyType(both) for key, both in given.items()}
    return MappingProxyType(texts)


@functools.cache
def load_words() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """The word list (`texts/words.yaml`): parts, words by key, each with `text` in both languages
    and `name`, or `label` (`list/code` of the data dictionary).

    >>> load_words()["numbers"]["uncertainty"]["name"]["sv"]
    'osäkerhet (95 %)'
    """
    text = files.read_text(TEXTS / WORDS)
    given: dict[str, Mapping[str, Mapping[str, Any]]] = yaml.safe_load(text)
    return MappingProxyType(given)


@functools.cache
def load_references() -> Mapping[str, Mapping[str, float]]:
    """Published figures that stand beside our own, each with its numbers (`references.yaml`)."""
    text = files.read_text(files.package_file("report", "references.yaml"))
    given: dict[str, Mapping[str, float]] = yaml.safe_load(text)
    return MappingProxyType(given)
