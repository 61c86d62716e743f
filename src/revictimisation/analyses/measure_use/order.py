"""Which measures the same people got, and in what order."""

from __future__ import annotations

import itertools

import pandas as pd

from revictimisation.analyses.measure_use.counts import count_and_share
from revictimisation.cohort.study_data import StudyData


def count_combinations(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """Count which of the study's measures the same people got, and which came first.

    Analysis `combination`: measure, level (the other measure), outcome `together` (both carried
    out), `before` (measure started before the other), `same_day`.
    """
    starts = _first_starts(data, hits).pivot(index="entry_id", columns="measure", values="day")
    rows = []
    for one, other in itertools.permutations(starts.columns, 2):
        both = starts[[one, other]].dropna()
        found = {
            "together": len(both),
            "before": int((both[one] < both[other]).sum()),
            "same_day": int((both[one] == both[other]).sum()),
        }
        rows += [
            {"measure": one, "level": other, "outcome": name, "n_events": n}
            for name, n in found.items()
        ]
    columns = ["measure", "level", "outcome", "n_events"]
    counts = pd.DataFrame(rows, columns=columns).assign(n_people=len(data.entries))
    return count_and_share(counts, analysis="combination", subgroup="combined_with")


def _first_starts(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """The first start of each of the study's measures that is a set of codes, by entry."""
    chosen = hits[(hits["analysis"] == "main") & (hits["outcome"] == "carried_out")]
    return chosen[~chosen["measure"].map(data.plan.is_joint).astype(bool)]


def count_sequences(data: StudyData, hits: pd.DataFrame) -> pd.DataFrame:
    """Count in which order people got the study's measures: the commonest sequences.

    Analysis `sequence`, level such as `safety_talk > support_talks` (the first three measures, in
    the order of their first start, same-day starts in alphabetical order) or `none`.
    """
    ordered = _first_starts(data, hits).sort_values(["entry_id", "day", "measure"])
    first_three = ordered[ordered.groupby("entry_id").cumcount() < 3]
    sequences = first_three.groupby("entry_id")["measure"].agg(" > ".join)
    counts = sequences.value_counts()
    none = pd.Series({"none": len(data.entries) - len(sequences)})
    top = (
        counts.sort_index()
        .sort_values(ascending=False, kind="stable")
        .head(data.plan.definitions.n_sequences)
    )
    top = pd.concat([none, top])
    frame = pd.DataFrame({"level": top.index, "n_events": top.to_numpy()})
    frame = frame.assign(n_people=len(data.entries))
    keys = {"analysis": "sequence", "subgroup": "sequence", "outcome": "carried_out"}
    return count_and_share(frame, **keys)
