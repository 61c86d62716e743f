"""Every file of ours: no dates of its own, says what it does, short, quick to start."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys

from tests.cases import for_each
from tests.project.sources import PACKAGE, STUDIES, Module, list_docstrings, list_modules

DATE = re.compile(r"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)")
# `plan` holds the study's defaults; `simulate` invents a county of its own time
MAY_HOLD_DATES = {"plan", "plan_parts", "simulate"}
DATE_CALLS = {"date", "datetime", "Timestamp", "datetime64"}
HEAVY = {"ibis", "numba", "matplotlib", "pandas", "statsmodels", "lifelines", "sklearn", "seaborn"}
# what makes a browser ask for something elsewhere; the name of an XML vocabulary does not
LOADS = re.compile(r"""(?:src|href|url|@import)\s*[=(]?\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)
MODULES = list_modules()


def find_dates(module: Module) -> list[int]:
    """The lines with a calendar day in code: as text, or as `date(2011, 1, 1)`."""
    told = list_docstrings(module.tree)
    lines = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and node.lineno not in told:
            lines += (
                [node.lineno] if isinstance(node.value, str) and DATE.search(node.value) else []
            )
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in DATE_CALLS:
            first = node.args[0] if node.args else None
            is_year = isinstance(first, ast.Constant) and isinstance(first.value, int)
            # the first day that the engine counts from is no date of a study
            lines += [node.lineno] if is_year and first.value not in (1, 1970) else []
    return lines


def find_undocumented(module: Module) -> list[str]:
    """Public functions, classes and methods without a docstring."""
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    bodies = [module.tree, *(node for node in classes if not node.name.startswith("_"))]
    return [
        f"{module.name}:{node.lineno}: {node.name}"
        for body in bodies
        for node in body.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]


@for_each("module", MODULES)
def test_dates_stand_in_the_plan_or_the_dictionary(module):
    if module.part not in MAY_HOLD_DATES:
        assert find_dates(module) == []


@for_each("module", MODULES)
def test_public_things_say_what_they_do(module):
    assert ast.get_docstring(module.tree), f"{module.name}: no docstring at the top"
    assert find_undocumented(module) == []


def test_the_looks_see_what_they_look_for(tmp_path):
    path = tmp_path / "cohort.py"
    path.write_text(
        '"""From 2011-01-01 on."""\n'
        'START = "2011-01-01"\n'
        "END = dt.date(2014, 12, 31)\n"
        "EPOCH = dt.date(1970, 1, 1)\n"
        "def find(): pass\n"
        "class Report:\n    def tell(self): pass\n",
        encoding="utf-8",
    )
    module = Module("cohort", path)
    assert find_dates(module) == [2, 3]
    assert find_undocumented(module) == ["cohort:5: find", "cohort:6: Report", "cohort:7: tell"]


def test_the_command_line_starts_without_heavy_packages_and_truth_studies():
    name = "revictimisation.commands.command_line"
    code = f"import json, sys, {name}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(answer.stdout))
    assert name in loaded
    assert loaded & {*HEAVY, STUDIES.name} == set()


def test_pages_load_nothing_from_a_network():
    """Templates and styles name no address but those that only give a vocabulary its name."""
    kinds = {".html", ".j2", ".css", ".js", ".svg"}
    texts = {p: p.read_text(encoding="utf-8") for p in PACKAGE.rglob("*") if p.suffix in kinds}
    assert texts, "no templates found"
    assert [str(path) for path, text in texts.items() if LOADS.search(text)] == []
    assert LOADS.search('<script src="https://example.org/x.js">')
    assert LOADS.search("@import url(//example.org/x.css)")
