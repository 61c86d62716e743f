"""The command line: `revictimisation simulate | map | pseudonymise | link | validate | run ...`.

Heavy libraries are imported inside the commands, so that help answers at once.
"""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from revictimisation import __version__, terminal
from revictimisation.errors import DataError
from revictimisation.options import DAY, FOLDER, format_option, jobs_option, study_options

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="revictimisation")
def cli() -> None:
    """Vilka åtgärder hindrar att människor utsätts igen? Allt körs på den egna datorn, utan nät.

    Which measures keep people from being victimised again? Everything runs on this machine,
    without a network.

    Slutkoder / exit codes: 0 klart (done) · 2 fel användning (wrong use) · 3 utdraget följer inte
    datakatalogen (the data do not conform) · 4 studiefilen eller mappningsfilen är fel (the study
    file or mapping file does not conform) · 5 röjandekontrollen säger nej (disclosure control
    refuses) · 1 vårt fel (our fault) · 130 avbrutet (interrupted).
    """


@cli.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--people",
    type=click.IntRange(min=1),
    default=None,
    help="Antal våldsutsatta med en första anmälan. / Index victims. [default: 3000; small: 216]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Samma frö ger samma data. / The same seed gives the same data.",
)
@click.option(
    "--scenario",
    default="calibrated",
    show_default=True,
    help="Vilket påhittat län / Which synthetic county: calibrated, null, small, unmeasured, "
    "reporting, positivity, dirty.",
)
@format_option(["csv", "parquet"], "Filformat. / File format.")
def simulate(folder: Path, people: int | None, seed: int, scenario: str, kind: str) -> None:
    """Hitta på ett län med känd sanning, att prova metoden på.

    Invent a county with known truth, to try the method on. Writes DIR/<table>.csv (or .parquet)
    and DIR/truth.csv.
    """
    from revictimisation.runner import simulate_to

    n_people = simulate_to(folder, people, seed, scenario, kind)
    click.echo(f"{folder}: {scenario}, {n_people} index victims, seed {seed}")


@cli.command()
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
@jobs_option
def validate(
    folder: Path, study: Path | None, report: Path | None, previous: Path | None, jobs: int
) -> None:
    """Kontrollera ett utdrag mot datakatalogen.

    Check an extract against the data dictionary. Every fault is told at once: table, column, rule,
    how many and in which rows; never a value. Exit code 3 if there is any error. Writes nothing
    but the report that --report asks for.
    """
    from revictimisation.acceptance import NO_REPORT, validate_folder

    made = validate_folder(folder, study, report, previous, jobs)
    click.echo(made.text)
    click.echo(f"\nRapport / report: {made.page or NO_REPORT}")
    if not made.is_conforming:
        raise Exit(DataError.exit_code)


@cli.command("make-key")
@click.argument("path", metavar="FILE", type=FOLDER)
@click.option(
    "--study",
    default="study",
    show_default=True,
    help="Studiens namn; en nyckel per studie. / The study's name; a key for each.",
)
@click.option(
    "--rotation",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Höj när nyckeln byts. / Raise it when the key is changed.",
)
@click.option(
    "--reference-date",
    type=DAY,
    default=None,
    help="Dagen som tiosiffriga nummers sekel räknas från, lika för alla. / The day from which "
    "ten-digit numbers get their century, the same for all.",
)
def make_key(path: Path, study: str, rotation: int, reference_date: datetime | None) -> None:
    """Gör en hemlig nyckel för en studies pseudonymer.

    Make the secret key of a study's pseudonyms. A third party makes and keeps it; see
    docs/key_custody.md. The file can be read by its owner only and is never overwritten.
    """
    from revictimisation.exchange import make_key_file

    click.echo(make_key_file(path, study, rotation, reference_date and reference_date.date()))


@cli.command()
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
def pseudonymise(
    source_folder: Path,
    out_folder: Path,
    key_file: Path,
    reference_date: datetime | None,
    exclude: tuple[str, ...],
    source: str,
    invalid: str,
    linkage_fields: bool,
) -> None:
    """Byt personnummer mot pseudonymer.

    Replace identity numbers by keyed pseudonyms: the same on every machine with the same key.
    Case numbers and other identifiers are keyed too. Unknown columns are left out; names, addresses
    and free text are refused (exit code 3).
    """
    from revictimisation.exchange import Wishes, pseudonymise

    wishes = Wishes(
        reference_on=reference_date and reference_date.date(),
        excluded=exclude,
        source=source,
        is_emptied=invalid == "empty",
        has_linkage_fields=linkage_fields,
    )
    click.echo(pseudonymise(source_folder, out_folder, key_file, wishes))
    click.echo(f"Klart / done: {out_folder}")


