"""The truth of question 4: how measures go with conviction, were nothing else different.

The same cases are decided twice for each measure, with the same chance: as if it had started within
its grace time and before any decision, and as if not; all other measures as they were. Compared
are the index reports still undecided at the end of the grace time whose victim had no such
measure running before and is there: those of whom the study asks. In `truth`, by days from the
report: `conviction_risk_start`, `conviction_risk_no_start`, `conviction_risk_difference`,
`conviction_odds_ratio`; with no day `participation_risk_difference`; and, subgroup `path`, the
difference `through_participation` (participation as with the measure against as without it, all
else as with it) and in `other_ways`.

What the measure does to *later* starts of other measures is not in it: these are held as they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd

from revictimisation.simulate.calibrated import find_court
from revictimisation.simulate.course import Course
from revictimisation.simulate.courts import Court
from revictimisation.simulate.filings import collect_index
from revictimisation.simulate.justice_tables import (
    date_cases,
    decide_cases,
    describe_victims,
    mark_started,
)
from revictimisation.simulate.process import prepare_setting, run_setting
from revictimisation.simulate.report_tables import date_filings
from revictimisation.simulate.scenarios import Scenario

COLUMNS = ["measure", "subgroup", "level", "estimand", "time_days", "value", "mc_error"]
CHUNK_PEOPLE = 50_000
PATH = "path"
WAYS = {"through_participation": ("both", "only_cleared"), "other_ways": ("only_cleared", "none")}


def list_index_cases(scenario: Scenario, n_people: int, seed: int, first: int) -> tuple[
    Course, pd.DataFrame
]:  # fmt: skip
    """Run the natural course of some victims and list the cases of their index reports."""
    setting = prepare_setting(scenario, n_people, seed, first)
    events, _ = run_setting(setting, scenario)
    never = np.full(n_people, 10**6)
    course = Course(scenario, seed, setting, events, never)
    filings = date_filings(course, collect_index(course))
    return course, date_cases(describe_victims(course, filings), seed)


def decide_forced(
    cases: pd.DataFrame, started: pd.DataFrame, court: Court, seed: int, measure: str
) -> dict[str, pd.DataFrame]:
    """Decide the cases with the measure, without it, and with all of it but participation."""
    yes, no = (started.assign(**{measure: value}) for value in (True, False))
    return {
        "both": decide_cases(cases, yes, court, seed),
        "none": decide_cases(cases, no, court, seed),
        "only_cleared": decide_cases(cases, yes, court, seed, no),
    }


def sum_cases(scenario: Scenario, n_people: int, seed: int) -> Iterator[pd.DataFrame]:
    """Sums by measure and time over the cases that are compared, chunk by chunk."""
    court = find_court(scenario)
    for first in range(0, n_people, CHUNK_PEOPLE):
        size = min(CHUNK_PEOPLE, n_people - first)
        course, cases = list_index_cases(scenario, size, seed, first)
        started = mark_started(course, cases)
        for place, measure in enumerate(scenario.measures):
            is_in = _find_compared(course, cases, place)
            mine = cases[is_in].reset_index(drop=True)
            found = decide_forced(
                mine, started[is_in].reset_index(drop=True), court, seed, measure.name
            )
            judged = (mine["judged_on"] - mine["reported_on"]).dt.days.to_numpy()
            rows = [_sum_part(found)]
            days = [day for day in scenario.report_at_days if day > measure.grace_days]
            rows += [_sum_day(found, judged, day) for day in days]
            yield pd.DataFrame(rows).assign(measure=measure.name)


def _find_compared(course: Course, cases: pd.DataFrame, place: int) -> np.ndarray:
    """Undecided when the grace time ends, not running before, the victim still there."""
    grace = course.scenario.measures[place].grace_days
    wait = (cases["closed_on"] - cases["reported_on"]).dt.days.to_numpy()
    victim = cases["victim"].to_numpy()
    ran = course.setting.given.running[victim, place] > 0
    return (wait > grace) & ~ran & (course.setting.last_day[victim] > grace)


def _sum_part(found: dict[str, pd.DataFrame]) -> dict[str, float]:
    part = {name: one["has_victim_participation"].to_numpy(float) for name, one in found.items()}
    return {"time_days": np.nan, **_sum_up(part)}


def _sum_day(found: dict[str, pd.DataFrame], judged: np.ndarray, day: int) -> dict[str, float]:
    by_day = {
        name: (one["is_convicted"].to_numpy() & (judged <= day)).astype(float)
        for name, one in found.items()
    }
    return {"time_days": float(day), **_sum_up(by_day)}


def _sum_up(found: dict[str, np.ndarray]) -> dict[str, float]:
    sums = {"n": float(len(found["both"])), **{name: one.sum() for name, one in found.items()}}
    for over, under in (("both", "none"), *WAYS.values()):
        sums[f"{over}_{under}"] = ((found[over] - found[under]) ** 2).sum()
    return sums


def compute_court_truth(scenario: Scenario, n_people: int, seed: int) -> pd.DataFrame:
    """Compute the truth of question 4 on `n_people` victims: the columns of `truth` + mc_error."""
    chunks = pd.concat(sum_cases(scenario, n_people, seed))
    sums = chunks.groupby(["measure", "time_days"], sort=False, dropna=False).sum().reset_index()
    rows = [row for _, one in sums.iterrows() for row in _tell(one)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _tell(one: pd.Series) -> Iterator[tuple[object, ...]]:
    """The truths of one measure at one time."""
    n, day = one["n"], one["time_days"]
    risk = {name: one[name] / n for name in ("both", "none", "only_cleared")}

    def gap(over: str, under: str) -> tuple[float, float]:
        value = risk[over] - risk[under]
        return value, float(np.sqrt(max(one[f"{over}_{under}"] / n - value**2, 0.0) / n))

    whole = (one["measure"], "", "")
    if np.isnan(day):
        yield (*whole, "participation_risk_difference", day, *gap("both", "none"))
        return
    error = {name: float(np.sqrt(r * (1 - r) / n)) for name, r in risk.items()}
    yield (*whole, "conviction_risk_start", day, risk["both"], error["both"])
    yield (*whole, "conviction_risk_no_start", day, risk["none"], error["none"])
    yield (*whole, "conviction_risk_difference", day, *gap("both", "none"))
    odds = {name: r / (1 - r) for name, r in risk.items()}
    ratio = odds["both"] / odds["none"]
    slope = ratio / (risk["none"] * (1 - risk["none"]))
    yield (*whole, "conviction_odds_ratio", day, ratio, slope * gap("both", "none")[1])
    for level, (over, under) in WAYS.items():
        yield (one["measure"], PATH, level, "conviction_risk_difference", day, *gap(over, under))


def fingerprint_court(scenario: Scenario) -> str:
    """Hash every parameter that the truth of question 4 hangs on."""
    text = repr(scenario) + repr(find_court(scenario))
    return hashlib.sha256(text.encode()).hexdigest()
