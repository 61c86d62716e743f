"""The day that a moment in time has where it was registered, as SQL of the engine.

A system that keeps times in UTC writes a quarter past midnight in Sweden as the day before.
"""

from __future__ import annotations

# Where agencies register, unless a mapping file says otherwise.
TIME_ZONE = "Europe/Stockholm"
ZONE = r"[Zz]|UTC|GMT|[+-]\d{2}(:?\d{2})?"
# The time of day before a zone; what stands before it is the date, in whatever form.
_CLOCK = rf"[Tt ](\d{{1,2}})[:.](\d{{2}})([:.]\d{{2}}([.,]\d+)?)? ?({ZONE})$"
_OFFSET = r"([+-])(\d{2}):?(\d{2})?$"
# Shorter texts hold no date and time with a zone.
_LEAST = 14


def has_zone(text: str) -> str:
    """SQL: whether a text ends in a time of day with its zone (`2013-12-31T23:30:00Z`)."""
    return f"(length({text}) >= {_LEAST} AND regexp_matches({text}, '{_CLOCK}'))"


def local_day(text: str, day: str, zone: str = TIME_ZONE) -> str:
    """SQL: the local day of a date with a time of day and a zone; else the `day` as written.

    >>> local_day("v", "d")[:20]
    'CASE WHEN (length(v)'
    """
    hours, minutes = (f"TRY_CAST({_part(text, _CLOCK, part)} AS INTEGER)" for part in (1, 2))
    ahead = " + ".join(
        f"{unit} * coalesce(TRY_CAST({_part(text, _OFFSET, part)} AS INTEGER), 0)"
        for part, unit in ((2, 60), (3, 1))
    )
    sign = f"CASE WHEN {_part(text, _OFFSET, 1)} = '-' THEN -1 ELSE 1 END"
    moved = f"to_minutes({hours} * 60 + {minutes} - ({sign}) * ({ahead}))"
    moment = f"CAST({day} AS TIMESTAMP) + {moved}"
    is_hour = f"{hours} <= 24 AND {minutes} < 60"
    there = f"CASE WHEN {is_hour} THEN CAST({shift_zone(moment, zone)} AS DATE) END"
    return f"CASE WHEN {has_zone(text)} THEN {there} ELSE {day} END"


def shift_zone(moment: str, zone: str = TIME_ZONE) -> str:
    """SQL: a timestamp in UTC, without a zone, as the clock shows it in `zone`."""
    return f"timezone('{zone}', timezone('UTC', {moment}))"


def _part(text: str, pattern: str, part: int) -> str:
    return f"regexp_extract({text}, '{pattern}', {part})"
