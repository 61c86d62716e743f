"""How many there are, and when: totals, the shape over quarters, and quarters unlike the rest.

A quarter is held against the same quarter of the reference, scaled by the median of all such ratios
(so that a larger county is no finding), where both have it; else against the median of the quarters
around it. The variance is that of a Poisson count times the series' own dispersion (1.4826 times
the median absolute deviation, squared, at least 1), after the square-root transform (Anscombe
1948); the p-value of the largest deviation is times the number of quarters (Bonferroni).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from revictimisation.comparison.cohorts import Cohort, count
from revictimisation.comparison.rows import cannot_compare, combine_rows, make_rows
from revictimisation.core.arrays import Floats
from revictimisation.core.results import choose
from revictimisation.estimators.two_samples import (
    compare_shares,
    find_homogeneity,
    standardised_difference,
)
from revictimisation.plan.parts import Comparison

ENTRIES = "index_reports"
NORMAL_MAD, ANSCOMBE = 1.4826, 3 / 8
NEIGHBOURS, FEWEST = 3, 4


def compare_volumes(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """Rows of all volumes: of index reports, and of each table of the extract that both tell."""
    first, second = count_tables(reference), count_tables(new)
    parts = [_compare_totals(reference, new), _compare_shape(reference, new, limits)]
    parts.append(_compare_merged(reference, new, limits))
    tables = [name for name in second if name in first]
    if not tables:
        told = {"check": "volume_spike", "cohort": new.name}
        parts.append(cannot_compare("not_in_release", **told))
    parts += [_compare_series(name, first[name], second[name], new, limits) for name in tables]
    return combine_rows(parts)


def count_entries(cohort: Cohort) -> pd.Series:
    """The entries by quarter of the index report."""
    rows = choose(cohort.shown, question="course", subgroup="index_quarter", analysis="unadjusted")
    found: pd.Series = rows.groupby("level")["n_people"].max().astype(float)
    return found


def count_tables(cohort: Cohort) -> dict[str, pd.Series]:
    """The rows of each table by calendar quarter; 0 where it has one and none is shown."""
    rows = choose(cohort.estimates, analysis="volumes", subgroup="calendar_quarter")
    told = rows.assign(n=rows["n_events"].astype("Float64").fillna(0.0).astype(float))
    return {
        str(name): mine.set_index("level")["n"].sort_index()
        for name, mine in told.groupby("measure", sort=False)
    }


def _compare_totals(reference: Cohort, new: Cohort) -> pd.DataFrame:
    n = (reference.n_entries, new.n_entries)
    same = {"check": "volume", "subject": ENTRIES, "cohort": new.name}
    if not np.isfinite(n).all():
        return cannot_compare("not_in_release", **same)
    told = {"value_reference": n[0], "value_new": n[1], "difference": float(np.log(n[1] / n[0]))}
    return make_rows([told], **same)


def _compare_shape(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """How the entries are spread over the quarters that both have."""
    first, second = count_entries(reference), count_entries(new)
    both = first.index.intersection(second.index)
    same = {"subject": ENTRIES, "cohort": new.name}
    shape = {"check": "volume_shape", "limit": limits.volume_shape, **same}
    if len(both) < FEWEST:
        return cannot_compare("other_calendar", **shape)
    table = np.array([first[both].to_numpy(), second[both].to_numpy()])
    p_value, _ = find_homogeneity(table, max(reference.deff, new.deff), reference.step)
    share = table / table.sum(axis=1, keepdims=True)
    rows = [
        {"check": "volume_by_quarter", "subgroup": "index_quarter", "level": level,
         "value_reference": table[0, at], "value_new": table[1, at],
         "difference": float(np.log(share[1, at] / share[0, at]))}
        for at, level in enumerate(both)
    ]  # fmt: skip
    distance = standardised_difference(table)
    told = {"difference": distance, "p_value": p_value, "n_reference": table[0].sum()}
    head = make_rows([{**told, "n_new": table[1].sum()}], **shape)
    return combine_rows([head, make_rows(rows, **same)])


def _compare_series(
    name: str, first: pd.Series, second: pd.Series, new: Cohort, limits: Comparison
) -> pd.DataFrame:
    """The quarter of a table that is least like the others; a row, and one a quarter."""
    limit = float(np.log(limits.volume_ratio))
    same = {"subject": name, "cohort": new.name}
    spike = {"check": "volume_spike", "limit": limit, **same}
    counts = second.to_numpy(float)
    expected = expect_quarters(first.reindex(second.index).to_numpy(float), counts)
    is_told = np.isfinite(expected) & (expected >= new.surely_shown / 2)
    if is_told.sum() < FEWEST:
        return cannot_compare("too_few", **spike)
    at = np.flatnonzero(is_told)
    z = score_quarters(counts[at], expected[at], first.reindex(second.index).to_numpy(float)[at])
    worst = int(np.abs(z).argmax())
    p_value = min(1.0, float(2 * ndtr(-abs(z[worst]))) * len(at))
    ratio = np.log(np.maximum(counts, 1) / np.where(is_told, expected, np.nan))
    place = int(at[worst])
    head = {**spike, "level": second.index[place], "subgroup": "calendar_quarter",
            "value_reference": expected[place], "value_new": counts[place],
            "difference": float(ratio[place]), "p_value": p_value}  # fmt: skip
    rows = [
        {"check": "volume_by_quarter", "subgroup": "calendar_quarter",
         "level": second.index[one], "value_reference": expected[one],
         "value_new": counts[one], "difference": float(ratio[one])}
        for one in at.tolist()
    ]  # fmt: skip
    return combine_rows([make_rows([head]), make_rows(rows, **same)])


def expect_quarters(first: Floats, second: Floats) -> Floats:
    """What is usual in each quarter of the new: the reference's, scaled; else of those around it.

    >>> expect_quarters(np.full(5, 100.0), np.array([50.0, 52, 48, 100, 50])).round().tolist()
    [50.0, 50.0, 50.0, 50.0, 50.0]
    """
    is_both = np.isfinite(first) & (first > 0)
    if is_both.sum() >= FEWEST and is_both.mean() > 0.5:
        expected: Floats = first * np.median(second[is_both] / first[is_both])
        return expected
    found = np.full(len(second), np.nan)
    for at in range(len(second)):
        around = np.r_[second[max(0, at - NEIGHBOURS) : at], second[at + 1 : at + 1 + NEIGHBOURS]]
        if len(around) >= NEIGHBOURS:
            found[at] = np.median(around)
    return found


def score_quarters(counts: Floats, expected: Floats, reference: Floats) -> Floats:
    """How many standard deviations each quarter lies from what is expected."""
    gap = 2 * (np.sqrt(counts + ANSCOMBE) - np.sqrt(expected + ANSCOMBE))
    own = np.where(np.isfinite(reference) & (reference > 0), expected / reference, 0.5)
    scale = (
        NORMAL_MAD
        * float(np.median(np.abs(gap - np.median(gap))))
        / np.sqrt(1 + float(np.median(own)))
    )
    found: Floats = gap / (np.sqrt(1 + own) * max(scale, 1.0))
    return found


def _compare_merged(reference: Cohort, new: Cohort, limits: Comparison) -> pd.DataFrame:
    """The share of report rows that were the same report as another: of one day and two people."""
    same: dict[str, Any] = {"check": "duplicates", "subject": "reports", "cohort": new.name}
    same |= {"limit": limits.share_change}
    found = [_read_merged(one) for one in (reference, new)]
    if any(one is None for one in found):
        return cannot_compare("not_in_release", **same)
    (merged_1, all_1), (merged_2, all_2) = (one for one in found if one is not None)
    gap = compare_shares((merged_1, merged_2), (all_1, all_2), deff=2.0, step=new.step)
    told = {"value_reference": merged_1 / all_1, "value_new": merged_2 / all_2,
            "n_reference": all_1, "n_new": all_2, "difference": gap.value,
            "ci_low": gap.ci_low, "ci_high": gap.ci_high, "p_value": gap.p_value}  # fmt: skip
    if not np.isfinite(gap.value):
        return cannot_compare("too_few", **same)
    return make_rows([told], **same)


def _read_merged(cohort: Cohort) -> tuple[float, float] | None:
    rows = cohort.attrition[cohort.attrition["step"].eq("reports")]
    mine = rows[rows["reason"].eq("same_day_merged")]
    if mine.empty:
        return None
    dropped, left = count(mine["n_dropped"].iloc[0]), count(mine["n_reports"].iloc[0])
    return (dropped, dropped + left) if np.isfinite([dropped, left]).all() else None
