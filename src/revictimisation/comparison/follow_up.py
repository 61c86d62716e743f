"""How long people can be followed, and how well the two agencies' people were joined."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.comparison.cohorts import Cohort, count
from revictimisation.comparison.rows import cannot_compare, combine_rows, make_rows
from revictimisation.core.results import choose
from revictimisation.estimators.two_samples import compare_logs, compare_shares, to_gap
from revictimisation.plan.parts import Comparison

BEFORE = "ends_before_data_end"
LINKED = ("linked_by_number", "linked_by_probability")


def compare_follow_up(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """The shares who can be followed to each day, and data that end before the study does."""
    parts = [_compare_followed(reference, new, limits), _find_early_ends(new, limits)]
    return combine_rows(parts)


def _compare_followed(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    found = [one.read_checks("profile", "share_followed") for one in (reference, new)]
    days = [day for day in found[0] if day in found[1]]
    same = {"check": "follow_up", "cohort": new.name, "limit": limits.followed_share}
    if not days:
        return cannot_compare("not_in_release", **same)
    n = (reference.n_entries, new.n_entries)
    rows = []
    for day in days:
        share = [f[day] for f in found]
        gap = compare_shares((share[0] * n[0], share[1] * n[1]), n, step=max(0.01 * min(n), 1.0))
        rows.append(
            {"time_days": int(day[0]), "value_reference": share[0], "value_new": share[1],
             "n_reference": n[0], "n_new": n[1], "difference": share[1] - share[0],
             "ci_low": gap.ci_low, "ci_high": gap.ci_high, "p_value": gap.p_value}
        )  # fmt: skip
    return make_rows(rows, **same)


def _find_early_ends(new: Cohort, limits: Comparison) -> pd.DataFrame:
    same = {"check": "data_end", "cohort": new.name, "limit": limits.months_short}
    found = new.read_checks("extract", BEFORE)
    rows = [{"subject": parts[0], "difference": months} for parts, months in found.items()]
    return make_rows(rows or [{"difference": 0.0}], **same)


def compare_linkage(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """Are the social services' measures found with as many people as the police's would make think.

    Where the agencies' extracts were joined here, also the shares linked and the links missed.
    """
    parts = [_compare_agencies(reference, new, limits)]
    parts.append(_compare_linked(reference, new, limits))
    return combine_rows(parts)


def _compare_agencies(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    same = {"check": "linkage", "cohort": new.name, "limit": float(np.log(limits.linkage_ratio))}
    keys = {"question": "q1", "analysis": "by_agency", "subgroup": "", "outcome": "carried_out"}
    keys |= {"estimand": "share"}
    logs = []
    for agency in ("any_social_services", "any_police"):
        rows = [one.find(**keys, measure=agency) for one in (reference, new)]
        if any(row is None for row in rows):
            return cannot_compare("not_in_release", **same)
        events = tuple(count(row["n_events"]) for row in rows if row is not None)
        people = tuple(count(row["n_people"]) for row in rows if row is not None)
        deff = max(reference.deff, new.deff)
        logs.append((compare_logs(events, people, deff, new.step), events, people))  # type: ignore[arg-type]
    (social, events, people), (police, _, _) = logs
    variance = sum(((one.ci_high - one.ci_low) / 3.92) ** 2 for one in (social, police))
    gap = to_gap(social.value - police.value, float(np.sqrt(variance)))
    if not np.isfinite(gap.value):
        return cannot_compare("too_few", **same)
    told = {"value_reference": events[0] / people[0], "value_new": events[1] / people[1],
            "n_reference": people[0], "n_new": people[1], "difference": gap.value,
            "ci_low": gap.ci_low, "ci_high": gap.ci_high, "p_value": gap.p_value}  # fmt: skip
    return make_rows([told], **same)


def _compare_linked(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """Of the agencies' own joining: nothing where neither was joined here."""
    keys = {"question": "q1", "analysis": "linkage", "subgroup": "link_status"}
    keys |= {"measure": "social_services", "estimand": "share"}
    tables = [choose(one.shown, **keys, level=[*LINKED]) for one in (reference, new)]
    if any(table.empty for table in tables):
        return make_rows([])
    events = [float(table["n_events"].astype(float).sum()) for table in tables]
    people = [float(table["n_people"].astype(float).max()) for table in tables]
    gap = compare_shares((events[0], events[1]), (people[0], people[1]), step=new.step)
    linked = {"check": "linked_share", "limit": limits.share_change,
              "value_reference": events[0] / people[0], "value_new": events[1] / people[1],
              "n_reference": people[0], "n_new": people[1], "difference": gap.value,
              "ci_low": gap.ci_low, "ci_high": gap.ci_high, "p_value": gap.p_value}  # fmt: skip
    rates = [one.read_checks("linkage", "missed_link_rate").get(()) for one in (reference, new)]
    rows = [linked]
    if rates[0] is not None and rates[1] is not None:
        rows.append(
            {"check": "missed_links", "limit": limits.share_change, "value_reference": rates[0],
             "value_new": rates[1], "difference": rates[1] - rates[0]}
        )  # fmt: skip
    return make_rows(rows, cohort=new.name)
