"""A page made by hand that knows the texts of the truth studies."""

from __future__ import annotations

from revictimisation.report.page import Page
from tests.report import conftest
from truth_studies.pages import add_texts


def make_page(language: str = "sv", study: str = "name: mini") -> Page:
    return add_texts(conftest.make_page(language, study=study))
