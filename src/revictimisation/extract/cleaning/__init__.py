"""Cleaning: what a study file asks to have mended in an extract, and an account of it.

Only rules that the study names (`cleaning`) are applied, in the order of `CLEANING_RULES` whatever
the order there, each to what the ones before it left. A rule never touches a row with a cell that
is not of its type, so that no fault is mended by accident. What a rule did is counted by comparing
tables, not by the rule itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from revictimisation.core.engine import Engine
from revictimisation.dictionary import Dictionary
from revictimisation.extract.cleaning import reports, rows, spells
from revictimisation.extract.cleaning.work import Selects, Work
from revictimisation.extract.validation.reading import LoadedTable
from revictimisation.plan import StudyPlan
from revictimisation.plan.parts import CLEANING_RULES

__all__ = ["IN_EXTRACT", "Cleaned", "CleaningLine", "clean_tables"]

IN_EXTRACT = "in_extract"
PEOPLE_COLUMNS = ("victim_id", "person_id", "suspect_id")
RULES: Mapping[str, Callable[[Work], Selects]] = {
    "lower_case_codes": rows.lower_case_codes,
    "drop_exact_duplicates": rows.drop_exact_duplicates,
    "empty_ends_after_today": spells.empty_ends_after_today,
    "drop_dates_out_of_range": rows.drop_dates_out_of_range,
    "drop_end_before_start": rows.drop_end_before_start,
    "drop_unknown_people": rows.drop_unknown_people,
    "merge_reports_registered_twice": reports.merge_reports_registered_twice,
    "close_open_ends": spells.close_open_ends,
    "merge_overlapping_spells": spells.merge_overlapping_spells,
}


@dataclass(frozen=True)
class CleaningLine:
    """What one rule did to one table; the first line of a table, `in_extract`, is all its rows.

    `n_people` and `n_rows` are what is left after the rule, `n_dropped` rows it dropped,
    `n_changed` rows it kept and altered.
    """

    table: str
    rule: str
    n_people: int
    n_rows: int
    n_dropped: int = 0
    n_changed: int = 0


@dataclass(frozen=True)
class Cleaned:
    """Tables after cleaning, as names in the engine, and a line per table and rule."""

    names: Mapping[str, str]
    lines: tuple[CleaningLine, ...]


def clean_tables(
    con: Engine,
    loaded: Mapping[str, LoadedTable],
    dictionary: Dictionary,
    plan: StudyPlan,
    today: dt.date,
) -> Cleaned:
    """Apply the rules that a study names to an extract's tables in the engine.

    The tables given stay as they are; those cleaned are new ones, with the same columns. `today`
    is the last date that may occur. Naming no rule gives the tables back and no line.
    """
    names = {name: one.name for name, one in loaded.items()}
    work = Work(con, loaded, names, plan, today, dictionary)
    lines: dict[str, list[CleaningLine]] = {}
    for rule in CLEANING_RULES:
        if rule not in plan.cleaning:
            continue
        made = {}
        for name, select in RULES[rule](work).items():
            made[name] = f"{loaded[name].name}_{rule}"
            work.con.run(f"CREATE OR REPLACE TABLE {made[name]} AS {select}")
            mine = lines.setdefault(name, [_line(work, name, IN_EXTRACT, work.names[name])])
            mine.append(_compare(work, name, rule, work.names[name], made[name]))
        work = work.after(made)
    return Cleaned(work.names, tuple(line for name in loaded for line in lines.get(name, ())))


def _line(work: Work, name: str, rule: str, relation: str) -> CleaningLine:
    people = next(
        (column for column in PEOPLE_COLUMNS if column in work.loaded[name].present), None
    )
    counted = f"count(DISTINCT {people})" if people else "0"
    n_people, n_rows = work.con.run(f"SELECT {counted}, count(*) FROM {relation}")[0]
    return CleaningLine(name, rule, int(n_people), int(n_rows))


def _compare(work: Work, name: str, rule: str, old: str, new: str) -> CleaningLine:
    """Count what became of the rows, which their numbers tell apart."""
    left = _line(work, name, rule, new)
    n_before = int(work.con.run(f"SELECT count(*) FROM {old}")[0][0])
    altered = f"SELECT count(*) FROM (SELECT * FROM {new} EXCEPT SELECT * FROM {old})"
    n_changed = int(work.con.run(altered)[0][0])
    return CleaningLine(name, rule, left.n_people, left.n_rows, n_before - left.n_rows, n_changed)
