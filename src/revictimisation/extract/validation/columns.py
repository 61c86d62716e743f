"""Turns the text of a cell into the type that the dictionary asks for, as DuckDB SQL."""

from __future__ import annotations

from revictimisation.dictionary.model import FieldType
from revictimisation.extract.sources.local_day import ZONE, local_day, shift_zone
from revictimisation.extract.sql import COMPACT_DATE, NUMBER, compact_day, fits, quote_name

ENGINE_TYPES: dict[FieldType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
TIMED_DATE = rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]\d{{2}}:\d{{2}}(:\d{{2}}([.,]\d+)?)?( ?({ZONE}))?"
MIDNIGHT = r".{10}[T ]00:00(:00([.,]0+)?)?"
WHOLE = r"[+-]?\d{1,18}(\.0+)?"


def clean_text(name: str) -> str:
    """A column of text without padding; an empty cell is null."""
    return _without_padding(quote_name(name))


def _without_padding(text: str) -> str:
    """Trims only what holds a blank: asking for one costs a fifth of what trimming does."""
    is_padded = f"contains({text}, ' ') OR {text} = ''"
    return f"CASE WHEN {is_padded} THEN nullif(trim({text}), '') ELSE {text} END"


def parquet_text(name: str, engine_type: str) -> str:
    """A Parquet column of any type as the text that the same table in CSV would hold."""
    column = quote_name(name)
    if engine_type == "TIMESTAMP WITH TIME ZONE":
        moment = f"timezone('UTC', {column})"
        column = f"CAST({shift_zone(moment)} AS DATE)"
    elif engine_type.startswith("TIMESTAMP"):
        column = f"CAST({column} AS DATE)"
    text = _without_padding(f"CAST({column} AS VARCHAR)")
    if engine_type in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {text} END"
    return text


def is_number(text: str) -> str:
    """Whether a text is a finite number."""
    return f"({fits(text, NUMBER)} AND isfinite(TRY_CAST({text} AS DOUBLE)))"


def has_time_of_day(text: str) -> str:
    """Whether a date is written with a time of day other than midnight."""
    is_timed = f"{fits(text, TIMED_DATE)} AND NOT {fits(text, MIDNIGHT)}"
    return f"CASE WHEN length({text}) > 10 THEN {is_timed} ELSE false END"


def decimal_point(text: str) -> str:
    """A number as written with a decimal comma, in a file that separates by semicolons."""
    return f"replace({text}, ',', '.')"


def cast_text(text: str, kind: FieldType) -> str:
    """The typed value of a text; null if it is none of that type.

    Dates are 2013-04-27 or 20130427, with or without a time of day (which is dropped; where it has
    a zone, as Z, the day is that in Sweden), booleans true or false in any case, or 1 and 0.
    """
    if kind == "date":
        timed = local_day(text, f"TRY_CAST({text}[1:10] AS DATE)")
        return (
            f"CASE WHEN {text} LIKE '____-__-__' THEN TRY_CAST({text} AS DATE)"
            f" WHEN {fits(text, COMPACT_DATE)} THEN {compact_day(text)}"
            f" WHEN {fits(text, TIMED_DATE)} THEN {timed} END"
        )
    if kind == "integer":
        whole = f"TRY_CAST(split_part({text}, '.', 1) AS BIGINT)"
        return f"CASE WHEN {fits(text, WHOLE)} THEN {whole} END"
    if kind == "number":
        return f"CASE WHEN {is_number(text)} THEN TRY_CAST({text} AS DOUBLE) END"
    if kind == "boolean":
        return (
            f"CASE WHEN lower({text}) IN ('true', '1', '1.0') THEN true"
            f" WHEN lower({text}) IN ('false', '0', '0.0') THEN false END"
        )
    return text
