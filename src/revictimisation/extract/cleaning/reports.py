"""One report that was registered under two numbers, made one again."""

from __future__ import annotations

from revictimisation.extract.cleaning.work import SOUND, Selects, Work
from revictimisation.extract.sql import quote_name

SAME = ("victim_id", "suspect_id", "reported_on", "offence_code")
NEEDED = ("report_id", *SAME)


def merge_reports_registered_twice(work: Work) -> Selects:
    """Drop rows that say again, under another report_id, what an earlier report says.

    The same victim, suspect, day of report and offence; a row that lacks one of these is left. The
    report whose first row stands first in the file is kept. Where all rows of a report are dropped,
    what other tables say of it is given to the one kept; where that then has the same key as a row
    that is there, the row given is dropped as well.
    """
    if not work.has("reports", NEEDED):
        return {}
    again, moved = _mark(work)
    source = work.names["reports"]
    kept = f"SELECT * FROM {source} WHERE row_number NOT IN (SELECT row_number FROM {again})"
    selects = {"reports": kept}
    for name, table in work.tables():
        for key in table.foreign_keys:
            if key.resource == "reports" and work.has(name, key.fields):
                selects[name] = _move(work, name, key.fields[0], moved)
    return selects


def _mark(work: Work) -> tuple[str, str]:
    """Make the rows that are said again, and the reports that are thereby gone: old_id, new_id."""
    base = work.loaded["reports"].name
    again, moved = f"{base}_again", f"{base}_moved"
    source = work.names["reports"]
    filled = " AND ".join(f"{one} IS NOT NULL" for one in NEEDED)
    work.con.run(
        f"CREATE OR REPLACE TABLE {again} AS SELECT row_number, report_id, kept_id FROM ("
        f" SELECT row_number, report_id, first_value(report_id) OVER (PARTITION BY"
        f" {', '.join(SAME)} ORDER BY first_row, row_number) AS kept_id FROM ("
        f" SELECT *, min(row_number) OVER (PARTITION BY report_id) AS first_row FROM {source})"
        f" WHERE {SOUND} AND {filled}) WHERE kept_id <> report_id"
    )
    work.con.run(
        f"CREATE OR REPLACE TABLE {moved} AS SELECT a.report_id AS old_id,"
        f" arg_min(a.kept_id, a.row_number) AS new_id FROM {again} a GROUP BY a.report_id"
        f" HAVING count(*) = (SELECT count(*) FROM {source} s WHERE s.report_id = a.report_id)"
    )
    return again, moved


def _move(work: Work, name: str, column: str, moved: str) -> str:
    """A table with what belongs to a report that is gone given to the one kept."""
    target = quote_name(column)
    given = (
        f"SELECT t.* REPLACE (coalesce(m.new_id, t.{target}) AS {target}),"
        f" m.old_id IS NOT NULL AS is_given FROM {work.names[name]} t"
        f" LEFT JOIN {moved} m ON m.old_id = t.{target} AND {SOUND}"
    )
    parts = work.loaded[name].table.primary_key
    if column not in parts or not work.has(name, parts):
        return f"SELECT * EXCLUDE (is_given) FROM ({given})"
    key = ", ".join(map(quote_name, parts))
    return (
        f"SELECT * EXCLUDE (is_given) FROM ({given}) QUALIFY NOT is_given"
        f" OR row_number() OVER (PARTITION BY {key} ORDER BY is_given, row_number) = 1"
    )
