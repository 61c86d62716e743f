"""What an intruder holds: the files of a release, its tables, and the rules that made it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.core import files
from revictimisation.core.errors import StudyError, UsageError
from revictimisation.core.results import NUMBERS
from revictimisation.plan import Disclosure, StudyPlan, read_plan

TABLES = ("estimates", "attrition", "diagnostics")
RELEASE, MANIFEST = "release", "manifest.json"
RELEASED = "RELEASED"  # the list of what was released
PUBLIC = (RELEASE, "site", "notebooks")  # of what a run leaves
DEFAULT = Disclosure()
MULTIPLES = 0.9  # the share of counts that must be multiples for it to be the rounding


@dataclass(frozen=True)
class Release:
    """A release folder with the pages and notebooks beside it; `plan` where the study is told.

    `secrets` are texts that must be nowhere: pseudonyms and free texts of the extract, if given.
    """

    root: Path
    folder: Path
    tables: Mapping[str, pd.DataFrame]
    rules: Disclosure
    plan: StudyPlan | None = None
    secrets: frozenset[str] = frozenset()

    @property
    def estimates(self) -> pd.DataFrame:
        """The table of all numbers, by itself."""
        return self.tables["estimates"]

    @cached_property
    def paths(self) -> list[str]:
        """Every public file, by its path inside `root`."""
        places = [self.folder, *(self.root / name for name in PUBLIC[1:])]
        if self.root == self.folder:
            places = places[:1]
        return [
            (place / name).relative_to(self.root).as_posix()
            for place in places
            if place.is_dir()
            for name in list_all(place)
        ]

    def read(self, path: str) -> bytes:
        """The bytes of a public file."""
        return files.read_bytes(self.root / path)


def list_all(folder: Path) -> list[str]:
    """Every file and link in a folder and below it, hidden ones too."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def open_release(
    path: Path,
    threshold: int | None = None,
    rounding: int | None = None,
    secrets: frozenset[str] = frozenset(),
) -> Release:
    """Open a release folder, or the OUT folder that holds it.

    The rules are those given, else those that RELEASED tells, else those of the study file in the
    manifest beside it, else the rounding that the counts show with the smallest threshold allowed.
    """
    files.check_folder(path)
    folder = path / RELEASE if (path / RELEASE).is_dir() else path
    root = folder.parent if folder.name == RELEASE else folder
    tables = {name: table for name in TABLES if (table := _read_table(folder, name)) is not None}
    if "estimates" not in tables:
        raise UsageError(
            f"{path}: ingen release här, tabellen estimates saknas. Ange mappen release, eller den "
            "den ligger i. / There is no release here: the table estimates is missing. Name the "
            "folder release, or the one that holds it."
        )
    plan = _read_study(read_manifest(root))
    known = plan.disclosure if plan else _infer_rules(tables["estimates"])
    told = {**known.model_dump(), **(files.read_json(folder / RELEASED) or {}).get("rules", {})}
    rules = Disclosure(threshold=threshold or told["threshold"],
                       rounding=rounding or told["rounding"])  # fmt: skip
    return Release(root, folder, tables, rules, plan, secrets)


def read_manifest(root: Path) -> Mapping[str, Any]:
    """The manifest beside a release; empty where there is none that the intruder may read."""
    with suppress(PermissionError):
        return files.read_json(root / MANIFEST) or {}
    return {}


def _read_study(manifest: Mapping[str, Any]) -> StudyPlan | None:
    """The study of a manifest; None for one that this version does not know."""
    with suppress(KeyError, StudyError):
        return read_plan(manifest["study_file"])
    return None


def _read_table(folder: Path, name: str) -> pd.DataFrame | None:
    """A released table, from Parquet or else CSV; text is never missing, a count may be."""
    if (folder / f"{name}.parquet").is_file():
        table = files.read_table(folder / f"{name}.parquet").reset_index(drop=True)
    elif (folder / f"{name}.csv").is_file():
        table = files.read_kept_table(folder / f"{name}.csv")
    else:
        return None
    numbers = ("time_days", *NUMBERS, "n_people", "n_events", "n_reports", "n_dropped", "value")
    for column in table.columns:
        if column in numbers:
            table[column] = pd.to_numeric(table[column])
        elif not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = table[column].fillna("").astype(str)
    return table


def _infer_rules(estimates: pd.DataFrame) -> Disclosure:
    """The largest rounding of those in use that nearly all counts are multiples of."""
    counts = estimates[["n_people", "n_events"]].to_numpy(dtype=float, na_value=np.nan)
    counts = counts[counts > 0]
    steps = (20, 15, 10, 7, 6, 5, 3)
    fitting = [step for step in steps if len(counts) and (counts % step == 0).mean() > MULTIPLES]
    return Disclosure(rounding=fitting[0] if fitting else DEFAULT.rounding)
