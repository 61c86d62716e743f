"""The command `codes`: the code lists of the data dictionary."""

from __future__ import annotations

import rich_click as click

from revictimisation.commands.options import format_option


@click.command("codes")
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
def command(name: str, like: str, kind: str) -> None:
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
