"""When a measure is in force."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.simulate.kernel import KIND_MEASURE
from revictimisation.simulate.randoms import Integers


def list_spells(running: Integers, events: pd.DataFrame, measure: int) -> pd.DataFrame:
    """A row per time in force of a measure: victim, start_day, end_day; before day 0 starts at -1.

    Arguments as of ``mark_in_force``.
    """
    spells = events[(events["kind"] == KIND_MEASURE) & (events["index"] == measure)]
    own = running[:, measure]
    early = pd.DataFrame({"victim": np.arange(len(own)), "day": -1, "end_day": own})
    spells = pd.concat([early[own > 0], spells[["victim", "day", "end_day"]]])
    return spells.rename(columns={"day": "start_day"})


def mark_in_force(
    running: Integers, events: pd.DataFrame, rows: pd.DataFrame, measure: int
) -> np.ndarray:
    """Say for each row (victim, day) whether the measure is in force: start < day <= end.

    ``running`` (victims, measures) holds the last day of what ran before day 0; ``events`` is what
    ``run_setting`` returns.
    """
    spells = list_spells(running, events, measure)
    joined = rows[["victim", "day"]].reset_index(names="row").merge(spells, on="victim")
    is_in = (joined["start_day"] < joined["day"]) & (joined["day"] <= joined["end_day"])
    found = np.zeros(len(rows), dtype=bool)
    found[joined.loc[is_in, "row"].to_numpy()] = True
    return found
