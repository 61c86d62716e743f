"""Runs shared by the tests of whole studies: each is done once per session."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.analyses.registry import ANALYSES
from revictimisation.cohort.preparation import prepare
from revictimisation.commands import pipeline
from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.simulate import simulate_to
from revictimisation.core.engine import connect
from revictimisation.core.workers import Workers
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan

GROUPS = re.compile("^subgroups: .*$", re.MULTILINE)
DAYS = re.compile("^report_at_days: .*$", re.MULTILINE)
NO_GROUPS = "subgroups: []\nfor_whom: {combined: {}}"
# What is asked of each county: what tests look at, with what it rests on. The whole study is run,
# on the smallest county, by the command (`small_run`).
CONTROLLED = ("incidence", "hazard_ratios", "target_trials", "negative_controls", "hidden_bias")
ASKED = {
    "calibrated": ("measure_use", "crude", *CONTROLLED, "recurrent_events", "joint_strategies"),
    "unmeasured": CONTROLLED,
}


def read_estimates(out: Path, folder: str = "restricted") -> pd.DataFrame:
    """The estimates a run left, with empty text as empty text."""
    frame = pd.read_parquet(out / folder / "estimates.parquet")
    assert frame.columns[0] == "question"
    return frame


@pytest.fixture(scope="session")
def real_study(repo_root: Path, make_once) -> Callable[[str], pd.DataFrame]:
    """Estimate one of the real data sets and give its restricted estimates."""

    def study(name: str) -> pd.DataFrame:
        real = repo_root / "tests" / "real" / name

        def estimate(out: Path) -> None:
            estimate_study(real / "study.yaml", real / "extract", out, "test", jobs=2)

        return read_estimates(make_once(f"real_{name}", estimate))

    return study


def analyse_some(study: str, data: Path, out: Path, names: tuple[str, ...]) -> None:
    """As the command `estimate` does, of some analyses."""
    plan, dictionary = read_plan(study), load_dictionary()
    extract = load_extract(connect(threads=2), data, dictionary, plan)
    prepared, attrition = prepare(extract.tables, extract.absent, dictionary, plan)
    asked = [analysis for analysis in ANALYSES if analysis.name in names]
    with Workers(2) as workers:
        results = pipeline.analyse(
            prepared, attrition, dictionary, share=workers.map, analyses=asked
        )
    for folder, tables in (("restricted", results.restricted), ("release", results.release)):
        (out / folder).mkdir(parents=True)
        for name, table in tables.items():
            table.to_parquet(out / folder / f"{name}.parquet")


@pytest.fixture(scope="session")
def county(repo_root: Path, make_once) -> Callable[[str], tuple[Path, Path]]:
    """Simulate a county of 3,000 once and ask of it what is tested: (data, out)."""
    main = repo_root / "pipelines" / "studies" / "county.yaml"
    text = main.read_text(encoding="utf-8").replace("replicates: 200", "replicates: 25")

    # four days, a bootstrap and question 1 by sex are asked of the calibrated county alone
    studies = {
        "calibrated": GROUPS.sub("subgroups: [sex]", text),
        "unmeasured": DAYS.sub("report_at_days: [365, 1461]", GROUPS.sub(NO_GROUPS, text)).replace(
            "replicates: 25", "replicates: 0"
        ),
    }

    def build(scenario: str) -> tuple[Path, Path]:
        def make(folder: Path) -> None:
            data = folder / "data"
            simulate_to(data, 3000, 1, scenario, "parquet")
            analyse_some(studies[scenario], data, folder / "out", ASKED[scenario])

        folder = make_once(f"{scenario}_county", make)
        return folder / "data", folder / "out"

    return build
