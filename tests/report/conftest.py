"""A kept release with its pages, one run from simulation to pages, and a page made by hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.commands.manifest import versions
from revictimisation.core.results import DIAGNOSTIC_COLUMNS, make_estimates
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan
from revictimisation.report import evidence
from revictimisation.report.page import Page
from revictimisation.report.release import Release
from revictimisation.report.site import SiteContent, render_site

LANGUAGES = ("sv", "en")
TABLES = ("estimates", "attrition", "diagnostics")


@dataclass(frozen=True)
class Study:
    """An estimated study: where it lies."""

    study: Path
    out: Path

    def parameters(self, language: str) -> dict[str, str]:
        return {"study": str(self.study), "out": str(self.out), "language": language}


def make_page(
    language: str = "sv", rows: list[dict] | None = None, study: str = "name: mini"
) -> Page:
    """A page of a study with nothing but the given rows of estimates."""
    release = Release(
        plan=read_plan(study),
        is_synthetic=False,
        estimates=make_estimates(rows or []),
        attrition=pd.DataFrame(
            columns=["step", "reason", "n_people", "n_reports", "n_dropped", "status"]
        ),
        diagnostics=pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS)),
    )
    return Page(release, load_dictionary(), language)


@pytest.fixture
def tried(monkeypatch) -> None:
    """Every measure's intervals held the truth in 95 of 100 counties of known truth."""
    monkeypatch.setattr(evidence, "find_coverage", lambda _page, _measure: (0.95, 100))


def read_content(study: Study) -> SiteContent:
    manifest = json.loads((study.out / "manifest.json").read_text(encoding="utf-8"))
    tables = {name: pd.read_parquet(study.out / "release" / f"{name}.parquet") for name in TABLES}
    return SiteContent(
        plan=read_plan(manifest["study_file"]),
        is_synthetic=manifest["is_synthetic"],
        is_joined=False,
        versions=manifest["versions"],
        input_digest="0123456789abcdef",
        **tables,
    )


def run_papermill(notebook: Path, target: Path, parameters: dict[str, str]) -> str:
    """Execute a notebook as a researcher does, from the command line; its error, or nothing."""
    given = [word for name, value in parameters.items() for word in ("-p", name, value)]
    command = [sys.executable, "-m", "papermill", str(notebook), str(target), "--no-progress-bar"]
    done = subprocess.run([*command, *given], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


@pytest.fixture(scope="session")
def county(repo_root: Path, tmp_path_factory) -> Study:
    """The kept release of a county of 3,000 (benchmarks/yardstick.py), laid out as a run leaves it.

    Of so many people some answers are shown and some are not.
    """
    folder = tmp_path_factory.mktemp("kept_county")
    study, out = folder / "county.yaml", folder / "out"
    text = (repo_root / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")
    study.write_text(text.replace("replicates: 200", "replicates: 20"), encoding="utf-8")
    (out / "release").mkdir(parents=True)
    for name in TABLES:
        kept = repo_root / "tests" / "yardstick" / "county_3000" / f"release_{name}.parquet"
        shutil.copyfile(kept, out / "release" / f"{name}.parquet")
    manifest = {"study_file": study.read_text(encoding="utf-8"), "is_synthetic": True,
                "versions": versions()}  # fmt: skip
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Study(study, out)


@pytest.fixture(scope="session")
def finished_run(small_run: Path) -> Study:
    return Study(small_run / "county.yaml", small_run / "out")


@pytest.fixture(scope="session")
def content(county: Study) -> SiteContent:
    """What the pages in both languages are made of."""
    return read_content(county)


@pytest.fixture(scope="session")
def site(content: SiteContent, make_once: Callable[..., Path]) -> Path:
    """The site as a folder, made once for all workers."""

    def write(folder: Path) -> None:
        (folder / "figures").mkdir()
        for path, text in render_site(content).items():
            (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())

    return make_once("kept_site", write)


@pytest.fixture(scope="session")
def made(site: Path) -> dict[str, str | bytes]:
    """All files of the site."""
    found = {path.relative_to(site).as_posix(): path.read_bytes()
             for path in site.rglob("*") if path.is_file()}  # fmt: skip
    return {path: data if path.endswith((".png", ".pdf")) else data.decode()
            for path, data in found.items()}  # fmt: skip


@pytest.fixture(scope="session")
def pages(made: dict[str, str | bytes]) -> dict[str, str]:
    return {path: str(text) for path, text in made.items() if path.endswith(".html")}
