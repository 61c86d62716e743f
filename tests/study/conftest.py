"""Runs shared by the tests of whole studies: each is done once per session."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.simulate import simulate_to

GROUPS = re.compile("^subgroups: .*$", re.MULTILINE)
DAYS = re.compile("^report_at_days: .*$", re.MULTILINE)
NO_GROUPS = "subgroups: []\nfor_whom: {combined: {}}"


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


@pytest.fixture(scope="session")
def county(repo_root: Path, make_once) -> Callable[..., tuple[Path, Path]]:
    """Simulate a county once and estimate the main study on it: (data, out)."""
    main = repo_root / "pipelines" / "studies" / "county.yaml"
    text = main.read_text(encoding="utf-8").replace("replicates: 200", "replicates: 40")

    # for whom, on four days and with a bootstrap is asked in the main county alone
    plain = DAYS.sub("report_at_days: [365, 1461]", GROUPS.sub(NO_GROUPS, text))
    plain = plain.replace("replicates: 40", "replicates: 0")

    def build(scenario: str, n_people: int, seed: int = 1) -> tuple[Path, Path]:
        asked = plain if scenario == "unmeasured" else text

        def estimate(folder: Path) -> None:
            study = folder / "county.yaml"
            study.write_text(asked, encoding="utf-8")
            simulate_to(folder / "data", n_people, seed, scenario, "parquet")
            estimate_study(study, folder / "data", folder / "out", "test", jobs=2)

        folder = make_once(f"{scenario}_{n_people}_{seed}", estimate)
        return folder / "data", folder / "out"

    return build
