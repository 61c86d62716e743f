"""Holds the rows of every table against the dictionary: which rules are broken, how often, where.

A table's checks are asked in a few passes, and passes are spread over the cores.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from revictimisation.dictionary import Dictionary
from revictimisation.validation.checks import (
    Check,
    compile_code_checks,
    compile_dated_code_checks,
    compile_row_checks,
)
from revictimisation.validation.columns import unnest_texts
from revictimisation.validation.findings import MAX_ROWS_SHOWN, Finding, make_finding
from revictimisation.validation.links import compile_first_report_checks, compile_link_checks
from revictimisation.validation.lookups import Lookups, drop_lookups, make_lookups
from revictimisation.validation.reading import LoadedTable, run
from revictimisation.validation.repeats import compile_double_checks, compile_repeat_checks

if TYPE_CHECKING:
    from revictimisation.engine import Engine
    from revictimisation.plan import StudyPlan

MISSING_VALUES, EMPTY_COLUMN = ("missing_value", "missing_expected_value"), "empty_column"


@dataclass(frozen=True)
class Given:
    """What rows are held against; `dated_codes` is the engine's table of dated code lists."""

    loaded: Mapping[str, LoadedTable]
    lookups: Lookups
    dated_codes: str
    dictionary: Dictionary
    plan: StudyPlan | None
    today: dt.date


def check_contents(
    con: Engine,
    loaded: Mapping[str, LoadedTable],
    counts: Mapping[str, int],
    dictionary: Dictionary,
    plan: StudyPlan | None,
    today: dt.date,
) -> list[Finding]:
    """Every rule that some row breaks. `counts` is how many rows each table has.

    The passes of large tables come first, so that no core waits long for the last one.
    """
    lists = _create_dated_codes(con, loaded, dictionary)
    filled = [one for one in loaded.values() if one.present and counts[one.table.name]]
    lookups = make_lookups(con, loaded, filled)
    given = Given(loaded, lookups, lists, dictionary, plan, today)
    filled.sort(key=lambda one: -counts[one.table.name])
    parts = [(one, ask) for one in filled for ask in PASSES]
    found = con.spread(lambda engine, part: part[1](engine, part[0], given), parts)
    drop_lookups(con, lookups.values())
    run(con, f"DROP TABLE {lists}")
    return [finding for part in found for finding in part]


def _ask_rows(con: Engine, one: LoadedTable, given: Given) -> list[Finding]:
    checks = compile_row_checks(one.table, one.present, given.today)
    return _run_together(con, one, checks, given)


def _ask_links(con: Engine, one: LoadedTable, given: Given) -> list[Finding]:
    return _run_together(con, one, compile_link_checks(one, given.lookups), given)


def _ask_codes(con: Engine, one: LoadedTable, given: Given) -> list[Finding]:
    known, plan = given.dictionary, given.plan
    dated = compile_dated_code_checks(one.table, one.present, one.name, known, given.dated_codes)
    unknown = compile_code_checks(one.table, one.present, one.name, known, plan)
    return _run_alone(con, one, [*unknown, *dated], given)


def _ask_doubles(con: Engine, one: LoadedTable, given: Given) -> list[Finding]:
    return _run_together(con, one, compile_double_checks(one), given)


def _ask_repeats(con: Engine, one: LoadedTable, given: Given) -> list[Finding]:
    return _run_alone(con, one, compile_repeat_checks(one), given)


def _ask_first_reports(con: Engine, one: LoadedTable, given: Given) -> list[Finding]:
    return _run_alone(con, one, compile_first_report_checks(one, given.loaded, given.plan), given)


PASSES: tuple[Callable[[Engine, LoadedTable, Given], list[Finding]], ...] = (
    _ask_rows,
    _ask_links,
    _ask_codes,
    _ask_doubles,
    _ask_repeats,
    _ask_first_reports,
)


def _run_alone(
    con: Engine, one: LoadedTable, checks: Sequence[Check], given: Given
) -> list[Finding]:
    """Run checks one by one, and of those that have a quicker look only where that sees a fault."""
    looks = [f"EXISTS ({check.look})" if check.look else "true" for check in checks]
    seen = run(con, f"SELECT {', '.join(looks)}")[0] if looks else ()
    broken = [check for check, is_seen in zip(checks, seen, strict=True) if is_seen]
    return [found for check in broken for found in _run_together(con, one, [check], given)]


def _run_together(
    con: Engine, one: LoadedTable, checks: Sequence[Check], given: Given
) -> list[Finding]:
    """Run checks that share a source in one pass: how many rows break each, and the first ten.

    Only rows that break any of them are counted by each: most often there are few.
    """
    if not checks:
        return []
    asked = ", ".join(
        f"count(*) FILTER (WHERE b{place}),"
        f" min(row_number, {MAX_ROWS_SHOWN}) FILTER (WHERE b{place})"
        for place in range(len(checks))
    )
    marks = ", ".join(f"({check.condition}) AS b{place}" for place, check in enumerate(checks))
    is_any = " OR ".join(f"({check.condition})" for check in checks)
    source = checks[0].source or f"{one.name} t"
    found = run(
        con, f"SELECT {asked} FROM (SELECT row_number, {marks} FROM {source} WHERE {is_any})"
    )[0]
    has_gaps = any(
        check.rule in MISSING_VALUES and count
        for check, count in zip(checks, found[::2], strict=True)
    )
    n_rows = int(run(con, f"SELECT count(*) FROM {one.name}")[0][0]) if has_gaps else 0
    return list(_tell(one, checks, found, n_rows, given.dictionary))


def _tell(
    one: LoadedTable,
    checks: Sequence[Check],
    found: Sequence[Any],
    n_rows: int,
    dictionary: Dictionary,
) -> Iterable[Finding]:
    """The findings of checks; `found` has a count and rows for each.

    A value that is missing in all `n_rows` is nobody's to fill in: the column is not mapped.
    """
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
                advice=(
                    EMPTY_COLUMN
                    if check.rule in MISSING_VALUES and int(count) == n_rows > 1
                    else ""
                ),
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


def _create_dated_codes(
    con: Engine, loaded: Mapping[str, LoadedTable], dictionary: Dictionary
) -> str:
    """A table of the code lists that are dated: list_name, code, from_on, to_on."""
    lists = {
        one.table.field(rule.columns[0]).codes or ""
        for one in loaded.values()
        for rule in one.table.rules
        if rule.kind == "valid_code_on"
    }
    target = f"{next(iter(loaded.values())).name}_dated_codes"
    columns = "list_name VARCHAR, code VARCHAR, from_on DATE, to_on DATE"
    run(con, f"CREATE TABLE {target} ({columns})")
    rows = [
        (name, *cells)
        for name in sorted(lists)
        for cells in _join_periods(
            dictionary.lists[name].select("code", "valid_from_on", "valid_to_on")
        )
    ]
    if rows:
        cells = ", ".join(f"nullif({unnest_texts(cells)}, '')" for cells in zip(*rows, strict=True))
        run(con, f"INSERT INTO {target} SELECT {cells}")
    return target
