"""What a run says of itself: it is checked, and what no longer holds is not vouched for."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from revictimisation.commands import manifest as manifests
from revictimisation.commands import verify
from revictimisation.commands.manifest import ESTIMATE, RUN, WHOLE, Run, open_run, versions
from revictimisation.core import files
from revictimisation.core.errors import DataError, RevictimisationError
from tests.cases import for_each

STUDY = "name: tiny\n"


@pytest.fixture
def place(tmp_path) -> Path:
    """A study file and an extract of one table, to be run by stages of a test's own."""
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "persons.csv").write_text("person_id\np1\n", encoding="utf-8")
    return tmp_path


def begin(place: Path) -> Run:
    return open_run(place / "study.yaml", place / "data", place / "out", "run", 1)


def leave(run: Run, stage: str, **texts: str) -> None:
    """Do a stage that leaves these files; `__` parts folders, `_` the ending."""
    with run.finish(stage, run.key(stage)) as folder:
        for name, text in texts.items():
            path = name.replace("__", "/")
            files.write_text(folder / ".".join(path.rsplit("_", 1)), text)


def leave_all(place: Path, *, level: str = "loose") -> Run:
    run = begin(place)
    table = pd.DataFrame({"a": [1]})
    with run.finish(ESTIMATE, run.key(ESTIMATE)) as folder:
        files.write_table(table, folder / "restricted", "estimates", ("csv", "parquet"), run.about)
        files.write_table(table, folder / "release", "estimates", ("csv", "parquet"), run.about)
    leave(run, "site", site__index_html=f"<p>{level}", site__more_html=level)
    leave(run, "notebook 01.en", notebooks__01_ipynb=level)
    leave(run, WHOLE)
    return run


def test_verify_says_what_holds_and_all_that_does_not(place, call):
    leave_all(place)
    out = place / "out"
    code, said = call("verify", out, "--data", place / "data")
    assert code == 0 and "7 filer är som manifestet säger" in said
    (out / "site" / "more.html").unlink()
    (out / "release" / "estimates.csv").write_text("a\n2\n")
    (out / "release" / "mine.txt").write_text("x")
    (place / "data" / "reports.csv").write_text("report_id\n")
    (place / "data" / "persons.csv").write_text("person_id\np2\n")
    code, said = call("verify", out, "--data", place / "data")
    assert code == 3
    for line in (
        "saknas / missing: site/more.html",
        "ändrad / changed: release/estimates.csv",
        "okänd / unknown: release/mine.txt",
        "nya indata / new input: reports.csv",
        "indata ändrade / input changed: persons.csv",
    ):
        assert line in said, said
    assert "p2" not in said
    assert call("verify", out, "--rerun")[0] == 2
    assert call("verify", place / "nowhere")[0] == 2


@for_each(
    "damage",
    ["", "{", "[]", "null", '{"stages": []}', '{"stages": {"estimate": 3}}',
     '{"stages": {"estimate": {"key": 1, "outputs": {}}}, "unfinished": {"a": 1}}',
     '{"stages": {"estimate": {"key": "a", "outputs": {"x": 2}}}, "unfinished": 7}'],
)  # fmt: skip
def test_a_damaged_manifest_vouches_for_nothing_and_is_made_anew(place, call, damage):
    leave_all(place)
    whole = {path: h for path, h in files.hash_files(place / "out").items() if "manif" not in path}
    (place / "out" / "manifest.json").write_text(damage)
    code, said = call("verify", place / "out")
    assert code == 3 and "inget helt manifest.json" in said
    run = begin(place)
    assert run.stages == {} and not run.unfinished
    assert len(run.list_unknown()) == 7
    leave_all(place)
    assert call("verify", place / "out")[0] == 0
    assert files.hash_files(place / "out").items() >= whole.items()


def test_a_manifest_makes_us_remove_nothing_outside_its_folder(place):
    leave_all(place)
    (place / "mine.txt").write_text("x")
    (place / "out" / "link").symlink_to(place / "data")
    told = json.loads((place / "out" / "manifest.json").read_text())
    names = ["../mine.txt", str(place / "mine.txt"), "link/persons.csv", ".", ""]
    told["stages"]["site"]["outputs"] |= dict.fromkeys(names, "0")
    told["unfinished"] = names
    (place / "out" / "manifest.json").write_text(json.dumps(told))
    (place / "study.yaml").write_text(STUDY + "title: {sv: a, en: b}\n")
    leave_all(place)
    assert (place / "mine.txt").is_file() and (place / "data" / "persons.csv").is_file()


def test_pages_of_an_earlier_study_go_before_a_later_one_is_vouched_for(place):
    leave_all(place)
    out = place / "out"
    (out / "notes.txt").write_text("mine")
    (place / "study.yaml").write_text(STUDY + "disclosure: {threshold: 10}\n")
    run = begin(place)
    assert not run.is_done("site", run.key("site"))
    leave(run, ESTIMATE, release__estimates_csv="stricter")
    assert files.list_below(out) == ["manifest.json", "notes.txt", "release/estimates.csv"]
    assert run.list_unknown() == ["notes.txt"] and [*run.stages] == [ESTIMATE]
    leave(run, "site", site__index_html="a", site__more_html="b")
    leave(run, "site", site__index_html="a")
    assert not (out / "site" / "more.html").exists()
    leave(run, "notebook 01.en", notebooks__01_ipynb="x")
    run.keep_only([ESTIMATE, "site"])
    assert not (out / "notebooks").exists() and (out / "notes.txt").is_file()
    told = files.read_json(out / "manifest.json")
    assert {*told["outputs"]} == {"release/estimates.csv", "site/index.html"}


