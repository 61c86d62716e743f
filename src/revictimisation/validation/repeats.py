"""Checks of rows against other rows of their table: doubles, overlaps, steps out of order.

A first look counts distinct hashes of what must differ: as many as rows, and nothing is doubled;
only then are rows compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from revictimisation.dictionary import Rule
from revictimisation.validation.checks import Check
from revictimisation.validation.columns import quote_name
from revictimisation.validation.reading import LoadedTable, run

if TYPE_CHECKING:
    from revictimisation.engine import Engine


def compile_repeat_checks(con: Engine, one: LoadedTable) -> list[Check]:
    """Doubled keys, rows exactly alike, and the table's rules on several rows."""
    checks = []
    key = one.table.primary_key
    has_key = bool(key) and set(key) <= set(one.present)
    if not has_key or _has_doubles(con, one, key):
        checks += [_key_check(one)] if has_key else []
        checks += [_alike_check(one)] if _has_doubles(con, one, one.present) else []
    for rule in one.table.rules:
        compiler = REPEAT_RULES.get(rule.kind)
        if compiler and set(rule.columns) <= set(one.present):
            checks += compiler(con, one, rule)
    return checks


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(quote_name, columns))


def _has_doubles(con: Engine, one: LoadedTable, columns: Sequence[str], where: str = "") -> bool:
    """Whether rows may be alike in some columns; False is certain, as equal rows have one hash."""
    kept = f" WHERE {where}" if where else ""
    counts = f"count(*) > count(DISTINCT hash({_names(columns)}))"
    return bool(run(con, f"SELECT {counts} FROM {one.name}{kept}")[0][0])


def _alike(one: LoadedTable, columns: Sequence[str], where: str) -> str:
    """A condition that holds of all rows that are alike in some columns, and of few others."""
    hashed = f"hash({_names(columns)})"
    return (
        f"{where} AND {hashed} IN (SELECT {hashed} FROM {one.name} WHERE {where}"
        f" GROUP BY 1 HAVING count(*) > 1)"
    )


def _later(one: LoadedTable, columns: Sequence[str], where: str) -> str:
    """The second and later rows that are alike in some columns; empty equals empty."""
    return (
        f"(SELECT row_number FROM {one.name} WHERE {_alike(one, columns, where)} QUALIFY"
        f" row_number() OVER (PARTITION BY {_names(columns)} ORDER BY row_number) > 1) t"
    )


def _key_check(one: LoadedTable) -> Check:
    """The second and later rows of a key; an empty part of a key equals another empty one.

    A row with no part of its key at all is told as a missing value only.
    """
    key = one.table.primary_key
    shown = ", ".join(key)
    filled = " OR ".join(f"{quote_name(part)} IS NOT NULL" for part in key)
    doubled = _later(one, key, f"({filled})")
    return Check("doubled_key", "error", (shown,), "true", shown, source=doubled)


def _alike_check(one: LoadedTable) -> Check:
    alike = _later(one, one.present, "true")
    return Check("exact_duplicate", "warning", (), "true", "", source=alike)


def _compile_registered_twice(con: Engine, one: LoadedTable, rule: Rule) -> list[Check]:
    """Rows whose victim, suspect, day and offence an earlier row has under another report."""
    if "report_id" not in one.present:
        return []
    names = ("report_id", *rule.columns)
    filled = " AND ".join(f"{quote_name(name)} IS NOT NULL" for name in names)
    if not _has_doubles(con, one, rule.columns, filled):
        return []
    again = (
        f"(SELECT row_number FROM {one.name} WHERE {_alike(one, rule.columns, filled)}"
        f" QUALIFY first_value(report_id) OVER (PARTITION BY {_names(rule.columns)}"
        " ORDER BY row_number) <> report_id) t"
    )
    return [Check(rule.kind, rule.severity, rule.columns, "true", "report_id", source=again)]


def _compile_overlaps(_: Engine, one: LoadedTable, rule: Rule) -> list[Check]:
    """Rows that start before an earlier spell of the same person and code has ended.

    A spell ends on the day that is not counted, so that touching is no overlap; no end is open.
    """
    person, code, start, end = (quote_name(name) for name in rule.columns)
    started = f"{start} IS NOT NULL AND {person} IS NOT NULL"
    until = f"coalesce({end}, DATE '9999-12-31')"
    overlapping = (
        f"(SELECT row_number FROM {one.name} WHERE {_alike(one, rule.columns[:2], started)}"
        f" QUALIFY {start} < max({until}) OVER (PARTITION BY"
        f" {person}, {code} ORDER BY {start}, row_number"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) t"
    )
    # Where any two overlap, so do two that stand next to each other in the order of their starts.
    look = (
        f"SELECT 1 FROM (SELECT whose, {start} < lag(until_on) OVER next AND whose = lag(whose)"
        f" OVER next AS is_early FROM (SELECT hash({_names(rule.columns[:2])}) AS whose, {start},"
        f" row_number, {until} AS until_on FROM {one.name} WHERE {started})"
        f" WINDOW next AS (ORDER BY whose, {start}, row_number)) WHERE is_early"
    )
    shown = rule.columns[2]
    return [Check(rule.kind, rule.severity, rule.columns, "true", shown, "", overlapping, look)]


def _compile_judged_early(con: Engine, one: LoadedTable, rule: Rule) -> list[Check]:
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


REPEAT_RULES: dict[str, Callable[[Engine, LoadedTable, Rule], list[Check]]] = {
    "registered_twice": _compile_registered_twice,
    "overlapping_spells": _compile_overlaps,
    "judged_before_prosecution": _compile_judged_early,
}
