"""The page on one delivery: can the extract be used, what must be mended and by whom.

`render_delivery` is pure: tables and day in, a text per language out. Each page is one file that
loads nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan
from revictimisation.report.addresses import find_path
from revictimisation.report.described import Heading, Piece, join
from revictimisation.report.page import Writer
from revictimisation.report.rendering import read_style, wrap
from revictimisation.report.site import list_sections, load_template
from revictimisation.report.texts import load_texts

NAME = "validation"
YEAR_LETTERS = 4


@dataclass(frozen=True)
class Delivery:
    """All that the page is made of.

    `findings` has a row per finding (table, column, rule, severity, count, rows and the words);
    `facts` the delivery's counts, small ones hidden; `volumes` rows by period, `is_hidden` those
    that must not be told; `changes` what was
    held against the last delivery (None: there was none) and `expected` against the dictionary.
    `row_counts` has the tables that were given.
    """

    findings: pd.DataFrame
    facts: pd.DataFrame
    volumes: pd.DataFrame
    changes: pd.DataFrame | None
    expected: pd.DataFrame
    row_counts: dict[str, int]
    plan: StudyPlan
    is_synthetic: bool
    made_on: dt.date
    version: str


@dataclass(frozen=True)
class Sheet(Writer):
    """What the page is written with: a delivery, the words for it, and a language."""

    delivery: Delivery
    dictionary: Dictionary
    language: str
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=load_texts, repr=False)

    def name_table(self, name: str) -> str:
        """What a table is called, with its name in the files."""
        if not name:
            return self.say("delivery.whole_extract")
        return f"{self.dictionary.tables[name].label[self.language]} ({name})"

    def name_column(self, table: str, column: str) -> str:
        """What a column is called, with its name in the file; a key has only its names."""
        known = self.dictionary.tables[table].field_names if table else ()
        if column not in known:
            return column
        return f"{self.dictionary.tables[table].field(column).label[self.language]} ({column})"

    def name_period(self, period: str) -> str:
        """A month as it is, a quarter as one writes it: `2013 Q2` is `2013 kv 2`."""
        if "Q" not in period:
            return period
        return f"{period[:YEAR_LETTERS]} {self.say('delivery.quarter', number=period[-1])}"

    @property
    def threshold(self) -> int:
        """Counts below it are not shown."""
        return self.delivery.plan.disclosure.threshold

    def show_count(self, number: int) -> str:
        """A count of rows; from 1 to the threshold only that it is below it."""
        if 0 < number < self.threshold:
            return f"<{self.threshold}"
        return self.formats.count(number)


def render_delivery(delivery: Delivery, dictionary: Dictionary) -> dict[str, str]:
    """Make the page in every language of the study: file name to text."""
    languages = delivery.plan.languages
    return {
        find_path(NAME, language, languages): _render(Sheet(delivery, dictionary, language))
        for language in languages
    }


def _render(sheet: Sheet) -> str:
    from revictimisation.report.sections.delivery_findings import show_findings, show_sequences
    from revictimisation.report.sections.delivery_tables import show_completeness, show_plausible
    from revictimisation.report.sections.delivery_verdict import show_tables, show_verdict
    from revictimisation.report.sections.delivery_volumes import show_volumes

    sections = (show_tables, show_findings, show_sequences, show_completeness, show_volumes,
                show_plausible, show_unseen)  # fmt: skip
    title = sheet.say("delivery.title")
    opening = join([Heading(title, 1), show_verdict(sheet)])
    body = join(section(sheet) for section in sections)
    delivery = sheet.delivery
    styles = ("report.css", "site.css", "check.css")
    footer = sheet.say(
        "delivery.footer", day=sheet.formats.date(delivery.made_on), version=delivery.version
    )
    return load_template().render(
        language=sheet.language,
        title=title,
        study=delivery.plan.title_in(sheet.language),
        body=wrap(body),
        opening=wrap(opening),
        banner=sheet.text("common.banner").html if delivery.is_synthetic else "",
        sections=list_sections(body),
        menu=[(sheet.say("delivery.page_name"), _find_own_path(sheet, sheet.language), True)],
        others=_other_languages(sheet),
        style="".join(read_style(name) for name in styles),
        say=sheet.say,
        footer=footer,
        assurance="delivery.assurance",
    )


def _find_own_path(sheet: Sheet, language: str) -> str:
    return find_path(NAME, language, sheet.delivery.plan.languages)


def _other_languages(sheet: Sheet) -> Sequence[tuple[str, str, str]]:
    return [
        (other, load_texts()["common.language_name"][other], _find_own_path(sheet, other))
        for other in sheet.delivery.plan.languages
        if other != sheet.language
    ]


def show_unseen(sheet: Sheet) -> Piece:
    """What no check of an extract can find."""
    return join([sheet.heading("delivery.unseen_heading"), sheet.text("delivery.unseen")])
