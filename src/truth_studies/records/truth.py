"""The kept truth study as the pages read it: how far estimators lie from a known truth.

`benchmarks/truth_study.py` makes the table; a row is an estimator,
analysis, measure, estimand and day in a scenario, by a kind of intervals. It may hold less than a
whole study: whatever is asked for and is not there is empty or missing, never an error. Where
`benchmarks/weights_study.py`, with today's weights and more counties, has the same row it stands
in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from revictimisation.core import files
from truth_studies.records import TABLE, TABLES

CALIBRATED, NULL, SMALL = "calibrated", "null", "small"
DEPARTURES = ("unmeasured", "reporting", "positivity")
SCENARIOS = (CALIBRATED, NULL, *DEPARTURES, SMALL)
INFLUENCE, BOOTSTRAP = "influence", "bootstrap"
DIFFERENCE, LOG_RATIO = "risk_difference", "log_hazard_ratio"
# what an estimate is far from does not depend on its interval: read where there are most counties
OF_ESTIMATES = ["mean", "bias", "bias_mc", "relative_bias", "bias_in_errors", "empirical_error",
                "empirical_error_mc", "rmse", "rmse_mc"]  # fmt: skip
KEYS = ["measure", "time_days"]


@dataclass(frozen=True)
class Way:
    """A way to estimate: its estimator and analysis, and which intervals; "": the main ones."""

    estimator: str
    analysis: str = "main"
    intervals: str = ""


MAIN, FORCE = Way("clone_censor_weight"), Way("cox_time_varying")
BY_INFLUENCE = Way("clone_censor_weight", intervals=INFLUENCE)
CRUDE, UNADJUSTED = Way("crude"), Way("cox_time_varying", "unadjusted")
ROBUST, FORMULA, ORACLE = Way("doubly_robust"), Way("g_formula"), Way("oracle")
# the target trial's ways are held to the checks of each measure
GATED = (MAIN, BY_INFLUENCE, ROBUST, FORMULA)
# what rests on the gates of today's weights
REWEIGHTED = [one.estimator for one in (MAIN, ROBUST, FORMULA)]
WEIGHTS = "weights_study"
ESTIMAND = {FORCE: LOG_RATIO, UNADJUSTED: LOG_RATIO}


@dataclass(frozen=True)
class TruthStudy:
    """The table, where it comes from, and what reports hide of the crime (`reporting`).

    `reweighted`: the scenarios whose rows have today's weights; those of others have fitted ones.
    `newer`: where those rows come from.
    """

    table: pd.DataFrame
    provenance: Mapping[str, Any] = field(default_factory=dict)
    crime_gap: Mapping[str, float] = field(default_factory=dict)
    reweighted: frozenset[str] = frozenset()
    newer: Mapping[str, Any] = field(default_factory=dict)
    _found: dict[Any, pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.table.empty

    @property
    def scenarios(self) -> list[str]:
        """The scenarios that are there, the known ones first."""
        there = [] if self.is_empty else list(dict.fromkeys(self.table["scenario"]))
        known = [scenario for scenario in SCENARIOS if scenario in there]
        return [*known, *(one for one in there if one not in SCENARIOS)]

    @property
    def days(self) -> list[int]:
        """The days at which risks were asked for."""
        return [] if self.is_empty else sorted(map(int, self.table["time_days"].dropna().unique()))

    def find_kind(self, scenario: str, estimator: str) -> str:
        """Which intervals are an estimator's main ones: the bootstrap's where it has them.

        Only clone-censor-weight has; of two bootstraps the one with more counties is taken.
        """
        mine = self.table[self.table["scenario"].eq(scenario)]
        sizes = mine.groupby("intervals", sort=False)["n_counties"].max()
        drawn = [one for one in sizes.index if one.startswith(BOOTSTRAP)]
        if drawn and estimator == MAIN.estimator:
            return max(drawn, key=lambda one: float(sizes[one]))
        return INFLUENCE if INFLUENCE in sizes.index else next(iter(sizes.index), "")

    @property
    def has_bootstrap(self) -> bool:
        """Whether bootstrap intervals were tried in any scenario."""
        return any(
            self.find_kind(scenario, MAIN.estimator).startswith(BOOTSTRAP)
            for scenario in self.scenarios
        )

    def has_two_kinds(self, scenario: str) -> bool:
        """Whether a scenario has the main method's influence intervals beside its main ones."""
        mine = self.table[self.table["scenario"].eq(scenario)] if not self.is_empty else self.table
        kinds = set() if mine.empty else set(mine["intervals"])
        return INFLUENCE in kinds and self.find_kind(scenario, MAIN.estimator) != INFLUENCE

    def add_beside(self, scenario: str, ways: Sequence[Way]) -> list[Way]:
        """The ways, and after the main one its influence intervals where they are not the main."""
        beside = [BY_INFLUENCE] if self.has_two_kinds(scenario) else []
        return [one for way in ways for one in (way, *(beside if way == MAIN else []))]

    def find_common(self, scenarios: Sequence[str]) -> Way:
        """The main method by intervals that all the scenarios have, so that they compare."""
        kinds = {self.find_kind(scenario, MAIN.estimator) for scenario in scenarios}
        return MAIN if len(kinds) < 2 else BY_INFLUENCE

    def find_most(self, scenario: str) -> Way:
        """The main method by the intervals that most counties have."""
        return BY_INFLUENCE if self.has_two_kinds(scenario) else MAIN

    def rows(
        self, scenario: str, way: Way, *, day: int | None = None, estimands: Sequence[str] = ()
    ) -> pd.DataFrame:
        """A way's rows of its main estimand (or of those given), by measure, at all days or one.

        What was found is kept: pages ask for the same rows hundreds of times.
        """
        asked = (scenario, way, day, tuple(estimands))
        if asked not in self._found:
            self._found[asked] = self._find_rows(scenario, way, day, estimands)
        return self._found[asked]

    def _find_rows(
        self, scenario: str, way: Way, day: int | None, estimands: Sequence[str]
    ) -> pd.DataFrame:
        if self.is_empty:
            return self.table
        kind = way.intervals or self.find_kind(scenario, way.estimator)
        asked = list(estimands) or [ESTIMAND.get(way, DIFFERENCE)]
        found = self.table[
            self.table["scenario"].eq(scenario)
            & self.table["estimator"].eq(way.estimator)
            & self.table["analysis"].eq(way.analysis)
            & self.table["estimand"].isin(asked)
            & (
                self.table["time_days"].eq(day or 0)
                | self.table["time_days"].isna()
                | (day is None)
            )
        ]
        mine = found[found["intervals"].eq(kind)]
        return _read_estimates(mine, found) if found["intervals"].nunique() > 1 else mine

    def one(self, scenario: str, way: Way, measure: str, day: int | None) -> pd.Series | None:
        """A measure's row at a day; None if it is not there."""
        found = self.rows(scenario, way, day=day)
        found = found[found["measure"].eq(measure)] if len(found) else found
        return found.iloc[0] if len(found) else None

    def measures(self, scenario: str, ways: Sequence[Way]) -> list[str]:
        """The measures that any of the ways has a row for, in the table's order."""
        found = [self.rows(scenario, way) for way in ways]
        return list(dict.fromkeys(name for one in found if len(one) for name in one["measure"]))

    def count_counties(self, scenario: str) -> int:
        """How many counties a scenario has, at most."""
        return int(self.table.loc[self.table["scenario"].eq(scenario), "n_counties"].max())

    def describe_run(self, scenario: str) -> Mapping[str, Any]:
        """What the provenance says of a scenario's counties; empty if nothing."""
        runs = self.provenance.get("runs", [])
        return next((run for run in runs if run.get("scenario") == scenario), {})


