"""What ACRO, a checker of other make, would hide of a run's first question, beside what we hide.

    pip install acro==1.0.2
    python benchmarks/acro_view.py OUT [--keep]

Of each measure by each grouping a cross table of who got it, from the exact counts of a run, is put
to `acro.crosstab` at the study's own threshold, none and all counted as small. It looks at cells
below the threshold; that a hidden cell follows from sums it asks a person to look for, and of
adjusted curves, effects and differences between releases it has no view.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import io
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from keeping import ROOT, keep_result, name_clean_commit

from revictimisation.core import files
from revictimisation.core.results import KEYS, OK
from revictimisation.plan import read_plan

TABLE = ["analysis", "measure", "subgroup", "outcome", "time_days"]
CELLS = ["got", "not"]


def list_tables(out: Path) -> Any:
    """Question 1's shares by level: exact counts beside whether the release shows them."""
    exact, shown = (files.read_table(out / room / "estimates.parquet")
                    for room in ("restricted", "release"))  # fmt: skip
    rows = exact.merge(shown[[*KEYS, "status"]], on=[*KEYS], suffixes=("", "_shown"))
    rows = rows[rows["question"].eq("q1") & rows["estimand"].eq("share") & rows["level"].ne("")]
    rows = rows.dropna(subset=["n_people", "n_events"])
    rows["got"], rows["not"] = rows["n_events"], rows["n_people"] - rows["n_events"]
    return rows.groupby(TABLE, dropna=False)


def ask_acro(rows: pd.DataFrame, checker: Any) -> pd.DataFrame:
    """Which cells ACRO hides, a row per level."""
    people = pd.DataFrame(
        [(level, name) for level, *counts in rows[["level", *CELLS]].itertuples(index=False)
         for name, count in zip(CELLS, counts, strict=True) for _ in range(int(count))],
        columns=["level", "got"],
    )  # fmt: skip
    table = checker.crosstab(people["level"], people["got"])
    return table.reindex(index=rows["level"], columns=CELLS).isna()


def compare(out: Path) -> dict[str, Any]:
    """Count the cells that both hide, that one of the two hides, and that both show."""
    acro: Any = importlib.import_module("acro")  # of no group: whoever wants its view installs it
    plan = read_plan(str((files.read_json(out / "manifest.json") or {})["study_file"]))
    logging.disable(logging.INFO)
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(io.StringIO()):
        checker = acro.ACRO(suppress=True)
        acro.acro_tables.THRESHOLD = plan.disclosure.threshold
        checker.config["safe_threshold"] = plan.disclosure.threshold
        told, n_tables = [], 0
        for _keys, rows in list_tables(out):
            hidden = ask_acro(rows, checker).to_numpy()
            ours = rows["status_shown"].ne(OK).to_numpy()[:, None].repeat(len(CELLS), axis=1)
            told.append(pd.DataFrame({"acro": hidden.ravel(), "ours": ours.ravel()}))
            n_tables += 1
    cells = pd.concat(told, ignore_index=True)
    return {
        "acro": importlib.metadata.version("acro"),
        "threshold": plan.disclosure.threshold,
        "n_tables": n_tables,
        "n_cells": len(cells),
        "hidden_by_both": int((cells["acro"] & cells["ours"]).sum()),
        "hidden_by_us_alone": int((~cells["acro"] & cells["ours"]).sum()),
        "hidden_by_acro_alone": int((cells["acro"] & ~cells["ours"]).sum()),
    }


def main() -> None:
    """Compare, tell, and keep if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    commit = name_clean_commit() if asked.keep else ""
    found = compare(asked.out)
    print(json.dumps(found, indent=2))
    if asked.keep:
        keep_result(ROOT / "benchmarks" / "results" / "acro_view.json", found, commit)


if __name__ == "__main__":
    main()
