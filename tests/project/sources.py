"""Reads the package's own sources, for the tests that hold the project to its working rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "revictimisation"


@dataclass(frozen=True)
class Module:
    """One Python file of the package; `name` is dotted and without `revictimisation.`."""

    name: str
    path: Path

    @property
    def part(self) -> str:
        """The module or subpackage right below the package that this file belongs to."""
        return self.name.split(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))


def list_modules(package: Path = PACKAGE) -> list[Module]:
    """Every file of the package but its own `__init__`."""
    found = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts:
            found.append(Module(".".join(parts), path))
    return found


def list_imports(module: Module) -> Iterator[tuple[int, str]]:
    """Line and part of the package for every import of our own, also those inside functions."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = _list_names(module, node)
        else:
            continue
        for name in names:
            head, _, rest = name.partition(".")
            if head == "revictimisation" and rest not in ("", "__version__"):
                yield node.lineno, rest.split(".")[0]


def _list_names(module: Module, node: ast.ImportFrom) -> list[str]:
    base = node.module or ""
    if node.level:
        package = ["revictimisation", *module.name.split(".")]
        is_init = module.path.name == "__init__.py"
        kept = package[: len(package) - node.level + is_init]
        base = ".".join([*kept, base] if base else kept)
    return [f"{base}.{alias.name}" for alias in node.names] if base == "revictimisation" else [base]


def list_docstrings(tree: ast.Module) -> set[int]:
    """The lines that docstrings stand on."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines
