"""`--jobs` is how many threads are at work, however deep the work is nested."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from revictimisation.core.workers import LIBRARIES, Workers, keep_libraries_serial
from tests.cases import for_each

SOURCE = Path(__file__).parents[2] / "src" / "revictimisation"


@for_each("n", [1, 2, 3])
def test_nested_work_is_done_by_so_many_threads_and_no_more(n):
    at_work, most, lock = set(), 0, threading.Lock()

    def rest(_: int) -> None:
        nonlocal most
        with lock:
            at_work.add(threading.get_ident())
            most = max(most, len(at_work))
        time.sleep(0.005)
        with lock:
            at_work.discard(threading.get_ident())

    with Workers(n) as workers:
        workers.map(lambda _: workers.map(rest, range(6)), range(5))
    assert most == n


def test_answers_come_in_order_and_the_first_fault_is_raised():
    with Workers(3) as workers:
        assert workers.map(lambda k: k * k, range(20)) == [k * k for k in range(20)]
        assert workers.map(abs, []) == []
        with pytest.raises(ZeroDivisionError):
            workers.map(lambda k: 1 // k, [3, 0, 2])


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_linear_algebra_opens_no_threads():
    code = (
        "import os; from revictimisation.core.workers import keep_libraries_serial;"
        "keep_libraries_serial(); import numpy as np, scipy.linalg;"
        "x = np.ones((900, 900)); x @ x; print(len(os.listdir('/proc/self/task')))"
    )
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**{k: v for k, v in os.environ.items() if k not in LIBRARIES}, "PYTHONPATH": path},
    )  # fmt: skip
    assert int(done.stdout) == 1


def test_the_users_own_number_of_threads_stands(monkeypatch):
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "2"})
    keep_libraries_serial()
    assert [os.environ[name] for name in LIBRARIES] == ["3", "3", "2", "3"]


def test_no_other_module_decides_how_many_threads_there_are():
    """Besides the engine's watch over a query, the notebooks, which are processes, and defaults."""
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if any(word in path.read_text("utf-8") for word in ("ThreadPoolExecutor(", "cpu_count("))
    }
    assert found == {"core/workers.py", "core/engine.py", "commands/run.py", "commands/options.py",
                     "api/study.py"}  # fmt: skip
