"""The command `estimate`: from extract to restricted and released tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from revictimisation.commands import folders, processes
from revictimisation.commands.folders import LINKAGE, PEOPLE, RELEASE, RESTRICTED, SHARING
from revictimisation.commands.manifest import ESTIMATE, Run, check_call, open_run
from revictimisation.commands.options import name_call, say_end, study_options
from revictimisation.commands.progress import Progress, count_steps, load_steps
from revictimisation.core import files
from revictimisation.core.engine_options import EMBEDDED, EngineOptions
from revictimisation.core.errors import DataError
from revictimisation.core.workers import Workers

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.analyses.running import Share
    from revictimisation.cohort.kept_tables import Kept
    from revictimisation.cohort.study_data import StudyData
    from revictimisation.commands.pipeline import Results
    from revictimisation.extract.validation import LoadedExtract
    from revictimisation.plan import StudyPlan

RUN_BYTES = 64 << 20


@click.command("estimate")
@study_options
def command(study: Path, data: Path, out: Path, jobs: int, engine: EngineOptions) -> None:
    """Räkna fram resultaten, utan rapport.

    Estimate: tables in OUT/restricted (exact) and OUT/release (after disclosure control).
    """
    say_end(estimate_study(study, data, out, name_call(), jobs, engine), out / "release")


def estimate_study(
    study: Path,
    data: Path,
    out: Path,
    command: str,
    jobs: int,
    engine: EngineOptions = EMBEDDED,
    *,
    tables: Path | None = None,
    telling: Progress | None = None,
) -> bool:
    """The command `estimate`: True if anything had to be done.

    `tables`: where those that other studies share are kept. `telling`: who tells what is done.
    """
    with (
        telling or Progress(1 + count_steps("estimate")) as progress,
        begin(study, data, out, command, jobs, progress, tables, engine) as work,
    ):
        return run_estimate(work, progress)


@contextmanager
def begin(
    study: Path,
    data: Path,
    out: Path,
    command: str,
    jobs: int,
    progress: Progress,
    tables: Path | None = None,
    engine: EngineOptions = EMBEDDED,
) -> Iterator[Run]:
    """Open the run, and keep OUT to it; what is told is told in the study's first language.

    At the end files in OUT that are of no run are told.
    """
    progress.tell("read_study")
    check_call(study, data, out)
    with files.locked(out):
        work = open_run(study, data, out, command, jobs, tables, engine)
        progress.languages = work.plan.languages[:1]
        yield work
        if unknown := work.list_unknown():
            listed = ", ".join(unknown[:3]) + (" …" if len(unknown) > 3 else "")
            progress.note(
                f"{out} har {len(unknown)} filer som ingen körning har lämnat och som inget intygar"
                f": {listed} / it holds files that no run left and nothing vouches for"
            )


def run_estimate(run: Run, progress: Progress) -> bool:
    """Do the stage `estimate`: extract to restricted and released tables. False: nothing to do."""
    key = run.key(ESTIMATE)
    if run.is_done(ESTIMATE, key):
        progress.skip(count_steps("estimate"))
        return False
    folders.check_output(run.out, "run", [run.data], RUN_BYTES)
    progress.tell("check_extract")
    files.find_cache()
    if run.jobs > 1:
        processes.preload(processes.ANALYSES)
        processes.warm_up()
    with Workers(run.jobs, processes.open_place, processes.pack) as workers:
        results = _estimate(run, progress, workers.map)
    progress.tell("write")
    with run.finish(ESTIMATE, key) as stage:
        for folder, tables in ((RESTRICTED, results.restricted), (RELEASE, results.release)):
            for name, table in tables.items():
                files.write_table(table, stage / folder, name, ("csv", "parquet"), run.about)
        files.write_table(results.people, stage / RESTRICTED, PEOPLE, ("parquet",), run.about)
        for name, table in results.sharing.items():
            files.write_table(table, stage / RESTRICTED / SHARING, name, ("parquet",), run.about)
    return True


def _estimate(run: Run, progress: Progress, share: Share) -> Results:
    from revictimisation.analyses.registry import ANALYSES
    from revictimisation.cohort.kept_tables import has_tables, read_tables
    from revictimisation.commands import pipeline
    from revictimisation.dictionary import load_dictionary

    progress.skip(-sum(one.name not in load_steps() for one in ANALYSES))
    if run.tables and has_tables(run.find_tables()):
        data, attrition, checks = read_tables(run.find_tables(), run.plan, run.inputs)
    else:
        data, attrition, checks = make_tables(run, progress)
    return pipeline.analyse(data, attrition, load_dictionary(), progress.tell, share, checks)


def make_tables(run: Run, progress: Progress) -> Kept:
    """The study's data from its extract, the attrition, and diagnostics of the extract itself."""
    from revictimisation.cohort.kept_tables import Kept
    from revictimisation.commands.pipeline import describe_extract

    data, attrition, extract = prepare_data(run.data, run.plan, run.jobs, progress, run.engine)
    return Kept(data, attrition, describe_extract(extract.cleaned, extract.misfits))


def prepare_data(
    folder: Path,
    plan: StudyPlan,
    jobs: int,
    progress: Progress,
    engine: EngineOptions = EMBEDDED,
) -> tuple[StudyData, pd.DataFrame, LoadedExtract]:
    """The study's data and the attrition, from the extract in a folder; and what it was.

    Raises `DataError` for an extract that does not conform, or of which nobody enters the study.
    """
    from revictimisation.cohort.preparation import prepare
    from revictimisation.commands.engines import open_engine
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract.validation import load_extract, render_findings

    dictionary = load_dictionary()
    linked = files.read_json(folder / LINKAGE)
    with open_engine(engine, jobs) as con:
        extract = load_extract(con, folder, dictionary, plan)
        extract.raise_for_errors()
        if extract.misfits:
            progress.note(render_findings([misfit.finding for misfit in extract.misfits]))
        data, attrition = prepare(
            extract.tables, extract.absent, dictionary, plan, progress.tell, linked,
            extract.cleaned,
        )  # fmt: skip
    if data.entries.empty:
        raise DataError(_describe_nobody(attrition))
    return data, attrition, extract


def _describe_nobody(attrition: pd.DataFrame) -> str:
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
