"""What the kept tables say on the pages: notebook 7, and sentences on the pages of a study.

A notebook of these begins with `open_report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from revictimisation.report import open_report as open_study
from revictimisation.report.page import Page
from revictimisation.report.texts import load_texts

TEXTS = Path(__file__).parent / "texts"


def open_report(namespace: Mapping[str, Any]) -> Page:
    """Open the release that a notebook's parameters name, as `revictimisation.report` does."""
    return add_texts(open_study(namespace))


def add_texts(page: Page) -> Page:
    """The page with the texts of these studies beside its own."""
    return replace(page, texts={**page.texts, **load_texts(TEXTS)})
