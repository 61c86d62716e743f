"""The page of `compare`: can a new cohort be compared with the reference, and what to do.

`render_comparison` is pure: rows of `comparison` and what they are of in, a text per language out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.core.results import OK
from revictimisation.dictionary import Dictionary, load_dictionary
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.report.addresses import find_path
from revictimisation.report.described import Cell, Content, Heading, Style, Text, join
from revictimisation.report.formats import start_lower, start_upper
from revictimisation.report.opening import check_parameters
from revictimisation.report.page import DASH, SHARE, StudyWriter
from revictimisation.report.rendering import read_style, wrap
from revictimisation.report.site import list_sections, load_template
from revictimisation.report.texts import load_texts
from revictimisation.report.verdicts import name_measure

NAME = "comparison"
REFERENCE = "A"
FITS, CANNOT_TELL = "fits", "cannot_tell"
TOPICS = ("data", "risk", "effects", "transport")
# Checks whose values are shares although their difference is a log ratio; those of counts.
OF_SHARES = ("incidence", "incidence_at_day", "reporting", "linkage", "code_share",
             "average_risk", "average_risk_at_day", "calibration_in_the_large",
             "calibration_in_the_large_at_day")  # fmt: skip
# Effects of measures, by the values of a row: differences of risks.
OF_EFFECTS = (
    "standardised_effect",
    "carried_effect",
    "carried_by_regression",
    "transported_effect",
)
OF_COUNTS = ("volume", "volume_by_quarter", "volume_spike")
LOOKS = {FITS: "good", CANNOT_TELL: "open", "recalibrate": "care", "look": "care",
         "do_not_join": "stop"}  # fmt: skip
SMALL_P = 0.001


@dataclass(frozen=True)
class Compared:
    """What the page is made of: the rows, the reference's study, and `comparison.json`.

    `is_exact`: the rows are of the secure room, and so is the page.
    """

    rows: pd.DataFrame
    plan: StudyPlan
    facts: Mapping[str, Any]
    is_exact: bool = False


@dataclass(frozen=True)
class Sheet(StudyWriter):
    """What the page is written with."""

    comparison: Compared
    dictionary: Dictionary
    language: str
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=load_texts, repr=False)

    @property
    def plan(self) -> StudyPlan:
        """The reference's study."""
        return self.comparison.plan

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of `comparison`."""
        return self.comparison.rows

    @property
    def letters(self) -> list[str]:
        """The cohorts, the reference first."""
        return list(self.comparison.facts["cohorts"])

    @property
    def others(self) -> list[str]:
        """Those that are held against the reference."""
        return self.letters[1:]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What each cohort is called: its title, with its years where two are called the same."""
        facts = self.comparison.facts["cohorts"]
        is_invented = self.comparison.facts["is_synthetic"]
        example = self.say("common.title_example")
        titles = {letter: example if is_invented else one["title"][self.language]
                  for letter, one in facts.items()}  # fmt: skip
        if len(set(titles.values())) == len(titles):
            return titles
        years = {letter: [day[:4] for day in one["accrual"]] for letter, one in facts.items()}
        told = {letter: f"{titles[letter]} {'–'.join(dict.fromkeys(years[letter]))}"
                for letter in titles}  # fmt: skip
        if len(set(told.values())) == len(told):
            return told
        return {letter: f"{title} ({facts[letter]['folder']})" for letter, title in titles.items()}

    @cached_property
    def checks(self) -> Mapping[str, Mapping[str, str]]:
        """What the dictionary says of each check."""
        known = self.dictionary.lists["comparison_check"]
        return {row[0]: dict(zip(known.columns, row, strict=True)) for row in known.rows}

    @cached_property
    def severity(self) -> Mapping[str, int]:
        """How serious each light is."""
        table = self.dictionary.codes("comparison_light")
        return dict(zip(table["code"], table["severity"].astype(int), strict=True))

    def choose(self, **keys: object) -> pd.DataFrame:
        """The rows with these keys."""
        chosen = np.ones(len(self.rows), bool)
        for name, value in keys.items():
            asked = value if isinstance(value, list | tuple) else [value]
            chosen &= self.rows[name].isin(asked).to_numpy(bool)
        return self.rows[chosen]

    def light(self, code: str) -> str:
        """What a light is called."""
        return self.labels.code("comparison_light", code)

    def mark(self, code: str) -> Cell:
        """A light in a cell: its word, with a colour of its own."""
        return Cell(self.light(code) if code else DASH, kind=f"light {code}" if code else "")

    def name_check(self, row: Any) -> str:
        """The check and its measure or covariate, as a sentence begins with it."""
        parts = [self.checks[row.check][f"label_{self.language}"]]
        if row.measure:
            parts.append(start_lower(self.name_measure(row.measure)))
        if row.check == "case_mix":
            parts.append(self.name_object(row))
        return start_upper(", ".join(parts))

    def name_subject(self, row: Any) -> str:
        """What a row is of: check, measure, group, table, day, in words."""
        parts = [self.name_check(row)]
        if row.subject and row.check != "case_mix":
            parts.append(self.name_object(row))
        if row.time_days is not pd.NA and not pd.isna(row.time_days):
            parts.append(self.say("comparison.on_day", period=self.period(row)))
        return ", ".join(parts)

    def name_measure(self, name: str) -> str:
        """A measure, as on the pages of a study."""
        return name_measure(self, name)

    def name_object(self, row: Any) -> str:
        """What a check is about: a covariate, a table, a code."""
        if row.check in ("case_mix", "case_mix_level", "missing_level", "new_level",
                         "coding_drift", "risk_factors_together"):  # fmt: skip
            return start_lower(self.labels.group(row.subject))
        if row.subject in self.dictionary.tables:
            return self.dictionary.tables[row.subject].label[self.language].lower()
        if row.check in ("code_lost", "code_new", "code_share"):
            return self.labels.measure(row.subject)
        if row.check == "completeness":
            table, _, column = str(row.subject).partition(".")
            label = self.dictionary.tables[table].field(column).label[self.language]
            return f"{start_lower(label)} ({row.subject})"
        return str(row.subject)

    def period(self, row: Any) -> str:
        """The row's day in words."""
        return self.formats.period(int(row.time_days))

    def value(self, row: Any, value: float, *, is_cell: bool = False) -> str:
        """One of the two values as it is written; in a cell points of share without their unit."""
        if not np.isfinite(value):
            return DASH
        scale = self.checks[row.check]["scale"]
        if row.check in OF_COUNTS:
            return self.formats.count(value)
        is_effect = "risk_difference" in row.check or row.check in OF_EFFECTS
        if is_effect or row.subject == "risk_difference":
            return self.formats.points(value) if is_cell else self.points(value)
        if row.check in OF_SHARES or scale in ("share", "difference"):
            return self.formats.percent(value)
        return self.formats.decimal(value, 2)

    def difference(self, row: Any, value: float, *, is_cell: bool = False) -> str:
        """A difference, or a limit, as it is written: a log ratio as a ratio.

        In a cell of a table points of share stand without their unit, which its note tells.
        """
        if not np.isfinite(value):
            return DASH
        scale = self.checks[row.check]["scale"]
        if scale == "log_ratio":
            ratio = self.formats.decimal(float(np.exp(value)), 2)
            return self.say("comparison.times", ratio=ratio)
        if scale == "difference":
            return self.formats.points(value) if is_cell else self.points(value)
        if scale == "share":
            return self.formats.percent(value)
        if scale == "months":
            return self.say("comparison.months", n=self.formats.count(value))
        return self.formats.count(value) if scale == "count" else self.formats.decimal(value, 2)

    def points(self, value: float) -> str:
        """A difference of shares with its unit."""
        return self.say("comparison.points", n=self.formats.points(value))

    def limit(self, row: Any, *, is_cell: bool = False) -> str:
        """The limit, held in both directions: of a ratio both ends."""
        if self.checks[row.check]["scale"] == "log_ratio" and np.isfinite(row.limit):
            ends = (self.formats.decimal(float(np.exp(end)), 2) for end in (-row.limit, row.limit))
            return self.say(
                "comparison.within_times", **dict(zip(("low", "high"), ends, strict=True))
            )
        return self.difference(row, row.limit, is_cell=is_cell).removeprefix("+")

    def chance(self, row: Any) -> str:
        """The adjusted p-value in words; a dash where nothing is left to chance."""
        p_value = row.p_value_holm
        if not np.isfinite(p_value):
            return DASH
        if p_value < SMALL_P:
            return self.say("comparison.small_p")
        return self.formats.decimal(p_value, 3 if p_value < 0.1 else 2)

    def explain(self, row: Any) -> str:
        """Why there is no answer, in one phrase."""
        if row.status == OK:
            told = {"difference": self.difference(row, row.difference), "limit": self.limit(row)}
            return self.say("comparison.why_beyond_chance", **told)
        key = f"comparison.why_{row.reason}"
        if key in self.texts:
            return self.say(key)
        answers = f"answers.short_{row.reason}"
        return self.say(answers if answers in self.texts else "comparison.why_other")

    def cell(self, told: str, value: float, unit: str = "") -> Cell:
        """A cell with a number."""
        return Cell(told, float(value) if np.isfinite(value) else None, unit=unit or SHARE)

    @property
    def source(self) -> str:
        """Where the numbers of a figure come from."""
        new = ", ".join(self.names[letter] for letter in self.others)
        key = "comparison.source_exact" if self.comparison.is_exact else "comparison.source"
        return self.say(key, reference=self.names[REFERENCE], new=new)

    def style(self) -> Content:
        """What pieces need to look in JupyterLab as on their page."""
        is_synthetic = self.comparison.facts["is_synthetic"]
        banner = [Text(self.say("common.banner"), "banner")] if is_synthetic else []
        return join([Style(), *banner])

    def entitle(self) -> Heading:
        """The page's title."""
        if len(self.others) == 1:
            return self.heading("comparison.title", 1)
        return Heading(self.say("comparison.title_more", n=len(self.letters)), 1)


