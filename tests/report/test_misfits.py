"""The first page says where the extract does not hold the study's days and codes."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from revictimisation.core.results import DIAGNOSTIC_COLUMNS
from revictimisation.report.page import Page
from revictimisation.report.pages import list_outlines
from revictimisation.report.sections.method import show_all_checks
from revictimisation.report.sections.misfits import show_misfits
from tests.report.conftest import make_page

ROWS = [
    ("extract", "", "ends_before_data_end:reports", 48.0, None, "warning"),
    ("extract", "", "goes_on_after_data_end:police_measures", 7.0, None, "warning"),
    ("extract", "", "code_nowhere:safty_talk", 0.0, None, "warning"),
]


def with_rows(page: Page) -> Page:
    frame = pd.DataFrame(ROWS, columns=list(DIAGNOSTIC_COLUMNS))
    return replace(page, release=replace(page.release, diagnostics=frame))


def test_the_first_page_tells_before_any_number_in_both_languages():
    swedish, english = (with_rows(make_page(language)) for language in ("sv", "en"))
    told = list_outlines()[0].describe(swedish).html
    for words in ("31 december 2018", "anmälningar", "48 mån", "7 mån", "safty_talk"):
        assert words in told
    assert told.index("48 mån") < told.index('class="opening"')
    assert "48 months" in show_misfits(english).html
    table = show_all_checks(swedish).html
    assert "extract" not in table and "before" not in table and "nowhere" not in table


def test_nothing_is_said_where_all_fits():
    assert show_misfits(make_page()).html == ""
