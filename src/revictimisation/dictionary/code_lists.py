"""The code lists of the dictionary as text: the command `codes`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from revictimisation.core.errors import UsageError
from revictimisation.core.text import name_nearest
from revictimisation.dictionary.model import CodeList, Dictionary, Field

DATES = ("valid_from_on", "valid_to_on")
LABELS = ("label_sv", "label_en")


def render_code_lists(dictionary: Dictionary, is_csv: bool = False) -> str:
    """Every code list: its name, how many rows it has, and the columns that hold its codes."""
    used: dict[str, list[str]] = {name: [] for name in dictionary.lists}
    for where, field in _list_coded(dictionary):
        used[str(field.codes)].append(where)
    rows = [(name, str(len(one.rows)), used[name]) for name, one in dictionary.lists.items()]
    if is_csv:
        cells = [(name, n_rows, " ".join(columns)) for name, n_rows, columns in rows]
        return _write_csv(("list", "n_rows", "columns"), cells)
    lines = [f"{name}  {n_rows}  {', '.join(columns)}".rstrip() for name, n_rows, columns in rows]
    head = "Kodlistor, antal rader och kolumnerna de gäller / code lists, rows and their columns:"
    return "\n".join([head, *lines])


def render_codes(dictionary: Dictionary, name: str, like: str = "", is_csv: bool = False) -> str:
    """The rows of one list, in its order: code, labels, and first and last day where it has them.

    `name` is that of a list (`offences`) or of a column whose codes it holds (`offence_code`,
    `reports.offence_code`), which then has the rows for that column alone. `like` keeps the rows
    whose code or label holds it, in any case. As CSV a row has all columns of the list's file.
    Raises `UsageError`, with the nearest name, where there is no such list or column.

    >>> from revictimisation.dictionary import load_dictionary
    >>> print(render_codes(load_dictionary(), "sex", "KVINN"))
    sex: 1 av 3 rader / 1 of 3 rows
    female  kvinna / woman
    """
    list_name, rows = _find_rows(dictionary, name.strip().lower())
    some = dictionary.lists[list_name]
    searched = [
        place for place, one in enumerate(some.columns) if one in ("code", *LABELS)
    ] or range(len(some.columns))
    shown = [row for row in rows if any(like.lower() in row[place].lower() for place in searched)]
    if is_csv:
        return _write_csv(some.columns, shown)
    n_shown, n_rows = len(shown), len(rows)
    head = f"{list_name}: {n_shown} av {n_rows} rader / {n_shown} of {n_rows} rows"
    none = "Ingen kod eller etikett innehåller texten. / No code or label holds the text."
    return "\n".join([head, *([] if shown else [none]), *(_render_row(some, row) for row in shown)])


def _find_rows(dictionary: Dictionary, name: str) -> tuple[str, list[tuple[str, ...]]]:
    """A list's name and its rows; of a column's, those that it may hold."""
    if name in dictionary.lists:
        return name, [*dictionary.lists[name].rows]
    coded = [*_list_coded(dictionary)]
    fields = {where: one for where, one in coded if name in (where, one.name)}
    lists = {str(field.codes) for field in fields.values()}
    if len(lists) == 1:
        (list_name,) = lists
        some = dictionary.lists[list_name]
        wanted = [field.codes_where.items() for field in fields.values()]
        return list_name, [row for row in some.rows if _is_any(some, row, wanted)]
    nearest = "; menade du / did you mean " + ", ".join(fields)
    if not fields:
        nearest = name_nearest(name, (*dictionary.lists, *{one.name: "" for _, one in coded}))
    raise UsageError(f"Ingen kodlista heter {name} / there is no code list {name}{nearest}")


def _is_any(
    some: CodeList, row: tuple[str, ...], wanted: Iterable[Iterable[tuple[str, str]]]
) -> bool:
    """Whether a row has all the cells that one of some columns asks for."""
    cells = set(zip(some.columns, row, strict=True))
    return any(cells.issuperset(pairs) for pairs in wanted)


def _list_coded(dictionary: Dictionary) -> Iterator[tuple[str, Field]]:
    """Every column of an extract that holds codes, as `table.column`."""
    for table in dictionary.tables_by_direction("in"):
        for field in table.fields:
            if field.codes:
                yield f"{table.name}.{field.name}", field


def _render_row(some: CodeList, row: tuple[str, ...]) -> str:
    cells = dict(zip(some.columns, row, strict=True))
    if "code" not in cells:
        return "  ".join(row)
    days = [cells.get(date, "") for date in DATES]
    valid = f"  ({' – '.join(days).strip()})" if any(days) else ""
    return f"{cells['code']}  {' / '.join(cells[label] for label in LABELS)}{valid}"


def _write_csv(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*names], *rows])
    return text.getvalue().rstrip("\n")
