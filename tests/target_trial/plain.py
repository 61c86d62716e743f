"""A process in which start model and outcome model are both right, with its truth in closed form.

Starts and outcomes share one cause (`need`, 0/1, strong); nothing changes within the grace time;
hazards are logistic and constant over intervals of days; some leave, some end administratively.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.target_trial.trial_data import Trial, prepare_trial

GRACE, HORIZON = 10, 100
START_CUTS, CUTS, EFFECTS = (0, 1, 5), (1, 6, 21), (1, 21)
START = np.array([-2.0, -3.6, -4.2])  # log odds by interval
OUTCOME, EFFECT = np.array([-4.0, -4.6, -5.2]), np.array([-1.0, -0.4])
LEAVING = -7.0
NEED_ON_START, NEED_ON_OUTCOME, NEED_ON_LEAVING = 1.1, 1.2, 0.5
SHARE_OF_NEED = 0.4


def expit(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def number(cuts: tuple[int, ...], days: np.ndarray) -> np.ndarray:
    return np.searchsorted(cuts, days, side="right") - 1


def start_hazards(need: float) -> np.ndarray:
    return expit(START[number(START_CUTS, np.arange(GRACE + 1))] + NEED_ON_START * need)


def hazards(need: float, started: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the outcome and of leaving, by day 1..horizon."""
    days = np.arange(1, HORIZON + 1)
    moved = started * EFFECT[number(EFFECTS, days)]
    outcome = expit(OUTCOME[number(CUTS, days)] + NEED_ON_OUTCOME * need + moved)
    return outcome, np.full(HORIZON, expit(np.array(LEAVING + NEED_ON_LEAVING * need)))


def true_course(need: float, is_start: bool) -> np.ndarray:
    """The risk by day 0..horizon for one kind of people, day by day."""
    law = start_hazards(need)
    if is_start:  # the same law, none of it after the grace time
        left = 1 - np.cumprod(1 - law[::-1])[::-1]
        law = law / left
    else:
        law = np.zeros_like(law)
    waiting, started, risk = 1.0, 0.0, [0.0]
    by_state = [hazards(need, state) for state in (0, 1)]
    for day in range(1, HORIZON + 1):
        if day - 1 <= GRACE:
            started, waiting = started + waiting * law[day - 1], waiting * (1 - law[day - 1])
        (a0, b0), (a1, b1) = ((outcome[day - 1], leaving[day - 1]) for outcome, leaving in by_state)
        risk.append(risk[-1] + waiting * a0 + started * a1)
        waiting, started = waiting * (1 - a0) * (1 - b0), started * (1 - a1) * (1 - b1)
    return np.array(risk)


def true_risks(days: list[int], share: float = SHARE_OF_NEED) -> np.ndarray:
    """Risks by the days under start, no start (rows)."""
    return np.array([
        ((1 - share) * true_course(0.0, arm) + share * true_course(1.0, arm))[days]
        for arm in (True, False)
    ])  # fmt: skip


def observe(n: int, seed: int, *, is_complete: bool = True) -> pd.DataFrame:
    """stop_day, cause, start_day, need: what the register shows."""
    rng = np.random.default_rng(seed)
    need = (rng.random(n) < SHARE_OF_NEED).astype(int)
    start_chance = np.array([start_hazards(0.0), start_hazards(1.0)])[need]
    hits = rng.random((n, GRACE + 1)) < start_chance
    start = np.where(hits.any(axis=1), hits.argmax(axis=1), HORIZON + 1)
    table = np.array([[hazards(x, state) for state in (0, 1)] for x in (0.0, 1.0)])
    state = (start[:, None] < np.arange(1, HORIZON + 1)).astype(int)
    days = np.arange(HORIZON)
    is_out = rng.random((n, HORIZON)) < table[need[:, None], state, 0, days]
    is_gone = rng.random((n, HORIZON)) < table[need[:, None], state, 1, days]
    is_any = is_out | is_gone
    at = np.where(is_any.any(axis=1), is_any.argmax(axis=1), HORIZON - 1)
    stop, rows = at + 1, np.arange(n)
    cause = np.where(is_out[rows, at], 1, np.where(is_gone[rows, at], 2, 0))
    if not is_complete:
        end = rng.integers(30, 150, n)
        cause, stop = np.where(end < stop, 0, cause), np.minimum(stop, end)
    seen = np.where(start <= GRACE, start, np.nan)
    return pd.DataFrame({"stop_day": stop, "cause": cause, "start_day": seen, "need": need})


def lay(seen: pd.DataFrame) -> Trial:
    return prepare_trial(
        seen["stop_day"], seen["cause"], seen["start_day"],
        design_from_array(seen[["need"]].to_numpy(), ["need"]),
        grace_days=GRACE, cut_days=START_CUTS,
    )  # fmt: skip
