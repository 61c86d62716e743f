"""How often negative controls sound an alarm, over invented counties whose truth is known.

`benchmarks/control_study.py` makes the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from revictimisation.core import files
from truth_studies.records import TABLES

ANY = ""


class Alarm(NamedTuple):
    """Counties, and the share of them with an alarm, with its Monte Carlo error."""

    n_counties: int
    share: float
    error: float


def list_alarms(alarms: Mapping[tuple[str, str], Alarm], scenarios: Sequence[str]) -> list[Alarm]:
    """Those of single measures in the scenarios."""
    return [one for (scenario, name), one in alarms.items()
            if scenario in scenarios and name != ANY]  # fmt: skip


def expect_any(n_measures: int, level: float = 0.05) -> float:
    """The share of counties with an alarm of any measure by chance alone, were they independent.

    >>> round(expect_any(7), 2)
    0.3
    """
    return 1 - (1 - level) ** n_measures


def read_alarms(folder: Path = TABLES / "control_study") -> dict[tuple[str, str], Alarm]:
    """What is kept, by scenario and measure (`ANY`)."""
    path = folder / "table.csv"
    if not path.is_file():
        return {}
    table = files.read_kept_table(path).fillna({"measure": ANY})
    names = ["scenario", "measure", "n_counties", "share_failed", "share_failed_mc"]
    return {
        (str(scenario), str(measure)): Alarm(int(n), float(share), float(error))
        for scenario, measure, n, share, error in table[names].itertuples(index=False)
    }
