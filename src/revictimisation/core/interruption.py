"""A command can be stopped at any moment: what it leaves on disk is whole, or not there.

The work is done in a thread of its own, so that the main thread, the only one that Python lets
answer a signal, is never inside a compiled loop, a query or a wait for others. It answers at once:
what is unfinished is taken away, the processes that were started are ended, and so is this one.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

# Ctrl-C, a polite kill, a closed terminal; Ctrl-Break on Windows.
SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
]
SIGNAL_CODE = 128  # a shell's exit code of a command that a signal ended, less the signal's number
LOOK_SECONDS = 0.2  # on Windows a wait without an end can't be interrupted
HOLD_SECONDS = 1.0

# Held while something is done that must not be cut in two, such as putting files in their places.
uncut = threading.RLock()
_undone: list[Callable[[], None]] = []


def at_stop(undo: Callable[[], None]) -> Callable[[], None]:
    """Have this done when the command is stopped, the last given first; usable as a decorator."""
    _undone.append(undo)
    return undo


def run_stoppable(work: Callable[[], int], say_stopped: Callable[[], None]) -> int:
    """Do the work, and give what it gives, unless a signal ends the process first.

    It then ends with 128 + the signal's number (Ctrl-C: 130), after a second at the latest. Signals
    that the caller has set to be ignored (`nohup`) stay ignored. What `work` raises is raised here.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    codes: list[int] = []
    faults: list[BaseException] = []

    def do() -> None:
        try:
            codes.append(work())
        except BaseException as fault:
            faults.append(fault)

    def stop(number: int, _frame: object) -> None:
        for other in heeded:
            signal.signal(other, signal.SIG_IGN)  # an impatient second Ctrl-C changes nothing
        uncut.acquire(timeout=HOLD_SECONDS)  # kept: from here on nobody puts or says anything
        for undo in (*reversed(_undone), say_stopped):
            with suppress(Exception):
                undo()
        os._exit(SIGNAL_CODE + number)

    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    worker = threading.Thread(target=do, name="work", daemon=True)
    try:
        worker.start()
        while worker.is_alive():
            worker.join(LOOK_SECONDS)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if faults:
        raise faults[0]
    return codes[0]
