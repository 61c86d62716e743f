"""One small county from simulation to pages, made once; and a page made by hand."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import papermill
import pytest

from revictimisation import runner
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan
from revictimisation.report.page import Page
from revictimisation.report.release import Release
from revictimisation.report.site import NOTEBOOKS, SiteContent, render_site
from revictimisation.results import DIAGNOSTIC_COLUMNS, make_estimates

LANGUAGES = ("sv", "en")
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


def read_content(study: Study, notebooks: dict) -> SiteContent:
    manifest = json.loads((study.out / "manifest.json").read_text(encoding="utf-8"))
    tables = {name: pd.read_parquet(study.out / "release" / f"{name}.parquet") for name in TABLES}
    return SiteContent(
        plan=read_plan(manifest["study_file"]),
        is_synthetic=manifest["is_synthetic"],
        notebooks=notebooks,
        versions=manifest["versions"],
        input_digest="0123456789abcdef",
        **tables,
    )


def execute(repo_root: Path, study: Study, name: str, language: str, target: Path) -> dict:
    papermill.execute_notebook(
        str(repo_root / "notebooks" / f"{name}.ipynb"),
        str(target),
        parameters=study.parameters(language),
        kernel_name="python3",
        progress_bar=False,
    )
    return json.loads(target.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def county(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("report_county")
    study = repo_root / "pipelines" / "studies" / "county.yaml"
    runner.simulate_to(folder / "data", 600, 1, "calibrated", "parquet")
    runner.estimate(study, folder / "data", folder / "out", "test", jobs=2)
    return Study(study, folder / "data", folder / "out")


@pytest.fixture(scope="session")
def content(
    repo_root: Path, county: Study, tmp_path_factory: pytest.TempPathFactory
) -> SiteContent:
    folder = tmp_path_factory.mktemp("executed")
    keys = [(name, language) for name in NOTEBOOKS for language in LANGUAGES]
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(
            lambda key: execute(repo_root, county, *key, folder / f"{key[0]}.{key[1]}.ipynb"), keys
        )
        return read_content(county, dict(zip(keys, made, strict=True)))


@pytest.fixture(scope="session")
def pages(content: SiteContent) -> dict[str, str]:
    return render_site(content, load_dictionary())


@pytest.fixture(scope="session")
def site(pages: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for path, text in pages.items():
        (folder / path).write_text(text, encoding="utf-8")
    return folder
