"""The command `run-many`: a table of runs, each as `run` does it, the tables they share made once.

In DIR: `studies/` the study file of each row, `runs/NAME` what the row's run left, with its own
manifest; `runs.csv` what became of each; `restricted/` and `release/` the estimates of all beside
each other; `grid.json` what all of it was made of. `tables/` holds what runs share and is gone when
all are done. No scheduler: rows in their order, as many beside each other as was asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import rich_click as click

from revictimisation.commands import folders, processes
from revictimisation.commands.folders import GRID
from revictimisation.commands.gathering import END, Ending, check_ending, gather
from revictimisation.commands.grid_jobs import (
    Job,
    do_job,
    estimate_job,
    keep_tables_of,
    prepare_job,
)
from revictimisation.commands.manifest import tell_now
from revictimisation.commands.options import FOLDER, jobs_option, name_call
from revictimisation.commands.progress import BOTH, Progress
from revictimisation.commands.terminal import explain_fault
from revictimisation.core import files
from revictimisation.core.errors import EXIT_DONE, UsageError
from revictimisation.core.text import name_nearest
from revictimisation.core.workers import Workers
from revictimisation.plan.grid import GridRow, read_grid


@click.command("run-many")
@click.argument("grid", type=FOLDER)
@click.option(
    "--out", type=FOLDER, required=True, help="Mapp för alla körningar. / Folder for all runs."
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Bara raden med detta namn; kan anges flera gånger. / Only the row of this name; may be "
    "given several times.",
)
@click.option(
    "--tables",
    "is_tables",
    is_flag=True,
    help="Gör bara de tabeller som körningarna delar. / Make the tables that runs share, no more.",
)
@click.option(
    "--summary",
    type=FOLDER,
    default=None,
    help="Notebook som körs när alla är klara, med parametrarna grid och out. / A notebook to "
    "execute when all are done, given grid and out.",
)
@click.option(
    "--compare",
    "is_compared",
    is_flag=True,
    help="Håll till sist alla rader mot den första (compare), i DIR/comparison. / At the end hold"
    " all rows against the first.",
)
@jobs_option
def command(
    grid: Path,
    out: Path,
    only: tuple[str, ...],
    is_tables: bool,
    summary: Path | None,
    is_compared: bool,
    jobs: int,
) -> int:
    """Kör många studier: en rad i tabellen GRID är en körning. Fortsätter där den slutade.

    Run many studies, a row of the table GRID each: studies, extracts, languages and keys of the
    study file. Resumes where it was stopped. A row that fails is told with its name, and the others
    go on; the exit code is then that of the first row of the table that failed.
    """
    asked = Asked(grid, out, only, is_tables, Ending(summary, is_compared), jobs)
    ended = run_grid(asked, name_call())
    n_done = sum(job.fault is None for job in ended)
    click.echo(f"Klart / done: {n_done} av / of {len(ended)}: {out}")
    return next((job.exit_code for job in ended if job.fault), EXIT_DONE)


@dataclass(frozen=True)
class Asked:
    """What the command is given."""

    grid: Path
    out: Path
    only: tuple[str, ...] = ()
    is_tables: bool = False
    ending: Ending = END
    jobs: int = 1


def run_grid(asked: Asked, command: str) -> list[Job]:
    """The command `run-many`: every row that was asked for, and what became of it.

    Raises `UsageError` and `StudyError` for a table that is none; faults of a row are the row's.
    """
    every = read_grid(files.read_text(asked.grid))
    rows = _choose(every, asked.only)
    check_ending(asked.ending, every)
    folders.check_apart(asked.out, [asked.grid])
    folders.check_own(asked.out, "run-many")
    files.make_folder(asked.out)
    if not (asked.out / GRID).exists():  # others may do rows of the same table at the same time
        begun = json.dumps({"command": command, "started_at": tell_now()})
        files.write_shared(asked.out / GRID, begun.encode())
    with Progress(0) as progress:
        jobs = [prepare_job(row, asked.grid, asked.out) for row in rows]
        for job in jobs:
            _tell(job, progress)
        jobs = _share_tables(jobs, asked.jobs, progress)
        if not asked.is_tables:
            jobs = _attempt(jobs, _do_row, asked.jobs, progress, "one_run")
        if not (asked.is_tables or asked.only):
            progress.skip(-1)
            progress.tell("gather")
            gather(jobs, asked.grid, asked.out, command, asked.ending)
    return jobs


def _choose(rows: list[GridRow], only: tuple[str, ...]) -> list[GridRow]:
    known = [row.name for row in rows]
    for name in only:
        if name not in known:
            told = f"Ingen rad heter {name}. / No row is called so"
            raise UsageError(f"{told}{name_nearest(name, known)}")
    return [row for row in rows if row.name in only or not only]


def _tell(job: Job, progress: Progress) -> None:
    if job.fault is not None:
        progress.note(f"{job.name}: {job.fault}")


def _share_tables(jobs: list[Job], n: int, progress: Progress) -> list[Job]:
    """Make the tables of all rows that are still to be done, those that are alike once."""
    from revictimisation.cohort.kept_tables import has_tables

    folder = {
        job.name: job.read_run().find_tables()
        for job in jobs
        if job.fault is None and not job.is_done()
    }
    first = {folder[job.name]: job for job in reversed(jobs) if job.name in folder}
    due = [job for job in jobs if job in first.values() and not has_tables(folder[job.name])]
    made = _attempt(due, _keep_tables, n, progress, "shared_tables")
    faults = {folder[job.name]: job.fault for job in made}
    return [
        replace(job, fault=faults[folder[job.name]]) if folder.get(job.name) in faults else job
        for job in jobs
    ]


def _attempt(
    jobs: list[Job],
    do: Callable[[Job, int, bool], list[str]],
    n: int,
    progress: Progress,
    step: str,
) -> list[Job]:
    """Do something of each row that has no fault, `n` at a time; faults are told and kept.

    `do` is given the row, how many cores it has, and whether others are done beside it.
    """
    ready = [job for job in jobs if job.fault is None]
    if not ready:
        return jobs
    at_once = min(n, len(ready))
    if at_once > 1:
        processes.preload(processes.ANALYSES, processes.PAGES)
        processes.warm_up()
    progress.skip(-len(ready))

    def attempt(job: Job) -> Job:
        try:
            for note in dict.fromkeys(do(job, n // at_once, at_once > 1)):
                progress.note(f"{job.name}: {note}")
        except Exception as fault:
            job = replace(job, fault=explain_fault(fault))
            _tell(job, progress)
        return job

    with Workers(at_once) as workers:
        ended = workers.map(
            attempt, ready, lambda job: progress.tell(step, name=dict.fromkeys(BOTH, job.name))
        )
    by_name = {job.name: job for job in ended}
    return [by_name.get(job.name, job) for job in jobs]


def _keep_tables(job: Job, n: int, has_others: bool) -> list[str]:
    return processes.call(keep_tables_of, job, n) if has_others else keep_tables_of(job, n)


def _do_row(job: Job, n: int, has_others: bool) -> list[str]:
    """A row: with one core its estimates in a process of their own, if others are done beside it.

    With more it has processes that help it, and pages and notebooks have in any case.
    """
    notes = []
    if has_others and n == 1 and job.notebook is None and not job.is_done():
        notes = processes.call(estimate_job, job)
    return [*notes, *do_job(job, n)]
