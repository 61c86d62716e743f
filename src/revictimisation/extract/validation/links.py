"""Checks of a row against what it refers to: is it there, and does the order of dates hold?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING

from revictimisation.dictionary import ForeignKey
from revictimisation.extract.sql import quote_name
from revictimisation.extract.validation.checks import Check
from revictimisation.extract.validation.lookups import Lookup
from revictimisation.extract.validation.reading import LoadedTable

if TYPE_CHECKING:
    from revictimisation.plan import StudyPlan

# rule: the fact of the row referred to, and the condition of a day and that fact that is a fault.
# A day on the day of death or of the report is none, nor is one in the year of birth.
LINK_RULES: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "not_after_death": ("died_on", lambda day, fact: f"{day} > {fact}"),
    "not_before_birth": ("birth_year", lambda day, fact: f"year({day}) < {fact}"),
    "not_before_report": ("reported_on", lambda day, fact: f"{day} < {fact}"),
}
FIRST_REPORT_RULE = "not_long_before_report"


def compile_link_checks(one: LoadedTable, lookups: Mapping[Hashable, Lookup | None]) -> list[Check]:
    """Checks that share one pass over the table, joined to all that it refers to.

    `lookups` has one for each table and key referred to; None where none could be made: nothing is
    asked of a table that was not read, lest one missing file give a fault in every row. An empty
    reference refers to nothing.
    """
    joined = {
        key: (f"j{place}", lookup)
        for place, key in enumerate(one.table.foreign_keys)
        if set(key.fields) <= set(one.present)
        and (lookup := lookups[key.resource, key.reference_fields])
    }
    source = " ".join([f"{one.name} t", *(_join(key, *given) for key, given in joined.items())])
    checks = [_reference_check(key, name, source) for key, (name, _) in joined.items()]
    for rule in one.table.rules:
        if rule.kind not in LINK_RULES or not set(rule.columns) <= set(one.present):
            continue
        fact, condition = LINK_RULES[rule.kind]
        mine, day = rule.columns
        for key, (name, lookup) in joined.items():
            if key.fields == (mine,) and fact in lookup.facts:
                held = condition(f"t.{quote_name(day)}", _joined_name(name, fact))
                checks.append(Check(rule.kind, rule.severity, rule.columns, held, day, "", source))
    return checks


def _joined_name(name: str, column: str) -> str:
    return f'{name}."{name}:{column}"'


def _join(key: ForeignKey, name: str, lookup: Lookup) -> str:
    given = ", ".join(
        f'{quote_name(one)} AS "{name}:{one}"' for one in (*lookup.keys, *lookup.facts)
    )
    same = " AND ".join(
        f"{_joined_name(name, its)} = t.{quote_name(mine)}"
        for mine, its in zip(key.fields, lookup.keys, strict=True)
    )
    return f"LEFT JOIN (SELECT {given} FROM {lookup.name}) {name} ON {same}"


def _reference_check(key: ForeignKey, name: str, source: str) -> Check:
    filled = " AND ".join(f"t.{quote_name(mine)} IS NOT NULL" for mine in key.fields)
    return Check(
        "unknown_reference",
        key.severity,
        key.fields,
        f"{filled} AND {_joined_name(name, key.reference_fields[0])} IS NULL",
        shown=", ".join(key.fields),
        other=key.resource,
        source=source,
    )


def compile_first_report_checks(
    one: LoadedTable, reports: LoadedTable, plan: StudyPlan | None
) -> list[Check]:
    """Days further before a victim's first report than the study allows; no report is no fault."""
    if not {"victim_id", "reported_on"} <= set(reports.present):
        return []
    first = (
        f"(SELECT victim_id, min(reported_on) AS first_on FROM {reports.name}"
        " WHERE victim_id IS NOT NULL GROUP BY victim_id) f"
    )
    checks = []
    for rule in one.table.rules:
        if rule.kind == FIRST_REPORT_RULE and set(rule.columns) <= set(one.present):
            person, day = rule.columns
            early = (
                f"(SELECT t.row_number FROM {one.name} t JOIN {first}"
                f" ON f.victim_id = t.{quote_name(person)}"
                f" WHERE t.{quote_name(day)} < f.first_on - {_days_before(plan)}) t"
            )
            checks.append(Check(rule.kind, rule.severity, rule.columns, "true", day, source=early))
    return checks


def _days_before(plan: StudyPlan | None) -> int:
    from revictimisation.plan.parts import ValidationLimits  # slow, and seldom needed

    return (plan.validation if plan else ValidationLimits()).assessment_before_days
