"""What an analysis is: one entry of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from revictimisation.core.results import DIAGNOSTIC_COLUMNS


def no_checks() -> pd.DataFrame:
    """Diagnostics of an analysis that has none."""
    return pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS))


class Found(NamedTuple):
    """What an analysis found: rows of `estimates`, and of `diagnostics` (mostly none)."""

    estimates: pd.DataFrame
    diagnostics: pd.DataFrame


@dataclass(frozen=True)
class Analysis:
    """One analysis of the study, from its data to rows of results.

    `estimate` is given the study's data and what each analysis of `needs` found, gates applied; it
    gives `Found`, or `estimates` alone. `is_controlled`: the negative controls may hold it back.
    `follows`: an analysis by whose withheld main results this one's are withheld too. `is_long`: it
    is begun first, so that it does not end alone. `is_resampled`: its bootstrap replicates are
    given to idle threads (`estimate` takes `share`, a map). `steps.yaml` calls it by its name.
    """

    name: str
    question: str
    estimate: Callable[..., pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]]
    needs: tuple[str, ...] = ()
    is_controlled: bool = False
    follows: str = ""
    is_long: bool = field(default=False, kw_only=True)
    is_resampled: bool = field(default=False, kw_only=True)
