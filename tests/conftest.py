"""What all tests share: fixed random examples, where things are, and a browser to look with."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

from revictimisation.commands import processes
from revictimisation.commands.notebooks import spare_grammar
from revictimisation.core.workers import keep_libraries_serial

gc.set_threshold(50_000)  # as every command does: what imports make stays
keep_libraries_serial()  # the same, before NumPy is loaded
spare_grammar()  # as the command run does
processes.preload(processes.ANALYSES, processes.PAGES)  # as `run`, whichever test is the first

# the same examples on every machine and in every run; a slow machine is no failure
settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("fixed")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# The files that take longest, and one of each that shares what is made once: they are begun first,
# as a worker takes a whole file and what is begun late ends late. While one worker is at the first,
# which compiles nearly every loop (`small_run`), the other is at what needs none: else both would
# compile each.
LONG = (
    "tests/report/test_site.py",
    "tests/disclosure/test_register.py",
    "tests/api/test_grid_notebooks.py",
    "tests/report/test_browser.py",
    "tests/study/test_negative_controls.py",
    "tests/disclosure/test_release.py",
    "tests/study/test_defensible.py",
    "tests/api/test_bench_notebooks.py",
    "tests/commands/test_run_many.py",
    "tests/fuzz/test_mutants.py",
    "tests/commands/test_commands.py",
    "tests/commands/test_crowded.py",
    "tests/comparison/test_compare_command.py",
    "tests/disclosure/test_disclosure.py",
    "tests/comparison/test_run_reference.py",
    "tests/api/test_study_face.py",
    "tests/pseudonyms/test_pseudonymise.py",
    "tests/validation/test_reading.py",
    "tests/convictions/test_truth.py",
    "tests/target_trial/test_standardised_truth.py",
    "tests/validation/test_secrecy.py",
    "tests/api/test_documents.py",
    "tests/attack/test_pairs.py",
    "tests/validation/test_wrong_inputs.py",
    "tests/tables/test_stages.py",
    "tests/estimators/test_curves.py",
    "tests/linkage/test_linking.py",
    "tests/validation/test_malformed_files.py",
    "tests/cleaning/test_accounts.py",
    "tests/mapping/test_guide.py",
    "tests/report/test_unusual_studies.py",
    "tests/search/test_search.py",
)
# Libraries that are met late on the way from `src` to `tests`.
LATE = (
    "playwright.sync_api",
    "rattler",
    "matplotlib.pyplot",
    "great_tables",
    "frictionless",
    "psycopg",
    "IPython",
    "openpyxl",
    "scipy.stats",
    "statsmodels.api",
    "lifelines",
    "seaborn",
)


def pytest_configure(config: pytest.Config) -> None:
    """From nothing two workers would compile every module both: the second begins at the end.

    Each finds what the other has compiled before they meet.
    """
    is_second = os.environ.get("PYTEST_XDIST_WORKER") == "gw1"
    if is_second and all(Path(name).is_dir() for name in config.args):
        for name in LATE:
            importlib.import_module(name)
        config.args.reverse()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first, the others by their path, wherever the collection began."""
    gone = [name for name in LONG if not (config.rootpath / name).is_file()]
    if gone:
        raise pytest.UsageError(f"tests/conftest.py: LONG names what is not there: {gone}")
    places = {name: place for place, name in enumerate(LONG)}

    def place(item: pytest.Item) -> tuple[int, list[str]]:
        path = item.nodeid.partition("::")[0]
        return places.get(path, len(LONG)), path.split("/")

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What is loaded now stays to the end: nobody need look for what of it may go."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def repo_root() -> Path:
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Fill a folder once for all workers: the first that asks does it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def fill(name: str, make: Callable[[Path], None]) -> Path:
        folder, outcome = shared / name, shared / f"{name}.outcome"
        try:
            folder.mkdir()
        except FileExistsError:
            while not outcome.exists():
                time.sleep(0.2)
        else:
            outcome_text = "failed"
            try:
                make(folder)
                outcome_text = "made"
            finally:
                outcome.write_text(outcome_text)
        if outcome.read_text() != "made":
            pytest.fail(f"{name} could not be made: see the first test that asked for it")
        return folder

    return fill


@pytest.fixture(scope="session")
def small_run(repo_root: Path, make_once: Callable[..., Path]) -> Path:
    """The smallest county (`data`), run by the command to pages (`out`) by its `county.yaml`.

    Every analysis of the main study, of three of its measures and two of its subgroups, in Swedish.
    """
    text = (repo_root / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")
    asked = yaml.safe_load(text)
    kept = ("non_contact_order", "sheltered_housing", "joint")
    asked["measures"] = {name: asked["measures"][name] for name in kept}
    asked.update(subgroups=["is_honour", "sex"], report_at_days=[365, 1461], languages=["sv"])
    asked["bootstrap"]["replicates"] = 20

    def run(folder: Path) -> None:
        from revictimisation.commands.simulate import simulate_to

        study, data, out = (folder / name for name in ("county.yaml", "data", "out"))
        study.write_text(yaml.safe_dump(asked), encoding="utf-8")
        simulate_to(data, None, 1, "small", "parquet")
        words = ["run", study, "--data", data, "--out", out, "--jobs", "2"]
        command = [sys.executable, "-m", "revictimisation", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return make_once("small_run", run)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A browser on this machine; without one the test is skipped, in `.ci/run` it fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("REVICTIMISATION_REQUIRE_BROWSER"):
        pytest.fail("no browser on PATH: install chromium")
    if found is None:
        pytest.skip("no browser on PATH")
    return found
