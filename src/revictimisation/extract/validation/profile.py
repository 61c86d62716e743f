"""What an extract holds, in counts: rows, filled cells, codes, months. Never anybody's values.

The facts of a delivery are a long table, `table, kind, column, level, n, total`, so that the next
delivery can be held against them. `n` of `total`, by kind:

- `rows`: rows of the table, of itself
- `filled`, `filled_year`, `filled_place`: cells filled, of rows (in the year, the district)
- `code`: rows with a code, of rows with any; codes that are not in the dictionary are one level
- `month`: rows dated in a month, of rows dated
- `days`: days in force of spells that have ended, by code, of such spells
- `mean`: the sum of a whole number that is not a year, of cells filled
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from revictimisation.core.codes import MISSING, OTHER
from revictimisation.dictionary import Dictionary, Field
from revictimisation.extract.sql import quote_name, quote_text
from revictimisation.extract.validation.extract import LoadedExtract

FACTS = ("table", "kind", "column", "level", "n", "total")
# The share of a table's rows below which a year is told with the other years: a mistyped date
# would else be a year of its own.
RARE_YEAR = 0.005
Row = tuple[str, str, str, str, int, int]


def profile_extract(extract: LoadedExtract, dictionary: Dictionary, least: int = 5) -> pd.DataFrame:
    """The facts of an extract, exact: a row per table, kind, column and level.

    Tables that were not given have none. Months and years with fewer rows than `least`, or than a
    small share of the table's, before or after all that have more, are `other`: a mistyped date
    would else be told. So are codes and districts that the dictionary does not know; `missing` is
    an empty one.
    """
    rows: list[Row] = []
    for name, columns in extract.columns.items():
        if columns:
            rows += _profile_table(name, extract, dictionary, least)
    return pd.DataFrame(rows, columns=list(FACTS))


def _profile_table(
    name: str, extract: LoadedExtract, dictionary: Dictionary, least: int
) -> Iterator[Row]:
    n_rows = extract.row_counts[name]
    yield name, "rows", "", "", n_rows, n_rows
    yield from _profile_cells(name, extract, dictionary, least)
    for column in dictionary.tables[name].fields:
        if column.name not in extract.columns[name]:
            continue
        if _is_coded(column):
            yield from _profile_codes(name, column, extract, dictionary)
        elif column.type == "integer" and not column.name.endswith("year"):
            asked = f"SELECT sum({quote_name(column.name)}), count({quote_name(column.name)})"
            total, n_filled = extract.con.run(f"{asked} FROM {extract.names[name]}")[0]
            yield name, "mean", column.name, "", int(total or 0), int(n_filled)
    yield from _profile_days(name, extract, dictionary)


def _is_coded(column: Field) -> bool:
    """Whether the codes may be counted: municipalities are places, and some are never shown."""
    has_codes = column.codes is not None and column.codes != "municipalities"
    return column.disclosure != "never" and (has_codes or column.type == "boolean")


def _profile_cells(
    name: str, extract: LoadedExtract, dictionary: Dictionary, least: int
) -> Iterator[Row]:
    """Filled cells and rows by month and place: one pass, added up in the margins."""
    columns = extract.columns[name]
    filled = ", ".join(f"count(t.{quote_name(column)})" for column in columns)
    month, place, source = _find_when_and_where(name, extract, dictionary)
    found = extract.con.run(
        f"SELECT {month}, {place}, count(*), {filled} FROM {source} GROUP BY ALL ORDER BY ALL"
    )
    cells = pd.DataFrame(found, columns=["month", "place", "", *columns])
    whole = cells[["", *columns]].sum()
    for column in columns:
        yield name, "filled", column, "", int(whole[column]), int(whole[""])
    if month != "NULL":
        years = cells["month"].str.slice(0, 4)
        is_told = years.between(*_find_span(cells, years, least))
        yield from _add_months(name, cells[is_told])
        levels = years.where(is_told, OTHER).where(years.notna(), MISSING)
        yield from _add_up(name, "filled_year", cells, levels, columns)
    if place != "NULL":
        places, known = cells["place"], dictionary.lists["police_districts"].codes
        levels = places.where(places.isin(known), OTHER).where(places.notna(), MISSING)
        yield from _add_up(name, "filled_place", cells, levels, columns)


def _find_span(cells: pd.DataFrame, years: pd.Series[Any], least: int) -> tuple[str, str]:
    """The first and the last year with enough rows to be told."""
    rows = cells[""].groupby(years).sum()
    often = rows[rows >= max(least, RARE_YEAR * cells[""].sum())].index
    return (str(often.min()), str(often.max())) if len(often) else ("9999", "0000")


def _add_months(name: str, cells: pd.DataFrame) -> Iterator[Row]:
    rows = cells[""].groupby(cells["month"]).sum()
    for month, n_rows in rows.items():
        yield name, "month", "", str(month), int(n_rows), int(rows.sum())


def _add_up(
    name: str, kind: str, cells: pd.DataFrame, levels: pd.Series[Any], columns: tuple[str, ...]
) -> Iterator[Row]:
    added = cells[["", *columns]].groupby(levels).sum()
    for column in columns:
        for level, n_filled, n_rows in zip(added.index, added[column], added[""], strict=True):
            yield name, kind, column, str(level), int(n_filled), int(n_rows)


def _find_when_and_where(
    name: str, extract: LoadedExtract, dictionary: Dictionary
) -> tuple[str, str, str]:
    """SQL of a row's month and district (`NULL`: the table has none), and what to select from."""
    table, columns = dictionary.tables[name], extract.columns[name]
    source, month, place = f"{extract.names[name]} t", "NULL", "NULL"
    day = f"t.{quote_name(table.dated_by)}"
    if table.dated_by in columns:
        is_date = table.field(table.dated_by).type == "date"
        month = f"strftime({day}, '%Y-%m')" if is_date else f"CAST({day} AS VARCHAR)"
    if table.placed_by not in columns:
        return month, place, source
    where = f"t.{quote_name(table.placed_by)}"
    if table.placed_by == "report_id":
        if "police_district" not in extract.columns["reports"]:
            return month, place, source
        reports = (
            "(SELECT report_id AS of_report, min(police_district) AS of_district"
            f" FROM {extract.names['reports']} GROUP BY report_id)"
        )
        return month, "r.of_district", f"{source} LEFT JOIN {reports} r ON r.of_report = {where}"
    if table.placed_by == "municipality_code":
        on = day if month != "NULL" else "DATE '9999-12-31'"
        districts = _list_districts(dictionary)
        held = f"coalesce({on}, DATE '9999-12-31') BETWEEN m.from_on AND m.to_on"
        source = f"{source} LEFT JOIN {districts} ON m.municipality = {where} AND {held}"
        return month, "m.district", source
    return month, where, source


