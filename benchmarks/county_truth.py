"""The truth of a scenario: what every measure does, by the same process under two strategies.

The truth belongs to the scenario, not to one county. ``compute_truth`` runs a large county twice
for each measure, with the same chance: once everyone starts within the grace time, once nobody
does. What it gave is kept with its provenance (``revictimisation.simulate.truth``), and computed
anew by ``simulate_truth.py``.

*Start* is the natural start day of the person where it lies within the grace time. Who would not
have started gets a day from the person's own natural distribution of start days within the grace
time, given everything else that happens to the person. *No start* bars the start up to and
including the last day of the grace time; afterwards it comes as usual. Both leave all other
measures their course.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from revictimisation.simulate import kernel
from revictimisation.simulate.course import number_filings
from revictimisation.simulate.filings import UNKNOWN, draw_outside
from revictimisation.simulate.in_force import mark_in_force
from revictimisation.simulate.kernel import FORCE_NO_START, FORCE_START, ONLY_HAZARD
from revictimisation.simulate.process import (
    Force,
    Setting,
    prepare_setting,
    run_setting,
)
from revictimisation.simulate.randoms import Floats, Integers, draw_chance, draw_uniform
from revictimisation.simulate.scenarios import Effect, Scenario
from revictimisation.simulate.truth import COLUMNS

SUBGROUPS = ("risk_level", "is_honour", "sex", "relation_group", "age_group")
RELATION_GROUPS = {
    "current_partner": "partner", "former_partner": "partner", "parent": "kin", "sibling": "kin",
    "child": "kin", "other_relative": "kin",
}  # fmt: skip
CHUNK_PEOPLE = 100_000
NO_EVENT = 10**6
LAG_DAYS = 1  # an outcome is reported later than this; the process of new reports has it built in
JOINT = "joint"  # the study measure that is made of the others


@dataclass(frozen=True)
class Pairs:
    """Victim and suspect pairs of a setting: row numbers, and levels of the subgroups."""

    victim: Integers
    suspect: Integers
    levels: pd.DataFrame


def list_pairs(setting: Setting) -> Pairs:
    """List the pairs of a setting: one follow-up each, as the study counts them."""
    counts = setting.n_suspects
    victim = np.repeat(np.arange(len(counts)), counts)
    suspect = np.arange(len(victim)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = setting.victims.iloc[victim].reset_index(drop=True)
    relations = rows[[f"relation_{j}" for j in range(3)]].to_numpy()
    rows["relation"] = relations[np.arange(len(rows)), suspect]
    rows["relation_group"] = rows["relation"].map(RELATION_GROUPS)
    return Pairs(victim, suspect, rows[list(SUBGROUPS)])


def draw_start_days(
    setting: Setting, scenario: Scenario, place: int, grace_days: int, seed: int
) -> Integers:
    """Draw each victim's start day under the strategy *start*: 0 to ``grace_days``."""
    force = Force(place, ONLY_HAZARD, grace_days)
    last = np.full_like(setting.last_day, grace_days)
    _, hazard = run_setting(setting, scenario, force, last_day=last, is_clock_reset=False)
    total = hazard[:, -1]
    natural = kernel.draw_thresholds(setting.given.keys, place)
    uniform = draw_uniform(seed, setting.victims["unit"].to_numpy(), f"forced_{place}")
    within = -np.log1p(uniform * np.expm1(-total))
    target = np.where(natural <= total, natural, within)
    return (hazard >= target[:, None]).argmax(axis=1).astype(np.int64)


# Reports come at the usual rate times the reporting ratio of what is in force. Those that would
# have been filed at the usual will are therefore a thinning of those that were: each is kept with
# chance 1 / ratio, and what is kept comes at the usual rate whatever came before.


def is_reporting_changed(scenario: Scenario) -> bool:
    """Say whether any measure of the scenario changes the propensity to report."""
    return any(measure.log_reporting_ratio for measure in scenario.measures)


def sum_log_ratios(setting: Setting, scenario: Scenario, events: pd.DataFrame) -> Floats:
    """Sum for each event the log reporting ratios of the measures in force on its day."""
    rows, total = events.reset_index(drop=True), np.zeros(len(events))
    for place, measure in enumerate(scenario.measures):
        if measure.log_reporting_ratio:
            is_in = mark_in_force(setting.given.running, rows, rows, place)
            total += measure.log_reporting_ratio * is_in
    return total


def keep_usual(
    setting: Setting, scenario: Scenario, events: pd.DataFrame, seed: int
) -> pd.DataFrame:  # fmt: skip
    """Keep the measures, and of the reports those that would have been filed at the usual will.

    Reports of one victim on one day share one chance, so the strategies do too.
    """
    units = setting.victims["unit"].to_numpy()[events["victim"]]
    filings = number_filings(units, events["day"].to_numpy(), False)
    is_other = (events["kind"] == kernel.KIND_OTHER).to_numpy()
    chance = np.exp(-sum_log_ratios(setting, scenario, events))
    is_kept = draw_chance(seed, filings + is_other, "usual_will", chance)
    return events[is_kept | (events["kind"] == kernel.KIND_MEASURE).to_numpy()]


