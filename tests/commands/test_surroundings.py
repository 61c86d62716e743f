"""What the machine refuses is no fault of ours: exit 2, before any work, and nothing left behind.

A table: each command under each surrounding that it can meet.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from revictimisation import simulate
from revictimisation.commands import estimate
from revictimisation.commands.folders import check_own
from revictimisation.core import engine, files
from revictimisation.core.errors import UsageError
from revictimisation.extract.pseudonyms import keys
from tests.commands.test_commands import STUDY

if sys.platform == "win32":
    pytest.skip("users, links and shells of Unix", allow_module_level=True)

NOBODY = 65534
# Each command's words; the folders and files that it reads are those in capitals.
COMMANDS = {
    "simulate": "simulate OUT --scenario small --people 5",
    "validate": "validate DATA --report OUT",
    "compared": "validate DATA --report OUT --previous PREVIOUS",
    "estimate": "estimate STUDY --data DATA --out OUT",
    "run": "run STUDY --data DATA --out OUT",
    "pseudonymise": "pseudonymise DATA OUT --key-file KEY",
    "draft": "map DATA --to OUT",
    "map": "map DATA --to OUT --mapping MAPPING",
    "link": "link DATA PREVIOUS --study STUDY --out OUT",
}
FOLDERS = ("DATA", "PREVIOUS")
READS = {name: [w for w in words.split() if w in FOLDERS] for name, words in COMMANDS.items()}
MAPPING = "tables: {persons: {file: persons.csv, columns: {person_id: person_id}}}\n"


@pytest.fixture
def place(repo_root):
    """A folder that any user may look into, with all that the commands read."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    shutil.copytree(repo_root / "tests" / "real" / "rossi" / "extract", folder / "DATA")
    shutil.copytree(folder / "DATA", folder / "PREVIOUS")
    (folder / "STUDY").write_text(STUDY, encoding="utf-8")
    (folder / "MAPPING").write_text(MAPPING, encoding="utf-8")
    keys.write_key(folder / "KEY", keys.make_key("tiny"))
    if os.geteuid() == 0:
        os.chown(folder / "KEY", NOBODY, NOBODY)
    yield folder
    for path in (folder, *folder.rglob("*")):
        with suppress(OSError):
            path.chmod(0o700 if path.is_dir() else 0o600)
    shutil.rmtree(folder)


@pytest.fixture
def no_work(monkeypatch):
    """Whoever begins to work, before it knows that it can, ends in a fault of ours."""

    def begin(*_: object, **__: object) -> None:
        raise AssertionError("the work was begun")

    for owner, name in (
        (engine, "connect"), (simulate, "simulate_county"),
    ):  # fmt: skip
        monkeypatch.setattr(owner, name, begin)


@contextmanager
def as_nobody():
    """The permissions of files bind, also where the tests are run by the superuser."""
    is_root = os.geteuid() == 0
    os.umask(0o022)
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def spell(name: str, place: Path, **others: Path) -> list[str]:
    """A command's words with the paths in them."""
    paths = {word: place / word for word in ("DATA", "PREVIOUS", "STUDY", "KEY", "MAPPING", "OUT")}
    paths |= others
    return [str(paths.get(word, word)) for word in COMMANDS[name].split()]


def list_all(folder: Path) -> dict[str, bytes | None]:
    """All that lies below a folder."""
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def is_told(code: int, said: str, path: Path) -> bool:
    """A refusal as it should be: wrong use, in both languages, by the path that is meant."""
    return (
        code == 2
        and str(path) in said
        and (" / " in said or "\n" in said)
        and "a fault of ours" not in said
    )


