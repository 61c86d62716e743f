"""The command `validate`: an extract as it is received, and a report on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from revictimisation import __version__
from revictimisation.commands import folders
from revictimisation.commands.folders import PROFILE, SIMULATION
from revictimisation.commands.options import FOLDER, engine_options, jobs_option
from revictimisation.commands.progress import Progress
from revictimisation.core import files
from revictimisation.core.engine_options import EMBEDDED, EngineOptions
from revictimisation.core.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.dictionary import Dictionary
    from revictimisation.extract.validation import Finding, LoadedExtract
    from revictimisation.plan import StudyPlan

NO_REPORT = (
    "lägg till --report MAPP: sidor, tabeller, och om volym och andelar är rimliga, vilket kan ge "
    "fler varningar / add --report FOLDER: pages, tables, and whether volumes are probable"
)
ABSENT_STUDY = "name: validation"


@dataclass(frozen=True)
class Accepted:
    """The findings as text, whether the extract conforms, and the report's first page if any."""

    text: str
    is_conforming: bool
    page: Path | None


@click.command("validate")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--study",
    type=FOLDER,
    default=None,
    help="Studiefil: dess egna koder är då kända. / Study file: its own codes are then known.",
)
@click.option(
    "--report",
    type=FOLDER,
    default=None,
    help="Mapp för en rapport: sidor på svenska och engelska, findings.csv. / Folder for a report: "
    "pages in Swedish and English, findings.csv.",
)
@click.option(
    "--previous",
    type=FOLDER,
    default=None,
    help="Förra uttaget, eller rapporten om det, att jämföra med. / The last extract, or the "
    "report on it, to hold this one against.",
)
@engine_options
@jobs_option
def command(
    folder: Path, study: Path | None, report: Path | None, previous: Path | None, jobs: int,
    engine: EngineOptions,
) -> None:  # fmt: skip
    """Kontrollera ett utdrag mot datakatalogen.

    Check an extract against the data dictionary. Every fault is told at once: table, column, rule,
    how many and in which rows; never a value. Exit code 3 if there is any error. Writes nothing
    but the report that --report asks for.
    """
    made = validate_folder(folder, study, report, previous, jobs, engine)
    click.echo(made.text)
    click.echo(f"\nRapport / report: {made.page or NO_REPORT}")
    if not made.is_conforming:
        raise Exit(DataError.exit_code)


def validate_folder(
    folder: Path, study: Path | None, report: Path | None, previous: Path | None, jobs: int,
    engine: EngineOptions = EMBEDDED,
) -> Accepted:  # fmt: skip
    """Check an extract; with `report` leave pages and tables there.

    `previous` is the folder of an earlier delivery, or of the report on one; it needs `report`.
    Nothing is written anywhere without `report`.
    """
    if previous is not None and report is None:
        raise UsageError(
            "--previous kräver --report MAPP, där jämförelsen visas. / --previous needs --report "
            "FOLDER, where the comparison is shown."
        )
    given = [*filter(None, (folder, previous))]
    for path in given:
        files.check_folder(path)
    if report is None:
        return _validate(folder, study, None, previous, jobs, engine)
    with folders.reserved(report, "validate", given):
        return _validate(folder, study, report, previous, jobs, engine)


def _validate(
    folder: Path, study: Path | None, report: Path | None, previous: Path | None, jobs: int,
    engine: EngineOptions,
) -> Accepted:  # fmt: skip
    from revictimisation.commands.engines import open_engine
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract.validation import load_extract, render_findings

    plan = _read_study(files.read_text(study)) if study else None
    dictionary = load_dictionary()
    with Progress(3 if report else 1) as progress, open_engine(engine, jobs) as con:
        progress.tell("check_extract")
        extract = load_extract(con, folder, dictionary, plan)
        page = None
        if report is not None:
            progress.tell("profile")
            survey = _survey(extract, previous, dictionary, plan or _read_study(ABSENT_STUDY))
            extract = replace(extract, findings=survey.findings)
            progress.tell("report")
            page = _write_report(survey, extract, folder, report, dictionary)
    return Accepted(render_findings(extract.findings), not extract.errors, page)


