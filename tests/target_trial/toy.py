"""A small county day by day, with the truth under both strategies, to hold estimators against.

Confounded at the start (`need`, 0/1) and over time (`other`, another measure that comes, brings
the measure and lowers the hazard); hazards of starts and of outcomes highest at first; the measure
acts only while in force, from the day after its start on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

NEVER = 10**6
SHARE_OF_NEED, OTHER_COMES = 0.4, 0.02  # of people, and by the day


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
        "need": (rng.random(n) < SHARE_OF_NEED).astype(float),
        "other": rng.geometric(OTHER_COMES, n).astype(float),  # acts from the next day on
        "natural": rng.random((n, toy.grace_days + 1)),
        "seed": np.array([seed + 1]),
    }


def start_hazards(toy: Toy, county: dict[str, np.ndarray]) -> np.ndarray:
    """People x days 0..grace: the chance of a start on the day, none before."""
    day = np.arange(toy.grace_days + 1)
    front = 1.2 * np.exp(-day / 5)
    logit = toy.start_level + front + toy.need_on_start * county["need"][:, None]
    logit = logit + toy.other_on_start * (county["other"][:, None] < day)
    return 1 / (1 + np.exp(-logit))


def outcome_hazards(toy: Toy, need, other, start, day):
    """The hazard of the outcome on a day, of arrays of a shape."""
    front = toy.outcome_level * (1 + 3 * np.exp(-day / 15))
    log_ratio = toy.need_on_outcome * need + toy.other_on_outcome * (other < day)
    log_ratio = log_ratio + toy.effect * ((start < day) & (day <= start + toy.lasts_days))
    return front * np.exp(log_ratio)


def follow(toy: Toy, county: dict[str, np.ndarray], start: np.ndarray) -> np.ndarray:
    """The day of the outcome under given start days."""
    rng = np.random.default_rng(county["seed"][0])
    outcome = np.full(len(start), NEVER)
    for day in range(1, toy.horizon_days + 1):
        hazard = outcome_hazards(toy, county["need"], county["other"], start, day)
        happens = rng.random(len(start)) < 1 - np.exp(-hazard)
        outcome[happens & (outcome == NEVER)] = day
    return outcome


def natural_starts(toy: Toy, county: dict[str, np.ndarray]) -> np.ndarray:
    hits = county["natural"] < start_hazards(toy, county)
    return np.where(hits.any(axis=1), hits.argmax(axis=1), NEVER)


def true_risks(toy: Toy, days: list[int], counted: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """Risks by the days under start, no start (rows), exactly; how much low and high need count.

    Under start everybody keeps the natural day or draws one from the own natural law within the
    grace time: that law, given a start within it. Summed over all that the hazards hang on.
    """
    until = toy.horizon_days + 1
    others = np.arange(1, until + 1)  # the last of them: not within the follow-up
    stays = 1 - OTHER_COMES
    chance = np.append(OTHER_COMES * stays ** (others[:-1] - 1), stays ** (until - 1))
    risks = np.zeros((2, len(days)))
    shares = np.array([1 - SHARE_OF_NEED, SHARE_OF_NEED]) * counted
    for need, share in enumerate(shares / shares.sum()):
        county = {"need": np.full(until, need), "other": others}
        hazards = start_hazards(toy, county)
        law = hazards * np.cumprod(np.column_stack([np.ones(until), 1 - hazards[:, :-1]]), axis=1)
        law /= law.sum(axis=1, keepdims=True)
        starts = ((np.arange(toy.grace_days + 1), law), (np.array([NEVER]), np.ones((until, 1))))
        for arm, (start, weight) in enumerate(starts):
            at = np.arange(1, until)[:, None, None]
            total = outcome_hazards(toy, need, others[:, None], start, at).cumsum(axis=0)
            risk = 1 - np.exp(-total[np.array(days) - 1])
            risks[arm] += share * np.einsum("o,os,dos->d", chance, weight, risk)
    return risks


@cache
def observe(toy: Toy, n: int, seed: int) -> pd.DataFrame:
    """What the register shows: stop_day, cause, start_day, need, other_day; not to be changed."""
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
