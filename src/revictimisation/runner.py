"""Runs a study from files to files; the manifest says what need not be done again."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from revictimisation import __version__, files
from revictimisation.errors import RevictimisationError, UsageError
from revictimisation.manifest import Run, open_run, versions
from revictimisation.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

LINKAGE = "linkage.json"  # what `link` leaves beside the tables
RESTRICTED, RELEASE, NOTEBOOKS, SITE = "restricted", "release", "notebooks", "site"
ESTIMATE_STEPS = 19
AUTHORS_ONLY = "90_"
IF_JOINED = "08_"  # of interest only where `link` made the extract


def run_estimate(run: Run, progress: Progress) -> bool:
    """Do the stage `estimate`: extract to restricted and released tables. False: nothing to do."""
    key = run.key("estimate")
    if run.is_done("estimate", key):
        return False
    from revictimisation import pipeline
    from revictimisation.cleaning import clean_tables
    from revictimisation.dictionary import load_dictionary
    from revictimisation.engine import connect
    from revictimisation.validation import load_extract

    progress.tell("read and check the extract")
    dictionary = load_dictionary()
    con = connect(threads=run.jobs)
    extract = load_extract(con, run.data, dictionary, run.plan, clean=clean_tables)
    extract.raise_for_errors()
    linked = files.read_json(run.data / LINKAGE)
    data, attrition = pipeline.prepare(
        extract.tables, extract.absent, dictionary, run.plan, progress.tell, linked, extract.cleaned
    )
    results = pipeline.analyse(
        data, attrition, dictionary, progress.tell, run.jobs, extract.cleaned
    )
    progress.tell("write")
    written = []
    for folder, tables in ((RESTRICTED, results.restricted), (RELEASE, results.release)):
        for name, table in tables.items():
            written += files.write_table(table, run.out / folder, name, ("csv", "parquet"))
    run.finish("estimate", key, written)
    return True


def estimate(study: Path, data: Path, out: Path, command: str, jobs: int) -> bool:
    """The command `estimate`: True if anything had to be done."""
    work = open_run(study, data, out, command, jobs)
    with Progress(ESTIMATE_STEPS) as progress:
        return run_estimate(work, progress)


def run(study: Path, data: Path, out: Path, command: str, jobs: int) -> bool:
    """The command `run`: estimates, executed notebooks, pages. True if anything had to be done."""
    work = open_run(study, data, out, command, jobs)
    tasks = notebook_tasks(work)
    with Progress(ESTIMATE_STEPS + len(tasks) + 1) as progress:
        has_estimated = run_estimate(work, progress)
        has_executed = run_notebooks(work, tasks, progress)
        has_built = run_site(work, progress)
    return has_estimated or has_executed or has_built


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


def notebook_tasks(work: Run) -> list[NotebookTask]:
    """The notebooks of the report in each language; on synthetic data the authors' one as well.

    The authors' notebook holds the truth beside exact numbers and stays in the restricted folder.
    That on linkage is left out where two agencies' extracts were not joined by `link`.
    """
    found = sorted(files.resource_dir("notebooks").glob("*.ipynb"))
    same = {"study": str(work.study), "out": str(work.out)}
    tasks = []
    for source in found:
        if source.stem.startswith(AUTHORS_ONLY):
            if work.is_synthetic:
                target = work.out / RESTRICTED / NOTEBOOKS / source.name
                more = {"data": str(work.data), "language": "en"}
                tasks.append(NotebookTask(source, target, {**same, **more}))
            continue
        if source.stem.startswith(IF_JOINED) and LINKAGE not in work.inputs:
            continue
        for language in work.plan.languages:
            target = work.out / NOTEBOOKS / f"{source.stem}.{language}.ipynb"
            tasks.append(NotebookTask(source, target, {**same, "language": language}))
    return tasks


def run_notebooks(work: Run, tasks: list[NotebookTask], progress: Progress) -> bool:
    """Execute the notebooks whose inputs changed, `jobs` at a time. False: nothing to do."""
    results = work.stages["estimate"]["outputs"]
    keys = {
        task.stage: work.key(files.hash_file(task.source), task.parameters, results)
        for task in tasks
    }
    due = [task for task in tasks if not work.is_done(task.stage, keys[task.stage])]
    with ThreadPoolExecutor(max_workers=work.jobs) as pool:
        pending = {pool.submit(execute_notebook, task): task for task in due}
        for finished in as_completed(pending):
            task = pending[finished]
            progress.tell(task.stage)
            finished.result()
            work.finish(task.stage, keys[task.stage], [task.target])
    return bool(due)


def execute_notebook(task: NotebookTask) -> None:
    """Execute one notebook by papermill; what was executed is kept also where it fails."""
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    files.make_folder(task.target.parent)
    # The loop that papermill would make for this thread and leave open.
    with files.private_folder() as folder, closing(ensure_event_loop()):
        try:
            papermill.execute_notebook(
                str(task.source),
                str(task.target),
                parameters=task.parameters,
                kernel_name="python3",
                progress_bar=False,
                config=Config({"KernelManager": _kernel_address(Path(folder))}),
            )
        except PapermillExecutionError as fault:
            raise RevictimisationError(
                f"The notebook {task.source.name} stopped with {fault.ename}; see {task.target}."
            ) from None


def _kernel_address(folder: Path) -> dict[str, str]:
    """Speak to the kernel through files only we can read; Windows has but network ports."""
    if sys.platform == "win32":
        return {}
    return {"transport": "ipc", "ip": str(folder / "kernel")}


def run_site(work: Run, progress: Progress) -> bool:
    """Build the pages from the released tables and the executed notebooks."""
    shown = [task for task in notebook_tasks(work) if task.target.parent == work.out / NOTEBOOKS]
    made = {task.target.name: files.hash_file(task.target) for task in shown}
    key = work.key("site", work.stages["estimate"]["outputs"], made)
    if work.is_done("site", key):
        return False
    progress.tell("site")
    from revictimisation.dictionary import load_dictionary
    from revictimisation.report.site import SiteContent, render_site

    names = ("estimates", "attrition", "diagnostics")
    content = SiteContent(
        plan=work.plan,
        is_synthetic=work.is_synthetic,
        notebooks={
            (task.source.stem, task.parameters["language"]): files.read_json(task.target) or {}
            for task in shown
        },
        versions=versions(),
        input_digest=work.key()[:12],
        **{name: files.read_table(work.out / RELEASE / f"{name}.parquet") for name in names},
    )
    pages = render_site(content, load_dictionary())
    for path, text in pages.items():
        files.write_text(work.out / SITE / path, text)
    work.finish("site", key, [work.out / SITE / path for path in pages])
    return True


def simulate_to(folder: Path, n_people: int | None, seed: int, scenario: str, kind: str) -> int:
    """The command `simulate`: write a synthetic county, `truth.csv` last; returns its size.

    `simulation.json` beside the tables says what they are, so that no one takes them for real.
    """
    from revictimisation.simulate import DEFAULT_PEOPLE, SCENARIOS, simulate_county

    if scenario not in SCENARIOS:
        raise UsageError(f"Unknown scenario {scenario!r}; known: {', '.join(sorted(SCENARIOS))}.")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; DIR must be a folder.")
    n_people = n_people or DEFAULT_PEOPLE[scenario]
    with Progress(2) as progress:
        progress.tell("simulate")
        tables = simulate_county(scenario, n_people, seed)
        progress.tell("write")
        truth = tables.pop("truth")
        facts = {"scenario": scenario, "n_people": n_people, "seed": seed, "version": __version__}
        files.write_json(folder / "simulation.json", {"is_synthetic": True, **facts})
        for name, table in tables.items():
            _write_simulated(table, folder, name, kind)
        files.write_table(truth, folder, "truth", ("csv",))
    return n_people


def _write_simulated(table: pd.DataFrame, folder: Path, name: str, kind: str) -> None:
    """Write a simulated table; what agencies hand over (`raw/...`) and truths are always CSV."""
    *below, name = name.split("/")
    formats = ("csv",) if below or name.startswith("truth_") else (kind,)
    files.write_table(table, folder.joinpath(*below), name, formats)
