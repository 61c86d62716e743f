"""The result cells of the notebooks: numbers as a table, a figure whose title tells them."""

from __future__ import annotations

import ast
import json
import re

import matplotlib as mpl
import pytest
import seaborn as sns
from great_tables import GT
from matplotlib import pyplot as plt

from revictimisation.report import open_report
from revictimisation.report.formats import start_upper
from revictimisation.report.measure_use import name_code
from revictimisation.report.page import Page
from revictimisation.report.trials import list_first, list_main
from revictimisation.report.verdicts import name_measure
from tests.cases import for_each
from tests.project.sources import ROOT
from truth_studies.records.truth import MAIN, read_truth_study

from .conftest import Study, make_page

BOOKS = {path.stem: {cell["id"]: "".join(cell["source"])
                     for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]}
         for path in sorted((ROOT / "notebooks").glob("0*.ipynb"))}  # fmt: skip
CHANGE = re.compile(r"`([^`]+)`\s+mot\s+`([^`]+)`")
GIVEN = {"sns": sns, "GT": GT, "name_measure": name_measure, "name_code": name_code, "MAIN": MAIN,
         "read_truth_study": read_truth_study, "list_main": list_main, "list_first": list_first,
         "start_upper": start_upper}  # fmt: skip
NOT_OF_THE_STUDY = "08_validation"


@pytest.fixture(autouse=True)
def close_figures():
    mpl.use("agg")
    yield
    plt.close("all")


def draw(page: Page, numbers: str, figure: str) -> str:
    """What two cells give: a table, and the title of the figure; empty where nothing was drawn."""
    names = {**GIVEN, "page": page, "language": page.language}
    *first, last = ast.parse(numbers).body
    exec(compile(ast.Module(first, []), "numbers", "exec"), names)
    shown = eval(compile(ast.Expression(last.value), "numbers", "eval"), names)
    assert "<table" in shown.as_raw_html() and "http" not in shown.as_raw_html()
    exec(figure, names)
    return plt.gca().get_title() if plt.get_fignums() else ""


def read_cells(name: str) -> tuple[str, str]:
    return BOOKS[name]["result-numbers"], BOOKS[name]["result-figure"]


@for_each("language", ["sv", "en"])
@for_each("name", [name for name in BOOKS if name != "09_linkage"])
def test_a_figure_tells_its_numbers(county: Study, capsys, name, language):
    page = open_report(county.parameters(language))
    title = draw(page, *read_cells(name))
    assert not re.search(r"nan|None|[{}]", title) and len(title) > 20
    assert capsys.readouterr().out == ""


@for_each("name", [name for name in BOOKS if name != NOT_OF_THE_STUDY])
def test_where_nothing_is_released_that_is_said(capsys, name):
    page = make_page("sv")
    assert draw(page, *read_cells(name)) == ""
    assert capsys.readouterr().out.strip() == page.say("notebooks.nothing")


@for_each("name", BOOKS)
def test_the_two_things_to_change_can_be_changed(county: Study, name):
    page = open_report(county.parameters("sv"))
    told = re.split(r"\n\d\. ", BOOKS[name]["result-change"])[1:]
    assert len(told) == 2
    for one in told:
        cells = list(read_cells(name))
        for old, new in CHANGE.findall(one):
            assert any(old in cell for cell in cells), old
            cells = [cell.replace(old, new) for cell in cells]
        assert tuple(cells) != read_cells(name)
        draw(page, *cells)
