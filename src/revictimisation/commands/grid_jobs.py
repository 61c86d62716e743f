"""A row of a table of runs as something to do: its places, its tables, its command or notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from revictimisation.commands.estimate import begin, estimate_study, make_tables
from revictimisation.commands.folders import NOTEBOOKS, RESTRICTED
from revictimisation.commands.manifest import ESTIMATE, Run, check_call, open_run
from revictimisation.commands.notebooks import NotebookTask, execute_notebook
from revictimisation.commands.progress import Progress
from revictimisation.commands.run import run_study
from revictimisation.commands.terminal import explain_fault
from revictimisation.core import files
from revictimisation.core.errors import EXIT_DONE, RevictimisationError
from revictimisation.plan.grid import RUN, GridRow, write_study

STUDIES, RUNS, TABLES = "studies", "runs", "tables"


@dataclass(frozen=True)
class Job:
    """A row of the table with its places, and what went wrong, if anything has so far."""

    row: GridRow
    study: Path
    data: Path
    out: Path
    tables: Path
    notebook: Path | None = None
    fault: RevictimisationError | None = None

    @property
    def name(self) -> str:
        """The row's."""
        return self.row.name

    @property
    def exit_code(self) -> int:
        """As the command of the row would have ended."""
        return EXIT_DONE if self.fault is None else self.fault.exit_code

    @property
    def command(self) -> str:
        """What does the row by itself."""
        if self.notebook is not None:
            return f"papermill {self.notebook.as_posix()}"
        study, data, out = (path.as_posix() for path in (self.study, self.data, self.out))
        return f"revictimisation {self.row.job} {study} --data {data} --out {out}"

    def read_run(self, jobs: int = 1) -> Run:
        """Its run as it stands."""
        return open_run(self.study, self.data, self.out, self.command, jobs, self.tables)

    def is_done(self) -> bool:
        """Whether its estimates, or its notebook, still hold: what its tables are needed for."""
        run = self.read_run()
        if self.notebook is None:
            return run.is_done(ESTIMATE, run.key(ESTIMATE))
        return run.is_done(self.task.stage, self.key_notebook(run))

    @property
    def task(self) -> NotebookTask:
        """Its notebook, which holds exact numbers once it is executed."""
        assert self.notebook is not None
        target = self.out / RESTRICTED / NOTEBOOKS / self.notebook.name
        told = {"study": f"{STUDIES}/{self.study.name}", "data": "", "out": "../..", "tables": ""}
        return NotebookTask(self.notebook, target, {**told, **self.row.read_given()})

    def key_notebook(self, run: Run) -> str:
        """What its notebook depends on, beside what all of the run does."""
        return run.key(files.hash_file(self.task.source), dict(self.row.read_given()))


def prepare_job(row: GridRow, grid: Path, out: Path) -> Job:
    """Write the row's own study file, and find its places; the fault where it has one."""
    study = out / STUDIES / f"{row.name}.yaml"
    job = Job(row, study, Path(row.data), out / RUNS / row.name, out / TABLES)
    try:
        text, _ = write_study(files.read_text(_find(row.study, grid)), row)
        row.read_given()
        if not (study.is_file() and files.read_text(study) == text):
            files.write_text(study, text)
        book = _find(row.job, grid) if row.is_notebook else None
        if book is not None:
            files.check_readable([book])
        job = replace(job, data=_find(row.data, grid), notebook=book)
        check_call(job.study, job.data, job.out)
    except Exception as fault:
        return replace(job, fault=explain_fault(fault))
    return job


def _find(path: str, grid: Path) -> Path:
    """A path of the table: from the working folder, else from the table's own."""
    beside = grid.parent / path
    return beside if beside.exists() and not Path(path).exists() else Path(path)


class Quiet(Progress):
    """Tells no step, and keeps what is to be said."""

    def __init__(self) -> None:
        super().__init__(0)
        self.notes: list[str] = []

    def __enter__(self) -> Progress:
        """No bar."""
        return self

    def __exit__(self, *_fault: object) -> None:
        """Nothing to take away."""

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)

    def tell(self, step: str, **words: Mapping[str, str]) -> None:
        """Nothing."""


def keep_tables_of(job: Job, jobs: int) -> list[str]:
    """Make the tables of a row and keep them for all that share them; what is to be said."""
    from revictimisation.cohort.kept_tables import keep_tables

    telling, run = Quiet(), job.read_run(jobs)
    kept = make_tables(run, telling)
    run.check_unchanged(is_thorough=True)
    keep_tables(run.find_tables(), kept, run.inputs)
    return telling.notes


def estimate_job(job: Job) -> list[str]:
    """The command `estimate` of a row on one core; what is to be said."""
    telling = Quiet()
    _do(estimate_study, job, 1, telling)
    return telling.notes


def do_job(job: Job, jobs: int) -> list[str]:
    """Do all of a row that is not done yet; what is to be said."""
    telling = Quiet()
    if job.notebook is not None:
        _run_notebook(job, telling)
    else:
        _do(run_study if job.row.job == RUN else estimate_study, job, jobs, telling)
    return telling.notes


def _do(command: Any, job: Job, jobs: int, telling: Progress) -> None:
    places = (job.study, job.data, job.out)
    command(*places, job.command, jobs, tables=job.tables, telling=telling)


def _run_notebook(job: Job, telling: Progress) -> None:
    """Execute a row's notebook: it and what it wrote are a stage of the row's manifest."""
    with begin(job.study, job.data, job.out, job.command, 1, telling, job.tables) as work:
        task, key = job.task, job.key_notebook(work)
        if work.is_done(task.stage, key):
            return
        with files.private_folder() as folder, work.finish(task.stage, key) as stage:
            places = {"study": work.study, "data": work.data, "out": stage}
            places["tables"] = work.find_tables()
            whole = {name: path.absolute() for name, path in places.items()}
            made = execute_notebook(replace(task, places=whole), Path(folder), work.about)
            files.copy_whole(made, stage / task.target.relative_to(work.out))
