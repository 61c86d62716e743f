"""Page 07: the checks as a grid and in full, and how the study is done."""

from __future__ import annotations

from typing import Any

from revictimisation.core.packing import CheckName, unpack_check
from revictimisation.estimators.target_trial.gates import list_gates
from revictimisation.report.described import Cell, Folded, Piece
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import find_pair
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import list_rows
from revictimisation.report.sections.answer import list_names
from revictimisation.report.sections.protocol import list_covariates
from revictimisation.report.sections.referees import describe_check
from revictimisation.report.texts import load_texts
from revictimisation.report.trials import (
    ARMS,
    CONTROL,
    CONTROL_CHECK,
    FAILED,
    WARNING,
    WEIGHTING,
    Check,
    list_checks,
)
from revictimisation.report.verdicts import name_measure

FAILS = "fails"
ITEMS = ("incidence", "trial", "weights", "balance", "support", "detectable", "intervals", "ways",
         "model", "errors", "adjusted", "ties", "crude", "assumptions", "small")  # fmt: skip


def show_grid(page: Page) -> Piece:
    """Whether each check that may hold an answer back holds: a row a check, a column a measure.

    What fails is named above and stands first: a narrow page or a printed part shows it too.
    """
    measures = [name for name in page.plan.measure_names if list_checks(page, name)]
    if not measures:
        return page.text("referees.none")
    gates = [gate.check for gate in list_gates(page.plan.gates)]
    rows = [
        [start_upper(page.labels.code("check", name)),
         *(_judge(page, measure, name) for measure in measures)]
        for name in [*gates, CONTROL_CHECK]
    ]  # fmt: skip
    heads = [page.say("referees.head_check"), *(name_measure(page, one) for one in measures)]
    kept = [row for row in rows if any(cell != DASH for cell in row[1:])]
    kept.sort(key=lambda row: not any(_fails(cell) for cell in row))
    failed = [
        page.say("referees.grid_one", check=str(row[0]), measures=list_names(page, named))
        for row in kept
        if (named := [head for head, cell in zip(heads, row, strict=True) if _fails(cell)])
    ]
    told = page.say("referees.grid_failed", failed="; ".join(failed)) if failed else (
        page.say("referees.grid_held"))  # fmt: skip
    return page.table(told, heads, kept, [_describe_unit(page)], kind="grid")


def _fails(cell: Cell | str) -> bool:
    return isinstance(cell, Cell) and cell.kind == FAILS


def _describe_unit(page: Page) -> str:
    """In what the distance between the ways to count is told, and what counts as none."""
    tolerated = page.formats.decimal(page.plan.gates.tolerated_disagreement, 2)
    return page.say("referees.checks_unit", tolerated=tolerated)


def _judge(page: Page, measure: str, name: str) -> Cell | str:
    """Whether a check holds in every arm and on every day that it is held to a limit."""
    analysis = CONTROL["analysis"] if name == CONTROL_CHECK else WEIGHTING
    held = [check for check in list_checks(page, measure, analysis)
            if check.name == name and check.limit is not None]  # fmt: skip
    if not held:
        return DASH
    failed = [check for check in held if check.status == FAILED]
    hidden = [check for check in held if check.known is None]
    if failed:
        n = page.say("referees.grid_of", n=len(failed), n_all=len(held)) if len(held) > 1 else ""
        return Cell(f"✗ {n}".strip(), kind=FAILS)
    return Cell("–", kind="hidden") if len(hidden) == len(held) else Cell("✓", kind="holds")


def show_all_checks(page: Page) -> Piece:
    """Every check of every model with its limit and whether it holds, those that do not first."""
    frame = page.release.diagnostics
    order = frame["status"].map({FAILED: 0, WARNING: 1}).fillna(2)
    rows = [_row(page, row) for row in list_rows(frame.loc[order.sort_values(kind="stable").index])]
    if not rows:
        return page.text("referees.none")
    names = ("model", "measure", "check", "value", "limit", "status")
    heads = [page.say(f"referees.head_{name}") for name in names]
    notes = [_describe_unit(page)]
    table = page.table(page.say("referees.all_caption"), heads, rows, notes, kind="words")
    return Folded(page.say("referees.all_summary", n=page.formats.count(len(rows))), table)


def _row(page: Page, row: Any) -> list[str]:
    measure = name_measure(page, row.measure) if row.measure else DASH
    of = unpack_check(row.check)
    parts = [*(_name_part(page, part) for part in of.parts), *_name_level(page, of)]
    check = ", ".join([page.labels.code("check", of.name), *parts])
    told = [
        describe_check(page, Check(of, row.value, row.limit, row.status)),
        describe_check(page, Check(of, row.limit, None, "")),
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
