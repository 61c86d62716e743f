"""What followed in court on each index report: evidence, the suspect's history, and dated steps.

The case of an entry is what investigations and decisions say of the report(s) that the victim made
against the suspect on day 0, so that measures, covariates and case have one beginning and a victim
enters once per suspect. What follows on later reports is not counted here.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revictimisation.core.codes import EVIDENCE, MISSING, PARTICIPATION
from revictimisation.core.engine import days_since
from revictimisation.plan import StudyPlan

INVESTIGATED, DISCONTINUED, CONVICTED = "investigated", "discontinued", "convicted"


def find_index_cases(index_reports: ir.Table, reports: ir.Table) -> ir.Table:
    """Find which reports an entry began with: a row per entry x report_id.

    Several reports of one victim against one suspect on day 0 are one event (contract, Ties).
    """
    entries = index_reports.select("entry_id", "victim_id", "suspect_id", "index_on")
    joined = entries.join(
        reports,
        [
            entries.victim_id == reports.victim_id,
            entries.suspect_id == reports.suspect_id,
            entries.index_on == reports.reported_on,
        ],
    )
    return joined.select("entry_id", "suspect_id", "index_on", "report_id").distinct()


def attach_court_rows(index_cases: ir.Table, table: ir.Table) -> ir.Table:
    """Give each row of `investigations` or `case_decisions` to the entries it concerns.

    A row per row x entry. A row that names no suspect concerns every suspect of its report.
    """
    renamed = table.rename(case_suspect_id="suspect_id", case_report_id="report_id")
    joined = index_cases.join(renamed, index_cases.report_id == renamed.case_report_id)
    return joined.filter(
        (joined.case_suspect_id == joined.suspect_id) | joined.case_suspect_id.isnull()
    )


def list_case_steps(index_cases: ir.Table, tables: dict[str, ir.Table]) -> ir.Table:
    """List the dated steps of each entry's case: entry_id, day, step, reason; by entry and day.

    Steps: `investigated` (the day an investigation was opened), `discontinued` (a decision, or an
    investigation closed with a reason, which then stands in `reason`), and the other decisions as
    `case_decisions` has them. Days count from the index report; steps without a date are none.
    """
    opened = attach_court_rows(index_cases, tables["investigations"])
    decided = attach_court_rows(index_cases, tables["case_decisions"])
    none = ibis.null("string")
    parts = [
        _date_steps(opened, opened.opened_on, ibis.literal(INVESTIGATED), none),
        _date_steps(
            opened.filter(opened.closing_reason.notnull()),
            opened.closed_on,
            ibis.literal(DISCONTINUED),
            opened.closing_reason,
        ),
        _date_steps(decided, decided.decided_on, decided.decision, none),
    ]
    return ibis.union(*parts, distinct=True).order_by(["entry_id", "day", "step", "reason"])


def _date_steps(
    rows: ir.Table, on: ir.DateValue, step: ir.StringValue, reason: ir.StringValue
) -> ir.Table:
    dated = rows.select("entry_id", day=days_since(on, rows.index_on), step=step, reason=reason)
    return dated.filter(dated.day.notnull())


def describe_cases(
    index_reports: ir.Table, index_cases: ir.Table, tables: dict[str, ir.Table], plan: StudyPlan
) -> ir.Table:
    """Describe each entry's case: a row per entry, in its order.

    Evidence and the victim's participation as text true, false, missing (true if any of several
    investigations says so). `n_suspect_reports`: days on which anybody reported the suspect before
    day 0, capped as `n_earlier_reports` is; `n_suspect_convictions`: the suspect's convictions
    before day 0, capped alike. `change_day`: the first day on which the newer definitions of
    clearance hold (`convictions.definitions_change_on`), in days from the index report.
    """
    opened = attach_court_rows(index_cases, tables["investigations"])
    names = (*EVIDENCE, PARTICIPATION)
    found = opened.group_by("entry_id").aggregate(
        **{name: opened[name].cast("int8").max() for name in names}
    )
    entries = index_reports.select("entry_id", "suspect_id", "index_on")
    cap = plan.definitions.earlier_reports_cap
    reports = tables["reports"].select("suspect_id", on="reported_on").distinct()
    decided = tables["case_decisions"].filter(lambda t: t.decision == CONVICTED)
    convictions = decided.select("suspect_id", "report_id", on="decided_on").distinct()
    joined = (
        entries.left_join(found, "entry_id")
        .drop("entry_id_right")
        .left_join(_count_before(entries, reports, "n_suspect_reports", cap), "entry_id")
        .drop("entry_id_right")
        .left_join(_count_before(entries, convictions, "n_suspect_convictions", cap), "entry_id")
        .drop("entry_id_right")
    )
    change_on = ibis.date(plan.convictions.definitions_change_on.isoformat())
    return joined.select(
        "entry_id",
        **{name: _describe_truth(joined[name]) for name in names},
        n_suspect_reports=joined.n_suspect_reports.fill_null(0),
        n_suspect_convictions=joined.n_suspect_convictions.fill_null(0),
        change_day=days_since(change_on, joined.index_on),
    ).order_by("entry_id")


def _count_before(entries: ir.Table, dated: ir.Table, name: str, cap: int) -> ir.Table:
    """How many dated rows of the suspect lie before day 0, capped."""
    joined = entries.join(dated, "suspect_id")
    earlier = joined.filter(joined.on < joined.index_on)
    count = ibis.least(earlier.count(), cap).cast("int32")
    return earlier.group_by("entry_id").aggregate(**{name: count})


def _describe_truth(value: ir.IntegerValue) -> ir.StringValue:
    return ibis.cases((value == 1, "true"), (value == 0, "false"), else_=MISSING)