Show = Callable[[Sheet], Any]


def list_parts() -> Mapping[str, Show]:
    """The sections of the page by name, in order."""
    from revictimisation.report.sections import comparison

    return {
        "verdict": comparison.show_verdict,
        "remarks": comparison.show_remarks,
        "topics": comparison.show_topics,
        "data": comparison.show_data,
        "risk": comparison.show_risk,
        "effects": comparison.show_effects,
        "transport": comparison.show_transport,
        "how": comparison.show_how,
    }


def render_comparison(comparison: Compared, dictionary: Dictionary) -> dict[str, str]:
    """Make the page in every language of the reference's study: file name to text."""
    languages = comparison.plan.languages
    return {
        find_path(NAME, language, languages): _render(Sheet(comparison, dictionary, language))
        for language in languages
    }


def _render(sheet: Sheet) -> str:
    first, *rest = list_parts().values()
    opening = join([sheet.entitle(), first(sheet)])
    body = join(show(sheet) for show in rest)
    facts = sheet.comparison.facts
    others = ", ".join(f"{letter}: {sheet.names[letter]}" for letter in sheet.others)
    footer = sheet.say("comparison.footer", version=facts["version"], others=others,
                       reference=sheet.names[REFERENCE])  # fmt: skip
    return load_template().render(
        language=sheet.language,
        title=sheet.entitle().told,
        study=sheet.names[sheet.others[0]],
        body=wrap(body),
        opening=wrap(opening),
        banner=sheet.text("common.banner").html if facts["is_synthetic"] else "",
        sections=list_sections(body),
        menu=[(sheet.say("comparison.page_name"), _find_own(sheet, sheet.language), True)],
        others=_list_languages(sheet),
        style="".join(read_style(name) for name in ("report.css", "site.css", "check.css")),
        say=sheet.say,
        footer=footer,
        assurance="comparison.assurance_exact"
        if sheet.comparison.is_exact
        else "comparison.assurance",
    )