def test_a_file_is_of_the_stage_that_wrote_it_last(place):
    run = leave_all(place)
    leave(run, "release", release__estimates_csv="checked")
    again = begin(place)
    assert again.is_whole and "release/estimates.csv" not in again.outputs_of(ESTIMATE)
    assert again.is_done("release", again.key("release"))


def exchange(path: Path) -> None:
    """Another file in its place, of the same size and with the same moment, as `cp -p` does."""
    before = path.stat()
    path.with_name("new").write_text(path.read_text().replace("p1", "p2"))
    path.with_name("new").replace(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def there_and_back(path: Path) -> None:
    """Exchanged while it is read, and put back."""
    path.rename(path.with_name("kept"))
    path.write_text("other")
    path.with_name("kept").replace(path)


CHANGES = {
    "written": lambda path: path.write_text("person_id\np2\n"),
    "exchanged": exchange,
    "there and back": there_and_back,
    "removed": lambda path: path.unlink(),
    "joined by another": lambda path: path.with_name("reports.csv").write_text("x"),
}


@for_each("change", CHANGES)
def test_an_input_that_is_changed_during_a_run_ends_it(place, change):
    (place / "data" / "persons.csv").write_text("person_id\np1\n", encoding="utf-8")
    run = begin(place)
    CHANGES[change](place / "data" / "persons.csv")
    with pytest.raises(DataError, match="har ändrats medan det lästes"):
        leave(run, ESTIMATE, release__estimates_csv="x")
    assert not (place / "out").exists()


def test_software_that_is_changed_during_a_run_ends_it(place, monkeypatch):
    run = begin(place)
    monkeypatch.setattr(manifests, "hash_code", lambda: "other")
    with pytest.raises(RevictimisationError, match="Programmet har ändrats"):
        leave(run, ESTIMATE, release__estimates_csv="x")
    assert not (place / "out").exists()


def test_every_file_of_the_package_and_every_library_is_in_the_key(place, tmp_path, monkeypatch):
    known = versions()
    assert {"python", "platform", "revictimisation", "numpy", "scipy", "llvmlite", "lifelines",
            "matplotlib", "great-tables", "jinja2", "nbclient", "pillow"} <= {*known}  # fmt: skip
    before = begin(place).key()
    with monkeypatch.context() as patched:
        patched.setattr(manifests, "versions", lambda: {**known, "pillow": "0"})
        assert begin(place).key() != before
    package = tmp_path / "p"
    with monkeypatch.context() as patched:
        patched.setattr(files, "package_file", lambda: package / "revictimisation")
        patched.setattr(files, "resource_dir", lambda name: package / name)
        keys = {manifests.hash_code()}
        for name in ("a.py", "fonts/b.woff2", "c.j2", "d.txt", "e"):
            files.write_text(package / "revictimisation" / name, name)
            keys.add(manifests.hash_code())
        assert len(keys) == 6
        files.write_text(package / "revictimisation" / "__pycache__" / "a.pyc", "x")
        files.write_text(package / "revictimisation" / "loop.nbi", "x")
        assert manifests.hash_code() in keys


def test_tables_carry_the_identity_of_their_run(place):
    run = leave_all(place)
    told = files.read_json(place / "out" / "manifest.json")
    assert told["run"] == run.identity == begin(place).identity
    for path in (place / "out").rglob("*.parquet"):
        metadata = pyarrow.parquet.read_schema(path).metadata
        assert metadata[RUN.encode()].decode() == run.identity
    (place / "study.yaml").write_text(STUDY + "title: {sv: a, en: b}\n")
    assert begin(place).identity != run.identity


def test_a_rerun_compares_byte_for_byte(place, call, monkeypatch):
    leave_all(place)

    def redo(study: Path, data: Path, out: Path, command: str, jobs: int) -> bool:
        run = open_run(study, data, out, command, jobs)
        (out.parent / "place").mkdir()
        leave(run, ESTIMATE, release__estimates_csv="a\n1\n")
        leave(run, "site", site__index_html="<p>loose", site__new_html="x", site__more_html=".")
        return True

    monkeypatch.setattr("revictimisation.commands.run.run_study", redo)
    code, said = call("verify", place / "out", "--rerun", "--data", place / "data")
    assert code == 3
    for line in ("andra byte / other bytes: site/more.html", "okänd / unknown: site/new.html",
                 "saknas / missing: notebooks/01.ipynb"):  # fmt: skip
        assert line in said
    assert "release/estimates.csv" not in said and "is another than then" not in said
    monkeypatch.setattr(verify, "versions", lambda: {**versions(), "numpy": "0"})
    assert f"numpy {versions()['numpy']} → 0" in call(
        "verify", place / "out", "--rerun", "--data", place / "data"
    )[1]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_what_is_restricted_is_its_owners_alone(place):
    os.umask(0o022)
    leave_all(place)
    out = place / "out"
    kept = [out / "manifest.json", out / "restricted", *(out / "restricted").rglob("*")]
    assert len(kept) == 4
    assert {path.stat().st_mode & 0o077 for path in kept} == {0}
    (out / "release").chmod(0o700)
    leave_all(place)
    assert (out / "release").stat().st_mode & 0o777 == 0o700
