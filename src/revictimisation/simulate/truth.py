"""The truth of a scenario, as ``benchmarks/simulate_truth.py`` computed it, with its provenance."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from io import StringIO

import pandas as pd

from revictimisation.core import files
from revictimisation.simulate.scenarios import Scenario

COLUMNS = ["measure", "subgroup", "level", "estimand", "time_days", "value"]


@cache
def _read_kept(name: str) -> pd.DataFrame:
    text = files.read_text(files.package_file("simulate", "truth_data", f"{name}.csv"))
    types: dict[Hashable, str] = dict.fromkeys(COLUMNS[:4], "str")
    frame = pd.read_csv(
        StringIO(text), dtype=types, keep_default_na=False, na_values={"time_days": [""]}
    )
    return frame.astype({"time_days": "Int64"})


def read_truth(scenario: Scenario, *, with_error: bool = False) -> pd.DataFrame:
    """Return the kept truth of a scenario; empty ``subgroup`` and ``level`` mean everybody.

    ``joint``: two agencies' starts near in time, and (subgroup ``strategy``) three strategies for
    them. The truth of question 4 stands last, its names begin with ``conviction_`` and
    ``participation_``. ``time_days`` is missing for log hazard ratios. ``with_error`` adds the
    Monte Carlo error.
    """
    name = scenario.truth_of or scenario.name
    parts = [_read_kept(f"{part}{name}") for part in ("", "joint_", "court_")]
    kept = pd.concat(parts, ignore_index=True)
    return kept[[*COLUMNS, "mc_error"] if with_error else COLUMNS].copy()
