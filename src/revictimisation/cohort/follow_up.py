"""Follow-up: how long each entry is followed, its outcomes, and why it ends."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revictimisation.core.codes import ANY_KIN, CAUSES, OUTCOME, SAME_SUSPECT
from revictimisation.core.engine import days_since
from revictimisation.plan import StudyPlan

# Why follow-up ends, by number: the causes as `cause` has them, then the two that censor.
END_REASONS = ("horizon", *CAUSES, "data_end")


def add_follow_up(first: ir.Table, plan: StudyPlan) -> ir.Table:
    """Add the end of follow-up (`end_day`), why it ends, and keep what is followed a day at least.

    Day 0 is the index report. An emigration before it was followed by a return: it ends nothing.
    """
    index_on = first.reported_on
    away_day = days_since(first.emigrated_on, index_on)
    days = {
        "death": days_since(first.died_on, index_on),
        "emigration": ibis.cases((away_day >= 0, away_day)),
        "data_end": days_since(ibis.date(plan.data_end_on.isoformat()), index_on),
    }
    horizon = plan.horizon_days
    end_day = ibis.least(horizon, *[day.fill_null(horizon) for day in days.values()])
    dated = first.mutate(**days, end_day=end_day.cast("int32"))
    reasons = [((dated[name] == dated.end_day).fill_null(False), name) for name in days]
    numbers = [(is_it, END_REASONS.index(name)) for is_it, name in reasons]
    followed = dated.filter(dated.end_day > 0)
    return followed.select(
        "victim",
        "pair",
        "row_number",
        "report_profile",
        "is_honour",
        "birth_year",
        "end_day",
        index_on=followed.reported_on,
        data_end_day=followed.data_end,
        reason=ibis.cases(*numbers, else_=0).cast("int8"),
    )


def find_outcomes(
    entries: ir.Table,
    events: ir.Table,
    plan: StudyPlan,
    who: str | None = None,
    *,
    is_turned: bool = False,
) -> ir.Table:
    """Find the outcomes of each entry: a row per entry x day, `lag_days` < day <= `end_day`.

    `who` they are about, the study's if not given: the entry's suspect, any suspect, or the entry's
    suspect or anyone of the victim's kin. Of several a day's reports are one event, and breach-only
    if all of them are. `is_turned`: these count where the study drops them, and do not where it
    counts them.
    """
    rules = plan.outcome
    who = who or rules.who
    key = "pair" if who == SAME_SUSPECT else "victim"
    is_dropped = rules.drop_breach_only != is_turned
    new = events.filter(~events.is_breach_only) if is_dropped else events
    joined = entries.select("entry_id", "end_day", "index_on", key, own_pair="pair").join(
        new.select(key, "reported_on", "is_kin", of_pair="pair"), key
    )
    if who == ANY_KIN:
        joined = joined.filter(joined.is_kin | (joined.of_pair == joined.own_pair))
    found = joined.select(
        "entry_id", "end_day", day=days_since(joined.reported_on, joined.index_on)
    ).filter(lambda t: (t.day > rules.lag_days) & (t.day <= t.end_day))
    found = found.select("entry_id", "day")
    return found.distinct() if key == "victim" else found


def find_first_controls(entries: ir.Table, events: ir.Table, plan: StudyPlan) -> ir.Table:
    """Find the first report of each entry against somebody else: a row per entry with any.

    `other_day`: by the victim against a known person who is not the suspect of any of this victim's
    entries, `lag_days` < day <= `end_day`, past the first outcome too. A report against somebody
    unknown may be against the index suspect, and one made on a day on which the victim also reports
    an index suspect may be of the same event: neither counts, nor does one against kin where that
    is the study's outcome.

    `control_day`: the first of these that is a negative control: no measure aimed at the index
    suspect can prevent it (Lipsitch, Tchetgen Tchetgen & Cohen 2010). Violence in the name of
    honour is decided and carried out by several, and protection from one should protect from all.
    So where any of the victim's index reports is honour-related, only reports against outsiders
    (`gather_events`) are controls, and a report that is itself honour-related never is.
    `outsider_day`: the same with every case taken as an honour case, for measures that the study
    says are aimed at a whole family.
    """
    index_pairs = entries.select("pair").distinct()
    index_days = events.semi_join(index_pairs, "pair").select("victim", "reported_on").distinct()
    new = events.filter(~events.is_breach_only) if plan.outcome.drop_breach_only else events
    # an index suspect's own reports are all made on such days
    others = new.filter(new.is_known).anti_join(index_days, ["victim", "reported_on"])
    if plan.outcome.who == ANY_KIN:
        others = others.filter(~others.is_kin)
    by_victim = ibis.window(group_by="victim")
    cases = entries.mutate(in_honour=entries.is_honour.max().over(by_victim).fill_null(0) == 1)
    joined = cases.select("entry_id", "end_day", "index_on", "victim", "in_honour").join(
        others.select("victim", "reported_on", "is_honour", "is_outsider"), "victim"
    )
    found = joined.mutate(
        day=days_since(joined.reported_on, joined.index_on),
        is_apart=joined.is_honour.fill_null(0) == 0,
    ).filter(lambda t: (t.day > plan.outcome.lag_days) & (t.day <= t.end_day))
    return found.group_by("entry_id").aggregate(
        other_day=found.day.min(),
        control_day=found.day.min(where=found.is_apart & (found.is_outsider | ~found.in_honour)),
        outsider_day=found.day.min(where=found.is_apart & found.is_outsider),
    )


def add_first_outcome(
    entries: ir.Table, outcomes: ir.Table, controls: ir.Table, own: ir.Table, turned: ir.Table
) -> ir.Table:
    """Add the end of time at risk of the first outcome (`stop_day`) and its `cause`.

    Also `own_day`, the first of those against the same suspect (`own`; missing: none),
    `turned_day`, the first had breach-only reports been counted otherwise (`turned`), `end_cause`,
    why follow-up ends past any outcome (0, 2 death, 3 emigration), and the days of
    `find_first_controls`, missing where there is none.
    """
    first = outcomes.group_by("entry_id").aggregate(outcome_day=outcomes.day.min())
    joined = entries.left_join(first, "entry_id").drop("entry_id_right")
    joined = joined.left_join(controls, "entry_id").drop("entry_id_right")
    for name, days in (("own_day", own), ("turned_day", turned)):
        earliest = days.group_by("entry_id").aggregate(**{name: days.day.min()})
        joined = joined.left_join(earliest, "entry_id").drop("entry_id_right")
    reason = ibis.ifelse(joined.outcome_day.notnull(), OUTCOME, joined.reason).cast("int8")
    return joined.mutate(
        stop_day=ibis.coalesce(joined.outcome_day, joined.end_day),
        reason=reason,
        cause=ibis.ifelse(reason <= len(CAUSES), reason, 0).cast("int8"),
        end_cause=ibis.ifelse(joined.reason <= len(CAUSES), joined.reason, 0).cast("int8"),
    ).drop("outcome_day")


def name_end_reason(entries: ir.Table) -> ir.Table:
    """Put the text `end_reason` in place of its number."""
    cases = [(entries.reason == number, text) for number, text in enumerate(END_REASONS)]
    return entries.mutate(end_reason=ibis.cases(*cases)).drop("reason")
