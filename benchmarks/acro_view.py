"""What ACRO, a checker of another make, would hide of a run's first question, beside what we hide.

    pip install acro==1.0.2
    python benchmarks/acro_view.py OUT [--keep]

As `revictimisation release OUT --acro` puts it on the officer's page (`disclosure/acro.py`), but
exact: which hidden cells are small is for those alone who may see the restricted tables.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from keeping import ROOT, keep_result, name_clean_commit

from revictimisation.core import files
from revictimisation.disclosure.acro import compare
from revictimisation.plan import read_plan


def count_cells(out: Path) -> dict[str, Any]:
    """Count the cells that both hide, and that one of the two hides."""
    plan = read_plan(str((files.read_json(out / "manifest.json") or {})["study_file"]))
    exact, shown = (files.read_table(out / room / "estimates.parquet")
                    for room in ("restricted", "release"))  # fmt: skip
    found = asdict(compare(exact, shown, plan.disclosure))
    return {"acro": found.pop("version"), "threshold": plan.disclosure.threshold, **found}


def main() -> None:
    """Compare, tell, and keep if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    commit = name_clean_commit() if asked.keep else ""
    found = count_cells(asked.out)
    print(json.dumps(found, indent=2))
    if asked.keep:
        keep_result(ROOT / "benchmarks" / "results" / "acro_view.json", found, commit)


if __name__ == "__main__":
    main()
