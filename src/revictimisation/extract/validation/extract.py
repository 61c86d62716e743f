"""Loads an extract: every table typed as the dictionary says, and everything that is wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.core.engine import Piece
from revictimisation.core.errors import DataError
from revictimisation.dictionary import Dictionary, Table
from revictimisation.extract.sources.naming import may_show_file
from revictimisation.extract.validation.contents import load_and_check
from revictimisation.extract.validation.findings import (
    Finding,
    make_finding,
    render_findings,
    sort_findings,
)
from revictimisation.extract.validation.reading import (
    LoadedTable,
    count_rows,
    load_table,
    show_table,
)
from revictimisation.extract.validation.source import find_files, measure_file
from revictimisation.extract.validation.study_fit import Misfit, find_misfits

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from revictimisation.core.engine import Engine
    from revictimisation.plan import StudyPlan

PEOPLE = "persons"


@dataclass(frozen=True, eq=False)
class LoadedExtract:
    """An extract in the engine `con`.

    Tables not given are empty and named in `absent`. `row_counts` is how many rows each table has,
    after cleaning, `names` what the engine calls it and `columns` which of the dictionary's columns
    were read (none: nothing was); `cleaned` what each cleaning rule did to each table, `misfits`
    where it does not hold what the study file asks for.
    """

    con: Engine
    absent: frozenset[str]
    findings: tuple[Finding, ...]
    row_counts: dict[str, int]
    names: dict[str, str]
    columns: dict[str, tuple[str, ...]]
    cleaned: tuple[Any, ...] = ()
    misfits: tuple[Misfit, ...] = ()

    @cached_property
    def tables(self) -> dict[str, ir.Table]:
        """Every in-table of the dictionary, typed, as expressions for the stages that follow.

        Each has an integer column `row_number` (CSV: the header is row 1; Parquet: the first row).
        """
        return {name: show_table(self.con, one) for name, one in self.names.items()}

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop a study."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def raise_for_errors(self) -> None:
        """Raise `DataError` with every error at once; warnings and notices stop nothing."""
        if self.errors:
            raise DataError(render_findings(self.errors))


def load_extract(
    con: Engine,
    folder: Path,
    dictionary: Dictionary,
    plan: StudyPlan | None = None,
    *,
    today: dt.date | None = None,
) -> LoadedExtract:
    """Load the extract in a folder and check it against the dictionary, set by set.

    One file per table, `<table>.parquet` or `<table>.csv`. All violations are found at once; none
    raises but a folder or file that can't be read (`UsageError`). With a plan, its measure codes
    are known and its `x_` columns required; its cleaning rules are applied before what was read is
    checked, and what they did is told as notices. `today` is the last date that may occur.
    """
    tables = dictionary.tables_by_direction("in")
    known = [*dictionary.tables]
    files, unknown = find_files(folder, known)
    prefix, today = _find_prefix(con), today or dt.date.today()
    loading = _plan_loading(tables, files, dictionary, prefix)
    cleaned: tuple[Any, ...] = ()
    if plan is not None and plan.cleaning:
        from revictimisation.extract.cleaning import clean_tables  # slow, and seldom asked for

        read = con.run_pieces(loading)
        made = clean_tables(
            con, {table.name: read[table.name] for table in tables}, dictionary, plan, today
        )
        loading = _give(con, read, made.names)
        cleaned = made.lines
    found, contents = load_and_check(con, loading, prefix, dictionary, plan, today)
    loaded = {table.name: found[table.name] for table in tables}
    misfits = find_misfits(con, loaded, dictionary, plan) if plan else []
    findings = [
        *_check_presence(loaded, unknown, dictionary, plan),
        *_describe_cleaning(cleaned, dictionary),
        *contents,
        *_check_empty(loaded, dictionary),
        *(misfit.finding for misfit in misfits),
    ]
    return LoadedExtract(
        con=con,
        absent=frozenset(name for name, one in loaded.items() if not one.is_given),
        findings=sort_findings(_without_consequences(findings), known),
        row_counts={name: one.n_rows for name, one in loaded.items()},
        names={name: one.name for name, one in loaded.items()},
        columns={name: one.present for name, one in loaded.items()},
        cleaned=cleaned,
        misfits=tuple(misfits),
    )


def _without_consequences(findings: Iterable[Finding]) -> list[Finding]:
    """Findings without the doubled keys that are rounded ones: to drop rows would lose cases."""
    found = [*findings]
    rounded = {(one.table, one.column) for one in found if one.rule == "rounded_number"}
    return [
        one for one in found
        if one.rule != "doubled_key" or (one.table, one.column) not in rounded
    ]  # fmt: skip


def _describe_cleaning(lines: Iterable[Any], dictionary: Dictionary) -> Iterable[Finding]:
    """A notice for each rule that did something to a table."""
    for line in lines:
        count = line.n_dropped or line.n_changed
        if count:
            yield make_finding(dictionary, line.rule, "notice", line.table, count=count)


def _plan_loading(
    tables: Sequence[Table],
    files: Mapping[str, list[Path]],
    dictionary: Dictionary,
    prefix: str,
) -> dict[str, Piece]:
    """A piece of work per table; the largest first, so that no core waits long for the last one."""

    def load(table: Table) -> Piece:
        name = f"{prefix}{table.name}"
        return Piece(lambda con, _: load_table(con, table, files[table.name], dictionary, name))

    order = sorted(tables, key=lambda one: -sum(measure_file(path) for path in files[one.name]))
    return {one.name: load(one) for one in order}


def _give(
    con: Engine, read: Mapping[str, LoadedTable], names: Mapping[str, str]
) -> dict[str, Piece]:
    """Pieces of work that give what cleaning made of tables, known by `names` in the engine."""

    def give(one: LoadedTable, name: str) -> Piece:
        cleaned = replace(one, name=name, n_rows=count_rows(con, name))
        return Piece(lambda _con, _done: cleaned)

    return {name: give(one, names[name]) for name, one in read.items()}


def _find_prefix(con: Engine) -> str:
    """What the names of all tables begin with, and those of no other extract loaded there."""
    number, taken = 1, con.list_tables()
    while any(name.startswith(f"extract{number}_") for name in taken):
        number += 1
    return f"extract{number}_"


def _check_presence(
    loaded: Mapping[str, LoadedTable],
    unknown: Sequence[Path],
    dictionary: Dictionary,
    plan: StudyPlan | None,
) -> Iterable[Finding]:
    """Tables that must be there, files that belong nowhere, and what each file's reading found."""
    if unknown:
        names = [one.name if may_show_file(one.name) else f"…{one.suffix}" for one in unknown]
        listed, count = ", ".join(names), len(names)
        yield make_finding(dictionary, "unknown_file", "notice", "", other=listed, count=count)
    for name, one in loaded.items():
        yield from one.findings
        if not one.is_given and not one.table.is_optional:
            yield make_finding(dictionary, "missing_table", "error", name)
    people = loaded[PEOPLE]
    for column in plan.x_columns if plan and people.present else ():
        if column not in people.extra:
            yield make_finding(dictionary, "missing_column", "error", PEOPLE, [column])


def _check_empty(loaded: Mapping[str, LoadedTable], dictionary: Dictionary) -> list[Finding]:
    return [
        make_finding(dictionary, "empty_table", "error", name)
        for name, one in loaded.items()
        if one.present
        and not one.table.may_be_empty
        and one.n_rows == 0
        and not any(found.rule == "ragged_row" for found in one.findings)
    ]
