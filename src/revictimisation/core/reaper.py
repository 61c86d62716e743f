"""Takes temporary files away where the process that made them was killed: a shell waits for it.

What is to go is told to it line by line; the line ends with the process, and then it all goes.
Where there is no such shell (Windows) the next start clears what was left.
"""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from pathlib import Path

SHELL = "/bin/sh"
# Twice: processes that worked for the one that was killed end a moment later.
SCRIPT = """
while IFS= read -r path; do set -- "$@" "$path"; done
rm -rf -- "$@"; sleep 1; rm -rf -- "$@"
"""


def remove_at_death(path: Path) -> None:
    """Have a file or folder removed when this process has ended, also where it was killed."""
    line = _start()
    told = os.fsencode(path.absolute()) + b"\n"
    if line is not None and told.count(b"\n") == 1:
        with suppress(OSError):
            os.write(line, told)


@functools.cache
def _start() -> int | None:
    """Start the shell, in a session of its own; gives the line to it."""
    if not os.path.exists(SHELL) or not hasattr(os, "posix_spawn"):
        return None
    theirs, ours = os.pipe()
    streams = [
        (os.POSIX_SPAWN_DUP2, theirs, 0),
        *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)),
    ]
    words, beside = [SHELL, "-c", SCRIPT, SHELL], {"PATH": os.defpath}
    try:
        os.posix_spawn(SHELL, words, beside, file_actions=streams, setsid=True)
    except (OSError, NotImplementedError):
        os.close(ours)
        return None
    finally:
        os.close(theirs)
    return ours
