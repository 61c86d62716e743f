"""Reads our two packages' own sources, for the tests that hold the project to its working rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "revictimisation"
STUDIES = ROOT / "src" / "truth_studies"


@dataclass(frozen=True)
class Module:
    """One Python file of ours; `name` is dotted, and without `revictimisation.`."""

    name: str
    path: Path

    @property
    def part(self) -> str:
        """The module or subpackage right below its package that this file belongs to."""
        return find_part(self.name)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))


def find_part(name: str) -> str:
    """What is right below the package, of a dotted name: `report`, `truth_studies.pages`."""
    parts = name.split(".")
    return ".".join(parts[: 2 if parts[0] == STUDIES.name else 1])


@cache
def list_modules() -> list[Module]:
    """Every file of both packages but their own `__init__`."""
    found = []
    for package, name in ((PACKAGE, ()), (STUDIES, (STUDIES.name,))):
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if parts:
                found.append(Module(".".join([*name, *parts]), path))
    return found


def list_imports(module: Module) -> Iterator[tuple[int, str]]:
    """Line and part of its package for every import of our own, also those inside functions."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = _list_names(module, node)
        else:
            continue
        for name in names:
            head, _, rest = name.partition(".")
            if head == PACKAGE.name and rest not in ("", "__version__"):
                yield node.lineno, find_part(rest)
            if head == STUDIES.name:
                yield node.lineno, find_part(name)


def _list_names(module: Module, node: ast.ImportFrom) -> list[str]:
    base = node.module or ""
    if node.level:
        own = module.name.split(".")
        package = own if own[0] == STUDIES.name else [PACKAGE.name, *own]
        is_init = module.path.name == "__init__.py"
        kept = package[: len(package) - node.level + is_init]
        base = ".".join([*kept, base] if base else kept)
    is_top = base in (PACKAGE.name, STUDIES.name)
    return [f"{base}.{alias.name}" for alias in node.names] if is_top else [base]


def list_docstrings(tree: ast.Module) -> set[int]:
    """The lines that docstrings stand on."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines
