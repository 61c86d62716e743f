"""The reference that ships with the package: released tables of the built-in county.

    python benchmarks/make_reference.py

Simulates the county (3,000 people, seed 1), runs `estimate` with pipelines/studies/county.yaml, and
keeps in src/revictimisation/comparison/reference what `compare` reads of the released tables, with
the manifest's facts on where they come from. It is made anew when the study or the kinds of rows of
its analyses change (a test holds them against the yardstick's), and before each release of the
program, as `compare` refuses runs of unlike versions.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from keeping import ROOT, keep_result, name_clean_commit

from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.simulate import simulate_to
from revictimisation.core import files

STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
KEPT = ROOT / "src" / "revictimisation" / "comparison" / "reference"
PEOPLE, SEED, SCENARIO = 3000, 1, "calibrated"
COMMAND = "python benchmarks/make_reference.py"
FACTS = ("study", "study_file", "seed", "is_synthetic", "run", "versions")
# Of diagnostics those of the extract, the cohort's profile and the linkage; of question 1 all
# without a group, of the other questions what is neither a curve nor a variant.
CHECKS = ("profile", "extract", "linkage", "cleaning", "baseline_risk")
CURVES = ("curve", "ladder_curve", "first_start", "influence_interval", "weights_truncated",
          "combination", "sequence", "exploration", "contrast", "treatment_share")  # fmt: skip
MOST_BYTES = 1_000_000


def choose_estimates(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that a comparison may read."""
    is_question_1 = rows["question"].eq("q1")
    is_grouped = rows["subgroup"].ne("") & ~rows["analysis"].isin(
        ["volumes", "linkage", "agencies"]
    )
    is_kept = ~rows["analysis"].isin(CURVES) & ~(is_question_1 & is_grouped)
    is_court = rows["question"].eq("q4")
    is_kept &= ~is_court
    return rows[is_kept].reset_index(drop=True)


def choose_tables(released: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Of released tables what ships."""
    checks = released["diagnostics"]
    return {
        **released,
        "estimates": choose_estimates(released["estimates"]),
        "diagnostics": checks[checks["analysis"].isin(CHECKS)].reset_index(drop=True),
    }


def main() -> None:
    """The command."""
    commit = name_clean_commit()
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "county", Path(folder) / "out"
        simulate_to(data, PEOPLE, SEED, SCENARIO, "parquet")
        estimate_study(STUDY, data, out, COMMAND, jobs=2)
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        tables = {name: pd.read_parquet(out / "release" / f"{name}.parquet")
                  for name in ("estimates", "attrition", "diagnostics")}  # fmt: skip
    for name, table in choose_tables(tables).items():
        files.write_table(table, KEPT / "release", name, ("parquet",))
    told = {name: manifest[name] for name in FACTS}
    facts = {**told, "command": COMMAND, "scenario": SCENARIO, "people": PEOPLE}
    keep_result(KEPT / "manifest.json", facts, commit)
    size = sum(path.stat().st_size for path in KEPT.rglob("*") if path.is_file())
    print(f"{KEPT.relative_to(ROOT)}: {size / 1e6:.2f} MB")
    if size > MOST_BYTES:
        raise SystemExit(f"More than {MOST_BYTES} bytes: too large to ship.")


if __name__ == "__main__":
    main()