def _list_districts(dictionary: Dictionary) -> str:
    """Which district a municipality belonged to, and when, as rows of SQL."""
    frame = dictionary.codes("municipality_districts")
    names = ("municipality_code", "valid_from_on", "valid_to_on", "police_district")
    rows = ", ".join(
        f"({quote_text(code)}, DATE {quote_text(first or '0001-01-01')},"
        f" DATE {quote_text(last or '9999-12-31')}, {quote_text(district)})"
        for code, first, last, district in frame[list(names)].itertuples(index=False)
    )
    return f"(VALUES {rows}) m(municipality, from_on, to_on, district)"


def _profile_codes(
    name: str, column: Field, extract: LoadedExtract, dictionary: Dictionary
) -> Iterator[Row]:
    cell = f"CAST({quote_name(column.name)} AS VARCHAR)"
    found = extract.con.run(
        f"SELECT {cell}, count(*) FROM {extract.names[name]} WHERE {cell} IS NOT NULL GROUP BY 1",
    )
    known = _shown_codes(column, dictionary)
    counts = dict.fromkeys(known, 0)
    for code, n_rows in found:
        level = code if code in counts else OTHER
        counts[level] = counts.get(level, 0) + int(n_rows)
    total = sum(counts.values())
    for level, n_rows in counts.items():
        yield name, "code", column.name, level, n_rows, total


def _shown_codes(column: Field, dictionary: Dictionary) -> list[str]:
    """The codes that may be told: known, and not of a measure that is never shown."""
    if column.type == "boolean":
        return ["true", "false"]
    hidden = dictionary.lists[column.codes or ""].hidden
    return [code for code in dictionary.allowed_codes(column) if code not in hidden]


def _profile_days(name: str, extract: LoadedExtract, dictionary: Dictionary) -> Iterator[Row]:
    """Days in force by measure, of spells that have ended and did not end before they began."""
    columns = extract.columns[name]
    coded: Mapping[str, Field] = {
        field.name: field for field in dictionary.tables[name].fields if field.codes == "measures"
    }
    for code, column in coded.items():
        if not {code, "start_on", "end_on"} <= set(columns):
            continue
        shown = set(_shown_codes(column, dictionary))
        for level, days, n_spells in extract.con.run(
            f"SELECT {quote_name(code)}, sum(date_diff('day', start_on, end_on)), count(*)"
            f" FROM {extract.names[name]} WHERE end_on >= start_on GROUP BY 1 ORDER BY 1",
        ):
            if level in shown:
                yield name, "days", code, level, int(days), int(n_spells)
