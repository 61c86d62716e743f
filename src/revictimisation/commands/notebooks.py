"""Executes the report's notebooks, each in a kernel that ends with us and says nothing."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import weakref
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from revictimisation.core import files, interruption
from revictimisation.core.errors import RevictimisationError

_kernels: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()


@dataclass(frozen=True)
class NotebookTask:
    """One notebook to execute in one language, and where the result goes."""

    source: Path
    target: Path
    parameters: dict[str, str]

    @property
    def stage(self) -> str:
        """The task's name in the manifest."""
        return f"notebook {self.target.stem}"


def execute_notebook(task: NotebookTask, folder: Path) -> Path:
    """Execute one notebook by papermill in a folder of its own; gives the executed notebook there.

    Where it fails, what was executed is kept as the task's target.
    """
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    made = folder / task.target.name
    options = {"connection_file": str(folder / "kernel.json"), **_kernel_address(folder)}
    with closing(ensure_event_loop()):  # which papermill would make for this thread and leave open
        try:
            papermill.execute_notebook(
                str(task.source),
                str(made),
                parameters=task.parameters,
                kernel_name="python3",
                progress_bar=False,
                kernel_manager_class=_make_kernel_manager(),
                config=Config({"KernelManager": options}),
            )
        except PapermillExecutionError as fault:
            files.copy_whole(made, task.target)
            raise RevictimisationError(
                f"The notebook {task.source.name} stopped with {fault.ename}; see {task.target}."
            ) from None
    return made


def _kernel_address(folder: Path) -> dict[str, str]:
    """Speak to the kernel through files only we can read; Windows has but network ports."""
    if sys.platform == "win32":
        return {}
    return {"transport": "ipc", "ip": str(folder / "kernel")}


@functools.cache
def _make_kernel_manager() -> type[Any]:
    """The class that starts kernels: we know their processes, and what they write nobody sees."""
    from jupyter_client.manager import AsyncKernelManager

    class QuietKernelManager(AsyncKernelManager):
        """Starts a kernel without a voice on our terminal or a file in the user's home."""

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            own = {"IPYTHONDIR": str(Path(self.connection_file).parent / "ipython")}
            options["env"] = {**os.environ, **own}
            options["stderr"] = subprocess.DEVNULL
            await super().start_kernel(**options)
            _kernels.add(self.provisioner.process)  # type: ignore[union-attr]

    return QuietKernelManager


@interruption.at_stop
def end_kernels() -> None:
    """End every kernel at once: the command is being stopped."""
    for process in [*_kernels]:
        process.kill()
