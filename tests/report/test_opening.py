"""The door of a notebook: wrong parameters, no results, results of another study."""

from __future__ import annotations

import shutil

import pytest

from revictimisation.core.errors import UsageError
from revictimisation.core.files import find_upwards
from revictimisation.report import open_report
from tests.cases import for_each

from .conftest import Study, run_papermill


def test_opens_what_was_released(county: Study):
    page = open_report(county.parameters("sv"))
    assert page.language == "sv" and page.plan.name == "county" and page.release.is_synthetic
    assert len(page.release.estimates) > 1000


@for_each("given", [{"langage": "en"}, {"threshold": 3}, {"also": None}])
def test_an_unknown_parameter_is_refused(county: Study, given):
    with pytest.raises(UsageError, match=f"unknown: {next(iter(given))}"):
        open_report({**county.parameters("sv"), **given})


def test_what_jupyter_and_imports_put_there_is_no_parameter(county: Study):
    there = {"In": [""], "Out": {}, "_": "", "_i1": "x = 1", "shutil": shutil, "exit": exit}
    page = open_report({**county.parameters("en"), **there})
    assert open_report({**county.parameters("en"), "page": page, "mine": 3}).language == "en"


def test_a_missing_parameter_and_a_strange_language_are_refused(county: Study):
    given = county.parameters("sv")
    with pytest.raises(UsageError, match="missing: out"):
        open_report({key: given[key] for key in ("study", "language")})
    with pytest.raises(UsageError, match="language"):
        open_report({**given, "language": "fi"})


def test_no_results_say_which_command_makes_them(county: Study, tmp_path):
    given = {**county.parameters("sv"), "out": str(tmp_path)}
    with pytest.raises(UsageError, match=r"revictimisation run .*county.yaml --data DATA"):
        open_report(given)


def test_results_of_another_study_are_refused(county: Study, repo_root, tmp_path):
    other = repo_root / "pipelines" / "studies" / "norrort.yaml"
    with pytest.raises(UsageError, match="those of the study 'county', not of 'norrort'"):
        open_report({**county.parameters("sv"), "study": str(other)})
    changed = tmp_path / "county.yaml"
    text = county.study.read_text(encoding="utf-8")
    changed.write_text(text.replace("horizon_days: 1461", "horizon_days: 1000"), encoding="utf-8")
    with pytest.raises(UsageError, match="changed since"):
        open_report({**county.parameters("sv"), "study": str(changed)})


def test_paths_are_found_from_a_folder_below(tmp_path, monkeypatch):
    (tmp_path / "build" / "out").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert find_upwards("build/out") == tmp_path / "build" / "out"
    assert not find_upwards("build/none").exists()


def test_papermill_stops_at_an_unknown_parameter(repo_root, county: Study, tmp_path):
    notebook = repo_root / "notebooks" / "02_reach.ipynb"
    given = {**county.parameters("sv"), "langage": "en"}
    assert "unknown: langage" in run_papermill(notebook, tmp_path / "x.ipynb", given)
