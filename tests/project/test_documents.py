"""What the documents promise is there: commands, files, words."""

from __future__ import annotations

import ast
import csv
import os
import re
import sys

import pytest

from tests.cases import for_each
from tests.project.sources import PACKAGE, ROOT
from tests.project.test_rooms import ROOMS

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "GLOSSARY.md")
LINK = re.compile(r"\]\((?!https?://)([^)#]+)\)")
NAME = re.compile(r"`([a-z_.]+)`")
CODE = re.compile(r"`([a-z_][a-z0-9_]*|[A-Z][A-Za-z]+)`")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def list_terms() -> list[list[str]]:
    """The rows of the glossary's tables: Swedish, English, identifier, meaning."""
    rows = [line.strip("|").split("|") for line in read("GLOSSARY.md").splitlines()]
    cells = [[cell.strip() for cell in row] for row in rows if len(row) == 4]
    return [row for row in cells if row[0] != "svenska" and set(row[0]) != {"-"}]


@for_each("path", [*(ROOT / name for name in DOCUMENTS), *(ROOT / "docs").rglob("*.md")])
def test_links_lead_somewhere(path):
    links = LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_readme_gives_the_two_commands_and_they_exist():
    import do

    given = re.findall(r"^python3 do\.py (\w+)", read("README.md"), re.MULTILINE)
    assert given[:2] == ["demo", "check"]
    assert set(given) <= set(do.COMMANDS)


def test_readme_exit_codes_are_those_of_the_software():
    from revictimisation.core import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    ours = {kind.exit_code for kind in kinds if issubclass(kind, errors.RevictimisationError)}
    told = {int(code) for code in re.findall(r"^\| (\d) \|", read("README.md"), re.MULTILINE)}
    assert told == ours | {errors.EXIT_DONE}


def test_readme_names_the_folders_that_exist():
    rows = re.findall(
        r"^\| `([\w/.]+)/` \|", read("README.md").split("## What lies where")[1], re.M
    )
    assert len(rows) > 5
    assert [row for row in rows if not (ROOT / row).is_dir()] == []


def test_ci_runs_what_the_readme_says():
    script = read(".ci/run")
    assert "do.py check" in script
    assert "REVICTIMISATION_REQUIRE_BROWSER=1" in script
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in script


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no executable bit")
def test_ci_and_do_can_be_called_as_they_stand():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert os.access(ROOT / "do.py", os.X_OK)


def test_the_rooms_are_told_as_they_are_checked():
    rows = [line.split("|")[1:4] for line in read("CONTRIBUTING.md").splitlines()]
    told = {
        NAME.findall(row[0])[0]: set(NAME.findall(row[2]))
        for row in rows
        if len(row) == 3 and NAME.findall(row[0]) and NAME.findall(row[0])[0] in ROOMS
    }
    held = {room: set(targets) for room, targets in ROOMS.items() if room != "__main__"}
    held["commands"] = set()
    assert told | {"commands": set()} == held


def test_every_measure_has_its_words():
    with (ROOT / "data_dictionary/codes/measures.csv").open(encoding="utf-8") as stream:
        codes = {row["code"] for row in csv.DictReader(stream)}
    assert len(codes) >= 28
    assert codes <= {CODE.sub(r"\1", row[2]) for row in list_terms()}


def test_every_identifier_of_the_glossary_is_in_use():
    folders = [PACKAGE, ROOT / "data_dictionary", ROOT / "pipelines"]
    kinds = {".py", ".yaml", ".csv"}
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in kinds]
    words = set(re.findall(r"\w+", " ".join(path.read_text(encoding="utf-8") for path in files)))
    words |= {path.stem for path in files}
    named = {name for row in list_terms() for name in CODE.findall(row[2])}
    assert len(named) > 80
    assert named - words == set()


def test_each_swedish_word_stands_once():
    swedish = [row[0] for row in list_terms()]
    assert len(swedish) == len(set(swedish))


def test_licence_is_the_one_that_is_declared():
    first, second, *_ = read("LICENSE").splitlines()
    assert first == "EUROPEAN UNION PUBLIC LICENCE v. 1.2"
    assert "2007, 2016" in second
    assert 'license = "EUPL-1.2"' in read("pyproject.toml")
    assert read("LICENSE").count("\n") > 150


def test_an_old_python_can_read_do():
    """It must get as far as its own sentence on the version: no syntax newer than 3.6."""
    oldest = (3, 6)
    assert ast.parse(read("do.py"), feature_version=oldest).body
    with pytest.raises(SyntaxError):  # the look sees newer syntax
        ast.parse("while (line := read()):\n    pass", feature_version=oldest)
