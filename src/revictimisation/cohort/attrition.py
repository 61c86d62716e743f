"""The attrition: what became of every row of the extract, rule by rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from revictimisation.cohort import Cohort
from revictimisation.cohort.court_cases import attach_court_rows
from revictimisation.cohort.spells import SOURCES
from revictimisation.core.engine import days_since
from revictimisation.dictionary import Dictionary, Table

COLUMNS = ("step", "reason", "n_people", "n_reports", "n_dropped")
COURT = ("investigations", "case_decisions")
USED = {"reports", "persons", "risk_assessments", "municipality_years", *SOURCES, *COURT}


def account_for(
    tables: dict[str, ir.Table],
    cohort: Cohort,
    attached: ir.Table,
    index_cases: ir.Table,
    dictionary: Dictionary,
) -> pd.DataFrame:
    """Account for every row of the extract: a line per table (`step`) and rule (`reason`).

    `n_reports` are the rows left after the rule (of the table named by `step`), `n_dropped` those
    it dropped, `n_people` the people they concern; a step begins with all its rows (`in_extract`),
    and each line's `n_reports` is the line's before less its `n_dropped`. Tables that no study
    reads have lines too.
    """
    parts = [cohort.flow.assign(step="reports"), _persons(tables["persons"], cohort)]
    parts += [_measures(name, tables[name], cohort, attached) for name in SOURCES]
    parts.append(_assessments(tables["risk_assessments"], cohort))
    parts += [_court(name, tables[name], index_cases) for name in COURT]
    others = [name for name in tables if name not in USED]
    parts += [_unused(dictionary.tables[name], tables[name]) for name in others]
    parts.append(_municipality_years(tables["municipality_years"], cohort))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def add_joined(attrition: pd.DataFrame, joined: pd.DataFrame) -> pd.DataFrame:
    """Begin the step `persons` with how two agencies' people were joined (`linkage.join_tables`).

    Left as it is where there are no such lines, or they end in other rows than the extract has.
    """
    first = attrition["step"].eq("persons") & attrition["reason"].eq("in_extract")
    if joined.empty or not first.any():
        return attrition
    place = int(first.to_numpy().argmax())
    if joined["n_reports"].iloc[-1] != attrition["n_reports"].iloc[place]:
        return attrition
    lines = joined[list(COLUMNS)]
    parts = [attrition.iloc[:place], lines, attrition.iloc[place + 1 :]]
    return pd.concat(parts, ignore_index=True)


def add_cleaning(attrition: pd.DataFrame, lines: Iterable[Any]) -> pd.DataFrame:
    """Put what cleaning did to each table before what the study did to it.

    `lines` (table, rule, n_people, n_rows, n_dropped) stand table by table, each beginning with
    all rows of the extract (`in_extract`), and take the place of the step's first line.
    """
    found: dict[str, list[tuple[object, ...]]] = {}
    for line in lines:
        row = (line.table, line.rule, line.n_people, line.n_rows, line.n_dropped)
        found.setdefault(line.table, []).append(row)
    parts = []
    for step, mine in attrition.groupby("step", sort=False):
        if step in found:
            parts.append(pd.DataFrame(found[str(step)], columns=list(COLUMNS)))
            mine = mine.iloc[1:]
        parts.append(mine)
    return pd.concat(parts, ignore_index=True)


def _lines(step: str, left: list[tuple[str, int, int]]) -> pd.DataFrame:
    """Lines of one step from (reason, people left, rows left), the first being all."""
    frame = pd.DataFrame(left, columns=["reason", "n_people", "n_reports"])
    dropped = -frame["n_reports"].diff().fillna(0).astype("int64")
    return frame.assign(step=step, n_dropped=dropped)


def _size(table: ir.Table, person: str | None) -> tuple[int, int]:
    people = table[person].nunique() if person else ibis.literal(0)
    found = table.aggregate(people=people, rows=table.count()).to_pandas().fillna(0).iloc[0]
    return int(found["people"]), int(found["rows"])


def _persons(persons: ir.Table, cohort: Cohort) -> pd.DataFrame:
    victims = cohort.index_reports.select(person_id=ibis._.victim_id).distinct()
    kept = persons.semi_join(victims, "person_id")
    return _lines(
        "persons",
        [
            ("in_extract", *_size(persons, "person_id")),
            ("not_a_victim_of_the_cohort", *_size(kept, "person_id")),
        ],
    )


def _measures(name: str, table: ir.Table, cohort: Cohort, attached: ir.Table) -> pd.DataFrame:
    person = SOURCES[name][0]
    mine = attached.filter(attached.source == name)
    ends = cohort.index_reports.select("entry_id", "end_day")
    timed = mine.join(ends, "entry_id")
    is_decided = timed.decided_day.between(0, timed.end_day)
    is_in_force = (timed.start_day < timed.end_day) & (timed.stop_day > 0)
    within = timed.filter(is_decided.fill_null(False) | is_in_force.fill_null(False))
    in_cohort = table.semi_join(mine, "row_number")
    return _lines(
        name,
        [
            ("in_extract", *_size(table, person)),
            ("nobody_of_the_cohort", *_size(in_cohort, person)),
            ("outside_follow_up", *_size(table.semi_join(within, "row_number"), person)),
        ],
    )


def during_follow_up(assessments: ir.Table, cohort: Cohort) -> ir.Table:
    """Keep the assessments made in the follow-up (day 0 too) of any of a victim's entries."""
    entries = cohort.index_reports.select("victim_id", "index_on", "end_day")
    joined = assessments.join(entries, "victim_id")
    day = days_since(joined.assessed_on, joined.index_on)
    within = joined.filter(day.between(0, joined.end_day))
    return assessments.semi_join(within, "row_number")


def _assessments(assessments: ir.Table, cohort: Cohort) -> pd.DataFrame:
    entries = cohort.index_reports.select("victim_id", "index_on", "end_day")
    joined = assessments.join(entries, "victim_id")
    in_cohort = assessments.semi_join(joined, "row_number")
    is_early = days_since(joined.assessed_on, joined.index_on) <= joined.end_day
    used = assessments.semi_join(joined.filter(is_early), "row_number")
    return _lines(
        "risk_assessments",
        [
            ("in_extract", *_size(assessments, "victim_id")),
            ("nobody_of_the_cohort", *_size(in_cohort, "victim_id")),
            ("after_follow_up", *_size(used, "victim_id")),
        ],
    )


def _court(name: str, table: ir.Table, index_cases: ir.Table) -> pd.DataFrame:
    used = table.semi_join(attach_court_rows(index_cases, table), "row_number")
    return _lines(
        name,
        [
            ("in_extract", *_size(table, "suspect_id")),
            ("not_of_an_index_report", *_size(used, "suspect_id")),
        ],
    )


def _unused(known: Table, table: ir.Table) -> pd.DataFrame:
    person = next((field.name for field in known.fields if field.identifies), None)
    lines = [("in_extract", *_size(table, person)), ("not_used_by_this_study", 0, 0)]
    return _lines(known.name, lines)


def _municipality_years(table: ir.Table, cohort: Cohort) -> pd.DataFrame:
    """Used is what has a group of municipality for the municipality and year of an index report."""
    reports = cohort.index_reports.select("municipality_code", year=ibis._.index_on.year())
    said = table.filter(table.skr_group.notnull())
    used = said.semi_join(reports.distinct(), ["municipality_code", "year"])
    lines = [
        ("in_extract", *_size(table, None)),
        ("no_index_report_there_that_year", *_size(used, None)),
    ]
    return _lines("municipality_years", lines)
