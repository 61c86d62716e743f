"""What is to be said of each column that a mapping fills, counted in the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from revictimisation.core.codes import ROUNDED_NUMBER
from revictimisation.dictionary import Table
from revictimisation.extract.mapping.making import Making, Rows
from revictimisation.extract.mapping.profile import MAX_CODES, MOSTLY
from revictimisation.extract.mapping.report import Remark
from revictimisation.extract.mapping.secrecy import MAX_LENGTH, may_tell
from revictimisation.extract.mapping.texts import Texts
from revictimisation.extract.mapping.values import Cell, is_identity_number, layer_rows
from revictimisation.extract.mapping.words import known_words
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD
from revictimisation.extract.sources.naming import EXTRA_NAME
from revictimisation.extract.sql import fits, is_one_of

# So many columns are looked at by one statement.
MOST_COLUMNS = 20
# A column of which a larger share looks like names or sentences is not carried over.
MOST_PROSAIC = 0.05


def inspect_cells(
    making: Making, rows: Rows, cells: Sequence[Cell], texts: Sequence[Texts]
) -> Iterator[Remark]:
    """What is to be said of each column; codes are looked up where some are amiss.

    Some columns are looked at together, so that no statement grows with the number of columns.
    """
    for start in range(0, len(cells), MOST_COLUMNS):
        block = [*zip(cells, texts, strict=True)][start : start + MOST_COLUMNS]
        asked = [_ask(rows.table, one, looks) for one, looks in block]
        layers = layer_rows([one for one, _ in block], rows.staged)
        listed = ", ".join(ask for some in asked for ask in some.values())
        found = iter(making.con.run(f"SELECT {listed} FROM {layers}")[0])
        for (one, looks), names in zip(block, asked, strict=True):
            yield from _judge(making, rows, one, looks, {name: next(found) for name in names})


def _ask(table: Table, one: Cell, looks: Texts) -> dict[str, str]:
    """The SQL of what `_judge` is told of a column, by name."""
    counted = {
        "errors": one.is_error,
        "rounded": _is_rounded(table, one),
        "open": _has_no_place(one, looks),
        "unwritten": looks.unwritten,
    }
    told = {
        "zoned": f"{one.v} IS NOT NULL AND {one.is_zoned}",
        "timed": f"{one.v} IS NOT NULL AND {one.has_time}",
        "other": f"{one.v} IS NOT NULL AND {one.is_other}",
        "identity": is_identity_number(one.n),
        "prosaic": looks.prosaic,
    }
    asks = {name: f"count(*) FILTER (WHERE {is_it})" for name, is_it in {**counted, **told}.items()}
    asks |= {
        f"{name}_rows": f"min(place, {MAX_ROWS_TOLD}) FILTER (WHERE {is_it})"
        for name, is_it in counted.items()
    }
    asks |= {"marked": f"count({one.g}) - count({one.v})", "filled": f"count({one.v})"}
    if one.field.name not in table.field_names:  # of the owner's own: free text?
        number = f"replace({one.v}, ',', '.')"
        asks["distinct"] = f"approx_count_distinct({one.v})"
        asks["numbers"] = f"count(TRY_CAST({number} AS DOUBLE))"
    return asks


def _has_no_place(one: Cell, texts: Texts) -> str:
    """SQL: whether a value finds no place and is written as it stood."""
    return f"({one.v} IS NOT NULL AND {one.unmapped} AND NOT {texts.unwritten})"


def _is_rounded(table: Table, one: Cell) -> str:
    """SQL: whether a number of a case or person was rounded by a spreadsheet, and so is another."""
    if one.is_coded or one.field.type != "string" or one.field.name not in table.field_names:
        return "false"
    may_be = f"(contains({one.v}, '+') OR suffix({one.v}, '.0'))"
    return f"({may_be} AND {fits(one.v, ROUNDED_NUMBER)})"


def _judge(
    making: Making, rows: Rows, one: Cell, looks: Texts, found: dict[str, Any]
) -> Iterator[Remark]:
    """What is to be said of a column, by what was counted (`_ask`)."""
    name = one.field.name

    def tell(rule: str, grade: str, count: str, **more: Any) -> Iterator[Remark]:
        if found[count]:
            numbers = rows.number(found.get(f"{count}_rows"))
            yield rows.remark(rule, grade, name, count=found[count], rows=numbers, **more)

    yield from tell("error_cells", "error" if one.field.is_required else "warning", "errors")
    yield from tell("rounded_number", "error", "rounded")
    yield from tell("local_day", "notice", "zoned")
    if not _may_hold(rows.table, one, found["identity"], found["filled"]):
        yield from tell("identity_number_moved", "error", "identity")
    is_own = EXTRA_NAME.fullmatch(name)
    if is_own and found["distinct"] > MAX_CODES and found["numbers"] < found["filled"]:
        yield rows.remark("text_moved", "error", name)
    is_prose = found["prosaic"] > MOST_PROSAIC * found["filled"]
    yield from tell("text_moved" if is_prose else "text_seen", "error", "unwritten")
    if found["unwritten"] and is_prose:
        return
    found["marked"] -= found["errors"]
    yield from tell("marked_missing", "notice", "marked")
    yield from tell("time_of_day", "notice", "timed")
    if found["other"]:
        is_other = f"{one.v} IS NOT NULL AND {one.is_other}"
        yield from tell("put_under_others", "notice", "other",
                        **_list_codes(making, rows, one, is_other))  # fmt: skip
    if not one.is_coded:
        yield from tell("unconverted_value", "error", "open")
    elif found["open"]:
        is_grave = one.is_closed or found["open"] > MOSTLY * found["filled"]
        values = _list_codes(making, rows, one, _has_no_place(one, looks))
        yield from tell("unmapped_code", "error" if is_grave else "warning", "open", **values)


def _may_hold(table: Table, one: Cell, n_identity: int, n_filled: int) -> bool:
    """Where people are named identity numbers may stand; a case number may look like one."""
    people = {rule.columns[0] for rule in table.rules if rule.kind == "personal_identity_number"}
    if not n_identity or one.field.name in people:
        return True
    return one.field.sensitivity == "identifier" and n_identity <= MOSTLY * n_filled


def _list_codes(making: Making, rows: Rows, one: Cell, condition: str) -> dict[str, Any]:
    """Which codes there are and how often; those that may not be shown counted together.

    Words of the dictionary are shown in any number, others where they occur often, are few and
    look like no name, sentence or number of a person.
    """
    con, known = making.con, known_words(one.field, making.dictionary)
    alone = layer_rows([one], rows.staged)
    counted = f"SELECT {one.v} AS code, count(*) AS n FROM {alone} WHERE {condition} GROUP BY 1"
    is_known = is_one_of("lower(code)", sorted(known))
    is_often = f"n >= {making.threshold} AND total <= {MAX_CODES}"
    is_common = f"({is_often} AND length(code) <= {MAX_LENGTH})"
    codes = f"(SELECT *, count(*) OVER () AS total FROM ({counted}))"
    chosen = f"SELECT code, n FROM {codes} WHERE {is_common} OR {is_known} ORDER BY n DESC, code"
    shown = [(str(code), int(n)) for code, n in con.run(chosen) if may_tell(code, known)]
    n_codes, n_rows = con.run(f"SELECT count(*), coalesce(sum(n), 0) FROM ({counted})")[0]
    return {
        "values": tuple(shown),
        "n_rare": int(n_codes) - len(shown),
        "n_rare_rows": int(n_rows) - sum(n for _, n in shown),
    }
