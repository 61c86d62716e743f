"""Locks that the system holds on a file: they go with the process, however that ends."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

# What the system says where another holds it; all else says that its file system knows no locks.
HELD = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}

if sys.platform == "win32":
    import msvcrt

    def _hold(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _hold(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def seize(path: Path) -> int | None:
    """Hold the lock of a file, which is made; its handle, or None where another holds it.

    `OSError` where the file can't be made. A file that a process left behind holds nobody out.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _hold(handle)
        except OSError as fault:
            if fault.errno in HELD:
                os.close(handle)
                return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)  # who held it has just taken the file away


def release(path: Path, handle: int) -> None:
    """Let go of a lock; its file is gone."""
    if sys.platform == "win32":  # which removes no file that is open
        os.close(handle)
    with suppress(OSError):
        path.unlink()
    if sys.platform != "win32":
        os.close(handle)
