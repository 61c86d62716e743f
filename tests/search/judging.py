"""Rows of `estimates` held against the answers counted by hand, and against what can be defended.

A fault is a row of status `ok` that is not the number it should be, or that nobody could defend:
nobody at risk, no error, an interval without width, too few exposed, a number that cannot be.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from revictimisation.disclosure.kinds import read_facts
from revictimisation.plan import Gates
from tests.search.expected import KEYS, MOST_LARGER, Expected, Reading
from tests.search.following import cut_episodes

HAZARDS = ("log_hazard_ratio", "hazard_ratio")
# what the dictionary says of each estimand: a new one is judged by its line there
KINDS, HAS_ERROR, ARMS = (read_facts("estimand", name) for name in ("kind", "has_error", "arm"))
SHARES = tuple(name for name, kind in KINDS.items() if kind == "share")
MEAN_COUNTS = tuple(name for name, kind in KINDS.items() if kind.startswith("mean_count"))
CONTRASTS = tuple(
    name
    for name, kind in KINDS.items()
    if HAS_ERROR[name] == "true" and not ARMS[name] and kind not in ("share", "mean_count")
)
PLAIN = tuple(name for name, told in HAS_ERROR.items() if told == "false")
NO_SPREAD = 1e-10
SAME = 1e-6  # of an estimate, relative; of an error ten times as much


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row; `check`: the kind."""

    number: int
    kind: str
    check: str
    row: str
    got: str
    right: str

    def record(self) -> dict:
        """As data."""
        return asdict(self)

    @property
    def family(self) -> str:
        """The check, the estimator and what it estimates: faults that have one cause."""
        parts = dict(zip(KEYS, self.row.split(" | "), strict=True))
        names = ("question", "analysis", "estimator", "estimand")
        return f"{self.check}: " + " ".join(parts[one] for one in names)


def judge(reading: Reading, estimates: pd.DataFrame, expected: Expected) -> list[Fault]:
    """All faults of an extract's rows."""
    judge = Judge(reading, estimates, expected)
    return [fault for row in estimates.to_dict("records") for fault in judge.look(row)]


