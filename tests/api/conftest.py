"""The two studies that the face is tried on: the Rossi data, and a small simulated county."""

from __future__ import annotations

from pathlib import Path

import pytest

from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.simulate import simulate_to
from tests.study.conftest import GROUPS, NO_GROUPS

PEOPLE = 400


@pytest.fixture(scope="session")
def rossi(repo_root: Path, make_once) -> tuple[Path, Path, Path]:
    """Study file, extract, and what the command `estimate` leaves."""
    real = repo_root / "tests" / "real" / "rossi"
    study, data = real / "study.yaml", real / "extract"
    out = make_once("api_rossi", lambda out: estimate_study(study, data, out, "test", jobs=2))
    return study, data, out


@pytest.fixture(scope="session")
def county(repo_root: Path, make_once) -> tuple[Path, Path, Path]:
    """The same of a simulated county; it asks of no groups, and draws fewer replicates."""

    def make(folder: Path) -> None:
        text = (repo_root / "pipelines/studies/county.yaml").read_text(encoding="utf-8")
        text = GROUPS.sub(NO_GROUPS, text).replace("replicates: 200", "replicates: 20")
        text += "\nexploration: {is_on: false}\n"
        (folder / "county.yaml").write_text(text, encoding="utf-8")
        simulate_to(folder / "extract", PEOPLE, 1, "calibrated", "parquet")
        estimate_study(folder / "county.yaml", folder / "extract", folder / "out", "test", jobs=2)

    folder = make_once(f"api_county_{PEOPLE}", make)
    return folder / "county.yaml", folder / "extract", folder / "out"
