"""The command `run`: everything; what has not changed since the last run is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import rich_click as click

from revictimisation import __version__
from revictimisation.commands import folders, processes
from revictimisation.commands.compare import find_runs, read_run, write_comparison
from revictimisation.commands.estimate import RUN_BYTES, begin, run_estimate
from revictimisation.commands.folders import (
    COMPARISON,
    LINKAGE,
    NOTEBOOKS,
    RELEASE,
    RESTRICTED,
    SITE,
)
from revictimisation.commands.manifest import ESTIMATE, WHOLE, Run, versions
from revictimisation.commands.notebooks import NotebookTask, execute_notebook
from revictimisation.commands.options import FOLDER, name_call, say_end, study_options
from revictimisation.commands.progress import BOTH, Progress, count_steps
from revictimisation.core import files
from revictimisation.core.engine_options import EMBEDDED, EngineOptions
from revictimisation.core.errors import RevictimisationError

AUTHORS_ONLY = "90_truth_for_authors.ipynb"
COMPARISON_STEPS = 3  # of `write_comparison`
TABLE_FILES = "**/*.parquet"


@click.command("run")
@study_options
@click.option(
    "--reference",
    metavar="OUT_A",
    type=FOLDER,
    default=None,
    help="Jämför till sist med en tidigare körning, eller med `reference`, kohorten som följer med"
    " programmet. / At the end compare with an earlier run, or with `reference`, the cohort that"
    " ships with the program.",
)
def command(
    study: Path, data: Path, out: Path, jobs: int, engine: EngineOptions, reference: Path | None
) -> None:
    """Gör allt: resultat, rapporter och sidor. Fortsätter där en avbruten körning slutade.

    Do everything: estimates, the pages in OUT/site and executed notebooks. Resumes where it was
    stopped; a second run that changes nothing does nothing.
    """
    has_worked = run_study(study, data, out, name_call(), jobs, reference, engine)
    say_end(has_worked, out / "site" / "index.html")
    if reference is not None:
        click.echo(f"Jämförelse / comparison: {out / COMPARISON}")


def run_study(
    study: Path,
    data: Path,
    out: Path,
    command: str,
    jobs: int,
    reference: Path | None = None,
    engine: EngineOptions = EMBEDDED,
    *,
    tables: Path | None = None,
    telling: Progress | None = None,
) -> bool:
    """The command `run`: estimates, pages, executed notebooks, and the comparison if one is asked.

    True if anything had to be done. `tables`, `telling`: as of `estimate_study`.
    """
    others = find_runs([reference], [__version__]) if reference is not None else []
    n_steps = 2 + count_steps("estimate") + (COMPARISON_STEPS if others else 0)
    with (
        telling or Progress(n_steps) as progress,
        begin(study, data, out, command, jobs, progress, tables, engine) as work,
    ):
        compared = [files.hash_files(path, TABLE_FILES) for path in others]
        key = work.key(WHOLE, files.hash_files(files.resource_dir(NOTEBOOKS), "*.ipynb"), *compared)
        if work.is_done(WHOLE, key) and work.is_whole:
            return False
        tasks = list_notebooks(work)
        progress.skip(-len(tasks))
        processes.preload(processes.ANALYSES, processes.PAGES)
        has_estimated = run_estimate(work, progress)
        kept = [ESTIMATE, SITE, RELEASE, *(task.stage for task in tasks)]
        work.keep_only([*kept, *([COMPARISON] if others else [])])
        has_built = run_site(work, progress)
        has_executed = run_notebooks(work, tasks, progress)
        has_compared = bool(others) and run_comparison(work, others, progress)
        with work.finish(WHOLE, key):
            pass
    return has_estimated or has_built or has_executed or has_compared


def run_comparison(work: Run, others: Sequence[Path], progress: Progress) -> bool:
    """Hold the run against the reference, into OUT/comparison. False: nothing to do."""
    compared = [files.hash_files(path, TABLE_FILES) for path in others]
    key = work.key(COMPARISON, work.outputs_of(ESTIMATE), *compared)
    if work.is_done(COMPARISON, key):
        progress.skip(COMPARISON_STEPS)
        return False
    left = [read_run(path) for path in (*others, work.out)]
    with work.finish(COMPARISON, key) as stage:
        write_comparison(left, work.plan.comparison, stage / COMPARISON, progress)
    return True


def list_notebooks(work: Run) -> list[NotebookTask]:
    """The notebooks of the pages in each language; on synthetic data the authors' one as well.

    The authors' notebook holds the truth beside exact numbers and stays in the restricted folder.
    The study is that of the results; where these lie is told from where the notebook stands.
    """
    from revictimisation.report import pages

    folder = files.resource_dir(NOTEBOOKS)
    places = {"out": work.out.absolute()}
    tasks = [
        NotebookTask(
            folder / f"{name}.ipynb",
            work.out / NOTEBOOKS / f"{name}.{language}.ipynb",
            {"study": "", "out": "..", "language": language},
            places,
        )
        for name in pages.list_notebooks(work.plan, is_joined=LINKAGE in work.inputs)
        for language in work.plan.languages
    ]
    if work.is_synthetic:
        target = work.out / RESTRICTED / NOTEBOOKS / AUTHORS_ONLY
        told = {"study": "", "out": "../..", "data": "", "language": "en"}
        places = {**places, "data": work.data.absolute()}
        tasks.append(NotebookTask(folder / AUTHORS_ONLY, target, told, places))
    return tasks


def run_site(work: Run, progress: Progress) -> bool:
    """Make the pages from the released tables, `jobs` at a time. False: nothing to do."""
    key = work.key(SITE, work.outputs_of(ESTIMATE))
    if work.is_done(SITE, key):
        progress.skip(1)
        return False
    progress.tell("site")
    processes.preload(processes.PAGES)
    from revictimisation.report.site import SiteContent, render_site

    names = ("estimates", "attrition", "diagnostics")
    content = SiteContent(
        plan=work.plan,
        is_synthetic=work.is_synthetic,
        is_joined=LINKAGE in work.inputs,
        versions=versions(),
        input_digest=work.identity,
        **{name: files.read_table(work.out / RELEASE / f"{name}.parquet") for name in names},
    )
    with ThreadPoolExecutor(max_workers=work.jobs) as pool:
        pages = render_site(
            content, lambda make, *given: pool.map(partial(processes.call, make), *given)
        )
    with work.finish(SITE, key) as stage:
        for path, made in pages.items():
            if isinstance(made, str):
                files.write_text(stage / SITE / path, made)
            else:
                files.write_bytes(stage / SITE / path, made)
    return True


def run_notebooks(work: Run, tasks: list[NotebookTask], progress: Progress) -> bool:
    """Execute the notebooks whose inputs changed, `jobs` at a time. False: nothing to do.

    Each is kept as soon as it is done. Where one fails those under way are done, no more is begun.
    """
    results = work.outputs_of(ESTIMATE)
    keys = {
        task.stage: work.key(files.hash_file(task.source), task.parameters, results)
        for task in tasks
    }
    due = [task for task in tasks if not work.is_done(task.stage, keys[task.stage])]
    progress.skip(len(tasks) - len(due))
    if due:
        folders.check_output(work.out, "run", [work.data], RUN_BYTES)

    def do(task: NotebookTask) -> None:
        if task.source.name == AUTHORS_ONLY:
            progress.tell("authors")
        else:
            progress.tell("notebook", page=_name_page(task))
        with files.private_folder() as folder:
            try:
                made = execute_notebook(task, Path(folder), work.about)
            except RevictimisationError:
                work.tell_unfinished(task.target)
                raise
            with work.finish(task.stage, keys[task.stage]) as stage:
                files.copy_whole(made, stage / task.target.relative_to(work.out))

    # while a notebook waits for its kernel to come up or to end, another is executed
    pool = ThreadPoolExecutor(max_workers=work.jobs + (work.jobs > 1))
    try:
        for finished in as_completed([pool.submit(do, task) for task in due]):
            finished.result()
    finally:
        pool.shutdown(cancel_futures=True)
    return bool(due)


def _name_page(task: NotebookTask) -> dict[str, str]:
    """What the page of a notebook is called in the site's menu, by language, and the page's own."""
    from revictimisation.report.pages import list_outlines
    from revictimisation.report.texts import load_texts

    texts = load_texts()
    shown = (one.name for one in list_outlines() if one.notebook == task.source.stem)
    titles = texts[f"common.menu_{next(shown)}"]
    own = texts["common.language_name"][task.parameters["language"]]
    return {said: f"{titles[said]} ({own})" for said in BOTH}
