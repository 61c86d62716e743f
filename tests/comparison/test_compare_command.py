"""The command `compare`: what it leaves, what it refuses, and the page as it is read."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path

import pandas as pd
import pytest

from revictimisation import __version__
from revictimisation.commands import compare
from revictimisation.core.errors import UsageError
from revictimisation.dictionary import load_dictionary
from tests.cases import for_each
from tests.commands.conftest import call  # noqa: F401
from tests.comparison.cohorts import CODES, STUDY, make_cohort

TABLES = ("estimates", "attrition", "diagnostics")
TITLE = 'title: {{sv: "Län {0}", en: "County {0}"}}\nlanguages: [sv]\n'


def leave_run(folder: Path, name: str, *, version: str = __version__, **changes) -> Path:
    """Leave a folder as a run does: manifest, release and restricted."""
    cohort = make_cohort(**changes)
    for part in ("release", "restricted"):
        (folder / part).mkdir(parents=True)
        for table in TABLES:
            getattr(cohort, table).to_parquet(folder / part / f"{table}.parquet")
    facts = {
        "study_file": STUDY + TITLE.format(name), "run": "a" * 64, "is_synthetic": False,
        "versions": {"revictimisation": version},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


@pytest.fixture
def runs(tmp_path) -> tuple[Path, Path]:
    planted = {"codes": {**CODES, "alarm_package": 0.0}, "risk": 0.3, "n": 5000}
    return leave_run(tmp_path / "a", "A"), leave_run(tmp_path / "b", "B", **planted)


def test_it_leaves_tables_a_page_and_a_notebook(runs, tmp_path):
    out = tmp_path / "out"
    page = compare.compare_runs([*runs], out)
    rows = pd.read_parquet(out / "comparison.parquet")
    assert tuple(rows.columns) == load_dictionary().tables["comparison"].field_names
    assert len(pd.read_csv(out / "comparison.csv")) == len(rows)
    assert (out / "restricted" / "comparison.parquet").is_file()
    assert (out / "restricted" / "comparison.parquet").stat().st_mode & 0o077 == 0
    inside = (out / "restricted" / "comparison.html").read_text("utf-8")
    assert "lämnar aldrig det säkra rummet" in inside
    assert "lämnar aldrig det säkra rummet" not in page.read_text("utf-8")
    notebook = json.loads((out / "notebooks" / "10_comparison.sv.ipynb").read_text("utf-8"))
    assert any(cell.get("outputs") for cell in notebook["cells"])
    assert str(tmp_path) not in json.dumps(notebook)
    told = page.read_text(encoding="utf-8")
    assert "Nej. Slå inte ihop uppgifterna" in told
    assert "koden <code>alarm_package</code> finns inte i den nya" in told
    assert "Län B" in told and "(B) hålls mot referensen" in told
    assert json.loads((out / "comparison.json").read_text("utf-8"))["limits"]["drift"] == 0.1


@pytest.fixture
def quick(monkeypatch):
    """Without the notebook, which takes seconds."""
    monkeypatch.setattr(compare, "list_notebooks", lambda plan, stage: iter(()))


def test_release_folders_alone_are_enough(runs, tmp_path, quick):
    """A, as it left the secure room, and B: definitions can't be compared, all else can."""
    out = tmp_path / "out"
    compare.compare_runs([runs[0] / "release", runs[1]], out)
    rows = pd.read_parquet(out / "comparison.parquet").set_index("check")
    assert rows.loc["definition", "light"] == "cannot_tell"
    assert rows.loc["code_lost", "light"] == "do_not_join"
    assert rows.loc[["hazard_ratio"], "light"].eq("fits").all()
    assert not (out / "restricted").exists()


def test_limits_are_the_references_or_a_files_own(runs, tmp_path, quick):
    study = tmp_path / "study.yaml"
    study.write_text("name: mild\ncomparison: {incidence_ratio: 3}\n", encoding="utf-8")
    compare.compare_runs([*runs], tmp_path / "out", study)
    rows = pd.read_parquet(tmp_path / "out" / "comparison.parquet").set_index("check")
    assert rows.loc["incidence", "light"] == "fits"
    assert rows.loc["code_lost", "light"] == "do_not_join"


