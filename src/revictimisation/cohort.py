"""The cohort: which reports are index reports, and how each is followed.

All stages here take and give tables of the embedded engine (or of any other that ibis speaks);
nothing is computed until the last table is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
from ibis import _

from revictimisation.codes import BREACH_GROUP, CAUSES, OTHER
from revictimisation.dictionary import Dictionary
from revictimisation.engine import days_since
from revictimisation.plan import StudyPlan

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Why a report is not an index report, in the order in which the rules are asked.
REASONS = (
    "before_accrual",
    "after_accrual",
    "relation_not_eligible",
    "age_not_eligible",
    "district_not_eligible",
    "municipality_not_eligible",
    "earlier_report_within_washout",
    "not_first_eligible_report",
    "no_follow_up",
)


@dataclass(frozen=True)
class Cohort:
    """The study's people.

    `index_reports`: a row per victim x suspect, `(0, stop_day]` is at risk of the first outcome,
    `(0, end_day]` of any; `cause` is 0 (censored), 1 outcome, 2 death, 3 emigration.
    `outcomes`: a row per entry x day with an outcome, 0 < lag < day <= end_day.
    `events`: a row per victim x suspect x day of report.
    `flow`: a row per rule, with what it dropped (n_dropped reports) and what is left.
    """

    index_reports: ir.Table
    outcomes: ir.Table
    events: ir.Table
    flow: pd.DataFrame


def with_offence_group(reports: ir.Table, dictionary: Dictionary) -> ir.Table:
    """Add `offence_group` and `gravity` to reports, by the dated code list.

    A code has the group of its entry valid on the day of the report; an entry also serves the days
    up to the next one, the first those before it. An unknown code belongs to `other`.
    """
    gravity = dictionary.codes("offence_groups").set_index("code")["gravity"].astype("int32")
    codes = dictionary.codes("offences").sort_values(["code", "valid_from_on"], kind="stable")
    begin = codes["valid_from_on"].where(codes["code"].duplicated(), "0001-01-01")
    end = codes.groupby("code")["valid_from_on"].shift(-1).fillna("9999-12-31")
    entries = ibis.memtable(
        pd.DataFrame(
            {
                "code": codes["code"],
                "begin_on": begin,
                "end_on": end,
                "offence_group": codes["offence_group"],
                "gravity": codes["offence_group"].map(gravity).fillna(0).astype("int32"),
            }
        )
    ).mutate(begin_on=_.begin_on.cast("date"), end_on=_.end_on.cast("date"))
    joined = reports.left_join(
        entries,
        [
            reports.offence_code == entries.code,
            reports.reported_on >= entries.begin_on,
            reports.reported_on < entries.end_on,
        ],
    )
    return joined.select(
        reports,
        offence_group=entries.offence_group.fill_null(OTHER),
        gravity=entries.gravity.fill_null(0).cast("int32"),
    )


def gather_events(reports: ir.Table) -> ir.Table:
    """Collapse reports (with offence groups) to a row per victim x suspect x day.

    What a report says is taken from its gravest offence (then code, then relation, so that the
    order of rows plays no part); it is honour-related if any of its rows is.
    """
    # The least of these, field by field, is the gravest offence.
    said = ibis.struct(
        {
            "gravity": -reports.gravity,
            "offence_code": reports.offence_code,
            "relation": reports.relation,
            "police_district": reports.police_district,
            "municipality_code": reports.municipality_code,
            "offence_group": reports.offence_group,
        }
    )
    events = reports.group_by(["victim_id", "suspect_id", "reported_on"]).aggregate(
        said=said.min(),
        is_honour=reports.is_honour.cast("int8").max(),
        is_breach_only=(reports.offence_group == BREACH_GROUP).cast("int8").min() == 1,
    )
    fields = ("offence_group", "relation", "police_district", "municipality_code")
    return events.mutate(**{name: events.said[name] for name in fields}).drop("said")


def _ineligible(events: ir.Table, plan: StudyPlan) -> dict[str, ir.BooleanValue]:
    """For each rule but the last two, whether an event breaks it."""
    rules = plan.eligibility
    from_on, to_on = (ibis.date(on.isoformat()) for on in (plan.accrual.from_on, plan.accrual.to_on))
    age = events.reported_on.year() - events.birth_year
    everyone = rules.min_age == 0 and rules.max_age >= 120
    previous = events.previous_on
    never = ibis.literal(False)
    return {
        "before_accrual": events.reported_on < from_on,
        "after_accrual": events.reported_on > to_on,
        "relation_not_eligible": ~events.relation.isin(rules.relations).fill_null(False)
        if rules.relations
        else ~never,
        "age_not_eligible": ~age.between(rules.min_age, rules.max_age).fill_null(everyone),
        "district_not_eligible": never
        if rules.districts is None
        else ~events.police_district.isin(rules.districts or [""]).fill_null(False),
        "municipality_not_eligible": never
        if rules.municipalities is None
        else ~events.municipality_code.isin(rules.municipalities or [""]).fill_null(False),
        "earlier_report_within_washout": (
            previous.notnull() & (days_since(events.reported_on, previous) <= rules.washout_days)
        ).fill_null(False),
    }


def classify_events(events: ir.Table, persons: ir.Table, plan: StudyPlan) -> ir.Table:
    """Say of every event with a known suspect why it is not an index report (`reason`, or null).

    Washout: an earlier report by the victim against the same suspect 1 to `washout_days` days
    before. A victim whose year of birth is missing is of eligible age only if no age is excluded.
    """
    known = events.filter(events.suspect_id.notnull())
    pair = ibis.window(group_by=["victim_id", "suspect_id"], order_by="reported_on")
    known = known.mutate(previous_on=known.reported_on.lag().over(pair))
    people = persons.select(
        "person_id",
        "birth_year",
        died_day=persons.died_on,
        emigrated_day=persons.emigrated_on,
    )
    joined = known.left_join(people, known.victim_id == people.person_id).drop("person_id")
    broken = _ineligible(joined, plan)
    reason = ibis.cases(*[(rule, ibis.literal(name)) for name, rule in broken.items()])
    joined = joined.mutate(reason=reason)
    eligible_before = (
        joined.reason.isnull()
        .cast("int32")
        .sum()
        .over(
            ibis.cumulative_window(group_by=["victim_id", "suspect_id"], order_by="reported_on")
        )
    )
    joined = joined.mutate(n_eligible=eligible_before)
    end_on = ibis.date(plan.data_end_on.isoformat())
    follow_up = joined.mutate(
        death_day=days_since(joined.died_day, joined.reported_on),
        # An emigration before the index report was followed by a return: it ends nothing.
        emigration_day=(days_since(joined.emigrated_day, joined.reported_on)),
        data_end_day=days_since(end_on, joined.reported_on),
    )
    emigration_day = ibis.cases((follow_up.emigration_day >= 0, follow_up.emigration_day))
    admin = ibis.least(follow_up.data_end_day, plan.horizon_days)
    end_day = ibis.least(
        admin, follow_up.death_day.fill_null(admin), emigration_day.fill_null(admin)
    )
    follow_up = follow_up.mutate(emigration_day=emigration_day, end_day=end_day)
    return follow_up.mutate(
        reason=ibis.coalesce(
            follow_up.reason,
            ibis.cases(
                (follow_up.n_eligible > 1, "not_first_eligible_report"),
                (follow_up.end_day <= 0, "no_follow_up"),
            ),
        )
    ).drop("died_day", "emigrated_day", "previous_on", "n_eligible")


def find_outcomes(entries: ir.Table, events: ir.Table, plan: StudyPlan) -> ir.Table:
    """Find the outcomes of each entry: a row per entry x day, `lag_days` < day <= `end_day`.

    Against any suspect, a day's reports are one event, and breach-only if all of them are.
    """
    rules = plan.outcome
    keys = ["victim_id"] if rules.who == "any_suspect" else ["victim_id", "suspect_id"]
    new = events.group_by([*keys, "reported_on"]).aggregate(
        is_breach_only=events.is_breach_only.cast("int8").min() == 1
    )
    if rules.drop_breach_only:
        new = new.filter(~new.is_breach_only)
    joined = entries.select("entry_id", "end_day", "index_on", *keys).inner_join(new, keys)
    day = days_since(joined.reported_on, joined.index_on)
    return (
        joined.select("entry_id", "end_day", day=day)
        .filter(lambda t: (t.day > rules.lag_days) & (t.day <= t.end_day))
        .select("entry_id", "day")
    )


def _follow(entries: ir.Table, outcomes: ir.Table) -> ir.Table:
    """Add the first outcome, the end of follow-up and its cause."""
    first = outcomes.group_by("entry_id").aggregate(outcome_day=outcomes.day.min())
    joined = entries.left_join(first, "entry_id").drop("entry_id_right")
    stop_day = ibis.coalesce(joined.outcome_day, joined.end_day)
    joined = joined.mutate(stop_day=stop_day)
    is_at_end = [
        joined.outcome_day.notnull(),
        (joined.death_day == joined.stop_day).fill_null(False),
        (joined.emigration_day == joined.stop_day).fill_null(False),
        (joined.data_end_day == joined.stop_day).fill_null(False),
    ]
    names = (*CAUSES, "data_end")
    end_reason = ibis.cases(*zip(is_at_end, names, strict=True), else_="horizon")
    cause = ibis.cases(
        *[(is_it, code) for code, is_it in enumerate(is_at_end[:3], start=1)], else_=0
    )
    return joined.mutate(end_reason=end_reason, cause=cause.cast("int8"))


def build_cohort(
    reports: ir.Table, persons: ir.Table, dictionary: Dictionary, plan: StudyPlan
) -> Cohort:
    """Build the cohort of a study from the extract's `reports` and `persons`.

    The index report is a victim's first eligible report against a suspect in the accrual time;
    a victim enters once per suspect. `entry_id` counts from 0 in the order of victim and suspect.
    """
    events = gather_events(with_offence_group(reports, dictionary)).cache()
    classified = classify_events(events, persons, plan).cache()
    order = ibis.window(order_by=["victim_id", "suspect_id"])
    clusters = ibis.window(order_by="victim_id")
    chosen = classified.filter(classified.reason.isnull())
    entries = chosen.mutate(
        entry_id=ibis.row_number().over(order).cast("int32"),
        cluster_id=ibis.dense_rank().over(clusters).cast("int32"),
        index_on=chosen.reported_on,
    ).cache()
    outcomes = find_outcomes(entries, events, plan).cache()
    index_reports = _follow(entries, outcomes).drop("reason", "reported_on").cache()
    flow = count_flow(reports, classified)
    return Cohort(index_reports, outcomes, events, flow)


def count_flow(reports: ir.Table, classified: ir.Table) -> pd.DataFrame:
    """Count what each rule drops, in order: reason, n_people and n_reports left, n_dropped.

    The first lines count report rows; `same_day_merged` turns rows into events (a row per victim
    x suspect x day). Each line's n_reports is the line's before less its n_dropped.
    """
    level = ibis.cases(
        *[(classified.reason == reason, rank) for rank, reason in enumerate(REASONS)],
        else_=len(REASONS),
    )
    ranked = classified.select("victim_id", level=level)
    dropped = _histogram(ranked.level)
    furthest = _histogram(ranked.group_by("victim_id").aggregate(level=_.level.max()).level)
    total, known, people, people_known = (
        reports.aggregate(
            total=reports.count(),
            known=reports.suspect_id.notnull().cast("int64").sum(),
            people=reports.victim_id.nunique(),
            people_known=reports.victim_id.nunique(where=reports.suspect_id.notnull()),
        )
        .to_pandas()
        .fillna(0)
        .iloc[0]
        .astype(int)
    )
    lines = [
        ("in_extract", people, total, 0),
        ("suspect_unknown", people_known, known, total - known),
        ("same_day_merged", people_known, sum(dropped), known - sum(dropped)),
    ]
    for rank, reason in enumerate(REASONS):
        left = (sum(furthest[rank + 1 :]), sum(dropped[rank + 1 :]))
        lines.append((reason, *left, dropped[rank]))
    return pd.DataFrame(lines, columns=["reason", "n_people", "n_reports", "n_dropped"])


def _histogram(level: ir.IntegerColumn) -> list[int]:
    counts = level.value_counts(name="n").to_pandas().set_index("level")["n"]
    return [int(counts.get(rank, 0)) for rank in range(len(REASONS) + 1)]
