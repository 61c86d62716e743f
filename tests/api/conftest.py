"""The two studies that the face is tried on: the Rossi data, and the run that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.simulate import simulate_to


@pytest.fixture(scope="session")
def rossi(repo_root: Path, make_once) -> tuple[Path, Path, Path]:
    """Study file, extract, and what the command `estimate` leaves."""
    real = repo_root / "tests" / "real" / "rossi"
    study, data = real / "study.yaml", real / "extract"
    out = make_once("real_rossi", lambda out: estimate_study(study, data, out, "test", jobs=2))
    return study, data, out


@pytest.fixture(scope="session")
def county(small_run: Path) -> tuple[Path, Path, Path]:
    """The same of the smallest county, as the command `run` leaves it."""
    return small_run / "county.yaml", small_run / "data", small_run / "out"


@pytest.fixture(scope="session")
def bench_county(make_once) -> Path:
    """An extract of 400 people: that of docs/python_api.md, and of the bench notebooks."""
    return make_once(
        "bench_county", lambda folder: simulate_to(folder, 400, 1, "calibrated", "parquet")
    )
