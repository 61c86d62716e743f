"""How often named groups are told apart, over invented counties whose truth is known.

`benchmarks/subgroup_study.py` makes the table. Without it, or without a scenario, nothing is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from revictimisation.core import files
from truth_studies.records import TABLES

ANY = "any"


@dataclass(frozen=True)
class FamilyRecord:
    """Counties of so many people each, and in how many at least one difference was called."""

    people: int
    n_counties: int
    n_called: int


def read_family(folder: Path = TABLES / "subgroup_study") -> Mapping[str, FamilyRecord]:
    """What is kept, by scenario.

    Raises:
        ValueError: a table without its columns.
    """
    path = folder / "family.csv"
    if not path.is_file():
        return {}
    table = files.read_kept_table(path)
    told = json.loads(files.read_text(folder / "provenance.json"))
    people = {str(run["scenario"]): int(run["people_per_county"]) for run in told["runs"]}
    whole = table[table["what"].eq(ANY)]
    return {
        str(scenario): FamilyRecord(people[str(scenario)], int(n), round(float(share) * int(n)))
        for scenario, n, share in zip(
            whole["scenario"], whole["n_counties"], whole["rejection_rate"], strict=True
        )
    }
