"""A grid: a table with a row per run, from which each gets a study file of its own.

Columns `name`, `study` (a study file), `data` (the folder of an extract) and `job`; every other is
a key of the study file by its path (`outcome.lag_days`; `measures.*.grace_days` is that of all
measures) or, as `notebook.NAME`, a parameter of the row's notebook. A cell holds what would stand
in the study file, an empty one leaves the study as it is. `parameters` holds several keys in one
cell (`outcome.lag_days: 7`, or `{outcome.lag_days: 7, horizon_days: 365}`).
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from revictimisation.core.errors import StudyError, UsageError
from revictimisation.core.plain_yaml import load_keys
from revictimisation.core.text import MAX_SHOWN, find_nearest, name_nearest
from revictimisation.plan.faults import find_key
from revictimisation.plan.kinds import ANY_NAME, list_places
from revictimisation.plan.parts import NAME_PATTERN
from revictimisation.plan.study_plan import StudyPlan, read_plan

NEEDED = ("name", "study", "data")
JOB, PARAMETERS, NOTEBOOK = "job", "parameters", "notebook."
RUN, ESTIMATE, BOOK = "run", "estimate", ".ipynb"
JOBS = (RUN, ESTIMATE)
HEAD = "Tabellen över körningar går inte att använda. / The table of runs can't be used:"
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class GridRow:
    """A run: where its study file and extract are, what is done, and what it changes.

    `job`: `run`, `estimate`, or the path of a notebook. `cells`: what is changed, by column, as it
    stands in the table. `line` of the table, the header being 1.
    """

    name: str
    study: str
    data: str
    job: str
    cells: Mapping[str, str]
    line: int

    @property
    def is_notebook(self) -> bool:
        """Whether a notebook is executed, in place of a command."""
        return self.job.endswith(BOOK)

    def read_settings(self) -> Settings:
        """Keys of the study file and their values; `StudyError` with every cell that is none."""
        return self._read(lambda column: not column.startswith(NOTEBOOK))

    def read_given(self) -> Settings:
        """Parameters of the row's notebook; `StudyError` as of `read_settings`."""
        found = self._read(lambda column: column.startswith(NOTEBOOK))
        return {column.removeprefix(NOTEBOOK): value for column, value in found.items()}

    def _read(self, is_asked: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        faults = []
        for column, cell in self.cells.items():
            if not is_asked(column):
                continue
            try:
                read = load_keys(cell) if column == PARAMETERS else _read_cell(column, cell)
            except StudyError:
                faults.append(
                    f"{column}: går inte att läsa; skriv som i en studiefil / can't be read: write"
                    " it as in a study file"
                )
                continue
            faults += [_double(key) for key in read if key in found]
            found |= read
        faults += [fault for key in found for fault in _find_key_fault(key)]
        if faults:
            raise StudyError("\n- ".join(["", *faults]).lstrip())
        return found


def read_grid(text: str) -> list[GridRow]:
    """The rows of a table of runs, written as CSV with `,` or `;`.

    Raises:
        UsageError: no table of runs: columns are missing, names that no folder can have or that
            stand twice, rows that are too long. StudyError: a column that is no key of the study
            file. All faults at once, of the kind that comes first.

    >>> rows = read_grid("name,study,data,outcome.lag_days\\na,county.yaml,county,30\\n")
    >>> rows[0].job, rows[0].read_settings()
    ('run', {'outcome.lag_days': 30})
    """
    lines = [line for line in text.splitlines() if line.strip()]
    separator = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    table = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    if not table:
        raise UsageError(f"{HEAD}\n- den är tom / it is empty")
    head = [name.strip() for name in table[0][1]]
    rows = [
        _make_row(line, dict(zip(head, map(str.strip, cells), strict=False)))
        for line, cells in table[1:]
    ]
    faults = [*_find_faults(head, table, rows)]
    if faults:
        raise UsageError("\n- ".join([HEAD, *faults]))
    keys = [name for name in head if not _is_own(name)]
    unknown = [fault for name in keys for fault in _find_key_fault(name)]
    if unknown:
        raise StudyError("\n- ".join([HEAD, *unknown]))
    return rows


def _is_own(column: str) -> bool:
    return column in (*NEEDED, JOB, PARAMETERS) or column.startswith(NOTEBOOK)


def _make_row(line: int, cells: dict[str, str]) -> GridRow:
    name, study, data = (cells.pop(column, "") for column in NEEDED)
    job = cells.pop(JOB, "") or RUN
    return GridRow(name, study, data, job, {k: v for k, v in cells.items() if v}, line)


def _find_faults(
    head: list[str], table: list[tuple[int, list[str]]], rows: list[GridRow]
) -> Iterator[str]:
    for column in NEEDED:
        if column not in head:
            yield f"kolumnen {column} saknas / the column {column} is missing"
    for column, n in Counter(head).items():
        if n > 1:
            yield f"kolumnen {column} står {n} gånger / the column stands {n} times"
    if not rows:
        yield "den har inga rader / it has no rows"
    for line, cells in table[1:]:
        if any(cell.strip() for cell in cells[len(head) :]):
            yield (
                f"rad {line}: fler celler än kolumner; sätt citattecken om det som har "
                f"skiljetecken i sig / line {line}: more cells than columns; quote what holds one"
            )
    names = Counter(row.name for row in rows)
    for row in rows:
        if not re.match(NAME_PATTERN, row.name) or len(row.name) > MAX_SHOWN:
            yield (
                f"rad {row.line}: name ska vara a-z, siffror och _, först en bokstav / line "
                f"{row.line}: name must be a-z, digits and _, beginning with a letter"
            )
        elif names[row.name] > 1:
            yield (
                f"rad {row.line}: namnet {row.name} står flera gånger / line {row.line}: the name "
                "stands more than once"
            )
        missing = [name for name in ("study", "data") if not getattr(row, name)]
        if missing:
            told = ", ".join(missing)
            yield f"rad {row.line}: {told} saknas / line {row.line}: {told} is missing"
        if row.job not in JOBS and not row.is_notebook:
            yield (
                f"rad {row.line}: job ska vara {', '.join(JOBS)} eller en notebook ({BOOK}) / line "
                f"{row.line}: job must be one of these or a notebook"
            )


def _read_cell(column: str, cell: str) -> dict[str, Any]:
    return {column: load_keys(f"cell: {cell}")["cell"]}


def _double(key: str) -> str:
    return f"{key}: står både som kolumn och i parameters / stands as a column and in parameters"


def _find_key_fault(key: str) -> Iterator[str]:
    """That a path is no key of a study file, with the nearest that is."""
    if key.startswith(NOTEBOOK):
        return
    parts = key.split(".")
    known = [path for path, _ in list_places(StudyPlan)]
    if not any(_is_at(parts, path.split(".")) for path in known):
        short = key[:MAX_SHOWN]
        near = find_key(StudyPlan, parts) or find_nearest(short, known)
        told = f"; menade du / did you mean {near}?" if near else ""
        yield f"{short}: okänd nyckel / unknown key{told}"
    elif key == "name":
        yield "name: raden heter redan något / the row has a name"


def _is_at(parts: list[str], place: list[str]) -> bool:
    """Whether a path leads to a place of the study file; where names are free any name does."""
    return len(parts) == len(place) and all(
        asked == part or (part == ANY_NAME and bool(asked))
        for asked, part in zip(parts, place, strict=True)
    )


def write_study(text: str, row: GridRow) -> tuple[str, StudyPlan]:
    """The study file of a row, and what it says: the study's, with the row's keys laid over it.

    Where the row changes anything the study is called by the row's name; else it is as it was.

    Raises:
        StudyError: the study file, a key or a value does not conform.
    """
    plan, settings = read_plan(text), row.read_settings()
    if not settings:
        return text, plan
    keys = {**load_keys(text), "name": row.name}
    usual = plan.model_dump()
    for path, value in settings.items():
        _set(keys, path.split("."), value, usual, path)
    changed = yaml.dump(_lists(keys), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return changed, read_plan(changed)


def _set(keys: dict[str, Any], path: list[str], value: Any, usual: Any, whole: str) -> None:
    """Set what stands at a path; `usual`: what the study says there, its defaults too."""
    first, *rest = path
    for name in [*(keys or usual)] if first == ANY_NAME else [first]:
        if name not in usual:
            told = "finns inte i studien / is not of the study"
            raise StudyError(f"{whole}: {name!r} {told}{name_nearest(name, tuple(usual))}")
        if not rest:
            keys[name] = value
            continue
        below = keys.get(name)
        if not isinstance(below, dict):
            below = dict(usual[name]) if rest[0] == ANY_NAME else {}
        keys[name] = {**below}
        _set(keys[name], rest, value, usual[name], whole)


def _lists(value: Any) -> Any:
    """Tuples as lists, as YAML has them."""
    if isinstance(value, dict):
        return {key: _lists(one) for key, one in value.items()}
    return [_lists(one) for one in value] if isinstance(value, tuple | list) else value


class _Dumper(yaml.SafeDumper):
    """Quotes every text that may be read as something else."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)
