"""Runs shared by the tests of whole studies: each is done once per session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from revictimisation import runner


def read_estimates(out: Path, folder: str = "restricted") -> pd.DataFrame:
    """The estimates a run left, with empty text as empty text."""
    frame = pd.read_parquet(out / folder / "estimates.parquet")
    assert frame.columns[0] == "question"
    return frame


@pytest.fixture(scope="session")
def real_study(repo_root: Path, tmp_path_factory) -> Callable[[str], pd.DataFrame]:
    """Estimate one of the real data sets and give its restricted estimates."""

    def study(name: str) -> pd.DataFrame:
        folder, out = repo_root / "tests" / "real" / name, tmp_path_factory.mktemp(name)
        runner.estimate(folder / "study.yaml", folder / "extract", out, "test", jobs=2)
        return read_estimates(out)

    return study


@pytest.fixture(scope="session")
def county(repo_root: Path, tmp_path_factory) -> Callable[..., tuple[Path, Path]]:
    """Simulate a county once and estimate the main study on it: (data, out)."""
    made: dict[tuple, tuple[Path, Path]] = {}

    def build(scenario: str, n_people: int | None = None, seed: int = 1) -> tuple[Path, Path]:
        key = (scenario, n_people, seed)
        if key not in made:
            folder = tmp_path_factory.mktemp(f"{scenario}_{seed}")
            data, out = folder / "data", folder / "out"
            runner.simulate_to(data, n_people, seed, scenario, "parquet")
            main = repo_root / "pipelines" / "studies" / "county.yaml"
            study = folder / "county.yaml"
            text = main.read_text(encoding="utf-8")
            study.write_text(text.replace("replicates: 200", "replicates: 40"), encoding="utf-8")
            runner.estimate(study, data, out, "test", jobs=2)
            made[key] = (data, out)
        return made[key]

    return build
