"""What the kept tables say on the pages: a page of their own, and sentences on those of a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from revictimisation.report.page import Page
from revictimisation.report.texts import load_texts

TEXTS = Path(__file__).parent / "texts"


def add_texts(page: Page) -> Page:
    """The page with the texts of these studies beside its own."""
    return replace(page, texts={**page.texts, **load_texts(TEXTS)})
