"""The command: what leaves is whole, known by its hash and reviewed, or nothing is left at all."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from revictimisation.commands.folders import RELEASED, REVIEW, REVIEW_TABLE
from revictimisation.commands.manifest import hash_code, reopen_run
from revictimisation.core import files
from revictimisation.disclosure import acro
from tests.cases import for_each

from .people import RULES, draw_people, leave_run

COUNTY = draw_people(400)
ALL = {f"{name}.{kind}" for name in ("estimates", "attrition", "diagnostics")
       for kind in ("csv", "parquet")} | {REVIEW, REVIEW_TABLE, RELEASED}  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A run, as `estimate` leaves it; nobody may change it."""
    return leave_run(tmp_path_factory.mktemp("kept") / "out", COUNTY)


@pytest.fixture
def out(kept, tmp_path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "out"))


def read_marks(out: Path) -> dict:
    marks = files.read_json(out / "release" / RELEASED)
    assert marks is not None
    return marks


def test_a_release_is_whole_and_says_what_it_is(call, out, tmp_path):
    code, said = call("release", out)
    assert code == 0, said
    assert str(tmp_path / "release_register") in said
    assert {path.name for path in (out / "release").iterdir()} == ALL
    marks, hashes = read_marks(out), files.hash_files(out / "release")
    assert marks["files"] == {name: h for name, h in hashes.items() if name != RELEASED}
    assert marks["study"] == "mini" and marks["rules"]["threshold"] == 5
    assert reopen_run(out, tmp_path, 1).is_whole


class OtherChecker:
    """It hides cells below its threshold, as ACRO does."""

    acro_tables = SimpleNamespace(THRESHOLD=0)

    def __init__(self, suppress: bool) -> None:
        self.config: dict[str, int] = {}

    def crosstab(self, index: pd.Series, columns: pd.Series) -> pd.DataFrame:
        table = pd.crosstab(index, columns)
        return table.where(table.ge(self.config["safe_threshold"]))


def test_another_checkers_view_is_told_where_it_was_asked(call, out, monkeypatch):
    before = files.hash_files(out)
    monkeypatch.setitem(sys.modules, "acro", None)
    code, said = call("release", out, "--acro")
    assert code == 2 and "pip install acro" in said and files.hash_files(out) == before
    given = SimpleNamespace(ACRO=OtherChecker, acro_tables=OtherChecker.acro_tables)
    monkeypatch.setitem(sys.modules, "acro", given)
    monkeypatch.setattr(metadata, "version", lambda name: "1.0.2")
    code, said = call("release", out, "--acro")
    assert code == 0, said
    told, shown = read_marks(out)["acro"], files.read_table(out / "release" / "estimates.parquet")
    cells = shown[shown["estimand"].eq("share") & shown["level"].ne("")]
    n_hidden = 2 * int(cells["status"].ne("ok").sum())
    assert (told["n_cells"], told["hidden_by_us"]) == (2 * len(cells), n_hidden)
    assert told["hidden_by_acro_alone"] == 0 < n_hidden
    assert told["hidden_by_both"] is None or told["hidden_by_both"] % 5 == 0
    exact = files.read_table(out / "restricted" / "estimates.parquet")
    all_shown = exact.assign(status="ok")
    found = acro.compare(exact, all_shown, RULES)
    assert found.hidden_by_acro_alone > 0 == found.hidden_by_both


def test_what_was_handed_over_is_checked_without_a_manifest(call, out, tmp_path):
    code, said = call("release", out)
    mark = f"RELEASED, SHA-256: {files.hash_file(out / 'release' / RELEASED)}"
    assert code == 0 and mark in said and "beside it: 0" in said
    assert mark in call("verify", out)[1]
    bare = Path(shutil.copytree(out / "release", tmp_path / "bare"))
    for folder in (bare, Path(shutil.copytree(bare, tmp_path / "handed" / "release")).parent):
        code, said = call("verify", folder)
        assert code == 0 and mark in said and "8 filer" in said
    (bare / "estimates.csv").write_text("question\n")
    (bare / "notes.txt").write_text("x")
    (bare / "attrition.csv").unlink()
    code, said = call("verify", bare)
    assert code == 3 and "inte som RELEASED säger" in said
    for kind, name in (("ändrad", "estimates.csv"), ("okänd", "notes.txt"),
                       ("saknas", "attrition.csv")):  # fmt: skip
        assert any(kind in line and name in line for line in said.splitlines()), said
    assert call("verify", bare, "--rerun")[0] == 2
    files.write_text(bare / RELEASED, "{")
    assert call("verify", bare)[0] == 3


