"""The notebooks of a table of specifications, by `run-many` on a small county: curve and table."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.commands.gathering import Ending
from revictimisation.commands.run_many import Asked, run_grid
from revictimisation.commands.verify import verify_folder
from revictimisation.core import files
from revictimisation.core.errors import UsageError
from tests.project.sources import ROOT

BOOKS = ROOT / "notebooks" / "grid"
HEAD = "name,study,data,job,outcome.lag_days,gates,notebook.estimator"
# a county of 216 holds few of the study's gates
OPEN = (
    '"{largest_standardised_difference: 10, effective_sample_size: 0, events_per_arm: 0,'
    " share_outside_support: 1, minimum_detectable_difference: 1, exposed_victims: 2,"
    ' largest_disagreement: 100, same_day_starts: 1}"'
)


@pytest.fixture(scope="module")
def grid(small_run: Path, tmp_path_factory) -> Path:
    """Four specifications of one measure; a curve of four is asked for."""
    folder = tmp_path_factory.mktemp("specifications")
    text = (small_run / "county.yaml").read_text(encoding="utf-8")
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    book = BOOKS / "specification.ipynb"
    rows = [f"{name},study.yaml,{small_run / 'data'},{book},{lag},{OPEN},{how}"
            for name, lag, how in (("usual", "", ""), ("capped", "", "g_formula"),
                                   ("late", 7, ""), ("late_other", 7, "g_formula"))]  # fmt: skip
    (folder / "table.csv").write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    last = json.loads((BOOKS / "specification_curve.ipynb").read_text(encoding="utf-8"))
    cell = next(one for one in last["cells"] if "parameters" in one["metadata"].get("tags", ()))
    cell["source"] = [line.replace("fewest = 10", "fewest = 4") for line in cell["source"]]
    (folder / "curve.ipynb").write_text(json.dumps(last), encoding="utf-8")
    asked = Asked(folder / "table.csv", folder / "out", ending=Ending(folder / "curve.ipynb"))
    ended = run_grid(asked, "test")
    assert [job.fault for job in ended] == [None] * 4
    return folder / "out"


def test_each_row_leaves_its_answers_and_a_manifest(grid, small_run):
    left = grid / "runs" / "late_other"
    answers = pd.read_parquet(left / "restricted" / "bench" / "specification.parquet")
    assert sorted(answers["measure"]) == ["joint", "non_contact_order", "sheltered_housing"]
    assert verify_folder(left)
    with pytest.raises(UsageError, match="use run-many"):
        verify_folder(left, small_run / "data", is_rerun=True)
    manifest = files.read_json(left / "manifest.json")
    assert [*manifest["stages"]] == ["notebook specification"]
    assert not (grid / "tables").exists()


def test_it_ends_in_one_picture_and_one_table(grid):
    bench = grid / "restricted" / "bench"
    assert (bench / "specification_curve.png").stat().st_size > 10_000
    said = pd.read_csv(bench / "specification_curve.csv", index_col="measure")
    assert (said["specifications"] == 4).all() and len(said) >= 1
    assert ((said["fewer reports"] + said["more reports"]) == 1).all()
    explained = pd.read_csv(bench / "specification_choices.csv")
    assert {*explained["choice"]} == {"lag, days", "estimator"}


def test_what_ended_is_not_done_again(grid):
    before = files.read_json(grid / "grid.json")["endings"]
    picture = grid / "restricted" / "bench" / "specification_curve.png"
    moment = picture.stat().st_mtime_ns
    table = grid.parent / "table.csv"
    run_grid(Asked(table, grid, ending=Ending(grid.parent / "curve.ipynb")), "test")
    assert files.read_json(grid / "grid.json")["endings"] == before
    assert picture.stat().st_mtime_ns == moment
