"""Do the two studies ask the same: keys of the study file that change what a number means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from revictimisation.comparison.cohorts import Cohort
from revictimisation.comparison.rows import cannot_compare, make_rows

# What a study is of (which people, which years) may differ; what its numbers mean may not.
MEANING = ("eligibility", "outcome", "horizon_days", "measures", "adjust_for", "splines", "strata",
           "weights", "definitions", "open_ends", "negative_controls")  # fmt: skip
OF_WHOM = ("eligibility.districts", "eligibility.municipalities")


def compare_definitions(reference: Cohort, new: Cohort) -> pd.DataFrame:
    """A row per key whose values differ, or one row that none does.

    A measure that only one of the studies has is no difference: it is compared with nothing.
    """
    if not (reference.has_study and new.has_study):
        return cannot_compare("no_study_file", check="definition", cohort=new.name)
    first, second = (dict(_list_leaves(one)) for one in (reference, new))
    differing = [
        key
        for key in sorted(first.keys() & second.keys())
        if first[key] != second[key] and key not in OF_WHOM
    ]
    same = {"check": "definition", "cohort": new.name, "limit": 0.5}
    if not differing:
        return make_rows([{"difference": 0.0}], **same)
    return make_rows([{"subject": key, "difference": 1.0} for key in differing], **same)


def _list_leaves(cohort: Cohort) -> Iterator[tuple[str, object]]:
    given = cohort.plan.model_dump()
    for name in MEANING:
        yield from _walk(name, given[name])


def _walk(name: str, given: Any) -> Iterator[tuple[str, object]]:
    if isinstance(given, Mapping):
        for key, value in given.items():
            yield from _walk(f"{name}.{key}", value)
    else:
        yield name, given
