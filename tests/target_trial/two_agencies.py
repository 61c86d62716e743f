"""A small county with two agencies, and the truth under three strategies, to hold estimators to.

`need` confounds: it brings starts of both agencies, and outcomes. What starts acts from the next
day on; both together do more than each alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

NEVER = 10**6


@dataclass(frozen=True)
class Agencies:
    """Days, log odds of starts, log hazard ratios of the outcome."""

    grace_days: int = 20
    within_days: int = 7
    horizon_days: int = 120
    police_level: float = -3.6
    social_level: float = -4.0
    need_on_start: float = 0.9
    follows: float = 1.3
    same_day: float = 2.0
    outcome_level: float = 0.006
    need_on_outcome: float = 0.8
    police_effect: float = -0.3
    social_effect: float = -0.4
    together: float = -0.5


def draw_starts(rule: Agencies, need: np.ndarray, rng) -> tuple[np.ndarray, np.ndarray]:
    """First start days by the natural law, were everyone followed so long."""
    n = len(need)
    police, social = np.full(n, NEVER), np.full(n, NEVER)

    def chance(level, add):
        return 1 / (1 + np.exp(-(level + rule.need_on_start * need + add)))

    for day in range(rule.grace_days + 1):
        front = 1.0 * (day == 0)
        free_p, free_s = police == NEVER, social == NEVER
        begins = rng.random(n) < chance(rule.police_level, front + rule.follows * ~free_s)
        police[free_p & begins] = day
        add = front + rule.follows * (police < day) + rule.same_day * (police == day)
        begins = rng.random(n) < chance(rule.social_level, add)
        social[free_s & begins] = day
    return police, social


def follow(rule: Agencies, need, police, social, rng) -> np.ndarray:
    """The day of the outcome."""
    outcome = np.full(len(need), NEVER)
    for day in range(1, rule.horizon_days + 1):
        has_p, has_s = police < day, social < day
        log_ratio = rule.need_on_outcome * need + rule.police_effect * has_p
        log_ratio = log_ratio + rule.social_effect * has_s + rule.together * (has_p & has_s)
        hazard = rule.outcome_level * (1 + 2 * np.exp(-day / 15)) * np.exp(log_ratio)
        happens = rng.random(len(need)) < 1 - np.exp(-hazard)
        outcome[happens & (outcome == NEVER)] = day
    return outcome


def is_followed(rule: Agencies, strategy: str, police, social) -> np.ndarray:
    """Whether start days follow a strategy, in the words of its definition."""
    has_p, has_s = police <= rule.grace_days, social <= rule.grace_days
    if strategy == "both":
        return has_p & has_s & (np.abs(police - social) <= rule.within_days)
    return (has_p ^ has_s) if strategy == "one" else ~has_p & ~has_s


def true_risks(rule: Agencies, n: int, seed: int, days: list[int]) -> np.ndarray:
    """Risks under both, one, none (rows): start days drawn anew until they follow the strategy."""
    rng = np.random.default_rng(seed)
    risks = []
    for strategy in ("both", "one", "none"):
        need = (rng.random(n) < 0.4).astype(float)
        police, social = draw_starts(rule, need, rng)
        while not (good := is_followed(rule, strategy, police, social)).all():
            police[~good], social[~good] = draw_starts(rule, need[~good], rng)
        outcome = follow(rule, need, police, social, rng)
        risks.append([(outcome <= day).mean() for day in days])
    return np.array(risks)


def observe(rule: Agencies, n: int, seed: int) -> pd.DataFrame:
    """What the register shows: stop_day, cause, police_day, social_day, need."""
    rng = np.random.default_rng(seed)
    need = (rng.random(n) < 0.4).astype(float)
    police, social = draw_starts(rule, need, rng)
    outcome = follow(rule, need, police, social, rng)
    return pd.DataFrame(
        {
            "stop_day": np.minimum(outcome, rule.horizon_days),
            "cause": (outcome <= rule.horizon_days).astype(int),
            "police_day": np.where(police < NEVER, police, np.nan),
            "social_day": np.where(social < NEVER, social, np.nan),
            "need": np.where(need == 1, "high", "low"),
        }
    )