def test_english_stands_beside_swedish(tmp_path, quick):
    runs = [leave_run(tmp_path / name, name.upper(), risk=risk)
            for name, risk in (("a", 0.2), ("b", 0.3))]  # fmt: skip
    for run in runs:
        facts = json.loads((run / "manifest.json").read_text("utf-8"))
        facts["study_file"] = facts["study_file"].replace("languages: [sv]\n", "")
        (run / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    compare.compare_runs(runs, tmp_path / "out")
    told = (tmp_path / "out" / "comparison_en.html").read_text(encoding="utf-8")
    assert "Yes, but only after recalibration." in told
    assert "30.0% make a new report within 1 year, against 20.0% in the reference" in told


def fill(folder: Path) -> Path:
    folder.mkdir()
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    return folder


WRONG = [
    (lambda a, b, t: ([a, t / "nowhere"], t / "out"), "nowhere"),
    (lambda a, b, t: ([a, t], t.parent / "out"), "estimates.parquet"),
    (lambda a, b, t: ([a, b], fill(t / "other")), "inte tom"),
    (lambda a, b, t: ([a, b], b / "inside"), "får inte ligga i"),
    (lambda a, b, t: ([a, leave_run(t / "old", "C", version="0.0.9")], t / "out"), "0.0.9"),
    (lambda a, b, t: ([a] * 27, t / "out"), "26"),
]


@for_each("make, told", WRONG)
def test_wrong_use_is_one_sentence_and_leaves_nothing(runs, tmp_path, quick, make, told):
    given, out = make(*runs, tmp_path)
    before = sorted(out.iterdir()) if out.exists() else None
    with pytest.raises(UsageError, match=told) as fault:
        compare.compare_runs(given, out)
    assert fault.value.exit_code == 2
    assert (sorted(out.iterdir()) if out.exists() else None) == before


def test_a_folder_of_its_own_is_written_anew(runs, tmp_path, quick):
    out = tmp_path / "out"
    for _ in range(2):
        compare.compare_runs([*runs], out)
    assert (out / "comparison.json").is_file()


def list_kinds(tables) -> dict[str, set]:
    """The kinds of rows of a run's tables, and their columns."""
    keys = ["question", "analysis", "estimator", "estimand"]
    checks = tables["diagnostics"]
    names = checks["check"].str.split(":").str[0]
    return {
        "columns": {(name, *table.columns) for name, table in tables.items()},
        "estimates": {*tables["estimates"][keys].itertuples(index=False, name=None)},
        "diagnostics": {*zip(checks["analysis"], names, strict=True)},
        "attrition": {*zip(*(tables["attrition"][one] for one in ("step", "reason")), strict=True)},
    }


def test_the_reference_that_ships_is_of_todays_study_and_analyses(monkeypatch, repo_root):
    """Else make it anew (benchmarks/make_reference.py); the yardstick's study is the same."""
    monkeypatch.syspath_prepend(str(repo_root / "benchmarks"))
    made = runpy.run_path(str(repo_root / "benchmarks" / "make_reference.py"))
    facts = json.loads((made["KEPT"] / "manifest.json").read_text(encoding="utf-8"))
    assert facts["study_file"] == made["STUDY"].read_text(encoding="utf-8")
    county = repo_root / "tests" / "yardstick" / "county_3000"
    kept = {name: pd.read_parquet(county / f"release_{name}.parquet") for name in TABLES}
    ships = {name: pd.read_parquet(made["KEPT"] / "release" / f"{name}.parquet") for name in TABLES}
    assert list_kinds(ships) == list_kinds(made["choose_tables"](kept))


def test_the_reference_that_ships_can_be_compared_at_once(tmp_path, quick, repo_root):
    """It is small, says where it comes from, and is alike to itself."""
    kept = compare.find_reference()
    assert sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) < 1_000_000
    facts = json.loads((kept / "manifest.json").read_text(encoding="utf-8"))
    assert facts["versions"]["revictimisation"] == __version__ and facts["is_synthetic"]
    assert (repo_root / facts["command"].split()[-1]).is_file()
    copy = tmp_path / "copy"
    shutil.copytree(kept, copy)
    page = compare.compare_runs([Path("reference"), copy], tmp_path / "out")
    rows = pd.read_parquet(tmp_path / "out" / "comparison.parquet")
    judged = rows[rows["light"].ne("") & rows["check"].ne("overall")]
    assert set(judged["light"]) <= {"fits", "cannot_tell"}
    checks = {
        "case_mix",
        "volume_spike",
        "coding_drift",
        "linkage",
        "follow_up",
        "incidence",
        "reporting",
        "hazard_ratio",
        "risk_difference",
        "average_risk",
        "completeness",
    }
    assert checks <= set(judged.loc[judged["light"].eq("fits"), "check"])
    assert "Exempellän, påhittade siffror" in page.read_text(encoding="utf-8")
