"""Processes that work beside ours: warm from the start where the system can fork; they end with us.

They say nothing on our terminal: what they have to say is what they give.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import util
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from revictimisation.core import files, interruption
from revictimisation.core.errors import RevictimisationError
from revictimisation.core.surroundings import refuse

LONGEST_ADDRESS = 103  # of a socket that is a file, as a whole path
WARM = "revictimisation.commands.warm"
_started: weakref.WeakSet[BaseProcess] = weakref.WeakSet()


def start(target: Callable[..., None], *given: object) -> BaseProcess:
    """Start a process that does this; `target` is a function of a module."""
    process: BaseProcess = _find_context().Process(target=_begin, args=(target, given), daemon=True)
    with _without_ctrl_c():
        process.start()
    _started.add(process)
    return process


def call(function: Callable[..., Any], *given: object) -> Any:
    """What a function of a module gives in a process of its own; what it raises is raised here."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = start(_answer, theirs, function, given)
    theirs.close()
    with ours:
        try:
            value, fault = ours.recv()
        except EOFError:
            value, fault = None, RevictimisationError("A process that made a page was ended.")
    process.join()
    if fault is not None:
        raise fault
    return value


@functools.cache
def _find_context() -> Any:
    # What they write for a while lies among our own temporary files, and goes with these.
    os.environ["TMPDIR"] = str(files.scratch())
    can_fork = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if can_fork else "spawn")
    if can_fork:
        context.set_forkserver_preload([WARM])
        spoken_to = Path(util.get_temp_dir())
        files.remove_at_stop(spoken_to)
        check_address(spoken_to / "listener-12345678")
    return context


def check_address(path: Path) -> None:
    """Raise `UsageError` where a socket's path would be longer than the system takes."""
    if len(os.fsencode(path)) > LONGEST_ADDRESS:
        raise refuse(
            "TMPDIR",
            "mappen för tillfälliga filer har en för lång sökväg. Ge TMPDIR en kortare",
            "the folder for temporary files has too long a path. Set TMPDIR to a shorter one",
        )


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """What is started here is not reached by Ctrl-C, which everything on a terminal gets: we are,
    and end it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(target: Callable[..., None], given: tuple[object, ...]) -> None:
    files.silence()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    target(*given)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(pipe: Connection, function: Callable[..., Any], given: tuple[object, ...]) -> None:
    try:
        pipe.send((function(*given), None))
    except Exception as fault:
        pipe.send((None, fault))


@interruption.at_stop
def end_all() -> None:
    """End every process at once: the command is being stopped."""
    for process in [*_started]:
        process.kill()
