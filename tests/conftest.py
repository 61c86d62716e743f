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

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


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
