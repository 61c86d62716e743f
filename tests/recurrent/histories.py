"""Histories day by day in which outcomes recur and people die, with the truth under strategies.

Confounded at the start (`need`) and over time: an outcome brings the next one and the measure
(which acts from the day after its start on). On a day the outcome comes first, then death, then a
start: an outcome may lead to a start on its own day.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from revictimisation.cohort.person_time import build_episodes
from revictimisation.cohort.study_data import StudyData
from revictimisation.plan import read_plan

NEVER = 10**6


@dataclass(frozen=True)
class World:
    """Parameters: days, levels per day, log odds of starts and log hazard ratios."""

    grace_days: int = 20
    horizon_days: int = 100
    lasts_days: int = 60
    effect: float = -1.0
    need_on_outcome: float = 0.6
    outcome_on_outcome: float = 0.4
    outcome_level: float = 0.008
    death_level: float = 0.0015
    need_on_death: float = 0.8
    start_level: float = -4.4
    need_on_start: float = 0.8
    outcome_on_start: float = 1.6


@dataclass(frozen=True)
class Histories:
    """A place per person; `outcomes` is people x days 0..horizon."""

    need: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    is_dead: np.ndarray
    outcomes: np.ndarray

    def mean_count(self, days: list[int]) -> np.ndarray:
        """Outcomes per person by the days."""
        return np.array([self.outcomes[:, : day + 1].sum(axis=1).mean() for day in days])


def live(world: World, n: int, seed: int, start: np.ndarray | None = None) -> Histories:
    """Follow `n` people; starts come by themselves (None) or on given days within the grace time.

    Who is given no day (`NEVER`) does not start in it, and later as usual.
    """
    rng = np.random.default_rng(seed)
    need = (rng.random(n) < 0.4).astype(float)
    begins = np.full(n, NEVER) if start is None else start.copy()
    died = np.full(n, NEVER)
    outcomes = np.zeros((n, world.horizon_days + 1), dtype=bool)
    count = np.zeros(n)
    for day in range(world.horizon_days + 1):
        alive = died == NEVER
        if day:
            front = world.outcome_level * (1 + 3 * np.exp(-day / 15))
            log_ratio = world.need_on_outcome * need
            log_ratio += world.outcome_on_outcome * np.minimum(count, 3)
            log_ratio += world.effect * ((begins < day) & (day <= begins + world.lasts_days))
            happens = rng.random(n) < 1 - np.exp(-front * np.exp(log_ratio))
            outcomes[:, day] = happens & alive
            count += outcomes[:, day]
            dies = rng.random(n) < world.death_level * np.exp(world.need_on_death * need)
            died[dies & alive] = day
        uniform = rng.random(n)
        if start is None or day > world.grace_days:
            logit = world.start_level + 1.2 * np.exp(-day / 5) + world.need_on_start * need
            chance = 1 / (1 + np.exp(-(logit + world.outcome_on_start * (count > 0))))
            begins[(uniform < chance) & (died == NEVER) & (begins == NEVER)] = day
    stop = np.minimum(died, world.horizon_days)
    return Histories(need, begins, stop, died <= world.horizon_days, outcomes)


def true_counts(world: World, n: int, seed: int, days: list[int]) -> np.ndarray:
    """Mean counts by the days had everyone started within the grace time, had no one (rows).

    Start days are drawn from the natural law within the grace time of people of the same need: the
    hazard of a start among those alive and not started, whatever outcomes they had.
    """
    natural = live(world, n, seed)
    rng = np.random.default_rng(seed + 1)
    start = np.empty(n, dtype=int)
    for need in (0.0, 1.0):
        mine = natural.need == need
        begins, stop = natural.start[mine], natural.stop[mine]
        grace = range(world.grace_days + 1)
        at_risk = [((begins >= day) & (stop > day)).sum() for day in grace]
        hazard = np.array([(begins == day).sum() for day in grace]) / at_risk
        law = hazard * np.cumprod(np.append(1, 1 - hazard[:-1]))
        start[mine] = rng.choice(len(law), mine.sum(), p=law / law.sum())
    started = live(world, n, seed, start).mean_count(days)
    none = live(world, n, seed, np.full(n, NEVER)).mean_count(days)
    return np.array([started, none])


def make_study(histories: Histories, grace_days: int, plan_text: str = "") -> StudyData:
    """Histories as a study of one measure, `order`, adjusted for `x_need`."""
    n, horizon = len(histories.need), histories.outcomes.shape[1] - 1
    plan = read_plan(
        f"name: histories\nhorizon_days: {horizon}\nreport_at_days: [60, {horizon}]\n"
        f"measures: {{order: {{grace_days: {grace_days}}}}}\n"
        f"adjust_for: [x_need]\nsubgroups: [x_need]\n"
        f"subgroup_levels: {{x_need: [high, low]}}\n{plan_text}"
    )
    entry, day = np.nonzero(histories.outcomes)
    first = np.full(n, NEVER)
    np.minimum.at(first, entry, day)
    end_cause = np.where(histories.is_dead, 2, 0)
    has_started = histories.start < histories.stop
    spells = pd.DataFrame(
        {
            "entry_id": np.flatnonzero(has_started),
            "measure": "order",
            "start_day": histories.start[has_started],
            "stop_day": histories.start[has_started] + 60,
        }
    )
    whole = pd.DataFrame({"entry_id": np.arange(n), "stop_day": histories.stop})
    events = pd.DataFrame({"entry_id": entry, "day": day})
    entries = pd.DataFrame(
        {
            "entry_id": np.arange(n),
            "cluster_id": np.arange(n),
            "stop_day": np.minimum(first, histories.stop),
            "end_day": histories.stop,
            "data_end_day": 10 * horizon,
            "cause": np.where(first < NEVER, 1, end_cause),
            "end_cause": end_cause,
            "other_day": np.nan,
            "control_day": np.nan,
        }
    )
    return StudyData(
        plan=plan,
        entries=entries,
        covariates=pd.DataFrame({"x_need": np.where(histories.need == 1, "high", "low")}),
        starts=pd.DataFrame(
            {
                "entry_id": np.arange(n),
                "measure": "order",
                "first_start_day": np.where(has_started, histories.start, np.nan),
                "is_running_before": False,
            }
        ),
        spells=spells,
        episodes=build_episodes(
            *(ibis.memtable(table) for table in (whole, events, spells)), plan.measure_names
        ),
        decisions=pd.DataFrame(),
        assessments=pd.DataFrame(),
        renewals=pd.DataFrame(),
    )
