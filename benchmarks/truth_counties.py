"""Many synthetic counties from few large extracts: prepared once, split by victim.

The simulator draws victims independently, and pseudonyms carry no order; so a large county's
victims in the order of their pseudonyms, cut into pieces of equal size, are counties of that size.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.cohort.preparation import prepare
from revictimisation.cohort.study_data import StudyData
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import StudyPlan
from revictimisation.simulate.county import make_tables
from revictimisation.simulate.course import run_course
from revictimisation.simulate.scenarios import Scenario

BY_ENTRY = ("covariates", "starts", "spells", "episodes", "decisions", "renewals",
            "cases", "case_steps")  # fmt: skip


def prepare_county(scenario: Scenario, n_people: int, seed: int, plan: StudyPlan) -> StudyData:
    """Take one synthetic county from extract to person-time by the project's own stages."""
    tables, dictionary = make_tables(run_course(scenario, n_people, seed)), load_dictionary()
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            files.write_table(table, Path(folder), name, ("parquet",))
        extract = load_extract(connect(), Path(folder), dictionary, plan)
        data, _ = prepare(extract.tables, extract.absent, dictionary, plan)
    return data


def split_counties(data: StudyData, n_counties: int, smallest: float = 1.0) -> Iterator[StudyData]:
    """Cut a county into `n_counties`; numbers begin at 0 in each.

    Of equally many victims, or rising by the same factor from `smallest` (of the largest) on.
    """
    cluster = data.entries["cluster_id"].to_numpy()
    sizes = np.geomspace(smallest, 1.0, n_counties)
    ends = np.concatenate([[0.0], np.cumsum(sizes) / sizes.sum()])
    cuts = (ends * (cluster.max() + 1)).round().astype(int)
    for first, last in zip(np.searchsorted(cluster, cuts[:-1]), np.searchsorted(cluster, cuts[1:]),
                           strict=True):  # fmt: skip
        entries = data.entries.iloc[first:last].reset_index(drop=True)
        entries["entry_id"] -= first
        entries["cluster_id"] -= entries["cluster_id"].min()
        tables = {name: _cut(getattr(data, name), first, last) for name in BY_ENTRY}
        yield replace(data, entries=entries, **tables)


def _cut(table: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """The rows of entries first..last - 1, numbered anew."""
    mine = table[table["entry_id"].between(first, last - 1)]
    return mine.assign(entry_id=mine["entry_id"] - first).reset_index(drop=True)
