"""Every sentence of the pages, as data in `texts/*.yaml`: Swedish first, English beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import yaml

from revictimisation.core import files

PARTS = (
    "answers", "common", "cohort", "use", "trials", "trial", "models", "referees", "effects",
    "index", "truth_study", "courts", "for_whom", "linkage", "delivery",
)  # fmt: skip


@functools.cache
def load_texts() -> Mapping[str, Mapping[str, str]]:
    """All texts by key (`part.name`), each a mapping from language to text.

    >>> load_texts()["common.language_name"]["sv"]
    'Svenska'
    """
    texts: dict[str, Mapping[str, str]] = {}
    for part in PARTS:
        text = files.read_text(files.package_file("report", "texts", f"{part}.yaml"))
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
    text = files.read_text(files.package_file("report", "texts", "words.yaml"))
    given: dict[str, Mapping[str, Mapping[str, Any]]] = yaml.safe_load(text)
    return MappingProxyType(given)


@functools.cache
def load_references() -> Mapping[str, Mapping[str, float]]:
    """Published figures that stand beside our own, each with its numbers (`references.yaml`)."""
    text = files.read_text(files.package_file("report", "references.yaml"))
    given: dict[str, Mapping[str, float]] = yaml.safe_load(text)
    return MappingProxyType(given)
