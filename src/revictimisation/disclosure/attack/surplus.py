"""Files that nobody vouches for: not listed, changed since, links, and times that tell of runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from revictimisation.core import files
from revictimisation.disclosure.attack.findings import make_findings
from revictimisation.disclosure.attack.release import RELEASE, RELEASED, Release, read_manifest

Row = dict[str, Any]
PAGES = ("site/", "notebooks/")
HASHED = re.compile(r'"?([^\s":]+)"?\s*[:\s]\s*"?([0-9a-f]{64})|([0-9a-f]{64})\s+\*?(\S+)')
TIME = re.compile(r"(?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d")
# What a release may hold beside its tables.
OWN = re.compile(
    r"(?:estimates|attrition|diagnostics)\.(?:csv|parquet)|review\.(?:html|csv)|RELEASED"
)


def find_surplus(release: Release) -> pd.DataFrame:
    """`unlisted`: a file that neither RELEASED nor the manifest names. `changed`: another hash.

    `missing`: listed and gone. `link`: a link to somewhere. `time`: when a notebook was run.
    """
    return make_findings([*_check_files(release), *_find_times(release)], kind="surplus")


def _check_files(release: Release) -> Iterator[Row]:
    listed = _read_hashes(release)
    for path in release.paths:
        name = PurePosixPath(path)
        if (release.root / path).is_symlink():
            yield {"what": "link", "place": path}
        elif name.name.startswith("."):
            yield {"what": "unlisted", "place": path}
        elif path in listed:
            if files.hash_file(release.root / path) != listed[path]:
                yield {"what": "changed", "place": path}
        elif _is_in_release(release, path):
            if not OWN.fullmatch(name.name):
                yield {"what": "unlisted", "place": path}
        elif listed:
            yield {"what": "unlisted", "place": path}
    inside = {path for path in listed if _is_in_release(release, path)}
    for path in sorted(inside - {*release.paths}):
        yield {"what": "missing", "place": path}


def _is_in_release(release: Release, path: str) -> bool:
    folder = release.folder.relative_to(release.root).as_posix()
    return folder == "." or path.startswith(f"{folder}/")


def _read_hashes(release: Release) -> dict[str, str]:
    """Hashes by path inside the root: of RELEASED, else of the manifest beside."""
    found: dict[str, str] = {}
    manifest = read_manifest(release.root)
    found |= {path: told for path, told in manifest.get("outputs", {}).items()
              if path.partition("/")[0] != "restricted"}  # fmt: skip
    if (release.folder / RELEASED).is_file():
        text = files.read_text(release.folder / RELEASED)
        inside = release.folder.relative_to(release.root)
        for name, digest, other, path in HASHED.findall(text):
            place = name or path
            is_page = place.startswith(PAGES)
            if not place.startswith(f"{RELEASE}/") and not is_page:
                place = (inside / place).as_posix()
            if not (is_page and release.root == release.folder):  # a folder without its pages
                found[place] = digest or other
    return found


def _find_times(release: Release) -> Iterator[Row]:
    for path in release.paths:
        if not path.endswith(".ipynb"):
            continue
        try:
            book = json.loads(release.read(path))
        except ValueError:
            continue
        said = [book.get("metadata", {}), *(cell.get("metadata", {}) for cell in book["cells"])]
        n_times = len(TIME.findall(json.dumps(said)))
        if n_times:
            yield {"what": "time", "place": path, "row": f"{n_times}"}