def _read_study(text: str) -> StudyPlan:
    """The plan of a study file; imported where one is needed, as it takes a while."""
    from revictimisation.plan import read_plan

    return read_plan(text)


@dataclass(frozen=True)
class Survey:
    """What the report is made of: all findings, and the tables behind its figures."""

    findings: tuple[Finding, ...]
    facts: pd.DataFrame
    volumes: pd.DataFrame
    changes: pd.DataFrame | None
    expected: pd.DataFrame
    plan: StudyPlan


def _survey(
    extract: LoadedExtract,
    previous: Path | None,
    dictionary: Dictionary,
    plan: StudyPlan,
) -> Survey:
    from revictimisation.extract.validation import sort_findings
    from revictimisation.extract.validation.improbable import find_improbable
    from revictimisation.extract.validation.plausibility import (
        compare_deliveries,
        hide_small,
        hold_against_expected,
    )
    from revictimisation.extract.validation.profile import profile_extract
    from revictimisation.extract.validation.volumes import find_volumes

    limits = plan.validation
    threshold = plan.disclosure.threshold
    exact = profile_extract(extract, dictionary, threshold)
    volumes = find_volumes(exact, limits)
    facts = hide_small(exact, threshold)
    before = _read_previous(previous, dictionary, plan) if previous else None
    changes = None if before is None else compare_deliveries(facts, before, limits)
    expected = hold_against_expected(facts, dictionary)
    found = find_improbable(exact, volumes, changes, expected, dictionary, limits)
    every = sort_findings([*extract.findings, *found], [*dictionary.tables])
    return Survey(every, facts, volumes, changes, expected, plan)


def _read_previous(folder: Path, dictionary: Dictionary, plan: StudyPlan) -> pd.DataFrame:
    """The facts of an earlier delivery: from the report on it, or made from its extract.

    Raises `UsageError` if the folder holds neither.
    """
    from revictimisation.core.engine import connect
    from revictimisation.extract.validation import load_extract
    from revictimisation.extract.validation.profile import profile_extract

    if (folder / f"{PROFILE}.parquet").is_file():
        return files.read_table(folder / f"{PROFILE}.parquet")
    con = connect()
    extract = load_extract(con, folder, dictionary, plan)
    if not any(extract.columns.values()):
        raise UsageError(
            f"--previous {folder}: där finns varken ett uttag eller en rapport med "
            f"{PROFILE}.parquet. / It holds neither an extract nor a report."
        )
    return profile_extract(extract, dictionary, plan.disclosure.threshold)


def _write_report(
    survey: Survey, extract: LoadedExtract, folder: Path, report: Path, dictionary: Dictionary
) -> Path:
    """Write findings.csv, profile, volumes and a page per language; gives the first page."""
    from revictimisation.extract.validation import frame_findings
    from revictimisation.extract.validation.volumes import hide_volumes
    from revictimisation.report.delivery import Delivery, render_delivery

    plan = survey.plan
    found = frame_findings(survey.findings)
    hidden = hide_volumes(survey.volumes, plan.disclosure.threshold)
    delivery = Delivery(
        findings=found,
        facts=survey.facts,
        volumes=hidden.assign(
            n_rows=survey.volumes["n_rows"], is_hidden=hidden["n_rows"].isna().to_numpy()
        ),
        changes=survey.changes,
        expected=survey.expected,
        row_counts={
            name: count for name, count in extract.row_counts.items() if name not in extract.absent
        },
        plan=plan,
        is_synthetic=any(folder.glob("truth.*")) or (folder / SIMULATION).is_file(),
        made_on=dt.date.today(),
        version=__version__,
    )
    pages = render_delivery(delivery, dictionary)
    with files.fill_folder(report, is_private=True) as stage:
        files.write_table(found, stage, "findings", ("csv",))
        files.write_table(survey.facts, stage, PROFILE, ("csv", "parquet"))
        files.write_table(hidden, stage, "volumes", ("csv",))
        if survey.changes is not None:
            files.write_table(survey.changes, stage, "changes", ("csv",))
        for name, text in pages.items():
            files.write_text(stage / name, text)
    return report / next(iter(pages))
