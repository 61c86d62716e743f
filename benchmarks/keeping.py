"""Where a kept result comes from: the one commit that holds the code, or nothing is kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# What such work itself leaves in the tree changes no number of the next.
KEPT = ("benchmarks/results", "src/truth_studies/tables")


def name_clean_commit(root: Path = ROOT) -> str:
    """The commit that the code is of; ends with a sentence where there is more than is committed.

    Asked before the work begins, as hours of it would be lost afterwards. New files that git does
    not ignore count too.
    """
    try:
        changed = _ask_git(root, "status", "--porcelain", "--", ".", *(f":!{one}" for one in KEPT))
        commit = _ask_git(root, "rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        raise SystemExit(
            "Nothing is kept: this folder is no git repository with a commit, so nobody could find "
            "the code again that gave the result."
        ) from None
    if changed:
        raise SystemExit(
            f"Nothing is kept: {len(changed.splitlines())} files differ from commit {commit[:12]}, "
            "so nobody could find the code again that gave the result. Commit first, then run."
        )
    return commit


def hold_commit(parts: Path) -> str:
    """The commit that the parts in a folder are of: for the first the clean one of today.

    A summary of parts of two commits would be of neither.
    """
    today, note = name_clean_commit(), parts / "commit"
    if not note.exists():
        note.write_text(today, encoding="utf-8")
    commit = note.read_text(encoding="utf-8")
    if commit != today and any(parts.rglob("*.parquet")):
        raise SystemExit(
            f"Nothing is run or kept: the parts in {parts} are of commit {commit[:12]}, "
            f"the code of {today[:12]}. Go back to that commit, or remove the folder."
        )
    note.write_text(today, encoding="utf-8")
    return today


def keep_result(path: Path, found: Mapping[str, Any], commit: str, indent: int = 2) -> None:
    """Write a result as JSON, its commit first."""
    text = json.dumps({"commit": commit, **found}, indent=indent, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _ask_git(root: Path, *words: str) -> str:
    found = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return found.stdout.strip()
