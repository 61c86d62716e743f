"""Replaces what identifies people by keyed pseudonyms, set by set over the distinct texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revictimisation.core.codes import ROUNDED_NUMBER
from revictimisation.core.errors import DataError
from revictimisation.dictionary import Dictionary
from revictimisation.extract.identity_numbers import PERSON, ROUNDED, NumberSeries, parse_numbers
from revictimisation.extract.pseudonyms.agreement import find_disagreements
from revictimisation.extract.pseudonyms.coded_texts import find_coded_texts
from revictimisation.extract.pseudonyms.columns import ColumnChoice, find_name_part
from revictimisation.extract.pseudonyms.keys import StudyKey
from revictimisation.extract.pseudonyms.linkage_fields import LINKAGE_TABLE, make_linkage_fields
from revictimisation.extract.pseudonyms.order import sort_cells
from revictimisation.extract.pseudonyms.reading import RawTable, list_dates
from revictimisation.extract.pseudonyms.records import as_text, key_records
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD

# What a pseudonym was made of shows in its first letter: a number that holds (`p`), twelve digits
# that do not (`w`), or an id of the source's own (`u`). Each has a key of its own.
PREFIXES = {"number": "p", "faulty": "w", "other": "u"}
PEOPLE = ("persons", "person_id")
FAULTY = ("wrong_check_digit", "impossible")
COUNTS = (
    "n_cells", "n_distinct", "n_coordination", "n_test", "n_without_century", "n_born_after",
    "n_words",
)  # fmt: skip
DAY = r"^(\d{4})-?(\d{2})-?(\d{2})"


@dataclass(frozen=True)
class Pseudonymised:
    """What was made: tables by name, counts, and the day that the centuries were told from.

    `counts` has a row per table, column and status: `n_cells`, `n_distinct`, `n_coordination`,
    `n_test`, `n_without_century`, `n_born_after`, `n_words` (without a digit: cells), and `rows`,
    numbers of the first ten. `keyed` has the columns of case numbers and other identifiers that
    were keyed (`table`, `column`, `n_cells`), `late` the event dates after `reference_on` (`table`,
    `column`, `n_rows`), `unlike` the people whose sex or birth year is not that of their number
    (`find_disagreements`), `texts` the columns of codes that hold texts (`find_coded_texts`).
    """

    tables: dict[str, RawTable]
    counts: pd.DataFrame
    reference_on: dt.date
    keyed: tuple[dict[str, Any], ...] = ()
    late: tuple[dict[str, Any], ...] = ()
    unlike: tuple[dict[str, Any], ...] = ()
    texts: tuple[dict[str, Any], ...] = ()


def pseudonymise_tables(
    tables: Mapping[str, RawTable],
    choices: Collection[ColumnChoice],
    dictionary: Dictionary,
    key: StudyKey,
    *,
    reference_on: dt.date | None,
    today: dt.date,
    source: str = "",
    is_emptied: bool = False,
) -> Pseudonymised:
    """Replace every identifying cell, and leave out the columns chosen to be dropped.

    The same person gets the same pseudonym in all tables and wherever the key file is the same.
    What is no number gets one in a domain of its own, told by `source` (the agency), as two
    agencies may give the same id to two people; with `is_emptied` it becomes empty instead. Case
    numbers and other identifiers are keyed too (`key_records`).
    Rows stand in the order of their pseudonyms, which tells nothing of that of the source.
    `reference_on`: by default the key's, else the latest date in the extract up to `today`.
    """
    reference_on = reference_on or key.reference_on or find_last_date(tables, dictionary, today)
    replaced = [(choice.table, choice.column) for choice in choices if choice.action == "replace"]
    texts = {place: as_text(tables[place[0]].cells.column(place[1])) for place in replaced}
    parsed = _parse_distinct(list(texts.values()), reference_on, dictionary)
    parsed["pseudonym"] = _make_pseudonyms(parsed, key, source, is_emptied)
    values = pa.array(parsed["text"], pa.string())
    result = pa.array(parsed["pseudonym"], pa.string())
    made, counts = {}, []
    for name, raw in tables.items():
        cells = raw.cells
        for column in cells.column_names:
            if (name, column) in texts:
                places = pc.index_in(texts[name, column], value_set=values)
                counts.append(_count(raw, column, places.to_pandas(), parsed))
                at = cells.column_names.index(column)
                cells = cells.set_column(at, column, result.take(places.combine_chunks()))
        actions = ("keep", "replace", "key")
        kept = [one.column for one in choices if one.table == name and one.action in actions]
        cells = key_records(cells, _list_keyed(choices, name), key, source)
        made[name] = RawTable(name, raw.kind, cells.select(kept), raw.first_row)
    named = {
        part: choice.column
        for choice in choices
        if choice.action == "encode" and (part := find_name_part(choice.column, dictionary))
    }
    if named:
        fields = make_linkage_fields(made["persons"].cells, tables["persons"].cells, named, key)
        made[LINKAGE_TABLE] = RawTable(LINKAGE_TABLE, tables["persons"].kind, fields, 2)
    told = pd.concat(counts, ignore_index=True) if counts else pd.DataFrame()
    _refuse_rounded([*_list_rounded(told), *_find_rounded_keys(tables, choices)])
    keyed = tuple(
        {
            "table": choice.table,
            "column": choice.column,
            "n_cells": made[choice.table].count(choice.column),
        }
        for choice in choices
        if choice.action == "key"
    )
    late = tuple(count_late(tables, dictionary, reference_on))
    unlike = tuple(_find_unlike(tables, texts, parsed))
    coded = tuple(find_coded_texts(made, dictionary))
    ordered = {
        name: replace(raw, cells=sort_cells(raw.cells, name, dictionary))
        for name, raw in made.items()
    }
    return Pseudonymised(ordered, told, reference_on, keyed, late, unlike, coded)


def _find_unlike(
    tables: Mapping[str, RawTable],
    texts: Mapping[tuple[str, str], pa.ChunkedArray],
    parsed: pd.DataFrame,
) -> Iterator[dict[str, Any]]:
    """People whose sex or birth year is not that of their number."""
    if PEOPLE not in texts:
        return
    numbers = parsed.set_index("text")["number"]
    mine = texts[PEOPLE].to_pandas().map(numbers).fillna("").astype(str)
    yield from find_disagreements(tables[PEOPLE[0]], mine)


def _list_rounded(counts: pd.DataFrame) -> list[dict[str, Any]]:
    rows = [] if counts.empty else counts[counts["status"].eq(ROUNDED)].to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _find_rounded_keys(
    tables: Mapping[str, RawTable], choices: Collection[ColumnChoice]
) -> Iterator[dict[str, Any]]:
    """Columns of case numbers and the like that a spreadsheet rounded, as `_count` tells people."""
    for choice in choices:
        raw = tables[choice.table]
        # A float tells its digits by itself, and is not rounded again.
        if choice.action == "key" and pa.types.is_string(raw.cells.column(choice.column).type):
            texts = as_text(raw.cells.column(choice.column))
            found = pc.fill_null(pc.match_substring_regex(texts, f"^({ROUNDED_NUMBER})$"), False)
            rows = np.flatnonzero(found.to_numpy()) + raw.first_row
            if len(rows):
                shown = rows[:MAX_ROWS_TOLD].tolist()
                where = {"table": choice.table, "column": choice.column}
                yield {**where, "n_cells": len(rows), "rows": shown}


def _refuse_rounded(found: list[dict[str, Any]]) -> None:
    """Raise `DataError` where a spreadsheet rounded numbers: several people or cases become one."""
    if not found:
        return
    lines = [
        f"  {one['table']}.{one['column']}: {one['n_cells']} rader / rows "
        + ", ".join(map(str, one["rows"]))
        for one in found
    ]
    raise DataError(
        "Inget skrevs: ett kalkylprogram har avrundat nummer (skrivna som 1,9E+11), så att "
        "olika personer eller ärenden har blivit samma. Ta ut kolumnen som text ur källan.\n"
        "Nothing was written: a spreadsheet has rounded numbers, so that different people or cases "
        "have become one; export the column as text.\n" + "\n".join(lines)
    )


def _list_keyed(choices: Collection[ColumnChoice], table: str) -> list[str]:
    return [choice.column for choice in choices if choice.table == table and choice.action == "key"]


def count_late(
    tables: Mapping[str, RawTable], dictionary: Dictionary, reference_on: dt.date
) -> Iterator[dict[str, Any]]:
    """Rows whose event lies after the reference day, by table: `table`, `column`, `n_rows`.

    The event is the date that the dictionary dates a table by; ends may lie ahead.
    """
    for name, raw in tables.items():
        column = dictionary.tables[name].dated_by
        if column and column in raw.cells.column_names:
            days = _compact_dates(raw.cells.column(column))
            n_rows = pc.sum(pc.greater(days, reference_on.strftime("%Y%m%d"))).as_py() or 0
            if n_rows:
                yield {"table": name, "column": column, "n_rows": int(n_rows)}


def find_last_date(
    tables: Mapping[str, RawTable], dictionary: Dictionary, today: dt.date
) -> dt.date:
    """The latest date in the extract that is not after today; `DataError` if it has none."""
    last = today.strftime("%Y%m%d")
    found = []
    for cells in list_dates(tables, dictionary):
        text = _compact_dates(cells)
        found.append(pc.max(text.filter(pc.less_equal(text, last))).as_py())
    days = [one for one in found if one]
    if not days:
        raise DataError(
            "Uttaget har inga datum; ange --reference-date. / The extract has no dates."
        )
    return pd.to_datetime(max(days), format="%Y%m%d", errors="coerce").date()


def _compact_dates(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells that hold a date, as 20130427."""
    text = pc.replace_substring_regex(as_text(cells), DAY + ".*$", r"\1\2\3")
    return text.filter(pc.fill_null(pc.match_substring_regex(text, r"^(19|20)\d{6}$"), False))


