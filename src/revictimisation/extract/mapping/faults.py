"""What is wrong with a mapping file beyond its form: tables, columns, codes that are not ours."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from revictimisation.core.text import name_nearest
from revictimisation.dictionary import Dictionary, Field, Table
from revictimisation.extract.sources.naming import EXTRA_NAME

# Names may be carried to `persons`, for `pseudonymise --linkage-fields`; else it refuses them.
NAMED_TABLE = "persons"
# A code this like one of ours is a slip of the pen, also where a list is open to others.
LEAST_ALIKE = 0.75
LEAST_NEAR = 0.5
# What may be said of a column's values, by what it holds.
SETTINGS = {
    "date": ("date",),
    "number": ("decimal", "times"),
    "boolean": ("codes", "others"),
    "string": ("codes", "others", "zeros"),
}
NO_USE = "does nothing in a column of this kind, remove"
IN_SWEDISH = {
    "unknown table": "okänd tabell",
    "unknown column": "okänd kolumn",
    "unknown code": "okänd kod",
    "; did you mean": "; menade du",
    "; known:": "; kända:",
    NO_USE: "gör ingenting i en kolumn av det slaget, ta bort",
    "give either from or constant": "ge antingen from eller constant",
    "a code is given twice with different meanings (case does not count)": (
        "en kod står två gånger med olika betydelser (stora och små bokstäver är lika)"
    ),
}


def in_both(line: str) -> str:
    """A fault, told in English after its place, in Swedish as well.

    >>> in_both("tables.report: unknown table; did you mean reports?")
    'tables.report: okänd tabell; menade du reports? / unknown table; did you mean reports?'
    """
    where, _, told = line.partition(": ")
    swedish = told
    for english, other in IN_SWEDISH.items():
        swedish = swedish.replace(english, other)
    return f"{where}: {swedish} / {told}"


def find_faults(tables: Any, dictionary: Dictionary) -> list[str]:
    """Every table, column and code of ours that the dictionary does not have, in both languages.

    `tables` is as the file has it, its short forms written out; what has not the right form is
    passed over, as that is told elsewhere.
    """
    known = {one.name: one for one in dictionary.tables_by_direction("in")}
    faults = []
    for name, parts in tables.items() if isinstance(tables, dict) else ():
        if name not in known:
            faults.append(f"tables.{name}: unknown table{name_nearest(name, tuple(known))}")
            continue
        for where, column, given in _list_columns(name, parts):
            told = _column_faults(column, given, known[name], dictionary)
            faults += [f"{where}: {line}" for line in told]
    return [in_both(line) for line in faults]


def _list_columns(name: str, parts: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for number, part in enumerate(parts):
        columns = part.get("columns") if isinstance(part, dict) else None
        for column, given in columns.items() if isinstance(columns, dict) else ():
            if isinstance(given, dict):
                yield f"tables.{name}.{number}.columns.{column}", column, given


def _column_faults(
    name: str, given: Mapping[str, Any], table: Table, dictionary: Dictionary
) -> Iterator[str]:
    if table.name == NAMED_TABLE and name in dictionary.lists["linkage_columns"].codes:
        return
    is_extra = table.extra_columns is not None and EXTRA_NAME.fullmatch(name) is not None
    if not is_extra and name not in table.field_names:
        yield f"unknown column{name_nearest(name, table.field_names)}"
        return
    if bool(given.get("from")) == ("constant" in given):
        yield "give either from or constant"
    yield from _idle_settings(given, own_type(given) if is_extra else table.field(name).type)
    codes = given.get("codes")
    codes = codes if isinstance(codes, dict) else {}
    folded: dict[str, str] = {}
    for code, ours in codes.items():
        if folded.setdefault(str(code).strip().lower(), ours) != ours:
            yield "a code is given twice with different meanings (case does not count)"
    if not is_extra:
        targets = [*codes.values(), given.get("others"), given.get("constant")]
        yield from _target_faults(targets, table.field(name), dictionary)


def own_type(settings: Collection[str]) -> Literal["date", "number", "string"]:
    """What a column of the owner's own holds, by what its mapping says of its values.

    >>> own_type({"times"}), own_type({"codes"}), own_type(())
    ('number', 'string', 'string')
    """
    if "date" in settings:
        return "date"
    return "number" if {"decimal", "times"} & set(settings) else "string"


def _idle_settings(given: Mapping[str, Any], kind: str) -> Iterator[str]:
    """Settings that would not be obeyed: of another kind of column, or beside a constant."""
    told = [key for key in dict.fromkeys(sum(SETTINGS.values(), ())) if key in given]
    fitting = () if "constant" in given else SETTINGS["number" if kind == "integer" else kind]
    idle = [key for key in told if key not in fitting]
    if idle:
        yield f"{NO_USE} {', '.join(idle)}"


def _target_faults(targets: list[Any], field: Field, dictionary: Dictionary) -> Iterator[str]:
    """Codes that are not ours: all where the list is closed, else those that are nearly one."""
    is_boolean = field.type == "boolean"
    if not is_boolean and not field.codes:
        return
    allowed = ("true", "false", "1", "0") if is_boolean else dictionary.allowed_codes(field)
    # Another table's codes of the same list are no slips; validation tells them.
    listed = () if is_boolean else dictionary.lists[str(field.codes)].codes
    for target in dict.fromkeys(one for one in targets if isinstance(one, str) and one):
        if target in allowed or (target in listed and not field.is_closed):
            continue
        if is_boolean or field.is_closed or _is_slip(target, allowed):
            yield f"unknown code {target[:60]}{_name_nearest_code(target, allowed, field)}"


def _is_slip(target: str, allowed: tuple[str, ...]) -> bool:
    near = difflib.get_close_matches(target, allowed, n=1, cutoff=LEAST_ALIKE)
    return bool(near) and not target.isdigit()


def _name_nearest_code(target: str, allowed: tuple[str, ...], field: Field) -> str:
    near = difflib.get_close_matches(target, allowed, n=1, cutoff=LEAST_NEAR)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(allowed)} (revictimisation codes {field.codes or 'yes_no'})"
