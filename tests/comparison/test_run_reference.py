"""`run --reference` ends with the comparison, does it once, and takes it back when not asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd

from revictimisation.commands.run import run_study


def test_a_run_ends_with_the_comparison(small_run, tmp_path):
    whole = tmp_path / "run"
    shutil.copytree(small_run, whole)
    places = whole / "county.yaml", whole / "data", whole / "out"
    before = json.loads((places[2] / "manifest.json").read_text(encoding="utf-8"))["stages"]
    assert run_study(*places, "test", 2, Path("reference"))
    made = places[2] / "comparison"
    rows = pd.read_parquet(made / "comparison.parquet")
    overall = rows[rows["check"].eq("overall") & rows["subject"].eq("")]
    assert overall["cohort"].tolist() == ["B"]
    assert (made / "comparison.html").is_file() and (made / "notebooks").is_dir()
    stages = json.loads((places[2] / "manifest.json").read_text(encoding="utf-8"))["stages"]
    assert {name: stage for name, stage in stages.items() if name in ("estimate", "site")} == {
        name: stage for name, stage in before.items() if name in ("estimate", "site")
    }
    assert "comparison/comparison.parquet" in stages["comparison"]["outputs"]
    assert not run_study(*places, "test", 2, Path("reference"))
    run_study(*places, "test", 2)
    assert not (made / "comparison.parquet").exists()
