"""From a scenario and its victims to their course: reports, measures and exits, in days since index."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.simulate import kernel
from revictimisation.simulate.population import MOST_SUSPECTS, add_terms, draw_exits, draw_victims
from revictimisation.simulate.randoms import Floats, Integers, draw_bits, draw_chance, draw_days
from revictimisation.simulate.scenarios import Scenario, StudyMeasure

TABLE_DAYS = 3000
EXHAUSTED = 1_000_000_000
NATURAL, FORCE_START, FORCE_NO_START, ONLY_HAZARD = 0, 1, 2, 3
OUT_COLUMNS = ["victim", "kind", "index", "day", "end_day"]
LONGEST_RUNNING_DAYS = 200


@dataclass(frozen=True)
class Setting:
    """What the compiled course needs, as arrays; a row per victim in the first axis.

    ``victims`` and ``exits`` keep the same order.
    """

    victims: pd.DataFrame
    exits: pd.DataFrame
    keys: np.ndarray
    last_day: Integers
    n_suspects: Integers
    log_event: Floats
    log_other: Floats
    log_start: Floats
    effect: Floats
    reporting: Floats
    carry_share: Floats
    carry_days: Integers
    between: Floats
    restart: Floats
    event_table: Floats
    other_table: Floats
    start_tables: Floats
    lengths: Floats
    running: Integers


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


def _spell_lengths(measure: StudyMeasure) -> tuple[float, float, float]:
    length = measure.length
    scale = length.mean_days / math.gamma(1.0 + 1.0 / length.shape)
    return length.shape, scale, float(length.largest_days)


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


def prepare_setting(
    scenario: Scenario, n_people: int, seed: int, first_unit: int = 0
) -> Setting:
    """Draw the victims of a scenario and lay out all that their course depends on."""
    victims = draw_victims(scenario, n_people, seed, first_unit)
    exits = draw_exits(scenario, seed, victims)
    measures, hidden = scenario.measures, victims["is_hidden"].to_numpy(float)
    starts = victims.assign(relation=victims["relation_0"])
    return Setting(
        victims=victims,
        exits=exits,
        keys=draw_bits(seed, victims["unit"].to_numpy(), "course"),
        last_day=exits["last_day"].to_numpy(),
        n_suspects=victims["n_suspects"].to_numpy().astype(np.int64),
        log_event=_log_events(scenario, victims, hidden * scenario.hidden.log_event),
        log_other=add_terms(victims, scenario.other_event) + hidden * scenario.hidden.log_event,
        log_start=np.column_stack(
            [add_terms(starts, m.start) + hidden * scenario.hidden.log_start for m in measures]
        ),
        effect=np.column_stack([find_effects(victims, m) for m in measures]),
        reporting=np.array([m.log_reporting_ratio for m in measures]),
        carry_share=np.array([m.effect.carry_share for m in measures]),
        carry_days=np.array([m.effect.carry_days for m in measures], dtype=np.int64),
        between=_tabulate_between(measures),
        restart=np.array([m.log_restart for m in measures]),
        event_table=tabulate_event(scenario),
        other_table=np.maximum(np.arange(-1, TABLE_DAYS), 0) / 2000.0,
        start_tables=np.vstack([tabulate_start(m) for m in measures]),
        lengths=np.array([_spell_lengths(m) for m in measures]),
        running=draw_running(scenario, seed, victims),
    )


def run_setting(
    setting: Setting, scenario: Scenario, force: Force | None = None,
    *, last_day: Integers | None = None, is_clock_reset: bool = True,
) -> tuple[pd.DataFrame, Floats]:  # fmt: skip
    """Run the course of all victims, as it is or under a forced strategy.

    Returns a row per event (victim = row number in the setting, kind, index, day, end_day) and, in
    mode ``ONLY_HAZARD``, the cumulated natural start hazard by day (else an empty array).
    """
    force = force or Force()
    n = len(setting.keys)
    days = setting.last_day if last_day is None else last_day
    is_hazard = force.mode == ONLY_HAZARD
    hazard = np.zeros((n, force.grace_days + 1) if is_hazard else (1, 1))
    forced_days = np.zeros(1, np.int64) if force.start_days is None else force.start_days
    capacity = 10 * n + 1000
    while True:
        out = np.empty((capacity, 5), dtype=np.int64)
        rows = kernel.run_courses(
            setting.keys, days, setting.n_suspects, setting.log_event, setting.log_other,
            setting.log_start, setting.effect, setting.reporting, setting.carry_share,
            setting.carry_days, setting.between, setting.restart, setting.event_table,
            setting.other_table, setting.start_tables, setting.lengths, setting.running,
            scenario.shared_share, is_clock_reset, force.measure, force.mode, force.grace_days,
            forced_days, hazard, out,
        )  # fmt: skip
        if rows >= 0:
            return pd.DataFrame(out[:rows], columns=OUT_COLUMNS), hazard
        capacity *= 2
