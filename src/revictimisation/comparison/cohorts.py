"""What a run left, as it is compared: one cohort's tables, its study, and what they say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.core.packing import CheckName, unpack_check
from revictimisation.core.results import OK, SUPPRESSED, choose
from revictimisation.estimators.two_samples import design_effect
from revictimisation.plan import StudyPlan

CURVES = {"question": "q2", "estimator": "aalen_johansen", "measure": ""}
USES = ("agencies", "by_agency", "main")
# Expected so many times the threshold, a level that is not shown has hardly anybody.
SURELY_SHOWN = 20


@dataclass(frozen=True, eq=False)
class Cohort:
    """One run. `name`: A (the reference), B, C …; `is_exact`: its tables are restricted ones.

    `has_study`: its study file is known, not only what released tables let see of it.
    `people`: what the run kept of each (`cohort.people`); None where they are not at hand.
    """

    name: str
    plan: StudyPlan
    estimates: pd.DataFrame
    attrition: pd.DataFrame
    diagnostics: pd.DataFrame
    is_exact: bool = False
    has_study: bool = True
    people: pd.DataFrame | None = None

    @property
    def step(self) -> float:
        """What counts are multiples of."""
        return 1.0 if self.is_exact else float(self.plan.disclosure.rounding)

    @property
    def surely_shown(self) -> float:
        """A level expected to have so many people is shown if it has more than hardly any."""
        return SURELY_SHOWN * (1.0 if self.is_exact else float(self.plan.disclosure.threshold))

    @cached_property
    def shown(self) -> pd.DataFrame:
        """The estimates that are shown."""
        return self.estimates[self.estimates["status"].eq(OK)]

    @cached_property
    def n_entries(self) -> float:
        """How many are followed; NaN where nothing tells."""
        rows = choose(self.shown, **CURVES, subgroup="", analysis=["main", "profile"])
        return float(rows["n_people"].astype(float).max()) if len(rows) else float("nan")

    @cached_property
    def deff(self) -> float:
        """How many times larger variances are as victims may enter more than once."""
        rows = choose(self.shown, **CURVES, subgroup="", analysis="by_person")
        people = float(rows["n_people"].astype(float).max()) if len(rows) else float("nan")
        return design_effect(self.n_entries, people)

    def count_levels(self, subgroup: str) -> pd.Series:
        """The people at each level of a grouping that is shown, by level."""
        counted = self._counted_levels
        return counted[counted.index.get_level_values("subgroup") == subgroup].droplevel("subgroup")

    @cached_property
    def _counted_levels(self) -> pd.Series:
        """The same of every grouping, by subgroup and level."""
        curves = choose(self.shown, **CURVES, analysis=["main", "profile"])
        uses = choose(self.shown, question="q1", analysis=list(USES))
        both = pd.concat([curves, uses]).groupby(["subgroup", "level"])["n_people"]
        counted: pd.Series = both.max().astype(float).dropna()
        return counted

    @cached_property
    def groupings(self) -> tuple[str, ...]:
        """Covariates whose levels are told."""
        rows = choose(self.shown, **CURVES, analysis=["main", "profile"])
        return tuple(dict.fromkeys(rows.loc[rows["subgroup"].ne(""), "subgroup"]))

    @cached_property
    def checks(self) -> list[tuple[str, str, CheckName, float, str]]:
        """The diagnostics taken apart: analysis, measure, check, value, status."""
        told = (
            self.diagnostics[name] for name in ("analysis", "measure", "check", "value", "status")
        )
        return [
            (str(analysis), str(measure), unpack_check(str(check)), count(value), str(status))
            for analysis, measure, check, value, status in zip(*told, strict=True)
        ]

    def read_checks(self, analysis: str, name: str) -> Mapping[tuple[str, ...], float]:
        """The values of a check of an analysis that is of no level, by its parts."""
        return {
            check.parts: value
            for of, _, check, value, _ in self.checks
            if of == analysis and check.name == name and not check.group and np.isfinite(value)
        }

    def find(self, **keys: object) -> pd.Series | None:
        """The one row with these keys that is shown; None: there is none."""
        rows = choose(self.shown, **keys)
        return rows.iloc[0] if len(rows) else None

    def explain(self, **keys: object) -> str:
        """Why there is no such row: its reason, or that the run left none."""
        rows = choose(self.estimates, **keys)
        if rows.empty:
            return "not_in_release"
        row = rows.iloc[0]
        return str(row["reason"]) or (SUPPRESSED if row["status"] == SUPPRESSED else "no_answer")


def count(value: Any) -> float:
    """A count as a number, NaN where it is null."""
    return float("nan") if value is None or pd.isna(value) else float(value)
