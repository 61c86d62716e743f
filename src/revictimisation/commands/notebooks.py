"""Executes the report's notebooks by papermill, each in a kernel that ends with us."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from revictimisation.commands import processes
from revictimisation.core import files
from revictimisation.core.errors import RevictimisationError

INJECTED = "injected-parameters"  # papermill's tag of the cell that it puts in
KEPT_METADATA = ("kernelspec", "language_info")
DROPPED_METADATA = ("papermill", "execution")
TABLE = re.compile(r'<div id=\\"([a-z]{10})\\"')  # what great_tables calls a table, drawn at random
ADDRESS = re.compile(r" at 0x[0-9a-f]{4,}")  # where an object lay in memory


@dataclass(frozen=True)
class NotebookTask:
    """One notebook to execute in one language, and where the result goes.

    `parameters` are those that the executed notebook tells; `places` are told so, and are where
    this run has them.
    """

    source: Path
    target: Path
    parameters: Mapping[str, str]
    places: Mapping[str, Path] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The task's name in the manifest."""
        return f"notebook {self.target.stem}"


def execute_notebook(
    task: NotebookTask, folder: Path, about: Mapping[str, str] = MappingProxyType({})
) -> Path:
    """Execute one notebook by papermill in a folder of its own; gives the executed notebook there.

    It tells what it is `about` in its metadata, and neither a place nor a moment. Where it fails,
    what was executed is kept as the task's target.
    """
    spare_grammar()
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    processes.preload(processes.PAGES)
    made = folder / task.target.name
    options = {"connection_file": str(folder / "kernel.json"), **_kernel_address(folder)}
    places = {name: str(path) for name, path in task.places.items()}
    with closing(ensure_event_loop()):  # which papermill would make for this thread and leave open
        try:
            papermill.execute_notebook(
                str(task.source),
                str(made),
                parameters={**task.parameters, **places},
                kernel_name="python3",
                progress_bar=False,
                request_save_on_cell_execute=False,
                kernel_manager_class=_make_kernel_manager(),
                config=Config({"KernelManager": options}),
            )
        except PapermillExecutionError as fault:
            _leave_out_surroundings(made, task, folder, about)
            files.copy_whole(made, task.target)
            raise RevictimisationError(
                f"The notebook {task.source.name} stopped with {fault.ename}; see {task.target}."
            ) from None
    _leave_out_surroundings(made, task, folder, about)
    return made


def spare_grammar() -> None:
    """Load what papermill checks notebooks with, without the grammar that it would compile first.

    It takes 2 s in each process and is for addresses in any alphabet, of which no notebook's schema
    has one.
    """
    name = "rfc3987_syntax"
    if name not in sys.modules:
        sys.modules[name] = None  # type: ignore[assignment]
        import nbformat  # noqa: F401

        sys.modules.pop(name, None)


def _leave_out_surroundings(
    path: Path, task: NotebookTask, folder: Path, about: Mapping[str, str]
) -> None:
    """Take out of an executed notebook where and when it was: the same cells, the same bytes."""
    import nbformat
    from papermill.parameterize import parameterize_notebook

    notebooks: Any = nbformat  # it comes without types
    book = notebooks.read(path, as_version=nbformat.NO_CONVERT)
    book = parameterize_notebook(book, dict(task.parameters))
    kept = {name: book.metadata[name] for name in KEPT_METADATA if name in book.metadata}
    book.metadata = notebooks.from_dict({**kept, **about})
    for cell in book.cells:
        for name in DROPPED_METADATA:
            cell.metadata.pop(name, None)
        if INJECTED in cell.metadata.get("tags", ()):
            cell.id = INJECTED
    text = ADDRESS.sub("", notebooks.writes(book))
    for number, drawn in enumerate(dict.fromkeys(TABLE.findall(text)), start=1):
        text = text.replace(drawn, f"table{number}")
    hidden = {**{str(place): name.upper() for name, place in task.places.items()},
              str(folder): "TMP", sys.prefix: "PYTHON", str(Path.home()): "~"}  # fmt: skip
    for place, name in hidden.items():
        if len(place) > 1:  # a home at the root is everywhere
            text = text.replace(json.dumps(place, ensure_ascii=False)[1:-1], name)
    files.write_text(path, text + "\n")


def _kernel_address(folder: Path) -> dict[str, str]:
    """Speak to the kernel through files only we can read; Windows has but network ports."""
    if sys.platform == "win32":
        return {}
    processes.check_address(folder / "kernel-5")
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
    from ipykernel.iostream import IOPubThread
    from ipykernel.kernelapp import launch_new_instance

    IOPubThread._setup_pipe_in = _open_no_port
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # nobody debugs what is executed here
    os.environ["IPYTHONDIR"] = str(Path(connection_file).parent / "ipython")
    # matplotlib came before the kernel, which would else tell it where figures go; what tables are
    # called by is drawn at random, the same each time
    settings = {"matplotlib": "inline", "exec_lines": "__import__('random').seed(0)"}
    words = [f"--InteractiveShellApp.{name}={value}" for name, value in settings.items()]
    launch_new_instance(argv=["-f", connection_file, *words])


def _open_no_port(thread: Any) -> None:
    """What processes that a cell forks say is not waited for, as a kernel does at a port."""
    thread._pipe_flag = False
