"""Only `files` touches files: stages are functions from tables and plan to tables."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.project.sources import Module, list_modules

# functions and methods that open, read, write or remove files, by the name they are called by
TOUCHES = {
    *("open", "fdopen", "mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryDirectory"),
    *("read_text", "write_text", "read_bytes", "write_bytes", "savefig", "loadtxt", "savetxt"),
    *("read_csv", "read_parquet", "read_excel", "read_json", "read_table", "read_sas"),
    *("to_csv", "to_parquet", "to_excel", "to_pickle", "write_table", "write_json"),
    *("mkdir", "makedirs", "unlink", "rmtree", "rmdir", "copyfile", "copytree"),
}
# part of the package: what it may call by itself, and why
ALLOWED = {
    "files": TOUCHES,
    # parses the text of a code list that `files` has read
    "dictionary": {"read_csv"},
    # the engine reads an extract's files itself: through Python they would stand in memory twice
    "validation": {"read_csv", "read_parquet"},
}


def find_touches(module: Module) -> list[str]:
    """Every call that goes to the file system without going through `files`."""
    ours = list_names_from_files(module)
    allowed = ALLOWED.get(module.part, set())
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            owner, name = split_call(node)
            through_files = owner == "files" or (not owner and name in ours)
            if name in TOUCHES - allowed and not through_files:
                found.append(f"{module.name}:{node.lineno}: {name}")
    return found


def split_call(call: ast.Call) -> tuple[str, str]:
    """What is called and on what: `files.read_text()` is ("files", "read_text")."""
    if isinstance(call.func, ast.Name):
        return "", call.func.id
    if isinstance(call.func, ast.Attribute):
        return ast.unparse(call.func.value), call.func.attr
    return "?", "?"


def list_names_from_files(module: Module) -> set[str]:
    """The names that a module imports from `files`."""
    return {
        alias.asname or alias.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "revictimisation.files"
        for alias in node.names
    }


def test_only_files_touches_files():
    touches = [line for module in list_modules() for line in find_touches(module)]
    assert touches == []


def test_the_look_sees_a_touch(tmp_path: Path):
    path = tmp_path / "cohort.py"
    path.write_text(
        "from revictimisation import files\n"
        "from revictimisation.files import read_table\n"
        "import pandas as pd\n"
        "a = files.read_text(p); b = read_table(p)\n"  # the allowed way
        "pd.read_csv(p)\n"
        "open(p)\n"
        "p.write_text('')\n",
        encoding="utf-8",
    )
    found = find_touches(Module("cohort", path))
    assert found == ["cohort:5: read_csv", "cohort:6: open", "cohort:7: write_text"]
