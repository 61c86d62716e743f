"""docs/python_api.md: its examples run as they stand, and it tells of every public name."""

from __future__ import annotations

import doctest
import re
import shutil
from pathlib import Path

import pytest

import revictimisation as rv
from tests.study.conftest import GROUPS, NO_GROUPS

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
DATA = ("tests/real/rossi", "tests/golden/recurrent/data", "tests/golden/sequential")


@pytest.fixture
def text(repo_root: Path) -> str:
    return (repo_root / "docs" / "python_api.md").read_text(encoding="utf-8")


def test_the_examples_give_what_they_say(text, repo_root, bench_county, tmp_path, monkeypatch):
    """In a folder that has the data and the county that they name.

    The county's study draws two replicates and asks of no groups: no example shows either.
    """
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    for folder in DATA:
        shutil.copytree(repo_root / folder, tmp_path / folder)
    study = (repo_root / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")
    study = GROUPS.sub(NO_GROUPS, study).replace("replicates: 200", "replicates: 2")
    (tmp_path / "county.yaml").write_text(study, encoding="utf-8")
    assert "revictimisation simulate extract --people 400\n" in text
    shutil.copytree(bench_county, tmp_path / "extract")
    monkeypatch.chdir(tmp_path)
    examples = "\n".join(BLOCK.findall(text))
    test = doctest.DocTestParser().get_doctest(examples, {}, "python_api.md", None, 0)
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append)
    matplotlib.pyplot.close("all")
    assert result.attempted > 40
    assert not result.failed, "".join(told)


def test_every_public_name_is_told(text):
    named = set(re.findall(r"`(\w+)`", text.split("\n## ")[0]))
    assert {*rv.__all__} <= named


def test_links_to_sections_lead_somewhere(text):
    sections = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w ]", "", one).lower().replace(" ", "-") for one in sections}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert links and {*links} <= anchors