def test_the_code_that_made_a_release_is_named_and_another_is_told(call, out, monkeypatch):
    call("release", out)
    code = read_marks(out)["code"]
    told = (files.read_json(out / "manifest.json") or {})["code"]
    assert (
        told == hash_code() and told.startswith(code) and len(code) == len(read_marks(out)["run"])
    )
    assert f"kod {code[:16]}" in (out / "release" / REVIEW).read_text("utf-8")
    for folder in (out, out / "release"):
        assert "another version" not in call("verify", folder)[1]
    monkeypatch.setattr("revictimisation.commands.verify.hash_code", lambda: "f" * 64)
    for folder in (out, out / "release"):
        status, said = call("verify", folder)
        assert status == 0 and f"another version of the code: {code[:16]}, här" in said


def test_a_manifest_that_may_not_be_read_is_not_called_damaged(call, out, monkeypatch):
    """As for another user than the run's; who may read what is released can still attack it."""
    read = Path.read_text

    def read_own(path, *args, **kwargs):
        if path.name == "manifest.json":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", read_own)
    for words in (("verify", out), ("release", out)):
        status, said = call(*words)
        assert status == 2 and "manifest.json: rätt att läsa" in said and "damaged" not in said
    assert call("attack", out)[0] in (0, 5)


def test_what_was_deleted_in_time_is_told_and_is_no_fault(call, out):
    call("release", out)
    with files.locked(out):
        assert call("delete", out, "--yes")[0] == 2  # while a run holds it
    assert (out / "restricted").exists()
    assert call("delete", out, "--yes")[0] == 0
    assert not (out / "restricted").exists() and not (out / files.LOCK).exists()
    code, said = call("verify", out)
    assert code == 0 and "3 filer är" not in said and "6 files are not there" in said
    (out / "release" / "estimates.csv").unlink()
    assert call("verify", out)[0] == 3


def test_a_draft_named_as_an_earlier_release_is_told(call, out, kept, tmp_path):
    other = leave_run(tmp_path / "other", COUNTY.iloc[90:])
    code, said = call("release", other, "--previous", kept)
    assert code == 0 and "may be a draft" in said and "beside it: 1" in said


def test_the_register_is_its_owners_alone_and_holds_exact_counts(call, out, tmp_path):
    call("release", out)
    register = tmp_path / "release_register"
    paths = [register, *register.rglob("*")]
    assert len(paths) == 6
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths)
    kept = pd.read_parquet(next(register.rglob("estimates.parquet")))
    exact = pd.read_parquet(out / "restricted" / "estimates.parquet")
    assert kept["n_events"].equals(exact["n_events"])


def test_the_page_and_its_table_tell_of_every_number_and_no_more(call, out):
    call("release", out)
    folder = out / "release"
    listed = pd.read_csv(folder / REVIEW_TABLE, keep_default_na=False)
    tables = {name: pd.read_parquet(folder / f"{name}.parquet")
              for name in ("estimates", "attrition", "diagnostics")}  # fmt: skip
    assert listed["table"].value_counts().to_dict() == {n: len(t) for n, t in tables.items()}
    assert listed["rule"].ne("").all() and listed["status"].ne("").all()
    of_estimates = listed[listed["table"].eq("estimates")]
    assert of_estimates["reason"].tolist() == tables["estimates"]["reason"].tolist()
    assert pd.to_numeric(of_estimates["n_events"]).fillna(0).mod(5).eq(0).all()
    page = (folder / REVIEW).read_text(encoding="utf-8")
    assert "http" not in page and "src=" not in page
    assert 'lang="sv"' in page and 'lang="en"' in page
    told = ["Granskning före utlämnande", "Review before release", "Underskrift", "none or all"]
    for words in (*told, files.hash_file(folder / "estimates.csv")[:16]):
        assert words in page
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    bodies = [part.split("</tbody>")[0] for part in page.split("<tbody>")[1:]]
    rows = [body.count("<tr>") for body in bodies]
    assert len(rows) > 8 and max(rows) == 40


