"""Compiles the dictionary's constraints into checks: SQL conditions that are true of a bad row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from revictimisation.core.codes import ROUNDED_NUMBER, TYPE_FAULTS
from revictimisation.dictionary import Dictionary, Field, Rule, Table
from revictimisation.dictionary.model import FieldType, Severity
from revictimisation.extract.sources.identity import IDENTITY_NUMBER
from revictimisation.extract.sql import fits, quote_name, quote_text, unnest_texts

if TYPE_CHECKING:
    from revictimisation.plan import StudyPlan

# In the same bits, so much further on: a date that was written with a time of day.
TIME_OF_DAY = 32


@dataclass(frozen=True)
class Check:
    """A rule on one table: `condition` is true of the rows that break it.

    `source` is what the rows are selected from, if it is more than the table itself; it must give
    `row_number` and whatever the condition names. `look` is a query that gives no row where none
    breaks the rule: quicker than to look at every row.
    """

    rule: str
    severity: Severity
    columns: tuple[str, ...]
    condition: str
    shown: str
    other: str = ""
    source: str = ""
    look: str = ""


def compile_row_checks(table: Table, present: Collection[str], today: dt.date) -> list[Check]:
    """Checks within a row: missing, mistyped and out-of-range values, and rules across columns.

    Only columns that the file has are checked; what is missing is told once, as a missing column.
    """
    checks = []
    for place, column in enumerate(table.fields):
        if column.name in present:
            checks += _field_checks(column, place, today)
    for rule in table.rules:
        compiler = ROW_RULES.get(rule.kind)
        if compiler and set(rule.columns) <= set(present):
            checks.append(_rule_check(rule, compiler(rule.columns)))
    return checks


def compile_code_checks(
    table: Table,
    present: Collection[str],
    rows: str,
    dictionary: Dictionary,
    plan: StudyPlan | None,
) -> list[Check]:
    """Checks against code lists: an unknown code is an error in a closed list, else a warning.

    In a column of measures the codes that the study file names are known too. `rows` is the table
    in the engine.
    """
    named = [code for measure in plan.measures.values() for code in measure.codes] if plan else []
    checks = []
    for column in table.fields:
        if column.codes is None or column.name not in present:
            continue
        codes = {*dictionary.allowed_codes(column), *(named if column.codes == "measures" else ())}
        name = quote_name(column.name)
        severity: Severity = "error" if column.is_closed else "warning"
        known = f"(SELECT {unnest_texts(sorted(codes))})"
        unknown = f"{name} IS NOT NULL AND {name} NOT IN {known}"
        look = f"SELECT 1 FROM (SELECT DISTINCT {name} FROM {rows}) WHERE {unknown}"
        shown = column.name
        checks.append(Check("unknown_code", severity, (shown,), unknown, shown, look=look))
    return checks


def compile_dated_code_checks(
    table: Table, present: Collection[str], rows: str, lists: str
) -> list[Check]:
    """Checks that a known code was valid on a day. `lists` is a table of dated codes.

    `lists` has list_name, code, from_on, to_on; both days are included, null is open. A code whose
    first and last day lie within one of its rows there needs no closer look.
    """
    checks = []
    for rule in table.rules:
        if rule.kind != "valid_code_on" or not set(rule.columns) <= set(present):
            continue
        code, day = (quote_name(name) for name in rule.columns)
        of_list = f"d.list_name = {quote_text(table.field(rule.columns[0]).codes or '')}"
        same = f"{of_list} AND d.code = t.{code}"
        listed = f"EXISTS (SELECT 1 FROM {lists} d WHERE {same}"
        within = "{} >= coalesce(d.from_on, {}) AND {} <= coalesce(d.to_on, {})"
        on_day, on_all = (
            f"{listed}) AND NOT {listed} AND {within.format(first, first, last, last)})"
            for first, last in ((f"t.{day}", f"t.{day}"), ("t.first_on", "t.last_on"))
        )
        spans = f"SELECT {code}, min({day}) AS first_on, max({day}) AS last_on FROM {rows}"
        look = f"SELECT 1 FROM ({spans} WHERE {day} IS NOT NULL GROUP BY 1) t WHERE {on_all}"
        condition, shown = f"t.{day} IS NOT NULL AND {on_day}", rule.columns[0]
        checks.append(Check(rule.kind, rule.severity, rule.columns, condition, shown, look=look))
    return checks


def _field_checks(column: Field, place: int, today: dt.date) -> list[Check]:
    name = quote_name(column.name)
    is_empty = f"{name} IS NULL"
    checks = []
    if column.type != "string":
        mistyped = f"({TYPE_FAULTS} & {1 << place}) <> 0"
        is_empty = f"{is_empty} AND NOT ({mistyped})"
        checks.append(_check(f"wrong_type_{column.type}", "error", column.name, mistyped))
    if column.type == "date":
        timed = f"({TYPE_FAULTS} & {1 << (place + TIME_OF_DAY)}) <> 0"
        checks.append(_check("time_of_day", "notice", column.name, timed))
    if column.is_required:
        checks.append(_check("missing_value", "error", column.name, is_empty))
    elif column.is_expected:
        checks.append(_check("missing_expected_value", "warning", column.name, is_empty))
    if column.type == "string" and column.sensitivity == "identifier":
        checks.append(_check("rounded_number", "error", column.name, _is_rounded(name)))
    if column.minimum is not None or column.maximum is not None:
        checks.append(_check("out_of_range", "error", column.name, _outside(column, today)))
    if column.pattern is not None:
        other_form = f"NOT {fits(name, column.pattern)}"
        checks.append(_check("wrong_pattern", "error", column.name, other_form))
    return checks


def _is_rounded(name: str) -> str:
    """Only of what holds a plus or ends in .0 is the form asked: that takes a tenth."""
    may_be = f"contains({name}, '+') OR suffix({name}, '.0')"
    return f"CASE WHEN {may_be} THEN {fits(name, ROUNDED_NUMBER)} ELSE false END"


def _outside(column: Field, today: dt.date) -> str:
    name = quote_name(column.name)
    bounds = [("<", column.minimum), (">", column.maximum)]
    return " OR ".join(
        f"{name} {sign} {resolve_limit(limit, column.type, today)}"
        for sign, limit in bounds
        if limit is not None
    )


def resolve_limit(limit: str, kind: FieldType, today: dt.date) -> str:
    """A limit of the dictionary as an SQL literal; `today` and `this_year` are filled in.

    >>> resolve_limit("this_year", "integer", dt.date(2026, 11, 21))
    '2026'
    """
    if kind == "date":
        return f"DATE {quote_text(today.isoformat() if limit == 'today' else limit)}"
    return str(today.year) if limit == "this_year" else limit


def _identity_number(columns: Sequence[str]) -> str:
    """Only of what begins with a digit, or lower, is the form asked: that takes a tenth."""
    name = quote_name(columns[0])
    return f"CASE WHEN {name} < ':' THEN {fits(name, IDENTITY_NUMBER)} ELSE false END"


def _second_before_first(columns: Sequence[str]) -> str:
    first, second = (quote_name(name) for name in columns)
    return f"{second} < {first}"


def _end_without_start(columns: Sequence[str]) -> str:
    start, end = (quote_name(name) for name in columns)
    return f"{end} IS NOT NULL AND {start} IS NULL"


def _year_before(columns: Sequence[str]) -> str:
    year, day = (quote_name(name) for name in columns)
    return f"year({day}) < {year}"


def _only_if_granted(columns: Sequence[str]) -> str:
    decision, start = (quote_name(name) for name in columns)
    return f"{decision} IN ('denied', 'declined') AND {start} IS NOT NULL"


def _same(columns: Sequence[str]) -> str:
    return f"{quote_name(columns[0])} = {quote_name(columns[1])}"


ROW_RULES: dict[str, Callable[[Sequence[str]], str]] = {
    "personal_identity_number": _identity_number,
    "end_before_start": _second_before_first,
    "not_before": _second_before_first,
    "end_without_start": _end_without_start,
    "year_before": _year_before,
    "different": _same,
    "only_if_granted": _only_if_granted,
}


def _check(rule: str, severity: Severity, column: str, condition: str) -> Check:
    return Check(rule, severity, (column,), condition, shown=column)


def _rule_check(rule: Rule, condition: str) -> Check:
    return Check(rule.kind, rule.severity, rule.columns, condition, shown=rule.columns[-1])