class Judge:
    """Holds the rows of one extract against its answers."""

    def __init__(self, reading: Reading, estimates: pd.DataFrame, expected: Expected) -> None:
        self.reading, self.expected = reading, expected
        self.by_key = {name_key(row): row for row in estimates.to_dict("records")}
        self.exposed = count_exposed(reading)
        self.gates = Gates(**reading.study.get("gates", {}))
        self.last = find_last_days(reading)
        self.n_checked = self.n_counted = 0

    def look(self, row: dict) -> list[Fault]:
        """The faults of a row; none where it is not `ok`."""
        if row["status"] != "ok":
            return []
        self.n_checked += 1
        found = [*self._against_answer(row), *self._by_itself(row), *self._beside_others(row)]
        found += [*self._in_time(row), *self._behind_it(row)]
        case = self.reading.case
        name = " | ".join("" if one is None else str(one) for one in name_key(row))
        return [Fault(case.number, case.kind, check, name, got, right)
                for check, got, right in found]  # fmt: skip

    def _against_answer(self, row: dict):
        answer = self.expected.get(name_key(row))
        if answer is None:
            return
        self.n_counted += 1
        if math.isnan(answer.estimate):
            yield "no answer exists", tell(row["estimate"]), "not_estimable"
            return
        if not is_same(row["estimate"], answer.estimate, SAME):
            yield "another number", tell(row["estimate"]), tell(answer.estimate)
        # where nothing moves a number its error is that of exact limits
        has_error = answer.se is not None and answer.se > NO_SPREAD and not is_edge(row)
        if has_error and not is_same(row["se"], answer.se, 10 * SAME):
            yield "another error", tell(row["se"]), tell(answer.se)
        least = answer.least_se
        if least is not None and not 0.95 * least <= row["se"] <= MOST_LARGER * least:
            yield "another error", tell(row["se"]), f"{tell(least)} or a little more"
        for name in ("n_people", "n_events"):
            right = getattr(answer, name)
            if right is not None and not pd.isna(row[name]) and int(row[name]) != right:
                yield f"another {name}", tell(row[name]), tell(right)

    def _by_itself(self, row: dict):
        """A number that cannot be, or that says nothing of its own doubt."""
        estimand, value = row["estimand"], row["estimate"]
        low, high, se = row["ci_low"], row["ci_high"], row["se"]
        if not math.isfinite(value):
            yield "not finite", tell(value), "a number"
            return
        if estimand in (*SHARES, "p_value", "p_value_holm") and not -1e-12 <= value <= 1 + 1e-12:
            yield "outside 0..1", tell(value), "0..1"
        if estimand == "risk_difference" and not -1 <= value <= 1:
            yield "outside -1..1", tell(value), "-1..1"
        if estimand in PLAIN or row["outcome"] == "outside_support":
            return
        if pd.isna(low) or pd.isna(high):
            yield "no interval", f"{tell(low)} to {tell(high)}", "an interval"
            return
        through = estimand == "number_needed_to_treat" and "infinity" in row["reason"]
        if not through and not low - 1e-9 <= value <= high + 1e-9:
            yield "interval without its estimate", f"{tell(value)} in {tell(low)}..{tell(high)}", ""
        if abs(high - low) <= 1e-9 * max(1.0, abs(value)):
            yield "interval of no width", f"{tell(low)} to {tell(high)}", "a width"
        is_dose = row["subgroup"] == "days_so_far"  # in units that few may come to
        if estimand in HAZARDS and high > 1e6 and not is_dose:
            yield "interval without end", f"{tell(low)} to {tell(high)}", "withheld"
        is_shown = row["estimator"] != "description"
        if is_shown and not is_edge(row) and (pd.isna(se) or not 0 < se < math.inf):
            yield "no error", tell(se), "above 0"
        elif is_shown and estimand != "number_needed_to_treat" and 0 < se < 1e-8 * abs(value):
            yield "an error of nearly 0", tell(se), "above 0"

    def _beside_others(self, row: dict):
        """Contrasts must be those of the risks beside them."""
        name, value = row["estimand"], row["estimate"]
        base = dict(zip(KEYS, name_key(row), strict=True))

        def other(estimand: str) -> float:
            found = self.by_key.get(tuple({**base, "estimand": estimand}.values()))
            return math.nan if found is None else found["estimate"]

        start, others = other("risk_start"), other("risk_no_start")
        right = {
            "risk_difference": start - others,
            "risk_ratio": start / others if others else math.nan,
            "number_needed_to_treat": -1 / other("risk_difference")
            if other("risk_difference") else math.nan,
            "hazard_ratio": math.exp(min(other("log_hazard_ratio"), 700)),
            "mean_count_difference": other("mean_count_start") - other("mean_count_no_start"),
        }.get(name, math.nan)  # fmt: skip
        if not math.isnan(right) and not is_same(value, right, 1e-6):
            yield "not that of the rows beside it", tell(value), tell(right)
        if name == "number_needed_to_treat" and abs(other("risk_difference")) < 1e-9:
            yield "a number needed of no difference", tell(value), "not_estimable"

    def _in_time(self, row: dict):
        """Somebody of each group is at risk on the day, unless the risk can change no more."""
        day = row["time_days"]
        if pd.isna(day) or row["question"] == "q4":
            return
        if day > self.reading.study["horizon_days"]:
            yield "beyond the horizon", tell(day), "not_estimable"
        for name, (last, is_over) in self.last.groups(row).items():
            if day > last and not is_over:
                yield "beyond follow-up", f"day {day}", f"{name} is followed to day {last}"

    def _behind_it(self, row: dict):
        """Exposed people, victims and events no fewer than the gates ask; counts that can be."""
        people, events = row["n_people"], row["n_events"]
        if not pd.isna(people) and not pd.isna(events) and row["estimand"] in SHARES:
            is_case = row["question"] == "q4" and row["level"] == ""
            if int(events) > int(people) and not is_case:
                yield "more events than people", f"{events} of {people}", ""
        if row["estimand"] not in CONTRASTS or row["measure"] not in self.exposed:
            return
        if row["outcome"] in ("death", "emigration") and row["estimand"] not in HAZARDS:
            return
        least, victims = self.gates.events_per_arm, self.exposed[row["measure"]]
        if row["estimand"] in HAZARDS and not pd.isna(events) and events < least:
            yield "fewer events than the gate", tell(events), f"at least {least}"
        if victims < self.gates.exposed_victims:
            yield (
                "fewer exposed victims than the gate",
                tell(victims),
                "at least " + tell(self.gates.exposed_victims),
            )


