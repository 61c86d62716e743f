"""How often the exploration finds a pattern, over invented counties whose truth is known.

`benchmarks/exploration_study.py` makes the table. Without it, or without a scenario, nothing is
said.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from revictimisation.core import files
from truth_studies.records import TABLES


@dataclass(frozen=True)
class Record:
    """Counties of so many people each, and in how many a pattern was found: of any measure, and
    by measure (all measures of a county tested together).
    """

    people: int
    n_counties: int
    n_found: int
    by_measure: dict[str, int]


def read_records(folder: Path = TABLES / "exploration_study") -> dict[str, list[Record]]:
    """What is kept: by scenario, the smallest counties first.

    Raises:
        ValueError: a table without its columns.
    """
    path = folder / "table.csv"
    if not path.is_file():
        return {}
    table = files.read_kept_table(path)
    records: dict[str, list[Record]] = {}
    for (scenario, people), mine in table.groupby(["scenario", "people"]):
        is_whole = mine["measure"].isna()
        tried = mine["n_tested"].mask(is_whole, mine["n_counties"])
        found = (mine["rejection_rate_holm"] * tried).fillna(0.0).round().astype(int).tolist()
        whole = is_whole.tolist().index(True)
        names = mine["measure"].tolist()
        records.setdefault(str(scenario), []).append(
            Record(
                people=int(str(people)),
                n_counties=int(mine["n_counties"].tolist()[whole]),
                n_found=found[whole],
                by_measure={
                    str(name): count
                    for place, (name, count) in enumerate(zip(names, found, strict=True))
                    if place != whole
                },
            )
        )
    return records
