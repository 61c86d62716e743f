"""What ACRO, a checker of another make, would hide of a run's first question, beside what leaves.

ACRO (https://pypi.org/project/acro/) is put a cross table of who got each measure by each grouping,
from the exact counts, at the study's own threshold, none and all counted as small. It looks at
cells below the threshold, a table at a time; that a hidden cell follows from sums it asks a person
to look for, and of curves, effects and differences between releases it has no view.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import logging
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.errors import UsageError
from revictimisation.core.results import KEYS, OK
from revictimisation.plan import Disclosure

TABLE = ["analysis", "measure", "subgroup", "outcome", "time_days"]
CELLS = ["got", "not"]


@dataclass(frozen=True)
class Beside:
    """How many cells of how many tables ACRO was put, and which of the two hides them."""

    version: str
    n_tables: int
    n_cells: int
    hidden_by_both: int
    hidden_by_us_alone: int
    hidden_by_acro_alone: int

    def describe(self, rules: Disclosure) -> dict[str, Any]:
        """What may leave: how many of the hidden cells are small is told as any other count is."""
        n_ours = self.hidden_by_both + self.hidden_by_us_alone
        near = int(self.hidden_by_both / rules.rounding + 0.5) * rules.rounding
        few = min(self.hidden_by_both, self.hidden_by_us_alone) < rules.threshold
        told = {name: value for name, value in asdict(self).items() if "hidden_by" not in name}
        return {**told, "hidden_by_us": n_ours, "hidden_by_both": None if few else near,
                "hidden_by_acro_alone": self.hidden_by_acro_alone}  # fmt: skip


def compare(exact: pd.DataFrame, shown: pd.DataFrame, rules: Disclosure) -> Beside:
    """Put the tables of exact estimates to ACRO and hold its view beside released ones.

    Raises `UsageError` where ACRO is not installed.
    """
    checker = open_acro(rules.threshold)
    cells = list_cells(exact, shown)
    groups = [rows for _, rows in cells.groupby(TABLE, dropna=False)]
    theirs = [ask_acro(rows, checker).ravel() for rows in groups]
    ours = [rows["is_hidden"].to_numpy(bool).repeat(len(CELLS)) for rows in groups]
    acro, us = (np.concatenate([np.zeros(0, bool), *side]) for side in (theirs, ours))
    version = importlib.metadata.version("acro")
    sides = [int(side.sum()) for side in (acro & us, us & ~acro, acro & ~us)]
    return Beside(version, len(groups), len(us), *sides)


def import_acro() -> Any:
    """ACRO, of no group of our packages: whoever wants its view installs it; else `UsageError`."""
    try:
        return importlib.import_module("acro")
    except ImportError:
        raise UsageError(
            "--acro: ACRO är inte installerat. Installera det (pip install acro==1.0.2) eller"
            " utelämna valet. / ACRO is not installed: install it, or leave the option out."
        ) from None


def open_acro(threshold: int) -> Any:
    """A checker that hides what is small and leaves no files."""
    acro = import_acro()
    with contextlib.redirect_stdout(io.StringIO()), _be_quiet():
        checker = acro.ACRO(suppress=True)
    acro.acro_tables.THRESHOLD = threshold
    checker.config["safe_threshold"] = threshold
    return checker


@contextlib.contextmanager
def _be_quiet() -> Any:
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(before)


def list_cells(exact: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Question 1's shares by level with exact counts (`got`, `not`) and whether they are hidden."""
    rows = exact.merge(shown[[*KEYS, "status"]], on=[*KEYS], suffixes=("", "_shown"))
    rows = rows[rows["question"].eq("q1") & rows["estimand"].eq("share") & rows["level"].ne("")]
    rows = rows.dropna(subset=["n_people", "n_events"])
    rest = rows["n_people"] - rows["n_events"]
    return rows.assign(
        **{"got": rows["n_events"], "not": rest}, is_hidden=rows["status_shown"].ne(OK)
    )


def ask_acro(rows: pd.DataFrame, checker: Any) -> npt.NDArray[np.bool_]:
    """Which cells ACRO hides: levels x `CELLS`."""
    people = pd.DataFrame(
        [(level, name) for level, *counts in rows[["level", *CELLS]].itertuples(index=False)
         for name, count in zip(CELLS, counts, strict=True) for _ in range(int(count))],
        columns=["level", "got"],
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()), _be_quiet():
        table = checker.crosstab(people["level"], people["got"])
    hidden: npt.NDArray[np.bool_] = table.reindex(index=rows["level"], columns=CELLS).isna()
    return np.asarray(hidden, bool)
