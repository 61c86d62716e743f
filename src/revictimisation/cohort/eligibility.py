"""Eligibility: the rule that each event breaks first, and what the rules drop."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from revictimisation.core.engine import days_since
from revictimisation.plan import StudyPlan

# Why an event is not an index report, in the order in which the rules are asked.
RULES = (
    "suspect_unknown",
    "before_accrual",
    "after_accrual",
    "relation_not_eligible",
    "age_not_eligible",
    "district_not_eligible",
    "municipality_not_eligible",
    "not_honour_related",
    "earlier_report_within_washout",
)
ELIGIBLE = len(RULES)


def _break_rules(events: ir.Table, plan: StudyPlan) -> list[ir.BooleanValue]:
    """For each of `RULES`, whether an event breaks it."""
    rules = plan.eligibility
    from_on, to_on = (
        ibis.date(on.isoformat()) for on in (plan.accrual.from_on, plan.accrual.to_on)
    )
    age = events.reported_on.year() - events.birth_year
    everyone = rules.min_age == 0 and rules.max_age >= 120
    since = days_since(events.reported_on, events.previous_on)

    def is_outside(place: ir.StringValue, allowed: tuple[str, ...] | None) -> ir.BooleanValue:
        if allowed is None:
            return ibis.literal(False)
        return ~place.isin(allowed or [""]).fill_null(False)

    return [
        ~events.is_known,
        events.reported_on < from_on,
        events.reported_on > to_on,
        is_outside(events.relation, rules.relations),
        ~age.between(rules.min_age, rules.max_age).fill_null(everyone),
        is_outside(events.police_district, rules.districts),
        is_outside(events.municipality_code, rules.municipalities),
        (events.is_honour != 1).fill_null(True) if rules.honour == "only" else ibis.literal(False),
        (since <= rules.washout_days).fill_null(False),
    ]


def classify_events(events: ir.Table, report_profiles: ir.Table, plan: StudyPlan) -> ir.Table:
    """Add to each event the first of `RULES` that it breaks.

    `level` is the rule's place in `RULES`, `ELIGIBLE` if none. Washout: an earlier report by the
    victim against the same suspect 1 to `washout_days` days before. A victim whose year of birth
    is missing is of eligible age only if no age is excluded.
    """
    by_day = ibis.window(group_by="pair", order_by="reported_on")
    dated = events.mutate(previous_on=events.reported_on.lag().over(by_day))
    joined = dated.join(report_profiles, "report_profile")
    cases = [(is_broken, at) for at, is_broken in enumerate(_break_rules(joined, plan))]
    level = ibis.cases(*cases, else_=ELIGIBLE).cast("int8")
    return joined.select(*events.columns, level=level)


def choose_first(events: ir.Table) -> ir.Table:
    """The first eligible event of each victim x suspect."""
    eligible = events.filter(events.level == ELIGIBLE)
    first = eligible.group_by("pair").aggregate(reported_on=eligible.reported_on.min())
    return eligible.semi_join(first, ["pair", "reported_on"])


def count_flow(events: ir.Table, entries: ir.Table) -> pd.DataFrame:
    """Count what each rule drops, in order: reason, n_people and n_reports left, n_dropped.

    The first lines count report rows; `same_day_merged` turns rows into events (a row per victim
    x suspect x day). Each line's n_reports is the line's before less its n_dropped.
    """
    furthest = events.group_by("victim").aggregate(level=events.level.max())
    people = _sum_by_level(furthest, furthest.count())
    n_rows = _sum_by_level(events, events.n_rows.sum())
    n_events = _sum_by_level(events, events.count())
    n_first = _sum_by_level(events, events.pair.nunique())[ELIGIBLE]
    n_left = entries.aggregate(n_people=entries.victim.nunique(), n=entries.count()).to_pandas()
    left = [
        ("in_extract", sum(people), sum(n_rows)),
        (RULES[0], sum(people[1:]), sum(n_rows[1:])),
        ("same_day_merged", sum(people[1:]), sum(n_events[1:])),
        *[(rule, sum(people[at:]), sum(n_events[at:])) for at, rule in enumerate(RULES[1:], 2)],
        ("not_first_eligible_report", people[ELIGIBLE], n_first),
        ("no_follow_up", *n_left.iloc[0]),
    ]
    flow = pd.DataFrame(left, columns=["reason", "n_people", "n_reports"])
    return flow.assign(n_dropped=-flow["n_reports"].diff().fillna(0).astype("int64"))


def _sum_by_level(table: ir.Table, n: ir.IntegerValue) -> list[int]:
    found = table.group_by("level").aggregate(n=n).to_pandas().set_index("level")["n"]
    return [int(found.get(at, 0)) for at in range(ELIGIBLE + 1)]
