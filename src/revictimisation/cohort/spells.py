"""Spells: when each measure was in force for each entry, in days from its index report.

A measure is carried out on days `[start_on, end_on)`, whatever was decided. As it acts from the
day after its start, in person-time it is in force on `(start_day, stop_day]`.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from revictimisation.core.engine import days_since
from revictimisation.plan import StudyPlan

# Which table holds whose measures: the name of the key and of the code.
SOURCES = {
    "police_measures": ("victim_id", "measure"),
    "social_interventions": ("person_id", "intervention"),
    "suspect_interventions": ("suspect_id", "intervention"),
}
# Later than any day of any study; "still in force at the end of the data".
OPEN_END_DAY = 200_000


def gather_measures(tables: dict[str, ir.Table]) -> ir.Table:
    """Stack the three tables of measures: a row per decision on a measure.

    Columns: source, row_number, victim_id or suspect_id (the other is null), code, decision (null
    for measures towards a suspect), decided_on, start_on, end_on.
    """
    parts = []
    for source, (key, code) in SOURCES.items():
        table = tables[source]
        is_suspect = key == "suspect_id"
        none = ibis.null("string")
        parts.append(
            table.select(
                "row_number",
                "decided_on",
                "start_on",
                "end_on",
                source=ibis.literal(source),
                victim_id=none if is_suspect else table[key],
                suspect_id=table[key] if is_suspect else none,
                code=table[code],
                decision=none if is_suspect else table["decision"],
            )
        )
    return ibis.union(*parts)


def attach_entries(measures: ir.Table, index_reports: ir.Table) -> ir.Table:
    """Give each decision on a measure to the entries it concerns, in days from the index report.

    A victim's measure concerns all the victim's entries, a suspect's all entries against the
    suspect. A row per decision x entry: source, row_number, code, decision, entry_id, decided_day,
    start_day (null: never carried out), stop_day (an open end is `OPEN_END_DAY`).
    """
    entries = index_reports.select("entry_id", "victim_id", "suspect_id", "index_on")
    parts = [
        measures.filter(measures[key].notnull())
        .join(entries, key)
        .select(
            "source",
            "row_number",
            "code",
            "decision",
            "entry_id",
            decided_day=days_since(ibis._.decided_on, ibis._.index_on),
            start_day=days_since(ibis._.start_on, ibis._.index_on),
            stop_day=days_since(ibis._.end_on, ibis._.index_on).fill_null(OPEN_END_DAY),
        )
        for key in ("victim_id", "suspect_id")
    ]
    return ibis.union(*parts)


def _code_spells(attached: ir.Table, plan: StudyPlan) -> ir.Table | None:
    """Spells of the measures that are sets of codes."""
    pairs = [(name, code) for name, measure in plan.measures.items() for code in measure.codes]
    if not pairs:
        return None
    named = ibis.memtable(pd.DataFrame(pairs, columns=["measure", "code"]))
    return attached.join(named, "code").select("entry_id", "measure", "start_day", "stop_day")


def _joint_spells(attached: ir.Table, name: str, within_days: int) -> ir.Table:
    """Spells of what police and social services started within some days of each other.

    A pair starts on the later start and is in force while both are, `(later start, earlier end]`;
    where they never overlap it has a start and no time in force.
    """
    police = attached.filter(attached.source == "police_measures")
    social = attached.filter(attached.source == "social_interventions").select(
        "entry_id", social_start=ibis._.start_day, social_stop=ibis._.stop_day
    )
    pairs = police.join(
        social,
        [
            police.entry_id == social.entry_id,
            police.start_day <= social.social_start + within_days,
            social.social_start <= police.start_day + within_days,
        ],
    )
    start = ibis.greatest(pairs.start_day, pairs.social_start)
    stop = ibis.least(pairs.stop_day, pairs.social_stop)
    return pairs.select(
        "entry_id",
        measure=ibis.literal(name),
        start_day=start,
        stop_day=ibis.greatest(start, stop),
    ).distinct()


def find_shared(assessments: ir.Table, index_reports: ir.Table) -> ir.Table:
    """The risk assessments that reached the other agency, for each entry of the victim.

    A row per assessment x entry: entry_id, start_day (the day it reached it), after_days (since it
    was made).
    """
    shared = assessments.filter(assessments.shared_on.notnull())
    entries = index_reports.select("entry_id", "victim_id", "index_on")
    joined = shared.join(entries, "victim_id")
    return joined.select(
        "entry_id",
        start_day=days_since(joined.shared_on, joined.index_on),
        after_days=days_since(joined.shared_on, joined.assessed_on),
    )


def _shared_spells(shared: ir.Table, name: str, within_days: int) -> ir.Table:
    """A start of the measure on the day an assessment was shared, and no time in force."""
    soon = shared.filter(shared.after_days.between(0, within_days))
    return soon.select(
        "entry_id",
        measure=ibis.literal(name),
        start_day=soon.start_day,
        stop_day=soon.start_day,
    ).distinct()


def build_spells(attached: ir.Table, plan: StudyPlan, shared: ir.Table | None = None) -> ir.Table:
    """Build the spells of all measures of a study: entry_id, measure, start_day, stop_day.

    `shared`: of `find_shared`, for measures with `shared_within_days`.
    A row per spell; those of one measure may overlap. Days are not clipped to follow-up: a
    negative start began before the index report.
    """
    carried_out = attached.filter(attached.start_day.notnull())
    parts = [_code_spells(carried_out, plan)]
    for name, measure in plan.measures.items():
        if measure.joint_within_days is not None:
            parts.append(_joint_spells(carried_out, name, measure.joint_within_days))
        if measure.shared_within_days is not None and shared is not None:
            parts.append(_shared_spells(shared, name, measure.shared_within_days))
    found = [part for part in parts if part is not None]
    if not found:
        none = carried_out.mutate(measure=ibis.literal("")).filter(ibis.literal(False))
        return none.select("entry_id", "measure", "start_day", "stop_day")
    return ibis.union(*found) if len(found) > 1 else found[0]


def find_starts(spells: ir.Table) -> ir.Table:
    """Find each entry's first start of each measure on or after day 0.

    A row per entry x measure with any spell: `first_start_day` (null: none), and
    `is_running_before`: in force before day 0 and still on it, which makes the entry not eligible
    for the measure's comparison.
    """
    return spells.group_by(["entry_id", "measure"]).aggregate(
        first_start_day=spells.start_day.min(where=spells.start_day >= 0),
        is_running_before=((spells.start_day < 0) & (spells.stop_day > 0)).any(),
    )
