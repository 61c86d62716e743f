"""Rules on the time a measure is in force: its end, and what was registered in pieces."""

from __future__ import annotations

from collections.abc import Iterator

from revictimisation.extract.cleaning.work import SOUND, Selects, Work
from revictimisation.extract.sql import quote_text

# Whose measure, and which: two rows of one person and code are of one measure.
SPELLS = {
    "police_measures": ("victim_id", "measure", "decision"),
    "social_interventions": ("person_id", "intervention", "decision"),
    "suspect_interventions": ("suspect_id", "intervention"),
}
START, END = "start_on", "end_on"
FAR_ON = "DATE '9999-12-31'"
OF_THE_END = ("end_reason", "is_completed")  # what a row says of how it ended


def _list_spells(work: Work) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, same in SPELLS.items():
        if work.has(name, (*same, START, END)):
            yield name, same


def _end(work: Work, name: str, is_other: str, value: str) -> str:
    changed = f"CASE WHEN {SOUND} AND {is_other} THEN {value} ELSE {END} END AS {END}"
    return f"SELECT * REPLACE ({changed}) FROM {work.names[name]}"


def empty_ends_after_today(work: Work) -> Selects:
    """Take an end that lies after today (such as 9999-12-31) for none: the measure goes on."""
    is_later = f"{END} > DATE {quote_text(work.today.isoformat())}"
    return {name: _end(work, name, is_later, "NULL") for name, _ in _list_spells(work)}


def close_open_ends(work: Work) -> Selects:
    """End what has no end a set time after its start (`open_ends`), if that is by `data_end_on`.

    What started later than so long before the end of the data stays open: it may still go on.
    """
    rules = work.plan.open_ends
    data_end = f"DATE {quote_text(work.plan.data_end_on.isoformat())}"
    selects = {}
    for name, same in _list_spells(work):
        cases = [f"WHEN {same[1]} = {quote_text(code)} THEN {days}"
                 for code, days in rules.by_code.items()]  # fmt: skip
        days = f"CASE {' '.join(cases)} ELSE {rules.after_days} END" if cases else rules.after_days
        ends = f"({START} + CAST({days} AS INTEGER))"
        is_open = f"{START} IS NOT NULL AND {END} IS NULL AND {ends} <= {data_end}"
        selects[name] = _end(work, name, is_open, ends)
    return selects


def merge_overlapping_spells(work: Work) -> Selects:
    """Make spells of one person, code and decision that overlap or touch one spell.

    They touch where one starts on the day the other ends. The first row (by start, then in the
    file) is kept with its decision day; its end is the last end, empty if any is, and what it says
    of how it ended is that row's. Rows never carried out, or that end before they start, are left.
    """
    return {name: _merge(work, name, same) for name, same in _list_spells(work)}


def _merge(work: Work, name: str, same: tuple[str, ...]) -> str:
    """Islands of intervals: a row begins one where it starts after all before it have ended."""
    filled = " AND ".join(f"{one} IS NOT NULL" for one in (*same[:2], START))
    is_spell = f"coalesce({SOUND} AND {filled} AND ({END} IS NULL OR {END} >= {START}), false)"
    of, source = ", ".join(same), work.names[name]
    told = [one for one in OF_THE_END if one in work.columns(name)]
    last = "".join(f", first_value({one}) OVER ends AS last_{one}" for one in told)
    helpers = "".join(f", last_{one}" for one in told)
    ended = "".join(f", last_{one} AS {one}" for one in told)
    return (
        f"WITH s AS (SELECT *, coalesce({END}, {FAR_ON}) AS until FROM {source} WHERE {is_spell}),"
        f" r AS (SELECT *, max(until) OVER (PARTITION BY {of} ORDER BY {START}, row_number"
        f" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached FROM s),"
        f" g AS (SELECT *, sum(CASE WHEN reached IS NULL OR {START} > reached THEN 1 ELSE 0 END)"
        f" OVER (PARTITION BY {of} ORDER BY {START}, row_number) AS island FROM r),"
        f" e AS (SELECT *, nullif(max(until) OVER island_all, {FAR_ON}) AS last_on{last},"
        f" row_number() OVER (PARTITION BY {of}, island ORDER BY {START}, row_number) AS place"
        f" FROM g WINDOW island_all AS (PARTITION BY {of}, island),"
        f" ends AS (PARTITION BY {of}, island ORDER BY until DESC, row_number))"
        f" SELECT * EXCLUDE (until, reached, island, last_on, place{helpers})"
        f" REPLACE (last_on AS {END}{ended}) FROM e WHERE place = 1"
        f" UNION ALL BY NAME SELECT * FROM {source} WHERE NOT {is_spell}"
    )