def test_the_same_run_released_again_is_the_same_bytes(call, out, tmp_path):
    call("release", out)
    first = files.hash_files(out / "release")
    entries = files.list_entries(tmp_path / "release_register")
    other = leave_run(tmp_path / "other", COUNTY.iloc[30:])
    assert call("release", other)[0] == 0
    assert call("release", out)[0] == 0  # what left once leaves again, whatever left since
    assert files.hash_files(out / "release") == first
    assert files.list_entries(tmp_path / "release_register") == [
        *entries, f"0002-mini-{read_marks(other)['tables']}"]  # fmt: skip


def test_a_refused_release_leaves_nothing(call, out, tmp_path):
    other = leave_run(tmp_path / "other", COUNTY.iloc[1:])
    for name in ("site", "notebooks"):
        files.write_text(other / name / "page", "draft")
    assert call("release", out)[0] == 0
    code, said = call("release", other)
    assert code == 5
    assert said.index("Ändra urvalet") < said.index("Change the selection")
    assert files.list_entries(other) == ["manifest.json", "restricted"]
    assert len(files.list_entries(tmp_path / "release_register")) == 1
    shutil.rmtree(tmp_path / "release_register")  # it never left: withdrawn
    assert call("release", other)[0] == 0
    assert {path.name for path in (other / "release").iterdir()} == ALL


def test_a_municipality_left_out_is_held_against_the_register(call, out, tmp_path):
    other = leave_run(tmp_path / "other", COUNTY.iloc[60:])
    call("release", out)
    assert call("release", other)[0] == 0
    exact, then = (pd.read_parquet(folder / "restricted" / "estimates.parquet")
                   for folder in (other, out))  # fmt: skip
    told = pd.read_csv(other / "release" / "estimates.csv")["status"].eq("ok")
    told &= pd.read_csv(out / "release" / "estimates.csv")["status"].eq("ok")
    assert told.any()
    assert (then["n_events"] - exact["n_events"])[told].ge(5).all()
    assert "skulle tillsammans med ett tidigare" in (other / "release" / REVIEW).read_text("utf-8")


@for_each("folder", ["out", "out/release", "bare"])
def test_previous_releases_are_named_by_any_of_their_folders(call, out, folder):
    shutil.copytree(out / "release", out.parent / "bare", dirs_exist_ok=True)
    other = leave_run(out.parent / f"other_{folder.replace('/', '_')}", COUNTY.iloc[2:])
    words = ("release", other, "--register", out.parent / "none", "--previous", out.parent / folder)
    code, said = call(*words)
    assert code == 5, said
    assert ("avrundade" in said) == (folder == "bare")


def test_several_previous_releases_after_one_flag(call, out, tmp_path):
    far, near = (leave_run(tmp_path / name, COUNTY.iloc[n:]) for name, n in (("f", 90), ("n", 1)))
    words = ("release", out, "--register", tmp_path / "none", "--previous", far, near)
    assert call(*words)[0] == 5


def test_wrong_folders_are_wrong_use_and_harm_nothing(call, out, tmp_path):
    call("release", out)
    first = files.hash_files(out)
    (tmp_path / "empty").mkdir()
    files.write_text(tmp_path / "extract" / "persons.csv", "person_id")
    for words in (
        ["release", tmp_path / "empty"],
        ["release", tmp_path / "nowhere"],
        ["release", out, "--previous", tmp_path / "empty"],
        ["release", out, "--previous", out / "release"],
        ["release", out, tmp_path / "empty"],
        ["release", out, "--register", out / "register"],
        ["release", out, "--register", tmp_path / "extract"],
    ):
        code, said = call(*words)
        assert code == 2, said
        assert "Traceback" not in said
    assert files.hash_files(out) == first


def test_what_the_run_did_not_leave_is_set_aside(call, out):
    for place in ("release/notes.txt", "release/sub/v1.csv", "release/old.part"):
        files.write_text(out / place, "v1;secret")
    files.write_text(out / "release" / "estimates.csv", "v1;secret")
    code, said = call("release", out)
    assert code == 0
    assert "notes.txt" in said and "secret" not in said
    assert {path.name for path in (out / "release").rglob("*") if path.is_file()} == ALL
    aside = files.list_entries(out / "restricted" / "set_aside")
    assert aside == ["1-notes.txt", "1-old.part", "1-v1.csv"]
    assert "secret" not in (out / "release" / "estimates.csv").read_text("utf-8")


def test_a_link_to_a_folder_is_told_and_set_aside(call, out, tmp_path):
    call("release", out)
    files.write_text(tmp_path / "extract" / "persons.csv", "person_id")
    link = out / "release" / "more"
    link.symlink_to(tmp_path / "extract", target_is_directory=True)
    code, said = call("verify", out)
    assert code == 3 and "release/more" in said
    assert call("release", out)[0] == 0
    assert not link.is_symlink() and (tmp_path / "extract" / "persons.csv").exists()
    assert files.list_entries(out / "restricted" / "set_aside") == ["1-more"]


