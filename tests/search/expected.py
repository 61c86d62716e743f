"""What an extract's rows must be, from the entries alone: question 1, and risks and counts of 2.

`expect(case)` gives, by the key of a row, an `Answer`; rows without one are held to `judging` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.search import counting, weighing
from tests.search.extracts import Case
from tests.search.following import (
    Entry,
    build_covariates,
    keep_independent,
    read_entries,
)

KEYS = ("question", "analysis", "measure", "subgroup", "level", "outcome", "estimator", "estimand",
        "time_days")  # fmt: skip
CAUSES = ("", "death", "emigration")
NO_ANSWER = float("nan")
MOST_LARGER = 3.0


@dataclass(frozen=True)
class Answer:
    """The right value (`NO_ANSWER`: none may be given), its error and counts where known.

    `least_se`: where the error may be larger for a reason (up to `MOST_LARGER` times).
    """

    estimate: float
    se: float | None = None
    n_people: int | None = None
    n_events: int | None = None
    least_se: float | None = None


Expected = dict[tuple, Answer]


@dataclass
class Reading:
    """A case read: its entries, and their follow-up as arrays."""

    case: Case
    entries: list[Entry]

    def __post_init__(self) -> None:
        self.study = self.case.study
        self.measures = list(self.study["measures"])
        self.who = self.study["outcome"]["who"]
        self.stop = np.array([one.stop_day for one in self.entries])
        self.cause = np.array([one.cause for one in self.entries])
        self.victim = np.array([one.victim for one in self.entries])
        self.covariates = build_covariates(self.case, self.entries)
        horizon = self.study["horizon_days"]
        self.days = [day for day in self.study["report_at_days"] if day <= horizon]
        step = -(-horizon // 48)
        curve = {*range(0, horizon + 1, step), horizon, *self.days}
        self.curve_days = sorted(day for day in curve if day <= horizon)
        self.start_days = sorted({*range(min(60, horizon) + 1), *self.curve_days})

    def starts(self, measure: str) -> np.ndarray:
        """The first start on day 0 or later by entry, `NEVER` if there is none."""
        found = np.array([one.first_start(measure) for one in self.entries])
        return np.where(np.isnan(found), weighing.NEVER, found)

    def ran_before(self, measure: str) -> np.ndarray:
        """Entries in whom the measure ran before day 0."""
        return np.array([one.ran_before(measure) for one in self.entries])

    def groups(self) -> list[tuple[dict[str, str], np.ndarray]]:
        """Everybody, and each sex: the keys of their rows, and who they are."""
        sex = np.array([one.person["sex"] for one in self.entries])
        by_sex = [({"subgroup": "sex", "level": one}, sex == one) for one in sorted(set(sex))]
        return [({}, np.ones(len(sex), bool)), *by_sex]

    def started_by(self, day: int, measure: str) -> list[np.ndarray]:
        """For each other measure whether it had started by a day, or ran before day 0."""
        others = [one for one in self.measures if one != measure]
        return [self.ran_before(one) | (self.starts(one) <= day) for one in others]


def read_case(case: Case) -> Reading:
    """Read a case."""
    return Reading(case, read_entries(case))


def expect(reading: Reading) -> Expected:
    """All rows that are counted here."""
    found: Expected = {}
    if not reading.entries:
        return found
    for part in (_use, _incidence, _crude, _mean_counts, _strategy_counts, _trials):
        for key, answer in part(reading):
            found[key] = answer
    return found


def key(question: str, estimator: str, estimand: str, **more) -> tuple:
    """A row's key; what is not named is empty, the analysis `main`."""
    given = {"question": question, "estimator": estimator, "estimand": estimand, **more}
    default = {"analysis": "main", "time_days": None}
    return tuple(given.get(name, default.get(name, "")) for name in KEYS)


Rows = Iterator[tuple[tuple, Answer]]


