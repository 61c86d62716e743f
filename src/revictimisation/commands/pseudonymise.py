"""The command `pseudonymise`: an agency's extract with keyed pseudonyms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from revictimisation.commands import folders
from revictimisation.commands.folders import FACTS, SIMULATION
from revictimisation.commands.options import DAY, FOLDER
from revictimisation.core import files
from revictimisation.core.errors import UsageError

if TYPE_CHECKING:
    from revictimisation.extract.pseudonyms.keys import StudyKey


@dataclass(frozen=True)
class PseudonymOptions:
    """What the command `pseudonymise` was asked for beside its folders and key."""

    reference_on: dt.date | None = None
    excluded: Collection[str] = ()
    source: str = ""
    is_emptied: bool = False
    has_linkage_fields: bool = False
    study: Path | None = None


@click.command("pseudonymise")
@click.argument("source_folder", metavar="IN", type=FOLDER)
@click.argument("out_folder", metavar="OUT", type=FOLDER)
@click.option(
    "--key-file", type=FOLDER, required=True, help="Nyckel från make-key. / Key by make-key."
)
@click.option(
    "--reference-date",
    type=DAY,
    default=None,
    help="Dagen som tiosiffriga nummers sekel räknas från; annars nyckelns, annars uttagets sista "
    "dag. / Day for the century of ten digits; else the key's, else the extract's last.",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="TABLE.COLUMN",
    help="Kolumn att lämna bort; kan upprepas. / A column to leave out; may be repeated.",
)
@click.option(
    "--source",
    default="",
    metavar="NAME",
    help="Myndigheten: skiljer dess egna id från andras. / The agency: keeps its own ids apart.",
)
@click.option(
    "--invalid",
    type=click.Choice(["pseudonym", "empty"]),
    default="pseudonym",
    show_default=True,
    help="Det som inte är ett giltigt nummer: egen sorts pseudonym, eller tomt. / What is no valid "
    "number: a pseudonym of a kind of its own, or empty.",
)
@click.option(
    "--linkage-fields",
    is_flag=True,
    help="Gör nycklade ljudkoder av namn i persons, för länkning. / Make keyed codes of how names "
    "in persons sound, for linkage.",
)
@click.option(
    "--study",
    type=FOLDER,
    default=None,
    help="Studiefil: en annan studies nyckel godtas då inte. / Study file: another study's key is "
    "then refused.",
)
def command(
    source_folder: Path,
    out_folder: Path,
    key_file: Path,
    reference_date: datetime | None,
    exclude: tuple[str, ...],
    source: str,
    invalid: str,
    linkage_fields: bool,
    study: Path | None,
) -> None:
    """Byt personnummer mot pseudonymer.

    Replace identity numbers by keyed pseudonyms: the same on every machine with the same key.
    Case numbers and other identifiers are keyed too. Unknown columns are left out; names, addresses
    and free text are refused (exit code 3).
    """
    options = PseudonymOptions(
        reference_on=reference_date and reference_date.date(),
        excluded=exclude,
        source=source,
        is_emptied=invalid == "empty",
        has_linkage_fields=linkage_fields,
        study=study,
    )
    click.echo(pseudonymise_folder(source_folder, out_folder, key_file, options))
    click.echo(f"Klart / done: {out_folder}")


def pseudonymise_folder(source: Path, out: Path, key_file: Path, options: PseudonymOptions) -> str:
    """The extract in `source` with pseudonyms, in `out`.

    Returns what was found, as text. Nothing is written where something is refused. What an earlier
    run with the same key and for the same agency left in `out` is written over.
    """
    from revictimisation.extract.mapping.kept_reports import check_complete
    from revictimisation.extract.pseudonyms.keys import check_study, read_key
    from revictimisation.plan import read_plan

    _check_apart(source, out, key_file)
    with folders.reserved(out, "pseudonymise", [source], folders.measure(source)):
        check_complete(source)
        key, noted = read_key(key_file), ""
        if options.study is not None:
            noted = check_study(key.study, read_plan(files.read_text(options.study)).name)
        told = _pseudonymise(source, out, key, options)
    return "\n".join(filter(None, (told, noted)))


def _pseudonymise(source: Path, out: Path, key: StudyKey, options: PseudonymOptions) -> str:
    from revictimisation.core.engine import connect
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract import pseudonyms

    dictionary, today = load_dictionary(), dt.date.today()
    tables, n_unknown = pseudonyms.read_raw_tables(connect(), source, dictionary)
    facts = files.read_json(source / SIMULATION)
    n_unknown -= any(source.glob("truth.*")) if facts else 0
    choices = pseudonyms.choose_columns(
        tables, dictionary, today, options.excluded, options.has_linkage_fields
    )
    made = pseudonyms.pseudonymise_tables(
        tables,
        choices,
        dictionary,
        key,
        reference_on=options.reference_on,
        today=today,
        source=options.source,
        is_emptied=options.is_emptied,
    )
    names = {f"{name}.{table.kind}" for name, table in made.tables.items()}
    _check_room(out, names, key, options.source)
    told = pseudonyms.describe_run(made, choices, key, options.source, n_unknown)
    with files.fill_folder(out, is_private=True) as stage:
        for name, table in made.tables.items():
            files.write_arrow(table.cells, stage, name, table.kind)
        files.write_json(stage / FACTS, told)
        if facts:
            files.write_json(stage / SIMULATION, facts)
    return pseudonyms.render_run(told, dictionary)


def _check_apart(source: Path, out: Path, key_file: Path) -> None:
    """The key lies apart from the data, and what is written mixes with nothing else."""
    files.check_folder(source)
    for folder in (source, out):
        if folder.resolve() in key_file.resolve().parents:
            raise UsageError(
                f"Nyckelfilen ligger i {folder}; den får aldrig följa med uppgifterna. / "
                "The key file lies among the data; it must never travel with them."
            )


def _check_room(out: Path, names: Collection[str], key: StudyKey, source: str) -> None:
    """In `out` stands nothing, or what the same key made for the same agency, table by table."""
    facts = files.read_json(out / FACTS) or {}
    told = tuple(facts.get(name) for name in ("key_check", "study", "rotation", "source"))
    is_same = told == (key.check, key.study, key.rotation, source)
    folders.check_alone(out, {*names, SIMULATION, *([FACTS] if is_same else [])})
