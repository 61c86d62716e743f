"""The findings table by table, gravest first, and what was asked of sequences and doubles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from revictimisation.report.delivery import Sheet
from revictimisation.report.described import Cell, Folded, Piece, Table, Text, Written, join
from revictimisation.report.page import DASH

SEVERITIES = ("error", "warning", "notice")
HEADS = ("what", "column", "how_many", "where", "mend")
DOUBLES = ("doubled_key", "exact_duplicate")
# The rules that ask for an order of dates, or whether two rows are one.
SEQUENCES = (
    "registered_twice", "overlapping_spells", "end_before_start", "end_without_start",
    "not_before", "not_before_birth", "not_after_death", "not_before_report",
    "not_long_before_report", "judged_before_prosecution", "only_if_granted", "year_before",
    "different",
)  # fmt: skip
# What these hold a row's date against stands in another table.
REFERRED = {
    "not_after_death": ("persons", "died_on"),
    "not_before_birth": ("persons", "birth_year"),
    "not_before_report": ("reports", "reported_on"),
}


def show_findings(sheet: Sheet) -> Piece:
    """A table for each table of the extract that has findings."""
    findings = sheet.delivery.findings
    how = sheet.text("delivery.findings_how", threshold=sheet.threshold)
    parts = [sheet.heading("delivery.findings_heading"), how]
    if findings.empty:
        parts.append(sheet.text("delivery.findings_none"))
    names = ["", *(one.name for one in sheet.dictionary.tables_by_direction("in"))]
    for name in names:
        mine = findings[findings["table"] == name]
        if len(mine):
            rows = [
                row
                for severity in SEVERITIES
                for row in mine[mine["severity"] == severity].itertuples()
            ]
            parts.append(_show_table(sheet, name, rows))
    return join(parts)


def _show_table(sheet: Sheet, name: str, rows: list[Any]) -> Piece:
    heads = [sheet.say(f"delivery.head_{head}") for head in HEADS]
    count = sheet.formats.count(len(rows))
    caption = sheet.say("delivery.findings_caption", table=sheet.name_table(name), count=count)
    cells = [_finding_row(sheet, row, heads) for row in rows]
    return Table(caption, heads, cells, kind="words stacked found")


def _finding_row(sheet: Sheet, one: Any, heads: list[str]) -> list[Written]:
    badge = Text(sheet.say(f"delivery.severity_{one.severity}"), f"mark {one.severity}")
    label = sheet.dictionary.rules[one.rule].label[sheet.language]
    text, repair = (getattr(one, f"{kind}_{sheet.language}") for kind in ("text", "repair"))
    listed = one.rows
    if listed and len(listed.split(", ")) < one.count:
        listed = sheet.say("delivery.more_rows", rows=listed)
    told = [sheet.formats.count(one.count), listed or DASH]
    return [
        join([badge, Text(label)]),
        _label(heads[1], sheet.name_column(one.table, one.column) or DASH),
        *(_label(head, cell) for head, cell in zip(heads[2:4], told, strict=True)),
        Text(f"{text}\n\n{repair}"),
    ]


def show_sequences(sheet: Sheet) -> Piece:
    """Every question on doubles and on the order of dates: what was found, and folded the rest."""
    asked = [(*one, _count(sheet, *one)) for one in _list_asked(sheet)]
    found = _show_asked(sheet, "sequences_caption", [one for one in asked if one[-1]])
    rest = _show_asked(sheet, "sequences_rest", [one for one in asked if not one[-1]])
    folded = Folded(sheet.say("delivery.sequences_rest"), rest)
    return join([sheet.heading("delivery.sequences_heading"), found, folded])


def _show_asked(sheet: Sheet, caption: str, asked: list[tuple[str, str, str, int]]) -> Piece:
    heads = [sheet.say(f"delivery.head_{one}") for one in ("what", "table", "column", "how_many")]
    rows = []
    for name, rule, columns, count in asked:
        empty = "" if count else find_empty(sheet, name, rule, columns)
        told_count = sheet.say("delivery.not_asked", column=empty) if empty else ""
        cells = (name, columns or DASH, told_count or sheet.formats.count(count))
        labelled = (_label(*both) for both in zip(heads[1:], cells, strict=True))
        rows.append([sheet.dictionary.rules[rule].label[sheet.language], *labelled])
    if not rows:
        return sheet.text("delivery.findings_none")
    told = sheet.say(f"delivery.{caption}")
    return Table(told, heads, rows, kind="words stacked asked")


def find_empty(sheet: Sheet, name: str, rule: str, columns: str) -> str:
    """A column without which the question could not be asked, as all its rows are empty."""
    facts = sheet.delivery.facts
    empty = facts[(facts["kind"] == "filled") & (facts["level"] == "") & facts["n"].eq(0)]
    places = set(zip(empty["table"], empty["column"], strict=True))
    needed = [(name, one) for one in columns.split(", ")]
    if rule in REFERRED:
        needed.append(REFERRED[rule])
    for table, column in needed:
        if (table, column) in places:
            return column if table == name else f"{table}.{column}"
    return ""


def _list_asked(sheet: Sheet) -> Iterable[tuple[str, str, str]]:
    """(table, rule, columns) of what was asked of the tables that were given."""
    for table in sheet.dictionary.tables_by_direction("in"):
        if table.name not in sheet.delivery.row_counts:
            continue
        for rule in DOUBLES:
            yield table.name, rule, ", ".join(table.primary_key) if rule == DOUBLES[0] else ""
        for one in sorted(table.rules, key=lambda one: one.kind):
            if one.kind in SEQUENCES:
                yield table.name, one.kind, ", ".join(one.columns)


def _count(sheet: Sheet, name: str, rule: str, columns: str) -> int:
    """How many rows were found; a finding stands at one of the columns that a rule is about."""
    findings = sheet.delivery.findings
    mine = findings[(findings["table"] == name) & (findings["rule"] == rule)]
    about = [row for row in mine.itertuples() if _is_about(str(row.column), columns, rule)]
    return sum(int(str(one.count)) for one in about)


def _label(head: str, told: str) -> Cell:
    """A cell that says what it is on narrow screens, where it is left out if it holds nothing."""
    return Cell(DASH, kind="wide") if told == DASH else Cell(told, label=head)


def _is_about(column: str, columns: str, rule: str) -> bool:
    return rule in (*DOUBLES, "registered_twice") or column in columns.split(", ")[1:]
