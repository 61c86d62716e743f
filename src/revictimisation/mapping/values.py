"""The SQL that turns a source's cell into the dictionary's form; what it can't turn stays as it is.

Three steps, each a column of its own: the cell as given (`g0`, `g1`, …), without what means missing
(`v0`), and converted (`n0`, null where it can't be). What is written is `n0`, else `v0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from revictimisation.dictionary import Dictionary, Field
from revictimisation.mapping.model import Column, Mapping, Part
from revictimisation.sources.identity import IDENTITY_NUMBER
from revictimisation.sources.staging import Staged

# Blanks that people don't see: ordinary, hard, tab.
BLANKS = " \u00a0\t\r\n"
DAYS_TO_EXCEL, DAYS_TO_SAS = -25569, -3653
ISO_DATE = r"\d{4}-\d{2}-\d{2}"
COMPACT_DATE = r"\d{8}"
TIME = r"([T ]+\d{1,2}[:.]\d{2}([:.]\d{2}([.,]\d+)?)?( ?Z|[+-]\d{2}(:?\d{2})?)?)?"
MIDNIGHT = r".*[T ]0?0[:.]00([:.]00([.,]0+)?)?( ?Z|[+-]\d{2}(:?\d{2})?)?"
YEAR_LAST = r"(\d{1,2})[./ -]{1,2}(\d{1,2})[./ -]{1,2}(\d{4})"
DAYS = r"\d{1,7}(\.0+)?"
WITH_TIME = r".*\d[T ]+\d{1,2}[:.]\d{2}.*"
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}


@dataclass(frozen=True)
class Cell:
    """One column of a table as SQL over the source's columns (`c0`, `c1`, …).

    `unmapped` is true of values that no code list and no line of the mapping knows, or that have
    not the form of the column's type; `has_time` of those whose time of day is dropped;
    `is_other` of those put under `others`. They and `converted` speak of `v` and `n`, `value` of
    `g`.
    """

    field: Field
    number: int
    given: str
    value: str
    converted: str
    unmapped: str = "false"
    has_time: str = "false"
    is_other: str = "false"
    is_coded: bool = False
    is_constant: bool = False

    @property
    def g(self) -> str:
        """The cell as given."""
        return f"g{self.number}"

    @property
    def v(self) -> str:
        """The cell without what means missing."""
        return f"v{self.number}"

    @property
    def n(self) -> str:
        """The cell converted."""
        return f"n{self.number}"

    @property
    def written(self) -> str:
        """What the extract gets: converted, else as it was."""
        return self.n if self.is_coded else f"coalesce({self.n}, {self.v})"

    @property
    def is_closed(self) -> bool:
        """Whether a value that can't be converted is an error and not a warning."""
        return not self.is_coded or self.field.is_closed or self.field.type == "boolean"


def compile_cell(
    field: Field,
    number: int,
    given: Column,
    place: int | None,
    part: Part,
    mapping: Mapping,
    dictionary: Dictionary,
) -> Cell:
    """The SQL of one column; `place` is that of the source's column, None for a constant."""
    if place is None:
        constant = f"nullif({quote(given.constant or '')}, '')"
        return Cell(field, number, constant, f"g{number}", f"v{number}", is_constant=True)
    markers = [*given.missing, *part.missing, *mapping.missing]
    cell = Cell(
        field,
        number,
        given=f"nullif(trim(c{place}, {quote(BLANKS)}), '')",
        value=_without_missing(f"g{number}", markers, field),
        converted=f"v{number}",
    )
    if field.type == "date":
        return _date_cell(cell, given.date or part.date or mapping.date)
    if field.type in ("integer", "number"):
        return _number_cell(cell, given, given.decimal or part.decimal or mapping.decimal)
    if field.type == "boolean" or field.codes or given.codes or given.others is not None:
        return _code_cell(cell, given, dictionary)
    return replace(cell, converted=_pad(cell.v, given.zeros))


def layer_rows(cells: Sequence[Cell], staged: Staged) -> str:
    """The rows with every cell given, without missing markers, and converted."""
    given = ", ".join(f"{one.given} AS {one.g}" for one in cells)
    value = ", ".join(f"{one.value} AS {one.v}" for one in cells)
    converted = ", ".join(f"{one.converted} AS {one.n}" for one in cells)
    rows = f"read_parquet({quote(str(staged.path))}, file_row_number=true)"
    return (
        f"(SELECT *, {converted} FROM (SELECT *, {value}"
        f" FROM (SELECT file_row_number AS place, {given} FROM {rows})))"
    )


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def is_identity_number(text: str) -> str:
    """SQL: whether a text has the form of an identity number."""
    # The length is looked at first, as that costs nothing: 10 digits, to 12 and a sign.
    fits = f"length({text}) BETWEEN 10 AND 13 AND {_matches(text, IDENTITY_NUMBER)}"
    return f"coalesce({fits}, false)"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {quote(pattern)})"


def _holds(texts: Iterable[str], text: str) -> str:
    """SQL: whether a text is one of some. No join, which might change the order of the rows."""
    return f"list_contains([{', '.join(map(quote, dict.fromkeys(texts)))}], {text})"


