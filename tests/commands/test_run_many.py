"""The command `run-many`: rows share their tables, go on past a fault, and resume."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.commands import run_many
from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.run_many import Asked, run_grid
from revictimisation.commands.verify import verify_folder
from revictimisation.core import files
from revictimisation.core.errors import StudyError, UsageError
from revictimisation.dictionary import load_dictionary
from tests.project.sources import ROOT

REAL = ROOT / "tests" / "real" / "rossi"
HEAD = "name,study,data,job,report_at_days,outcome.lag_days"
# a study of one question, quick to estimate
QUICK = "bootstrap: {replicates: 0}\nexploration: {is_on: false}\nmeasures: {employment: {}}\n"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("quick") / "study.yaml"
    lines = (REAL / "study.yaml").read_text(encoding="utf-8").splitlines()
    kept = lines[: lines.index("measures:")]
    path.write_text("\n".join([*kept, QUICK]), encoding="utf-8")
    return path


def write_grid(folder: Path, study: Path, *rows: str) -> Path:
    path = folder / "grid.csv"
    same = f"{study},{REAL / 'extract'},estimate"
    lines = [row.replace("SAME", same) for row in rows]
    path.write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")
    return path


def call(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "revictimisation", "run-many", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def done(study, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Two rows of one cohort, one of another, and three that cannot be run; on two cores."""
    folder = tmp_path_factory.mktemp("many")
    grid = write_grid(
        folder, study,
        "usual,SAME,,", "early,SAME,[91],", "late,SAME,,7", "lost,SAME,,soon",
        f"absent,{study},{folder / 'nowhere'},run,,", "gone,none.yaml,x,run,,",
    )  # fmt: skip
    return folder, call(grid, "--out", folder / "out", "--jobs", 2)


def test_a_row_that_fails_is_told_by_its_name_and_the_others_go_on(done):
    folder, ended = done
    assert ended.returncode == StudyError.exit_code  # that of `lost`, the first of the table
    told = ended.stderr
    assert "lost: " in told and "outcome.lag_days: " in told
    assert "absent: " in told and "gone: " in told
    assert "Klart / done: 3 av / of 6" in ended.stdout
    runs = pd.read_csv(folder / "out" / "runs.csv", index_col="row")
    assert runs["exit_code"].to_dict() == {
        "usual": 0, "early": 0, "late": 0, "lost": 4, "absent": 2, "gone": 2,
    }  # fmt: skip
    assert runs["message"].notna().tolist() == [False] * 3 + [True] * 3
    names = load_dictionary().tables["runs"].field_names
    assert (*names,) == ("row", *runs.columns)


def test_tables_are_made_once_for_each_cohort_and_kept_while_rows_are_left(done):
    folder, _ = done
    assert len([*(folder / "out" / "tables").iterdir()]) == 2


def test_a_row_is_what_its_command_leaves_by_itself(done, tmp_path):
    """To the byte, with the same manifest, although its tables were another row's."""
    out = done[0] / "out"
    estimate_study(out / "studies" / "early.yaml", REAL / "extract", tmp_path / "alone", "alone", 1)
    assert tell_made(out / "runs" / "early") == tell_made(tmp_path / "alone")
    for name in ("usual", "early", "late"):
        assert verify_folder(out / "runs" / name, REAL / "extract")
    early = pd.read_parquet(out / "runs" / "early" / "restricted" / "estimates.parquet")
    assert set(early["time_days"].dropna()) >= {91}


def tell_made(run: Path) -> dict[str, object]:
    """What its manifest says of a run that was asked for and made, wherever and by whom."""
    told = files.read_json(run / "manifest.json")
    return {key: told[key] for key in ("run", "study_file", "inputs", "outputs", "stages")}


def test_the_numbers_of_all_rows_lie_beside_each_other(done):
    out = done[0] / "out"
    for folder in ("restricted", "release"):
        every = pd.read_parquet(out / folder / "estimates.parquet")
        assert [*every["row"].unique()] == ["usual", "early", "late"]
        mine = every[every["row"] == "late"].drop(columns="row").reset_index(drop=True)
        alone = pd.read_parquet(out / "runs" / "late" / folder / "estimates.parquet")
        pd.testing.assert_frame_equal(mine, alone)
    assert files.is_private(out / "restricted" / "estimates.parquet")


def test_it_resumes_and_does_nothing_twice(done, study, monkeypatch):
    folder, _ = done
    out = folder / "out"
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/manifest.json")}
    # the rows that could not be run are mended; one asks for what the kept tables have
    grid = write_grid(folder, study, "usual,SAME,,", "early,SAME,[91],", "late,SAME,,7",
                      "lost,SAME,[300],")  # fmt: skip
    made = []
    monkeypatch.setattr(run_many, "keep_tables_of", lambda *given: made.append(given) or [])
    ended = run_grid(Asked(grid, out), "test")
    assert [one.exit_code for one in ended] == [0] * 4 and made == []
    now = {path: path.stat().st_mtime_ns for path in before}
    assert now == before
    assert not (out / "tables").exists()  # rows of people go when they are needed no more
    told = files.read_json(out / "grid.json")
    assert {*told["runs"]} == {"usual", "early", "late", "lost"}
    assert told["runs"]["late"] == files.read_json(out / "runs/late/manifest.json")["run"]


def test_one_row_by_itself(done, study, tmp_path):
    grid = write_grid(tmp_path, study, "usual,SAME,,", "late,SAME,,7")
    out = tmp_path / "out"
    assert [one.name for one in run_grid(Asked(grid, out, ("late",)), "test")] == ["late"]
    assert [path.name for path in (out / "runs").iterdir()] == ["late"]
    assert not (out / "runs.csv").exists()
    assert tell_made(out / "runs" / "late") == tell_made(done[0] / "out" / "runs" / "late")
    with pytest.raises(UsageError, match=r"did you mean late\?"):
        run_grid(Asked(grid, out, ("lat",)), "test")


def test_a_table_with_an_unknown_key_runs_nothing(study, tmp_path):
    grid = tmp_path / "grid.csv"
    grid.write_text(f"name,study,data,lag_days\na,{study},{REAL / 'extract'},7\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"outcome\.lag_days\?"):
        run_grid(Asked(grid, tmp_path / "out"), "test")
    assert not (tmp_path / "out").exists()


def test_what_others_left_is_not_written_into(study, tmp_path):
    grid = write_grid(tmp_path, study, "usual,SAME,,")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"letter\.txt"):
        run_grid(Asked(grid, tmp_path / "out"), "test")
