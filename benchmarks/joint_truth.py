"""The truth of starts near in time, and of three strategies for two agencies.

Kept by `simulate_truth.py --joint`.

A strategy here is a law of two agencies' start days: those that people with the same covariates
have who follow it (`estimators.target_trial.three_strategies`), or in whom a pair of starts within
`WITHIN_DAYS` of each other has formed by the end of the grace time, or has not. So the course of
measures is run again and again where nobody reports anything, and the courses that follow the
strategy are kept: that is the law, without a formula. Along each the hazard of a new report against
each suspect is added up with the effects of what is in force, to the horizon or the victim's own
death or emigration. A victim's risk is the mean over the kept courses; the truth is the mean over
victims and their suspects. Only victims in whom nothing ran before day 0, and who follow both
strategies of a contrast in at least one course (how many do not is told).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Flags
from revictimisation.core.packing import pack_contrast
from revictimisation.simulate import kernel
from revictimisation.simulate.course import Course, date_days, run_course
from revictimisation.simulate.measure_tables import FIRST_ON, ORDINARY, collect_side
from revictimisation.simulate.process import run_setting
from revictimisation.simulate.randoms import Floats, draw_bits
from revictimisation.simulate.scenarios import Scenario

JOINT, STRATEGY = "joint", "strategy"
GRACE_DAYS, WITHIN_DAYS = 60, 30
ENOUGH, CHUNK = 12, 3000  # courses of a victim and strategy; victims at once
PAIRS = (("both", "none"), ("one", "none"), ("both", "one"))
START, NO_START = "start", "no_start"


def iterate_courses(
    course: Course, n_replicates: int
) -> Iterator[tuple[pd.DataFrame, dict[str, Flags]]]:
    """Courses of measures where nobody reports: a row per start, and who follows which strategy."""
    setting, scenario = course.setting, course.scenario
    given, n = setting.given, len(setting.victims)
    units = setting.victims["unit"].to_numpy()
    horizon = np.full(n, scenario.horizon_days)
    is_police = np.array([one.table == "police_measures" for one in scenario.measures])
    for replicate in range(n_replicates):
        seed = course.seed * 1000 + replicate
        silent = given._replace(
            keys=draw_bits(seed, units, "course"),
            log_event=np.full_like(given.log_event, -np.inf),
            log_other=np.full(n, -np.inf),
        )
        starts, _ = run_setting(
            replace(setting, given=silent), scenario, last_day=horizon, is_clock_reset=False
        )
        side = _draw_side(replace(course, seed=seed))
        days = pd.DataFrame({
            "victim": np.r_[starts["victim"], side["victim"]],
            "day": np.r_[starts["day"], side["day"]],
            "is_police": np.r_[is_police[starts["index"]], side["table"].eq("police_measures")],
        })  # fmt: skip
        yield starts, find_followed(days[days["day"] <= GRACE_DAYS], n)


def _draw_side(course: Course) -> pd.DataFrame:
    """Starts of the measures without effect within the grace time, of codes that the law knew."""
    parts = [collect_side(course, at, one) for at, one in enumerate(course.scenario.side_measures)]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["day"].le(GRACE_DAYS)]
    on = date_days(course, rows["victim"].to_numpy(), rows["day"].to_numpy())
    is_early = rows["code"].map(FIRST_ON).to_numpy().astype("datetime64[D]") > on
    return rows[~(is_early & rows["code"].ne(ORDINARY).to_numpy())]


def find_followed(days: pd.DataFrame, n: int) -> dict[str, Flags]:
    """Which victims follow each strategy, from the starts of both agencies in the grace time."""
    police, social = (days[days["is_police"].eq(mine)] for mine in (True, False))
    first = [np.full(n, np.inf), np.full(n, np.inf)]
    for found, mine in zip(first, (police, social), strict=True):
        np.minimum.at(found, mine["victim"].to_numpy(), mine["day"].to_numpy(float))
    has = [np.isfinite(found) for found in first]
    apart = np.abs(np.where(has[0], first[0], 0.0) - np.where(has[1], first[1], 0.0))
    pairs = police.merge(social, on="victim", suffixes=("", "_social"))
    pairs = pairs[(pairs["day"] - pairs["day_social"]).abs() <= WITHIN_DAYS]
    is_near = np.isin(np.arange(n), pairs["victim"])
    return {"both": has[0] & has[1] & (apart <= WITHIN_DAYS), "one": has[0] != has[1],
            "none": ~(has[0] | has[1]), START: is_near, NO_START: ~is_near}  # fmt: skip


def find_risks(course: Course, starts: pd.DataFrame, who: np.ndarray) -> Floats:
    """Of these victims the sum over suspects of the risk of a new report by each report day."""
    given, scenario = course.setting.given, course.scenario
    last, kinds = scenario.horizon_days, given.kinds
    place = np.full(len(course.setting.victims), -1)
    place[who] = np.arange(len(who))
    rows = starts[place[starts["victim"]] >= 0].sort_values(["victim", "index", "day"])
    victim, index, begin = (rows[name].to_numpy() for name in ("victim", "index", "day"))
    end = np.minimum(rows["end_day"].to_numpy(), last)
    is_next = (victim[1:] == victim[:-1]) & (index[1:] == index[:-1])
    again = np.append(np.where(is_next, begin[1:], kernel.NEVER), kernel.NEVER)
    carried = np.minimum(np.minimum(end + kinds["carry_days"][index], again), last)
    effect = given.effect[victim, index]
    steps = np.zeros((len(who), last + 3))
    at, left = place[victim], np.maximum(carried, end)
    for day, amount in (
        (begin, effect + kinds["reporting"][index]),
        (end, -effect - kinds["reporting"][index]),
        (end, effect * kinds["carry_share"][index]),
        (left, -effect * kinds["carry_share"][index]),
    ):
        np.add.at(steps, (at, day + 1), amount)
    grown = np.diff(given.event_table)[: last + 1]
    hazard = np.cumsum(np.exp(np.cumsum(steps[:, : last + 1], axis=1)) * grown, axis=1)
    level = np.exp(given.log_event[who])
    is_suspect = np.arange(level.shape[1]) < course.setting.n_suspects[who][:, None]
    ends = np.minimum(course.setting.last_day[who], last)
    by_day = [hazard[np.arange(len(who)), np.minimum(day, ends)]
              for day in scenario.report_at_days]  # fmt: skip
    return np.stack([(-np.expm1(-level * one[:, None]) * is_suspect).sum(axis=1)
                     for one in by_day], axis=1)  # fmt: skip


def compute_joint_truth(
    scenario: Scenario, n_people: int, n_replicates: int, seed: int
) -> pd.DataFrame:
    """The truth of a scenario: the contract's columns, mc_error, and n_missing victims."""
    course = run_course(scenario, n_people, seed)
    is_in = (course.setting.given.running == 0).all(axis=1)
    sums: dict[str, tuple[Floats, Floats]] = {}
    for starts, followed in iterate_courses(course, n_replicates):
        if not sums:
            n_days = len(course.scenario.report_at_days)
            sums = {one: (np.zeros(n_people), np.zeros((n_people, n_days))) for one in followed}
        wanted = {one: mine & is_in & (sums[one][0] < ENOUGH) for one, mine in followed.items()}
        everyone = np.flatnonzero(np.any([*wanted.values()], axis=0))
        for first in range(0, len(everyone), CHUNK):
            who = everyone[first : first + CHUNK]
            risks = find_risks(course, starts, who)
            for one, (count, total) in sums.items():
                mine = wanted[one][who]
                count[who[mine]] += 1
                total[who[mine]] += risks[mine]
    return pd.DataFrame([*_tell(course, is_in, sums)])


def _tell(
    course: Course, is_in: Flags, sums: dict[str, tuple[Floats, Floats]]
) -> Iterator[dict[str, object]]:
    n_suspects = course.setting.n_suspects
    for over, under in ((START, NO_START), *PAIRS):
        is_known = is_in & (sums[over][0] > 0) & (sums[under][0] > 0)
        counted = n_suspects[is_known].sum()
        mean = {one: sums[one][1][is_known] / sums[one][0][is_known][:, None]
                for one in (over, under)}  # fmt: skip
        gap = mean[over] - mean[under]
        is_pair = over == START
        same = {"measure": JOINT, "subgroup": "" if is_pair else STRATEGY,
                "n_missing": int((is_in & ~is_known).sum())}  # fmt: skip
        for at, day in enumerate(course.scenario.report_at_days):
            told = [("risk_difference", "" if is_pair else pack_contrast(over, under), gap)]
            if is_pair:
                told += [(f"risk_{one}", "", mean[one]) for one in (over, under)]
            for estimand, level, risk in told:
                error = risk[:, at].std() * np.sqrt(len(risk)) / counted
                yield {**same, "level": level, "estimand": estimand, "time_days": day,
                       "value": risk[:, at].sum() / counted, "mc_error": error}  # fmt: skip
