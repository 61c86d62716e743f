"""The command `map`: a study extract from what agencies hand out."""

from __future__ import annotations

import shlex
from contextlib import AbstractContextManager
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import rich_click as click
from click.exceptions import Exit

from revictimisation.commands import folders
from revictimisation.commands.folders import DRAFT
from revictimisation.commands.options import FOLDER, format_option, jobs_option
from revictimisation.commands.progress import Progress
from revictimisation.core import files
from revictimisation.core.errors import DataError, MappingError, UsageError
from revictimisation.extract.sources.formats import FORMATS, TABLE_SUFFIXES
from revictimisation.plan import Disclosure

UNDONE = "Körningen avbröts. / The run was broken off."


@click.command("map")
@click.argument("source", metavar="SOURCE")
@click.option(
    "--to",
    "out",
    metavar="DIR",
    type=FOLDER,
    required=True,
    help="Mapp för utkastet eller uttaget. / Folder for the draft or the extract.",
)
@click.option(
    "--mapping",
    type=FOLDER,
    default=None,
    help="Mappningsfil; utan den skrivs ett utkast, DIR/mapping.yaml. / Mapping file; without it a "
    "draft is written.",
)
@format_option(["csv", "parquet"], "Uttagets filformat. / File format of the extract.")
@click.option(
    "--header-row",
    type=click.IntRange(min=1),
    default=None,
    help="För ett utkast: raden som rubrikerna står på, om den inte hittas. / For a draft: the row "
    "of the headings, where it is not found.",
)
@jobs_option
def command(
    source: str, out: Path, mapping: Path | None, kind: str, header_row: int | None, jobs: int
) -> None:
    """Gör ett uttag av det som källan lämnar: en mapp, en fil eller en PostgreSQL-databas.

    Make an extract from what a source hands out. SOURCE is a folder, a file (CSV, Parquet, Excel,
    SAS, SPSS) or a connection string (postgresql://user@server/database; the password in
    PGPASSWORD or PGPASSFILE). Without --mapping a draft of a mapping file is written; with it the
    extract, a file per table. Exit code 3 if a code or value found no place, 4 if the mapping file
    does not conform.
    """
    if mapping is None:
        draft = draft_to(source, out, jobs, header_row)
        click.echo(describe_draft(source, draft))
        return
    if header_row:
        raise click.UsageError("Ange header_row i mappningsfilen. / Name it in the mapping file.")
    report, is_complete = map_to(source, out, mapping, kind, jobs)
    click.echo(f"{report}\n\n{describe_next(out, mapping, is_complete)}")
    if not is_complete:
        raise Exit(DataError.exit_code)


def draft_to(given: str, out: Path, jobs: int, header_row: int | None = None) -> Path:
    """Write a draft of a mapping file for a source into a folder; never over one that is there.

    `header_row` is the row that the headings stand in; without it they are looked for. Raises
    `DataError` where rows of a file keep it from being read, after writing the draft of the rest.
    """
    target = out / DRAFT
    if target.exists():
        raise UsageError(
            f"{target} finns redan; ge den med --mapping, eller ta bort den för ett nytt utkast.\n"
            f"{target} is there already; give it with --mapping, or remove it for a new draft."
        )
    with _reserved(given, out):
        return _draft(given, out, jobs, header_row)


def _draft(given: str, out: Path, jobs: int, header_row: int | None) -> Path:
    from revictimisation.core.engine import connect
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract.mapping import draft_mapping
    from revictimisation.extract.mapping.making import Drafting
    from revictimisation.extract.sources.faults import UnreadableFileError
    from revictimisation.extract.sources.opening import check_readable, list_places, open_source

    target = out / DRAFT
    wide: set[str] = set()
    with Progress(1) as progress, files.private_folder(out) as folder:

        def begin(title: str, n_done: int, n_columns: int) -> None:
            if n_done and title not in wide:
                wide.add(title)
                progress.skip(1 - ceil(n_columns / n_done))
            step = "look_at_columns" if n_done else "look_at_table"
            words = {"table": title, "column": str(n_done + 1), "n_columns": str(n_columns)}
            progress.tell(step, **{key: {"sv": word, "en": word} for key, word in words.items()})

        try:
            source = open_source(given)
            places = list_places(source)
            check_readable(source, places)
            if not places:
                raise UsageError(
                    f"{given} har inga filer som kan läsas ({', '.join(FORMATS)}).\n"
                    f"There is no file in {given} that can be read."
                )
            progress.skip(1 - len(places))
            drafting = Drafting(
                connect(threads=jobs), source, load_dictionary(), Path(folder),
                Disclosure().threshold,
            )  # fmt: skip
            places = [replace(place, header_row=header_row) for place in places]
            draft = draft_mapping(drafting, places, begin)
        except UnreadableFileError as fault:
            raise DataError(_tell(fault, given)) from None
    with files.fill_folder(out, is_private=True) as stage:
        files.write_text(stage / DRAFT, draft.text)
    if draft.faults:
        told = [_tell(fault, given) for fault in draft.faults]
        rest = f"Utkastet för resten är skrivet. / The draft of the rest is written: {target}"
        raise DataError("\n\n".join([*told, rest]))
    return target


