"""The SQL that turns a source's cell into the dictionary's form; what it can't turn stays as it is.

Three steps, each a column of its own: the cell as given (`g0`, `g1`, …), without what means missing
(`v0`), and converted (`n0`, null where it can't be). What is written is `n0`, else `v0`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from revictimisation.dictionary import Dictionary, Field
from revictimisation.extract.mapping.model import Column, Mapping, Part
from revictimisation.extract.sources.identity import IDENTITY_NUMBER
from revictimisation.extract.sources.local_day import ZONE, has_zone, local_day
from revictimisation.extract.sources.naming import EXTRA_NAME
from revictimisation.extract.sources.staging import Staged
from revictimisation.extract.sql import (
    COMPACT_DATE,
    NUMBER,
    compact_day,
    fits,
    is_one_of,
    quote_text,
)

# Blanks that people don't see: ordinary, hard, tab.
BLANKS = " \u00a0\t\r\n"
DAYS_TO_EXCEL, DAYS_TO_SAS = -25569, -3653
ISO_DATE = r"\d{4}-\d{2}-\d{2}"
YEAR_FIRST = r"(\d{4})[./ -](\d{1,2})[./ -](\d{1,2})"
# Before and after noon, in English and Swedish.
HALF = r"[AaPp]\.?[Mm]\.?|[fe]\.?m\.?"
TIME = rf"([Tt ]+\d{{1,2}}[:.]\d{{2}}([:.]\d{{2}}([.,]\d+)?)?( ?({HALF}|{ZONE}))?)?"
MIDNIGHT = (
    rf".*[Tt ](0?0[:.]00([:.]00([.,]0+)?)?( ?({ZONE}))?"
    r"|12[:.]00([:.]00([.,]0+)?)? ?([Aa]\.?[Mm]\.?|f\.?m\.?))"
)
YEAR_LAST = r"(\d{1,2})[./ -]{1,2}(\d{1,2})[./ -]{1,2}(\d{4})"
DAYS = r"\d{1,7}([.,]\d+)?"
WITH_TIME = r".*\d[Tt ]+\d{1,2}[:.]\d{2}.*|\d{1,7}[.,]\d*[1-9]\d*"
COMMA_NUMBER = r"[+-]?[\d\x{a0} ]*\d,\d+"
# What Excel and LibreOffice write for a cell that could not be reckoned, in English and Swedish.
SHEET_ERRORS = (
    *("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"),
    *("#SAKNAS!", "#REFERENS!", "#VÄRDEFEL!", "#DIVISION/0!", "#NAMN?", "#OGILTIGT!", "#SKÄRNING!"),
)
BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}


@dataclass(frozen=True)
class Cell:
    """One column of a table as SQL over the source's columns (`c0`, `c1`, …).

    `unmapped` is true of values that no code list and no line of the mapping knows, or that have
    not the form of the column's type; `has_time` of those whose time of day is dropped, `is_zoned`
    of those that are a moment with its zone; `is_other` of those put under `others`. They and
    `converted` speak of `v` and `n`, `value` and `is_error` (a spreadsheet's #N/A) of `g`.
    """

    field: Field
    number: int
    given: str
    value: str
    converted: str
    unmapped: str = "false"
    has_time: str = "false"
    is_zoned: str = "false"
    is_other: str = "false"
    is_error: str = "false"
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
        constant = f"nullif({quote_text(given.constant or '')}, '')"
        return Cell(field, number, constant, f"g{number}", f"v{number}", is_constant=True)
    g = f"g{number}"
    is_marker = _is_missing(g, [*given.missing, *part.missing, *mapping.missing], field)
    is_error = (
        f"(starts_with({g}, '#')"
        f" AND ({is_one_of(f'upper({g})', SHEET_ERRORS)} OR {fits(g, '#{3,}')}))"
    )
    cell = Cell(
        field,
        number,
        given=f"nullif(trim(c{place}, {quote_text(BLANKS)}), '')",
        value=f"CASE WHEN {is_marker} OR {is_error} THEN NULL ELSE {g} END",
        converted=f"v{number}",
        is_error=f"({g} IS NOT NULL AND NOT {is_marker} AND {is_error})",
    )
    if field.type == "date":
        form = given.date or part.date or mapping.date
        return _date_cell(cell, form, part.timezone or mapping.timezone)
    if field.type in ("integer", "number"):
        return _number_cell(cell, given, given.decimal or part.decimal or mapping.decimal)
    if field.type == "boolean" or field.codes or given.codes or given.others is not None:
        return _code_cell(cell, given, dictionary)
    plain = _pad(cell.v, given.zeros)
    if EXTRA_NAME.fullmatch(field.name) and (part.decimal or mapping.decimal) == ",":
        shown, _ = _write_number(cell.v, None, ",")
        plain = f"CASE WHEN {fits(cell.v, COMMA_NUMBER)} THEN {shown} ELSE {plain} END"
    return replace(cell, converted=plain)


def layer_rows(cells: Sequence[Cell], staged: Staged) -> str:
    """The rows with every cell given, without missing markers, and converted."""
    given = ", ".join(f"{cell.given} AS {cell.g}" for cell in cells)
    value = ", ".join(f"{cell.value} AS {cell.v}" for cell in cells)
    converted = ", ".join(f"{cell.converted} AS {cell.n}" for cell in cells)
    rows = f"read_parquet({quote_text(str(staged.path))}, file_row_number=true)"
    return (
        f"(SELECT *, {converted} FROM (SELECT *, {value}"
        f" FROM (SELECT file_row_number AS place, {given} FROM {rows})))"
    )


def is_identity_number(text: str) -> str:
    """SQL: whether a text has the form of an identity number."""
    # The length is looked at first, as that costs nothing: 10 digits, to 12 and a sign.
    is_number = f"length({text}) BETWEEN 10 AND 13 AND {fits(text, IDENTITY_NUMBER)}"
    return f"coalesce({is_number}, false)"


def _is_missing(g: str, markers: Sequence[str], field: Field) -> str:
    """SQL: whether a cell is a marker, in any case; in a date, its day as well."""
    if not markers:
        return "false"
    is_marker = is_one_of(f"lower({g})", (marker.strip().lower() for marker in markers))
    days = [marker.replace("-", "") for marker in markers if re.fullmatch(ISO_DATE, marker)]
    if field.type == "date" and days:
        day = f"regexp_replace({g}[1:10], '[./ -]', '', 'g')[1:8]"
        is_marker = f"({is_marker} OR {is_one_of(day, days)})"
    return is_marker


def _date_cell(cell: Cell, form: str, zone: str) -> Cell:
    """A date as 2013-04-27. Year first is always understood, other orders only as told.

    A time of day with a zone makes it the day in `zone`.
    """
    v = cell.v
    whens = [
        f"WHEN {fits(v, ISO_DATE + TIME)} THEN TRY_CAST({v}[1:10] AS DATE)",
        f"WHEN {fits(v, COMPACT_DATE + TIME)} THEN {compact_day(v)}",
        f"WHEN {fits(v, YEAR_FIRST + TIME)} THEN {_join_date(v, YEAR_FIRST, (1, 2, 3))}",
    ]
    if form in ("day_month_year", "month_day_year"):
        order = (3, 2, 1) if form == "day_month_year" else (3, 1, 2)
        date = _join_date(v, YEAR_LAST, order)
        whens.append(f"WHEN {fits(v, YEAR_LAST + TIME)} THEN {date}")
    if form in ("excel_number", "sas_number"):
        offset = DAYS_TO_EXCEL if form == "excel_number" else DAYS_TO_SAS
        days = f"CAST(regexp_extract({v}, '^\\d+') AS INTEGER) + {offset}"
        whens.append(f"WHEN {fits(v, DAYS)} THEN make_date({days})")
    written = f"CASE {' '.join(whens)} END"
    shortest = 2 if form in ("excel_number", "sas_number") else 10
    is_timed = f"{fits(v, WITH_TIME)} AND NOT {fits(v, MIDNIGHT)}"
    return replace(
        cell,
        converted=f"CAST({local_day(v, written, zone)} AS VARCHAR)",
        unmapped=f"{cell.n} IS NULL",
        has_time=f"(length({v}) > {shortest} AND {cell.n} IS NOT NULL"
        f" AND NOT {has_zone(v)} AND {is_timed})",
        is_zoned=f"({cell.n} IS NOT NULL AND {has_zone(v)})",
    )


def _join_date(text: str, pattern: str, order: tuple[int, int, int]) -> str:
    """SQL: the date of which `order` says where year, month and day stand in the pattern."""
    year, month, day = (f"regexp_extract({text}, {quote_text(pattern)}, {part})" for part in order)
    whole = f"{year} || '-' || lpad({month}, 2, '0') || '-' || lpad({day}, 2, '0')"
    return f"TRY_CAST({whole} AS DATE)"


def _number_cell(cell: Cell, given: Column, decimal: str) -> Cell:
    """A number with a point; with a decimal comma, blanks between thousands are dropped."""
    shown, text = _write_number(cell.v, given.times, decimal)
    converted = f"CASE WHEN {fits(text, NUMBER)} THEN {shown} END"
    return replace(cell, converted=converted, unmapped=f"{cell.n} IS NULL")


def _write_number(v: str, times: float | None, decimal: str) -> tuple[str, str]:
    """SQL: a number as it is written, times its unit; and before, with a point for its comma."""
    text = v
    if decimal == ",":
        text = f"replace(translate({text}, {quote_text(BLANKS)}, ''), ',', '.')"
    shown = f"regexp_replace({text}, '\\.0+$', '')"
    if times is not None:
        product = f"(TRY_CAST({text} AS DOUBLE) * {times!r})"
        shown = f"regexp_replace(CAST(round({product}, 9) AS VARCHAR), '\\.0+$', '')"
    return shown, text


def _pad(text: str, zeros: int | None) -> str:
    """Digits with leading zeros to a width, as spreadsheets drop them; other texts as they are."""
    if zeros is None:
        return text
    is_short = fits(text, rf"\d{{1,{zeros}}}")
    return f"CASE WHEN {is_short} THEN lpad({text}, {zeros}, '0') ELSE {text} END"


def _code_cell(cell: Cell, given: Column, dictionary: Dictionary) -> Cell:
    """Codes by the mapping's lines, in any case; ours as they are; truth values also 1 and 0."""
    field, low, rest = cell.field, f"lower({cell.v})", _pad(cell.v, given.zeros)
    lines = {code.strip().lower(): ours for code, ours in given.codes.items()}
    allowed = dictionary.allowed_codes(field) if field.codes else ()
    if field.type == "boolean":
        allowed, lines = ("true", "false"), {**BOOLEANS, **lines}
    whens = [
        f"WHEN {low} = {quote_text(code)} THEN {quote_text(ours)}" for code, ours in lines.items()
    ]
    is_line = is_one_of(low, lines) if lines else "false"
    is_known = f"({is_line} OR {is_one_of(rest, allowed) if allowed else 'false'})"
    if given.others is not None:
        whens.append(
            f"WHEN {cell.v} IS NOT NULL AND NOT {is_known} THEN {quote_text(given.others)}"
        )
    has_rest = given.others is not None
    listed = ", ".join(map(quote_text, allowed)) or "NULL"
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
