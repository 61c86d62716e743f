"""Who the people are, how they are coded, and how full the columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.comparison.cohorts import Cohort, count
from revictimisation.comparison.rows import cannot_compare, combine_rows, make_rows
from revictimisation.core.arrays import Floats
from revictimisation.core.codes import OTHER
from revictimisation.core.packing import YEAR, pack_within, unpack_within
from revictimisation.core.results import OK, choose
from revictimisation.estimators.two_samples import (
    compare_shares,
    find_homogeneity,
    find_interaction,
    standardised_difference,
)
from revictimisation.plan.parts import Comparison

REST = "rest"
PLACES = ("police_district", "municipality_group")
HARDLY = 0.1  # of the share from which a level counts: hardly anybody
OFFENCES = "offence_group"


def compare_case_mix(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """A row per covariate, one per level, and those of levels that only one of the two has.

    Levels that are not shown are one together. A covariate of which the two have less than half
    their people at levels in common (the districts of another county, say) is not compared.
    """
    names = [name for name in new.groupings if name in reference.groupings and _is_mix(name)]
    if not names:
        return cannot_compare("not_in_release", check="case_mix", cohort=new.name)
    parts = [_compare_covariate(reference, new, name, limits) for name in names]
    tables = {name: _count_both(reference, new, name) for name in names}
    parts.append(_find_one_sided(reference, new, tables, limits))
    return combine_rows(parts)


def _is_mix(name: str) -> bool:
    return name != YEAR and len(unpack_within(name, name)) == 1


def _compare_covariate(
    reference: Cohort, new: Cohort, name: str, limits: Comparison
) -> pd.DataFrame:
    same = {"subject": name, "cohort": new.name}
    head = {"check": "case_mix", "limit": limits.standardised_difference, **same}
    table = align_levels(reference, new, name)
    whole = table.sum(axis=1).to_numpy()
    share = table.div(whole, axis=0)
    if _is_apart(_count_both(reference, new, name).fillna(0.0)):
        return cannot_compare("other_levels", **head)
    counts = table.to_numpy()
    p_value, freedom = find_homogeneity(counts, max(reference.deff, new.deff), new.step)
    parts = []
    if freedom:
        told = {"difference": standardised_difference(counts), "p_value": p_value,
                "n_reference": whole[0], "n_new": whole[1]}  # fmt: skip
        parts.append(make_rows([told], **head))
    else:
        parts.append(cannot_compare("too_few", **head))
    levels = []
    for level in table.columns:
        gap = compare_shares(tuple(table[level]), tuple(whole), max(reference.deff, new.deff),
                             new.step)  # fmt: skip
        levels.append(
            {"check": "case_mix_level", "subgroup": name, "level": level, **same,
             "value_reference": share[level].iloc[0], "value_new": share[level].iloc[1],
             "n_reference": whole[0], "n_new": whole[1],
             "difference": float(share[level].iloc[1] - share[level].iloc[0]),
             "ci_low": gap.ci_low, "ci_high": gap.ci_high}
        )  # fmt: skip
    parts.append(make_rows(levels))
    return combine_rows(parts)


def align_levels(reference: Cohort, new: Cohort, name: str) -> pd.DataFrame:
    """People by level: a row for each of the two, a column a level that both show.

    All others are `rest`, which is there only where it is more than rounding may make. Of places
    `other` is of them, as one of a single municipality is `other` in one cohort and not in another.
    """
    table = _count_both(reference, new, name)
    if name in PLACES:
        table = table.drop(columns=OTHER, errors="ignore")
    shared = table.loc[:, table.notna().all(axis=0)]
    n = np.array([one.n_entries for one in (reference, new)])
    rest = np.maximum(n - shared.sum(axis=1).to_numpy(), 0.0)
    slack = [one.step * np.sqrt(shared.shape[1] + 1) for one in (reference, new)]
    out = shared.sort_index(axis=1)
    return out.assign(**{REST: rest}) if (rest > slack).any() else out


def _count_both(reference: Cohort, new: Cohort, name: str) -> pd.DataFrame:
    """People by level (column) in each of the two (row); NaN where a level is not shown."""
    found = [one.count_levels(name) for one in (reference, new)]
    return pd.DataFrame(found).set_axis([reference.name, new.name], axis=0)


def _find_one_sided(
    reference: Cohort, new: Cohort, tables: Mapping[str, pd.DataFrame], limits: Comparison
) -> pd.DataFrame:
    """A row per covariate with a level that one of the two lacks; one row that none does."""
    parts: list[dict[str, object]] = []
    for check, has, lacks, cohort in (("missing_level", 0, 1, new), ("new_level", 1, 0, reference)):
        found: list[dict[str, object]] = []
        for name, table in tables.items():
            if _is_apart(table.fillna(0.0)):
                continue
            n = [reference.n_entries, new.n_entries]
            unseen = n[lacks] - float(table.iloc[lacks].sum())
            lost = []
            pooled = 0.0
            if name in PLACES and OTHER in table:  # a place that is a single municipality is there
                pooled = _find_most_pooled(table, n, has, lacks)
                table = table.drop(columns=OTHER)
            for level in table.columns[table.iloc[has].notna()]:
                share = float(table[level].iloc[has]) / n[has]
                expected = share * n[lacks]
                told = float(table[level].iloc[lacks])
                most_there = unseen + cohort.step if np.isnan(told) else told
                may_be_pooled = pooled > expected / 2
                is_surely_told = expected >= cohort.surely_shown and not may_be_pooled
                if is_surely_told and most_there <= HARDLY * expected:
                    there = 0.0 if np.isnan(told) else told
                    lost.append((share, str(level), there / n[lacks]))
            if lost:
                most, level, least = max(lost)
                pair = (most, least) if has == 0 else (least, most)
                found.append({"subject": name, "difference": most, "subgroup": name, "level": level,
                              "value_reference": pair[0], "value_new": pair[1]})  # fmt: skip
        parts += [{"check": check, **row} for row in found or [{"difference": 0.0}]]
    return make_rows(parts, cohort=new.name, limit=limits.level_share)


def _find_most_pooled(table: pd.DataFrame, n: Sequence[float], has: int, lacks: int) -> float:
    """How many of the one's `other` places may be of a single level that it does not show.

    All but those whom the other one's `other` lets expect, less the levels that this one shows
    beside it; two standard errors of a Poisson count more.
    """
    own, usual = (float(np.nan_to_num(table[OTHER].iloc[at])) for at in (lacks, has))
    shown_here = table.iloc[lacks][table.iloc[has].isna()].sum()
    usual = max(usual * n[lacks] / n[has] - float(shown_here), 0.0)
    return float(own - usual + 2 * np.sqrt(own + usual))


def _is_apart(table: pd.DataFrame) -> bool:
    """Whether the two have few people at levels in common."""
    share = table.div(table.sum(axis=1), axis=0)
    return bool(share.min(axis=0).sum() < 0.5 and share.gt(0).all(axis=0).sum() < 2)


def compare_coding(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """Do the offence groups' shares drift apart over the years; and measure codes, and columns."""
    return combine_rows(
        [
            _compare_drift(reference, new, limits),
            _compare_codes(reference, new, limits),
            _compare_filled(reference, new, limits),
        ]
    )


