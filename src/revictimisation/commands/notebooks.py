"""Executes the report's notebooks by papermill, each in a kernel that ends with us."""

from __future__ import annotations

import functools
import os
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from revictimisation.commands import processes
from revictimisation.core import files
from revictimisation.core.errors import RevictimisationError


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
                request_save_on_cell_execute=False,
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
    """The class that starts kernels: warm, and without a file in the user's home."""
    from jupyter_client.manager import AsyncKernelManager

    class WarmKernelManager(AsyncKernelManager):
        """Starts a kernel as a process of ours."""

        async def _async_launch_kernel(self, kernel_cmd: list[str], **_options: Any) -> None:
            self.provisioner.process = Kernel(self.connection_file)  # type: ignore[union-attr]

    return WarmKernelManager


class Kernel:
    """A process that serves a connection file, with what jupyter_client asks of a `Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, connection_file: str) -> None:
        """Start it."""
        self.process = processes.start(serve_kernel, connection_file)
        self.pid = self.process.pid
        self.kill, self.terminate = self.process.kill, self.process.terminate

    def poll(self) -> int | None:
        """The exit code, None as long as it runs."""
        return self.process.exitcode

    def wait(self) -> int | None:
        """Wait for its end."""
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal to it."""
        if self.pid and self.process.is_alive():
            os.kill(self.pid, number)


def serve_kernel(connection_file: str) -> None:
    """Be a kernel until told to end."""
    import matplotlib as mpl
    from ipykernel.kernelapp import launch_new_instance

    sys.modules["debugpy"] = None  # type: ignore[assignment]  # nobody debugs what is executed here
    # A kernel gets it by the environment where matplotlib comes after it. Not `mpl.use`: pyplot may
    # be loaded, and would then load it here, where there is no shell to show figures in.
    mpl.rcParams["backend"] = "inline"
    os.environ["IPYTHONDIR"] = str(Path(connection_file).parent / "ipython")
    launch_new_instance(argv=["-f", connection_file])
