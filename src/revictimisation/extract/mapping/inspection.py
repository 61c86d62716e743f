"""What is to be said of each column that a mapping fills, counted in the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from revictimisation.core.codes import ROUNDED_NUMBER
from revictimisation.dictionary import Dictionary, Table
from revictimisation.extract.mapping.faults import EXTRA_NAME
from revictimisation.extract.mapping.report import Remark
from revictimisation.extract.mapping.secrecy import MAX_LENGTH, may_tell
from revictimisation.extract.mapping.texts import Texts
from revictimisation.extract.mapping.values import Cell, is_identity_number, layer_rows, quote
from revictimisation.extract.mapping.words import known_words
from revictimisation.extract.sources.staging import Staged, run_query

if TYPE_CHECKING:
    from revictimisation.core.engine import Engine

MAX_ROWS_TOLD = 10
# More different values than this are no code list, and none of them is shown.
MAX_CODES = 60
# So many columns are looked at by one statement.
MOST_COLUMNS = 20
# So many things are asked for `_judge_flaws`.
N_FLAWS = 5
MOSTLY = 0.5
# A column of which a larger share looks like names or sentences is not carried over.
MOST_PROSAIC = 0.05


def inspect_cells(
    con: Engine,
    table: Table,
    cells: Sequence[Cell],
    texts: Sequence[Texts],
    staged: Staged,
    title: str,
    dictionary: Dictionary,
    threshold: int,
) -> Iterator[Remark]:
    """What is to be said of each column; codes are looked up where some are amiss.

    Some columns are looked at together, so that no statement grows with the number of columns.
    """
    for start in range(0, len(cells), MOST_COLUMNS):
        block = [*zip(cells, texts, strict=True)][start : start + MOST_COLUMNS]
        asked = [ask for one, looks in block for ask in _ask(table, one, looks)]
        rows = layer_rows([one for one, _ in block], staged)
        found = iter(run_query(con, f"SELECT {', '.join(asked)} FROM {rows}")[0])
        for one, looks in block:
            counts = [_number(next(found), staged) for _ in range(len(asked) // len(block))]
            yield from _judge_flaws(table, one, counts[:N_FLAWS], title)
            counts = [counts[N_FLAWS] - counts[0], *counts[N_FLAWS + 1 :]]
            known, is_open = known_words(one.field, dictionary), _has_no_place(one, looks)
            alone = layer_rows([one], staged)
            yield from _judge(con, table, one, counts, alone, title, known, is_open, threshold)


def _number(found: Any, staged: Staged) -> Any:
    """A count as it is; places of rows as their numbers at their owner's."""
    return [staged.number(place) for place in found] if isinstance(found, list) else found


def _ask(table: Table, one: Cell, looks: Texts) -> tuple[str, ...]:
    """The SQL of what `_judge_flaws` and `_judge` are told of a column, in order."""
    is_open = _has_no_place(one, looks)
    is_own = one.field.name not in table.field_names
    number = f"replace({one.v}, ',', '.')"
    is_rounded = _is_rounded(table, one)
    return (
        f"count(*) FILTER (WHERE {one.is_error})",
        f"min(place, {MAX_ROWS_TOLD}) FILTER (WHERE {one.is_error})",
        f"count(*) FILTER (WHERE {is_rounded})",
        f"min(place, {MAX_ROWS_TOLD}) FILTER (WHERE {is_rounded})",
        f"count(*) FILTER (WHERE {one.v} IS NOT NULL AND {one.is_zoned})",
        f"count({one.g}) - count({one.v})",
        f"count(*) FILTER (WHERE {is_open})",
        f"min(place, {MAX_ROWS_TOLD}) FILTER (WHERE {is_open})",
        f"count(*) FILTER (WHERE {one.v} IS NOT NULL AND {one.has_time})",
        f"count(*) FILTER (WHERE {one.v} IS NOT NULL AND {one.is_other})",
        f"count(*) FILTER (WHERE {is_identity_number(one.n)})",
        f"count({one.v})",
        # Only of columns of the owner's own is it asked whether they are free text.
        f"approx_count_distinct({one.v})" if is_own else "0",
        f"count(TRY_CAST({number} AS DOUBLE))" if is_own else "0",
        f"count(*) FILTER (WHERE {looks.prosaic})",
        f"count(*) FILTER (WHERE {looks.unwritten})",
        f"min(place, {MAX_ROWS_TOLD}) FILTER (WHERE {looks.unwritten})",
    )


def _has_no_place(one: Cell, texts: Texts) -> str:
    """SQL: whether a value finds no place and is written as it stood."""
    return f"({one.v} IS NOT NULL AND {one.unmapped} AND NOT {texts.unwritten})"


