"""Holds the rows of every table against the dictionary: which rules are broken, how often, where.

A table's checks are asked in a few passes, as soon as there is what each needs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from revictimisation.core.engine import Engine, Piece
from revictimisation.dictionary import Dictionary, Table
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD
from revictimisation.extract.sql import unnest_texts
from revictimisation.extract.validation.checks import (
    Check,
    compile_code_checks,
    compile_dated_code_checks,
    compile_row_checks,
)
from revictimisation.extract.validation.findings import Finding, make_finding
from revictimisation.extract.validation.links import (
    compile_first_report_checks,
    compile_link_checks,
)
from revictimisation.extract.validation.lookups import drop_lookups, plan_lookups
from revictimisation.extract.validation.reading import LoadedTable
from revictimisation.extract.validation.repeats import compile_double_checks, compile_repeat_checks

if TYPE_CHECKING:
    from revictimisation.plan import StudyPlan

MISSING_VALUES, EMPTY_COLUMN = ("missing_value", "missing_expected_value"), "empty_column"
BETWEEN_CELLS = "\x1e"  # stands in no code and no date
FEW_ROWS = 10_000  # to look through so many costs less than to plan what is counted in them
DATED_CODES, REPORTS, REFERENCE = "dated codes", "reports", "unknown_reference"


Done = Mapping[Hashable, Any]  # tables by name, lookups by what is referred to, dated codes


@dataclass(frozen=True)
class Given:
    """What rows are held against beside other tables."""

    dictionary: Dictionary
    plan: StudyPlan | None
    today: dt.date


def load_and_check(
    con: Engine,
    loading: Mapping[str, Piece],
    prefix: str,
    dictionary: Dictionary,
    plan: StudyPlan | None,
    today: dt.date,
) -> tuple[dict[str, LoadedTable], list[Finding]]:
    """Do `loading` (it gives a table each, by name); with them, every rule that some row breaks.

    A table is checked as soon as it and what its rows are held against have been read. The names
    of what is made for it in the engine begin with `prefix`.
    """
    tables = [dictionary.tables[name] for name in loading]
    given = Given(dictionary, plan, today)
    lookups = plan_lookups(tables)
    checks = {
        (table.name, place): _plan_check(table, one, given)
        for table in tables
        for place, one in enumerate(PASSES)
    }
    codes = Piece(lambda engine, _: _create_dated_codes(engine, f"{prefix}codes", tables, given))
    rest: dict[Any, Piece] = {DATED_CODES: codes, **lookups, **checks}
    done = con.run_pieces({**loading, **rest})
    drop_lookups(con, (done[place] for place in lookups if done[place]))
    con.run(f"DROP TABLE {done[DATED_CODES]}")
    found = [finding for part in checks for finding in done[part]]
    return {name: done[name] for name in loading}, found


def _plan_check(table: Table, asked: _Pass, given: Given) -> Piece:
    """One of the passes over a table: it gives findings. Rows that are not there break nothing."""

    def check(con: Engine, done: Done) -> list[Finding]:
        one: LoadedTable = done[table.name]
        if not one.n_rows:
            return []
        run = _run_together if asked.is_together else _run_alone
        return run(con, one, asked.compile(one, done, given), given)

    return Piece(check, {table.name, *asked.needs(table)})


def _compile_codes(one: LoadedTable, done: Done, given: Given) -> list[Check]:
    known, plan = given.dictionary, given.plan
    dated = compile_dated_code_checks(one.table, one.present, one.name, done[DATED_CODES])
    return [*compile_code_checks(one.table, one.present, one.name, known, plan), *dated]


@dataclass(frozen=True)
class _Pass:
    """Checks of a table: all in one pass, or each alone; and what they need beside the table."""

    compile: Callable[[LoadedTable, Done, Given], list[Check]]
    is_together: bool = True
    needs: Callable[[Table], set[Hashable]] = lambda _: set()


PASSES = (
    _Pass(lambda one, _, given: compile_row_checks(one.table, one.present, given.today)),
    _Pass(
        lambda one, done, _: compile_link_checks(one, done),
        needs=lambda table: {(key.resource, key.reference_fields) for key in table.foreign_keys},
    ),
    _Pass(_compile_codes, is_together=False, needs=lambda _: {DATED_CODES}),
    _Pass(lambda one, *_: compile_double_checks(one)),
    _Pass(lambda one, *_: compile_repeat_checks(one), is_together=False),
    _Pass(
        lambda one, done, given: compile_first_report_checks(one, done[REPORTS], given.plan),
        is_together=False,
        needs=lambda _: {REPORTS},
    ),
)


def _run_alone(
    con: Engine, one: LoadedTable, checks: Sequence[Check], given: Given
) -> list[Finding]:
    """Run checks one by one, and of those that have a quicker look only where that sees a fault."""
    looks = [f"EXISTS ({check.look})" if check.look else "true" for check in checks]
    seen = con.run(f"SELECT {', '.join(looks)}")[0] if looks else ()
    broken = [check for check, is_seen in zip(checks, seen, strict=True) if is_seen]
    return [found for check in broken for found in _run_together(con, one, [check], given)]


def _run_together(
    con: Engine, one: LoadedTable, checks: Sequence[Check], given: Given
) -> list[Finding]:
    """Run checks that share a source in one pass: how many rows break each, and the first ten.

    Only rows that break any of them are counted by each: most often there are few, or none.
    """
    if not checks:
        return []
    is_any = " OR ".join(f"({check.condition})" for check in checks)
    source = checks[0].source or f"{one.name} t"
    broken = f"FROM {source} WHERE {is_any}"
    if one.n_rows <= FEW_ROWS and not con.run(f"SELECT EXISTS (SELECT 1 {broken})")[0][0]:
        return []
    asked = ", ".join(
        f"count(*) FILTER (WHERE b{place}),"
        f" min(row_number, {MAX_ROWS_TOLD}) FILTER (WHERE b{place})"
        for place in range(len(checks))
    )
    marks = ", ".join(f"({check.condition}) AS b{place}" for place, check in enumerate(checks))
    found = con.run(f"SELECT {asked} FROM (SELECT row_number, {marks} {broken})")[0]
    return list(_tell(one, checks, found, given.dictionary))


def _advise(check: Check, is_every_row: bool) -> str:
    """The rule whose advice fits better: nobody can fill in a column that was never mapped, and
    rows that refer to people who need not be known are kept.
    """
    if check.rule in MISSING_VALUES and is_every_row:
        return EMPTY_COLUMN
    return "kept_reference" if check.rule == REFERENCE and check.severity != "error" else ""


def _tell(
    one: LoadedTable,
    checks: Sequence[Check],
    found: Sequence[Any],
    dictionary: Dictionary,
) -> Iterable[Finding]:
    """The findings of checks; `found` has a count and rows for each."""
    for check, count, rows in zip(checks, found[::2], found[1::2], strict=True):
        if count:
            yield make_finding(
                dictionary,
                check.rule,
                check.severity,
                one.table.name,
                check.columns,
                shown=check.shown,
                other=check.other,
                count=int(count),
                rows=rows or (),
                advice=_advise(check, int(count) == one.n_rows > 1),
            )


def _join_periods(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """Code, first and last day, with periods of a code that follow each other made one.

    >>> _join_periods([("a", "", "2014-12-31"), ("a", "2015-01-01", "2019-12-31")])
    [('a', '', '2019-12-31')]
    """
    made: list[tuple[str, str, str]] = []
    for code, first, last in sorted(rows):
        if made and made[-1][0] == code and _follows(first, made[-1][2]):
            ends = {made[-1][2], last}
            made[-1] = (code, made[-1][1], "" if "" in ends else max(ends))
        else:
            made.append((code, first, last))
    return made


def _follows(first: str, last: str) -> bool:
    """Whether a period begins by the day after another ends; an empty day is open."""
    if not first or not last:
        return True
    return dt.date.fromisoformat(first) <= dt.date.fromisoformat(last) + dt.timedelta(days=1)


def _create_dated_codes(con: Engine, target: str, tables: Iterable[Table], given: Given) -> str:
    """A table of the code lists that are dated: list_name, code, from_on, to_on; gives its name."""
    lists = {
        table.field(rule.columns[0]).codes or ""
        for table in tables
        for rule in table.rules
        if rule.kind == "valid_code_on"
    }
    lines = [
        BETWEEN_CELLS.join((name, *cells))
        for name in sorted(lists)
        for cells in _join_periods(
            given.dictionary.lists[name].select("code", "valid_from_on", "valid_to_on")
        )
    ]
    cells = [f"nullif(split_part(line, '{BETWEEN_CELLS}', {place}), '')" for place in range(1, 5)]
    con.run(
        f"CREATE OR REPLACE TABLE {target} AS SELECT {cells[0]} AS list_name, {cells[1]} AS code,"
        f" CAST({cells[2]} AS DATE) AS from_on, CAST({cells[3]} AS DATE) AS to_on"
        f" FROM (SELECT {unnest_texts(lines)} AS line)"
    )
    return target
