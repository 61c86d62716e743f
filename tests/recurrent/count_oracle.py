"""Random follow-up with recurrent outcomes, and the mean count day by day from its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd

DAYS = [0, 1, 3, 6, 9, 12, 30]
LAST_DAY = 13


def make_follow_up(seed: int, n: int = 30) -> pd.DataFrame:
    """Pieces of follow-up: ties, late entry, weights that change, outcome and death at once."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(n):
        entry = int(rng.integers(-1, 3))
        stops = np.sort(rng.choice(np.arange(entry + 1, LAST_DAY), rng.integers(1, 5), False))
        for piece, stop in enumerate(stops):
            rows.append(
                {
                    "person": person,
                    "family": person % (n // 2),
                    "is_started": person < n // 2,
                    "start": entry if piece == 0 else int(stops[piece - 1]),
                    "stop": int(stop),
                    "event": int(rng.random() < 0.5),
                    "terminal": int(piece == len(stops) - 1 and rng.random() < 0.5),
                    "weight": rng.uniform(0.2, 3),
                }
            )
    return pd.DataFrame(rows)


def naive_mean_count(frame: pd.DataFrame, days: list[int] = DAYS) -> list[float]:
    """Day by day: who is at risk, the outcomes among them, then who leaves for good."""
    counts, stays, count = {}, 1.0, 0.0
    for day in range(-5, max(days) + 1):
        at_risk = frame["weight"][(frame["start"] < day) & (day <= frame["stop"])].sum()
        today = frame[frame["stop"] == day]
        if at_risk > 0:
            count += stays * (today["weight"] * today["event"]).sum() / at_risk
            stays *= 1 - (today["weight"] * today["terminal"]).sum() / at_risk
        counts[day] = count
    return [counts[day] for day in days]


def derivatives(frame: pd.DataFrame, estimate, step: float = 1e-5) -> np.ndarray:
    """Of the estimates in the logarithm of each family's weight, by central differences."""
    rows = []
    for family in frame["family"].unique():
        factor = np.where(frame["family"] == family, step, 0)
        up, down = (frame.assign(weight=frame["weight"] * (1 + s * factor)) for s in (1, -1))
        rows.append((estimate(up) - estimate(down)) / (2 * step))
    return np.array(rows)