def _is_rounded(table: Table, one: Cell) -> str:
    """SQL: whether a number of a case or person was rounded by a spreadsheet, and so is another."""
    if one.is_coded or one.field.type != "string" or one.field.name not in table.field_names:
        return "false"
    may_be = f"(contains({one.v}, '+') OR suffix({one.v}, '.0'))"
    return f"({may_be} AND regexp_full_match({one.v}, {quote(ROUNDED_NUMBER)}))"


def _judge_flaws(table: Table, one: Cell, found: Sequence[Any], title: str) -> Iterator[Remark]:
    """Errors of spreadsheets, numbers that one rounded, moments that became days elsewhere."""
    n_errors, error_rows, n_rounded, rounded_rows, n_zoned = found
    where = (table.name, one.field.name, title)
    if n_errors:
        grade = "error" if one.field.is_required else "warning"
        yield Remark("error_cells", grade, *where, count=n_errors, rows=tuple(error_rows))
    if n_rounded:
        yield Remark("rounded_number", "error", *where, count=n_rounded, rows=tuple(rounded_rows))
    if n_zoned:
        yield Remark("local_day", "notice", *where, count=n_zoned)


def _judge(
    con: Engine,
    table: Table,
    one: Cell,
    found: Sequence[Any],
    rows: str,
    title: str,
    known: frozenset[str],
    is_open: str,
    threshold: int,
) -> Iterator[Remark]:
    n_missing, n_unmapped, places, n_timed, n_other, n_identity, n_filled = found[:7]
    n_distinct, n_numbers, n_prosaic, n_texts, text_rows = found[7:]
    name, place = one.field.name, (table.name, one.field.name, title)
    if not _may_hold(table, one, n_identity, n_filled):
        yield Remark("identity_number_moved", "error", *place, count=n_identity)
    if EXTRA_NAME.fullmatch(name) and n_distinct > MAX_CODES and n_numbers < n_filled:
        yield Remark("text_moved", "error", *place)
    if n_texts:
        rule = "text_moved" if n_prosaic > MOST_PROSAIC * n_filled else "text_seen"
        yield Remark(rule, "error", *place, count=n_texts, rows=tuple(text_rows))
        if rule == "text_moved":
            return
    if n_missing:
        yield Remark("marked_missing", "notice", *place, count=n_missing)
    if n_timed:
        yield Remark("time_of_day", "notice", *place, count=n_timed)
    if n_other:
        condition = f"{one.v} IS NOT NULL AND {one.is_other}"
        values = _list_codes(con, one, condition, rows, known, threshold)
        yield Remark("put_under_others", "notice", *place, count=n_other, **values)
    if n_unmapped and one.is_coded:
        is_grave = one.is_closed or n_unmapped > MOSTLY * n_filled
        grade = "error" if is_grave else "warning"
        values = _list_codes(con, one, is_open, rows, known, threshold)
        told = tuple(places or ())
        yield Remark("unmapped_code", grade, *place, count=n_unmapped, rows=told, **values)
    elif n_unmapped:
        told = tuple(places or ())
        yield Remark("unconverted_value", "error", *place, count=n_unmapped, rows=told)


def _may_hold(table: Table, one: Cell, n_identity: int, n_filled: int) -> bool:
    """Where people are named identity numbers may stand; a case number may look like one."""
    people = {rule.columns[0] for rule in table.rules if rule.kind == "personal_identity_number"}
    if not n_identity or one.field.name in people:
        return True
    return one.field.sensitivity == "identifier" and n_identity <= MOSTLY * n_filled


def _list_codes(
    con: Engine, one: Cell, condition: str, rows: str, known: frozenset[str], threshold: int
) -> dict[str, Any]:
    """Which codes there are and how often; those that may not be shown counted together.

    Words of the dictionary are shown in any number, others where they occur often, are few and
    look like no name, sentence or number of a person.
    """
    counted = f"SELECT {one.v} AS code, count(*) AS n FROM {rows} WHERE {condition} GROUP BY 1"
    listed = ", ".join(map(quote, sorted(known)))
    is_known = f"list_contains([{listed}], lower(code))"
    is_common = f"(n >= {threshold} AND length(code) <= {MAX_LENGTH} AND total <= {MAX_CODES})"
    codes = f"(SELECT *, count(*) OVER () AS total FROM ({counted}))"
    chosen = f"SELECT code, n FROM {codes} WHERE {is_common} OR {is_known} ORDER BY n DESC, code"
    shown = [(str(code), int(n)) for code, n in run_query(con, chosen) if may_tell(code, known)]
    n_codes, n_rows = run_query(con, f"SELECT count(*), coalesce(sum(n), 0) FROM ({counted})")[0]
    return {
        "values": tuple(shown),
        "n_rare": int(n_codes) - len(shown),
        "n_rare_rows": int(n_rows) - sum(n for _, n in shown),
    }
