"""From a scenario and its victims to their course: reports, measures and exits, in days."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.simulate.kernel import (
    MEASURE_KIND,
    MOST_SUSPECTS,
    NATURAL,
    ONLY_HAZARD,
    Given,
    Rule,
    run_courses,
)
from revictimisation.simulate.population import add_terms, draw_exits, draw_victims
from revictimisation.simulate.randoms import Floats, Integers, draw_bits, draw_chance, draw_days
from revictimisation.simulate.scenarios import Scenario, StudyMeasure

TABLE_DAYS = 3000
OTHER_SCALE_DAYS = 2000.0  # reports against somebody else come evenly over time
OUT_COLUMNS = ["victim", "kind", "index", "day", "end_day"]
LONGEST_RUNNING_DAYS = 200


@dataclass(frozen=True)
class Setting:
    """The victims of a scenario and what their course depends on; all in the same order."""

    victims: pd.DataFrame
    exits: pd.DataFrame
    given: Given

    @property
    def n_suspects(self) -> Integers:
        """How many suspects each victim's index report names."""
        return self.given.n_suspects

    @property
    def last_day(self) -> Integers:
        """The last day of each victim in the data."""
        return self.given.last_day


@dataclass(frozen=True)
class Force:
    """A strategy laid upon one measure; ``mode`` is one of the module's constants."""

    measure: int = 0
    mode: int = NATURAL
    grace_days: int = 0
    start_days: Integers | None = None


def find_effects(victims: pd.DataFrame, measure: StudyMeasure) -> Floats:
    """Find each victim's log hazard ratio while the measure is in force."""
    effect = measure.effect
    if not effect.by:
        return np.full(len(victims), effect.log_hazard_ratio)
    return victims[effect.by].map(effect.per_level).to_numpy(float)


def tabulate_event(scenario: Scenario) -> Floats:
    """Cumulate the baseline hazard to each day from -1 on; nothing is an outcome before day 2."""
    days = np.arange(-1, TABLE_DAYS, dtype=np.float64)
    hazard = (np.maximum(days, 0.0) / scenario.weibull_scale_days) ** scenario.weibull_shape
    first = hazard[2]  # the lag: hazard of days 0 and 1 is no outcome
    return np.where(days <= 1, 0.0, hazard - first)


def tabulate_start(measure: StudyMeasure) -> Floats:
    """Cumulate the start hazard (per unit of exp(predictor)) to each day from -1 on."""
    days = np.arange(-1, TABLE_DAYS, dtype=np.float64) + 1.0
    clock = measure.clock
    early = -np.expm1(-((days / clock.scale_days) ** clock.shape))
    return early + clock.trickle_per_year * days / 365.25


def draw_running(scenario: Scenario, seed: int, victims: pd.DataFrame) -> Integers:
    """Draw the last day in force of measures already running at day 0; 0 where there is none.

    Only people with an earlier report can have one.
    """
    units = victims["unit"].to_numpy()
    has_earlier = victims["n_earlier"].to_numpy() > 0
    columns = []
    for measure in scenario.measures:
        is_running = has_earlier & draw_chance(
            seed, units, f"running_{measure.name}", measure.running_share
        )
        days = draw_days(seed, units, f"running_days_{measure.name}", 1, LONGEST_RUNNING_DAYS)
        columns.append(np.where(is_running, days, 0))
    return np.column_stack(columns).astype(np.int64)


def _describe_kinds(measures: tuple[StudyMeasure, ...]) -> np.ndarray:
    kinds = np.zeros(len(measures), MEASURE_KIND)
    for place, measure in enumerate(measures):
        effect, length = measure.effect, measure.length
        scale = length.mean_days / math.gamma(1.0 + 1.0 / length.shape)
        kinds[place] = (
            measure.log_reporting_ratio, effect.carry_share, effect.carry_days,
            measure.log_restart, length.shape, scale, length.largest_days,
        )  # fmt: skip
    return kinds


def _tabulate_between(measures: tuple[StudyMeasure, ...]) -> Floats:
    names = [measure.name for measure in measures]
    table = np.zeros((len(names), len(names)))
    for column, measure in enumerate(measures):
        for name, log_ratio in measure.log_start_when_in_force.items():
            table[names.index(name), column] = log_ratio
    return table


def _log_events(scenario: Scenario, victims: pd.DataFrame, hidden: Floats) -> Floats:
    columns = [
        add_terms(victims.assign(relation=victims[f"relation_{j}"]), scenario.event) + hidden
        for j in range(MOST_SUSPECTS)
    ]
    return np.column_stack(columns)


def prepare_setting(scenario: Scenario, n_people: int, seed: int, first_unit: int = 0) -> Setting:
    """Draw the victims of a scenario and lay out all that their course depends on."""
    victims = draw_victims(scenario, n_people, seed, first_unit)
    exits = draw_exits(scenario, seed, victims)
    measures, hidden = scenario.measures, victims["is_hidden"].to_numpy(float)
    starts = victims.assign(relation=victims["relation_0"])
    given = Given(
        keys=draw_bits(seed, victims["unit"].to_numpy(), "course"),
        last_day=exits["last_day"].to_numpy(),
        n_suspects=victims["n_suspects"].to_numpy().astype(np.int64),
        log_event=_log_events(scenario, victims, hidden * scenario.hidden.log_event),
        log_other=add_terms(victims, scenario.other_event) + hidden * scenario.hidden.log_event,
        log_start=np.column_stack(
            [add_terms(starts, m.start) + hidden * scenario.hidden.log_start for m in measures]
        ),
        effect=np.column_stack([find_effects(victims, m) for m in measures]),
        running=draw_running(scenario, seed, victims),
        kinds=_describe_kinds(measures),
        between=_tabulate_between(measures),
        event_table=tabulate_event(scenario),
        other_table=np.maximum(np.arange(-1, TABLE_DAYS), 0) / OTHER_SCALE_DAYS,
        start_tables=np.vstack([tabulate_start(m) for m in measures]),
    )
    return Setting(victims, exits, given)


def run_setting(
    setting: Setting, scenario: Scenario, force: Force | None = None,
    *, last_day: Integers | None = None, is_clock_reset: bool = True,
) -> tuple[pd.DataFrame, Floats]:  # fmt: skip
    """Run the course of all victims, as it is or under a forced strategy.

    Returns a row per event (victim = row number in the setting, kind, index, day, end_day) and, in
    mode ``ONLY_HAZARD``, the cumulated natural start hazard by day (else an empty array).
    """
    force = force or Force()
    n = len(setting.last_day)
    given = setting.given if last_day is None else setting.given._replace(last_day=last_day)
    hazard = np.zeros((n, force.grace_days + 1) if force.mode == ONLY_HAZARD else (1, 1))
    rule = Rule(
        force.mode, force.measure, force.grace_days, scenario.shared_share, is_clock_reset,
        np.zeros(1, np.int64) if force.start_days is None else force.start_days, hazard,
    )  # fmt: skip
    capacity = 10 * n + 1000
    while True:
        out = np.empty((capacity, len(OUT_COLUMNS)), dtype=np.int64)
        rows = run_courses(given, rule, out)
        if rows >= 0:
            return pd.DataFrame(out[:rows], columns=OUT_COLUMNS), hazard
        capacity *= 2
