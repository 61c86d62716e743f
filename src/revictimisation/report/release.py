"""What passed disclosure control, looked up number by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import pandas as pd

from revictimisation.core.results import COUNTS, KEYS, NOT_ESTIMABLE, NUMBERS, OK
from revictimisation.plan import StudyPlan

Key = tuple[str | int, ...]
# the counts of a cell that nothing was computed for
NO_DAY = -1
# the analysis that tells of all people of two agencies, in the study or not
LINKAGE = "linkage"


@dataclass(frozen=True)
class Number:
    """One released number with its interval; without status `ok` it holds only why not."""

    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    se: float | None = None
    n_people: int | None = None
    n_events: int | None = None
    status: str = NOT_ESTIMABLE
    reason: str = "not_computed"

    @property
    def is_shown(self) -> bool:
        """True if there is a number to show."""
        return self.status == OK and self.estimate is not None

    @property
    def has_interval(self) -> bool:
        """True if both ends of the interval are known."""
        return self.is_shown and self.ci_low is not None and self.ci_high is not None


@dataclass(frozen=True)
class Release:
    """A study's released tables and where they come from."""

    plan: StudyPlan
    is_synthetic: bool
    estimates: pd.DataFrame
    attrition: pd.DataFrame
    diagnostics: pd.DataFrame

    @cached_property
    def numbers(self) -> Mapping[Key, Number]:
        """Every number by its key, in the order of `results.KEYS`; no day is -1."""
        frame = self.estimates[[*KEYS, *NUMBERS, *COUNTS, "status", "reason"]].copy()
        frame["time_days"] = frame["time_days"].fillna(NO_DAY).astype(int)
        n_keys = len(KEYS)
        columns = [_to_list(frame[name]) for name in frame.columns]
        order = ("estimate", "ci_low", "ci_high", "se", "n_people", "n_events")
        assert (*NUMBERS, *COUNTS) == order
        return MappingProxyType(
            {row[:n_keys]: Number(*row[n_keys:]) for row in zip(*columns, strict=True)}
        )

    @cached_property
    def level_names(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """The levels of each question's subgroups, in the order of the estimates.

        Without those of the people whom agencies were joined by, who are not the study's.
        """
        entries = self.estimates[self.estimates["analysis"] != LINKAGE]
        rows = entries[["question", "subgroup", "level"]].drop_duplicates()
        found: dict[tuple[str, str], list[str]] = {}
        for question, subgroup, level in rows[rows["level"] != ""].itertuples(index=False):
            found.setdefault((question, subgroup), []).append(level)
        return MappingProxyType({key: tuple(levels) for key, levels in found.items()})

    @cached_property
    def single_levels(self) -> Mapping[str, frozenset[str]]:
        """The levels of each subgroup that have people of their own, not differences of two."""
        has_people = self.estimates["estimand"].isin(
            ("risk_start", "share", "cumulative_incidence")
        )
        known = self.estimates[has_people].groupby("subgroup")["level"]
        return MappingProxyType({str(name): frozenset(levels) for name, levels in known})

    def find(self, **keys: str | int) -> Number:
        """The number with these keys; keys not named are empty (analysis: `main`)."""
        given = {"analysis": "main", "time_days": NO_DAY, **keys}
        return self.numbers.get(tuple(given.get(key, "") for key in KEYS), Number())

    def find_days(self, **keys: str) -> list[int]:
        """The days, in order, for which there is a row with these keys."""
        wanted = {"analysis": "main", **keys}
        chosen = pd.Series(True, index=self.estimates.index)
        for name in KEYS[:-1]:
            chosen &= self.estimates[name] == wanted.get(name, "")
        return sorted(int(day) for day in self.estimates.loc[chosen, "time_days"].dropna())

    def count_level(self, subgroup: str, level: str) -> int | None:
        """How many entries are in a level, from any of question 1's rows that is shown."""
        frame = self.estimates
        rows = frame[
            (frame["question"] == "q1")
            & frame["analysis"].isin(["main", "by_code", "by_agency"])
            & (frame["subgroup"] == subgroup)
            & (frame["level"] == level)
        ]
        counts = rows["n_people"].dropna()
        return int(counts.max()) if len(counts) else None


def list_rows(frame: pd.DataFrame) -> list[Any]:
    """A table's rows as named tuples, missing values as None."""
    cells: Any = frame.astype(object)
    return list(cells.where(frame.notna(), None).itertuples(index=False))


def _to_list(column: pd.Series) -> list[Any]:
    return [
        None if is_absent else value for value, is_absent in zip(column, column.isna(), strict=True)
    ]