def name_key(row: dict) -> tuple:
    """A row's key, its day as a number or None."""
    return tuple(
        (None if pd.isna(row[name]) else int(row[name])) if name == "time_days" else row[name]
        for name in KEYS
    )


def is_same(one: float, other: float, tolerance: float) -> bool:
    """Alike but for rounding."""
    return abs(one - other) <= tolerance * max(1.0, abs(other)) + 1e-9


def is_edge(row: dict) -> bool:
    """A risk or mean count of 0, or a risk of 1: its limits are exact, it has no error of its own.

    Also a difference between such risks.
    """
    value, estimand = row["estimate"], row["estimand"]
    if estimand in SHARES:
        return value <= 1e-12 or value >= 1 - 1e-12
    if estimand == "risk_difference":
        return min(abs(abs(value) - edge) for edge in (0.0, 1.0)) < 1e-12
    return estimand in MEAN_COUNTS and row["n_events"] == 0


def tell(value: object) -> str:
    """A number for people."""
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def count_exposed(reading: Reading) -> dict[str, int]:
    """By measure the victims in whom it was ever in force while at risk or started on day 0."""
    if not reading.entries:
        return {}
    episodes = cut_episodes(reading.entries, reading.measures, is_first=False)
    found = {}
    for measure in reading.measures:
        on = set(reading.victim[episodes.entry[episodes.is_on(measure)]])
        found[measure] = len(on)
    return found


@dataclass
class LastDays:
    """To which day groups of people are followed, and whether nothing can change thereafter."""

    reading: Reading

    def groups(self, row: dict) -> dict[str, tuple[int, bool]]:
        """The groups that a row of a day rests on: last day, all ended."""
        people = self.reading
        if not people.entries:
            return {}
        is_counted = row["estimand"] in MEAN_COUNTS
        stop, cause = people.stop, people.cause
        if is_counted:
            stop = np.array([one.end_day for one in people.entries])
            cause = np.array([one.end_cause for one in people.entries])
        chosen = np.ones(len(stop), bool)
        if row["subgroup"]:
            chosen = np.array([one.person["sex"] == row["level"] for one in people.entries])
            if row["subgroup"] != "sex" or not chosen.any():
                return {}
        if not row["measure"] or row["measure"] not in people.measures:
            return {"everybody": self._end(stop, cause, chosen)} if row["question"] == "q2" else {}
        if row["question"] == "q1" or row["estimand"] in HAZARDS:
            return {}
        measure = row["measure"]
        chosen &= ~people.ran_before(measure)
        start = people.starts(measure)
        if row["estimator"] == "crude":
            is_started = start < stop
            arms = {"started": is_started, "others": ~is_started}
        else:
            grace = people.study["measures"][measure]["grace_days"]
            is_started = (start <= grace) & (start < stop)
            arms = {"started": is_started, "others": ~is_started}
        of_arm = {"start": ["started"], "no_start": ["others"]}
        names = of_arm.get(ARMS[row["estimand"]], list(arms))
        return {name: self._end(stop, cause, chosen & arms[name]) for name in names}

    def _end(self, stop, cause, chosen) -> tuple[int, bool]:
        if not chosen.any():
            return 0, False
        last = int(stop[chosen].max())
        at_last = chosen & (stop == last)
        return last, bool((cause[at_last] > 0).all())


def find_last_days(reading: Reading) -> LastDays:
    """To which day each group is followed."""
    return LastDays(reading)
