"""Notebook 6, last part: every check there is, and how the study is done."""

from __future__ import annotations

from typing import Any

from revictimisation.core.packing import CheckName, unpack_check
from revictimisation.report.described import Folded, Piece, join
from revictimisation.report.group_effects import find_pair
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import list_rows
from revictimisation.report.sections.referees import describe_check
from revictimisation.report.sections.trial_table import list_covariates
from revictimisation.report.texts import load_texts
from revictimisation.report.trials import ARMS, Check
from revictimisation.report.verdicts import name_answer

ITEMS = ("incidence", "trial", "weights", "balance", "support", "detectable", "intervals", "ways",
         "model", "errors", "adjusted", "ties", "crude", "assumptions", "small")  # fmt: skip


def show_all_checks(page: Page) -> Piece:
    """Every check of every model with its limit and whether it holds; folded."""
    rows = [_row(page, row) for row in list_rows(page.release.diagnostics)]
    if not rows:
        return page.text("referees.none")
    names = ("model", "measure", "check", "value", "limit", "status")
    heads = [page.say(f"referees.head_{name}") for name in names]
    table = page.table(page.say("referees.all_caption"), heads, rows, kind="words")
    n = page.formats.count(len(rows))
    folded = Folded(page.say("referees.all_summary", n=n), table)
    return join([page.text("referees.all_text"), folded])


def _row(page: Page, row: Any) -> list[str]:
    measure = name_answer(page, row.measure) if row.measure else DASH
    of = unpack_check(row.check)
    name, label = of.name, page.labels.code("check", of.name)
    parts = [*(_name_part(page, part) for part in of.parts), *_name_level(page, of)]
    check = ", ".join([label, *parts])
    told = [
        describe_check(page, Check(name, "", None, row.value, row.limit, row.status)),
        describe_check(page, Check(name, "", None, row.limit, None, "")),
    ]
    status = page.labels.code("diagnostic_status", row.status)
    return [_name_analysis(page, row.analysis), measure, check, *told, status]


def _name_part(page: Page, part: str) -> str:
    """Of what a check is: an arm or strategy, a day, a grouping or one level or two of it."""
    if part.isdigit():
        return page.formats.days(int(part))
    if part in ARMS:
        return page.say(f"referees.arm_{part}")
    for kind in ("contrast", "strategy"):
        if f"models.{kind}_{part}" in load_texts():
            return page.say(f"models.{kind}_{part}").lower()
    if part in page.dictionary.tables:
        return page.dictionary.tables[part].label[page.language].lower()
    if part in page.dictionary.rules:
        return page.dictionary.rules[part].label[page.language].lower()
    return page.labels.group(part).lower()


def _name_level(page: Page, of: CheckName) -> list[str]:
    """Of which level of a grouping a check is, or of which two; nothing where it is of neither."""
    if not of.group:
        return []
    pair = find_pair(page, of.group, of.level) or (of.level,)
    names = [page.labels.level(of.group, level) for level in pair]
    told = f" {page.say('referees.part_less')} ".join(names)
    return [f"{page.labels.group(of.group).lower()}: {told}"]


def _name_analysis(page: Page, analysis: str) -> str:
    """An estimator with its variant (`cox_time_varying_unadjusted`), or an analysis of its own."""
    for variant in ("main", "unadjusted"):
        estimator = analysis.removesuffix(f"_{variant}")
        if estimator in set(page.dictionary.code_lists["estimator"]["code"]) - {analysis}:
            kind = "unadjusted" if not page.plan.adjust_for else variant
            label = page.labels.code("estimator", estimator)
            return page.say(f"referees.model_{kind}", estimator=label)
    label = page.labels.code("analysis", analysis)
    return page.labels.code("estimator", analysis) if label == analysis else label


def show_method(page: Page) -> Piece:
    """Method and assumptions, item by item."""
    rows = [[page.say(f"referees.method_{one}"), _describe_method(page, one)] for one in ITEMS]
    heads = [page.say("referees.method_item"), page.say("referees.method_how")]
    return page.table(page.say("referees.method_caption"), heads, rows, kind="words")


def _describe_method(page: Page, item: str) -> str:
    rules, gates = page.plan.disclosure, page.plan.gates
    if item == "intervals" and not page.plan.bootstrap.replicates:
        return page.say("referees.method_intervals_bare")
    if item in ("adjusted", "weights") and not page.plan.adjust_for:
        return page.say(f"referees.method_{item}_bare")
    truncate = page.plan.weights.truncate_at
    return page.say(
        f"referees.method_{item}_text",
        covariates=list_covariates(page),
        risk_day=page.plan.definitions.risk_level_by_day,
        below=rules.threshold - 1,
        rounding=rules.rounding,
        replicates=page.formats.count(page.plan.bootstrap.replicates),
        balance=page.formats.decimal(gates.largest_standardised_difference, 2),
        support=page.formats.percent(gates.share_outside_support, 0),
        quantile="–" if truncate is None else page.formats.percent(truncate, 0),
    )
