"""Notebooks are stored as they are written: no outputs, and papermill can give them parameters."""

from __future__ import annotations

import json
import re
from pathlib import Path

from revictimisation.report.pages import list_outlines
from revictimisation.report.texts import load_texts
from tests.cases import for_each
from tests.project.sources import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
MOST_LINES = 25
MOST_CELLS = 20


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


@for_each("path", sorted((ROOT / "notebooks" / "bench").glob("*.ipynb")))
def test_a_bench_notebook_says_what_it_asks_and_what_to_change(path):
    """Its question, what it is in Swedish, what it assumes, that it is restricted; two changes."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first, last = ("".join(cells[at]["source"]) for at in (0, -1))
    for word in ("**Question.**", "*På svenska: ", "**Assumption", "`OUT/restricted`"):
        assert word in first, word
    assert last.startswith("## Two things to change\n1. ") and "\n2. " in last
    assert sum(cell["cell_type"] == "code" for cell in cells) <= MOST_CELLS


def test_each_page_has_a_notebook_that_shows_its_sections_in_their_order():
    shown_in = {outline.notebook for outline in list_outlines()} - {""}
    assert shown_in == {path.stem for path in (ROOT / "notebooks").glob("0*.ipynb")}
    for name in shown_in:
        outlines = [outline for outline in list_outlines() if outline.notebook == name]
        source = "\n".join(
            "".join(cell["source"]) for cell in read_cells(ROOT / "notebooks" / f"{name}.ipynb")
        )
        assert re.findall(r'^start\(page, "(.+)"\)', source, re.MULTILINE) == [
            outline.part for outline in outlines
        ]
        shown = re.findall(r'^show\(page, "(.+)"\)', source, re.MULTILINE)
        assert shown == [section.name for outline in outlines for section in outline.sections], name


def test_a_section_has_one_name_and_its_texts_in_both_languages():
    named = [section for one in list_outlines() for section in one.sections]
    assert len({section.name for section in named}) == len(named)
    keys = [section.name for section in named if section.level]
    keys += [part for section in named for part in section.parts if isinstance(part, str)]
    assert [key for key in keys if set(load_texts()[key]) != {"sv", "en"}] == []
