"""Killed, crowded, full: what is there is whole or absent, and the next run ends with the same.

The stages are a test's own, so that hundreds of moments are tried; a whole study is killed at many
by benchmarks/interrupt.py.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from revictimisation.commands.manifest import find_changed, open_run, read_stages
from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.extract.mapping.making import Making
from tests.cases import for_each

if sys.platform == "win32":
    pytest.skip("signals, limits and rights of Unix", allow_module_level=True)

# A run of stages that write tables; `go` tells when it begins to write.
STAGES = """
import sys, time
from pathlib import Path
import pandas as pd
from revictimisation.core import files, interruption
from revictimisation.commands.manifest import open_run

place = Path(sys.argv[1])

def work():
    with files.locked(place / "out"):
        run = open_run(place / "study.yaml", place / "data", place / "out", "run", 1)
        (files.scratch() / "rows").write_text("19121212-1212")
        print("go", flush=True)
        for name in ("estimate", "site", "notebook a", "notebook b", "run"):
            key = run.key(name)
            if run.is_done(name, key):
                continue
            with run.finish(name, key) as folder:
                for part in range(0 if name == "run" else 6):
                    table = pd.DataFrame({"a": range(2000), "b": name})
                    both = ("csv", "parquet")
                    files.write_table(table, folder / name, str(part), both, run.about)
    return 0

sys.exit(interruption.run_stoppable(work, lambda: None))
"""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A study file, an extract, and a folder for temporary files that nobody else uses."""
    (tmp_path / "study.yaml").write_text("name: tiny\n", encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "persons.csv").write_text("person_id\np1\n", encoding="utf-8")
    (tmp_path / "t").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    return tmp_path


def list_variables() -> dict[str, str]:
    """The environment of a process that finds what this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def start(place: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", STAGES, str(place)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=list_variables())
    assert process.stdout is not None and process.stdout.readline() == "go\n"
    return process


def end(process: subprocess.Popen[str]) -> int:
    process.communicate()
    return process.returncode


def list_left(place: Path) -> list[str]:
    """What is half made or was for a while only, once those that take it away have had a moment."""
    for _ in range(100):
        left = [*place.rglob(f"{files.UNFINISHED}*"), *(place / "t").iterdir()]
        if not left:
            break
        time.sleep(0.05)
    return [str(path) for path in left]


def check_vouched(out: Path) -> None:
    """Every file that the manifest vouches for is whole; every other it knows to be unfinished."""
    told = files.read_json(out / "manifest.json") or {}
    stages = read_stages(told)
    outputs = {path: h for stage in stages.values() for path, h in stage.outputs.items()}
    assert find_changed(out, outputs) == []
    known = {*outputs, *told.get("unfinished", ()), "manifest.json"}
    assert {*files.list_below(out)} <= known


def test_killed_at_any_moment_it_leaves_what_is_whole_and_ends_with_the_same(place):
    assert end(start(place)) == 0
    whole = {k: h for k, h in files.hash_files(place / "out").items() if k != "manifest.json"}
    assert len(whole) == 48 and list_left(place) == []
    chance, n_half = random.Random(3), 0
    for number in range(6):
        if number % 3 == 0:
            (place / "study.yaml").write_text(f"name: tiny\ntitle: {{sv: a{number}, en: b}}\n")
        process = start(place)
        time.sleep(chance.uniform(0, 0.25))
        process.send_signal((signal.SIGKILL, signal.SIGTERM)[number % 2])
        n_half += end(process) != 0
        assert list_left(place) == []
        check_vouched(place / "out")
    assert n_half
    (place / "study.yaml").write_text("name: tiny\n")
    assert end(start(place)) == 0
    again = {k: h for k, h in files.hash_files(place / "out").items() if k != "manifest.json"}
    assert again == whole and not (place / "out" / files.LOCK).exists()


def test_two_runs_never_share_a_folder_and_a_kill_bars_nobody(place, call):
    out = place / "out"
    with files.locked(out):
        words = ["estimate", place / "study.yaml", "--data", place / "data", "--out", out]
        code, said = call(*words)
        assert code == 2 and "en annan körning skriver där just nu" in said and str(out) in said
        for other in (["simulate", out], ["verify", out], ["map", place / "data", "--to", out]):
            code, said = call(*other)
            assert code == 2 and "another run is writing there" in said.lower()
        assert [*out.iterdir()] == [out / files.LOCK]
    assert not out.exists()
    process = start(place)
    process.kill()
    end(process)
    (out / files.LOCK).touch()
    (out / f"{files.UNFINISHED}old").mkdir()
    with files.locked(out):
        assert not (out / f"{files.UNFINISHED}old").exists()
    assert not (out / files.LOCK).exists()


def test_temporary_files_of_the_dead_are_cleared_and_of_the_living_kept(place, monkeypatch):
    there = place / "t"
    for name, age in (("old", 2 * files.STALE_SECONDS), ("new", 0)):
        (there / f"{files.SCRATCH}{name}").mkdir()
        when = time.time() - age
        os.utime(there / f"{files.SCRATCH}{name}", (when, when))
    (there / f"{files.SCRATCH}dead").mkdir()
    (there / f"{files.SCRATCH}dead" / files.LOCK).touch()
    (there / f"{files.SCRATCH}dead" / "rows").write_text("19121212-1212")
    (there / "else").mkdir()
    with holding() as first, holding() as second:
        kept = {f"{files.SCRATCH}new", "else", first, second}
        assert {path.name for path in there.iterdir()} == kept and len(kept) == 4


@contextlib.contextmanager
def holding() -> Iterator[str]:
    """The name of the temporary folder of a process that lives until then."""
    code = (
        "from revictimisation.core import files; print(files.scratch().name, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env=list_variables()) as process:  # fmt: skip
        assert process.stdout and process.stdin
        yield process.stdout.readline().strip()
        process.stdin.write("\n")


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv.pop(1))
from pathlib import Path
import pandas, pyarrow.parquet  # what is compiled meanwhile is no result
from revictimisation.core.errors import UsageError
from revictimisation.commands.manifest import open_run
from revictimisation.core import files
place = Path(sys.argv[1])
for n_bytes in range(0, limit, limit // 25):
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, -1))
    try:
        with files.locked(place / "out"):
            run = open_run(place / "study.yaml", place / "data", place / "out", "run", 1)
            with run.finish("estimate", run.key("estimate")) as folder:
                table = pandas.DataFrame({"a": range(3000)})
                files.write_table(table, folder / "release", "a", ("csv", "parquet"))
                files.write_text(folder / "site" / "b", "x" * 5000)
        print("done", n_bytes)
    except UsageError as fault:
        print("told" if "disken är full" in str(fault) else fault, n_bytes)
    left = files.list_below(place / "out") if (place / "out").exists() else []
    hidden = [*place.rglob(".*")]
    print("left", len(left), len(hidden))
"""


