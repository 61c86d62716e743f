"""A small county day by day, with the truth under both strategies, to hold estimators against.

Confounded at the start (`need`, 0/1) and over time (`other`, another measure that comes, brings
the measure and lowers the hazard); hazards of starts and of outcomes highest at first; the measure
acts only while in force, from the day after its start on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

NEVER = 10**6


@dataclass(frozen=True)
class Toy:
    """Parameters: log odds and log hazard effects; days."""

    grace_days: int = 30
    horizon_days: int = 180
    lasts_days: int = 60
    effect: float = -0.9
    need_on_start: float = 0.8
    need_on_outcome: float = 0.7
    other_on_start: float = 1.0
    other_on_outcome: float = -0.6
    start_level: float = -4.6
    outcome_level: float = 0.004


def draw_county(toy: Toy, n: int, seed: int) -> dict[str, np.ndarray]:
    """What does not depend on the strategy: need, day of the other measure, uniforms of starts."""
    rng = np.random.default_rng(seed)
    return {
        "need": (rng.random(n) < 0.4).astype(float),
        "other": rng.geometric(0.02, n).astype(float),  # acts from the next day on
        "natural": rng.random((n, toy.grace_days + 1)),
        "within": rng.random(n),
        "seed": np.array([seed + 1]),
    }


def start_hazards(toy: Toy, county: dict[str, np.ndarray]) -> np.ndarray:
    """People x days 0..grace: the chance of a start on the day, none before."""
    day = np.arange(toy.grace_days + 1)
    front = 1.2 * np.exp(-day / 5)
    logit = toy.start_level + front + toy.need_on_start * county["need"][:, None]
    logit = logit + toy.other_on_start * (county["other"][:, None] < day)
    return 1 / (1 + np.exp(-logit))


def follow(toy: Toy, county: dict[str, np.ndarray], start: np.ndarray) -> np.ndarray:
    """The day of the outcome under given start days; the same chance under every strategy."""
    rng = np.random.default_rng(county["seed"][0])
    outcome = np.full(len(start), NEVER)
    for day in range(1, toy.horizon_days + 1):
        front = toy.outcome_level * (1 + 3 * np.exp(-day / 15))
        log_ratio = toy.need_on_outcome * county["need"]
        log_ratio = log_ratio + toy.other_on_outcome * (county["other"] < day)
        log_ratio = log_ratio + toy.effect * ((start < day) & (day <= start + toy.lasts_days))
        happens = rng.random(len(start)) < 1 - np.exp(-front * np.exp(log_ratio))
        outcome[happens & (outcome == NEVER)] = day
    return outcome


def natural_starts(toy: Toy, county: dict[str, np.ndarray]) -> np.ndarray:
    hits = county["natural"] < start_hazards(toy, county)
    return np.where(hits.any(axis=1), hits.argmax(axis=1), NEVER)


def forced_starts(toy: Toy, county: dict[str, np.ndarray]) -> np.ndarray:
    """The natural day; who has none draws one from the own natural law within the grace time."""
    started_by = 1 - np.cumprod(1 - start_hazards(toy, county), axis=1)
    target = county["within"] * started_by[:, -1]
    drawn = (started_by >= target[:, None]).argmax(axis=1)
    natural = natural_starts(toy, county)
    return np.where(natural < NEVER, natural, drawn)


def true_risks(toy: Toy, n: int, seed: int, days: list[int]) -> np.ndarray:
    """Risks by the days under start, no start (rows)."""
    county = draw_county(toy, n, seed)
    starts = (forced_starts(toy, county), np.full(n, NEVER))
    return np.array([[(follow(toy, county, s) <= day).mean() for day in days] for s in starts])


def observe(toy: Toy, n: int, seed: int) -> pd.DataFrame:
    """What the register shows: stop_day, cause, start_day, need, other_day."""
    county = draw_county(toy, n, seed)
    start = natural_starts(toy, county)
    outcome = follow(toy, county, start)
    return pd.DataFrame(
        {
            "stop_day": np.minimum(outcome, toy.horizon_days),
            "cause": (outcome <= toy.horizon_days).astype(int),
            "start_day": np.where(start < NEVER, start, np.nan),
            "need": np.where(county["need"] == 1, "high", "low"),
            "other_day": county["other"].astype(int),
        }
    )
