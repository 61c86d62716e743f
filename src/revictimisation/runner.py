"""Runs a study from files to files; the manifest says what need not be done again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from revictimisation import __version__, files, folders
from revictimisation.errors import DataError, UsageError
from revictimisation.folders import LINKAGE, SIMULATION
from revictimisation.manifest import Run, open_run, versions
from revictimisation.notebooks import NotebookTask, execute_notebook
from revictimisation.progress import BOTH, Progress
from revictimisation.study_text import name_nearest

if TYPE_CHECKING:
    import pandas as pd

RESTRICTED, RELEASE, NOTEBOOKS, SITE = "restricted", "release", "notebooks", "site"
ESTIMATE_STEPS = 19
RUN_BYTES = 64 << 20
PERSON_BYTES = 2_000  # of a simulated county, by its index victims
AUTHORS_ONLY = "90_"
IF_JOINED = "08_"  # of interest only where `link` made the extract


def run_estimate(run: Run, progress: Progress) -> bool:
    """Do the stage `estimate`: extract to restricted and released tables. False: nothing to do."""
    key = run.key("estimate")
    if run.is_done("estimate", key):
        progress.skip(ESTIMATE_STEPS)
        return False
    folders.check_output(run.out, "run", [run.data], RUN_BYTES)
    progress.tell("check_extract")
    files.find_cache()
    from revictimisation import pipeline
    from revictimisation.cleaning import clean_tables
    from revictimisation.dictionary import load_dictionary
    from revictimisation.engine import connect
    from revictimisation.validation import load_extract, render_findings

    dictionary = load_dictionary()
    con = connect(threads=run.jobs)
    extract = load_extract(con, run.data, dictionary, run.plan, clean=clean_tables)
    extract.raise_for_errors()
    if extract.misfits:
        progress.note(render_findings([one.finding for one in extract.misfits]))
    linked = files.read_json(run.data / LINKAGE)
    data, attrition = pipeline.prepare(
        extract.tables, extract.absent, dictionary, run.plan, progress.tell, linked, extract.cleaned
    )
    if data.entries.empty:
        raise DataError(_tell_nobody(attrition))
    results = pipeline.analyse(
        data, attrition, dictionary, progress.tell, run.jobs, extract.cleaned, extract.misfits
    )
    progress.tell("write")
    with run.finish("estimate", key) as stage:
        for folder, tables in ((RESTRICTED, results.restricted), (RELEASE, results.release)):
            for name, table in tables.items():
                files.write_table(table, stage / folder, name, ("csv", "parquet"))
    return True


def _tell_nobody(attrition: pd.DataFrame) -> str:
    """That nobody entered the study, and the rules that reports fell by, most first."""
    fallen = attrition[attrition["step"].eq("reports") & attrition["n_dropped"].gt(0)]
    ordered = fallen.sort_values("n_dropped", ascending=False, kind="stable")
    told = [f"{row.reason} ({row.n_dropped})" for row in ordered.itertuples()]
    return (
        "Ingen kan ingå i studien: ingen anmälan i uttaget uppfyller studiefilens villkor."
        " Kontrollera accrual, eligibility och data_end_on.\n"
        "Nobody can enter the study: no report of the extract meets its conditions. Check accrual,"
        " eligibility and data_end_on.\n"
        f"Bortfall / dropped: {', '.join(told) or '-'}"
    )


def estimate(study: Path, data: Path, out: Path, command: str, jobs: int) -> bool:
    """The command `estimate`: True if anything had to be done."""
    with Progress(1 + ESTIMATE_STEPS) as progress:
        work = _begin(study, data, out, command, jobs, progress)
        return run_estimate(work, progress)


def run(study: Path, data: Path, out: Path, command: str, jobs: int) -> bool:
    """The command `run`: estimates, executed notebooks, pages. True if anything had to be done."""
    with Progress(2 + ESTIMATE_STEPS) as progress:
        work = _begin(study, data, out, command, jobs, progress)
        tasks = notebook_tasks(work)
        progress.skip(-len(tasks))
        has_estimated = run_estimate(work, progress)
        has_executed = run_notebooks(work, tasks, progress)
        has_built = run_site(work, progress)
    return has_estimated or has_executed or has_built


def _begin(study: Path, data: Path, out: Path, command: str, jobs: int, progress: Progress) -> Run:
    """Open the run; what is told from here on is told in the study's first language."""
    progress.tell("read_study")
    work = open_run(study, data, out, command, jobs)
    progress.languages = work.plan.languages[:1]
    return work


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


def simulate_to(folder: Path, n_people: int | None, seed: int, scenario: str, kind: str) -> int:
    """The command `simulate`: write a synthetic county, `truth.csv` last; returns its size.

    `simulation.json` beside the tables says what they are, so that no one takes them for real.
    """
    files.find_cache()
    from revictimisation.simulate import DEFAULT_PEOPLE, SCENARIOS, simulate_county

    if scenario not in SCENARIOS:
        known = tuple(sorted(SCENARIOS))
        raise UsageError(f"okänt scenario / unknown scenario{name_nearest(scenario, known)}")
    n_people = n_people or DEFAULT_PEOPLE[scenario]
    folders.check_output(folder, "simulate", n_bytes=n_people * PERSON_BYTES)
    with Progress(2) as progress:
        progress.tell("simulate")
        tables = simulate_county(scenario, n_people, seed)
        progress.tell("write")
        facts = {"scenario": scenario, "n_people": n_people, "seed": seed, "version": __version__}
        with files.fill_folder(folder) as stage:
            for name, table in tables.items():
                _write_simulated(table, stage, name, kind)
            made = files.list_below(stage)
            earlier = (files.read_json(folder / SIMULATION) or {}).get("files", [])
            told = {"is_synthetic": True, **facts, "files": made}
            files.write_json(stage / SIMULATION, told)
        for name in {*earlier} - {*made}:
            files.remove_file(folder / name)
    return n_people


def _write_simulated(table: pd.DataFrame, folder: Path, name: str, kind: str) -> None:
    """Write a simulated table; what agencies hand over (`raw/...`) and truths are always CSV."""
    *below, name = name.split("/")
    formats = ("csv",) if below or name.startswith("truth") else (kind,)
    files.write_table(table, folder.joinpath(*below), name, formats)
