"""`do.py`: finds a fit Python, says plainly when there is none, and passes failures on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import do
from revictimisation.plan import read_plan


def write_python(folder: Path, name: str, answer: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    path.chmod(0o755)


needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="makes its Pythons with /bin/sh")


def test_this_python_is_used_if_it_fits():
    assert Path(do.find_python()).resolve() == Path(sys._base_executable).resolve()


@needs_shell
def test_a_newer_one_on_the_path_is_used_instead(monkeypatch, tmp_path):
    write_python(tmp_path, "python3.13", "exit 1")  # a shim without a version behind it
    write_python(tmp_path, "python3.12", "echo /opt/python3.12")
    monkeypatch.setattr(do.sys, "version_info", (3, 11, 2))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert do.find_python() == "/opt/python3.12"


def test_the_path_is_asked_for_the_version():
    assert do.ask_where(sys.executable) == sys.executable
    assert do.ask_where("no-such-python") is None


def test_without_any_it_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(do.sys, "version_info", (3, 8, 1))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS", raising=False)
    assert do.main(["demo"]) == 1
    told = capsys.readouterr().out
    assert "this one is 3.8.1" in told
    assert "apt install" in told
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "automatic")
    assert do.find_python() == "3.13"


def test_wrong_use_shows_how(capsys):
    assert do.main([]) == 2
    assert do.main(["dmeo"]) == 2
    assert "do.py demo" in capsys.readouterr().out


def test_foreign_paths_do_not_leak_in(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS", raising=False)
    env = do.environment()
    assert "PYTHONPATH" not in env
    assert "PYTHONDONTWRITEBYTECODE" not in env
    assert env["PIP_USER"] == "0"
    assert env["UV_PYTHON_DOWNLOADS"] == "never"


def test_a_failed_step_gives_its_code(monkeypatch, capsys):
    def fail(uv, python):
        do.run([sys.executable, "-c", "raise SystemExit(3)"])

    monkeypatch.setitem(do.COMMANDS, "demo", fail)
    monkeypatch.setattr(do, "find_uv", lambda: "uv")
    assert do.main(["demo"]) == 3
    assert "ended with code 3" in capsys.readouterr().out


STEP = """
import signal, sys, time
def end(*_):
    time.sleep(0.6)  # takes away what is unfinished
    open(sys.argv[1] + "/tidy", "w").close()
    sys.exit(130)
