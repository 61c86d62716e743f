"""The command `pool`: what several counties say together, from the files that they shared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from revictimisation.commands import folders
from revictimisation.commands.options import FOLDER
from revictimisation.core import files
from revictimisation.core.errors import UsageError

TABLE, QUESTION, FIRST = "pooled", "ask.json", "index.html"


@click.command("pool")
@click.argument("shared", metavar="FILE...", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Mapp för det gemensamma svaret. / Folder for the joint answer.",
)
def command(shared: tuple[Path, ...], out: Path) -> None:
    """Räkna samman flera län utan att någon rad flyttas.

    The joint answer of several counties from the files that `share` made: pooled.csv and .parquet,
    a page in Swedish and one in English, and ask.json, at which counties may be asked again
    (`share --at`) for the answer of their rows joined.
    """
    n_rows = pool_files(shared, out)
    click.echo(
        f"Klart / done: {out / FIRST} ({len(shared)} län / counties, {n_rows} tal / numbers)"
    )


def pool_files(paths: Sequence[Path], out: Path) -> int:
    """The command `pool`: the number of rows of its table."""
    from revictimisation.dictionary import load_dictionary
    from revictimisation.pooling.joint import find_point, pool_shared
    from revictimisation.pooling.shared_file import unpack_shared
    from revictimisation.report.pooled import FILES, render_pooled

    if len(paths) < 2:
        raise UsageError(
            "Ange minst två filer från share: ett län är inget att räkna samman. / Name two files"
            " of share or more."
        )
    for path in paths:
        if not path.is_file():
            raise UsageError(f"{path} finns inte, eller är ingen fil. / It is no file.")
    with folders.reserved(out, "pool", paths):
        shared = [unpack_shared(files.read_bytes(path), str(path)) for path in paths]
        table = pool_shared(shared)
        dictionary = load_dictionary()
        about = [one.about for one in shared]
        case_mix = {one.place: one.tables["case_mix"] for one in shared}
        with files.fill_folder(out) as stage:
            files.write_table(table, stage, TABLE, ("csv", "parquet"))
            files.write_json(stage / QUESTION, {"point": find_point(shared)})
            for language, name in FILES.items():
                page = render_pooled(table, about, case_mix, dictionary, language)
                files.write_text(stage / name, page)
    return len(table)