def _use(reading: Reading) -> Rows:
    """Question 1: who was offered, granted and got each measure, and how soon."""
    people = reading.entries
    for measure in reading.measures:
        counts = dict.fromkeys(("offered", "granted", "denied", "declined", "carried_out"), 0)
        for entry in people:
            mine = [one for one in entry.decisions if one["code"] == measure]
            is_granted = any(0 <= one["decided"] <= entry.end_day for one in mine)
            counts["offered"] += is_granted
            counts["granted"] += is_granted
            counts["carried_out"] += any(0 <= one["start"] < entry.end_day for one in mine)
        for outcome, n in counts.items():
            for analysis in ("main", "by_code"):
                same = {"analysis": analysis, "measure": measure, "outcome": outcome}
                yield key("q1", "description", "count", **same), Answer(n, None, len(people), n)
                share = Answer(n / len(people), None, len(people), n)
                yield key("q1", "description", "share", **same), share
        is_in = ~reading.ran_before(measure)
        start, stop = reading.starts(measure)[is_in], reading.stop[is_in]
        if len(stop):
            is_start = start < stop
            day = np.where(is_start, start, stop)
            cause = np.where(is_start, 1, np.where(reading.cause[is_in] > 0, 2, 0))
            same = {"analysis": "first_start", "measure": measure, "outcome": "measure_start"}
            weights = counting.perturb(reading.victim[is_in])
            curve = counting.risks(day, cause, weights, reading.start_days)
            for place, when in enumerate(reading.start_days):
                n = int((is_start & (start <= when)).sum())
                yield (
                    key("q1", "aalen_johansen", "cumulative_incidence", time_days=when, **same),
                    Answer(*counting.read(curve[place, 0]), len(stop), n),
                )


def _incidence(reading: Reading) -> Rows:
    """Aalen-Johansen of the outcome, death and emigration, and Kaplan-Meier."""
    outcomes = (reading.who, *CAUSES[1:])
    for group, chosen in reading.groups():
        stop, cause = reading.stop[chosen], reading.cause[chosen]
        weights = counting.perturb(reading.victim[chosen])
        for analysis, days in (("main", reading.days), ("curve", reading.curve_days)):
            same = {"analysis": analysis, **group}
            curve = counting.risks(stop, cause, weights, days)
            alone = counting.risks(stop, np.where(cause == 1, 1, 0), weights, days)
            for place, when in enumerate(days):
                for number, outcome in enumerate(outcomes):
                    n = int(((cause == number + 1) & (stop <= when)).sum())
                    named = {**same, "outcome": outcome, "time_days": when}
                    yield (
                        key("q2", "aalen_johansen", "cumulative_incidence", **named),
                        Answer(*counting.read(curve[place, number]), len(stop), n),
                    )
                    if number == 0 and not group:
                        yield (
                            key("q2", "kaplan_meier", "cumulative_incidence", **named),
                            Answer(*counting.read(alone[place, 0]), len(stop), n),
                        )


def _crude(reading: Reading) -> Rows:
    """Ever started in follow-up against never."""
    for measure in reading.measures:
        is_in = ~reading.ran_before(measure)
        is_started = reading.starts(measure) < reading.stop
        arms = [is_in & is_started, is_in & ~is_started]
        if not all(one.any() for one in arms):
            continue
        cluster = np.where(is_in, reading.victim, "")
        weights = counting.perturb(cluster)
        keys = {"measure": measure, "outcome": reading.who}
        curves = [
            counting.risks(reading.stop[one], reading.cause[one], weights[one], reading.days)
            for one in arms
        ]
        counts = [(one, reading.stop, reading.cause) for one in arms]
        yield from _contrast(reading, "crude", keys, curves, counts)


def _contrast(reading: Reading, estimator: str, keys: dict, curves, counts, causes=(1,)) -> Rows:
    """Risks of both arms, difference, ratio and number needed; `counts`: (who, stop, cause)."""
    names = (reading.who, *CAUSES[1:])
    for place, when in enumerate(reading.days):
        for number in causes:
            mine = {**keys, "outcome": names[number - 1], "time_days": when}
            start, others = (one[place, number - 1] for one in curves)
            people = [int(who.sum()) for who, _, _ in counts]
            events = [
                int((who & (cause == number) & (stop <= when)).sum()) for who, stop, cause in counts
            ]
            yield (
                key("q2", estimator, "risk_start", **mine),
                Answer(*counting.read(start), people[0], events[0]),
            )
            yield (
                key("q2", estimator, "risk_no_start", **mine),
                Answer(*counting.read(others), people[1], events[1]),
            )
            yield from _build_contrasts(estimator, mine, start, others)


def _build_contrasts(estimator: str, keys: dict, start, others) -> Rows:
    """Difference, ratio, number needed. Where a risk is 0 or 1 limits are put together instead."""
    risks = (np.real(start[0]), np.real(others[0]))
    has_error = all(counting.NOTHING < one < 1 - counting.NOTHING for one in risks)
    gap, error = counting.read(start - others)
    spread = error if has_error else None
    yield key("q2", estimator, "risk_difference", **keys), Answer(gap, spread)
    ratio, spread = NO_ANSWER, None
    if min(risks) > 0:
        ratio, _ = counting.read(start / others)
        spread = counting.read(np.log(start) - np.log(others))[1] if has_error else None
    yield key("q2", estimator, "risk_ratio", **keys), Answer(ratio, spread)
    if estimator == "clone_censor_weight" and keys["outcome"] not in CAUSES:
        needed = Answer(NO_ANSWER)
        if abs(gap) > 1e-9:
            needed = Answer(-1 / gap, error / gap**2 if has_error else None)
        yield key("q2", estimator, "number_needed_to_treat", **keys), needed


