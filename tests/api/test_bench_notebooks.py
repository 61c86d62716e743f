"""The bench notebooks, each run by papermill on a small county: what they leave, and where."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.commands.notebooks import NotebookTask, execute_notebook
from tests.project.sources import ROOT

BENCH = ROOT / "notebooks" / "bench"
QUICK = {
    "04_learned_nuisance_models": {"folds": 2},
    "05_reporting_tipping_point": {"ratios": [0.8, 1.0, 1.5], "draws": 2},
}
PICTURES = {
    "01_person_time": 2,
    "02_models_compared": 2,
    "03_target_trial_by_hand": 2,
    "04_learned_nuisance_models": 1,
    "05_reporting_tipping_point": 1,
}


def run_bench(name: str, bench_county: Path, tmp_path: Path) -> Path:
    """Execute a notebook; where it leaves its tables and pictures, and nothing else of ours."""
    out = tmp_path / "out"
    study = ROOT / "pipelines" / "studies" / "county.yaml"
    given = {"study": str(study), "data": str(bench_county), "out": str(out), **QUICK.get(name, {})}
    task = NotebookTask(BENCH / f"{name}.ipynb", tmp_path / f"{name}.ipynb", given)
    (tmp_path / "made").mkdir()
    made = execute_notebook(task, tmp_path / "made")
    cells = json.loads(made.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    left = out / "restricted" / "bench"
    assert len(pictures) == PICTURES[name] == len([*left.glob("*.png")])
    assert [path.name for path in out.iterdir()] == ["restricted"]
    assert [path.name for path in left.parent.iterdir()] == ["bench"]
    return left


def test_each_notebook_is_executed_here():
    assert {path.stem for path in BENCH.glob("*.ipynb")} == {*PICTURES}


def test_person_time_by_hand_is_the_study_s(bench_county, tmp_path):
    left = run_bench("01_person_time", bench_county, tmp_path)
    attrition = pd.read_csv(left / "person_time_attrition.csv")
    assert len(attrition) == 12 and attrition["n_reports"].equals(attrition["study"])
    beside = pd.read_csv(left / "person_time_beside_study.csv", index_col="measure")
    assert len(beside) == 7 and beside.min().min() > 0
    for column in ("person_days", "new_reports"):
        assert beside[column].equals(beside[f"{column}_study"].rename(column))


def test_three_packages_give_one_model(bench_county, tmp_path):
    found = pd.read_csv(
        run_bench("02_models_compared", bench_county, tmp_path) / "models_compared.csv"
    )
    np.testing.assert_allclose(found["ours"], found["lifelines"], atol=1e-6)
    errors = found["se, ours by model"], found["se, CoxTimeVaryingFitter"]
    np.testing.assert_allclose(*errors, rtol=1e-5)
    assert ((found["ours"] - found["Poisson"]).abs() < found["se, ours by victim"]).all()


def test_a_target_trial_by_hand_gives_the_study_number(bench_county, tmp_path):
    """To 6 digits: the notebook itself asserts it."""
    left = run_bench("03_target_trial_by_hand", bench_county, tmp_path)
    assert len(pd.read_csv(left / "by_hand_safety_talk.csv")) == 1461


def test_logistic_nuisances_come_near_the_study_s_doubly_robust_estimate(bench_county, tmp_path):
    left = run_bench("04_learned_nuisance_models", bench_county, tmp_path)
    found = pd.read_csv(left / "learned_nuisance_models_safety_talk.csv", index_col="models")
    ours, theirs = found.loc["logistic, on all"], found.loc["the study, doubly robust"]
    assert abs(ours["difference"] - theirs["difference"]) < 0.5 * theirs["se"]
    assert abs(ours["se"] / theirs["se"] - 1) < 0.2
    assert found.loc["boosting, on all", "se"] < found.loc["boosting, cross-fitted", "se"]


def test_the_reporting_ratio_that_changes_nothing_is_the_study_and_others_turn_it(
    bench_county, tmp_path
):
    left = run_bench("05_reporting_tipping_point", bench_county, tmp_path)
    found = pd.read_csv(left / "reporting_tipping_point_support_talks.csv", index_col="ratio")
    assert found["difference"].is_monotonic_decreasing and found["difference"].is_unique
    assert (found["low"] < found["difference"]).all()