def _read_estimates(mine: pd.DataFrame, every: pd.DataFrame) -> pd.DataFrame:
    """The rows with what does not depend on intervals taken from most counties."""
    most = every.sort_values("n_counties", ascending=False, kind="stable")
    best = most.drop_duplicates([*KEYS, "estimand"])
    columns = [estimate for estimate in OF_ESTIMATES if estimate in mine]
    kept = mine.drop(columns=columns)
    return kept.merge(best[[*KEYS, "estimand", *columns]], on=[*KEYS, "estimand"], how="left")


@cache
def read_truth_study(folder: Path = TABLES / "truth_study") -> TruthStudy:
    """Read what is kept; empty where there is none."""
    path = folder / TABLE
    if not path.is_file():
        return TruthStudy(pd.DataFrame())
    table, provenance = files.read_kept_table(path), files.read_json(folder / "provenance.json")
    newer, reweighted = folder.parent / WEIGHTS, frozenset[str]()
    if (newer / TABLE).is_file():
        rows = files.read_kept_table(newer / TABLE).assign(intervals=INFLUENCE)
        table, reweighted = _replace_rows(table, rows), frozenset(rows["scenario"])
    told = files.read_json(newer / "provenance.json") if reweighted else None
    return TruthStudy(table, provenance or {}, read_crime_gap(), reweighted, told or {})


@cache
def read_joint_study(folder: Path = TABLES / "joint_study") -> pd.DataFrame:
    """The main method's risk differences of starts near in time; empty where none are kept."""
    path = folder / TABLE
    if not path.is_file():
        return pd.DataFrame()
    rows = files.read_kept_table(path)
    return rows[rows["estimator"].eq(MAIN.estimator) & rows["estimand"].eq(DIFFERENCE)]


def _replace_rows(table: pd.DataFrame, newer: pd.DataFrame) -> pd.DataFrame:
    """The table with rows of the same keys taken from the newer one."""
    keys = ["scenario", "intervals", "estimator", "analysis", "estimand", *KEYS]
    rows = newer[newer["analysis"].eq(MAIN.analysis) & newer["estimator"].isin(REWEIGHTED)]
    old, new = (
        pd.MultiIndex.from_frame(one[keys].astype({"time_days": "Float64"}))
        for one in (table, rows)
    )
    return pd.concat([table[~old.isin(new)], rows[new.isin(old)]], ignore_index=True)


def read_crime_gap() -> dict[str, float]:
    """In `reporting`: effect on crimes less effect on reports, by measure, at the longest day."""
    path = files.package_file("simulate", "truth_data", "reporting.csv")
    if not path.is_file():
        return {}
    truth = files.read_kept_table(path)
    whole = truth[truth["subgroup"].isna() & truth["measure"].notna()]
    last = whole[whole["time_days"].eq(whole["time_days"].max())]
    wide = last.pivot(index="measure", columns="estimand", values="value")
    if f"crime_{DIFFERENCE}" not in wide:
        return {}
    gap = wide[f"crime_{DIFFERENCE}"] - wide[DIFFERENCE]
    return {str(name): float(value) for name, value in gap.dropna().items()}
