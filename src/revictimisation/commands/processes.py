"""Processes that work beside ours: warm from the start where the system can fork; they end with us.

There they all come from one process that has loaded what they will need (`preload`). They say
nothing on our terminal: what they have to say is what they give.
"""

from __future__ import annotations

import functools
import gc
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, util
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from revictimisation.core import files, interruption
from revictimisation.core.errors import RevictimisationError
from revictimisation.core.surroundings import refuse
from revictimisation.core.workers import Place

LONGEST_ADDRESS = 103  # of a socket that is a file, as a whole path
ANALYSES = "revictimisation.commands.pipeline"
PAGES = "revictimisation.commands.warm"
ENDED = (
    "En process som arbetade åt kommandot avslutades, kanske för att minnet tog slut. Kör igen, "
    "med --jobs 1 om det händer på nytt.\n"
    "A process that worked for the command was ended, perhaps as memory ran out. Run again, with "
    "--jobs 1 if it happens once more."
)
_preloaded: list[str] = []
_started: weakref.WeakSet[BaseProcess] = weakref.WeakSet()


def start(target: Callable[..., None], *given: object) -> BaseProcess:
    """Start a process that does this; `target` is a function of a module."""
    process: BaseProcess = _find_context().Process(target=_begin, args=(target, given), daemon=True)
    with _without_ctrl_c():
        process.start()
    _started.add(process)
    return process


@contextmanager
def open_place() -> Iterator[Place]:
    """A process of its own, for `Workers`; what is raised there is raised here.

    It is given what `pack` packed, of modules. It ends with the block.
    """
    ours, theirs = multiprocessing.Pipe()
    process = start(_serve, theirs)
    theirs.close()

    def receive() -> Any:
        try:
            value, fault = ours.recv()
        except (EOFError, ConnectionError):
            raise RevictimisationError(ENDED) from None
        if fault is not None:
            raise fault
        return value

    def place(packed: bytes) -> Callable[..., Any]:
        send(packed)

        def ask(*given: object) -> Any:
            send(pickle.dumps(given))
            return receive()

        return ask

    def send(packed: bytes) -> None:
        try:
            ours.send_bytes(packed)
        except ConnectionError:
            raise RevictimisationError(ENDED) from None

    with ours:
        receive()
        yield place
    process.join()


def pack(do: Callable[..., Any]) -> bytes:
    """A function, with what it holds, as processes are given it; what is done here meanwhile does
    not change it."""
    return pickle.dumps(do)


def call(function: Callable[..., Any], *given: object) -> Any:
    """What a function of a module gives in a process of its own; what it raises is raised here."""
    with open_place() as place:
        return place(pack(function))(*given)


def preload(*modules: str) -> None:
    """Have the process that the others come from load these, before the first of them is begun."""
    _preloaded.extend(module for module in modules if module not in _preloaded)


def warm_up() -> None:
    """Begin to load what processes will need, while we do something else."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        _find_context()
        with _without_ctrl_c():
            forkserver.ensure_running()


@functools.cache
def _find_context() -> Any:
    # What they write for a while lies among our own temporary files, and goes with these.
    os.environ["TMPDIR"] = str(files.scratch())
    can_fork = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if can_fork else "spawn")
    if can_fork:
        context.set_forkserver_preload(_preloaded)
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
    gc.freeze()  # what was loaded before stays: to look for garbage there would copy it
    gc.set_threshold(50_000)
    files.silence()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    target(*given)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _serve(pipe: Connection) -> None:
    """Say that we are up; then do what we are given last with each thing that we are given."""
    do: Callable[..., Any] = tuple
    pipe.send((None, None))
    while True:
        try:
            given = pipe.recv()
        except EOFError:
            return
        if not isinstance(given, tuple):
            do = given
            continue
        try:
            pipe.send((do(*given), None))
        except Exception as fault:
            fault.add_note("".join(traceback.format_tb(fault.__traceback__)))
            pipe.send((None, fault))


@interruption.at_stop
def end_all() -> None:
    """End every process at once: the command is being stopped."""
    for process in [*_started]:
        process.kill()
