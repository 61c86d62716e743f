"""Every kept result names the one commit that holds the code it came from."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .sources import ROOT, STUDIES

KEPT = runpy.run_path(str(ROOT / "benchmarks" / "keeping.py"))
# Kept before this was asked for; each goes from here when it is made anew.
UNNAMED = {
    "clone_censor_weight", "cox_10000", "cox_100000", "cox_1000000", "linkage", "linkage_error",
    "mapping", "person_time", "target_trials", "validation",
}  # fmt: skip


def list_commits(facts: Any) -> Iterator[str]:
    """What stands under `commit`, wherever."""
    if isinstance(facts, dict):
        for key, value in facts.items():
            yield from [value] if key == "commit" else list_commits(value)


def find_unclean(paths: list[Path]) -> set[str]:
    """Results that name no commit, or something that is none."""
    found = set()
    for path in paths:
        commits = list(list_commits(json.loads(path.read_text(encoding="utf-8"))))
        if not commits or not all(re.fullmatch("[0-9a-f]{40}", commit) for commit in commits):
            found.add(path.parent.name if path.stem == "provenance" else path.stem)
    return found


def test_every_kept_result_names_a_clean_commit():
    studies = sorted((STUDIES / "tables").glob("*/provenance.json"))
    results = sorted((ROOT / "benchmarks/results").glob("*.json"))
    assert len(studies) >= 5 and len(results) >= 12
    assert find_unclean(studies) == set()
    assert find_unclean(results) == UNNAMED


def test_nothing_is_kept_from_a_changed_tree(tmp_path):
    name_commit = KEPT["name_clean_commit"]
    with pytest.raises(SystemExit, match="no git repository with a commit"):
        name_commit(tmp_path)

    def git(*words: str) -> str:
        own = ["-c", "user.name=a", "-c", "user.email=a@a", "-c", "commit.gpgsign=false"]
        found = subprocess.run(["git", *own, *words], cwd=tmp_path, capture_output=True, text=True,
                               check=True)  # fmt: skip
        return found.stdout.strip()

    git("init", "-q")
    code = tmp_path / "code.py"
    code.write_text("one = 1\n")
    git("add", ".")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD")
    assert name_commit(tmp_path) == commit
    # what such work itself leaves changes no number of the next
    results = tmp_path / "benchmarks" / "results"
    results.mkdir(parents=True)
    KEPT["keep_result"](results / "cox.json", {"seconds": 1}, commit)
    assert json.loads((results / "cox.json").read_text()) == {"commit": commit, "seconds": 1}
    assert name_commit(tmp_path) == commit
    for path, text in ((tmp_path / "new.py", ""), (code, "one = 2\n")):
        before = path.read_text() if path.exists() else None
        path.write_text(text)
        with pytest.raises(SystemExit, match=f"1 files differ from commit {commit[:12]}"):
            name_commit(tmp_path)
        path.unlink() if before is None else path.write_text(before)
