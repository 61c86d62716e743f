"""What all tests share: fixed random examples, where things are, and a browser to look with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples on every machine and in every run; a slow machine is no failure
settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("fixed")

# folders whose tests look at one and the same estimated county
SHARING_A_RUN = ("report", "study")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.hookimpl(tryfirst=True)  # the groups are read when the workers collect
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a file, or of a folder that shares a whole run, go to the same worker."""
    for item in items:
        folder = item.path.parent
        shared = folder if folder.name in SHARING_A_RUN else item.path
        item.add_marker(pytest.mark.xdist_group(str(shared)))


@pytest.fixture(scope="session")
def repo_root() -> Path:
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A browser on this machine; without one the test is skipped, in `.ci/run` it fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("REVICTIMISATION_REQUIRE_BROWSER"):
        pytest.fail("no browser on PATH: install chromium")
    if found is None:
        pytest.skip("no browser on PATH")
    return found