def _without_missing(g: str, markers: Sequence[str], field: Field) -> str:
    """A marker in any case is missing; in a date, a marker's day in each way of year first."""
    if not markers:
        return g
    is_marker = _holds((one.strip().lower() for one in markers), f"lower({g})")
    days = [one.replace("-", "") for one in markers if re.fullmatch(ISO_DATE, one)]
    if field.type == "date" and days:
        day = f"replace({g}[1:10], '-', '')"
        is_marker = f"({is_marker} OR {_holds(days, day)})"
    return f"CASE WHEN {is_marker} THEN NULL ELSE {g} END"


def _date_cell(cell: Cell, form: str) -> Cell:
    """A date as 2013-04-27. Year first is always understood, other orders only as told."""
    v = cell.v
    parts = f"{v}[1:4] || '-' || {v}[5:6] || '-' || {v}[7:8]"
    whens = [
        f"WHEN {_matches(v, ISO_DATE + TIME)} THEN TRY_CAST({v}[1:10] AS DATE)",
        f"WHEN {_matches(v, COMPACT_DATE + TIME)} THEN TRY_CAST({parts} AS DATE)",
    ]
    if form in ("day_month_year", "month_day_year"):
        day, month = (1, 2) if form == "day_month_year" else (2, 1)
        taken = [f"regexp_extract({v}, {quote(YEAR_LAST)}, {one})" for one in (3, month, day)]
        text = f"{taken[0]} || '-' || lpad({taken[1]}, 2, '0') || '-' || lpad({taken[2]}, 2, '0')"
        whens.append(f"WHEN {_matches(v, YEAR_LAST + TIME)} THEN TRY_CAST({text} AS DATE)")
    if form in ("excel_number", "sas_number"):
        offset = DAYS_TO_EXCEL if form == "excel_number" else DAYS_TO_SAS
        days = f"CAST(split_part({v}, '.', 1) AS INTEGER) + {offset}"
        whens.append(f"WHEN {_matches(v, DAYS)} THEN make_date({days})")
    is_timed = f"{_matches(v, WITH_TIME)} AND NOT {_matches(v, MIDNIGHT)}"
    return replace(
        cell,
        converted=f"CAST(CASE {' '.join(whens)} END AS VARCHAR)",
        unmapped=f"{cell.n} IS NULL",
        has_time=f"(length({v}) > 10 AND {cell.n} IS NOT NULL AND {is_timed})",
    )


def _number_cell(cell: Cell, given: Column, decimal: str) -> Cell:
    """A number with a point; with a decimal comma, blanks between thousands are dropped."""
    text = cell.v
    if decimal == ",":
        text = f"replace(translate({text}, {quote(BLANKS)}, ''), ',', '.')"
    shown = f"regexp_replace({text}, '\\.0+$', '')"
    if given.times is not None:
        product = f"(TRY_CAST({text} AS DOUBLE) * {given.times!r})"
        shown = f"regexp_replace(CAST(round({product}, 9) AS VARCHAR), '\\.0+$', '')"
    converted = f"CASE WHEN {_matches(text, NUMBER)} THEN {shown} END"
    return replace(cell, converted=converted, unmapped=f"{cell.n} IS NULL")


def _pad(text: str, zeros: int | None) -> str:
    """Digits with leading zeros to a width, as spreadsheets drop them; other texts as they are."""
    if zeros is None:
        return text
    is_short = _matches(text, rf"\d{{1,{zeros}}}")
    return f"CASE WHEN {is_short} THEN lpad({text}, {zeros}, '0') ELSE {text} END"


def _code_cell(cell: Cell, given: Column, dictionary: Dictionary) -> Cell:
    """Codes by the mapping's lines, in any case; ours as they are; truth values also 1 and 0."""
    field, low, rest = cell.field, f"lower({cell.v})", _pad(cell.v, given.zeros)
    lines = {code.strip().lower(): ours for code, ours in given.codes.items()}
    allowed = dictionary.allowed_codes(field) if field.codes else ()
    if field.type == "boolean":
        allowed, lines = ("true", "false"), {**BOOLEANS, **lines}
    whens = [f"WHEN {low} = {quote(code)} THEN {quote(ours)}" for code, ours in lines.items()]
    is_line = _holds(lines, low) if lines else "false"
    is_known = f"({is_line} OR {_holds(allowed, rest) if allowed else 'false'})"
    if given.others is not None:
        whens.append(f"WHEN {cell.v} IS NOT NULL AND NOT {is_known} THEN {quote(given.others)}")
    has_rest = given.others is not None
    listed = ", ".join(map(quote, allowed)) or "NULL"
    # The engine looks a long list up by a join: where only counts are asked, order is no matter.
    is_counted = f"NOT ({is_line} OR coalesce({rest} IN ({listed}), false))"
    is_free = not allowed and not given.codes
    return replace(
        cell,
        converted=f"nullif(CASE {' '.join(whens)} ELSE {rest} END, '')" if whens else rest,
        unmapped="false" if has_rest or is_free else is_counted,
        is_other=is_counted if has_rest else "false",
        is_coded=True,
    )