def _find_own(sheet: Sheet, language: str) -> str:
    return find_path(NAME, language, sheet.plan.languages)


def _list_languages(sheet: Sheet) -> Sequence[tuple[str, str, str]]:
    return [
        (other, load_texts()["common.language_name"][other], _find_own(sheet, other))
        for other in sheet.plan.languages
        if other != sheet.language
    ]


def open_comparison(namespace: Mapping[str, Any]) -> Sheet:
    """Open the comparison that a notebook's parameters name; call it first, with `globals()`.

    `comparison` is the folder of `compare`, looked for from here upwards; `language` sv or en.
    Raises `UsageError` for a parameter that is not known, and for a folder without a comparison.
    """
    check_parameters(namespace, ("comparison", "language"))
    out = files.find_upwards(str(namespace["comparison"]))
    facts = files.read_json(out / f"{NAME}.json")
    path = out / f"{NAME}.parquet"
    if facts is None or not path.is_file():
        raise UsageError(
            f"There is no comparison in {namespace['comparison']}. Make it with: revictimisation"
            " compare OUT_A OUT_B --out DIR"
        )
    made = Compared(files.read_table(path), read_plan(facts["study_file"]), facts)
    return Sheet(made, load_dictionary(), str(namespace["language"]))


def show(sheet: Sheet, name: str) -> Content:
    """A section of the page, by its name; `KeyError` for one that it does not have."""
    return join([list_parts()[name](sheet)])
