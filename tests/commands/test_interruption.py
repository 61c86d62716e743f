"""Ctrl-C and kill: at once, whole or absent, no stray word. Many: benchmarks/interrupt.py."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from revictimisation.core import interruption

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are not to be had", allow_module_level=True)

from tests.commands.pty_session import Session, list_leftovers, list_processes, list_stray

COMMAND = [sys.executable, "-m", "revictimisation"]
LIMIT_SECONDS = 3.0
KERNEL = """
import sys
from pathlib import Path
from revictimisation.core import interruption
from revictimisation.commands.notebooks import NotebookTask, execute_notebook

source, folder = Path(sys.argv[1]), Path(sys.argv[2])
folder.mkdir()
task = NotebookTask(source, folder / "never.ipynb", {"language": "en"})
interruption.run_stoppable(lambda: execute_notebook(task, folder), lambda: print("stopped"))
"""


@pytest.fixture
def temporary(monkeypatch):
    """A folder for temporary files that nobody else uses; short, as sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="t") as name:
        monkeypatch.setenv("TMPDIR", name)
        yield Path(name)


def test_a_command_stops_at_once_and_leaves_nothing_half_made(tmp_path, temporary):
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        out = tmp_path / "deep" / "county"
        session = Session([*COMMAND, "simulate", out, "--people", "200000"])
        session.wait_for("Hittar på länet", 60)
        time.sleep(1.5)
        took = session.stop(number)
        session.close()
        assert took is not None and took < LIMIT_SECONDS
        assert session.process.returncode == code
        assert "Avbrutet" in session.shown and list_stray(session.shown) == []
        assert session.shown.endswith("go on.\r\n")
        assert session.shown.rfind("\x1b[?25h") > session.shown.rfind("\x1b[?25l")  # the cursor
        assert not out.parent.exists()
        assert [*temporary.iterdir()] == []


def test_a_kernel_ends_with_us_and_without_a_word(tmp_path, temporary):
    running = tmp_path / "running"
    cell = f"import pathlib, time; pathlib.Path({str(running)!r}).touch(); time.sleep(600)"
    code = {"cell_type": "code", "source": cell, "outputs": [], "execution_count": None}
    kernel = {"name": "python3", "language": "python", "display_name": "Python"}
    book = {"cells": [{**code, "metadata": {}}], "nbformat": 4, "nbformat_minor": 4}
    source = tmp_path / "sleep.ipynb"
    source.write_text(json.dumps({**book, "metadata": {"kernelspec": kernel}}))
    session = Session([sys.executable, "-c", KERNEL, source, tmp_path / "k"])
    end = time.monotonic() + 60
    while not running.exists():
        assert time.monotonic() < end and session.read(0.1), session.shown
    kernels = str(temporary)
    assert len(list_processes(kernels)) >= 3  # the command, the kernel, and what it came from
    took = session.stop()
    session.close()
    assert took is not None and took < LIMIT_SECONDS
    assert session.process.returncode == 130
    end = time.monotonic() + LIMIT_SECONDS
    while list_processes(kernels) and time.monotonic() < end:
        time.sleep(0.05)
    assert list_processes(kernels) == []
    assert list_stray(session.shown) == [] and "stopped" in session.shown
    assert not (tmp_path / "never.ipynb").exists()
    assert list_leftovers(temporary) == [] == [*temporary.iterdir()]


def test_what_the_work_gives_or_raises_comes_back_and_handlers_too():
    before = signal.getsignal(signal.SIGTERM)
    assert interruption.run_stoppable(lambda: 7, lambda: None) == 7
    with pytest.raises(KeyError):
        interruption.run_stoppable(lambda: {}["none"], lambda: None)
    assert signal.getsignal(signal.SIGTERM) is before