def _parse_distinct(
    columns: list[pa.ChunkedArray], reference_on: dt.date, dictionary: Dictionary
) -> pd.DataFrame:
    """A row per distinct text of all columns: `text` and what it is."""
    whole = pa.chunked_array(
        [chunk for column in columns for chunk in column.chunks] or [], pa.string()
    )
    distinct = pc.unique(whole).drop_null()
    series = NumberSeries.from_list(dictionary.codes("identity_number_series"))
    found = parse_numbers(distinct, reference_on, series)
    found.insert(0, "text", distinct.to_pandas())
    return found


def _make_pseudonyms(
    parsed: pd.DataFrame, key: StudyKey, source: str, is_emptied: bool
) -> pd.Series:
    domain = pd.Series("other", index=parsed.index, dtype=object)
    domain[parsed["status"].isin(FAULTY)] = "faulty"
    domain[parsed["status"].isin(PERSON)] = "number"
    made = pd.Series(None, index=parsed.index, dtype=object)
    for name, prefix in PREFIXES.items():
        is_in = domain.eq(name)
        if is_emptied and name != "number":
            continue
        purpose = f"{name}\x1f{source}" if name == "other" else name
        made[is_in] = key.make_pseudonyms(purpose, parsed.loc[is_in, "comparable"], prefix)
    return made


