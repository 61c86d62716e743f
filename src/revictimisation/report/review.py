"""The page that an officer reads and signs before a release leaves the secure room.

It lies among what leaves, and so tells no more than the released tables do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.core.packing import unpack_check
from revictimisation.core.results import KEYS, OK, SUPPRESSED
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan
from revictimisation.report.described import Content, Heading, Item, Items, Piece, Table, Text, join
from revictimisation.report.names import (
    name_analysis,
    name_any_measure,
    name_check,
    name_step,
    name_table,
    name_whole,
)
from revictimisation.report.page import DASH, StudyWriter
from revictimisation.report.rendering import read_style, wrap
from revictimisation.report.site import list_sections, load_template
from revictimisation.report.texts import load_texts

MOST_ROWS = 40
HASH_SIGNS = 16
LANGUAGES = ("sv", "en")
DIFFERENCE = {True: "same", False: "other"}
CHECKS = ("sources", "smallest", "withheld", "words", "beside", "hashes")
SIGNATURES = ("name", "day", "checked", "hash", "signature")
AMOUNTS = ("estimate", "n_people", "n_events")
ATTRITION = "attrition"
WHOLE = ("count", "days", "plain")  # kinds of numbers that are whole, or written so
NUMBER = (*KEYS, "check", *AMOUNTS, "rule", "status", "reason")


@dataclass(frozen=True)
class Review:
    """All that the page is made of.

    `facts` are those of RELEASED; `numbers` has a row per number (`list_numbers`); `beside` a row
    per earlier release (`disclosure.release.Protected`); `files` the hash of every file that
    leaves, by path.
    """

    plan: StudyPlan
    facts: Mapping[str, Any]
    numbers: pd.DataFrame
    beside: pd.DataFrame
    files: Mapping[str, str]


def list_numbers(tables: Mapping[str, pd.DataFrame], dictionary: Dictionary) -> pd.DataFrame:
    """A row per number of every table: what it is, of whom, by which rule it left, or why not.

    `rule` is the kind that the dictionary gives its estimand or check; steps of the attrition stand
    as `analysis` and `check`, and what they dropped as `estimate`.
    """

    def read_kinds(codes: str) -> dict[str, str]:
        table = dictionary.codes(codes)
        return dict(zip(table["code"], table["kind"], strict=True))

    estimates = tables["estimates"].assign(
        rule=tables["estimates"]["estimand"].map(read_kinds("estimand"))
    )
    checks = tables["diagnostics"].rename(columns={"value": "estimate"})
    names = [unpack_check(text).name for text in checks["check"]]
    checks = checks.assign(rule=pd.Series(names, checks.index, object).map(read_kinds("check")))
    steps = tables["attrition"].rename(
        columns={
            "step": "analysis",
            "reason": "check",
            "n_reports": "n_events",
            "n_dropped": "estimate",
        }
    )
    parts = {"estimates": estimates, "diagnostics": checks, "attrition": steps.assign(rule="count")}
    found = [part.reindex(columns=[*NUMBER]).assign(table=name) for name, part in parts.items()]
    text = [
        name for name in NUMBER if name not in ("time_days", "estimate", "n_people", "n_events")
    ]
    numbers = pd.concat([part.astype(object) for part in found], ignore_index=True)
    numbers[text] = numbers[text].fillna("")
    return numbers[["table", *NUMBER]]


def render_review(review: Review, dictionary: Dictionary) -> str:
    """Make the page: one file that loads nothing, Swedish first, English below it."""
    swedish, english = (Sheet(review, dictionary, language) for language in LANGUAGES)
    body = show_review(swedish)
    return load_template().render(
        language=swedish.language,
        title=swedish.say("review.title"),
        study=review.plan.title_in(swedish.language),
        opening=wrap(Content(body.parts[:2])),
        body=f'{wrap(Content(body.parts[2:]))}<div lang="en">{wrap(show_review(english))}</div>',
        banner=swedish.text("common.banner").html if review.facts["is_synthetic"] else "",
        sections=list_sections(body),
        menu=[],
        others=[("en", english.say("common.language_name"), f"#{_anchor('title', 'en')}")],
        style="".join(map(read_style, ("report.css", "site.css", "check.css"))),
        say=swedish.say,
        footer=swedish.say("review.footer", **review.facts),
        assurance="review.assurance",
    )


@dataclass(frozen=True)
class Sheet(StudyWriter):
    """What the page is written with, in one language."""

    review: Review
    dictionary: Dictionary
    language: str
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=load_texts, repr=False)

    @property
    def plan(self) -> StudyPlan:
        """The study."""
        return self.review.plan

    def head(self, name: str, level: int = 2) -> Heading:
        """A heading with an anchor of its own in each language."""
        return Heading(self.say(f"review.{name}"), level, _anchor(name, self.language))

    def cut(self, caption: str, heads: Sequence[str], rows: Sequence[Sequence[Any]],
            total: int | None = None) -> Table:  # fmt: skip
        """A table of the first rows, with a note of how many there are in all (else these)."""
        shown, total = min(len(rows), MOST_ROWS), len(rows) if total is None else total
        columns = [self.say(f"review.head_{name}") for name in heads]
        told = self.say("review.rows", shown=shown, total=self.formats.count(total))
        return Table(caption, columns, rows[:MOST_ROWS], [told])

    def name_rule(self, kind: str) -> str:
        """How a number of this kind is protected."""
        return self.say(f"review.rule_{kind}") if f"review.rule_{kind}" in self.texts else kind

    def name_table(self, table: str, question: str) -> str:
        """A table by its label, with the question whose rows are meant."""
        of = self.labels.code("question", question) if question else ""
        return " – ".join(filter(None, [name_table(self, table), of]))

    def name_reason(self, status: str, reason: str) -> str:
        """Why a number is not shown; diagnostics and steps of the attrition hold no reason."""
        if status == SUPPRESSED:
            return self.labels.code("suppression", reason or "small_number")
        key = f"answers.short_{reason}"
        return self.say(key) if key in self.texts else reason


def _anchor(name: str, language: str) -> str:
    return f"review-{name.replace('_', '-')}-{language}"


def show_review(sheet: Sheet) -> Content:
    """The page in one language."""
    return join([
        sheet.head("title", 1),
        show_opening(sheet),
        sheet.head("files_heading"),
        show_files(sheet),
        sheet.head("numbers_heading"),
        *show_numbers(sheet),
        sheet.head("hidden_heading"),
        show_hidden(sheet),
        *show_acro(sheet),
        sheet.head("beside_heading"),
        show_beside(sheet),
        sheet.head("sign_heading"),
        *show_signatures(sheet),
    ])  # fmt: skip


def show_opening(sheet: Sheet) -> Piece:
    """How many numbers leave, under which rules."""
    shown = sheet.review.numbers["status"].isin(["ok", "warning", "failed"]) & _has_number(
        sheet.review.numbers
    )
    rules = sheet.review.facts["rules"]
    return sheet.text(
        "review.opening",
        shown=sheet.formats.count(int(shown.sum())),
        total=sheet.formats.count(len(sheet.review.numbers)),
        **rules,
    )


def _has_number(numbers: pd.DataFrame) -> pd.Series:
    return numbers[[*AMOUNTS]].notna().any(axis=1)


def show_files(sheet: Sheet) -> Piece:
    """Every file that leaves, with the beginning of its hash."""
    rows = [[f"`{path}`", f"`{digest[:HASH_SIGNS]}`"]
            for path, digest in sheet.review.files.items()]  # fmt: skip
    table = sheet.cut(sheet.say("review.files_caption"), ("file", "hash"), rows)
    return join([sheet.text("review.files_how"), table])


def show_numbers(sheet: Sheet) -> Iterable[Piece]:
    """For each table, and each question, the numbers of the fewest events and people."""
    yield sheet.text("review.numbers_how", most=MOST_ROWS)
    shown = sheet.review.numbers[_has_number(sheet.review.numbers)]
    for (table, question), part in shown.groupby(["table", "question"], sort=False):
        size = measure_size(part)
        first = part.loc[size.sort_values(kind="stable").index].head(MOST_ROWS)
        rows = [_number_row(sheet, row) for row in first.itertuples()]
        name = sheet.name_table(str(table), str(question))
        caption = sheet.say("review.numbers_caption", table=name)
        number = "dropped" if table == ATTRITION else "number"
        yield sheet.cut(
            caption, ("what", number, "people", "events", "rule"), rows, total=len(part)
        )


def measure_size(numbers: pd.DataFrame) -> pd.Series:
    """How few a number is about: its events, its own count, the rows that a step dropped.

    Equal ones go by their people; what is about no count comes last.
    """
    values = numbers[[*AMOUNTS]].astype("Float64").astype(float)
    is_count = numbers["table"].ne("estimates") & numbers["rule"].eq("count")
    own = values["estimate"].where(is_count & values["estimate"].gt(0))
    fewest = own.fillna(values["n_events"]).fillna(np.inf)
    order = np.lexsort([values["n_people"].fillna(np.inf), fewest])
    return pd.Series(np.argsort(order, kind="stable"), numbers.index)


def _number_row(sheet: Sheet, row: Any) -> list[str]:
    counts = [DASH if pd.isna(count) else sheet.formats.count(count)
              for count in (row.n_people, row.n_events)]  # fmt: skip
    number = DASH if pd.isna(row.estimate) else _write_number(sheet, row)
    return [describe_row(sheet, row), number, *counts, sheet.name_rule(row.rule)]


def describe_row(sheet: Sheet, row: Any) -> str:
    """What a number is, and of whom."""
    if row.table == ATTRITION:
        return name_step(sheet, row.analysis, row.check)
    labels = sheet.labels
    of = [
        labels.code("estimand", row.estimand) if row.estimand else name_check(sheet, row.check),
        name_any_measure(sheet, row.measure) if row.measure else "",
        name_whole(sheet, row.subgroup, row.level) if row.subgroup else "",
        labels.code("outcome", row.outcome) if row.outcome else "",
        name_analysis(sheet, row.analysis) if row.analysis else "",
        "" if pd.isna(row.time_days) else sheet.formats.period(int(row.time_days)),
    ]
    return ", ".join(filter(None, of))


def _write_number(sheet: Sheet, row: Any) -> str:
    """Counts, days and what is whole about a model without decimals."""
    is_whole = row.rule in WHOLE and float(row.estimate).is_integer()
    return sheet.formats.count(row.estimate) if is_whole else sheet.formats.decimal(row.estimate, 3)


def show_hidden(sheet: Sheet) -> Piece:
    """How many numbers are not shown, by table, status and reason."""
    numbers = sheet.review.numbers
    kept = numbers[~numbers["status"].isin([OK, "warning", "failed"])]
    keys = ["table", "question", "status", "reason"]
    counted = kept.groupby(keys, as_index=False).size()
    counted = counted.sort_values("size", ascending=False, kind="stable")
    rows = [
        [
            sheet.name_table(table, question),
            sheet.labels.code("estimate_status", status),
            sheet.name_reason(status, reason),
            sheet.formats.count(n_rows),
        ]
        for table, question, status, reason, n_rows in _list_rows(counted)
    ]
    caption = sheet.say("review.hidden_caption", total=sheet.formats.count(len(kept)))
    heads = ("table", "status", "reason", "count")
    return join([sheet.text("review.hidden_how"), sheet.cut(caption, heads, rows)])


def show_acro(sheet: Sheet) -> Iterable[Piece]:
    """Where it was asked: what a checker of another make would hide of the same tables."""
    told = sheet.review.facts.get("acro")
    if told is None:
        return
    count, threshold = sheet.formats.count, sheet.review.facts["rules"]["threshold"]
    both, alone = told["hidden_by_both"], told["hidden_by_acro_alone"]
    numbers = {
        "cells": count(told["n_cells"]),
        "ours": count(told["hidden_by_us"]),
        "both": DASH if both is None else count(both),
        "alone": count(alone),
    }
    rows = [[sheet.say(f"review.acro_{name}"), number] for name, number in numbers.items()]
    heads = [sheet.say(f"review.head_acro_{name}") for name in ("cells", "count")]
    yield sheet.head("acro_heading")
    yield sheet.text("review.acro_how", threshold=threshold, **told)
    notes = [sheet.say("review.acro_untold", threshold=threshold)] if both is None else []
    yield Table(sheet.say("review.acro_caption"), heads, rows, notes)
    yield sheet.text("review.acro_none" if alone == 0 else "review.acro_some")


def _list_rows(table: pd.DataFrame) -> list[Any]:
    return [*table.itertuples(index=False, name=None)]


def show_beside(sheet: Sheet) -> Piece:
    """How the release stands beside each earlier one."""
    if sheet.review.beside.empty:
        return sheet.text("review.beside_none")
    rows = [
        [
            earlier,
            sheet.formats.count(n_common),
            sheet.say(f"review.beside_{DIFFERENCE[is_same]}"),
            sheet.formats.count(n_suppressed),
        ]
        for earlier, n_common, is_same, n_suppressed in _list_rows(sheet.review.beside)
    ]
    heads = ("earlier", "common", "difference", "suppressed")
    table = sheet.cut(sheet.say("review.beside_caption"), heads, rows)
    return join([sheet.text("review.beside_how"), table])


def show_signatures(sheet: Sheet) -> Iterable[Piece]:
    """What to look at, and where to sign."""
    checks = [Item((f"☐ {sheet.say(f'review.check_{name}')}",)) for name in CHECKS]
    yield Items(tuple(checks), "links")
    rows = [[sheet.say(f"review.sign_{name}"), ""] for name in SIGNATURES]
    heads = [sheet.say("review.head_sign"), sheet.say("review.head_filled_in")]
    yield Table(sheet.say("review.sign_caption"), heads, rows)
    yield Text(sheet.say("review.not_seen"))