def find_first_days(
    setting: Setting, scenario: Scenario, pairs: Pairs, force: Force | None, seed: int = 0
) -> dict[str, Integers]:
    """Find by outcome the day of each pair's first report up to the horizon; ``NO_EVENT`` if none.

    Outcome "" is a new report against the suspect of the pair. Where a measure changes the will to
    report there are two more: ``crime``, the first of those that would have been filed at the usual
    will, and ``other_suspect``, the victim's first report against a known other person.
    Death and emigration end the course, so that they compete.
    """
    last = np.minimum(setting.last_day, scenario.horizon_days)
    events, _ = run_setting(setting, scenario, force, last_day=last)
    found = {"": _find_first(events, pairs)}
    if is_reporting_changed(scenario):
        usual = keep_usual(setting, scenario, events, seed)
        found["crime"] = _find_first(usual, pairs)
        found["other_suspect"] = _find_other(setting, events, pairs, seed)
    return found


def _find_first(events: pd.DataFrame, pairs: Pairs) -> Integers:
    """The first new report of each pair."""
    reports = events[events["kind"] == kernel.KIND_REPORT]
    first = np.full((pairs.victim[-1] + 1, kernel.MOST_SUSPECTS), NO_EVENT, dtype=np.int64)
    place = (reports["victim"].to_numpy(), reports["index"].to_numpy())
    np.minimum.at(first, place, reports["day"].to_numpy())
    return first[pairs.victim, pairs.suspect]


def _find_other(setting: Setting, events: pd.DataFrame, pairs: Pairs, seed: int) -> Integers:
    """The first report of each pair's victim against a known other person, later than day 1.

    As the study counts it: not on a day with a report against a suspect of the index report.
    """
    day_of = events["victim"] * NO_EVENT + events["day"]
    is_index_day = day_of.isin(day_of[events["kind"] == kernel.KIND_REPORT])
    is_other = (events["kind"] == kernel.KIND_OTHER) & (events["day"] > LAG_DAYS)
    reports = events[is_other & ~is_index_day]
    victim, day = reports["victim"].to_numpy(), reports["day"].to_numpy()
    units = setting.victims["unit"].to_numpy()[victim]
    is_known = draw_outside(seed, number_filings(units, day, True)) != UNKNOWN
    first = np.full(len(setting.victims), NO_EVENT, dtype=np.int64)
    np.minimum.at(first, victim[is_known], day[is_known])
    return first[pairs.victim]


