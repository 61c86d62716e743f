"""How many threads are at work: as many as the command was asked for, however work is nested."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

A = TypeVar("A")
B = TypeVar("B")
# Linear algebra libraries open a thread per core and sum in an order that depends on how many.
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def keep_libraries_serial() -> None:
    """Let no linear algebra library open threads of its own; before NumPy is imported.

    What the user has set stands; OMP_NUM_THREADS holds for all of them.
    """
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    for name in LIBRARIES:
        os.environ.setdefault(name, threads)


class Workers:
    """At most `n` threads at work, the caller's among them.

    Work handed out from within work is shared with threads that are idle at the time, and done by
    who hands it out where none is: nobody waits for a thread that waits.

    Example:
        >>> with Workers(2) as workers:
        ...     workers.map(lambda n: sum(workers.map(abs, [-n, n])), [1, 2, 3])
        [2, 4, 6]
    """

    def __init__(self, n: int) -> None:
        self._helpers = ThreadPoolExecutor(n - 1, "worker") if n > 1 else None
        self._n = n

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._helpers is not None:
            self._helpers.shutdown(wait=kind is None, cancel_futures=True)

    def map(self, do: Callable[[A], B], items: Iterable[A]) -> list[B]:
        """`do` of each item, in their order; the first ones begun first.

        The first fault of any of them is raised, and what has not begun is left.
        """
        todo, lock = enumerate(items), threading.Lock()
        done: dict[int, B] = {}
        faults: list[BaseException] = []

        def work() -> None:
            while not faults:
                with lock:
                    given = next(todo, None)
                if given is None:
                    return
                place, item = given
                try:
                    done[place] = do(item)
                except BaseException as fault:
                    faults.append(fault)

        helpers = [] if self._helpers is None else [
            self._helpers.submit(work) for _ in range(self._n - 1)
        ]  # fmt: skip
        work()
        wait([helper for helper in helpers if not helper.cancel()])
        if faults:
            raise faults[0]
        return [done[place] for place in sorted(done)]
