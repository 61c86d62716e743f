"""Notebooks are stored as they are written: no outputs, and papermill can give them parameters."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cases import for_each
from tests.project.sources import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
MOST_LINES = 25


def test_there_are_notebooks():
    assert NOTEBOOKS


def read_cells(path: Path) -> list[dict]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


ALL_CELLS = [read_cells(path) for path in NOTEBOOKS]


@for_each("cells", ALL_CELLS)
def test_no_outputs_are_stored(cells):
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)


@for_each("cells", ALL_CELLS)
def test_one_cell_holds_the_parameters(cells):
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1


@for_each("cells", ALL_CELLS)
def test_cells_stay_short(cells):
    """What needs more lines is a function of the package, where it can be tested."""
    assert max(len("".join(cell["source"]).splitlines()) for cell in cells) <= MOST_LINES