signal.signal(signal.SIGTERM, end)
open(sys.argv[1] + "/begun", "w").close()
time.sleep(60)
"""
STOPPED = """
import signal, sys, do
signal.signal(signal.SIGINT, signal.default_int_handler)  # behind a shell's & it is ignored
do.find_uv = lambda: "uv"
do.COMMANDS["demo"] = lambda uv, python: do.run([sys.executable, "-c", *sys.argv[1:]])
sys.exit(do.main(["demo"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite kill")
def test_a_stop_waits_until_the_step_is_tidy(tmp_path):
    for number in (signal.SIGTERM, signal.SIGINT):
        folder = tmp_path / number.name
        folder.mkdir()
        words = [sys.executable, "-c", STOPPED, STEP, str(folder)]
        process = subprocess.Popen(words, cwd=do.ROOT, stdout=subprocess.PIPE, text=True)
        end = time.monotonic() + 30
        while not (folder / "begun").exists() and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(number)
        assert "Stopped" in process.communicate(timeout=30)[0]
        assert process.returncode == 130
        assert (folder / "tidy").exists()


def test_an_installation_ends_with_a_small_study_of_what_the_main_one_asks(monkeypatch, tmp_path):
    plans = []

    def run(command):
        plans.extend(read_plan(Path(word).read_text("utf-8")) for word in command
                     if word.endswith("study.yaml"))  # fmt: skip

    monkeypatch.setattr(do, "run", run)
    monkeypatch.setattr(do, "VENV", tmp_path)
    assert do.try_out() == do.try_out() == 0  # once
    (tried,) = plans
    main = read_plan(do.STUDY.read_text(encoding="utf-8"))
    assert tried.bootstrap.replicates == 2 < main.bootstrap.replicates
    assert tried.subgroups == ("sex",) and set(tried.measures) < set(main.measures)
    assert any(measure.is_joint for measure in tried.measures.values())
    same = {name: getattr(main, name) for name in ("bootstrap", "measures", "subgroups")}
    assert tried.model_copy(update=same) == main


def test_check_runs_all_and_fails_if_one_does(monkeypatch, capsys):
    seen = []

    def passes(name, words, is_beside=False):
        seen.append(name)
        return name != "lint"

    monkeypatch.setattr(do, "install", lambda uv, python: None)
    monkeypatch.setattr(do, "passes", passes)
    monkeypatch.setattr(
        do, "passes_beside", lambda name, words, deed: deed() or passes(name, words)
    )
    assert do.check("uv", "python") == 1
    assert seen == [
        "format",
        "lint",
        "stored notebooks",
        "documents",
        "tests",
        "types",
    ]
    assert "Failed: lint." in capsys.readouterr().out


def test_a_check_beside_another_deed_tells_all_at_its_end_and_ends_with_it(monkeypatch, capfd):
    monkeypatch.setattr(do, "program", lambda name: sys.executable)
    words = ["this"]
    assert do.passes_beside("one", words, lambda: do.run([sys.executable, "-c", "print('deed')"]))
    told = capfd.readouterr().out
    assert told.index("deed") < told.index("== one") < told.index("Zen")
    assert not do.passes_beside("none", ["no_such_module"], lambda: None)
    begun, begin = [], do.begin
    monkeypatch.setattr(do, "begin", lambda *a, **k: begun.append(begin(*a, **k)) or begun[0])
    with pytest.raises(KeyboardInterrupt):
        do.passes_beside("long", ["timeit", "-n", "1", "while True: pass"], do.stop)
    assert begun[0].poll() is not None


def test_demo_fails_without_pages(monkeypatch, capsys, tmp_path):
    steps = []
    monkeypatch.setattr(do, "setup", lambda uv, python: 0)
    monkeypatch.setattr(do, "run", steps.append)
    monkeypatch.setattr(do, "COUNTY", tmp_path / "county")
    monkeypatch.setattr(do, "OUT", tmp_path / "out")
    assert do.demo("uv", "python") == 1
    assert [step[1] for step in steps] == ["simulate", "run"]
    (tmp_path / "out" / "site").mkdir(parents=True)
    (tmp_path / "out" / "site" / "index.html").write_text("", encoding="utf-8")
    assert do.demo("uv", "python") == 0
    assert "index.html" in capsys.readouterr().out


SYSTEM_PYTHON = Path("/usr/bin/python3")


def is_managed(python: Path) -> bool:
    """Whether pip is forbidden to install into this interpreter (PEP 668)."""
    code = "import sysconfig, pip; print(sysconfig.get_path('stdlib'))"
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return answer.returncode == 0 and Path(answer.stdout.strip(), "EXTERNALLY-MANAGED").is_file()


@pytest.mark.skipif(
    not SYSTEM_PYTHON.exists() or not is_managed(SYSTEM_PYTHON), reason="no managed Python here"
)
def test_pip_installs_beside_a_managed_python(tmp_path):
    install = [SYSTEM_PYTHON, "-m", "pip", "install", "-q", "--no-index", make_wheel(tmp_path)]
    refused = subprocess.run(install, capture_output=True, text=True, env=do.environment())
    assert "externally-managed-environment" in refused.stderr
    target = tmp_path / "tools"
    subprocess.run([*install, "--target", target], check=True, env=do.environment())
    assert (target / "tiny.py").is_file()


def make_wheel(folder: Path) -> Path:
    wheel = folder / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        about = "tiny-1.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr(f"{about}/RECORD", "")
    return wheel


def test_an_audit_lists_materials_first_and_says_where_nobody_could_be_asked(
    monkeypatch, capsys, tmp_path
):
    called = []
    monkeypatch.setattr(do, "MATERIALS", tmp_path / "build" / "materials.cdx.json")
    monkeypatch.setattr(do, "run", lambda words: called.append(words[1]))
    monkeypatch.setattr(do, "begin", lambda words: called.append(words[1]))
    for code in (0, 2):
        monkeypatch.setattr(do, "finish", lambda process, code=code: code)
        assert do.audit("uv", "python") == code
    assert called == ["export", "audit"] * 2
    assert capsys.readouterr().out.count("needs a network") == 1