def test_a_place_that_cannot_be_filled_is_told_before_any_work(call, place, no_work):
    (place / "file").touch()
    (place / "dangling").symlink_to(place / "nowhere" / "deep")
    (place / "closed").mkdir(mode=0o555)
    (place / "theirs").mkdir()
    (place / "theirs" / "notes.txt").write_text("mine", encoding="utf-8")
    (place / "manifest").mkdir()
    (place / "manifest" / "linkage.json.bak").touch()
    outs = ["file", "file/out", "dangling", "closed", "closed/deep/out", "theirs", "manifest"]
    before = list_all(place)
    for name in COMMANDS:
        for out in outs:
            shown = place / out.split("/", maxsplit=1)[0]
            if out.startswith("closed"):
                continue
            code, said = call(*spell(name, place, OUT=place / out))
            assert is_told(code, said, shown), (name, out, code, said)
    with as_nobody():
        for name in COMMANDS:
            for out in ("closed", "closed/deep/out"):
                code, said = call(*spell(name, place, OUT=place / out))
                assert is_told(code, said, place / "closed"), (name, out, code, said)
        code, said = call("make-key", place / "closed" / "key")
        assert is_told(code, said, place / "closed" / "key")
    assert is_told(*call("make-key", place / "file" / "key"), place / "file" / "key")
    assert list_all(place) == before


def test_what_is_made_and_what_is_read_lie_apart(call, place, no_work):
    inside = place / "DATA" / "inside" / "DATA"
    (place / "link").symlink_to(place / "DATA")
    before = list_all(place)
    for name, reads in READS.items():
        for read in reads:
            for out in (place / read, place / read / "deep" / "out", place, place / "DATA" / ".."):
                code, said = call(*spell(name, place, OUT=out))
                assert is_told(code, said, place), (name, read, out, code, said)
        if reads:
            assert call(*spell(name, place, OUT=place / "link" / "x"))[0] == 2, name
    assert list_all(place) == before
    assert not inside.exists()


def test_what_cannot_be_read_is_told_alike_by_all(call, place, no_work):
    (place / "file").touch()
    for name, reads in READS.items():
        for read in reads:
            for wrong in ("nowhere", "file", "file/below"):
                if (name, wrong) == ("draft", "file") or (name, wrong) == ("map", "file"):
                    continue  # a file is a source, too
                code, said = call(*spell(name, place, **{read: place / wrong}))
                assert is_told(code, said, place / wrong), (name, read, wrong, code, said)
    assert not (place / "OUT").exists()


def test_files_without_permission_are_told_by_name_all_at_once(call, place, monkeypatch):
    (place / "t").mkdir()
    (place / "t").chmod(0o777)
    monkeypatch.setattr(files, "scratch", lambda: place / "t")
    for name in ("persons.csv", "reports.csv"):
        (place / "DATA" / name).chmod(0)
    for name in ("validate", "estimate", "pseudonymise", "draft"):
        with as_nobody():
            code, said = call(*spell(name, place, OUT=place / "t" / "out"))
        assert is_told(code, said, place / "DATA" / "persons.csv"), (name, code, said)
        if name != "estimate":  # which hashes file by file
            assert str(place / "DATA" / "reports.csv") in said, name
    for name in ("persons.csv", "reports.csv"):
        (place / "DATA" / name).chmod(0o644)
    (place / "DATA" / "case_decisions.csv").symlink_to(place / "nowhere")
    os.mkfifo(place / "DATA" / "investigations.csv")  # to open it would wait for ever
    code, said = call(*spell("validate", place))
    assert is_told(code, said, place / "DATA" / "case_decisions.csv")
    assert is_told(code, said, place / "DATA" / "investigations.csv")
    assert not (place / "OUT").exists()


def test_a_disk_that_refuses_half_way_leaves_nothing(call, place, monkeypatch):
    """At every place where something is written, the first and later files of a folder."""

    class Refusing:
        """A disk that takes so many files and no more."""

        def __init__(self, n_taken: int) -> None:
            self.n_taken = n_taken
            self.replace = Path.replace

        def __call__(self, path: Path, target: Path) -> Path:
            self.n_taken -= 1
            if self.n_taken < 0:
                raise OSError(errno.ENOSPC, "full", str(path))
            return self.replace(path, target)

    before = list_all(place)
    for name in ("simulate", "pseudonymise", "draft"):
        for n_taken in (0,) if name == "draft" else (0, 3):
            with monkeypatch.context() as patched:
                refusing = Refusing(n_taken)
                patched.setattr(Path, "replace", lambda path, to, r=refusing: r(path, to))
                code, said = call(*spell(name, place))
            assert is_told(code, said, place / "OUT"), (name, n_taken, code, said)
            assert ".unfinished" not in said and ".part" not in said
            assert list_all(place) == before, name


