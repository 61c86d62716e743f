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
# module: what it may call by itself, and why
ALLOWED = {
    "core.files": TOUCHES,
    # parse a text that `files` has read
    "simulate.truth": {"read_csv"},
    # finds out how an extract's file is written (encoding, separator), piece by piece
    "extract.sources.text_file": {"open"},
    # reads the heading of a text that has been made readable
    "extract.sources.text_table": {"open"},
    # looks for that heading among the first lines
    "extract.sources.heading_line": {"open"},
    # look for cells that the library of workbooks gives as empty though they are errors
    "extract.sources.sheet_flaws": {"open"},
    "extract.sources.binary_sheets": {"read_bytes"},
    # puts a source's rows, a chunk at a time, where the engine reads them
    "extract.sources.staging": {"write_table"},
    # the three streams of the process
    "commands.terminal": {"open"},
    # the files that locks are held on
    "core.locks": {"open", "unlink"},
    # looks at a file's first bytes: is it what its name says
    "extract.sources.formats": {"open"},
}


def find_touches(module: Module) -> list[str]:
    """Every call that goes to the file system without going through `files`."""
    ours = list_names_from_files(module)
    allowed = ALLOWED.get(module.name, set())
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
        if isinstance(node, ast.ImportFrom) and node.module == "revictimisation.core.files"
        for alias in node.names
    }


def test_only_files_touches_files():
    touches = [line for module in list_modules() for line in find_touches(module)]
    assert touches == []


def test_the_look_sees_a_touch(tmp_path: Path):
    path = tmp_path / "cohort.py"
    path.write_text(
        "from revictimisation.core import files\n"
        "from revictimisation.core.files import read_table\n"
        "import pandas as pd\n"
        "a = files.read_text(p); b = read_table(p)\n"  # the allowed way
        "pd.read_csv(p)\n"
        "open(p)\n"
        "p.write_text('')\n",
        encoding="utf-8",
    )
    found = find_touches(Module("cohort", path))
    assert found == ["cohort:5: read_csv", "cohort:6: open", "cohort:7: write_text"]


def test_nothing_is_allowed_in_vain():
    """An exception that no module needs any longer goes."""
    names = {module.name for module in list_modules()}
    assert set(ALLOWED) <= names
    for module in list_modules():
        called = {split_call(n)[1] for n in ast.walk(module.tree) if isinstance(n, ast.Call)}
        assert module.name == "core.files" or ALLOWED.get(module.name, set()) <= called, module.name