def _iterate_groups(levels: pd.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    yield "", "", np.ones(len(levels), dtype=bool)
    for name in levels.columns:
        for level in sorted(levels[name].unique()):
            yield name, level, (levels[name] == level).to_numpy()


def _sum_group(start: Integers, other: Integers, day: int) -> dict[str, float]:
    """Sums over pairs from which risks, days lost and their Monte Carlo errors follow."""
    by_start, by_other = (start <= day).astype(float), (other <= day).astype(float)
    lost = np.maximum(day - start, 0) - np.maximum(day - other, 0)
    difference = by_start - by_other
    return {
        "n": float(len(start)), "risk_start": by_start.sum(), "risk_no_start": by_other.sum(),
        "difference_squared": (difference**2).sum(), "days": -float(lost.sum()),
        "days_squared": float((lost.astype(float) ** 2).sum()),
    }  # fmt: skip


def _sum_measure(setting: Setting, scenario: Scenario, place: int, seed: int) -> pd.DataFrame:
    """Run both strategies for one measure and sum by group and time over one chunk of people."""
    measure, pairs = scenario.measures[place], list_pairs(setting)
    grace = measure.grace_days
    start_days = draw_start_days(setting, scenario, place, grace, seed)
    is_eligible = (setting.given.running[:, place] == 0)[pairs.victim]
    start, other = (
        find_first_days(setting, scenario, pairs, Force(place, mode, grace, start_days), seed)
        for mode in (FORCE_START, FORCE_NO_START)
    )
    return pd.DataFrame([
        {"outcome": outcome, "measure": measure.name, "subgroup": subgroup, "level": level,
         "time_days": day,
         **_sum_group(start[outcome][is_eligible][mine], other[outcome][is_eligible][mine], day)}
        for outcome in start
        for subgroup, level, mine in _iterate_groups(pairs.levels[is_eligible])
        for day in scenario.report_at_days
    ])  # fmt: skip


def _sum_natural(setting: Setting, scenario: Scenario, seed: int) -> pd.DataFrame:
    """Sum the natural course by group and time: the cumulative incidence without any strategy."""
    pairs = list_pairs(setting)
    found = find_first_days(setting, scenario, pairs, None, seed)
    return pd.DataFrame([
        {"outcome": outcome, "measure": "", "subgroup": subgroup, "level": level, "time_days": day,
         "n": float(mine.sum()), "cumulative_incidence": float((first[mine] <= day).sum())}
        for outcome, first in found.items()
        for subgroup, level, mine in _iterate_groups(pairs.levels)
        for day in scenario.report_at_days
    ])  # fmt: skip


def sum_strategies(scenario: Scenario, n_people: int, seed: int) -> pd.DataFrame:
    """Run every strategy on ``n_people`` victims, in chunks; sum by outcome, measure, group."""
    parts = []
    for first in range(0, n_people, CHUNK_PEOPLE):
        size = min(CHUNK_PEOPLE, n_people - first)
        setting = prepare_setting(scenario, size, seed, first)
        parts.append(_sum_natural(setting, scenario, seed))
        parts += [
            _sum_measure(setting, scenario, place, seed) for place in range(len(scenario.measures))
        ]
    keys = ["outcome", "measure", "subgroup", "level", "time_days"]
    return pd.concat(parts).groupby(keys, as_index=False, sort=False).sum(min_count=1)


def list_built_in(scenario: Scenario) -> pd.DataFrame:
    """List the log hazard ratios that are built in: for all where constant, else by level.

    A measure with an interaction, or with carry-over into the time it is compared with, has no such
    number for the whole population; there the large-county limit of the adjusted model stands.
    They are of reports: what a measure does to the propensity to report is in them, and
    ``crime_log_hazard_ratio``, listed where there is such a measure, is without it.
    """
    parts = [_list_constants(scenario).assign(estimand="log_hazard_ratio")]
    if is_reporting_changed(scenario):
        as_usual = replace(scenario, measures=tuple(
            replace(measure, log_reporting_ratio=0.0) for measure in scenario.measures
        ))  # fmt: skip
        parts.append(_list_constants(as_usual).assign(estimand="crime_log_hazard_ratio"))
    return pd.concat(parts, ignore_index=True).assign(time_days=np.nan, mc_error=0.0)


def _list_constants(scenario: Scenario) -> pd.DataFrame:
    rows = []
    for measure in scenario.measures:
        effect, reporting = measure.effect, measure.log_reporting_ratio
        if effect.by:
            rows += [
                (measure.name, effect.by, level, value + reporting)
                for level, value in effect.per_level.items()
            ]
        elif not effect.carry_share:
            rows.append((measure.name, "", "", effect.log_hazard_ratio + reporting))
    is_null = all(measure.effect == Effect() for measure in scenario.measures)
    if is_null and not is_reporting_changed(scenario):
        rows.append((JOINT, "", "", 0.0))  # nothing together with nothing is nothing
    return pd.DataFrame(rows, columns=["measure", "subgroup", "level", "value"])


def make_estimands(sums: pd.DataFrame) -> pd.DataFrame:
    """Turn sums into risks, their difference and days gained, each with its Monte Carlo error.

    ``rmst_difference_days`` is the difference in event-free days up to the time, where those who
    die or leave without a new report count as free to the end (days lost to reports, Andersen
    2013). The outcomes other than a new report stand in front of the name: ``crime_risk_start``.
    """
    parts = []
    n = sums["n"]
    risk = {name: sums[name] / n
            for name in ("cumulative_incidence", "risk_start", "risk_no_start")}  # fmt: skip
    for name, value in risk.items():
        parts.append((name, value, np.sqrt(value * (1 - value) / n)))
    difference = risk["risk_start"] - risk["risk_no_start"]
    error = np.sqrt((sums["difference_squared"] / n - difference**2) / n)
    parts.append(("risk_difference", difference, error))
    days = sums["days"] / n
    error = np.sqrt((sums["days_squared"] / n - days**2) / n)
    parts.append(("rmst_difference_days", days, error))
    keys = sums[["measure", "subgroup", "level", "time_days"]]
    before = sums["outcome"].where(sums["outcome"] == "", sums["outcome"] + "_")
    long = [
        keys.assign(estimand=before + name, value=value, mc_error=error)
        for name, value, error in parts
    ]
    return pd.concat(long, ignore_index=True).dropna(subset="value")


def compute_truth(scenario: Scenario, n_people: int, seed: int) -> pd.DataFrame:
    """Compute the truth of a scenario on ``n_people`` victims; the contract's columns + mc_error.

    Where a log hazard ratio is not constant its limit is not computed here: see the benchmark.
    """
    risks = make_estimands(sum_strategies(scenario, n_people, seed))
    both = pd.concat([list_built_in(scenario), risks], ignore_index=True)
    return both[[*COLUMNS, "mc_error"]]


def fingerprint(scenario: Scenario) -> str:
    """Hash every parameter of a scenario: the kept truth names the one it was made for."""
    return hashlib.sha256(repr(scenario).encode()).hexdigest()