def test_compiled_loops_are_kept_where_something_can_be_written(monkeypatch):
    """A package that an administrator installed, and a user without a home to write to."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    files.find_cache()
    assert "NUMBA_CACHE_DIR" not in os.environ

    def refuse(*_: object) -> None:
        raise UsageError("read only")

    monkeypatch.setattr(files, "check_room", refuse)
    files.find_cache()
    assert os.environ["NUMBA_CACHE_DIR"] == str(files.scratch())


def test_a_key_is_whole_or_not_there(tmp_path, monkeypatch):
    key = keys.make_key("tiny")

    class Full:
        def __init__(self, handle: int, *_: object, **__: object) -> None:
            self.handle = handle

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.handle)

        def write(self, text: str) -> None:
            os.write(self.handle, text[:5].encode())
            raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdopen", Full)
        with pytest.raises(UsageError, match="disken är full"):
            keys.write_key(tmp_path / "deep" / "key", key)
    assert [*tmp_path.iterdir()] == []
    keys.write_key(tmp_path / "deep" / "key", key)
    assert keys.read_key(tmp_path / "deep" / "key") == key


def test_a_disk_without_room_is_told_with_how_much_is_needed(call, place, no_work, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**9, free=1000))
    for name in COMMANDS:
        code, said = call(*spell(name, place))
        assert is_told(code, said, place) and " MB" in said, (name, code, said)
    assert not (place / "OUT").exists()


def test_a_command_writes_again_over_what_it_made_and_removes_what_it_no_longer_makes(call, place):
    assert call(*spell("simulate", place))[0] == 0
    (place / "OUT" / "notes.txt").write_text("mine", encoding="utf-8")
    assert call(*spell("simulate", place), "--format", "parquet")[0] == 0
    assert {path.suffix for path in (place / "OUT").glob("persons.*")} == {".parquet"}
    assert (place / "OUT" / "truth.csv").is_file() and (place / "OUT" / "notes.txt").is_file()
    (place / "OUT" / ".unfinished-x").mkdir()  # left by a stop by force: nobody's
    check_own(place / "OUT", "simulate")
    # Tables that were made of a county carry its simulation.json along.
    for command, mark in (("validate", "profile.parquet"), ("link", "linkage.json")):
        (place / "OUT" / mark).touch()
        with pytest.raises(UsageError, match="not made by the same"):
            check_own(place / "OUT", "simulate")
        check_own(place / "OUT", command)
        (place / "OUT" / mark).unlink()


def test_whoever_reads_the_output_may_go_away(place):
    """`| head`, closed streams, a full disk: no traceback, and the verdict's own code."""
    shell = f"{sys.executable} -m revictimisation validate"
    (place / "bad").mkdir()
    cases = {
        f"{shell} {place}/bad 2>&1 | true; exit ${{PIPESTATUS[0]}}": (3,),
        f"{shell} {place}/bad >&- 2>&- <&-": (3,),
        f"{shell} --help | true; exit ${{PIPESTATUS[0]}}": (0,),
        f"{shell} {place}/bad > /dev/full": (2,),
    }
    for line, codes in cases.items():
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
        assert done.returncode in codes, (line, done)
        for word in ("Traceback", "Exception", "BrokenPipe", "a fault of ours"):
            assert word not in done.stderr + done.stdout, (line, done)
    assert "disken är full" in done.stderr


def test_faults_that_surface_anywhere_are_the_machines(call, place, monkeypatch):
    class OutOfMemoryException(Exception):
        pass

    for fault, word in (
        (OSError(errno.ENOSPC, "full", "/x"), "/x: disken är full"),
        (OSError(errno.EROFS, "no", "/x"), "/x: där går det bara att läsa"),
        (OSError(errno.EIO, "no"), "svarar inte som den ska"),
        (PermissionError(errno.EACCES, "no"), "rätt att läsa eller skriva saknas"),
        (MemoryError(), "minne räcker inte"),
        (OutOfMemoryException(), "minne räcker inte"),
    ):

        def fail(*_: object, fault: Exception = fault) -> None:
            raise fault

        monkeypatch.setattr(estimate, "estimate_study", fail)
        code, said = call(*spell("estimate", place))
        assert code == 2 and word in said