@cli.command("map")
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
def map_(
    source: str, out: Path, mapping: Path | None, kind: str, header_row: int | None, jobs: int
) -> None:
    """Gör ett uttag av det som källan lämnar: en mapp, en fil eller en PostgreSQL-databas.

    Make an extract from what a source hands out. SOURCE is a folder, a file (CSV, Parquet, Excel,
    SAS, SPSS) or a connection string (postgresql://user@server/database; the password in
    PGPASSWORD or PGPASSFILE). Without --mapping a draft of a mapping file is written; with it the
    extract, a file per table. Exit code 3 if a code or value found no place, 4 if the mapping file
    does not conform.
    """
    from revictimisation import preparation

    if mapping is None:
        draft = preparation.draft_to(source, out, jobs, header_row)
        click.echo(preparation.tell_draft(source, draft))
        return
    if header_row:
        raise click.UsageError("Ange header_row i mappningsfilen. / Name it in the mapping file.")
    report, is_complete = preparation.map_to(source, out, mapping, kind, jobs)
    click.echo(f"{report}\n\n{preparation.tell_next(out, mapping, is_complete)}")
    if not is_complete:
        raise Exit(DataError.exit_code)


@cli.command()
@click.argument("name", metavar="[LIST]", default="")
@click.option(
    "--like",
    default="",
    metavar="TEXT",
    help="Bara koder där texten finns i kod eller etikett. / Only codes that hold the text, or "
    "whose label does; case does not count.",
)
@format_option(
    ["text", "csv"], "csv: alla uppgifter om varje kod. / csv: all that is known of each code."
)
def codes(name: str, like: str, kind: str) -> None:
    """Visa dataordlistans kodlistor: koder, etiketter och vilka dagar de gäller.

    Show the code lists of the data dictionary. LIST is the name of a list (offences) or of a
    column (offence_code, police_measures.measure); without it the lists are named.
    """
    from revictimisation.dictionary import load_dictionary, render_code_lists, render_codes

    if like and not name:
        raise click.UsageError("--like söker i en lista: ange vilken. / Name the list to search.")
    dictionary, is_csv = load_dictionary(), kind == "csv"
    if name:
        click.echo(render_codes(dictionary, name, like, is_csv))
    else:
        click.echo(render_code_lists(dictionary, is_csv))


@cli.command()
@click.argument("police", metavar="POLICE", type=FOLDER)
@click.argument("social", metavar="SOCIAL", type=FOLDER)
@click.option("--study", type=FOLDER, required=True, help="Studiefil. / Study file.")
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Mapp för uttaget: ny, tom, eller den som link "
    "lämnade förra gången (skrivs över). / Folder for the extract: new, empty, or what link left "
    "last time (written over).",
)
def link(police: Path, social: Path, study: Path, out: Path) -> None:
    """För samman polisens och socialtjänstens pseudonymiserade uttag.

    Join the pseudonymised extracts of police and social services: by number and, if the study file
    asks for it (linkage), by probability where there is none.
    """
    from revictimisation.exchange import link

    click.echo(link(police, social, study, out))
    click.echo(f"Klart / done: {out}")


@cli.command("study-keys")
def study_keys() -> None:
    """Skriv ut studiefilens alla nycklar (docs/study_file.md).

    Print every key of a study file: what it means, what it may be, its default.
    """
    from revictimisation.dictionary import load_dictionary
    from revictimisation.plan import StudyPlan
    from revictimisation.study_keys import render_keys

    click.echo(render_keys(StudyPlan, load_dictionary()))


@cli.command()
@study_options
def estimate(study: Path, data: Path, out: Path, jobs: int) -> None:
    """Räkna fram resultaten, utan rapport.

    Estimate: tables in OUT/restricted (exact) and OUT/release (after disclosure control).
    """
    from revictimisation import runner

    _say(runner.estimate(study, data, out, _command(), jobs), out / "release")


@cli.command()
@study_options
def run(study: Path, data: Path, out: Path, jobs: int) -> None:
    """Gör allt: resultat, rapporter och sidor. Fortsätter där en avbruten körning slutade.

    Do everything: estimates, executed notebooks and the pages in OUT/site. Resumes where it was
    stopped; a second run that changes nothing does nothing.
    """
    from revictimisation import runner

    _say(runner.run(study, data, out, _command(), jobs), out / "site" / "index.html")


def _command() -> str:
    return shlex.join(["revictimisation", *sys.argv[1:]])


def _say(has_worked: bool, where: Path) -> None:
    done = "Klart / done" if has_worked else "Inget nytt att göra / nothing has changed"
    click.echo(f"{done}: {where}")


def main() -> None:
    """Run a command; every fault a user can cause ends in a sentence and its exit code."""
    terminal.run_command(cli)