def _compare_drift(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    head: dict[str, Any] = {"check": "coding_drift", "subject": OFFENCES, "cohort": new.name}
    head |= {"limit": limits.drift}
    found = [_count_by_year(one) for one in (reference, new)]
    years = sorted(set(found[0].index) & set(found[1].index))
    groups = sorted(set(found[0].columns) & set(found[1].columns))
    if len(years) < 2 or len(groups) < 2:
        return cannot_compare("too_few", **head)
    table = np.array([one.loc[years, groups].to_numpy(float) for one in found])
    # a cell that is hidden in either is compared in neither
    kept = np.isfinite(table).all(axis=(0, 1))
    table = table[:, :, kept]
    if table.shape[2] < 2:
        return cannot_compare("too_few", **head)
    p_value, freedom = find_interaction(table, max(reference.deff, new.deff), new.step)
    if not freedom:
        return cannot_compare("too_few", **head)
    whole = table.sum(axis=1)
    largest = max(_hold_against(table, at, whole) for at in range(len(years)))
    since = [_hold_against(table, at, table[:, 0]) for at in range(len(years))]
    worst = int(np.argmax(since))
    told = {"difference": largest, "p_value": p_value, "level": years[worst],
            "subgroup": YEAR, "n_reference": table[0].sum(), "n_new": table[1].sum()}  # fmt: skip
    return make_rows([told], **head)


def _count_by_year(cohort: Cohort) -> pd.DataFrame:
    """People by year (row) and offence group (column); NaN where hidden."""
    counted = cohort.count_levels(pack_within(OFFENCES, YEAR))
    parts = [unpack_within(pack_within(OFFENCES, YEAR), str(level)) for level in counted.index]
    rows = [(year, group, n) for ((_, group), (_, year)), n in zip(parts, counted, strict=True)]
    frame = pd.DataFrame(rows, columns=["year", "group", "n"])
    return frame.pivot(index="year", columns="group", values="n")


def _hold_against(table: Floats, at: int, usual: Floats) -> float:
    """How unlike the two are in one year, beyond how they are in the `usual` counts."""
    share = table[:, at] / table[:, at].sum(axis=1, keepdims=True)
    moved = share[0] * usual[1] / usual[0]
    made = np.array([moved / moved.sum(), share[1]]) * table[:, at].sum(axis=1)[:, None]
    return standardised_difference(made)


def _compare_codes(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """Measure codes that one of the two has and the other hardly, and how often each is offered."""
    keys = {"question": "q1", "analysis": "by_code", "subgroup": "", "outcome": "offered"}
    keys |= {"estimand": "share"}
    tables = [choose(one.estimates, **keys).set_index("measure") for one in (reference, new)]
    codes = [code for code in tables[0].index.union(tables[1].index) if code != "other"]
    if not codes:
        return cannot_compare("not_in_release", check="code_lost", cohort=new.name)
    parts = []
    for code in codes:
        share = [_read_share(table, code) for table in tables]
        for check, has, lacks, cohort in (("code_lost", 0, 1, new), ("code_new", 1, 0, reference)):
            hardly = 0.0 if np.isnan(share[lacks]) else share[lacks]
            is_gone = share[has] > 0 and hardly <= HARDLY * share[has]
            if is_gone and share[has] * cohort.n_entries >= cohort.surely_shown:
                parts.append(
                    {"check": check, "subject": code, "difference": share[has],
                     "limit": limits.level_share, "value_reference": share[0],
                     "value_new": share[1]}
                )  # fmt: skip
        if min(share) > 0:
            parts.append(
                {"check": "code_share", "subject": code, "value_reference": share[0],
                 "value_new": share[1], "difference": float(np.log(share[1] / share[0]))}
            )  # fmt: skip
    for check in ("code_lost", "code_new"):
        if not any(row["check"] == check for row in parts):
            parts.append({"check": check, "difference": 0.0, "limit": limits.level_share})
    return make_rows(parts, cohort=new.name)


def _read_share(table: pd.DataFrame, code: str) -> float:
    if code not in table.index or table.at[code, "status"] != OK:
        return float("nan")
    return count(table.at[code, "estimate"])


def _compare_filled(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """The share of filled cells of every column that is not full in both."""
    found = [one.read_checks("profile", "share_filled") for one in (reference, new)]
    names = [name for name in found[1] if name in found[0] and min(f[name] for f in found) < 1]
    same = {"check": "completeness", "cohort": new.name, "limit": limits.share_change}
    if not names:
        return cannot_compare("not_in_release" if not all(found) else "no_such_rows", **same)
    rows = []
    for table, column in names:
        share = [f[table, column] for f in found]
        n = [_count_rows(one, table) for one in (reference, new)]
        step = max(min(n) * 0.01, 1.0) if all(np.isfinite(n)) else 1.0
        gap = compare_shares((share[0] * n[0], share[1] * n[1]), (n[0], n[1]), 2.0, step)
        rows.append(
            {"subject": f"{table}.{column}", "value_reference": share[0], "value_new": share[1],
             "n_reference": n[0], "n_new": n[1], "difference": share[1] - share[0],
             "ci_low": gap.ci_low, "ci_high": gap.ci_high, "p_value": gap.p_value}
        )  # fmt: skip
    return make_rows(rows, **same)


def _count_rows(cohort: Cohort, table: str) -> float:
    rows = cohort.attrition[cohort.attrition["step"].eq(table)]
    return count(rows["n_reports"].iloc[0]) if len(rows) else float("nan")