def describe_draft(given: str, target: Path) -> str:
    """Where a draft is, how much of it is to be looked at, and the command that comes next."""
    from revictimisation.extract.mapping.draft_column import CHECK, NEEDED
    from revictimisation.extract.sources.database import is_database

    lines = files.read_text(target).splitlines()
    n_checks = sum(CHECK[2:] in line for line in lines)
    n_needed = sum(NEEDED in line for line in lines)
    # A connection string may hold a password.
    source = "KÄLLA/SOURCE" if is_database(given) else shlex.quote(given)
    return (
        f"Utkast / draft: {target}\n"
        f"{n_checks} ställen att kontrollera, {n_needed} kolumner som krävs men inte hittades"
        f" / {n_checks} places to check, {n_needed} required columns not found\n"
        "Nästa steg / next: rätta utkastet, sedan / correct the draft, then\n"
        f"  revictimisation map {source} --to MAPP --mapping {shlex.quote(str(target))}"
    )


def describe_next(out: Path, mapping: Path, is_complete: bool) -> str:
    """What to do after the tables were written."""
    if is_complete:
        command = f"pseudonymise {shlex.quote(str(out))} UT --key-file NYCKEL --source VEM"
        return f"Nästa steg / next:\n  revictimisation {command}"
    return (
        f"Nästa steg / next: rätta {mapping} eller källan och kör samma kommando igen"
        " / correct it or the source and run the same command again"
    )


def map_to(given: str, out: Path, mapping: Path, kind: str, jobs: int) -> tuple[str, bool]:
    """Make the extract that a mapping file describes; the report, and whether it is complete.

    Nothing is written into `out` unless every table could be made, but that the report of an
    earlier run is replaced by what failed. What that run wrote and this one no longer makes is
    removed, and told.
    """
    from revictimisation.extract.mapping.kept_reports import leave_failure

    with _reserved(given, out):
        try:
            return _map(given, out, mapping, kind, jobs)
        except (DataError, MappingError) as fault:
            kept = leave_failure(out, mapping.stem, str(fault))
            raise type(fault)(f"{fault}\n\n{kept}" if kept else str(fault)) from None


def _map(given: str, out: Path, mapping: Path, kind: str, jobs: int) -> tuple[str, bool]:
    from revictimisation.core.engine import connect
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract.mapping import make_extract, read_mapping, render_report
    from revictimisation.extract.mapping.kept_reports import REPORT, leave_failure, remove_gone
    from revictimisation.extract.mapping.making import Making
    from revictimisation.extract.mapping.report import report_facts
    from revictimisation.extract.sources.faults import UnreadableFileError
    from revictimisation.extract.sources.opening import check_readable, open_source

    dictionary = load_dictionary()
    asked = read_mapping(files.read_text(mapping), dictionary)
    named = f"{mapping.stem}{REPORT}"
    earlier = files.read_json(out / f"{named}.json")
    _check_room(out, list(asked.tables), kind, earlier)
    with Progress(2) as progress, files.private_folder(out) as folder:
        progress.tell("map")
        try:
            source = open_source(given)
            parts = [part for parts in asked.tables.values() for part in parts]
            check_readable(source, [part.place for part in parts])
            making = Making(
                connect(threads=jobs), source, dictionary, Path(folder), Disclosure().threshold,
                asked,
            )  # fmt: skip
            report, written = make_extract(making, kind)
        except UnreadableFileError as fault:
            raise DataError(_tell(fault, given)) from None
        text = render_report(report, dictionary)
        if report.has_refused:
            raise DataError(text)
        progress.tell("write")
        with files.fill_folder(out, is_private=True) as stage:
            for path in written:
                files.copy_whole(path, stage / path.name)
            # Until all is done, no report of an earlier run says that all is well.
            leave_failure(out, mapping.stem, UNDONE)
    made = [path.name for path in written]
    text = "\n\n".join(filter(None, (text, remove_gone(out, mapping.stem, earlier, made))))
    files.write_text(out / f"{named}.txt", text + "\n")
    files.write_json(out / f"{named}.json", {**report_facts(report), "files": made})
    return text, report.is_complete


def _reserved(given: str, out: Path) -> AbstractContextManager[None]:
    """What is made lies apart from what the source's systems left, in a folder of its own.

    Rows on their way lie there too: they may hold identity numbers, as what is made does.
    """
    from revictimisation.extract.sources.database import is_database

    sources = [] if is_database(given) else [Path(given)]
    return folders.reserved(out, "map", sources, sum(map(folders.measure, sources)))


def _check_room(out: Path, tables: list[str], kind: str, earlier: dict[str, Any] | None) -> None:
    """A table that another mapping file, or something else, put there is not written over."""
    own = {f"{one['name']}.{kind}" for one in (earlier or {}).get("tables", ())}
    taken = [
        name
        for table in tables
        for name in (f"{table}{suffix}" for suffix in TABLE_SUFFIXES)
        if (out / name).exists() and name not in own
    ]
    if taken:
        listed = ", ".join(taken)
        raise UsageError(
            f"{out} har redan {listed}, som inte kommer från samma mappningsfil. Ta bort eller"
            f" välj en annan mapp.\n{out} already has {listed}, not made by the same mapping file."
            " Remove it or choose another folder."
        )


def _tell(fault: Exception, given: str) -> str:
    """A fault of the source as a whole in words; a connection string is never repeated."""
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract.mapping.report import Remark, render_remark
    from revictimisation.extract.sources.database import describe_database, is_database
    from revictimisation.extract.sources.faults import UnreadableFileError

    told = fault if isinstance(fault, UnreadableFileError) else UnreadableFileError()
    table = told.source or Path(given).name
    if is_database(given):
        table = "PostgreSQL" if told.kind == "database_address" else describe_database(given)
    count, sought = told.count if told.rows else 0, told.column
    remark = Remark(
        told.kind, "error", table, count=count, rows=told.rows, names=told.names, sought=sought
    )
    return render_remark(remark, load_dictionary())
