"""A command on a terminal of its own, as a user has it: what it shows, Ctrl-C, what it leaves."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CTRL_C = b"\x03"
STRAY = (
    "Traceback",
    "KeyboardInterrupt",
    "zmq",
    "traitlets",
    "Warning",
    "IPKernelApp",
    "Exception",
)


class Session:
    """A command under way on a pseudo-terminal, its standard streams and control terminal."""

    def __init__(self, words: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **(env or {})},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self.line, self.shown = ours, ""

    def read(self, seconds: float) -> bool:
        """Take what is shown within so many seconds; False when the command has let go of it."""
        if not select.select([self.line], [], [], seconds)[0]:
            return True
        try:
            got = os.read(self.line, 1 << 16)
        except OSError:  # Linux: nobody holds the other end
            return False
        self.shown += got.decode("utf-8", "replace")
        return bool(got)

    def wait_for(self, text: str, seconds: float) -> None:
        """Wait until a text is shown."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end and self.read(0.1), f"{text!r} not in {self.shown!r}"

    def wait(self, seconds: float) -> float | None:
        """Read until the command ends; how long that took, None if it did not."""
        begun = time.monotonic()
        while self.process.poll() is None:
            if time.monotonic() - begun > seconds:
                return None
            if not self.read(0.02):
                time.sleep(0.01)
        took = time.monotonic() - begun
        while select.select([self.line], [], [], 0)[0] and self.read(0):
            pass
        return took

    def stop(self, number: int = signal.SIGINT, seconds: float = 60) -> float | None:
        """Press Ctrl-C, or send another signal to the command alone; seconds until it ended."""
        if number == signal.SIGINT:
            os.write(self.line, CTRL_C)
        else:
            self.process.send_signal(number)
        return self.wait(seconds)

    def close(self) -> None:
        """Let go of the terminal, and end the command where it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.line)


def _take_terminal() -> None:
    """As a login does: this terminal is in control, and Ctrl-C on it is heeded."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell ignores it in what it starts behind it


def list_processes(mark: str) -> list[str]:
    """The command lines of other processes that, or whose environment, name something, such as a
    folder of temporaries."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, given = ((folder / name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:
            continue
        if mark.encode() in command + given and folder.name != str(os.getpid()):
            found.append(command.replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


def list_stray(shown: str) -> list[str]:
    """What no user should see of libraries and kernels."""
    return [word for word in STRAY if word in shown]


def list_leftovers(*folders: Path) -> list[str]:
    """What is half written, or was for a while only."""
    return sorted(
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.name.endswith(".part") or path.name.startswith((".unfinished-", "revictimisation-"))
    )
