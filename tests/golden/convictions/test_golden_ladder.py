"""Shares of people in each state against R's survfit (make_golden.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.estimators.multi_state import follow_states
from tests.cases import for_each

HERE = Path(__file__).parent
STATES = ["reported", "investigated", "discontinued", "prosecuted", "convicted", "acquitted"]
GOLDEN = pd.read_csv(HERE / "shares.csv")


@for_each("is_clustered", [False, True])
def test_shares_and_errors_equal_those_of_r(is_clustered):
    people, changes = pd.read_csv(HERE / "people.csv"), pd.read_csv(HERE / "changes.csv")
    days = sorted(GOLDEN["day"].unique())
    shares = follow_states(
        people["first"].map(STATES.index),
        people["end_day"],
        changes["person"],
        changes["day"],
        changes["state"].map(STATES.index),
        at_days=days,
        n_states=len(STATES),
        cluster=people["victim"] if is_clustered else None,
    )
    assert len(GOLDEN) == len(days) * 7
    for name, rows in GOLDEN.groupby("state"):
        found = shares.total([STATES.index(one) for one in name.split("+")])
        rows = rows.set_index("day").loc[days]
        np.testing.assert_allclose(found.value, rows["share"], rtol=1e-9, atol=1e-11)
        golden = rows["se_cluster" if is_clustered else "se"]
        np.testing.assert_allclose(found.se, golden, rtol=1e-8, atol=1e-11)
