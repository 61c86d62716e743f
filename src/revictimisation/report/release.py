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
from revictimisation.report.described import Point
from revictimisation.report.quantities import Key, mark

# the counts of a cell that nothing was computed for
NO_DAY = -1
# the analysis that tells of all people of two agencies, in the study or not
LINKAGE = "linkage"
# what a number remembers which it is of, in the order of `Number`
MARKED = ("estimate", "ci_low", "ci_high", "se", "n_people", "n_events")


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
    def point(self) -> Point | None:
        """Where it stands in a picture, with its interval; None where there is nothing to show."""
        return (self.estimate or 0.0, self.ci_low, self.ci_high) if self.is_shown else None

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
    def _rows(self) -> list[tuple[Any, ...]]:
        """What each number holds, in the order of `Number`."""
        assert (*NUMBERS, *COUNTS) == MARKED
        told = _to_lists(self.estimates[[*MARKED, "status", "reason"]])
        return [*zip(*told, strict=True)]

    @cached_property
    def _keys(self) -> list[Key]:
        """The key of every number, in the order of `results.KEYS`; no day is -1."""
        days = self.estimates["time_days"].fillna(NO_DAY).astype(int)
        keys = _to_lists(self.estimates[[*KEYS]].assign(time_days=days))
        return [*zip(*keys, strict=True)]

    @cached_property
    def _places(self) -> Mapping[Key, int]:
        """The row of every number by its key."""
        return {key: place for place, key in enumerate(self._keys)}

    @cached_property
    def checks(self) -> Mapping[tuple[str, str], list[Any]]:
        """The rows of diagnostics by measure and analysis, in their order."""
        found: dict[tuple[str, str], list[Any]] = {}
        for row in list_rows(self.diagnostics):
            found.setdefault((row.measure, row.analysis), []).append(row)
        return MappingProxyType(found)

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
        key = tuple(given.get(key, "") for key in KEYS)
        place = self._places.get(key)
        if place is None:
            return Number()
        *values, status, reason = self._rows[place]
        marked = {of: mark(one, (*key, of)) for one, of in zip(values, MARKED, strict=True)}
        return Number(**marked, status=status, reason=reason)

    def has_rows(self, **keys: str) -> bool:
        """True if any number has these keys, shown or not."""
        names = (*keys,)
        if names not in self._combinations:
            rows = self.estimates[[*names]].itertuples(index=False, name=None)
            self._combinations[names] = frozenset(rows)
        return (*keys.values(),) in self._combinations[names]

    @cached_property
    def _combinations(self) -> dict[tuple[str, ...], frozenset[tuple[Any, ...]]]:
        """What stands together in columns that were asked for: filled by `has_rows`."""
        return {}

    def count_level(self, subgroup: str, level: str) -> int | None:
        """How many entries are in a level, from any of question 1's rows that is shown."""
        return self._level_counts.get((subgroup, level))

    @cached_property
    def _level_counts(self) -> Mapping[tuple[str, str], int]:
        asked = self.estimates["question"].eq("q1")
        asked &= self.estimates["analysis"].isin(["main", "by_code", "by_agency"])
        counts = self.estimates[asked].groupby(["subgroup", "level"])["n_people"].max().dropna()
        return MappingProxyType(dict(zip(counts.index, counts.astype(int).tolist(), strict=True)))


def list_rows(frame: pd.DataFrame) -> list[Any]:
    """A table's rows as named tuples, missing values as None."""
    cells: Any = frame.astype(object)
    return list(cells.where(frame.notna(), None).itertuples(index=False))


def _to_lists(frame: pd.DataFrame) -> list[list[Any]]:
    """The columns of a table, missing values as None."""
    cells: Any = frame.astype(object)
    known = cells.where(frame.notna(), None)
    return [known[name].tolist() for name in known]