@for_each("spoil", ["restricted", "register"])
def test_what_cannot_be_vouched_for_is_refused(call, kept, tmp_path, spoil):
    out = shutil.copytree(kept, tmp_path / "out")
    call("release", out)
    if spoil == "restricted":
        path = out / "restricted" / "estimates.parquet"
        pd.read_parquet(path).iloc[1:].to_parquet(path)
    else:
        next((tmp_path / "release_register").rglob("estimates.parquet")).unlink()
    code, said = call("release", out)
    assert code == 5, said
    assert not (out / "release").exists()


def test_results_that_change_are_a_draft_again(call, out, tmp_path):
    call("release", out)
    run = reopen_run(out, tmp_path, 1)
    assert run.is_done("estimate", run.key("estimate")) and run.is_whole  # `run` has nothing to do
    with run.finish("site", "key") as stage:
        files.write_text(stage / "site" / "index.html", "another")
    assert not {RELEASED, REVIEW, REVIEW_TABLE} & set(files.list_entries(out / "release"))


KILLED = """
import os, signal, sys
from pathlib import Path
from revictimisation.commands import command_line
put, n_left = Path.replace, int(sys.argv.pop(1))
def replace(self, target):
    global n_left
    n_left -= 1
    if n_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return put(self, target)
Path.replace = replace
sys.argv[0] = "revictimisation"
command_line.main()
"""


@for_each("moment", [9, 22, 28])
def test_killed_between_files_it_is_no_release_and_the_next_one_is_whole(
    call, out, kept, tmp_path, moment
):  # fmt: skip
    call("release", out)
    first = files.hash_files(out / "release")
    shutil.rmtree(out.parent / "release_register")
    mine = shutil.copytree(kept, tmp_path / "mine" / "out")
    words = [sys.executable, "-c", KILLED, str(moment), "release", str(mine)]
    assert subprocess.run(words, check=False, capture_output=True).returncode == -9
    assert not (mine / "release" / RELEASED).exists()
    codes = (call("release", mine)[0] for _ in range(50) if not time.sleep(0.2))
    assert next(code for code in codes if code != 2) == 0  # 2: what cleans up after it is at work
    assert files.hash_files(mine / "release") == first


def test_pages_and_notebooks_are_made_of_what_is_released(call, small_run, tmp_path):
    """Of a run with pages: as drafted, then beside a release that forbids an order of measures."""
    out, before = (shutil.copytree(small_run / "out", tmp_path / name) for name in ("out", "then"))
    book = "notebook 02_reach.sv"
    reopen_run(out, tmp_path, 1).keep_only(["estimate", "site", book])
    drafted = files.hash_files(out)
    assert call("release", out)[0] == 0
    made = files.hash_files(out)
    assert {path for path in drafted if made[path] != drafted[path]} == {"manifest.json"}
    marks = read_marks(out)
    assert {path: drafted[path] for path in marks["beside"]} == marks["beside"]
    assert set(marks["beside"]) == {
        path for path in made if path.startswith(("site/", "notebooks"))
    }
    assert marks["is_as_drafted"]

    exact = pd.read_parquet(before / "restricted" / "estimates.parquet")
    is_of = exact["analysis"].eq("sequence") & exact["level"].eq("non_contact_order")
    exact.loc[is_of, "n_events"] -= 2
    exact.to_parquet(before / "restricted" / "estimates.parquet")
    words = ("--previous", before, "--register", tmp_path / "other")
    code, said = call("release", out, *words)
    assert code == 0, said
    shown = pd.read_parquet(out / "release" / "estimates.parquet")
    shown = shown[shown["analysis"].eq("sequence") & shown["level"].eq("non_contact_order")]
    assert shown["status"].ne("ok").all() and shown["reason"].eq("earlier_release").any()
    changed = {path for path, h in files.hash_files(out).items() if h != made.get(path)}
    assert {"site/02_reach.html", "notebooks/02_reach.sv.ipynb"} < changed
    assert not read_marks(out)["is_as_drafted"]
    assert reopen_run(out, tmp_path, 1).is_whole
    assert call("attack", out)[0] in (0, 5)
    assert "surplus" not in call("attack", out)[1]
