"""The cohort: which reports are index reports, and how each is followed.

All stages here take and give tables of the embedded engine (or of any other that ibis speaks).
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from revictimisation.cohort.eligibility import choose_first, classify_events, count_flow
from revictimisation.cohort.events import (
    gather_events,
    list_kin,
    rank_report_profiles,
    with_offence_group,
)
from revictimisation.cohort.follow_up import (
    add_first_outcome,
    add_follow_up,
    find_first_controls,
    find_outcomes,
    name_end_reason,
)
from revictimisation.core.codes import SAME_SUSPECT
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan


@dataclass(frozen=True)
class Cohort:
    """The study's people.

    `index_reports`: a row per victim x suspect, `(0, stop_day]` is at risk of the first outcome,
    `(0, end_day]` of any; `cause` is 0 (censored), 1 outcome, 2 death, 3 emigration, `end_cause`
    that at `end_day` (never 1); `own_day`: first new report against the same suspect, whoever the
    outcome is about; `turned_day`: first outcome had breach-only reports been counted otherwise
    than the study does; `other_day`, `control_day`, `outsider_day`: first report against somebody
    else (`find_first_controls`).
    `outcomes`: a row per entry x day with an outcome, 0 < lag < day <= end_day.
    `events`: a row per victim x suspect x day of report. `victim` and `pair` number victims and
    victims x suspects alike in both tables.
    `flow`: a row per rule, with what it dropped (n_dropped reports) and what is left.
    """

    index_reports: ir.Table
    outcomes: ir.Table
    events: ir.Table
    flow: pd.DataFrame


def build_cohort(
    reports: ir.Table, persons: ir.Table, dictionary: Dictionary, plan: StudyPlan
) -> Cohort:
    """Build the cohort of a study from the extract's `reports` and `persons`.

    The index report is a victim's first eligible report against a suspect in the accrual time;
    a victim enters once per suspect. `entry_id` counts from 0 in the order of victim and suspect,
    `cluster_id` in that of victims.
    """
    grouped = with_offence_group(reports, dictionary)
    report_profiles = rank_report_profiles(grouped).cache()
    events = classify_events(
        gather_events(grouped, report_profiles, persons, list_kin(dictionary)),
        report_profiles,
        plan,
    ).cache()
    entries = _number_entries(add_follow_up(choose_first(events), plan)).cache()
    outcomes = find_outcomes(entries, events, plan).cache()
    controls = find_first_controls(entries, events, plan)
    own = find_outcomes(entries, events, plan, SAME_SUSPECT)
    turned = find_outcomes(entries, events, plan, is_turned=True)
    first = add_first_outcome(entries, outcomes, controls, own, turned)
    followed = _add_ids(first, reports).cache()
    said = report_profiles.drop("gravity", "offence_code")
    profiled = name_end_reason(followed).join(said, "report_profile")
    index_reports = profiled.drop("report_profile").cache()
    return Cohort(index_reports, outcomes, events, count_flow(events, entries))


def _number_entries(entries: ir.Table) -> ir.Table:
    return entries.mutate(
        entry_id=ibis.row_number().over(order_by=["victim", "pair"]).cast("int32"),
        cluster_id=ibis.dense_rank().over(order_by="victim").cast("int32"),
    )


def _add_ids(entries: ir.Table, reports: ir.Table) -> ir.Table:
    """Bring the pseudonyms back."""
    ids = reports.select("row_number", "victim_id", "suspect_id")
    return entries.join(ids, "row_number").drop("row_number")