def test_a_disk_that_is_full_at_any_write_is_told_and_leaves_nothing(place):
    """Every write beyond so many bytes fails, whichever library makes it."""
    words = [sys.executable, "-c", FULL, "40000", str(place)]
    done = subprocess.run(words, capture_output=True, text=True, env=list_variables(), check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    told, left = lines[::2], lines[1::2]
    kinds = [kind for kind, _ in told]
    assert set(kinds) == {"told", "done"}, done.stdout
    n_told = kinds.index("done")
    assert n_told > 5 and set(kinds[n_told:]) == {"done"}
    assert {tuple(one) for one in left[:n_told]} == {("left", "0", "0")}
    assert {tuple(one) for one in left[n_told:]} == {("left", "4", "0")}


def test_results_that_may_only_be_read_are_found_done(place):
    assert end(start(place)) == 0
    out = place / "out"
    with as_reader(out):
        with files.locked(out):
            run = open_run(place / "study.yaml", place / "data", out, "run", 1)
            assert run.is_whole
        with pytest.raises(UsageError), run.finish("site", "key") as folder:
            files.write_text(folder / "x", "x")


@contextlib.contextmanager
def as_reader(folder: Path):
    """A folder that nobody may write into; the superuser is told so by the system's own refusal."""
    real = os.open

    def refuse(path, flags, *more, **other):
        if str(path).startswith(str(folder)) and flags & os.O_CREAT:
            raise PermissionError(13, "no", str(path))
        return real(path, flags, *more, **other)

    made = os.mkdir
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "open", refuse)
        patched.setattr(os, "mkdir", lambda path, *_: refuse(path, os.O_CREAT))
        yield
    assert os.mkdir is made


@for_each("kind", ["draft", "map"])
def test_numbers_on_their_way_lie_where_what_is_made_of_them_will(place, kind, monkeypatch):
    """`map` keeps rows that hold identity numbers in OUT alone, in a folder of its owner's."""
    from revictimisation.commands import map as mapping
    from revictimisation.extract import mapping as work

    seen = []

    def look(making: Making, *_: object) -> None:
        workspace = making.workspace
        seen.append((workspace.parent, workspace.name, workspace.stat().st_mode & 0o777))
        raise UsageError("stop")

    raw, out = place / "raw", place / "mapped"
    raw.mkdir(exist_ok=True)
    (raw / "p.csv").write_text("nr\n19121212-1212\n")
    (place / "m.yaml").write_text("tables: {persons: {file: p.csv, columns: {person_id: nr}}}\n")
    monkeypatch.setattr(work, "draft_mapping", look)
    monkeypatch.setattr(work, "make_extract", look)
    with pytest.raises(UsageError, match="stop"):
        if kind == "draft":
            mapping.draft_to(str(raw), out, 1)
        else:
            mapping.map_to(str(raw), out, place / "m.yaml", "csv", 1)
    ((parent, name, mode),) = seen
    assert parent == out and name.startswith(files.UNFINISHED) and mode == 0o700
    assert not out.exists()


LOOP = """
import numpy
from revictimisation.core.compiled import copy_to
target = numpy.zeros(3)
copy_to(target, numpy.arange(3.0))
print(target.tolist(), sum(copy_to.stats.cache_hits.values()))
"""


def test_compiled_loops_that_are_damaged_are_compiled_anew(tmp_path):
    def run() -> str:
        there = {**list_variables(), "NUMBA_CACHE_DIR": str(tmp_path)}
        words = [sys.executable, "-c", LOOP]
        done = subprocess.run(words, capture_output=True, text=True, env=there)
        return (done.stdout or done.stderr).strip()

    anew, kept = "[0.0, 1.0, 2.0] 0", "[0.0, 1.0, 2.0] 1"
    assert (run(), run()) == (anew, kept)
    (data,), (index,) = tmp_path.rglob("*.nbc"), tmp_path.rglob("*.nbi")
    whole = data.read_bytes()
    at = len(whole) // 2
    data.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert run() == anew
    index.write_bytes(index.read_bytes()[:30])
    assert (run(), run()) == (anew, kept)
