"""The command `make-key`: the secret key of a study's pseudonyms."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from pathlib import Path

import rich_click as click

from revictimisation.commands.options import DAY, FOLDER


@click.command("make-key")
@click.argument("path", metavar="FILE", type=FOLDER)
@click.option(
    "--study",
    default="study",
    show_default=True,
    help="Studiens namn, som i studiefilen; en nyckel per studie. / The study's name, as in the "
    "study file; a key for each.",
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
def command(path: Path, study: str, rotation: int, reference_date: datetime | None) -> None:
    """Gör en hemlig nyckel för en studies pseudonymer.

    Make the secret key of a study's pseudonyms. A third party makes and keeps it; see
    docs/key_custody.md. The file can be read by its owner only and is never overwritten.
    """
    click.echo(make_key_file(path, study, rotation, reference_date and reference_date.date()))


def make_key_file(
    path: Path, study: str, rotation: int = 1, reference_on: dt.date | None = None
) -> str:
    """Write a new key file; its check characters and a caution, as text."""
    from revictimisation.extract.pseudonyms.keys import UNNAMED, make_key, write_key

    key = make_key(study, rotation, reference_on)
    write_key(path, key)
    caution = (
        "\nOBS: utan --reference-date räknas sekel från varje uttags sista dag, och uttag med "
        "olika dag går inte att föra samman. / Extracts with different last days do not join."
    )
    nameless = (
        "\nOBS: utan --study är nyckeln ingen viss studies, och kan föra samman flera. / Without "
        "--study the key is no particular study's and can join several."
    )
    notes = ("" if reference_on else caution) + (nameless if study == UNNAMED else "")
    return f"{path}: kontrolltecken / check {key.check}{notes}"
