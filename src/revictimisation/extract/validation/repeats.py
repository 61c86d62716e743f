"""Checks of rows against other rows of their table: doubles, overlaps, steps out of order.

Only rows whose hash another row has are compared: equal rows have equal hashes, and most often no
two rows do, which ends the search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from revictimisation.dictionary import Rule
from revictimisation.extract.sql import quote_name
from revictimisation.extract.validation.checks import Check
from revictimisation.extract.validation.reading import LoadedTable


def compile_double_checks(one: LoadedTable) -> list[Check]:
    """Second and later rows of a key, and rows that equal an earlier one; asked in one pass.

    An empty part of a key equals another empty one. A row with no part of its key at all is told as
    a missing value only.
    """
    key = one.table.primary_key if set(one.table.primary_key) <= set(one.present) else ()
    same, shown = key or one.present, ", ".join(key)
    filled = " OR ".join(f"{quote_name(part)} IS NOT NULL" for part in same)
    source = (
        f"(SELECT row_number, ({filled}) AND {_is_later(same)} AS is_doubled,"
        f" {_is_later(one.present)} AS is_alike FROM {one.name} WHERE {_alike(one, same, 'true')})"
    )
    return [
        *(
            [Check("doubled_key", "error", (shown,), "is_doubled", shown, "", source)]
            if key
            else []
        ),
        Check("exact_duplicate", "warning", (), "is_alike", "", "", source),
    ]


def compile_repeat_checks(one: LoadedTable) -> list[Check]:
    """The table's rules on several rows."""
    return [
        check
        for rule in one.table.rules
        if rule.kind in REPEAT_RULES and set(rule.columns) <= set(one.present)
        for check in REPEAT_RULES[rule.kind](one, rule)
    ]


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(quote_name, columns))


def _alike(one: LoadedTable, columns: Sequence[str], where: str) -> str:
    """A condition that holds of all rows that are alike in some columns, and of few others."""
    hashed = f"hash({_names(columns)})"
    return (
        f"{where} AND {hashed} IN (SELECT {hashed} FROM {one.name} WHERE {where}"
        f" GROUP BY 1 HAVING count(*) > 1)"
    )


def _is_later(columns: Sequence[str]) -> str:
    """Whether an earlier row is alike in some columns; empty equals empty."""
    return f"row_number() OVER (PARTITION BY {_names(columns)} ORDER BY row_number) > 1"


def _compile_registered_twice(one: LoadedTable, rule: Rule) -> list[Check]:
    """Rows whose victim, suspect, day and offence an earlier row has under another report."""
    if "report_id" not in one.present:
        return []
    names = ("report_id", *rule.columns)
    filled = " AND ".join(f"{quote_name(name)} IS NOT NULL" for name in names)
    again = (
        f"(SELECT row_number FROM {one.name} WHERE {_alike(one, rule.columns, filled)}"
        f" QUALIFY first_value(report_id) OVER (PARTITION BY {_names(rule.columns)}"
        " ORDER BY row_number) <> report_id) t"
    )
    return [Check(rule.kind, rule.severity, rule.columns, "true", "report_id", source=again)]


def _compile_overlaps(one: LoadedTable, rule: Rule) -> list[Check]:
    """Rows that start before an earlier spell of the same person and code has ended.

    A spell ends on the day that is not counted, so that touching is no overlap; no end is open.
    Where any two overlap, so do two that follow each other in the order of their starts.
    """
    person, code, start, end = (quote_name(name) for name in rule.columns)
    whose, shown = _names(rule.columns[:2]), rule.columns[2]
    started = f"{start} IS NOT NULL AND {person} IS NOT NULL"
    until = f"coalesce({end}, DATE '9999-12-31')"
    overlapping = (
        f"(SELECT row_number FROM {one.name} WHERE {_alike(one, rule.columns[:2], started)}"
        f" QUALIFY {start} < max({until}) OVER (PARTITION BY"
        f" {person}, {code} ORDER BY {start}, row_number"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) t"
    )
    look = (
        f"SELECT 1 FROM (SELECT whose, {start} < lag(until_on) OVER next AND whose = lag(whose)"
        f" OVER next AS is_early FROM (SELECT hash({whose}) AS whose, {start}, row_number,"
        f" {until} AS until_on FROM {one.name} WHERE {started})"
        f" WINDOW next AS (ORDER BY whose, {start}, row_number)) WHERE is_early"
    )
    return [Check(rule.kind, rule.severity, rule.columns, "true", shown, "", overlapping, look)]


def _compile_judged_early(one: LoadedTable, rule: Rule) -> list[Check]:
    """Judgments that lie before the first prosecution of the same report and suspect."""
    report, suspect, day, decision = (quote_name(name) for name in rule.columns)
    early = (
        f"(SELECT t.row_number FROM {one.name} t JOIN (SELECT {report} AS report,"
        f" {suspect} AS suspect, min({day}) AS first_on FROM {one.name}"
        f" WHERE {decision} = 'prosecuted' GROUP BY ALL) p ON p.report = t.{report}"
        f" AND p.suspect = t.{suspect} WHERE t.{day} < p.first_on"
        f" AND t.{decision} IN ('convicted', 'acquitted')) t"
    )
    return [Check(rule.kind, rule.severity, rule.columns, "true", rule.columns[2], source=early)]


REPEAT_RULES: dict[str, Callable[[LoadedTable, Rule], list[Check]]] = {
    "registered_twice": _compile_registered_twice,
    "overlapping_spells": _compile_overlaps,
    "judged_before_prosecution": _compile_judged_early,
}
