"""`--jobs` is how many are at work, however deep the work is nested."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from revictimisation.commands import processes
from revictimisation.core.errors import RevictimisationError
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
    assert found == {"core/engine.py", "commands/run.py", "commands/options.py", "api/study.py"}


def test_what_is_begun_is_told_here_once_each_and_in_order():
    begun = []
    with Workers(1) as workers:
        workers.map(abs, [3, 1, 2], begun.append)
    assert begun == [3, 1, 2]


def test_a_helper_whose_place_is_not_open_yet_is_not_waited_for():
    is_over = threading.Event()

    @contextmanager
    def open_late():
        is_over.wait()
        yield lambda do: pytest.fail("nothing was left to do")

    with Workers(2, open_late) as workers:
        assert workers.map(abs, [-1, -2]) == [1, 2]
    is_over.set()


def test_a_process_does_what_it_takes_elsewhere_and_the_answers_are_the_same():
    with Workers(2, processes.open_place, processes.pack) as workers:
        numbers = workers.map(find_process, range(8))
        assert workers.map(divmod_by_3, range(8)) == [divmod(k, 3) for k in range(8)]
    with processes.open_place() as place:
        assert place(processes.pack(find_process))(0) not in (os.getpid(), 0)
    assert os.getpid() in numbers and len(set(numbers)) <= 2


def test_work_is_packed_before_anybody_fills_caches_of_what_it_holds():
    began, packed = [], []

    def pack(do):
        packed.append(list(began))
        return do

    with Workers(2, pack=pack) as workers:
        workers.map(began.append, range(3))
    assert packed == [[]]


def test_a_helper_that_can_open_no_place_is_done_without():
    @contextmanager
    def fail():
        raise RevictimisationError("no memory")
        yield

    with Workers(2, fail) as workers:
        assert workers.map(abs, [-1, -2]) == [1, 2]


def find_process(_: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def divmod_by_3(k: int) -> tuple[int, int]:
    return divmod(k, 3)