def _mean_counts(reading: Reading) -> Rows:
    """Outcomes by each day, the first and all later ones."""
    for group, chosen in reading.groups():
        people = [one for one, is_in in zip(reading.entries, chosen, strict=True) if is_in]
        weights = counting.perturb(reading.victim[chosen])
        for analysis, days in (("main", reading.days), ("curve", reading.curve_days)):
            curve = counting.mean_counts(people, weights, days)
            for place, when in enumerate(days):
                n = sum(day <= when for one in people for day in one.outcomes)
                named = {**group, "outcome": reading.who, "analysis": analysis, "time_days": when}
                yield (
                    key("q2", "mean_cumulative_count", "mean_count", **named),
                    Answer(*counting.read(curve[place]), len(people), n),
                )


def _strategy_counts(reading: Reading) -> Rows:
    """Mean counts had everybody started within the grace time, or nobody; nothing adjusted for."""
    for measure in reading.measures:
        grace = reading.study["measures"][measure]["grace_days"]
        is_in = ~reading.ran_before(measure)
        people = [one for one, chosen in zip(reading.entries, is_in, strict=True) if chosen]
        end = np.array([one.end_day for one in people])
        start = reading.starts(measure)[is_in]
        start = np.where((start <= grace) & (start < end), start, weighing.NEVER)
        if reading.study["adjust_for"] or not 0 < (start <= grace).sum() < len(start):
            continue
        weights = counting.perturb(reading.victim[is_in])
        arms = weighing.weigh_by_day(end, start, grace, weights)
        curves = [counting.mean_counts(people, one, reading.days) for one in arms]
        for place, when in enumerate(reading.days):
            named = {"measure": measure, "outcome": reading.who, "time_days": when}
            both = [one[place] for one in curves]
            for estimand, curve in (
                ("mean_count_start", both[0]),
                ("mean_count_no_start", both[1]),
                ("mean_count_difference", both[0] - both[1]),
            ):
                is_alone = estimand != "mean_count_difference"
                has_error = is_alone or min(np.real(one[0]) for one in both) > 0
                value, error = counting.read(curve)
                answer = Answer(value, error if has_error else None)
                yield key("q2", "mean_cumulative_count", estimand, **named), answer


def _trials(reading: Reading) -> Rows:
    """Start within the grace time or not, by weights written by hand.

    Where nothing is adjusted for; or everything happens on day 0 and there is one measure.
    """
    is_adjusted = bool(reading.study["adjust_for"])
    for measure in reading.measures:
        grace = reading.study["measures"][measure]["grace_days"]
        if is_adjusted and (grace > 0 or len(reading.measures) > 1):
            continue
        is_in = ~reading.ran_before(measure)
        stop, cause = reading.stop[is_in], reading.cause[is_in]
        start = reading.starts(measure)[is_in]
        start = np.where((start <= grace) & (start < stop), start, weighing.NEVER)
        is_started = start <= grace
        if not is_started.any() or is_started.all():
            continue
        weights = counting.perturb(reading.victim[is_in])
        if is_adjusted:
            x = keep_independent(reading.covariates[is_in])
            arms = weighing.weigh_by_covariates(x, is_started, weights)
        else:
            arms = weighing.weigh_by_day(stop, start, grace, weights)
        counts = [(is_started | (stop <= grace), stop, cause), (~is_started, stop, cause)]
        keys = {"measure": measure}
        every = sorted({*reading.days, *reading.curve_days})
        drawn = [counting.risks(stop, cause, one, every) for one in arms]
        curves = [one[np.searchsorted(every, reading.days)] for one in drawn]
        has_draws = reading.study["bootstrap"]["replicates"] >= 2
        for analysis in ("main", "influence_interval"):
            rows = _contrast(
                reading, "clone_censor_weight", {**keys, "analysis": analysis}, curves, counts,
                (1, 2, 3),
            )  # fmt: skip
            for name, answer in rows:
                if analysis == "main" and has_draws:
                    answer = Answer(answer.estimate, None, answer.n_people, answer.n_events)
                yield name, answer
        curves = [one[np.searchsorted(every, reading.curve_days)] for one in drawn]
        for place, when in enumerate(reading.curve_days):
            for arm, estimand in enumerate(("risk_start", "risk_no_start")):
                value, error = counting.read(curves[arm][place, 0])
                named = {**keys, "analysis": "curve", "time_days": when, "outcome": reading.who}
                error = None if has_draws else error
                yield key("q2", "clone_censor_weight", estimand, **named), Answer(value, error)
