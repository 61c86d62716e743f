"""What an analysis is: one entry of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from revictimisation.core.packing import unpack_check
from revictimisation.core.results import DIAGNOSTIC_COLUMNS, OK

SETTLED = "is_converged"


def frame_checks(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Rows of diagnostics as their table."""
    table = pd.DataFrame([*rows], columns=list(DIAGNOSTIC_COLUMNS))
    return table.astype({"value": "float64", "limit": "float64"}) if len(table) else table


def no_checks() -> pd.DataFrame:
    """Diagnostics of an analysis that has none."""
    return frame_checks([])


def tell_checks(
    checks: Mapping[str, float], analysis: str, measure: str = ""
) -> list[dict[str, object]]:
    """Rows of diagnostics that are told; only whether a model settled is held to a limit."""
    same = {"analysis": analysis, "measure": measure}
    return [
        {**same, "check": check, "value": float(value), "limit": 1.0,
         "status": OK if value else "failed"}
        if unpack_check(check).name == SETTLED
        else {**same, "check": check, "value": float(value), "limit": None, "status": OK}
        for check, value in checks.items()
    ]  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What an analysis found: rows of `estimates`, and of `diagnostics` (mostly none).

    Taken apart it is these two. `scores`: a row per entry and measure, for what a run keeps of its
    people (`cohort.people`).
    """

    estimates: pd.DataFrame
    diagnostics: pd.DataFrame
    scores: pd.DataFrame | None = None

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """The two tables."""
        yield from (self.estimates, self.diagnostics)


@dataclass(frozen=True)
class Analysis:
    """One analysis of the study, from its data to rows of results.

    `estimate` is given the study's data and what each analysis of `needs` found, gates applied; it
    gives `Found`, or `estimates` alone. `is_controlled`: the negative controls may hold it back.
    `follows`: an analysis by whose withheld main results this one's are withheld too. `is_long`: it
    is begun first, so that it does not end alone. `is_by_measure`: what it finds of measures is
    what it finds of each (`estimate` takes `measures`), so that they may be done side by side.
    While it runs it is called by its label in the dictionary, or by better words in
    `commands/steps.yaml`.
    """

    name: str
    question: str
    estimate: Callable[..., pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame] | Found]
    needs: tuple[str, ...] = ()
    is_controlled: bool = False
    follows: str = ""
    is_long: bool = field(default=False, kw_only=True)
    is_by_measure: bool = field(default=False, kw_only=True)