def _count(raw: RawTable, column: str, places: pd.Series, parsed: pd.DataFrame) -> pd.DataFrame:
    """How many cells of a column have each status, and in which rows."""
    is_filled = places.notna().to_numpy()
    rows = np.arange(len(places)) + raw.first_row
    mine = parsed.iloc[places[is_filled].astype(int)].assign(row=rows[is_filled])
    told = [
        {
            "table": raw.name,
            "column": column,
            "status": status,
            "n_cells": len(found),
            "n_distinct": int(found["comparable"].nunique()),
            "n_coordination": int(found["is_coordination"].sum()),
            "n_test": int(found["is_test"].sum()),
            "n_without_century": int((~found["has_century"]).sum()),
            "n_born_after": int(found["is_born_after"].sum()),
            "n_words": int((~found["text"].str.contains(r"\d")).sum()),
            "rows": found["row"].head(MAX_ROWS_TOLD).tolist(),
        }
        for status, found in mine.groupby("status")
    ]
    if not is_filled.all():
        blank = rows[~is_filled]
        nothing = dict.fromkeys(COUNTS, 0)
        told.append(
            {
                "table": raw.name,
                "column": column,
                "status": "empty",
                **nothing,
                "n_cells": len(blank),
                "rows": blank[:MAX_ROWS_TOLD].tolist(),
            }
        )
    return pd.DataFrame(told)
