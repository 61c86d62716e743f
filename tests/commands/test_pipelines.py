"""`pipelines/Snakefile` calls our command alone: a table on this machine, and on clusters, dry."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from revictimisation.commands.verify import verify_folder
from tests.project.sources import ROOT

REAL = ROOT / "tests" / "real" / "rossi"
PROFILES = ROOT / "pipelines" / "profiles"
DRY = """
import sys
from snakemake.cli import main
for profile in sys.argv[2:]:
    try:
        main(["-n", "--cores", "8", "-s", sys.argv[1], "--profile", profile, "--config",
              "grid=grid.csv", "out=out"])
    except SystemExit as ended:
        print(f"ended {ended.code}", flush=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder to work in, with a table of two rows; without Snakemake the test is skipped."""
    if importlib.util.find_spec("snakemake") is None:
        told = "snakemake is not installed: uv sync --extra pipelines (not on Windows)"
        if os.environ.get("REVICTIMISATION_REQUIRE_SNAKEMAKE"):
            pytest.fail(told)
        pytest.skip(told)
    made = tmp_path_factory.mktemp("pipelines")
    rows = [f"{name},{REAL / 'study.yaml'},{REAL / 'extract'},estimate,0,false,[{day}]"
            for name, day in (("half", 182), ("whole", 364))]  # fmt: skip
    head = "name,study,data,job,bootstrap.replicates,exploration.is_on,report_at_days"
    (made / "grid.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return made


def call(folder: Path, *words: object) -> str:
    sources = f"{ROOT / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    env = {**os.environ, "PYTHONPATH": sources, "HOME": str(folder)}
    done = subprocess.run([sys.executable, *map(str, words)], cwd=folder, env=env,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout + done.stderr


def test_a_table_runs_on_this_machine(folder):
    ours = f"command={sys.executable} -m revictimisation"
    call(
        folder, "-m", "snakemake", "-s", ROOT / "pipelines" / "Snakefile", "--profile",
        PROFILES / "local", "--cores", 1, "--config", "grid=grid.csv", "out=out", ours,
    )  # fmt: skip
    runs = pd.read_csv(folder / "out" / "runs.csv")
    assert runs[["row", "status"]].values.tolist() == [["half", "done"], ["whole", "done"]]
    for name in runs["row"]:
        assert verify_folder(folder / "out" / "runs" / name, REAL / "extract")
    assert not (folder / "out" / "tables").exists()


def test_clusters_are_configuration_alone(folder):
    """Each rule would be handed to SLURM or Kubernetes with its cores, and is our command."""
    profiles = [PROFILES / name for name in ("slurm", "kubernetes")]
    told = call(folder, "-c", DRY, ROOT / "pipelines" / "Snakefile", *profiles)
    assert told.count("ended 0") == 2, told[-4000:]
    shell = [line.split(": ", 1)[1] for line in told.splitlines() if line.startswith("Shell")]
    asked = [line for line in shell if line != "None"]
    assert len(asked) in (8, 6) and all(
        line.startswith("revictimisation run-many grid.csv --out out ") for line in asked
    )
    assert "revictimisation run-many grid.csv --out out --only half --jobs 4" in asked
    for profile in profiles:
        said = yaml.safe_load((profile / "config.yaml").read_text(encoding="utf-8"))
        assert said["executor"] == profile.name
