"""The command `run`: everything; what has not changed since the last run is not done again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path

import rich_click as click

from revictimisation.commands import folders
from revictimisation.commands.estimate import RUN_BYTES, begin, run_estimate
from revictimisation.commands.folders import LINKAGE, RELEASE, RESTRICTED
from revictimisation.commands.manifest import Run, versions
from revictimisation.commands.notebooks import NotebookTask, execute_notebook
from revictimisation.commands.options import name_call, say_end, study_options
from revictimisation.commands.progress import BOTH, Progress, count_steps
from revictimisation.core import files

NOTEBOOKS, SITE = "notebooks", "site"
AUTHORS_ONLY = "90_"
IF_JOINED = "08_"  # of interest only where `link` made the extract
OF_METHOD = "07_"  # what `truth_studies` holds, which may be missing


@click.command("run")
@study_options
def command(study: Path, data: Path, out: Path, jobs: int) -> None:
    """Gör allt: resultat, rapporter och sidor. Fortsätter där en avbruten körning slutade.

    Do everything: estimates, executed notebooks and the pages in OUT/site. Resumes where it was
    stopped; a second run that changes nothing does nothing.
    """
    say_end(run_study(study, data, out, name_call(), jobs), out / "site" / "index.html")


def run_study(study: Path, data: Path, out: Path, command: str, jobs: int) -> bool:
    """The command `run`: estimates, executed notebooks, pages. True if anything had to be done."""
    with Progress(2 + count_steps("estimate")) as progress:
        work = begin(study, data, out, command, jobs, progress)
        tasks = notebook_tasks(work)
        progress.skip(-len(tasks))
        has_estimated = run_estimate(work, progress)
        has_executed = run_notebooks(work, tasks, progress)
        has_built = run_site(work, progress)
    return has_estimated or has_executed or has_built


def notebook_tasks(work: Run) -> list[NotebookTask]:
    """The notebooks of the report in each language; on synthetic data the authors' one as well.

    The authors' notebook holds the truth beside exact numbers and stays in the restricted folder.
    That on linkage is left out where two agencies' extracts were not joined by `link`, that on
    known truth where the package `truth_studies` is missing.
    """
    found = sorted(files.resource_dir("notebooks").glob("*.ipynb"))
    same = {"study": str(work.study), "out": str(work.out)}
    wanted = {IF_JOINED: LINKAGE in work.inputs, OF_METHOD: find_spec("truth_studies") is not None}
    left_out = tuple(prefix for prefix, is_wanted in wanted.items() if not is_wanted)
    tasks = []
    for source in found:
        if source.stem.startswith(AUTHORS_ONLY):
            if work.is_synthetic:
                target = work.out / RESTRICTED / NOTEBOOKS / source.name
                more = {"data": str(work.data), "language": "en"}
                tasks.append(NotebookTask(source, target, {**same, **more}))
            continue
        if source.stem.startswith(left_out):
            continue
        for language in work.plan.languages:
            target = work.out / NOTEBOOKS / f"{source.stem}.{language}.ipynb"
            tasks.append(NotebookTask(source, target, {**same, "language": language}))
    return tasks


def run_notebooks(work: Run, tasks: list[NotebookTask], progress: Progress) -> bool:
    """Execute the notebooks whose inputs changed, `jobs` at a time. False: nothing to do.

    Each is kept as soon as it is done. Where one fails those under way are done, no more is begun.
    """
    results = work.stages["estimate"]["outputs"]
    keys = {
        task.stage: work.key(files.hash_file(task.source), task.parameters, results)
        for task in tasks
    }
    due = [task for task in tasks if not work.is_done(task.stage, keys[task.stage])]
    progress.skip(len(tasks) - len(due))
    if due:
        folders.check_output(work.out, "run", [work.data], RUN_BYTES)

    def do(task: NotebookTask) -> None:
        if task.source.stem.startswith(AUTHORS_ONLY):
            progress.tell("authors")
        else:
            progress.tell("notebook", page=_name_page(task))
        with files.private_folder() as folder:
            made = execute_notebook(task, Path(folder))
            with work.finish(task.stage, keys[task.stage]) as stage:
                files.copy_whole(made, stage / task.target.relative_to(work.out))

    pool = ThreadPoolExecutor(max_workers=work.jobs)
    try:
        for finished in as_completed([pool.submit(do, task) for task in due]):
            finished.result()
    finally:
        pool.shutdown(cancel_futures=True)
    return bool(due)


def _name_page(task: NotebookTask) -> dict[str, str]:
    """What the page of a notebook is called in the site's menu, by language, and the page's own."""
    from revictimisation.report.texts import load_texts

    texts, name = load_texts(), task.source.stem
    titles = texts.get(f"common.menu_{name}", dict.fromkeys(BOTH, name))
    own = texts["common.language_name"][task.parameters["language"]]
    return {said: f"{title} ({own})" for said, title in titles.items()}


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
    with work.finish("site", key) as stage:
        for path, text in pages.items():
            files.write_text(stage / SITE / path, text)
    return True
