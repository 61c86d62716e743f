"""One small county from simulation to pages, made once; and a page made by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.commands.simulate import simulate_to
from revictimisation.core.results import DIAGNOSTIC_COLUMNS, make_estimates
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan
from revictimisation.report.page import Page
from revictimisation.report.release import Release
from revictimisation.report.site import SiteContent, render_site

LANGUAGES = ("sv", "en")
# so few people would have every answer withheld; with these some are shown and some are not
GATES = """
gates:
  largest_standardised_difference: 0.3
  share_outside_support: 0.12
  negative_control_bias: 0.1
"""
TABLES = ("estimates", "attrition", "diagnostics")


@dataclass(frozen=True)
class Study:
    """An estimated study: where it lies."""

    study: Path
    data: Path
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
def county(repo_root: Path, make_once: Callable[..., Path]) -> Study:
    """A small county, run by the command in Swedish: estimates, executed notebooks, pages."""
    text = (repo_root / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")
    text = text.replace("replicates: 200", "replicates: 20")
    text = text.replace("languages: [sv, en]", "languages: [sv]")

    def run(folder: Path) -> None:
        study = folder / "county.yaml"
        study.write_text(text + GATES, encoding="utf-8")
        simulate_to(folder / "data", 600, 1, "calibrated", "parquet")
        given = [str(study), "--data", str(folder / "data"), "--out", str(folder / "out")]
        command = [sys.executable, "-m", "revictimisation", "run", *given, "--jobs", "2"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    folder = make_once("report_county", run)
    return Study(folder / "county.yaml", folder / "data", folder / "out")


@pytest.fixture(scope="session")
def content(county: Study) -> SiteContent:
    """What the pages in both languages are made of."""
    made = read_content(county)
    return replace(made, plan=made.plan.model_copy(update={"languages": LANGUAGES}))


@pytest.fixture(scope="session")
def pages(content: SiteContent) -> dict[str, str]:
    return render_site(content)


@pytest.fixture(scope="session")
def site(pages: dict[str, str], tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for path, text in pages.items():
        (folder / path).write_text(text, encoding="utf-8")
    return folder
