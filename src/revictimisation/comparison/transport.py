"""May old conclusions be carried over: the reference's effects for the new cohort's people.

Where the people of both runs are there (`people`), the reference's are weighted to be like the new
ones (`estimators.membership_weights`) and each one's terms of the doubly robust risks are averaged:
the transported effect, beside the new cohort's own. Covariates are those that both studies adjust
for, less when and where. A level that only one of the two has tells them apart altogether: new
people at such a level have no match.

From released tables alone it can't be told, as who has which covariates *together* is not released.
What can is shown without a judgement: the reference's effects in the levels of one covariate,
weighted as the new cohort's people are spread over them (direct standardisation), which allows for
that covariate alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.comparison.cohorts import Cohort, count
from revictimisation.comparison.rows import cannot_compare, combine_rows, make_rows
from revictimisation.core.arrays import Flags
from revictimisation.core.packing import pack_score
from revictimisation.core.results import choose
from revictimisation.estimators.design import build_design
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.membership_weights import (
    Membership,
    transport,
    transport_plain,
    weigh_membership,
)
from revictimisation.estimators.risk_model import to_levels
from revictimisation.estimators.two_samples import to_gap
from revictimisation.plan.parts import Comparison

EFFECT = {"question": "q2", "analysis": "main", "estimand": "risk_difference", "subgroup": ""}
OWN = {**EFFECT, "estimator": "doubly_robust"}
IN_LEVELS = {"question": "q3", "analysis": "main", "estimator": "clone_censor_weight",
             "estimand": "risk_difference"}  # fmt: skip
LEAST_COVERED = 0.95  # of the new cohort's people, at levels whose effect the reference tells
Row = dict[str, Any]


def compare_transport(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """All rows: overlap, each measure's transported effect, and what released tables can tell."""
    days = [day for day in reference.plan.days_within_horizon
            if day in new.plan.days_within_horizon]  # fmt: skip
    names = [name for name in reference.plan.measures if name in new.plan.measures]
    day = reference.plan.for_whom.choose_day(days)
    same: Row = {"cohort": new.name, "time_days": day}
    if day is None or not names:
        reason = "no_measures" if day is not None else "beyond_horizon"
        return cannot_compare(reason, check="transported_effect", cohort=new.name)
    parts = [_standardise(reference, new, name, day) for name in names]
    if reference.people is None or new.people is None:
        parts.append(cannot_compare("people_not_there", check="transported_effect", **same))
        return combine_rows(parts)
    day_of = [one.plan.for_whom.choose_day(one.plan.days_within_horizon)
              for one in (reference, new)]  # fmt: skip
    if day_of != [day, day]:
        parts.append(cannot_compare("other_days", check="transported_effect", **same))
        return combine_rows(parts)
    pair = _join(reference, new)
    parts.append(_describe_overlap(pair, same, limits))
    parts += [_carry(reference, new, pair, name, day, limits) for name in names]
    return combine_rows(parts)


@dataclass(frozen=True, eq=False)
class Pair:
    """The people of both together, the reference's first, and what both say of them.

    `terms`: covariates in common. `is_matched`: at no level that only one of the two has.
    """

    people: pd.DataFrame
    terms: tuple[str, ...]
    is_source: Flags
    is_matched: Flags

    def weigh(self, chosen: Flags) -> Membership:
        """Weights among those chosen and matched."""
        mine = chosen & self.is_matched
        some = self.people[mine].reset_index(drop=True)
        return weigh_membership(
            build_design(some, self.terms), self.is_source[mine], some["cluster_id"]
        )


def _join(reference: Cohort, new: Cohort) -> Pair:
    assert reference.people is not None
    assert new.people is not None
    shift = reference.people["cluster_id"].max() + 1  # nobody is in both
    others = new.people.assign(cluster_id=new.people["cluster_id"] + shift)
    people = pd.concat([reference.people, others], ignore_index=True)
    is_source = np.arange(len(people)) < len(reference.people)
    terms = tuple(
        name for name in reference.plan.carried_covariates
        if name in new.plan.carried_covariates
        and name in reference.people and name in new.people
    )  # fmt: skip
    is_matched = np.ones(len(people), bool)
    for term in terms:
        if not pd.api.types.is_numeric_dtype(people[term]):
            levels = to_levels(people[term])
            here, there = (np.unique(levels.codes[side]) for side in (is_source, ~is_source))
            is_matched &= np.isin(levels.codes, np.intersect1d(here, there))
    return Pair(people, terms, is_source, is_matched)


