"""Progress on the terminal: a bar for people, plain lines for logs, nothing under two seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

QUIET_SECONDS = 2.0


class Progress:
    """Tell which step of how many is under way, on standard error.

    On a terminal a bar with the elapsed time; elsewhere a line per step that begins after the
    first two seconds. `tell(step)` begins the next step.
    """

    def __init__(self, n_steps: int) -> None:
        """Prepare for a known number of steps."""
        self.n_steps = n_steps
        self.n_begun = 0
        self.began = time.monotonic()
        self.bar: RichProgress | None = None

    def __enter__(self) -> Progress:
        """Show the bar where there is a terminal."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("", total=self.n_steps)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self.bar:
            self.bar.stop()

    def skip(self, n_steps: int) -> None:
        """There are so many steps fewer than was thought; more, where it is negative."""
        self.n_steps -= n_steps
        if self.bar:
            self.bar.update(self.task, total=self.n_steps)

    def tell(self, step: str) -> None:
        """Begin a step."""
        self.n_begun += 1
        if self.bar:
            self.bar.update(self.task, description=step, completed=self.n_begun - 1)
        elif time.monotonic() - self.began > QUIET_SECONDS:
            print(f"[{self.n_begun}/{self.n_steps}] {step}", file=sys.stderr, flush=True)
