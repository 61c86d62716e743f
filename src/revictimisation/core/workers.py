"""How many are at work: as many as the command was asked for, however work is nested."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from revictimisation.core.errors import RevictimisationError

A = TypeVar("A")
B = TypeVar("B")
# Gives a function that does in another place what was packed for it.
Place = Callable[[Any], Callable[[Any], Any]]
# Linear algebra libraries open a thread per core and sum in an order that depends on how many.
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def keep_libraries_serial() -> None:
    """Let no linear algebra library open threads of its own; before NumPy is imported.

    What the user has set stands; OMP_NUM_THREADS holds for all of them.
    """
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    for name in LIBRARIES:
        os.environ.setdefault(name, threads)


@contextmanager
def _here() -> Iterator[Place]:
    yield lambda do: do


class Workers:
    """At most `n` at work: the caller's thread, and helpers that take what is next when they can.

    A helper is a thread; what it takes it does in the place that it opens for itself: `here`, or a
    process of its own. One whose place is not open yet is not waited for, and one that can't open
    it helps nobody. What is to be done is packed for those places before anybody begins, as work
    fills caches of the data that it is done with. Work handed out from
    within work is shared with helpers that are idle at the time, and done by who hands it out where
    none is: nobody waits for a helper that waits.

    Example:
        >>> with Workers(2) as workers:
        ...     workers.map(lambda n: sum(workers.map(abs, [-n, n])), [1, 2, 3])
        [2, 4, 6]
    """

    def __init__(
        self,
        n: int,
        open_place: Callable[[], AbstractContextManager[Place]] = _here,
        pack: Callable[[Any], Any] = lambda do: do,
    ) -> None:
        self._open_place, self._pack = open_place, pack
        self._offers: queue.SimpleQueue[_Work[Any, Any] | None] = queue.SimpleQueue()
        self._helpers = [threading.Thread(target=self._help, daemon=True) for _ in range(n - 1)]

    def __enter__(self) -> Self:
        for helper in self._helpers:
            helper.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _ in self._helpers:
            self._offers.put(None)

    def map(
        self,
        do: Callable[[A], B],
        items: Iterable[A],
        begin: Callable[[A], object] = lambda item: None,
    ) -> list[B]:
        """`do` of each item, in their order; the first ones begun first.

        `begin` is called here with each item that is begun. The first fault of any of them is
        raised, and what has not begun is left.
        """
        packed = self._pack(do) if self._helpers else None
        work: _Work[A, B] = _Work(packed, items, begin)
        for _ in self._helpers:
            self._offers.put(work)
        work.take_part(do)
        return work.wait()

    def _help(self) -> None:
        with suppress(RevictimisationError), self._open_place() as place:
            while (work := self._offers.get()) is not None:
                work.help(place)


def map_here(
    do: Callable[[A], B], items: Iterable[A], begin: Callable[[A], object] = lambda item: None
) -> list[B]:
    """As `Workers.map`, by the caller alone."""
    return Workers(1).map(do, items, begin)


class _Work(Generic[A, B]):
    """Items that several do: what is left of them, how many are under way, what is done."""

    def __init__(self, packed: Any, items: Iterable[A], begin: Callable[[A], object]) -> None:
        self._packed, self._begin = packed, begin
        self._left = deque(enumerate(items))
        self._under_way = 0
        self._done: dict[int, B] = {}
        self._faults: list[BaseException] = []
        self._changed = threading.Condition()

    def help(self, place: Place) -> None:
        """Take what is next in another place, if anything is left."""
        if self._left:
            self.take_part(place(self._packed))

    def take_part(self, do: Callable[[A], B]) -> None:
        """Take what is next as long as anything is left."""
        while (taken := self._take()) is not None:
            place, item = taken
            try:
                self._begin(item)
                self._done[place] = do(item)
            except BaseException as fault:
                self._faults.append(fault)
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _take(self) -> tuple[int, A] | None:
        with self._changed:
            if self._faults or not self._left:
                return None
            self._under_way += 1
            return self._left.popleft()

    def wait(self) -> list[B]:
        """What is done, as soon as nothing is under way."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way)
        if self._faults:
            raise self._faults[0]
        return [self._done[place] for place in sorted(self._done)]