def _describe_overlap(pair: Pair, same: Row, limits: Comparison) -> pd.DataFrame:
    """New people without a match, and the part of the reference that the weights leave."""
    heads = {"outside_support": limits.outside_support,
             "effective_share": 1 - limits.effective_share}  # fmt: skip
    try:
        both = pair.weigh(np.ones(len(pair.people), bool))
    except NotEstimableError as fault:
        return combine_rows(
            cannot_compare(str(fault), check=check, limit=limit, **same)
            for check, limit in heads.items()
        )
    new, old = ~pair.is_source, pair.is_source
    matched = float(pair.is_matched[new].mean())
    outside = 1 - matched * (1 - both.share_outside)
    left = both.effective_size / old.sum()
    counts = {"n_reference": int(old.sum()), "n_new": int(new.sum())}
    told = {"outside_support": {"value_new": outside, "difference": outside},
            "effective_share": {"value_reference": left, "difference": 1 - left}}  # fmt: skip
    return make_rows(
        [{"check": check, "limit": limit, **told[check]} for check, limit in heads.items()],
        **counts, **same,
    )  # fmt: skip


def _carry(
    reference: Cohort, new: Cohort, pair: Pair, measure: str, day: int, limits: Comparison
) -> pd.DataFrame:
    """A measure's effect in the reference, weighted to the new cohort's people, beside its own."""
    same: Row = {"cohort": new.name, "time_days": day, "measure": measure}
    head = {**same, "check": "transported_effect", "limit": limits.risk_difference}
    asked = {"measure": measure, "time_days": day, "outcome": reference.plan.outcome.who}
    if reference.find(**OWN, **asked) is None:
        return cannot_compare(reference.explain(**OWN, **asked), **head)
    start, no_start = (pack_score(arm, measure) for arm in ("start", "no_start"))
    if start not in pair.people:
        return cannot_compare("people_not_there", **head)
    effect = (pair.people[start] - pair.people[no_start]).to_numpy(np.float64)
    is_known = np.isfinite(effect)
    # where the new cohort has no answer of its own, all of its people are meant
    chosen = is_known | ~pair.is_source if not is_known[~pair.is_source].any() else is_known
    if not is_known[pair.is_source].any():
        return cannot_compare("people_not_there", **head)
    try:
        both = pair.weigh(chosen)
    except NotEstimableError as fault:
        return cannot_compare(str(fault), **head)
    mine = effect[chosen & pair.is_matched & pair.is_source]
    plain, carried = transport_plain(both, mine), transport(both, mine)
    counts = {"n_reference": int(both.is_source.sum()), "n_new": int((~both.is_source).sum())}
    told = {**same, **counts, "value_reference": float(plain.value[0])}
    checks = ("carried_effect", "carried_by_regression")
    parts = [make_rows([_describe(carried, k)], check=checks[k], **told) for k in range(2)]
    own = new.find(**OWN, **asked)
    if own is None:
        parts.append(cannot_compare(new.explain(**OWN, **asked), **head, **counts))
        return combine_rows(parts)
    there, error = count(own["estimate"]), count(own["se"])
    gap = to_gap(there - float(carried.value[0]), float(np.hypot(error, carried.se[0])))
    row = {"value_reference": float(carried.value[0]), "value_new": there, "p_value": gap.p_value,
           "difference": gap.value, "ci_low": gap.ci_low, "ci_high": gap.ci_high}  # fmt: skip
    parts.append(make_rows([row], **head, **counts))
    return combine_rows(parts)


def _describe(carried: Estimate, place: int) -> Row:
    limits = carried.interval()
    return {"value_new": limits.estimate[place], "difference": limits.estimate[place],
            "ci_low": limits.low[place], "ci_high": limits.high[place]}  # fmt: skip


def _standardise(reference: Cohort, new: Cohort, measure: str, day: int) -> pd.DataFrame:
    """The reference's effects in the levels of each subgroup, weighted as the new cohort's people.

    Of subgroups whose levels with an effect hold nearly all of the new cohort's people.
    """
    asked = {"measure": measure, "time_days": day, "outcome": reference.plan.outcome.who}
    own = new.find(**EFFECT, estimator="clone_censor_weight", **asked)
    if own is None:
        return make_rows([])
    rows = []
    for subgroup in (name for name in reference.plan.subgroups if name in new.groupings):
        effects = choose(reference.shown, **IN_LEVELS, **asked, subgroup=subgroup)
        effects = effects.set_index("level")[["estimate", "se"]].astype(float)
        people = new.count_levels(subgroup)
        known = effects.reindex(people.index).dropna()
        share = people[known.index] / new.n_entries
        if known.empty or share.sum() < LEAST_COVERED:
            continue
        weight = (share / share.sum()).to_numpy()
        carried = float(weight @ known["estimate"].to_numpy())
        error = float(np.sqrt(weight**2 @ known["se"].to_numpy() ** 2))
        gap = to_gap(count(own["estimate"]) - carried, float(np.hypot(error, count(own["se"]))))
        rows.append(
            {"check": "standardised_effect", "subject": subgroup, "value_reference": carried,
             "value_new": count(own["estimate"]), "difference": gap.value,
             "ci_low": gap.ci_low, "ci_high": gap.ci_high}
        )  # fmt: skip
    return make_rows(rows, cohort=new.name, measure=measure, time_days=day)
